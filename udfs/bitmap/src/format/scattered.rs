//! Small sets spread over several containers: one pass without a branch per value, straight into
//! the output.

use crate::COOKIE_NO_RUNS;

/// Sets of at most this many values are tried here: no array container can overflow.
pub(crate) const MOST: usize = 1024;

/// Bytes before the descriptors: bucket count, high word, cookie, container count.
const HEADER: usize = 8 + 4 + 4 + 4;

/// Appends the canonical bitmap of ascending, non-empty `values` if all its containers are arrays,
/// or else nothing.
#[inline]
pub(crate) fn write_arrays(high: u32, values: &[u32], out: &mut Vec<u8>) -> bool {
    let (first, last) = (values[0], values[values.len() - 1]);
    let most = values
        .len()
        .min((last >> 16) as usize - (first >> 16) as usize + 1);
    let start = out.len();
    out.resize(start + HEADER + most * 8 + values.len() * 2, 0);
    let (header, rest) = out[start..].split_at_mut(HEADER);
    let (descriptors, rest) = rest.split_at_mut(most * 4);
    let (offsets, halves) = rest.split_at_mut(most * 4);
    let (descriptors, offsets) = (descriptors.as_chunks_mut().0, offsets.as_chunks_mut().0);
    let count = split(values, descriptors, offsets, halves.as_chunks_mut().0);
    if !place(&descriptors[..count], &mut offsets[..count]) {
        out.truncate(start);
        return false;
    }
    header[0] = 1;
    header[8..12].copy_from_slice(&high.to_le_bytes());
    header[12..16].copy_from_slice(&COOKIE_NO_RUNS.to_le_bytes());
    header[16..20].copy_from_slice(&(count as u32).to_le_bytes());
    if count < most {
        let (offsets, end) = (start + HEADER + most * 4, out.len());
        out.copy_within(offsets..offsets + count * 4, start + HEADER + count * 4);
        out.copy_within(offsets + most * 4..end, start + HEADER + count * 8);
        out.truncate(end - (most - count) * 8);
    }
    true
}

/// Writes descriptors and lower halves, and the number of runs of each container where its offset
/// will be. Returns the number of containers.
#[inline]
fn split(
    values: &[u32],
    descriptors: &mut [[u8; 4]],
    runs: &mut [[u8; 4]],
    halves: &mut [[u8; 2]],
) -> usize {
    let mut index = 0;
    let mut before = values[0];
    let mut less_one = u32::MAX;
    let mut run_count = 1u32;
    for (value, half) in values.iter().zip(halves) {
        let is_new = u32::from(value >> 16 != before >> 16);
        let keep = is_new.wrapping_sub(1);
        index += is_new as usize;
        less_one = less_one.wrapping_add(1) & keep;
        run_count = (run_count & keep) + (u32::from(value - before > 1) & keep | is_new);
        descriptors[index] = (value >> 16 | less_one << 16).to_le_bytes();
        runs[index] = run_count.to_le_bytes();
        *half = (*value as u16).to_le_bytes();
        before = *value;
    }
    index + 1
}

/// Replaces the numbers of runs by offsets; false if a run container would be smaller somewhere.
#[inline]
fn place(descriptors: &[[u8; 4]], offsets: &mut [[u8; 4]]) -> bool {
    let mut offset = 8 + descriptors.len() as u32 * 8;
    let mut is_array = true;
    for (descriptor, place) in descriptors.iter().zip(offsets) {
        let size = (u32::from_le_bytes(*descriptor) >> 16) * 2 + 2;
        is_array &= 2 + u32::from_le_bytes(*place) * 4 >= size;
        *place = offset.to_le_bytes();
        offset += size;
    }
    is_array
}
