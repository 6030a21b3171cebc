//! Aggregates over rows that are a bit-sliced index: `bsi_add_agg` and `bsi_merge_agg`.

use super::documentation::document;
use super::hologres_rows::{add, merge};
use super::index_value::{
    Numbers, index_column, index_of, index_type, numbers_of, read_index_type,
};
use super::input::expect_arguments;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use std::fmt::Display;
use std::sync::Arc;

/// How the numbers of two indices become one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Fold {
    Add,
    Merge,
}

impl Fold {
    fn name(self) -> &'static str {
        match self {
            Self::Add => "bsi_add_agg",
            Self::Merge => "bsi_merge_agg",
        }
    }

    fn documentation(self) -> Documentation {
        let index = ("index", "What bsi_build or bsi_build_agg gives.");
        match self {
            Self::Add => document(
                "The index of the members of any index of a group with the sums of their numbers. \
                 NULLs are skipped; an empty index without rows.",
                "bsi_add_agg(index)",
                &[index],
                (
                    "SELECT bsi_show(bsi_add_agg(bsi_build([k, 9], [1, 2])), 9) FROM (VALUES (1), \
                     (2)) AS t(k)",
                    "1=1,2=1,9=4",
                ),
            ),
            Self::Merge => document(
                "The index of the members of the indices of a group, which have none in common; \
                 one in two of them is an error. NULLs are skipped; an empty index without rows.",
                "bsi_merge_agg(index)",
                &[index],
                (
                    "SELECT bsi_show(bsi_merge_agg(bsi_build([k], [1])), 9) FROM (VALUES (1), \
                     (2)) AS t(k)",
                    "1=1,2=1",
                ),
            ),
        }
    }
}

/// One of the aggregates.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct IndexAggregate {
    fold: Fold,
    signature: Signature,
    documentation: Documentation,
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = IndexAggregate> {
    [Fold::Add, Fold::Merge]
        .into_iter()
        .map(|fold| IndexAggregate {
            fold,
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: fold.documentation(),
        })
}

impl AggregateUDFImpl for IndexAggregate {
    fn name(&self) -> &str {
        self.fold.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        expect_arguments(self.name(), types, 1, 1)?;
        Ok(vec![read_index_type(self.name(), 1, &types[0])?])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(index_type())
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let name = format_state_name(args.name, self.name());
        Ok(vec![Arc::new(Field::new(name, index_type(), true))])
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(IndexSum {
            fold: self.fold,
            numbers: Numbers::new(),
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The numbers of one group.
#[derive(Debug)]
struct IndexSum {
    fold: Fold,
    numbers: Numbers,
}

impl IndexSum {
    #[cold]
    fn error(&self, row: usize, what: impl Display) -> DataFusionError {
        exec_datafusion_err!(
            "{}: argument 1, row {row} of the batch: {what}",
            self.fold.name()
        )
    }
}

impl Accumulator for IndexSum {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let lists = values[0]
            .as_list_opt::<i32>()
            .ok_or_else(|| self.error(0, values[0].data_type()))?;
        for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
            let numbers = index_of(&lists.value(row)).and_then(|index| numbers_of(&index));
            let numbers = numbers.map_err(|what| self.error(row, what))?;
            let folded = match self.fold {
                Fold::Add => add(&mut self.numbers, numbers),
                Fold::Merge => merge(&mut self.numbers, numbers),
            };
            folded.map_err(|what| self.error(row, what))?;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let column = index_column(&[Some(self.numbers.clone())])?;
        ScalarValue::try_from_array(&column, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.numbers.len() * size_of::<(u64, i64)>() * 2
    }
}
