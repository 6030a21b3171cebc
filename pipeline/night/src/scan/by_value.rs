//! Expressions over one text column, computed once for each value of its dictionary instead of once
//! a row.
//!
//! Columns that people group by have few values and are dictionaries in their files.
//! `coalesce(utm_source, 'direct')` over 50 million rows then costs what it costs over the 40
//! values of each row group; its result is a dictionary again.

use std::collections::{BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, RecordBatch, new_null_array};
use arrow::compute::{cast, concat, take};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, not_impl_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, ident,
};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;
use datafusion_proto::bytes::Serializeable;

use super::dictionary::{dictionary_type, is_same};
use super::functions::register_functions;

/// Name of the function in plans.
pub const BY_VALUE: &str = "tagmill_by_value";
/// Dictionaries whose answers are remembered: those of the row groups that are being read.
const MOST_REMEMBERED: usize = 64;

/// The expression over columns of which those in `coded` are dictionaries, and whether its result
/// is one.
///
/// # Errors
/// Those of planning the expression.
pub fn over_dictionaries(
    context: &SessionContext,
    expression: Expr,
    coded: &BTreeSet<String>,
) -> Result<(Expr, bool)> {
    let columns: BTreeSet<String> = expression
        .column_refs()
        .into_iter()
        .map(|column| column.name.clone())
        .collect();
    if columns.is_disjoint(coded) {
        return Ok((expression, false));
    }
    if matches!(expression, Expr::Column(_)) {
        return Ok((expression, true));
    }
    if let (Some(name), 1) = (columns.first(), columns.len()) {
        let function = ByValue::new(context, expression, name)?;
        let is_coded = function.returns == dictionary_type();
        return Ok((ScalarUDF::from(function).call(vec![ident(name)]), is_coded));
    }
    let as_text = |node: Expr| match &node {
        Expr::Column(column) if coded.contains(&column.name) => Ok(Transformed::yes(
            datafusion::logical_expr::cast(node, DataType::Utf8View),
        )),
        _ => Ok(Transformed::no(node)),
    };
    Ok((expression.transform_up(as_text)?.data, false))
}

/// Some functions are only known to the simplifier.
pub(super) fn planned(
    context: &SessionContext,
    expression: Expr,
    schema: DFSchema,
) -> Result<Arc<dyn PhysicalExpr>> {
    let simplifier = ExprSimplifier::new(
        SimplifyContext::builder()
            .with_schema(Arc::new(schema.clone()))
            .build(),
    );
    let coerced = simplifier.coerce(expression, &schema)?;
    context.create_physical_expr(simplifier.simplify(coerced)?, &schema)
}

/// `tagmill_by_value(column)`: the expression that it was made from, over this column.
#[derive(Debug)]
pub struct ByValue {
    expression: Expr,
    column: String,
    physical: Arc<dyn PhysicalExpr>,
    schema: Arc<Schema>,
    returns: DataType,
    signature: Signature,
    /// Answers by dictionary. They follow from the expression: nothing that is computed depends on
    /// what is remembered.
    answers: Mutex<VecDeque<Answers>>,
}

/// The results for the values of one dictionary, then, once it was asked for, the one for null.
#[derive(Debug, Clone)]
struct Answers {
    values: ArrayRef,
    results: ArrayRef,
    has_null: bool,
}

impl PartialEq for ByValue {
    fn eq(&self, other: &Self) -> bool {
        (&self.expression, &self.column) == (&other.expression, &other.column)
    }
}

impl Eq for ByValue {}

impl Hash for ByValue {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.expression, &self.column).hash(state);
    }
}

impl ByValue {
    fn new(context: &SessionContext, expression: Expr, column: &str) -> Result<Self> {
        let schema = Schema::new(vec![Field::new(column, DataType::Utf8View, true)]);
        let physical = planned(
            context,
            expression.clone(),
            DFSchema::try_from(schema.clone())?,
        )?;
        let returns = match physical.data_type(&schema)? {
            text if text.is_string() => dictionary_type(),
            other => other,
        };
        let (schema, signature) = (Arc::new(schema), Signature::any(1, Volatility::Immutable));
        Ok(Self {
            expression,
            column: column.to_owned(),
            physical,
            schema,
            returns,
            signature,
            answers: Mutex::default(),
        })
    }

    /// For another process; see [`Self::decode`].
    pub fn encode(&self) -> Result<Vec<u8>> {
        let mut bytes = (self.column.len() as u32).to_le_bytes().to_vec();
        bytes.extend_from_slice(self.column.as_bytes());
        bytes.extend_from_slice(&self.expression.to_bytes()?);
        Ok(bytes)
    }

