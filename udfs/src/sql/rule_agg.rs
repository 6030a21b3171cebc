//! Aggregates over rows of a bitmap and a key: the intersection of some keys' sets, or a rule over
//! them, in one scan.

use super::documentation::document;
use super::input::{bitmap_type, expect_arguments};
use super::keyed_state::{Keyed, KeyedGroups, KeyedSet, state_error, state_fields};
use super::rule::Rule;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, FieldRef, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::{exec_datafusion_err, plan_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, ColumnarValue, Documentation, GroupsAccumulator, Signature,
    Volatility,
};
use datafusion::scalar::ScalarValue;
use std::collections::BTreeSet;
use std::sync::Arc;
use tagmill_bitmap::{BitmapRef, and_many};

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Computes {
    Intersection,
    Rule,
}

/// One of the aggregates.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct KeyedAggregate {
    computes: Computes,
    is_count: bool,
    signature: Signature,
    documentation: Documentation,
}

/// All of them.
pub(super) fn all() -> impl Iterator<Item = KeyedAggregate> {
    [
        (Computes::Intersection, false),
        (Computes::Intersection, true),
        (Computes::Rule, false),
        (Computes::Rule, true),
    ]
    .into_iter()
    .map(|(computes, is_count)| KeyedAggregate {
        computes,
        is_count,
        signature: Signature::user_defined(Volatility::Immutable),
        documentation: documentation(computes, is_count),
    })
}

const BITMAP: (&str, &str) = ("bitmap", "Portable 64-bit Roaring bytes.");
const KEY: (&str, &str) = (
    "key",
    "What the bitmap is the set of, such as a tag's value; compared as text.",
);
const ROWS: &str = "FROM (VALUES ('a', [1, 2, 3]), ('b', [2, 3]), ('c', [3])) AS t(tag, users)";

fn documentation(computes: Computes, is_count: bool) -> Documentation {
    let (name, what) = (
        name(computes, is_count),
        if is_count {
            "Number of values"
        } else {
            "The values"
        },
    );
    let (about, syntax, argument, call, bitmap, count) = match computes {
        Computes::Intersection => (
            format!(
                "{what} that are in the sets of all the keys listed, where a key's set is the \
                 union of its rows. NULLs are skipped, wanted ones as well; a \
                 key without rows has an empty set."
            ),
            format!("{name}(bitmap, key, wanted[, ...])"),
            ("wanted, ...", "Constants."),
            "'a', 'b'",
            "[2, 3]",
            "2",
        ),
        Computes::Rule => (
            format!(
                "{what} that a rule over keys gives, in one scan, where a key's set is the union \
                 of its rows: & is intersection, | union, - difference, ^ exclusive or, \
                 equal in rank and from left to right, brackets first; a backslash makes the next \
                 character part of a key. NULLs are skipped; \
                 a key without rows has an empty set."
            ),
            format!("{name}(bitmap, key, rule)"),
            ("rule", "A constant."),
            "'(a-b)|c'",
            "[1, 3]",
            "2",
        ),
    };
    let query = format!("{name}(bitmap_from_array(users), tag, {call})");
    let (query, result) = if is_count {
        (format!("SELECT {query} {ROWS}"), count)
    } else {
        (format!("SELECT bitmap_to_array({query}) {ROWS}"), bitmap)
    };
    document(&about, &syntax, &[BITMAP, KEY, argument], (&query, result))
}

fn name(computes: Computes, is_count: bool) -> &'static str {
    match (computes, is_count) {
        (Computes::Intersection, false) => "bitmap_intersect_agg",
        (Computes::Intersection, true) => "bitmap_intersect_cardinality_agg",
        (Computes::Rule, false) => "bitmap_rule_agg",
        (Computes::Rule, true) => "bitmap_rule_cardinality_agg",
    }
}

/// The value of an argument that has to be a constant.
///
/// # Errors
/// A plan error for anything else.
pub(super) fn constant(
    function: &str,
    args: &AccumulatorArgs<'_>,
    at: usize,
) -> Result<ScalarValue> {
    let no_rows = RecordBatch::new_empty(Arc::new(Schema::empty()));
    match args.exprs.get(at).map(|expr| expr.evaluate(&no_rows)) {
        Some(Ok(ColumnarValue::Scalar(value))) => Ok(value),
        _ => Err(plan_datafusion_err!(
            "{function}: argument {} is not a constant",
            at + 1
        )),
    }
}

