//! Aggregates that fold the values or bitmaps of a group to one set, and give the set or its size.

use super::answered::{AnsweredGroups, AnsweredSet};
use super::build_agg::state_field;
use super::documentation::document;
use super::fold_state::{FoldGroups, FoldSet};
use super::input::{bitmap_type, element_type, expect_arguments};
use super::union_state::{Input, UnionGroups, UnionSet};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use std::hash::{Hash, Hasher};
use tagmill_bitmap::{and, xor};

/// What the rows of the argument are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Elements.
    Values,
    /// Integers of this many bits, negative ones counted from 2^bits down.
    Wrapped(u32),
    /// Bitmaps.
    Bitmaps,
}

/// How they become one set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    Or,
    And,
    Xor,
}

/// What is given of the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    /// The bitmap; an empty one without a row that is not NULL.
    Bitmap,
    /// The number of values; 0 without a row that is not NULL.
    Count,
    /// The number of values; NULL without a row that is not NULL.
    CountOrNull,
    /// The bitmap; NULL without a row that is not NULL.
    BitmapOrNull,
}

/// An aggregate.
#[derive(Debug)]
pub(super) struct Aggregate {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) takes: Takes,
    pub(super) fold: Fold,
    pub(super) gives: Gives,
    /// A query, and its rows.
    pub(super) example: (&'static str, &'static str),
}

/// An aggregate of a table of aggregates.
#[derive(Debug)]
pub(super) struct SetAggregate {
    aggregate: &'static Aggregate,
    signature: Signature,
    documentation: Documentation,
}

impl From<&'static Aggregate> for SetAggregate {
    fn from(aggregate: &'static Aggregate) -> Self {
        let argument = match aggregate.takes {
            Takes::Bitmaps => ("bitmap", "Portable 64-bit Roaring bytes."),
            Takes::Values => ("value", "An integer, read as UInt64."),
            Takes::Wrapped(_) => (
                "value",
                "An integer; negative ones are counted from 2^64 (rb_: 2^32) down.",
            ),
        };
        let syntax = format!("{}({})", aggregate.name, argument.0);
        let documentation = document(aggregate.about, &syntax, &[argument], aggregate.example);
        Self {
            aggregate,
            signature: Signature::user_defined(Volatility::Immutable),
            documentation,
        }
    }
}

impl PartialEq for SetAggregate {
    fn eq(&self, other: &Self) -> bool {
        self.aggregate.name == other.aggregate.name
    }
}

impl Eq for SetAggregate {}

impl Hash for SetAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.aggregate.name.hash(state);
    }
}

impl AggregateUDFImpl for SetAggregate {
    fn name(&self) -> &str {
        self.aggregate.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let name = self.aggregate.name;
        expect_arguments(name, types, 1, 1)?;
        Ok(vec![match (self.aggregate.takes, &types[0]) {
            (Takes::Bitmaps, found) => bitmap_type(name, 1, found)?,
            (Takes::Values, found) => element_type(name, 1, found)?,
            (Takes::Wrapped(_), DataType::UInt64) => DataType::UInt64,
            (Takes::Wrapped(_), found) if found.is_integer() || *found == DataType::Null => {
                DataType::Int64
            }
            (Takes::Wrapped(_), found) => {
                return plan_err!("{name}: argument 1 is {found}, expected an integer");
            }
        }])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(match self.aggregate.gives {
            Gives::Bitmap | Gives::BitmapOrNull => DataType::BinaryView,
            Gives::Count | Gives::CountOrNull => DataType::UInt64,
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_field(self.aggregate.name, &args))
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let name = self.aggregate.name;
        let set: Box<dyn Accumulator> = match self.aggregate.fold {
            Fold::Or => Box::new(UnionSet::new(name, self.input())),
            Fold::And => Box::new(FoldSet::new(name, and)),
            Fold::Xor => Box::new(FoldSet::new(name, xor)),
        };
        Ok(Box::new(AnsweredSet::new(self.aggregate, set)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let name = self.aggregate.name;
        let sets: Box<dyn GroupsAccumulator> = match self.aggregate.fold {
            Fold::Or => Box::new(UnionGroups::new(name, self.input())),
            Fold::And => Box::new(FoldGroups::new(name, and)),
            Fold::Xor => Box::new(FoldGroups::new(name, xor)),
        };
        Ok(Box::new(AnsweredGroups::new(self.aggregate, sets)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

impl SetAggregate {
    fn input(&self) -> Input {
        if self.aggregate.takes == Takes::Bitmaps {
            Input::Bitmaps
        } else {
            Input::Values
        }
    }
}
