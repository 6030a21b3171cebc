//! The tags of one app: one bitmap a value.

use datafusion::error::Result;
use tagmill_bitmap::write_sorted;
use tagmill_schemas::artifact::tags::Column;
use tagmill_warehouse::artifact::{Cell, value_cell};

use super::writer::AppWriter;
use crate::end::cutter::Cutter;
use crate::end::output::Output;
use crate::end::report::TagReport;
use crate::end::tag_sets::{CodeOrder, TagSets};
use crate::take::attributes::Attributes;
use crate::take::seats::AppSeats;
use crate::take::source_state::SourceState;
use crate::take::typed_values::TypedValues;

impl AppWriter<'_> {
    /// Every tag of the app with the source that has it, in order of the name, then of the
    /// configuration.
    pub(super) fn tag_sets(&mut self, seats: AppSeats) -> Vec<(String, TagSets)> {
        let mut found = Vec::new();
        let sources = self.shard.spec.sources.iter().zip(&self.shard.states);
        for (number, (spec, state)) in sources.enumerate() {
            let sets = match (state, &self.labels[number]) {
                (SourceState::Attributes(state), _) => {
                    let provisional = self.provisional_of(seats);
                    attribute_sets(state, &self.columns[number], provisional, &mut self.cutter)
                }
                (SourceState::Labels(state), Some(labels)) => {
                    labels.of_app(state, seats, &mut self.cutter)
                }
                _ => Vec::new(),
            };
            let named = sets.into_iter().map(|sets| (spec.name.clone(), sets));
            found.extend(named.filter(|(_, sets)| !sets.values.is_empty()));
        }
        found.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        found
    }

    /// Writes one tag, and the slices of a numeric one. Nothing is written of a withheld tag, whose
    /// values are reported up to one more than its limit.
    ///
    /// # Errors
    /// Those of the rows.
    pub(super) fn write_tag(
        &mut self,
        seats: AppSeats,
        source: &str,
        sets: &TagSets,
        output: &mut Output,
    ) -> Result<()> {
        let app = self.name(seats);
        let of_app = self.shard.spec.withheld.get(app);
        let withheld = of_app.and_then(|tags| tags.get(&sets.name));
        let reported = withheld.map_or(sets.values.len(), |limit| {
            sets.values.len().min(limit.most_values() as usize + 1)
        });
        self.tags.push(TagReport {
            app: app.to_owned(),
            tag: sets.name.clone(),
            value_type: sets.value_type,
            multi: sets.multi,
            source: source.to_owned(),
            values: TypedValues::of(sets.value_type, &sets.values[..reported]),
            is_withheld: withheld.is_some(),
        });
        if withheld.is_some() {
            return Ok(());
        }
        self.write_values(seats, sets, output)?;
        self.write_numbers(seats, sets, output)
    }

    fn write_values(&mut self, seats: AppSeats, sets: &TagSets, output: &mut Output) -> Result<()> {
        let (number, ordinals) = (self.shard.number, self.ordinals_of(seats));
        let mut rows = output.rows()?;
        rows.set_all([
            (Column::App, Cell::Text(self.name(seats))),
            (Column::Tag, Cell::Text(&sets.name)),
            (Column::Type, Cell::Text(sets.value_type.name())),
            (Column::Shard, Cell::Int(i64::from(number))),
        ])?;
        // The columns of the other types stay null.
        rows.set_all(Column::VALUES.map(|column| (column, Cell::Null)))?;
        let own = Column::of_type(sets.value_type);
        for (i, value) in sets.values.iter().enumerate() {
            let having = sets.seats(i).iter();
            self.ordinals.clear();
            self.ordinals
                .extend(having.map(|&seat| ordinals[seat as usize]));
            rows.set(own, value_cell(value))?;
            rows.push(self.ordinals.len() as u64, |out| {
                write_sorted(number, &self.ordinals, out)
            })?;
        }
        Ok(())
    }
}

/// The tags of an attributes source for the app whose users have these provisional seats; `orders`
/// are those of the tags' values.
fn attribute_sets(
    state: &Attributes,
    orders: &[CodeOrder],
    provisional: &[u32],
    cutter: &mut Cutter,
) -> Vec<TagSets> {
    let columns = state.tags.iter().zip(orders);
    columns
        .map(|(column, order)| TagSets::of_column(column, provisional, order, cutter))
        .collect()
}
