//! Merges two array containers eight values at a time, for union and symmetric difference.

use super::arrays::{Values, value};

/// Values in one step.
const LANES: usize = 8;
/// Room that the merge may write to beyond what it returns.
pub(super) const SLACK: usize = LANES;

type Lanes = [u16; LANES];

#[inline(always)]
fn load(values: &[[u8; 2]; LANES]) -> Lanes {
    values.map(u16::from_le_bytes)
}

#[inline(always)]
fn zip(a: &Lanes, b: &Lanes, pick: impl Fn(u16, u16) -> u16) -> Lanes {
    let mut lanes = [0; LANES];
    for lane in 0..LANES {
        lanes[lane] = pick(a[lane], b[lane]);
    }
    lanes
}

#[inline(always)]
fn rotate(lanes: &Lanes) -> Lanes {
    let mut rotated = [0; LANES];
    for lane in 0..LANES {
        rotated[lane] = lanes[(lane + 1) % LANES];
    }
    rotated
}

/// The lower and the upper half of two ascending sequences, each ascending: every lane of one meets every lane of the
/// other. (The network of Inoue and others that CRoaring uses; unlike a bitonic one, it is vectorised as it stands.)
#[inline(always)]
fn merge_lanes(a: &Lanes, b: &Lanes) -> (Lanes, Lanes) {
    let (mut low, mut high) = (zip(a, b, u16::min), zip(a, b, u16::max));
    for _ in 1..LANES {
        let turned = rotate(&low);
        (low, high) = (zip(&turned, &high, u16::min), zip(&turned, &high, u16::max));
    }
    (rotate(&low), high)
}

/// Takes ascending values of which some come twice, and writes those that stay.
///
/// `KEEPS_TWINS` says whether a value that comes twice stays, once, or goes.
struct Output<'o, const KEEPS_TWINS: bool> {
    out: &'o mut Values,
    len: usize,
    /// The last value, which its twin may follow.
    pending: Option<u16>,
}

impl<const KEEPS_TWINS: bool> Output<'_, KEEPS_TWINS> {
    #[inline(always)]
    fn push(&mut self, next: u16) {
        match self.pending {
            Some(before) if before == next => {
                if !KEEPS_TWINS {
                    self.pending = None;
                }
            }
            Some(before) => {
                if let Some(place) = self.out.get_mut(self.len) {
                    *place = before.to_le_bytes();
                    self.len += 1;
                }
                self.pending = Some(next);
            }
            None => self.pending = Some(next),
        }
    }

    #[inline(always)]
    fn push_lanes(&mut self, lanes: &Lanes) {
        let Some(before) = self.pending else { return lanes.iter().for_each(|next| self.push(*next)) };
        let mut shifted = [before; LANES];
        shifted[1..].copy_from_slice(&lanes[..LANES - 1]);
        let mut has_twins = false;
        for lane in 0..LANES {
            has_twins |= shifted[lane] == lanes[lane];
        }
        let room = self.out.get_mut(self.len..).and_then(|room| room.first_chunk_mut::<LANES>());
        match room {
            Some(room) if !has_twins => {
                *room = shifted.map(u16::to_le_bytes);
                self.len += LANES;
                self.pending = Some(lanes[LANES - 1]);
            }
            _ => lanes.iter().for_each(|next| self.push(*next)),
        }
    }

    /// Takes the rest of both arrays and what the vector loop held back.
    #[inline(always)]
    fn push_rest(mut self, mut held: &[u16], mut a: &Values, mut b: &Values) -> usize {
        while !held.is_empty() || !a.is_empty() && !b.is_empty() {
            let next_a = a.first().map_or(u32::MAX, |bytes| u32::from(value(bytes)));
            let next_b = b.first().map_or(u32::MAX, |bytes| u32::from(value(bytes)));
            let next_held = held.first().map_or(u32::MAX, |value| u32::from(*value));
            let least = next_a.min(next_b).min(next_held);
            if least == next_held {
                held = &held[1..];
            } else if least == next_a {
                a = &a[1..];
            } else {
                b = &b[1..];
            }
            self.push(least as u16);
        }
        let rest = if a.is_empty() { b } else { a };
        let mut rest = rest.iter();
        // One value meets the pending one; the others ascend among themselves.
        rest.by_ref().take(2).for_each(|bytes| self.push(value(bytes)));
        if let Some(last) = self.pending.take()
            && let Some(place) = self.out.get_mut(self.len)
        {
            *place = last.to_le_bytes();
            self.len += 1;
        }
        let rest = rest.as_slice();
        if let Some(places) = self.out.get_mut(self.len..self.len + rest.len()) {
            places.copy_from_slice(rest);
            self.len += rest.len();
        }
        self.len
    }
}

/// Writes the merged values to `out`, which has room for all and [`SLACK`] more; returns how many.
#[inline(always)]
pub(super) fn merge<const KEEPS_TWINS: bool>(a: &Values, b: &Values, out: &mut Values) -> usize {
    let mut output = Output::<KEEPS_TWINS> { out, len: 0, pending: None };
    let (a_blocks, b_blocks) = (a.as_chunks::<LANES>().0, b.as_chunks::<LANES>().0);
    let (Some(first_a), Some(first_b)) = (a_blocks.first(), b_blocks.first()) else {
        return output.push_rest(&[], a, b);
    };
    let (low, mut held) = merge_lanes(&load(first_a), &load(first_b));
    output.push_lanes(&low);
    let (mut i, mut j) = (1, 1);
    while let (Some(next_a), Some(next_b)) = (a_blocks.get(i), b_blocks.get(j)) {
        let is_a = value(&next_a[0]) <= value(&next_b[0]);
        let next = if is_a { next_a } else { next_b };
        i += usize::from(is_a);
        j += usize::from(!is_a);
        let (low, high) = merge_lanes(&held, &load(next));
        output.push_lanes(&low);
        held = high;
    }
    output.push_rest(&held, &a[i * LANES..], &b[j * LANES..])
}