    /// The function that [`Self::encode`] wrote.
    ///
    /// # Errors
    /// Bytes that it did not write, and expressions with functions that DataFusion does not have.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let wrong = || DataFusionError::Internal(format!("{BY_VALUE}: not an encoded expression"));
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(wrong)?;
        let (column, expression) = rest
            .split_at_checked(u32::from_le_bytes(*length) as usize)
            .ok_or_else(wrong)?;
        let context = SessionContext::new();
        register_functions(&context);
        let expression = Expr::from_bytes_with_ctx(expression, &context.task_ctx())?;
        Self::new(
            &context,
            expression,
            std::str::from_utf8(column).map_err(|_| wrong())?,
        )
    }

    fn evaluate(&self, texts: &ArrayRef) -> Result<ArrayRef> {
        let texts = cast(texts, &DataType::Utf8View)?;
        let rows = texts.len();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), vec![texts])?;
        let results = self.physical.evaluate(&batch)?.into_array(rows)?;
        match &self.returns {
            DataType::Dictionary(_, value) => Ok(cast(&results, value)?),
            _ => Ok(results),
        }
    }

    /// An expression may fail on null: it is not asked about one that is not there.
    fn answers(&self, values: &ArrayRef, has_null: bool) -> Result<ArrayRef> {
        let remembered = || self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = remembered()
            .iter()
            .find(|known| is_same(&known.values, values) && (known.has_null || !has_null))
        {
            return Ok(Arc::clone(&known.results));
        }
        let results = match has_null {
            true => self.evaluate(&concat(&[values, &new_null_array(values.data_type(), 1)])?)?,
            false => self.evaluate(values)?,
        };
        let mut remembered = remembered();
        remembered.truncate(MOST_REMEMBERED - 1);
        remembered.push_front(Answers {
            values: Arc::clone(values),
            results: Arc::clone(&results),
            has_null,
        });
        Ok(results)
    }

    /// A dictionary has its nulls in the keys: casts do not look for them in the values.
    fn by_value(&self, array: &DictionaryArray<Int32Type>) -> Result<ArrayRef> {
        let results = self.answers(array.values(), array.null_count() > 0)?;
        let null = array.values().len() as i32;
        let keys = match (array.null_count(), results.null_count()) {
            (0, 0) => array.keys().clone(),
            _ => array
                .keys()
                .iter()
                .map(|key| {
                    key.or(Some(null))
                        .filter(|&key| results.is_valid(key as usize))
                })
                .collect(),
        };
        match self.returns {
            DataType::Dictionary(..) => Ok(Arc::new(DictionaryArray::try_new(keys, results)?)),
            _ => Ok(take(&results, &keys, None)?),
        }
    }
}

impl ScalarUDFImpl for ByValue {
    fn name(&self) -> &'static str {
        BY_VALUE
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.returns.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some(column) = args.args.first() else {
            return not_impl_err!("{BY_VALUE} without a column");
        };
        let array = column.clone().into_array(args.number_rows)?;
        let result = match array.as_dictionary_opt::<Int32Type>() {
            Some(dictionary) => self.by_value(dictionary)?,
            None => cast(&self.evaluate(&array)?, &self.returns)?,
        };
        Ok(ColumnarValue::Array(result))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Int32Array, StringArray};
    use datafusion::common::config::ConfigOptions;

    fn call(function: &ByValue, array: ArrayRef) -> ArrayRef {
        let args = ScalarFunctionArgs {
            number_rows: array.len(),
            arg_fields: vec![Arc::new(Field::new("c", array.data_type().clone(), true))],
            args: vec![ColumnarValue::Array(array)],
            return_field: Arc::new(Field::new("r", function.returns.clone(), true)),
            config_options: Arc::new(ConfigOptions::default()),
        };
        function
            .invoke_with_args(args)
            .unwrap()
            .into_array(0)
            .unwrap()
    }

    /// The same expressions over rows and over dictionaries, whose keys have nulls; each dictionary
    /// twice, and after a way through bytes.
    #[test]
    fn gives_what_the_rows_give() {
        let context = SessionContext::new();
        let schema =
            DFSchema::try_from(Schema::new(vec![Field::new("c", DataType::Utf8View, true)]))
                .unwrap();
        let values: ArrayRef = Arc::new(StringArray::from(vec!["a", "x,y", "", "12"]));
        let keys = Int32Array::from(vec![Some(0), Some(3), None, Some(2), Some(1), Some(0)]);
        let coded: ArrayRef = Arc::new(DictionaryArray::try_new(keys, values).unwrap());
        for sql in [
            "coalesce(nullif(c, ''), 'none')",
            "upper(c)",
            "c in ('a', 'b')",
            "c is null",
            "nullif(c, '')",
            "try_cast(c as bigint)",
            "length(c) > 1",
            "string_to_array(c, ',')",
        ] {
            let expression = context.state().create_logical_expr(sql, &schema).unwrap();
            let function = ByValue::new(&context, expression, "c").unwrap();
            let decoded = ByValue::decode(&function.encode().unwrap()).unwrap();
            assert_eq!(function, decoded);
            let rows = call(&function, cast(&coded, &DataType::Utf8View).unwrap());
            for function in [&function, &function, &decoded] {
                let found = call(function, Arc::clone(&coded));
                assert_eq!(found.data_type(), &function.returns, "{sql}");
                let plain = |array: &ArrayRef| {
                    if function.returns == dictionary_type() {
                        cast(array, &DataType::Utf8).unwrap()
                    } else {
                        Arc::clone(array)
                    }
                };
                assert_eq!(&plain(&found), &plain(&rows), "{sql}");
            }
        }
    }

    #[test]
    fn expressions_over_more_than_one_column_see_text() {
        let context = SessionContext::new();
        let coded = BTreeSet::from(["a".to_owned()]);
        let both = ident("a").eq(ident("b"));
        let (rewritten, is_coded) = over_dictionaries(&context, both, &coded).unwrap();
        assert!(
            !is_coded && rewritten.to_string().contains("CAST(a AS Utf8View) = b"),
            "{rewritten}"
        );
        let (column, is_coded) = over_dictionaries(&context, ident("a"), &coded).unwrap();
        assert!(is_coded && matches!(column, Expr::Column(_)));
        let (other, is_coded) = over_dictionaries(&context, ident("b").is_null(), &coded).unwrap();
        assert!(!is_coded && other == ident("b").is_null());
    }
}
