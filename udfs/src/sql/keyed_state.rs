//! The state of aggregates that see bitmaps with a key: a union for each key.

use crate::bitmap::{BitmapRef, Defect, or_many};
use arrow::array::{Array, ArrayRef, AsArray, BinaryViewArray, Int64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::function::StateFieldsArgs;
use datafusion::logical_expr::utils::format_state_name;
use datafusion::scalar::ScalarValue;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bitmaps of one key are put together when those that wait have this many bytes more than the union so far.
const WAITING: usize = 64 << 10;

/// Bitmaps of one key: their union so far, and those that wait.
#[derive(Debug, Default)]
struct Pile {
    union: Vec<u8>,
    waiting: Vec<Vec<u8>>,
    waiting_bytes: usize,
}

/// A union for each key.
#[derive(Debug, Default)]
pub(super) struct KeyedSets {
    piles: BTreeMap<i64, Pile>,
    bytes: usize,
}

impl Pile {
    fn put_together(&mut self) -> Result<(), Defect> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let parts = self.waiting.iter().chain((!self.union.is_empty()).then_some(&self.union));
        let parts = parts.map(|bytes| BitmapRef::parse_layout(bytes)).collect::<Result<Vec<_>, _>>()?;
        let mut union = Vec::new();
        or_many(&parts, &mut union);
        *self = Self { union, ..Self::default() };
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.union.capacity() + self.waiting_bytes + self.waiting.capacity() * size_of::<Vec<u8>>() + size_of::<(i64, Self)>()
    }
}

/// An error about the bytes of the state itself.
#[cold]
pub(super) fn state_error(defect: Defect) -> DataFusionError {
    exec_datafusion_err!("state of a bitmap aggregate: {defect}")
}

impl KeyedSets {
    /// Adds the values of a checked bitmap to a key's.
    pub(super) fn add(&mut self, key: i64, bitmap: &BitmapRef<'_>) -> Result<()> {
        let pile = self.piles.entry(key).or_default();
        let before = if pile.union.is_empty() && pile.waiting.is_empty() { 0 } else { pile.bytes() };
        pile.waiting.push(bitmap.as_bytes().to_vec());
        pile.waiting_bytes += bitmap.as_bytes().len();
        if pile.waiting_bytes > pile.union.len() + WAITING {
            pile.put_together().map_err(state_error)?;
        }
        self.bytes = self.bytes + pile.bytes() - before;
        Ok(())
    }

    /// Takes the union of each key.
    pub(super) fn take(&mut self) -> Result<BTreeMap<i64, Vec<u8>>> {
        self.bytes = 0;
        let unions = std::mem::take(&mut self.piles).into_iter().map(|(key, mut pile)| {
            pile.put_together().map_err(state_error)?;
            Ok((key, pile.union))
        });
        unions.collect()
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.bytes
    }

    /// The state as two lists: keys, and their bitmaps.
    pub(super) fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let unions = self.take()?;
        let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(unions.keys().copied()));
        let bitmaps: ArrayRef = Arc::new(BinaryViewArray::from_iter_values(unions.values()));
        Ok(vec![ScalarValue::List(Arc::new(one_list(keys)?)), ScalarValue::List(Arc::new(one_list(bitmaps)?))])
    }

    /// Adds states.
    pub(super) fn merge(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (Some(keys), Some(bitmaps)) = (states[0].as_list_opt::<i32>(), states[1].as_list_opt::<i32>()) else {
            return Err(exec_datafusion_err!("state of a bitmap aggregate is {} and {}, expected lists", states[0].data_type(), states[1].data_type()));
        };
        for (keys, bitmaps) in keys.iter().zip(bitmaps.iter()) {
            let (Some(keys), Some(bitmaps)) = (keys, bitmaps) else { continue };
            for (key, bytes) in keys.as_primitive::<Int64Type>().values().iter().zip(bitmaps.as_binary_view().iter()) {
                let bitmap = BitmapRef::parse(bytes.unwrap_or_default()).map_err(state_error)?;
                self.add(*key, &bitmap)?;
            }
        }
        Ok(())
    }
}

fn one_list(values: ArrayRef) -> Result<ListArray> {
    let item = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Ok(ListArray::try_new(item, OffsetBuffer::from_lengths([values.len()]), values, None)?)
}

/// The columns of the state.
pub(super) fn state_fields(args: &StateFieldsArgs<'_>) -> Vec<FieldRef> {
    let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
    let field = |name, item| Arc::new(Field::new(format_state_name(args.name, name), list(item), true));
    vec![field("keys", DataType::Int64), field("bitmaps", DataType::BinaryView)]
}
