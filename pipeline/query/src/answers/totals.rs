//! `user_totals(weight, bitmap)`: the spread of a number that users have in bit slices, whatever the
//! shard, the combination and the day: a user's number is the sum of the weights of the rows that
//! the user is in.
//!
//! ```text
//! slice 0 (weight 1)  {a, b}      slice 3 (weight 8)  {b}      offset (weight -4, everybody)  {a, b, c}
//! ─► a: 1 - 4 = -3    b: 1 + 8 - 4 = 5    c: -4
//! ```

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, ListArray, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Fields, UInt64Type};
use datafusion::common::{ScalarValue, exec_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};
use tagmill_bitmap::BitmapRef;

use super::functions::WEIGHT;

const NAME: &str = "user_totals";

/// What is given of the numbers, and the share of them that is not greater.
const SPREAD: [(&str, f64); 5] = [
    ("min", 0.0),
    ("p25", 0.25),
    ("median", 0.5),
    ("p75", 0.75),
    ("max", 1.0),
];

static SPREAD_TYPE: LazyLock<Fields> = LazyLock::new(|| {
    let fields = SPREAD
        .iter()
        .map(|(name, _)| Field::new(*name, WEIGHT, true));
    fields.collect()
});

/// The aggregate. NULLs are skipped; without a user every number is NULL. Of n numbers in order the
/// one of share q is the ⌈q·n⌉-th, at least the first.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct UserTotals {
    signature: Signature,
}

impl Default for UserTotals {
    fn default() -> Self {
        let types = vec![WEIGHT, DataType::BinaryView];
        Self {
            signature: Signature::exact(types, Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for UserTotals {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Struct(SPREAD_TYPE.clone()))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let list = |part: &str, item: DataType| -> FieldRef {
            let name = format!("{}[{part}]", args.name);
            Arc::new(Field::new_list(
                name,
                Field::new_list_field(item, true),
                true,
            ))
        };
        Ok(vec![list("uids", DataType::UInt64), list("totals", WEIGHT)])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Totals::default()))
    }
}

/// The numbers of the users of one shard, ascending by user.
#[derive(Debug, Default)]
struct ShardTotals {
    uids: Vec<u64>,
    totals: Vec<i128>,
}

impl ShardTotals {
    /// Adds to each of some users, who ascend.
    fn add(&mut self, more: impl Iterator<Item = (u64, i128)>) {
        let (mut at, mut missing) = (0, Vec::new());
        for (uid, weight) in more {
            at += gallop(&self.uids[at..], uid);
            match self.uids.get(at) {
                Some(found) if *found == uid => self.totals[at] += weight,
                _ => missing.push((at, uid, weight)),
            }
        }
        if !missing.is_empty() {
            self.insert(&missing);
        }
    }

    /// Inserts users, each before what is at its place.
    fn insert(&mut self, missing: &[(usize, u64, i128)]) {
        let most = self.uids.len() + missing.len();
        let (mut uids, mut totals) = (Vec::with_capacity(most), Vec::with_capacity(most));
        let mut from = 0;
        for &(at, uid, weight) in missing {
            uids.extend_from_slice(&self.uids[from..at]);
            totals.extend_from_slice(&self.totals[from..at]);
            uids.push(uid);
            totals.push(weight);
            from = at;
        }
        uids.extend_from_slice(&self.uids[from..]);
        totals.extend_from_slice(&self.totals[from..]);
        (self.uids, self.totals) = (uids, totals);
    }

    fn size(&self) -> usize {
        self.uids.capacity() * size_of::<u64>() + self.totals.capacity() * size_of::<i128>()
    }
}

/// Where the first number is that is not less: near the start it costs little.
fn gallop(sorted: &[u64], number: u64) -> usize {
    let mut step = 1;
    while step < sorted.len() && sorted[step] < number {
        step *= 2;
    }
    let from = step / 2;
    let to = sorted.len().min(step + 1);
    from.min(to) + sorted[from.min(to)..to].partition_point(|other| *other < number)
}

/// The numbers of users, by shard.
#[derive(Debug, Default)]
struct Totals {
    shards: BTreeMap<u64, ShardTotals>,
}

impl Totals {
    fn add(&mut self, users: &[(u64, i128)]) {
        for shard in users.chunk_by(|a, b| a.0 >> 32 == b.0 >> 32) {
            let totals = self.shards.entry(shard[0].0 >> 32).or_default();
            totals.add(shard.iter().copied());
        }
    }

    fn spread(&self) -> [Option<i128>; SPREAD.len()] {
        let all = self.shards.values().flat_map(|shard| &shard.totals);
        let mut all: Vec<i128> = all.copied().collect();
        all.sort_unstable();
        let of_share = |share: f64| {
            let place = (share * all.len() as f64).ceil() as usize;
            all.get(place.max(1) - 1).copied()
        };
        SPREAD.map(|(_, share)| of_share(share))
    }
}

