//! Bitsets over the seats of an app <-> ascending ordinals.

use datafusion::error::{DataFusionError, Result};
use tagmill_udfs::bitmap::BitmapRef;

/// Appends the ordinals of the seats whose bit is set; ascending, because seats are.
pub fn ordinals_of(words: &[u64], ordinals: &[u32], out: &mut Vec<u32>) {
    out.clear();
    for (at, &word) in words.iter().enumerate() {
        if word == u64::MAX {
            out.extend_from_slice(&ordinals[at * 64..at * 64 + 64]);
            continue;
        }
        let mut bits = word;
        while bits != 0 {
            out.push(ordinals[at * 64 + bits.trailing_zeros() as usize]);
            bits &= bits - 1;
        }
    }
}

/// How many of `now` are not in the earlier bitmap, and how many of the earlier one are not in `now`.
pub fn entered_and_left(now: &[u32], before: Option<&[u8]>, shard: u32) -> Result<(u64, u64)> {
    let Some(bytes) = before else { return Ok((now.len() as u64, 0)) };
    let bitmap = BitmapRef::parse(bytes).map_err(|e| DataFusionError::Execution(format!("a published group of shard {shard} is damaged: {e}")))?;
    let mut old = Vec::new();
    if let Some(bucket) = bitmap.bucket(shard) {
        bucket.append_to(&mut old);
    }
    let (mut a, mut b, mut common) = (0, 0, 0u64);
    while a < now.len() && b < old.len() {
        let (x, y) = (now[a], old[b]);
        common += u64::from(x == y);
        a += usize::from(x <= y);
        b += usize::from(y <= x);
    }
    Ok((now.len() as u64 - common, old.len() as u64 - common))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tagmill_udfs::bitmap::write_sorted;

    #[test]
    fn seats_become_ordinals_in_order() {
        let ordinals: Vec<u32> = (0..130).map(|i| i * 3).collect();
        let mut out = Vec::new();
        ordinals_of(&[u64::MAX, 0b101, 0b10], &ordinals, &mut out);
        let expected: Vec<u32> = (0..64).chain([64, 66, 129]).map(|i| i * 3).collect();
        assert_eq!(out, expected);
    }

    #[test]
    fn compares_with_the_earlier_members() {
        let mut bytes = Vec::new();
        write_sorted(3, &[1, 2, 3, 9], &mut bytes);
        assert_eq!(entered_and_left(&[2, 3, 4], Some(&bytes), 3).unwrap(), (1, 2));
        assert_eq!(entered_and_left(&[2, 3, 4], None, 3).unwrap(), (3, 0));
    }
}
