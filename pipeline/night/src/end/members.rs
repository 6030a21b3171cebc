//! The members of a group tonight and before.

use datafusion::error::{DataFusionError, Result};
use tagmill_bitmap::{BitmapRef, and_cardinality};

/// How many members of `now` are not in the earlier bitmap, and how many of the earlier one are not
/// in `now`.
pub fn entered_and_left(now: &[u8], before: Option<&[u8]>, shard: u32) -> Result<(u64, u64)> {
    let damaged = |e| {
        DataFusionError::Execution(format!(
            "a published group of shard {shard} is damaged: {e}"
        ))
    };
    let now = BitmapRef::parse_layout(now).map_err(damaged)?;
    let Some(before) = before else {
        return Ok((now.cardinality(), 0));
    };
    let before = BitmapRef::parse(before).map_err(damaged)?;
    let common = and_cardinality(&now, &before);
    Ok((now.cardinality() - common, before.cardinality() - common))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tagmill_bitmap::write_sorted;

    #[test]
    fn compares_with_the_earlier_members() {
        let bitmap = |members: &[u32]| {
            let mut bytes = Vec::new();
            write_sorted(3, members, &mut bytes);
            bytes
        };
        let (now, before) = (bitmap(&[2, 3, 4]), bitmap(&[1, 2, 3, 9]));
        assert_eq!(entered_and_left(&now, Some(&before), 3).unwrap(), (1, 2));
        assert_eq!(entered_and_left(&now, None, 3).unwrap(), (3, 0));
        assert_eq!(
            entered_and_left(&bitmap(&[]), Some(&before), 3).unwrap(),
            (0, 4)
        );
    }
}
