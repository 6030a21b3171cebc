//! Who counts in one day and combination: for whom the condition holds, and who is of the audience.

use tagmill_schemas::Result;

use super::condition::{Condition, dimension_of, holds};
use super::question::{Audience, Scope};
use super::shard_rows::{Needed, Part, PartRows, SliceRow};

/// The users of a part who count: a bit an ordinal.
///
/// # Errors
/// Refused for damaged bitmaps.
pub(super) fn selected(
    scope: &Scope,
    needed: &Needed,
    audience: Option<&Audience>,
    (part, shard): (Part, u32),
    rows: &PartRows,
) -> Result<Vec<u64>> {
    let mut users = rows.everybody()?;
    if let Some(audience) = audience {
        let key = (scope.night_of(part.date), shard);
        let members = audience.get(&key).map(Vec::as_slice).unwrap_or_default();
        let members = members.iter().copied().chain(std::iter::repeat(0));
        for (all, some) in users.iter_mut().zip(members) {
            *all &= some;
        }
    }
    if let Some(condition) = &scope.condition {
        keep(condition, needed, rows, &mut users)?;
    }
    Ok(users)
}

fn keep(condition: &Condition, needed: &Needed, rows: &PartRows, users: &mut [u64]) -> Result<()> {
    condition.select(users, &mut |atom, words| {
        let dimension = needed.place(dimension_of(atom)?);
        let of_atom = rows.values.iter().filter(|row| {
            Some(row.dimension) == dimension && holds(atom, row.value.as_deref()) == Some(true)
        });
        for row in of_atom {
            row.users.or_into(words)?;
        }
        Ok(())
    })
}

/// The ordinals, ascending.
pub(super) fn ordinals(words: &[u64]) -> impl Iterator<Item = u32> + '_ {
    (0_u32..).zip(words).flat_map(|(at, &word)| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let bit = (rest != 0).then(|| rest.trailing_zeros())?;
            rest &= rest - 1;
            Some(at * 64 + bit)
        })
    })
}

/// Adds the number of every user who counts to that of their ordinal.
///
/// # Errors
/// Refused for damaged bitmaps.
pub(super) fn add_numbers(slices: &[SliceRow], users: &[u64], numbers: &mut [i128]) -> Result<()> {
    for slice in slices.iter().filter(|slice| slice.weight != 0) {
        slice.users.for_each_among(users, |ordinal| {
            if let Some(number) = numbers.get_mut(ordinal as usize) {
                *number += slice.weight;
            }
        })?;
    }
    Ok(())
}
