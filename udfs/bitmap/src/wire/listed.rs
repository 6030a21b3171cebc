//! Values that a system lists one by one, in any order.

use super::defect::WireDefect;
use crate::write_sorted_u64;

/// Appends the canonical bitmap of distinct values to `out`.
pub(super) fn write(mut values: Vec<u64>, out: &mut Vec<u8>) -> Result<(), WireDefect> {
    values.sort_unstable();
    if let Some(pair) = values.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(WireDefect::ListedTwice { value: pair[0] });
    }
    write_sorted_u64(&values, out);
    Ok(())
}
