//! [`AddedOnce`]: a sum that refuses to add two rows of the same key.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use tagmill_engine::external;
use tagmill_schemas::Error;

use super::inner::{Inner, coerced};
use super::set_key::keys_of;

/// An aggregate of one argument, with keys behind it.
#[derive(Debug)]
pub(super) struct AddedOnce {
    inner: Arc<AggregateUDF>,
    signature: Signature,
}

impl AddedOnce {
    pub(super) fn over(inner: Arc<AggregateUDF>) -> AggregateUDF {
        AggregateUDF::from(Self {
            inner,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    }
}

impl PartialEq for AddedOnce {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl Eq for AddedOnce {}

impl Hash for AddedOnce {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl AggregateUDFImpl for AddedOnce {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        coerced(&self.inner, types)
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(&types[..types.len().min(1)])
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let item = Arc::new(Field::new_list_field(DataType::Binary, true));
        let keys: FieldRef = Arc::new(Field::new("keys", DataType::List(item), true));
        let inner = self.inner.state_fields(StateFieldsArgs {
            input_fields: &args.input_fields[..args.input_fields.len().min(1)],
            ..args
        })?;
        Ok(std::iter::once(keys).chain(inner).collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Added {
            inner: Inner::new(&self.inner, &args).accumulator()?,
            seen: HashSet::new(),
            key_bytes: 0,
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}

/// The sum of one group, and the keys of its rows.
#[derive(Debug)]
struct Added {
    inner: Box<dyn Accumulator>,
    seen: HashSet<Box<[u8]>>,
    key_bytes: usize,
}

impl Added {
    fn see(&mut self, key: &[u8]) -> Result<()> {
        self.key_bytes += key.len();
        if self.seen.insert(key.into()) {
            return Ok(());
        }
        Err(external(
            Error::setup(
                "sql",
                "found a sum of users over several combinations of dimension values; a user may \
                 be in more than one, and would count in each",
            )
            .fix(
                "count users with bitmap_or_cardinality_agg(bitmap), or take the rows of all \
                 users of an event: dimension IS NULL AND combination IS NULL",
            ),
        ))
    }
}

impl Accumulator for Added {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some((value, keys)) = values.split_first() else {
            return Ok(());
        };
        let keys = keys_of(keys)?;
        for row in (0..value.len()).filter(|row| value.is_valid(*row)) {
            self.see(keys.value(row))?;
        }
        self.inner.update_batch(std::slice::from_ref(value))
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some((keys, inner)) = states.split_first() else {
            return Ok(());
        };
        for keys in keys.as_list::<i32>().iter().flatten() {
            for key in keys.as_binary::<i32>().iter().flatten() {
                self.see(key)?;
            }
        }
        self.inner.merge_batch(inner)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.inner.evaluate()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let keys: ArrayRef = Arc::new(BinaryArray::from_iter_values(&self.seen));
        let item = Arc::new(Field::new_list_field(DataType::Binary, true));
        let one = OffsetBuffer::from_lengths([keys.len()]);
        let keys = ScalarValue::List(Arc::new(ListArray::new(item, one, keys, None)));
        Ok(std::iter::once(keys).chain(self.inner.state()?).collect())
    }

    fn size(&self) -> usize {
        let places = self.seen.capacity() * size_of::<Box<[u8]>>();
        size_of::<Self>() + places + self.key_bytes + self.inner.size()
    }
}
