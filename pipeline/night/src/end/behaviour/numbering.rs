//! The events of one app, event by event, the combinations of each user numbered.

use super::items::{Combination, EventItems, Sum};
use super::writer::BehaviourWriter;
use crate::take::seats::AppSeats;

/// Numbers the combinations of one (seat, event) after the other; they stand together.
struct Numbering {
    seat: usize,
    event: u32,
    number: u32,
}

impl Numbering {
    fn new() -> Self {
        Self {
            seat: usize::MAX,
            event: u32::MAX,
            number: 0,
        }
    }

    /// The number of the next combination.
    #[inline]
    fn next(&mut self, seat: usize, event: u32) -> u32 {
        if (seat, event) == (self.seat, self.event) {
            self.number += 1;
        } else {
            (self.seat, self.event, self.number) = (seat, event, 0);
        }
        self.number
    }
}

impl BehaviourWriter<'_> {
    /// The events of one app with their items, combinations numbered, in order of the name; and how
    /// many (user, event) pairs have more combinations than `limit`.
    pub fn events_of(&mut self, seats: AppSeats, limit: u32) -> (Vec<(String, EventItems)>, u64) {
        let events = self.events;
        let slots = events.measure_slots();
        let sums: Vec<&[(u64, i64)]> = (0..slots)
            .map(|slot| events.sums(slot, seats.start, seats.end))
            .collect();
        let mut next_sum = vec![0; slots];
        let keys = events.keys(seats.start, seats.end);
        // Grown step by step, the lists of a large app would be in memory twice.
        let mut most = vec![0; events.names.len()];
        keys.iter()
            .for_each(|&key| most[events.tuples.event(events.tuple(key)) as usize] += 1);
        let mut found: Vec<Option<EventItems>> = most.iter().map(|_| None).collect();
        let (mut numbering, mut exceeded) = (Numbering::new(), 0);
        for same in keys.chunk_by(|a, b| a == b) {
            let (key, count) = (same[0], same.len() as u32);
            let (seat, tuple) = (events.seat(key), events.tuple(key));
            let event = events.tuples.event(tuple);
            let number = numbering.next(seat, event);
            exceeded += u64::from(number == limit);
            let (ordinal, number) = (self.ordinals[seat], number.min(limit));
            let items = found[event as usize].get_or_insert_with(|| {
                let spare = self.spare.pop().unwrap_or_default();
                spare.emptied(slots, most[event as usize])
            });
            let combination = Combination {
                ordinal,
                number,
                tuple,
                count,
            };
            items.add(combination, limit);
            for (slot, sums) in sums.iter().enumerate() {
                if let Some(&(_, sum)) = sums.get(next_sum[slot]).filter(|(of, _)| *of == key) {
                    next_sum[slot] += 1;
                    let sum = Sum {
                        ordinal,
                        number,
                        sum,
                    };
                    items.add_sum(slot, sum);
                }
            }
        }
        let named = found.into_iter().enumerate();
        let named = named.filter_map(|(event, items)| Some((self.event_name(event)?, items?)));
        (named.collect(), exceeded)
    }

    /// The name of the event at this position in order.
    fn event_name(&self, event: usize) -> Option<String> {
        let name = self.events.names.value(self.names.code(event as u32));
        name.map(|name| name.to_string())
    }
}