impl KeyedAggregate {
    fn function(&self) -> &'static str {
        name(self.computes, self.is_count)
    }

    /// Text of the constant arguments; NULLs are skipped.
    fn texts(&self, args: &AccumulatorArgs<'_>) -> Result<Vec<String>> {
        let values = (2..args.exprs.len()).map(|at| {
            Ok(constant(self.function(), args, at)?
                .try_as_str()
                .flatten()
                .map(str::to_owned))
        });
        values.filter_map(Result::transpose).collect()
    }

    /// The keys that are wanted, and what is done with their sets.
    fn wanted(&self, args: &AccumulatorArgs<'_>) -> Result<Wanted> {
        let texts = self.texts(args)?;
        let function = self.function();
        let (keys, rule) = match self.computes {
            // A set met with itself is the set: each key is looked for once.
            Computes::Intersection => (
                texts
                    .into_iter()
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect(),
                None,
            ),
            Computes::Rule => {
                let text = texts.into_iter().next().ok_or_else(|| {
                    plan_datafusion_err!("{function}: argument 3 is NULL, expected a rule")
                })?;
                let rule = Rule::parse(&text)
                    .map_err(|error| plan_datafusion_err!("{function}: rule '{text}': {error}"))?;
                (rule.names.clone(), Some(rule))
            }
        };
        Ok(Wanted {
            function,
            is_count: self.is_count,
            keys,
            rule,
        })
    }
}

impl AggregateUDFImpl for KeyedAggregate {
    fn name(&self) -> &str {
        self.function()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let most = if self.computes == Computes::Rule {
            3
        } else {
            usize::MAX
        };
        expect_arguments(self.function(), types, 3, most)?;
        let texts = std::iter::repeat_n(DataType::Utf8View, types.len() - 1);
        Ok(std::iter::once(bitmap_type(self.function(), 1, &types[0])?)
            .chain(texts)
            .collect())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(if self.is_count {
            DataType::UInt64
        } else {
            DataType::BinaryView
        })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_fields(&args))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(KeyedSet::new(self.wanted(&args)?)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(KeyedGroups::new(self.wanted(&args)?)))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The keys that are wanted, and what is done with their sets.
#[derive(Debug)]
struct Wanted {
    function: &'static str,
    is_count: bool,
    keys: Vec<String>,
    rule: Option<Rule>,
}

impl Keyed for Wanted {
    const BITMAP: usize = 0;

    fn function(&self) -> &'static str {
        self.function
    }

    fn keys(&self) -> usize {
        self.keys.len()
    }

    fn key(&self, keys: &dyn Array, row: usize) -> Result<Option<usize>> {
        let texts = keys.as_string_view_opt();
        let texts = texts.ok_or_else(|| {
            exec_datafusion_err!(
                "{}: argument 2 is {}, expected text",
                self.function,
                keys.data_type()
            )
        })?;
        Ok(if texts.is_null(row) {
            None
        } else {
            self.keys
                .iter()
                .position(|wanted| wanted == texts.value(row))
        })
    }

    fn data_type(&self) -> DataType {
        if self.is_count {
            DataType::UInt64
        } else {
            DataType::BinaryView
        }
    }

    fn result(&self, sets: &[(usize, &[u8])]) -> Result<ScalarValue> {
        let set = |number: usize| {
            sets.iter()
                .find(|(key, _)| *key == number)
                .map_or([0; 8].as_slice(), |(_, bytes)| *bytes)
        };
        let bytes = match &self.rule {
            Some(rule) => rule.result(set).map_err(state_error)?,
            None => {
                let sets = (0..self.keys.len()).map(|number| BitmapRef::parse_layout(set(number)));
                let mut out = Vec::new();
                and_many(
                    &sets.collect::<Result<Vec<_>, _>>().map_err(state_error)?,
                    &mut out,
                );
                out
            }
        };
        if self.is_count {
            return Ok(ScalarValue::UInt64(Some(
                BitmapRef::parse_layout(&bytes)
                    .map_err(state_error)?
                    .cardinality(),
            )));
        }
        Ok(ScalarValue::BinaryView(Some(bytes)))
    }
}
