//! Aggregates that fold the values or bitmaps of a group to one set, and give the set or its size.

use super::answered::{AnsweredGroups, AnsweredSet};
use super::documentation::document;
use super::fold_state::{FoldGroups, FoldSet};
use super::input::{bitmap_type, expect_arguments, number_type};
use super::union_state::{Input, UnionGroups, UnionSet};
use super::whole::{ELEMENT, Elements, loose_type, narrow_type, whole_type};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use tagmill_bitmap::{and, xor};

/// What the rows of the argument are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Whole numbers.
    Numbers(Elements),
    /// Whole numbers, text that is one, and booleans as 0 and 1.
    Anything(Elements),
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

/// The state of every bitmap aggregate: a bitmap.
pub(super) fn state_field(function: &str, args: &StateFieldsArgs<'_>) -> Vec<FieldRef> {
    vec![Arc::new(Field::new(
        format_state_name(args.name, function),
        DataType::BinaryView,
        true,
    ))]
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
            Takes::Bitmaps => ("bitmap", "Portable 64-bit Roaring bytes.".to_owned()),
            Takes::Numbers(elements) => ("value", about_elements(elements).to_owned()),
            Takes::Anything(elements) => (
                "value",
                format!(
                    "{} Text is read as the integer it is, a boolean as 0 or 1.",
                    about_elements(elements)
                ),
            ),
        };
        let syntax = format!("{}({})", aggregate.name, argument.0);
        let documentation = document(
            aggregate.about,
            &syntax,
            &[(argument.0, &argument.1)],
            aggregate.example,
        );
        Self {
            aggregate,
            signature: Signature::user_defined(Volatility::Immutable),
            documentation,
        }
    }
}

/// What the argument is.
fn about_elements(elements: Elements) -> &'static str {
    match elements {
        Elements::Checked => "An integer from 0 to 2^64 - 1.",
        Elements::Wrapped(32) => "An integer; negative ones are counted from 2^32 down.",
        Elements::Wrapped(_) => "An integer; negative ones are counted from 2^64 down.",
        Elements::Narrow => {
            "An integer; negative ones are counted from 2^bits of its type down: 2^8 for Int8, \
             2^64 for Int64."
        }
        Elements::Fitting => "An integer; what is not from 0 to 2^64 - 1 is left out.",
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
        let number = |read, expected| number_type(name, 1, &types[0], read, expected);
        Ok(vec![match self.aggregate.takes {
            Takes::Bitmaps => bitmap_type(name, 1, &types[0])?,
            Takes::Numbers(Elements::Checked) => number(whole_type, ELEMENT)?,
            Takes::Numbers(Elements::Narrow) => number(narrow_type, "an integer")?,
            Takes::Numbers(_) => number(whole_type, "an integer")?,
            Takes::Anything(_) => number(loose_type, "an integer, text or a boolean")?,
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
