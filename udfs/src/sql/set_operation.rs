//! `bitmap_and`, `bitmap_or`, `bitmap_xor`, `bitmap_and_not`.

use super::documentation::document;
use super::input::{Bitmaps, Depth, as_result, bitmap_type, expect_arguments, row_count};
use super::output::BitmapColumn;
use arrow::datatypes::DataType;
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::LazyLock;
use tagmill_bitmap::{BitmapRef, and, and_many, and_not, or, or_many, xor};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    And,
    Or,
    Xor,
    AndNot,
}

/// One of the set operations.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct BitmapSetOperation {
    operation: Operation,
    signature: Signature,
}

/// All set operations.
pub(super) fn all() -> impl Iterator<Item = BitmapSetOperation> {
    [
        Operation::And,
        Operation::Or,
        Operation::Xor,
        Operation::AndNot,
    ]
    .into_iter()
    .map(|operation| BitmapSetOperation {
        operation,
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

const BITMAPS: (&str, &str) = ("bitmap, ...", "Two or more portable 64-bit Roaring values.");

static AND: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "Values that are in all of the bitmaps; NULL if any is NULL.",
        "bitmap_and(bitmap, bitmap[, ...])",
        &[BITMAPS],
        (
            "SELECT bitmap_to_array(bitmap_and(bitmap_from_array([1, 3, 5]), \
             bitmap_from_array([3, 5, 7])))",
            "[3, 5]",
        ),
    )
});

static OR: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "Values that are in any of the bitmaps; NULL if any is NULL.",
        "bitmap_or(bitmap, bitmap[, ...])",
        &[BITMAPS],
        (
            "SELECT bitmap_to_array(bitmap_or(bitmap_from_array([1, 3]), bitmap_from_array([3, \
             7])))",
            "[1, 3, 7]",
        ),
    )
});

static XOR: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "Values that are in an odd number of the bitmaps; NULL if any is NULL.",
        "bitmap_xor(bitmap, bitmap[, ...])",
        &[BITMAPS],
        (
            "SELECT bitmap_to_array(bitmap_xor(bitmap_from_array([1, 3]), bitmap_from_array([3, \
             7])))",
            "[1, 7]",
        ),
    )
});

static AND_NOT: LazyLock<Documentation> = LazyLock::new(|| {
    document(
        "Values of the first bitmap that are not in the second; NULL if either is NULL.",
        "bitmap_and_not(bitmap, bitmap)",
        &[
            ("bitmap", "Portable 64-bit Roaring bytes."),
            ("other", "Portable 64-bit Roaring bytes."),
        ],
        (
            "SELECT bitmap_to_array(bitmap_and_not(bitmap_from_array([1, 3]), \
             bitmap_from_array([3, 7])))",
            "[1]",
        ),
    )
});

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::And => "bitmap_and",
            Self::Or => "bitmap_or",
            Self::Xor => "bitmap_xor",
            Self::AndNot => "bitmap_and_not",
        }
    }

    fn write(self, bitmaps: &[BitmapRef<'_>], out: &mut Vec<u8>) -> Result<()> {
        match (self, bitmaps) {
            (Self::And, [a, b]) => and(a, b, out),
            (Self::Or, [a, b]) => or(a, b, out),
            (Self::Xor, [a, b]) => xor(a, b, out),
            (Self::AndNot, [a, b]) => and_not(a, b, out),
            (Self::And, several) => and_many(several, out),
            (Self::Or, several) => or_many(several, out),
            (Self::Xor | Self::AndNot, [first, others @ ..]) => {
                return self.fold(first, others, out);
            }
            (Self::Xor | Self::AndNot, []) => {}
        }
        Ok(())
    }

    /// Applies the operation to each bitmap in turn.
    fn fold(
        self,
        first: &BitmapRef<'_>,
        others: &[BitmapRef<'_>],
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let mut sum = first.as_bytes().to_vec();
        let mut next = Vec::new();
        for other in others {
            next.clear();
            let so_far = BitmapRef::parse_layout(&sum)
                .map_err(|defect| exec_datafusion_err!("{}: {defect}", self.name()))?;
            self.write(&[so_far, *other], &mut next)?;
            std::mem::swap(&mut sum, &mut next);
        }
        out.extend_from_slice(&sum);
        Ok(())
    }
}

impl ScalarUDFImpl for BitmapSetOperation {
    fn name(&self) -> &str {
        self.operation.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let most = if self.operation == Operation::AndNot {
            2
        } else {
            usize::MAX
        };
        expect_arguments(self.name(), types, 2, most)?;
        types
            .iter()
            .enumerate()
            .map(|(index, found)| bitmap_type(self.name(), index + 1, found))
            .collect()
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::BinaryView)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let name = self.operation.name();
        let arguments = args.args.iter().enumerate();
        let arguments = arguments
            .map(|(index, value)| Bitmaps::of_value(name, index + 1, Depth::Everything, value));
        let arguments = arguments.collect::<Result<Vec<_>>>()?;
        let mut column = BitmapColumn::default();
        let mut bitmaps = Vec::with_capacity(arguments.len());
        for row in 0..row_count(&args.args, args.number_rows) {
            bitmaps.clear();
            for argument in &arguments {
                bitmaps.extend(argument.get(row)?);
            }
            column.push(|out| {
                let is_value = bitmaps.len() == arguments.len();
                if is_value {
                    self.operation.write(&bitmaps, out)?;
                }
                Ok(is_value)
            })?;
        }
        as_result(column.finish()?, &args.args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(match self.operation {
            Operation::And => &AND,
            Operation::Or => &OR,
            Operation::Xor => &XOR,
            Operation::AndNot => &AND_NOT,
        })
    }
}
