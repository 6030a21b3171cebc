//! The ordinals of the users that a shard sees for the first time.
//!
//! Any order that does not depend on arrival would do; this one makes sets dense. Users who do
//! equally much and have the same common values stand next to each other, so the bitmaps of those
//! values, of events and of their counts are few long runs.
//!
//! ```text
//! new user ──► home: the smallest app that saw the user, the seat there
//!              (home app, class of activity, common tags, user_id bytes) ascending ──► ordinal
//! ```
//! Ordinals stay for ever; the order is that of one run's new users, and the manifest names it.

use std::collections::BTreeSet;

use tagmill_schemas::value::Value;

use super::app_order::AppOrder;
use crate::take::attributes::TagColumn;
use crate::take::shard::Shard;
use crate::take::source_state::SourceState;

/// Tags with more distinct values among new users are not common tags.
const MOST_VALUES: usize = 64;
/// The place of a user among the common tags is below this: the rest of 32 bits is the class of
/// activity.
const MOST_PLACES: u32 = 1 << 26;

/// The smallest app that saw a new user, and the user's provisional seat there.
#[derive(Clone, Copy)]
struct Home {
    app_rank: u32,
    seat: u32,
}

/// User number -> ordinal. New users follow the known ones in the order described above.
pub fn number_new_users(shard: &Shard<'_>, apps: &AppOrder) -> Vec<u32> {
    let known = shard.known;
    let mut ordinal_of: Vec<u32> = (0..shard.ids.len() as u32).collect();
    let homes = homes(shard, apps);
    if homes.is_empty() {
        return ordinal_of;
    }
    let activity = activity(shard);
    let tags = CommonTags::of(shard, &homes);
    let key = |home: &Home| {
        // 0 without events, else the number of binary digits: at most 32.
        let class = u32::BITS - activity[home.seat as usize].leading_zeros();
        let place = u64::from(class) * u64::from(MOST_PLACES) + u64::from(tags.place(home.seat));
        (u64::from(home.app_rank) << 32) | place
    };
    let mut order: Vec<(u64, u128, u32)> = (known..)
        .zip(&homes)
        .map(|(user, home)| (key(home), prefix(shard.ids.get(user)), user))
        .collect();
    order.sort_unstable_by(|a, b| {
        (a.0, a.1)
            .cmp(&(b.0, b.1))
            .then_with(|| shard.ids.get(a.2).cmp(shard.ids.get(b.2)))
    });
    for (ordinal, &(_, _, user)) in (known..).zip(&order) {
        ordinal_of[user as usize] = ordinal;
    }
    ordinal_of
}

/// The home of every new user, by user number.
fn homes(shard: &Shard<'_>, apps: &AppOrder) -> Vec<Home> {
    let nowhere = Home {
        app_rank: u32::MAX,
        seat: 0,
    };
    let mut homes = vec![nowhere; shard.ids.len() - shard.known as usize];
    let seats = shard.seats.apps().iter().zip(shard.seats.users());
    for (seat, (&app, &user)) in (0..).zip(seats) {
        let Some(new) = user.checked_sub(shard.known) else {
            continue;
        };
        let (home, app_rank) = (&mut homes[new as usize], apps.rank[app as usize]);
        if app_rank < home.app_rank {
            *home = Home { app_rank, seat };
        }
    }
    homes
}

/// By provisional seat: events taken today, copies included.
fn activity(shard: &Shard<'_>) -> Vec<u32> {
    let mut activity = vec![0u32; shard.seats.len()];
    for state in &shard.states {
        if let SourceState::Events(events, _) = state {
            events.for_each_seat(|seat| activity[seat as usize] += 1);
        }
    }
    activity
}

/// The first 16 bytes as a number: most comparisons end here, without a look at the id.
fn prefix(id: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let taken = id.len().min(16);
    bytes[..taken].copy_from_slice(&id[..taken]);
    u128::from_be_bytes(bytes)
}

/// Single-valued tags of attributes with 2 to [`MOST_VALUES`] distinct values among new users, null
/// being one: those with fewer values first, equal ones by name, as many as [`MOST_PLACES`] holds.
struct CommonTags<'s>(Vec<CommonTag<'s>>);

struct CommonTag<'s> {
    column: &'s TagColumn,
    /// How many distinct values there are.
    values: u32,
    /// Code -> position of its value in typed order, null first; 0 for codes that no new user has.
    ranks: Vec<u8>,
}

impl<'s> CommonTags<'s> {
    fn of(shard: &'s Shard<'_>, homes: &[Home]) -> Self {
        let columns = shard.states.iter().flat_map(|state| match state {
            SourceState::Attributes(state) => state.tags.as_slice(),
            _ => &[],
        });
        let mut common: Vec<CommonTag<'s>> = columns
            .filter(|column| !column.multi)
            .filter_map(|column| CommonTag::of(column, homes))
            .collect();
        common.sort_by(|a, b| (a.values, &a.column.name).cmp(&(b.values, &b.column.name)));
        let mut places = 1u32;
        let fitting = common.iter().take_while(|tag| {
            places = places.saturating_mul(tag.values);
            places <= MOST_PLACES
        });
        let fitting = fitting.count();
        common.truncate(fitting);
        Self(common)
    }

    /// The position of a seat's values among all combinations of values, below [`MOST_PLACES`].
    fn place(&self, seat: u32) -> u32 {
        let place = |place, tag: &CommonTag<'_>| place * tag.values + tag.rank(seat);
        self.0.iter().fold(0, place)
    }
}

impl<'s> CommonTag<'s> {
    fn of(column: &'s TagColumn, homes: &[Home]) -> Option<Self> {
        let mut codes = BTreeSet::new();
        for home in homes {
            if codes.insert(column.code(home.seat)) && codes.len() > MOST_VALUES {
                return None;
            }
        }
        if codes.len() < 2 {
            return None;
        }
        let mut typed: Vec<(Option<Value>, u32)> = codes
            .iter()
            .map(|&code| (column.values.value(code), code))
            .collect();
        typed.sort_by(|a, b| match (&a.0, &b.0) {
            (Some(a), Some(b)) => a.cmp_total(b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        });
        let mut ranks = vec![0; codes.last().map_or(0, |&most| most as usize + 1)];
        for (rank, (_, code)) in typed.iter().enumerate() {
            ranks[*code as usize] = rank as u8;
        }
        Some(Self {
            column,
            values: typed.len() as u32,
            ranks,
        })
    }

    fn rank(&self, seat: u32) -> u32 {
        u32::from(self.ranks[self.column.code(seat) as usize])
    }
}
