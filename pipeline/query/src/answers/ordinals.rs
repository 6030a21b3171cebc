//! Users of one shard as bits, and the rows of the dictionary that they are.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, UInt64Array};
use arrow::datatypes::{DataType, SchemaRef, UInt32Type};
use arrow::record_batch::RecordBatch;
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    ident, lit,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use tagmill_bitmap::{Defect, write_sorted};
use tagmill_schemas::artifact::{Columns, users};

use crate::estimate::Users;

/// Rows of a batch of uids.
const BATCH: usize = 8192;
/// Ranges of ordinals that pages are chosen by.
const MOST_RANGES: usize = 8;
/// Shorter gaps between users, in words of 64, are less than a page.
const SHORT_GAP: usize = 64;

/// Users of one shard: bit `i` of the words is the user of ordinal `i`.
#[derive(Debug, Clone)]
pub(super) struct Ordinals {
    pub(super) shard: u32,
    pub(super) words: Arc<[u64]>,
}

impl Ordinals {
    /// The union of bitmaps, of which the users of this shard are taken.
    ///
    /// # Errors
    /// A defect of the bytes.
    pub(super) fn of(
        shard: u32,
        bitmaps: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<Self, Defect> {
        let users = bitmaps.into_iter().map(|bitmap| Users::new(bitmap, shard));
        let users: Vec<Users> = users.collect();
        let mut bits = 0;
        for set in &users {
            bits = bits.max(set.bits()?);
        }
        let mut words = vec![0; bits / 64];
        users.iter().try_for_each(|set| set.or_into(&mut words))?;
        Ok(Self {
            shard,
            words: words.into(),
        })
    }

    /// How many users.
    pub(super) fn count(&self) -> u64 {
        let ones = self.words.iter().map(|word| u64::from(word.count_ones()));
        ones.sum()
    }

    /// Their uids as a bitmap.
    pub(super) fn bitmap(&self) -> Vec<u8> {
        let ordinals: Vec<u32> = self.iter().map(|ordinal| ordinal as u32).collect();
        let mut bitmap = Vec::new();
        write_sorted(self.shard, &ordinals, &mut bitmap);
        bitmap
    }

    fn has(&self, ordinal: u32) -> bool {
        let word = self.words.get(ordinal as usize / 64);
        word.is_some_and(|word| word >> (ordinal % 64) & 1 == 1)
    }

    /// The ordinals in `from..to` words, ascending.
    fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0_u64..).zip(self.words.iter()).flat_map(|(at, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| u64::from(rest.trailing_zeros()))?;
                rest &= rest - 1;
                Some(at * 64 + bit)
            })
        })
    }

    /// What holds for the ordinals of these users, and for no other of the shard; in ranges, so that
    /// pages without any of them are not read.
    pub(super) fn filter(&self) -> Option<Expr> {
        let ordinal = || ident(users::Column::Ordinal.name());
        let has = ScalarUDF::from(HasOrdinal {
            users: self.clone(),
            signature: Signature::exact(vec![DataType::UInt32], Volatility::Immutable),
        });
        let of_range = |(first, last): (u32, u32)| {
            let within = ordinal().between(lit(first), lit(last));
            within.and(has.call(vec![ordinal()]))
        };
        self.ranges().into_iter().map(of_range).reduce(Expr::or)
    }

    /// At most [`MOST_RANGES`] ranges, ends included, that have all users: the longest gaps are left
    /// out.
    fn ranges(&self) -> Vec<(u32, u32)> {
        let filled = (0..self.words.len()).filter(|&at| self.words[at] != 0);
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for at in filled {
            match runs.last_mut() {
                Some((_, last)) if at - *last <= SHORT_GAP => *last = at,
                _ => runs.push((at, at)),
            }
        }
        let mut gaps: Vec<(usize, usize)> = runs
            .windows(2)
            .enumerate()
            .map(|(at, pair)| (pair[1].0 - pair[0].1, at))
            .collect();
        gaps.sort_unstable_by(|a, b| b.cmp(a));
        gaps.truncate(MOST_RANGES - 1);
        let mut ends: Vec<usize> = gaps.into_iter().map(|(_, at)| at).collect();
        ends.sort_unstable();
        ends.extend(runs.len().checked_sub(1));
        let ordinal = |word: usize| u32::try_from(word * 64).unwrap_or(u32::MAX);
        let mut first = 0;
        let mut ranges = Vec::with_capacity(ends.len());
        for end in ends {
            ranges.push((
                ordinal(runs[first].0),
                ordinal(runs[end].1).saturating_add(63),
            ));
            first = end + 1;
        }
        ranges
    }
}