impl Accumulator for Totals {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let expected = || exec_datafusion_err!("{NAME}: expected weights and bitmaps");
        let [weights, bitmaps] = values else {
            return Err(expected());
        };
        let weights = weights
            .as_primitive_opt::<Decimal128Type>()
            .ok_or_else(expected)?;
        let bitmaps = bitmaps.as_binary_view_opt().ok_or_else(expected)?;
        for (weight, cell) in weights.iter().zip(bitmaps) {
            let (Some(weight), Some(cell)) = (weight, cell) else {
                continue;
            };
            let bitmap = BitmapRef::parse(cell)
                .map_err(|defect| exec_datafusion_err!("{NAME}: argument 2: {defect}"))?;
            let users: Vec<(u64, i128)> = bitmap.iter().map(|uid| (uid, weight)).collect();
            self.add(&users);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let columns = self.spread().map(|number| -> ArrayRef {
            Arc::new(Decimal128Array::from(vec![number]).with_data_type(WEIGHT))
        });
        let row = arrow::array::StructArray::try_new(SPREAD_TYPE.clone(), columns.into(), None)?;
        Ok(ScalarValue::Struct(Arc::new(row)))
    }

    fn size(&self) -> usize {
        let shards = self.shards.values().map(ShardTotals::size);
        size_of::<Self>() + shards.sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let shards = || self.shards.values();
        let uids = shards().flat_map(|shard| shard.uids.iter().copied());
        let totals = shards().flat_map(|shard| shard.totals.iter().copied());
        let uids: ArrayRef = Arc::new(UInt64Array::from_iter_values(uids));
        let totals = Decimal128Array::from_iter_values(totals).with_data_type(WEIGHT);
        Ok(vec![list(uids)?, list(Arc::new(totals))?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let expected = || exec_datafusion_err!("{NAME}: expected the state of its own");
        let [uids, totals] = states else {
            return Err(expected());
        };
        let uids = uids.as_list_opt::<i32>().ok_or_else(expected)?;
        let totals = totals.as_list_opt::<i32>().ok_or_else(expected)?;
        for (uids, totals) in uids.iter().zip(totals.iter()) {
            let (Some(uids), Some(totals)) = (uids, totals) else {
                continue;
            };
            let uids = uids.as_primitive_opt::<UInt64Type>().ok_or_else(expected)?;
            let totals = totals
                .as_primitive_opt::<Decimal128Type>()
                .ok_or_else(expected)?;
            let users = uids.values().iter().copied();
            let users: Vec<_> = users.zip(totals.values().iter().copied()).collect();
            self.add(&users);
        }
        Ok(())
    }
}

/// One list of all values.
fn list(values: ArrayRef) -> Result<ScalarValue> {
    let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let ends = OffsetBuffer::from_lengths([values.len()]);
    let list = ListArray::try_new(item, ends, values, None)?;
    Ok(ScalarValue::List(Arc::new(list)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn totals(rows: &[(i128, &[u64])]) -> Totals {
        let mut totals = Totals::default();
        for (weight, uids) in rows {
            let users: Vec<_> = uids.iter().map(|uid| (*uid, *weight)).collect();
            totals.add(&users);
        }
        totals
    }

    #[test]
    fn a_number_is_the_sum_of_the_weights_of_its_rows() {
        let other = 1 << 32;
        let found = totals(&[
            (8, &[2]),
            (-4, &[1, 2, 3, other]),
            (1, &[1, 2]),
            (1, &[other | 5]),
        ]);
        let numbers = |shard| found.shards[&shard].totals.clone();
        assert_eq!(numbers(0), [-3, 5, -4]);
        assert_eq!(numbers(1), [-4, 1]);
        let [min, p25, median, p75, max] = found.spread().map(Option::unwrap);
        assert_eq!([min, p25, median, p75, max], [-4, -4, -3, 1, 5]);
        assert_eq!(Totals::default().spread(), [None; 5]);
    }

    #[test]
    fn order_of_rows_does_not_matter_and_parts_merge() {
        let rows: [(i128, &[u64]); 4] = [
            (1, &[1, 5, 9]),
            (2, &[0, 5, 7, 1 << 33]),
            (4, &[9, 10]),
            (-1, &[0, 10]),
        ];
        let (whole, mut reversed) = (totals(&rows), rows);
        reversed.reverse();
        let mut parts = totals(&rows[..2]);
        let states = totals(&rows[2..]).state().unwrap();
        let states: Vec<ArrayRef> = states
            .iter()
            .map(|state| state.to_array().unwrap())
            .collect();
        parts.merge_batch(&states).unwrap();
        let all = |totals: &Totals| -> Vec<(u64, i128)> {
            let shards = totals.shards.values();
            shards
                .flat_map(|shard| shard.uids.iter().copied().zip(shard.totals.iter().copied()))
                .collect()
        };
        assert_eq!(all(&totals(&reversed)), all(&whole));
        assert_eq!(all(&parts), all(&whole));
    }
}
