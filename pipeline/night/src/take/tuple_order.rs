//! The typed order of tuples, which does not depend on arrival.

use super::tuples::Tuples;
use super::values::{Values, positions};
use tagmill_bitmap::sort_rows;

/// The order of tuples: event name, then the dimension slots, typed, null first.
pub struct TupleOrder {
    /// Tuples in order.
    pub order: Vec<u32>,
    /// By tuple its position.
    pub rank: Vec<u32>,
    /// By column and tuple: the position of its value.
    pub columns: Vec<Vec<u32>>,
}

impl TupleOrder {
    /// The order of the distinct tuples of a shard.
    pub fn of(tuples: &Tuples, names: &Values, dimensions: &[Values]) -> Self {
        let ranks: Vec<Vec<u32>> = std::iter::once(names)
            .chain(dimensions)
            .map(Values::ranks)
            .collect();
        let bits: Vec<u32> = ranks.iter().map(|r| bits_for(r.len())).collect();
        let mut columns = tuples.columns();
        for (column, ranks) in columns.iter_mut().zip(&ranks) {
            column
                .iter_mut()
                .for_each(|code| *code = ranks[*code as usize]);
        }
        let mut order: Vec<u32> = (0..tuples.len() as u32).collect();
        if bits.iter().sum::<u32>() <= 64 {
            let packed = |tuple: u32| {
                columns
                    .iter()
                    .zip(&bits)
                    .fold(0u64, |key, (column, &bits)| {
                        key << bits | u64::from(column[tuple as usize])
                    })
            };
            let mut keyed: Vec<(u64, u32)> =
                order.iter().map(|&tuple| (packed(tuple), tuple)).collect();
            sort_rows(&mut keyed, &mut Vec::new());
            order = keyed.into_iter().map(|(_, tuple)| tuple).collect();
        } else {
            order.sort_by_cached_key(|&tuple| {
                columns
                    .iter()
                    .map(|column| column[tuple as usize])
                    .collect::<Vec<_>>()
            });
        }
        Self {
            rank: positions(&order),
            order,
            columns,
        }
    }
}

/// How many bits numbers below `count` need.
pub(super) fn bits_for(count: usize) -> u32 {
    usize::BITS - count.saturating_sub(1).leading_zeros()
}

#[cfg(test)]
mod tests {
    use super::bits_for;

    #[test]
    fn bits_cover_every_number() {
        assert_eq!([0, 1, 2, 3, 256, 257].map(bits_for), [0, 0, 1, 2, 8, 9]);
    }
}
