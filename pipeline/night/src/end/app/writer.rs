//! Writes one app after the other: its universe here, the other artifacts in the files beside.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::error::Result;
use tagmill_bitmap::write_sorted;
use tagmill_schemas::Metric;
use tagmill_schemas::artifact::universe::Column;
use tagmill_schemas::metric::Note;
use tagmill_warehouse::artifact::Cell;

use super::audiences::Audiences;
use crate::end::app_order::AppOrder;
use crate::end::behaviour::BehaviourWriter;
use crate::end::cutter::Cutter;
use crate::end::label_sets::LabelSets;
use crate::end::output::Output;
use crate::end::report::{DimensionReport, GroupReport, TagReport, WindowReport};
use crate::end::tag_sets::{CodeOrder, TagSets};
use crate::funnels::{FunnelsBefore, StepEvent};
use crate::take::claims::Lost;
use crate::take::seats::{AppSeats, Settled};
use crate::take::shard::Shard;
use crate::take::sorted_events::SortedEvents;
use crate::take::source_state::SourceState;
use crate::windows::ShardWindows;

/// What stays the same from app to app.
pub struct AppWriter<'a> {
    pub(super) shard: &'a Shard<'a>,
    pub(super) settled: &'a Settled,
    pub(super) apps: &'a AppOrder,
    /// By source: the order of each attribute's values.
    pub(super) columns: Vec<Vec<CodeOrder>>,
    /// By source.
    pub(super) labels: Vec<Option<LabelSets>>,
    /// By source.
    pub(super) behaviour: Vec<Option<BehaviourWriter<'a>>>,
    /// Memory for the next shard.
    pub cutter: Cutter,
    /// Memory for the ordinals of one set.
    pub(super) ordinals: Vec<u32>,
    /// Tags written.
    pub tags: Vec<TagReport>,
    /// Groups written.
    pub groups: Vec<GroupReport>,
    /// Numbers of behaviour that are not exact.
    pub window_reports: Vec<WindowReport>,
    /// Events that belong to another source.
    pub lost: Vec<Lost>,
    /// Apps that may have more events than their limit.
    pub(super) events: Vec<DimensionReport>,
    /// The numbers of behaviour of the apps that are not written yet.
    pub(super) windows: ShardWindows<'a>,
    /// What the night before has of funnels.
    pub(super) funnels: FunnelsBefore,
    /// Events of the app that are steps, by the place of the funnel in the night's.
    pub(super) steps: BTreeMap<usize, Vec<StepEvent>>,
    /// Funnels of the app with a step that is beyond a limit.
    pub(super) unpublished_steps: BTreeSet<usize>,
}

