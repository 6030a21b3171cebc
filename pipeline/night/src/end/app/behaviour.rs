//! The behaviour of one app: the events of all sources, in order of the name.

use datafusion::error::Result;
use tagmill_schemas::Metric;
use tagmill_schemas::artifact::{behaviour, behaviour_measures};
use tagmill_schemas::metric::Limited;

use super::event_limit::EventLimit;
use super::writer::AppWriter;
use crate::end::behaviour::{AppEvent, BehaviourOutput, EventItems};
use crate::end::output::Output;
use crate::plan::spec::RowsSpec;
use crate::take::claims::{Lost, owned};
use crate::take::seats::AppSeats;

/// What one source has of one event.
struct Found {
    event: String,
    source: usize,
    items: EventItems,
}

impl AppWriter<'_> {
    /// Writes the events of the app. Those that belong to another source are not written but kept
    /// as lost.
    ///
    /// # Errors
    /// More values of a dimension than can be cut; those of the rows.
    pub(super) fn write_behaviour(&mut self, seats: AppSeats, output: &mut Output) -> Result<()> {
        let (spec, app) = (self.shard.spec, self.name(seats));
        if spec.set_aside.contains(app) {
            return self.copy_behaviour(app, output);
        }
        let limits = spec.limits.of(app);
        let found = self.events_of(seats, output);
        let names: Vec<(&str, usize)> = found
            .iter()
            .map(|found| (found.event.as_str(), found.source))
            .collect();
        let owned = owned(spec, app, &names);
        let mut left_out = vec![0; spec.sources.len()];
        let mut unpublished = vec![0; spec.sources.len()];
        let mut limit = EventLimit::of(spec, app, limits);
        let (behaviour, measures) = output.rows_of_both()?;
        let mut rows = BehaviourOutput {
            behaviour,
            measures,
            tap: None,
        };
        for (found, is_owned) in found.into_iter().zip(owned) {
            let Found {
                event,
                source,
                items,
            } = found;
            let RowsSpec::Events { shapes, .. } = &spec.sources[source].rows else {
                continue;
            };
            if !is_owned {
                self.lost.push(Lost {
                    source,
                    app: self.apps.code(seats.rank),
                    event,
                    rows: items.rows(),
                });
            } else if !limit.admits(spec, source, &event, items.combinations.len()) {
                unpublished[source] += items.rows();
                self.note_unpublished(app, &event);
            } else if let Some(shape) = shapes.shape(app, &event) {
                rows.tap = self.tap(app, &event);
                let of_app = AppEvent {
                    app,
                    event: &event,
                    limits,
                    spec,
                };
                let Some(writer) = &mut self.behaviour[source] else {
                    continue;
                };
                left_out[source] +=
                    writer.write_event(&mut self.cutter, &of_app, &items, &shape, &mut rows)?;
                self.keep_steps(seats, source, (&event, &items), &shape)?;
                if let Some(tap) = rows.tap.take() {
                    self.add_tonight(app, &event, &tap)?;
                }
            }
            if let Some(writer) = &mut self.behaviour[source] {
                writer.give_back(items);
            }
        }
        self.events.extend(limit.report());
        for (source, (sums, rows)) in spec
            .sources
            .iter()
            .zip(left_out.into_iter().zip(unpublished))
        {
            let beyond = Metric::OverLimit;
            output.exceeded(&source.name, app, beyond(Limited::Sums), sums);
            output.exceeded(&source.name, app, beyond(Limited::EventRows), rows);
        }
        Ok(())
    }

    /// Writes what the date has already of an app that is set aside.
    fn copy_behaviour(&self, app: &str, output: &mut Output) -> Result<()> {
        let earlier = &self.shard.earlier;
        let (mut users, mut measures) =
            output.rows_of_both::<behaviour::Column, behaviour_measures::Column>()?;
        for batch in earlier.users(app) {
            (0..batch.num_rows()).try_for_each(|row| users.copy(batch, row))?;
        }
        for batch in earlier.measures(app) {
            (0..batch.num_rows()).try_for_each(|row| measures.copy(batch, row))?;
        }
        Ok(())
    }

    /// The events of all sources, in order of the name, then of the source.
    fn events_of(&mut self, seats: AppSeats, output: &mut Output) -> Vec<Found> {
        let (spec, app) = (self.shard.spec, self.name(seats));
        let limit = spec.limits.of(app).combinations;
        let mut found = Vec::new();
        for (source, writer) in self.behaviour.iter_mut().enumerate() {
            let Some(writer) = writer else { continue };
            let (events, exceeded) = writer.events_of(seats, limit);
            let beyond = Metric::OverLimit(Limited::Combinations);
            output.exceeded(&spec.sources[source].name, app, beyond, exceeded);
            found.extend(events.into_iter().map(|(event, items)| Found {
                event,
                source,
                items,
            }));
        }
        found.sort_by(|a, b| (&a.event, a.source).cmp(&(&b.event, b.source)));
        found
    }
}
