//! Seats: the dense numbers of the (app, user) pairs of one shard, for one run.
//!
//! While rows stream in, seats are provisional (order of arrival). [`Seats::settle`] puts them in
//! order of (app name, ordinal), so that the seats of one app are one range and ascend with the
//! ordinals.

use hashbrown::HashMap;
use tagmill_bitmap::sort_rows;

use super::interner::Interner;

/// The app that nobody has.
const NO_APP: u32 = u32::MAX;

/// The first app that saw a user, and the user's seat there.
#[derive(Debug, Clone, Copy)]
pub struct FirstSeat {
    app: u32,
    seat: u32,
}

impl Default for FirstSeat {
    fn default() -> Self {
        Self {
            app: NO_APP,
            seat: 0,
        }
    }
}

/// Id bytes -> user number, with the user's first seat beside the id: a look-up has just fetched
/// that memory.
pub type Dictionary = Interner<FirstSeat>;

/// (app, user number) -> provisional seat. Nearly every user has one app: that seat stands in the
/// dictionary, beside the id.
#[derive(Default)]
pub struct Seats {
    app_of: Vec<u32>,
    user_of: Vec<u32>,
    others: HashMap<(u32, u32), u32>,
}

impl Seats {
    /// How many seats are taken.
    pub fn len(&self) -> usize {
        self.app_of.len()
    }

    /// Makes room for so many seats.
    pub fn reserve(&mut self, seats: usize) {
        self.app_of.reserve(seats);
        self.user_of.reserve(seats);
    }

    /// Heap bytes held.
    pub fn size(&self) -> usize {
        self.app_of.capacity() * 4 + self.user_of.capacity() * 4 + self.others.capacity() * 13
    }

    /// The app of each seat.
    pub fn apps(&self) -> &[u32] {
        &self.app_of
    }

    /// The user number of each seat.
    pub fn users(&self) -> &[u32] {
        &self.user_of
    }

    /// The seat of this user in this app, taken now if it was free.
    pub fn take(&mut self, ids: &mut Dictionary, app: u32, user: u32) -> u32 {
        let first = ids.note(user);
        if first.app == app {
            return first.seat;
        }
        let next = self.app_of.len() as u32;
        if first.app == NO_APP {
            ids.set_note(user, FirstSeat { app, seat: next });
        } else {
            let seat = *self.others.entry((app, user)).or_insert(next);
            if seat != next {
                return seat;
            }
        }
        self.app_of.push(app);
        self.user_of.push(user);
        next
    }

    /// The seat of this user in this app, if there is one.
    pub fn find(&self, ids: &Dictionary, app: u32, user: u32) -> Option<u32> {
        let first = ids.note(user);
        if first.app == app {
            Some(first.seat)
        } else {
            self.others.get(&(app, user)).copied()
        }
    }

    /// [`Self::take`] for rows in turn, of which the dictionary said user and first seat; the seats
    /// are appended to `out`.
    pub fn take_batch(
        &mut self,
        ids: &mut Dictionary,
        apps: &[u32],
        users: &[(u32, FirstSeat)],
        out: &mut Vec<u32>,
    ) {
        let rows = apps.iter().zip(users);
        out.extend(rows.map(|(&app, &(user, first))| {
            if first.app == app {
                first.seat
            } else {
                self.take(ids, app, user)
            }
        }));
    }

    /// The final order. `app_rank` and `ordinal` turn app codes and user numbers into their final
    /// values.
    pub fn settle(&self, app_rank: &[u32], ordinal: &[u32]) -> Settled {
        let key = |seat: usize| {
            u64::from(app_rank[self.app_of[seat] as usize]) << 32
                | u64::from(ordinal[self.user_of[seat] as usize])
        };
        let mut order: Vec<(u64, u32)> = (0..self.len())
            .map(|seat| (key(seat), seat as u32))
            .collect();
        sort_rows(&mut order, &mut Vec::new());
        let mut settled = Settled {
            apps: Vec::new(),
            ordinals: Vec::with_capacity(order.len()),
            provisional: Vec::with_capacity(order.len()),
            seat_of: vec![0; order.len()],
        };
        for (seat, &(key, provisional)) in order.iter().enumerate() {
            let rank = (key >> 32) as u32;
            match settled.apps.last_mut() {
                Some(last) if last.rank == rank => last.end = seat + 1,
                _ => settled.apps.push(AppSeats {
                    rank,
                    start: seat,
                    end: seat + 1,
                }),
            }
            settled.ordinals.push(key as u32);
            settled.provisional.push(provisional);
            settled.seat_of[provisional as usize] = seat as u32;
        }
        settled
    }
}

/// Seats in their final order.
pub struct Settled {
    /// One range of seats an app, in order of the app's name.
    pub apps: Vec<AppSeats>,
    /// Seat -> ordinal; ascending inside an app.
    pub ordinals: Vec<u32>,
    /// Seat -> provisional seat.
    pub provisional: Vec<u32>,
    /// Provisional seat -> seat.
    pub seat_of: Vec<u32>,
}

/// The seats `start..end` of the app with this rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppSeats {
    /// Position of the app's name in order.
    pub rank: u32,
    /// First seat.
    pub start: usize,
    /// Behind the last seat.
    pub end: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(ids: &mut Dictionary, keys: &[&str]) -> Vec<(u32, FirstSeat)> {
        let hashes: Vec<u64> = keys
            .iter()
            .map(|key| u64::from(key.as_bytes()[0]))
            .collect();
        let mut users = Vec::new();
        ids.intern_batch(
            &hashes,
            |i| keys[i].as_bytes(),
            |user, first| users.push((user, first)),
        );
        users
    }

    #[test]
    fn one_pair_has_one_seat() {
        let (mut ids, mut seats, mut out) = (Dictionary::default(), Seats::default(), Vec::new());
        let users = users(&mut ids, &["e"; 5]);
        seats.take_batch(&mut ids, &[0, 1, 0, 1, 2], &users, &mut out);
        assert_eq!(out, [0, 1, 0, 1, 2]);
        assert_eq!(seats.find(&ids, 1, 0), Some(1));
        assert_eq!(seats.find(&ids, 3, 0), None);
    }

    #[test]
    fn settled_seats_ascend_by_app_then_ordinal() {
        let (mut ids, mut seats, mut out) = (Dictionary::default(), Seats::default(), Vec::new());
        // App 0 sorts after app 1; user 0 gets ordinal 9, user 1 ordinal 4.
        let users = users(&mut ids, &["a", "b", "a"]);
        seats.take_batch(&mut ids, &[0, 0, 1], &users, &mut out);
        let settled = seats.settle(&[1, 0], &[9, 4]);
        assert_eq!(settled.ordinals, [9, 4, 9]);
        assert_eq!(settled.provisional, [2, 1, 0]);
        assert_eq!(settled.seat_of, [2, 1, 0]);
        assert_eq!(
            settled.apps,
            [
                AppSeats {
                    rank: 0,
                    start: 0,
                    end: 1
                },
                AppSeats {
                    rank: 1,
                    start: 1,
                    end: 3
                }
            ]
        );
    }
}
