//! The end of a shard: puts users in order, cuts bitmaps app by app, evaluates groups, and hands
//! rows to the writers.
//!
//! ```text
//! new users sorted ─► ordinals ─► seats settled ─► per app: universe, tags, tag numbers, groups, behaviour
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use datafusion::error::Result;
use tagmill_schemas::Metric;
use tagmill_schemas::artifact::rejects::Column;
use tagmill_schemas::shard::{hash_of_id, id_bytes};
use tagmill_schemas::value::ValueType;

use super::app::{AppWriter, Audiences};
use super::app_order::AppOrder;
use super::buffers::EndBuffers;
use super::new_users::write_users;
use super::numbering::number_new_users;
use super::output::Output;
use super::report::{MOST_EVENT_NAMES, ShardReport};
use crate::funnels::FunnelsBefore;
use crate::plan::audience::Audience;
use crate::take::accounting::Count;
use crate::take::accounting::SUPERSEDED;
use crate::take::claims::reject_lost;
use crate::take::events::EventRows;
use crate::take::seats::{Dictionary, Settled};
use crate::take::shard::Shard;
use crate::take::sort_events::SortBuffers;
use crate::take::sorted_events::SortedEvents;
use crate::take::source_state::SourceState;
use crate::take::values::Values;
use crate::windows::load_windows;
use tagmill_warehouse::artifact::Cell;

/// What numbers of behaviour may take while tonight's day comes in, as a multiple of what they take
/// before.
const WINDOWS_ROOM: usize = 2;

/// Ends the shard; every row goes to `output`.
pub async fn finish(
    mut shard: Shard<'_>,
    audiences: Audiences<'_>,
    buffers: &mut EndBuffers,
    output: &mut Output,
) -> Result<ShardReport> {
    let started = Instant::now();
    let mut seconds = Vec::new();
    let events = event_names(&shard);
    let apps = AppOrder::of(&shard.apps);
    let ordinal_of = number_new_users(&shard, &apps);
    let settled = shard.seats.settle(&apps.rank, &ordinal_of);
    lap(&mut seconds, "settle", started);
    write_users(&shard, &ordinal_of, output).await?;
    let users = shard.ids.len() as u64;
    if !audiences.audience.needs_ids() {
        shard.ids = Dictionary::empty();
    }
    let sorted = sort_events(&mut shard, &settled, &mut buffers.sort);
    lap(&mut seconds, "sort_events", started);
    let seated = settled.apps.iter();
    let seated = seated.map(|of| (apps.name(of.rank), &settled.ordinals[of.start..of.end]));
    let night = (shard.number, shard.spec.date);
    let windows = audiences.audience.windows();
    let windows = load_windows(windows, seated, night, audiences.store).await?;
    if !windows.apps.is_empty() {
        (audiences.reserve)(windows.size() * WINDOWS_ROOM)?;
        lap(&mut seconds, "windows", started);
    }
    let funnels = &shard.spec.funnels;
    let funnels = FunnelsBefore::load(funnels, shard.number, audiences.store).await?;
    let mut writer = AppWriter::new(
        &shard,
        &settled,
        &apps,
        &sorted,
        windows,
        funnels,
        std::mem::take(&mut buffers.cutter),
    );
    for seats in &settled.apps {
        writer.write_app(*seats, &audiences, output)?;
        output.flush().await?;
    }
    let dimensions = writer.take_dimensions();
    let superseded = writer.superseded();
    let AppWriter {
        tags,
        groups,
        window_reports,
        lost,
        cutter,
        ..
    } = writer;
    buffers.cutter = cutter;
    lap(&mut seconds, "cut", started);
    for (source, app, rows) in superseded {
        shard.accounts[source].note(app, SUPERSEDED, rows);
    }
    count_duplicates(&mut shard, &settled, &sorted);
    buffers.sort.take_back(sorted.into_iter().flatten());
    reject_lost(&lost, &shard.state_of, &mut shard.accounts);
    write_rejects(&shard, output)?;
    let mut counts = counts(&shard);
    counts.append(&mut output.take_exceeded());
    Ok(ShardReport {
        shard: shard.number,
        files: Vec::new(),
        absorbed: Vec::new(),
        new_users: users - u64::from(shard.known),
        users,
        tags,
        dimensions,
        groups,
        lists: known_members(&shard, audiences.audience),
        windows: window_reports,
        counts,
        events,
        seconds,
    })
}

