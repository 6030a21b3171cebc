//! Which events of an app are published when rows bring more names than the limit: those that the
//! release before chose. The night that exceeds it first publishes all, as no shard knows what the
//! others see, and tells the driver what it chooses from.

use crate::end::report::DimensionReport;
use crate::plan::kept_values::EVENTS;
use crate::plan::spec::{BehaviourLimits, EventShapes, NightSpec, RowsSpec};

/// The events of one app in one shard, as far as only rows say their names.
pub(super) struct EventLimit<'a> {
    app: &'a str,
    limit: usize,
    /// Of the app's events so many need not be told by a shard.
    share: usize,
    /// What the release before chose; ascending.
    kept: Option<&'a [String]>,
    /// The source of the first event.
    source: Option<&'a str>,
    seen: Vec<(String, u64)>,
}

impl<'a> EventLimit<'a> {
    /// No events yet.
    pub(super) fn of(spec: &'a NightSpec, app: &'a str, limits: BehaviourLimits) -> Self {
        Self {
            app,
            limit: limits.events,
            share: limits.events / 4 / spec.shards.get() as usize,
            kept: spec.kept_values.events_of(app),
            source: None,
            seen: Vec::new(),
        }
    }

    /// Counts an event with so many combinations; whether it is published. What a registry declares
    /// is within its limit already.
    pub(super) fn admits(
        &mut self,
        spec: &'a NightSpec,
        source: usize,
        event: &str,
        combinations: usize,
    ) -> bool {
        let source = &spec.sources[source];
        let is_open = matches!(
            source.rows,
            RowsSpec::Events {
                shapes: EventShapes::Columns { .. },
                ..
            }
        );
        if !is_open {
            return true;
        }
        self.source.get_or_insert(&source.name);
        self.seen.push((event.to_owned(), combinations as u64));
        self.kept.is_none_or(|kept| is_in(kept, event))
    }

    /// What the driver chooses from; nothing of an app with few events and no choice.
    pub(super) fn report(mut self) -> Option<DimensionReport> {
        let distinct = self.seen.len();
        if self.kept.is_none() && distinct <= self.share {
            return None;
        }
        let kept = self.kept.unwrap_or_default();
        let (mut values, mut others): (Vec<_>, Vec<_>) = std::mem::take(&mut self.seen)
            .into_iter()
            .partition(|(event, _)| is_in(kept, event));
        others.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        others.truncate(self.limit);
        values.append(&mut others);
        Some(DimensionReport {
            source: self.source?.to_owned(),
            app: self.app.to_owned(),
            event: EVENTS.to_owned(),
            dimension: EVENTS.to_owned(),
            distinct: distinct as u64,
            values,
        })
    }
}

fn is_in(kept: &[String], event: &str) -> bool {
    kept.binary_search_by(|name| name.as_str().cmp(event))
        .is_ok()
}
