//! Aggregates over rows of a bitmap and a key: the intersection of some keys' sets, or a rule over them, in one scan.

use super::documentation::document;
use super::input::{Bitmaps, bitmap_type, expect_arguments};
use super::keyed_state::{KeyedSets, state_error, state_fields};
use super::rule::Rule;
use crate::bitmap::{BitmapRef, and_many};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::common::{exec_datafusion_err, plan_datafusion_err};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, ColumnarValue, Documentation, Signature, Volatility};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;

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
    [(Computes::Intersection, false), (Computes::Intersection, true), (Computes::Rule, false), (Computes::Rule, true)].into_iter().map(
        |(computes, is_count)| KeyedAggregate {
            computes,
            is_count,
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: documentation(computes, is_count),
        },
    )
}

const BITMAP: (&str, &str) = ("bitmap", "Portable 64-bit Roaring bytes.");
const KEY: (&str, &str) = ("key", "What the bitmap is the set of, such as a tag's value; compared as text.");
const ROWS: &str = "FROM (VALUES ('a', [1, 2, 3]), ('b', [2, 3]), ('c', [3])) AS t(tag, users)";

fn documentation(computes: Computes, is_count: bool) -> Documentation {
    let (name, what) = (name(computes, is_count), if is_count { "Number of values" } else { "The values" });
    let (about, syntax, argument, call, bitmap, count) = match computes {
        Computes::Intersection => (
            format!(
                "{what} that are in the sets of all the keys listed, where a key's set is the union of its rows. NULLs are skipped; a key without rows has an \
                 empty set."
            ),
            format!("{name}(bitmap, key, wanted[, ...])"),
            ("wanted, ...", "Constants."),
            "'a', 'b'",
            "[2, 3]",
            "2",
        ),
        Computes::Rule => (
            format!(
                "{what} that a rule over keys gives, in one scan, where a key's set is the union of its rows: & is intersection, | union, - difference, ^ exclusive or, \
                 equal in rank and from left to right, brackets first; a backslash makes the next character part of a key. NULLs are skipped; \
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
    let (query, result) = if is_count { (format!("SELECT {query} {ROWS}"), count) } else { (format!("SELECT bitmap_to_array({query}) {ROWS}"), bitmap) };
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
pub(super) fn constant(function: &str, args: &AccumulatorArgs<'_>, at: usize) -> Result<ScalarValue> {
    let no_rows = RecordBatch::new_empty(Arc::new(Schema::empty()));
    match args.exprs.get(at).map(|expr| expr.evaluate(&no_rows)) {
        Some(Ok(ColumnarValue::Scalar(value))) => Ok(value),
        _ => Err(plan_datafusion_err!("{function}: argument {} is not a constant", at + 1)),
    }
}

impl KeyedAggregate {
    fn function(&self) -> &'static str {
        name(self.computes, self.is_count)
    }

    /// Text of the constant arguments; NULLs are skipped.
    fn texts(&self, args: &AccumulatorArgs<'_>) -> Result<Vec<String>> {
        let values = (2..args.exprs.len()).map(|at| Ok(constant(self.function(), args, at)?.try_as_str().flatten().map(str::to_owned)));
        values.filter_map(Result::transpose).collect()
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
        let most = if self.computes == Computes::Rule { 3 } else { usize::MAX };
        expect_arguments(self.function(), types, 3, most)?;
        let texts = std::iter::repeat_n(DataType::Utf8View, types.len() - 1);
        Ok(std::iter::once(bitmap_type(self.function(), 1, &types[0])?).chain(texts).collect())
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(if self.is_count { DataType::UInt64 } else { DataType::BinaryView })
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(state_fields(&args))
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let texts = self.texts(&args)?;
        let function = self.function();
        let (wanted, rule) = match self.computes {
            Computes::Intersection => (texts, None),
            Computes::Rule => {
                let text = texts.into_iter().next().ok_or_else(|| plan_datafusion_err!("{function}: argument 3 is NULL, expected a rule"))?;
                let rule = Rule::parse(&text).map_err(|error| plan_datafusion_err!("{function}: rule '{text}': {error}"))?;
                (rule.names.clone(), Some(rule))
            }
        };
        Ok(Box::new(KeyedSet { function, is_count: self.is_count, wanted, rule, sets: KeyedSets::default() }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The sets of the keys that are wanted.
#[derive(Debug)]
struct KeyedSet {
    function: &'static str,
    is_count: bool,
    /// The keys; their number is the state's key.
    wanted: Vec<String>,
    rule: Option<Rule>,
    sets: KeyedSets,
}

impl Accumulator for KeyedSet {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let bitmaps = Bitmaps::of_array(self.function, 1, &values[0])?;
        let keys = values[1].as_string_view_opt();
        let keys = keys.ok_or_else(|| exec_datafusion_err!("{}: argument 2 is {}, expected text", self.function, values[1].data_type()))?;
        for (row, key) in keys.iter().enumerate() {
            let Some(number) = key.and_then(|key| self.wanted.iter().position(|wanted| wanted == key)) else { continue };
            if let Some(bitmap) = bitmaps.get(row)? {
                self.sets.add(number as i64, &bitmap)?;
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.sets.merge(states)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let unions = self.sets.take()?;
        let empty = [0; 8];
        let set = |number: usize| unions.get(&(number as i64)).map_or(empty.as_slice(), Vec::as_slice);
        let bytes = match &self.rule {
            Some(rule) => rule.result(set).map_err(state_error)?,
            None => {
                let sets = (0..self.wanted.len()).map(|number| BitmapRef::parse_layout(set(number)));
                let mut out = Vec::new();
                and_many(&sets.collect::<Result<Vec<_>, _>>().map_err(state_error)?, &mut out);
                out
            }
        };
        if self.is_count {
            return Ok(ScalarValue::UInt64(Some(BitmapRef::parse_layout(&bytes).map_err(state_error)?.cardinality())));
        }
        Ok(ScalarValue::BinaryView(Some(bytes)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.sets.state()
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.sets.size() + self.wanted.iter().map(String::capacity).sum::<usize>()
    }
}
