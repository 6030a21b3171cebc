//! Expressions that fail on some rows: what they are on the others, and where they fail.
//!
//! An expression of DataFusion fails for a whole batch, if one cell is no number. Only after one did,
//! a source is planned with its expressions inside these functions: a batch on which one fails is
//! halved until the rows stand alone on which it does.
//!
//! ```text
//! cast(age as int)       35  n/a  41        batch fails ─► [35] [n/a  41] ─► [35] [n/a] [41]
//! tagmill_value_of_row   35  null 41
//! tagmill_row_fails      no  yes  no
//! ```

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, ident,
};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionContext;
use datafusion_proto::bytes::Serializeable;
use tagmill_engine::fails_on_data;

use super::by_value::planned;
use super::functions::register_functions;
use super::sql::column_names;

/// Name of the function that gives values.
pub const VALUE_OF_ROW: &str = "tagmill_value_of_row";
/// Name of the function that says where there is none.
pub const ROW_FAILS: &str = "tagmill_row_fails";

/// What is asked of each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Asked {
    /// The value; null where the expression fails.
    Value,
    /// Whether the expression fails.
    Fails,
}

/// An expression over columns, asked row by row where it fails on a batch.
#[derive(Debug)]
pub struct ByRow {
    asked: Asked,
    expression: Expr,
    columns: Vec<String>,
    signature: Signature,
    /// Planned for columns of these types.
    physical: Mutex<Option<Planned>>,
}

#[derive(Debug, Clone)]
struct Planned {
    schema: SchemaRef,
    expression: Arc<dyn PhysicalExpr>,
}

impl PartialEq for ByRow {
    fn eq(&self, other: &Self) -> bool {
        (self.asked, &self.expression) == (other.asked, &other.expression)
    }
}

impl Eq for ByRow {}

impl Hash for ByRow {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.asked, &self.expression).hash(state);
    }
}

/// The expression's value, null for rows on which it fails.
pub fn value_of_row(expression: Expr) -> Expr {
    match can_fail(&expression) {
        true => ByRow::new(Asked::Value, expression).call(),
        false => expression,
    }
}

/// Whether the expression fails on a row; `None` for one that can not.
pub fn row_fails(expression: &Expr) -> Option<Expr> {
    can_fail(expression).then(|| ByRow::new(Asked::Fails, expression.clone()).call())
}

/// A column is what it is, and what needs none is computed before any row is read.
fn can_fail(expression: &Expr) -> bool {
    !matches!(expression, Expr::Column(_)) && !column_names(expression).is_empty()
}

impl ByRow {
    fn new(asked: Asked, expression: Expr) -> Self {
        let mut columns: Vec<String> = column_names(&expression).into_iter().collect();
        columns.sort_unstable();
        columns.dedup();
        Self {
            asked,
            columns,
            expression,
            signature: Signature::variadic_any(Volatility::Immutable),
            physical: Mutex::default(),
        }
    }

    fn call(self) -> Expr {
        let columns = self.columns.iter().map(ident).collect();
        ScalarUDF::from(self).call(columns)
    }

    /// For another process; see [`Self::decode`].
    ///
    /// # Errors
    /// Those of writing an expression.
    pub fn encode(&self) -> Result<Vec<u8>> {
        Ok(self.expression.to_bytes()?.to_vec())
    }

    /// The function of this name that [`Self::encode`] wrote.
    ///
    /// # Errors
    /// Bytes that it did not write, and expressions with functions that DataFusion does not have.
    pub fn decode(name: &str, bytes: &[u8]) -> Result<Self> {
        let context = SessionContext::new();
        register_functions(&context);
        let expression = Expr::from_bytes_with_ctx(bytes, &context.task_ctx())?;
        let asked = match name {
            VALUE_OF_ROW => Asked::Value,
            _ => Asked::Fails,
        };
        Ok(Self::new(asked, expression))
    }

    /// Planned once for the types that the columns have.
    fn planned<'f>(&self, fields: impl Iterator<Item = &'f FieldRef>) -> Result<Planned> {
        let named = self.columns.iter().zip(fields);
        let fields: Vec<Field> = named
            .map(|(name, field)| Field::new(name, field.data_type().clone(), true))
            .collect();
        let mut known = self.physical.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref().filter(|known| {
            let types = known.schema.fields().iter().map(|field| field.data_type());
            types.eq(fields.iter().map(Field::data_type))
        }) {
            return Ok(known.clone());
        }
        let schema = Arc::new(Schema::new(fields));
        let expression = planned(
            &SessionContext::new(),
            self.expression.clone(),
            DFSchema::try_from(schema.as_ref().clone())?,
        )?;
        Ok(known.insert(Planned { schema, expression }).clone())
    }
}