/// The names of events, by source, that rows had.
fn event_names(shard: &Shard<'_>) -> BTreeMap<String, BTreeSet<String>> {
    let sources = shard.spec.sources.iter().zip(&shard.state_of);
    let names = sources.filter_map(|(source, &state)| match shard.states.get(state)? {
        SourceState::Events(events, _) => {
            let names = events.names_in_rows(MOST_EVENT_NAMES);
            Some((source.name.clone(), names))
        }
        _ => None,
    });
    names.collect()
}

fn lap(seconds: &mut Vec<(String, f64)>, name: &str, started: Instant) {
    let before: f64 = seconds.iter().map(|(_, s)| s).sum();
    seconds.push((name.to_owned(), started.elapsed().as_secs_f64() - before));
}

fn sort_events(
    shard: &mut Shard<'_>,
    settled: &Settled,
    buffers: &mut SortBuffers,
) -> Vec<Option<SortedEvents>> {
    let take = |state: &mut SourceState| match state {
        SourceState::Events(rows, _) => {
            let empty = EventRows::new(Values::new_small(ValueType::String), Vec::new(), 0);
            Some(std::mem::replace(rows, empty).sort(&settled.seat_of, buffers))
        }
        _ => None,
    };
    shard.states.iter_mut().map(take).collect()
}

fn count_duplicates(shard: &mut Shard<'_>, settled: &Settled, sorted: &[Option<SortedEvents>]) {
    for (source, events) in sorted.iter().enumerate() {
        for &seat in events.iter().flat_map(|events| &events.duplicates) {
            let app = shard.seats.apps()[settled.provisional[seat as usize] as usize];
            shard.accounts[source].filter_accepted(app, &Metric::Duplicates);
        }
    }
}

/// In order of the artifact's key: sources, apps and rows arrive in any.
fn write_rejects(shard: &Shard<'_>, output: &mut Output) -> Result<()> {
    let mut rejects = Vec::new();
    for (source, account) in shard.spec.sources.iter().zip(&shard.accounts) {
        rejects.extend(
            account.samples().map(|(app, reason, row)| {
                (source.name.as_str(), app_name(shard, app), reason, row)
            }),
        );
    }
    rejects.sort();
    let day = Cell::Int(i64::from(shard.spec.day()));
    for (source, app, reason, row) in rejects {
        let app = app.as_deref().map_or(Cell::Null, Cell::Text);
        output.rejects.push([
            (Column::Date, day),
            (Column::Source, Cell::Text(source)),
            (Column::App, app),
            (Column::Reason, Cell::Text(reason)),
            (Column::Row, Cell::Text(row)),
            (Column::Shard, Cell::Int(i64::from(shard.number))),
        ])?;
    }
    Ok(())
}

/// None where a row names no app: it is null or empty.
fn app_name(shard: &Shard<'_>, app: u32) -> Option<String> {
    shard
        .apps
        .value(app)
        .map(|name| name.to_string())
        .filter(|name| !name.is_empty())
}

fn counts(shard: &Shard<'_>) -> Vec<Count> {
    shard
        .spec
        .sources
        .iter()
        .zip(&shard.accounts)
        .flat_map(|(source, account)| account.counts(&source.name, |app| app_name(shard, app)))
        .collect()
}

/// For every list how many of its members are users of this shard.
fn known_members(shard: &Shard<'_>, audience: &Audience) -> Vec<u64> {
    let mut scoped = Vec::new();
    let mut is_known = |app: &str, member: &str| {
        let key = id_bytes(shard.spec.id_scope, app, member, &mut scoped);
        shard.ids.lookup(hash_of_id(key), key).is_some()
    };
    audience
        .lists()
        .iter()
        .map(|list| {
            list.members
                .iter()
                .filter(|member| is_known(&list.app, member))
                .count() as u64
        })
        .collect()
}
