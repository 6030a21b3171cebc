//! [`OverSets`]: an aggregate over sets instead of over their rows.
//!
//! ```text
//! rows  (bitmap, key)  ── one union a key ──► sets ──► the aggregate, one row a set
//! ```
//!
//! A key without rows is an empty set: as many are added as make the sets that a query names.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::mem::size_of;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryViewBuilder, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, Signature, Volatility,
};
use datafusion::scalar::ScalarValue;
use tagmill_bitmap::{BitmapRef, GroupSets};

use super::inner::{Inner, coerced};
use super::set_key::keys_of;

/// Portable 64-bit Roaring of no value.
const EMPTY: [u8; 8] = [0; 8];

/// An aggregate of one bitmap argument, with keys behind it.
#[derive(Debug)]
pub(super) struct OverSets {
    inner: Arc<AggregateUDF>,
    /// Sets that the query names; those without rows are empty.
    named: usize,
    signature: Signature,
}

impl OverSets {
    pub(super) fn over(inner: Arc<AggregateUDF>, named: usize) -> AggregateUDF {
        AggregateUDF::from(Self {
            inner,
            named,
            signature: Signature::user_defined(Volatility::Immutable),
        })
    }
}

impl PartialEq for OverSets {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner && self.named == other.named
    }
}

impl Eq for OverSets {}

impl Hash for OverSets {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
        self.named.hash(state);
    }
}

impl AggregateUDFImpl for OverSets {
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

    fn state_fields(&self, _: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let list = |name: &str, item: DataType| -> FieldRef {
            let item = Arc::new(Field::new_list_field(item, true));
            Arc::new(Field::new(name, DataType::List(item), true))
        };
        Ok(vec![
            list("keys", DataType::Binary),
            list("sets", DataType::BinaryView),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Sets {
            inner: Inner::new(&self.inner, &args),
            named: self.named,
            places: HashMap::new(),
            key_bytes: 0,
            sets: GroupSets::default(),
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}

/// The sets of one group of rows.
struct Sets {
    inner: Inner,
    named: usize,
    /// The number of each key's set.
    places: HashMap<Box<[u8]>, usize>,
    key_bytes: usize,
    sets: GroupSets,
}

impl std::fmt::Debug for Sets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sets")
            .field("aggregate", &self.inner.name())
            .field("sets", &self.places.len())
            .finish_non_exhaustive()
    }
}

impl Sets {
    fn place(&mut self, key: &[u8]) -> usize {
        if let Some(place) = self.places.get(key) {
            return *place;
        }
        let place = self.places.len();
        self.places.insert(key.into(), place);
        self.key_bytes += key.len();
        place
    }

    fn add(&mut self, keys: &dyn Array, bitmaps: &ArrayRef) -> Result<()> {
        let (keys, bitmaps) = (
            keys.as_binary::<i32>(),
            cast(bitmaps, &DataType::BinaryView)?,
        );
        for (row, bytes) in bitmaps.as_binary_view().iter().enumerate() {
            let Some(bytes) = bytes else { continue };
            let bitmap = BitmapRef::parse(bytes).map_err(|defect| {
                let function = self.inner.name();
                exec_datafusion_err!("{function}: argument 1, row {row} of the batch: {defect}")
            })?;
            let place = self.place(keys.value(row));
            self.sets.merge(place, &bitmap);
        }
        Ok(())
    }

    /// The sets in the order of their numbers.
    fn column(&mut self, extra: usize) -> ArrayRef {
        let mut column = BinaryViewBuilder::with_capacity(self.places.len() + extra);
        for place in 0..self.places.len() {
            let mut bytes = Vec::new();
            let is_set = self.sets.write(place, &mut bytes);
            column.append_value(if is_set { bytes.as_slice() } else { &EMPTY });
        }
        for _ in 0..extra {
            column.append_value(EMPTY);
        }
        Arc::new(column.finish())
    }
}

impl Accumulator for Sets {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let Some((bitmaps, keys)) = values.split_first() else {
            return Ok(());
        };
        self.add(&keys_of(keys)?, bitmaps)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [keys, sets] = states else {
            return Ok(());
        };
        let (keys, sets) = (keys.as_list::<i32>(), sets.as_list::<i32>());
        for (keys, sets) in keys.iter().zip(sets.iter()) {
            if let (Some(keys), Some(sets)) = (keys, sets) {
                self.add(&keys, &sets)?;
            }
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        // Without a row it is for the aggregate to say what it answers.
        let found = self.places.len();
        let lacking = match found {
            0 => 0,
            found => usize::from(found < self.named),
        };
        let mut inner = self.inner.accumulator()?;
        inner.update_batch(&[self.column(lacking)])?;
        inner.evaluate()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut keys: Vec<(&[u8], usize)> = self.places.iter().map(|(k, at)| (&**k, *at)).collect();
        keys.sort_unstable_by_key(|(_, at)| *at);
        let keys: ArrayRef = Arc::new(arrow::array::BinaryArray::from_iter_values(
            keys.into_iter().map(|(key, _)| key),
        ));
        let sets = self.column(0);
        Ok([keys, sets]
            .into_iter()
            .map(|column| {
                let item = Arc::new(Field::new_list_field(column.data_type().clone(), true));
                let one = OffsetBuffer::from_lengths([column.len()]);
                ScalarValue::List(Arc::new(ListArray::new(item, one, column, None)))
            })
            .collect())
    }

    fn size(&self) -> usize {
        let places = self.places.capacity() * size_of::<(Box<[u8]>, usize)>();
        size_of::<Self>() + places + self.key_bytes + self.sets.size()
    }
}
