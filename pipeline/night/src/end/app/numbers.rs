//! The bit-sliced index of one numeric tag of one app.

use datafusion::error::Result;
use tagmill_bitmap::{Width, write_sorted};
use tagmill_schemas::artifact::tag_numbers::Column;
use tagmill_schemas::value::{Value, ValueType};
use tagmill_warehouse::artifact::Cell;

use super::writer::AppWriter;
use crate::end::bsi::cut_slices;
use crate::end::output::Output;
use crate::end::tag_sets::TagSets;
use crate::take::measure::scaled_double;
use crate::take::seats::AppSeats;

impl AppWriter<'_> {
    /// Writes the slices of a single-valued numeric tag; nothing of other tags.
    ///
    /// # Errors
    /// Those of the rows.
    pub(super) fn write_numbers(
        &mut self,
        seats: AppSeats,
        sets: &TagSets,
        output: &mut Output,
    ) -> Result<()> {
        let Some(Integers { numbers, scale }) = integers(sets)? else {
            return Ok(());
        };
        let (number, ordinals) = (self.shard.number, self.ordinals_of(seats));
        let width = Width::of(numbers.iter().copied());
        let values = sets.by_seat(ordinals.len());
        let triples = values
            .iter()
            .map(|&(seat, value)| (0, ordinals[seat as usize], numbers[value as usize]));
        let mut rows = output.rows()?;
        rows.set_all([
            (Column::App, Cell::Text(self.name(seats))),
            (Column::Tag, Cell::Text(&sets.name)),
            (Column::Type, Cell::Text(sets.value_type.name())),
            (Column::Scale, Cell::Int(i64::from(scale))),
            (Column::Offset, Cell::Int(0)),
            (Column::Shard, Cell::Int(i64::from(number))),
        ])?;
        cut_slices(&mut self.cutter, 1, width, triples, |_, slice, ordinals| {
            rows.set(Column::Slice, Cell::Int(slice.number().into()))?;
            Ok(rows.push(ordinals.len() as u64, |out| {
                write_sorted(number, ordinals, out)
            })?)
        })
    }
}

/// The values of a tag as integers, in the order of the values.
struct Integers {
    /// In units of `10^-scale`.
    numbers: Vec<i64>,
    /// Decimal digits.
    scale: u8,
}

/// The values of a numeric single-valued tag, none for other tags and for doubles without a scale
/// or with a value that is no number.
fn integers(sets: &TagSets) -> Result<Option<Integers>> {
    if sets.multi {
        return Ok(None);
    }
    let scale = sets.scale.unwrap_or(0);
    let mut numbers = Vec::with_capacity(sets.values.len());
    for value in &sets.values {
        numbers.push(match value {
            Value::Integer(v) => *v,
            Value::Date(v) => i64::from(*v),
            Value::Double(v) if sets.scale.is_some() => match scaled_double(*v, scale)? {
                Some(v) => v,
                None => return Ok(None),
            },
            _ => return Ok(None),
        });
    }
    let is_double = sets.value_type == ValueType::Double;
    Ok(Some(Integers {
        numbers,
        scale: if is_double { scale } else { 0 },
    }))
}
