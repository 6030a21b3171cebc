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
        let mut found = self.emptied_items(keys, slots);
        let (mut numbering, mut exceeded) = (Numbering::new(), 0);
        for same in keys.chunk_by(|a, b| a == b) {
            let (key, count) = (same[0], same.len() as u32);
            let (seat, tuple) = (events.seat(key), events.tuple(key));
            let event = events.tuples.event(tuple);
            let number = numbering.next(seat, event);
            exceeded += u64::from(number == limit);
            let (ordinal, number) = (self.ordinals[seat], number.min(limit));
            let items = &mut found[self.places[event as usize]].1;
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
        for (event, _) in &found {
            self.places[*event as usize] = 0;
        }
        let named = found.into_iter();
        let named = named.filter_map(|(event, items)| Some((self.event_name(event)?, items)));
        (named.collect(), exceeded)
    }

    /// Empty items of each event that `keys` have, in order of the name, with room for all of them:
    /// grown step by step, the lists of a large app would be in memory twice. `places` says where an
    /// event's are; before and after an app it is zero everywhere, so that an app costs what it has,
    /// however many events others have.
    fn emptied_items(&mut self, keys: &[u64], slots: usize) -> Vec<(u32, EventItems)> {
        let events = self.events;
        let event_of = |key: u64| events.tuples.event(events.tuple(key));
        let places = &mut self.places;
        places.resize(events.names.len(), 0);
        let mut found: Vec<u32> = Vec::new();
        for &key in keys {
            let event = event_of(key);
            let count = &mut places[event as usize];
            if *count == 0 {
                found.push(event);
            }
            *count += 1;
        }
        found.sort_unstable();
        let emptied = found.iter().map(|&event| {
            let spare = self.spare.pop().unwrap_or_default();
            (event, spare.emptied(slots, places[event as usize]))
        });
        let emptied = emptied.collect();
        for (place, &event) in found.iter().enumerate() {
            places[event as usize] = place;
        }
        emptied
    }

    /// The name of the event at this position in order.
    fn event_name(&self, event: u32) -> Option<String> {
        let name = self.events.names.value(self.names.code(event));
        name.map(|name| name.to_string())
    }
}