impl<'a> AppWriter<'a> {
    /// A writer over a shard whose seats and events are in order.
    /// `cutter` brings memory of earlier shards.
    pub fn new(
        shard: &'a Shard<'a>,
        settled: &'a Settled,
        apps: &'a AppOrder,
        sorted: &'a [Option<SortedEvents>],
        windows: ShardWindows<'a>,
        funnels: FunnelsBefore,
        cutter: Cutter,
    ) -> Self {
        let columns = shard.states.iter().map(|state| match state {
            SourceState::Attributes(state) => state
                .tags
                .iter()
                .map(|tag| CodeOrder::of(&tag.values))
                .collect(),
            _ => Vec::new(),
        });
        let labels = shard.states.iter().map(|state| match state {
            SourceState::Labels(labels) => Some(LabelSets::of(labels, settled, apps)),
            _ => None,
        });
        let writer = |events: &'a Option<SortedEvents>| {
            events.as_ref().map(|events| {
                BehaviourWriter::new(events, &settled.ordinals, shard.number, shard.spec.day())
            })
        };
        Self {
            shard,
            settled,
            apps,
            columns: columns.collect(),
            labels: labels.collect(),
            behaviour: sorted.iter().map(writer).collect(),
            cutter,
            ordinals: Vec::new(),
            tags: Vec::new(),
            groups: Vec::new(),
            window_reports: Vec::new(),
            lost: Vec::new(),
            events: Vec::new(),
            windows,
            funnels,
            steps: BTreeMap::new(),
            unpublished_steps: BTreeSet::new(),
        }
    }

    /// Dimensions that may have more values than their limit, and apps more events.
    pub fn take_dimensions(&mut self) -> Vec<DimensionReport> {
        let sources = self.shard.spec.sources.iter().zip(&mut self.behaviour);
        let reports = sources.flat_map(|(source, writer)| {
            let reports = writer
                .as_mut()
                .map(|writer| std::mem::take(&mut writer.chooser.reports))
                .unwrap_or_default();
            reports.into_iter().map(|report| DimensionReport {
                source: source.name.clone(),
                ..report
            })
        });
        reports.chain(std::mem::take(&mut self.events)).collect()
    }

    /// Rows of group tags that others took the place of: source, code of the app, how many.
    pub fn superseded(&self) -> Vec<(usize, u32, u64)> {
        let labels = self.labels.iter().enumerate();
        labels
            .flat_map(|(source, labels)| {
                let counts = labels.iter().flat_map(|labels| &labels.superseded);
                counts.map(move |(&app, &rows)| (source, app, rows))
            })
            .collect()
    }

    /// Writes one app. A backfill writes its universe and behaviour only. Rules come last: they ask
    /// for tonight's behaviour.
    ///
    /// # Errors
    /// Those of evaluating rules and of the rows.
    pub fn write_app(
        &mut self,
        seats: AppSeats,
        audiences: &Audiences<'_>,
        output: &mut Output,
    ) -> Result<()> {
        self.write_universe(seats, output)?;
        if self.shard.spec.is_backfill {
            self.write_behaviour(seats, output)?;
            return self.write_funnels(seats, output);
        }
        let sets = self.write_tags(seats, output)?;
        self.write_behaviour(seats, output)?;
        self.write_funnels(seats, output)?;
        self.write_groups(seats, &sets, audiences, output)?;
        self.write_windows(seats, output)
    }

    /// The app's name.
    pub(super) fn name(&self, seats: AppSeats) -> &'a str {
        self.apps.name(seats.rank)
    }

    /// The ordinals of the app's users, by seat from the app's first one on; ascending.
    pub(super) fn ordinals_of(&self, seats: AppSeats) -> &'a [u32] {
        &self.settled.ordinals[seats.start..seats.end]
    }

    /// The provisional seats of the app's users, by seat from the app's first one on.
    pub(super) fn provisional_of(&self, seats: AppSeats) -> &'a [u32] {
        &self.settled.provisional[seats.start..seats.end]
    }

    fn write_universe(&self, seats: AppSeats, output: &mut Output) -> Result<()> {
        let (number, ordinals) = (self.shard.number, self.ordinals_of(seats));
        let mut rows = output.rows()?;
        rows.set_all([
            (Column::App, Cell::Text(self.name(seats))),
            (Column::Shard, Cell::Int(i64::from(number))),
        ])?;
        Ok(rows.push(ordinals.len() as u64, |out| {
            write_sorted(number, ordinals, out)
        })?)
    }

    /// Writes every tag of the app and returns them in order of the name.
    fn write_tags(&mut self, seats: AppSeats, output: &mut Output) -> Result<Vec<TagSets>> {
        let app = self.name(seats);
        let mut sets = self.tag_sets(seats);
        // Of a name that is new tonight nobody knows yet whose it is.
        sets.dedup_by(|(source, later), (_, first)| {
            let is_again = later.name == first.name;
            let twice = Metric::Noted(Note::TagOfOtherSource);
            output.exceeded(source, app, twice, u64::from(is_again));
            is_again
        });
        for (source, sets) in &sets {
            self.write_tag(seats, source, sets, output)?;
        }
        Ok(sets.into_iter().map(|(_, sets)| sets).collect())
    }
}
