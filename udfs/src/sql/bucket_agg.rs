//! Spark's aggregates over buckets of 4,096 bytes: `bitmap_construct_agg`, and what `bitmap_or_agg`,
//! `bitmap_and_agg` and `bitmap_xor_agg` are there.

use super::buckets::{BITS, BYTES};
use super::documentation::document;
use super::input::{bitmap_type, expect_arguments, number_type};
use super::set_aggregate::state_field;
use super::whole::{cut_type, whole};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use std::fmt::Display;

/// What is done with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Fold {
    Construct,
    Or,
    And,
    Xor,
}

impl Fold {
    fn name(self) -> &'static str {
        match self {
            Self::Construct => "bitmap_construct_agg",
            Self::Or => "spark_bitmap_or_agg",
            Self::And => "spark_bitmap_and_agg",
            Self::Xor => "spark_bitmap_xor_agg",
        }
    }

    fn documentation(self) -> Documentation {
        let bytes = ("bytes", "At most 4,096 bytes; missing ones are 0.");
        match self {
            Self::Construct => document(
                "A bucket of 4,096 bytes with the bits of a group set, as in Spark. NULLs are \
                 skipped; without a position all bits are 0. What is behind the point of a \
                 position is cut off; one outside 0 to 32,767 is an error.",
                "bitmap_construct_agg(position)",
                &[("position", "What bitmap_bit_position gives.")],
                (
                    "SELECT spark_bitmap_count(bitmap_construct_agg(bitmap_bit_position(v))) FROM \
                     (VALUES (1), (2), (2)) AS t(v)",
                    "2",
                ),
            ),
            Self::Or => document(
                "A bucket of 4,096 bytes with the bits that are set in any of a group. NULLs are \
                 skipped; without a row all bits are 0. What bitmap_or_agg is with \
                 tagmill.dialect = 'spark'.",
                "spark_bitmap_or_agg(bytes)",
                &[bytes],
                (
                    "SELECT spark_bitmap_count(spark_bitmap_or_agg(v)) FROM (VALUES (X'0F'), \
                     (X'F0'), (X'11')) AS t(v)",
                    "8",
                ),
            ),
            Self::And => document(
                "A bucket of 4,096 bytes with the bits that are set in all of a group. NULLs are \
                 skipped; without a row all bits are 1. What bitmap_and_agg is with \
                 tagmill.dialect = 'spark'.",
                "spark_bitmap_and_agg(bytes)",
                &[bytes],
                (
                    "SELECT spark_bitmap_count(spark_bitmap_and_agg(v)) FROM (VALUES (X'0F'), \
                     (X'F1')) AS t(v)",
                    "1",
                ),
            ),
            Self::Xor => document(
                "A bucket of 4,096 bytes with the bits that are set in an odd number of a group. \
                 NULLs are skipped; without a row all bits are 0. What bitmap_xor_agg is with \
                 tagmill.dialect = 'spark'.",
                "spark_bitmap_xor_agg(bytes)",
                &[bytes],
                (
                    "SELECT spark_bitmap_count(spark_bitmap_xor_agg(v)) FROM (VALUES (X'0F'), \
                     (X'F1')) AS t(v)",
                    "7",
                ),
            ),
        }
    }
}

/// One of the aggregates.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BucketAggregate {
    fold: Fold,
    signature: Signature,
    documentation: Documentation,
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = BucketAggregate> {
    let signature = || Signature::user_defined(Volatility::Immutable);
    [Fold::Construct, Fold::Or, Fold::And, Fold::Xor]
        .into_iter()
        .map(move |fold| BucketAggregate {
            fold,
            signature: signature(),
            documentation: fold.documentation(),
        })
}

impl AggregateUDFImpl for BucketAggregate {
    fn name(&self) -> &str {
        self.fold.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.fold.name();
        expect_arguments(name, types, 1, 1)?;
        Ok(vec![match self.fold {
            Fold::Construct => number_type(name, 1, &types[0], cut_type, "a number")?,
            Fold::Or | Fold::And | Fold::Xor => bitmap_type(name, 1, &types[0])?,
        }])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::BinaryView)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_field(self.fold.name(), &args))
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let start = if self.fold == Fold::And { u8::MAX } else { 0 };
        Ok(Box::new(Bucket {
            fold: self.fold,
            bytes: vec![start; BYTES],
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The bucket of one group.
#[derive(Debug)]
struct Bucket {
    fold: Fold,
    bytes: Vec<u8>,
}

impl Bucket {
    fn fold(&mut self, row: usize, other: &[u8]) -> Result<()> {
        if other.len() > BYTES {
            return exec_err!(
                "{}: argument 1, row {row} of the batch: {} bytes, expected at most {BYTES}",
                self.fold.name(),
                other.len()
            );
        }
        let missing = std::iter::repeat_n(&0, BYTES - other.len());
        for (byte, other) in self.bytes.iter_mut().zip(other.iter().chain(missing)) {
            match self.fold {
                Fold::And => *byte &= other,
                Fold::Xor => *byte ^= other,
                Fold::Or | Fold::Construct => *byte |= other,
            }
        }
        Ok(())
    }
}

#[cold]
fn misplaced(row: usize, what: impl Display) -> DataFusionError {
    exec_datafusion_err!("bitmap_construct_agg: argument 1, row {row} of the batch: {what}")
}

impl Accumulator for Bucket {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if self.fold != Fold::Construct {
            return self.merge_batch(values);
        }
        let positions = &values[0];
        for row in (0..positions.len()).filter(|row| positions.is_valid(*row)) {
            let position = whole(positions, row).map_err(|misfit| misplaced(row, misfit))?;
            if !(0..BITS.into()).contains(&position) {
                let found = format!("{position}, expected 0 to {}", BITS - 1);
                return Err(misplaced(row, found));
            }
            self.bytes[position as usize / 8] |= 1 << (position % 8);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let views = cast(&states[0], &DataType::BinaryView)?;
        for (row, bytes) in views.as_binary_view().iter().enumerate() {
            if let Some(bytes) = bytes {
                self.fold(row, bytes)?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::BinaryView(Some(self.bytes.clone())))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.bytes.capacity()
    }
}