impl Planned {
    /// The values of some rows, and of each whether the expression fails on it.
    fn values(&self, rows: &RecordBatch) -> Result<(ArrayRef, Vec<bool>)> {
        let count = rows.num_rows();
        let error = match self.expression.evaluate(rows) {
            Ok(values) => return Ok((values.into_array(count)?, vec![false; count])),
            Err(error) if fails_on_data(&error) => error,
            Err(error) => return Err(error),
        };
        match count {
            0 => Err(error),
            1 => {
                let data_type = self.expression.data_type(&self.schema)?;
                Ok((new_null_array(&data_type, 1), vec![true]))
            }
            _ => {
                let half = count / 2;
                let (first, mut fails) = self.values(&rows.slice(0, half))?;
                let (second, others) = self.values(&rows.slice(half, count - half))?;
                fails.extend(others);
                Ok((concat(&[&first, &second])?, fails))
            }
        }
    }
}

impl ScalarUDFImpl for ByRow {
    fn name(&self) -> &'static str {
        match self.asked {
            Asked::Value => VALUE_OF_ROW,
            Asked::Fails => ROW_FAILS,
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Err(DataFusionError::Internal(format!(
            "{}: its type follows from its fields",
            self.name()
        )))
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let data_type = match self.asked {
            Asked::Fails => DataType::Boolean,
            Asked::Value => {
                let planned = self.planned(args.arg_fields.iter())?;
                planned.expression.data_type(&planned.schema)?
            }
        };
        Ok(Arc::new(Field::new(self.name(), data_type, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let planned = self.planned(args.arg_fields.iter())?;
        let columns = args.args.into_iter();
        let columns = columns.map(|column| column.into_array(args.number_rows));
        let options = RecordBatchOptions::new().with_row_count(Some(args.number_rows));
        let rows = RecordBatch::try_new_with_options(
            Arc::clone(&planned.schema),
            columns.collect::<Result<_>>()?,
            &options,
        )?;
        let (values, fails) = planned.values(&rows)?;
        Ok(ColumnarValue::Array(match self.asked {
            Asked::Value => values,
            Asked::Fails => Arc::new(BooleanArray::from(fails)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, Int64Array, StringViewArray};
    use arrow::datatypes::Int32Type;
    use datafusion::datasource::MemTable;

    use super::*;

    /// An expression over texts `a` and numbers `b`, by row: values, and where it fails.
    async fn asked(sql: &str, a: Vec<Option<&str>>, b: Vec<i64>) -> Result<Vec<RecordBatch>> {
        let context = SessionContext::new();
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("a", Arc::new(StringViewArray::from(a))),
            ("b", Arc::new(Int64Array::from(b))),
        ];
        let rows = RecordBatch::try_from_iter(columns)?;
        let table = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
        let table = context.read_table(Arc::new(table))?;
        let expression = table.parse_sql_expr(sql)?;
        let fails = row_fails(&expression).unwrap();
        let value = value_of_row(expression);
        let decode = |call: &Expr| {
            let Expr::ScalarFunction(call) = call else {
                return None;
            };
            let function = call.func.inner().as_ref() as &dyn std::any::Any;
            let function = function.downcast_ref::<ByRow>()?;
            let bytes = function.encode().unwrap();
            let same = ByRow::decode(function.name(), &bytes).unwrap();
            assert_eq!(&same, function);
            Some(same.call())
        };
        let (value, fails) = (decode(&value).unwrap(), decode(&fails).unwrap());
        table
            .select(vec![value.alias("value"), fails.alias("fails")])?
            .collect()
            .await
    }

    #[tokio::test]
    async fn only_the_rows_that_fail_have_no_value() {
        let texts = (0..1_000).map(|n| match n % 97 {
            13 => "n/a".to_owned(),
            _ => n.to_string(),
        });
        let texts: Vec<String> = texts.collect();
        let mut texts: Vec<Option<&str>> = texts.iter().map(|text| Some(text.as_str())).collect();
        texts[7] = None;
        let found = asked(
            "cast(a as int) / b",
            texts,
            (0..1_000).map(|n| n % 5).collect(),
        );
        let found = found.await.unwrap();
        let (values, fails) = (found[0].column(0), found[0].column(1).as_boolean());
        for row in 0..1_000usize {
            let fails = fails.value(row);
            assert_eq!(fails, row != 7 && (row % 97 == 13 || row % 5 == 0), "{row}");
            assert_eq!(values.is_null(row), fails || row == 7, "{row}");
        }
        assert_eq!(values.data_type(), &DataType::Int64);
        let one = asked("cast(a as int)", vec![Some("4")], vec![1])
            .await
            .unwrap();
        assert_eq!(one[0].column(0).as_primitive::<Int32Type>().value(0), 4);
        assert!(!one[0].column(1).as_boolean().value(0));
    }

    #[test]
    fn columns_and_constants_stay() {
        let constant = datafusion::logical_expr::lit(1);
        assert_eq!(value_of_row(constant.clone()), constant);
        assert_eq!(row_fails(&ident("a")), None);
    }
}