/// Whether an ordinal of the shard is one of the users'.
struct HasOrdinal {
    users: Ordinals,
    signature: Signature,
}

impl HasOrdinal {
    /// One set of users is one function.
    fn identity(&self) -> *const u64 {
        self.users.words.as_ptr()
    }
}

impl fmt::Debug for HasOrdinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HasOrdinal")
            .field("shard", &self.users.shard)
            .finish_non_exhaustive()
    }
}

impl PartialEq for HasOrdinal {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for HasOrdinal {}

impl Hash for HasOrdinal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl ScalarUDFImpl for HasOrdinal {
    fn name(&self) -> &'static str {
        "is_selected"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [ordinals] = args.args.as_slice() else {
            return exec_err!("{}: expected 1 argument", self.name());
        };
        let ordinals = ordinals.to_array(args.number_rows)?;
        let ordinals = ordinals
            .as_primitive_opt::<UInt32Type>()
            .ok_or_else(|| exec_datafusion_err!("{}: expected ordinals", self.name()))?;
        let found: BooleanArray = ordinals
            .iter()
            .map(|ordinal| ordinal.map(|ordinal| self.users.has(ordinal)))
            .collect();
        Ok(ColumnarValue::Array(Arc::new(found)))
    }
}

/// The uids of a shard's users, made while they are asked for.
#[derive(Debug)]
pub(super) struct Uids {
    pub(super) schema: SchemaRef,
    pub(super) users: Ordinals,
}

impl PartitionStream for Uids {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (users, schema) = (self.users.clone(), Arc::clone(&self.schema));
        let batches = futures::stream::unfold(0, move |from| {
            let (users, schema) = (users.clone(), Arc::clone(&schema));
            async move {
                let to = users.words.len().min(from + BATCH / 64);
                let part = Ordinals {
                    shard: users.shard,
                    words: users.words.get(from..to)?.into(),
                };
                if part.words.is_empty() {
                    return None;
                }
                let base = u64::from(users.shard) << 32 | (from as u64 * 64);
                let uids = UInt64Array::from_iter_values(part.iter().map(|at| base + at));
                let column: ArrayRef = Arc::new(uids);
                let batch = RecordBatch::try_new(schema, vec![column]);
                Some((batch.map_err(Into::into), to))
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            batches,
        ))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn users(ordinals: &[u32]) -> Ordinals {
        let mut bitmap = Vec::new();
        write_sorted(3, ordinals, &mut bitmap);
        Ordinals::of(3, [bitmap]).unwrap()
    }

    #[test]
    fn bits_are_the_ordinals_of_the_shard() {
        let some = [0, 63, 64, 70_000, 200_000];
        let set = users(&some);
        assert_eq!(set.count(), 5);
        assert!(set.iter().eq(some.map(u64::from)));
        assert!(set.has(70_000) && !set.has(70_001) && !set.has(u32::MAX));
        let mut other = Vec::new();
        write_sorted(4, &some, &mut other);
        assert_eq!(Ordinals::of(3, [other, Vec::new()]).unwrap().count(), 0);
    }

    #[test]
    fn ranges_have_all_users_and_leave_out_the_longest_gaps() {
        assert!(users(&[]).ranges().is_empty() && users(&[]).filter().is_none());
        assert_eq!(users(&[70]).ranges(), [(64, 127)]);
        let apart: Vec<u32> = (0..30).map(|at| at * at * 10_000).collect();
        let set = users(&apart);
        let ranges = set.ranges();
        assert_eq!(ranges.len(), MOST_RANGES);
        for &ordinal in &apart {
            assert!(ranges.iter().any(|(a, b)| (*a..=*b).contains(&ordinal)));
        }
        assert!(ranges.iter().all(|(a, b)| set.has_any(*a, *b)));
    }

    impl Ordinals {
        fn has_any(&self, first: u32, last: u32) -> bool {
            self.iter()
                .any(|at| (u64::from(first)..=u64::from(last)).contains(&at))
        }
    }
}
