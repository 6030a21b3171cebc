//! The end of a shard: puts users in order, cuts bitmaps app by app, evaluates groups, and hands rows to the writers.
//!
//! ```text
//! new users sorted ─► ordinals ─► seats settled ─► per app: universe, tags, tag numbers, groups, behaviour
//! ```

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use datafusion::error::Result;
use tagmill_schemas::shard::{id_bytes, id_hash};
use tagmill_schemas::value::{Value, ValueType};
use tagmill_schemas::{Artifact, IdScope};
use tagmill_udfs::bitmap::write_sorted;
use xxhash_rust::xxh3::xxh3_64;

use super::atoms::AppSets;
use super::audience::Audience;
use super::behaviour::BehaviourWriter;
use super::bsi::{cut_slices, offset_for};
use super::cutter::Cutter;
use super::events::{EventRows, SortedEvents};
use super::exec::external;
use super::labels::{CARRIED, LabelRow, LabelRule, Labels};
use super::measure::scaled_double;
use super::members::{entered_and_left, ordinals_of};
use super::output::Output;
use super::radix::{bits_for, radix_sort};
use super::report::{GroupReport, ShardReport, TagReport};
use super::rows::{Cell, value_cells};
use super::seats::{AppSeats, Settled};
use super::shard::{Shard, SourceState};
use super::spec::RowsSpec;
use super::tag_sets::{CodeOrder, TagSets};
use super::values::{NULL_CODE, Values, positions};
use crate::error::of_datafusion;

/// What rules and comparisons need besides the shard itself.
pub struct Audiences<'a> {
    /// Programs by app.
    pub programs: &'a BTreeMap<String, Audience>,
    /// Groups of the earlier release.
    pub before: HashMap<(String, String), Vec<u8>>,
}

/// Ends the shard; every row goes to `output`.
pub async fn finish(mut shard: Shard<'_>, audiences: Audiences<'_>, output: &mut Output<'_>) -> Result<ShardReport> {
    let started = Instant::now();
    let mut seconds = Vec::new();
    let apps = AppOrder::of(&shard.apps);
    let ordinal_of = number_new_users(&shard, &apps);
    let settled = shard.seats.settle(&apps.rank, &ordinal_of);
    lap(&mut seconds, "settle", started);
    write_users(&shard, &ordinal_of, output).await?;
    let sorted = sort_events(&mut shard, &settled)?;
    lap(&mut seconds, "sort_events", started);
    let mut finishing = Finishing::new(&shard, &settled, &apps, &sorted);
    for seats in &settled.apps {
        finishing.write_app(*seats, &audiences, output)?;
        output.flush_full().await?;
    }
    let Finishing { tags, groups, .. } = finishing;
    lap(&mut seconds, "cut", started);
    count_duplicates(&mut shard, &settled, &sorted);
    write_rejects(&shard, output)?;
    let mut counts = counts(&shard);
    counts.append(&mut output.take_exceeded());
    Ok(ShardReport {
        shard: shard.number,
        files: Vec::new(),
        new_users: shard.ids.len() as u64 - u64::from(shard.known),
        users: shard.ids.len() as u64,
        tags,
        groups,
        lists: known_members(&shard),
        counts,
        seconds,
    })
}

fn lap(seconds: &mut Vec<(String, f64)>, name: &str, started: Instant) {
    let before: f64 = seconds.iter().map(|(_, s)| s).sum();
    seconds.push((name.to_owned(), started.elapsed().as_secs_f64() - before));
}

/// The order of the shard's apps by name.
struct AppOrder {
    names: Vec<String>,
    /// By app code.
    rank: Vec<u32>,
    codes: Vec<u32>,
}

impl AppOrder {
    fn of(apps: &Values) -> Self {
        let codes = apps.sorted_codes();
        let names = codes.iter().map(|&code| apps.value(code).map(|v| v.to_string()).unwrap_or_default()).collect();
        Self { names, rank: positions(&codes), codes }
    }

    fn name(&self, rank: u32) -> &str {
        &self.names[rank as usize]
    }

    fn code(&self, rank: u32) -> u32 {
        self.codes[rank as usize]
    }
}

/// User number -> ordinal. New users follow the known ones in order of (smallest app that saw them, id bytes).
fn number_new_users(shard: &Shard<'_>, apps: &AppOrder) -> Vec<u32> {
    let known = shard.known as usize;
    let mut smallest = vec![u32::MAX; shard.ids.len() - known];
    for (&app, &user) in shard.seats.apps().iter().zip(shard.seats.users()) {
        if let Some(least) = (user as usize).checked_sub(known).map(|new| &mut smallest[new]) {
            *least = (*least).min(apps.rank[app as usize]);
        }
    }
    let key = |new: usize| (smallest[new], prefix(shard.ids.get((known + new) as u32)));
    let mut order: Vec<(u32, u128, u32)> = (0..smallest.len()).map(|new| (key(new).0, key(new).1, (known + new) as u32)).collect();
    order.sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| shard.ids.get(a.2).cmp(shard.ids.get(b.2))));
    let mut ordinal_of: Vec<u32> = (0..shard.ids.len() as u32).collect();
    for (at, &(_, _, user)) in order.iter().enumerate() {
        ordinal_of[user as usize] = (known + at) as u32;
    }
    ordinal_of
}

/// The first 16 bytes as a number: most comparisons end here, without a look at the arena.
fn prefix(id: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let taken = id.len().min(16);
    bytes[..taken].copy_from_slice(&id[..taken]);
    u128::from_be_bytes(bytes)
}

async fn write_users(shard: &Shard<'_>, ordinal_of: &[u32], output: &mut Output<'_>) -> Result<()> {
    let known = shard.known as usize;
    let by_ordinal = positions_from(&ordinal_of[known..], known as u32);
    for (at, &user) in by_ordinal.iter().enumerate() {
        let user = user + known as u32;
        let id = shard.ids.get(user);
        let (app, user_id) = match shard.spec.id_scope {
            IdScope::Global => (None, id),
            IdScope::App => split_scoped(id),
        };
        output.rows(Artifact::Users).push([
            Cell::Int(i64::from(shard.number)),
            Cell::Int((known + at) as i64),
            app.map_or(Cell::Null, |app| Cell::Text(utf8(app))),
            Cell::Text(utf8(user_id)),
            Cell::Bytes(&id_hash(id)),
            Cell::Text(&shard.spec.run),
            Cell::Int(0),
            Cell::Null,
        ])?;
        if at % 65_536 == 65_535 {
            output.flush_full().await?;
        }
    }
    output.flush_full().await
}

/// For values `first..`, each once, their places in order.
fn positions_from(values: &[u32], first: u32) -> Vec<u32> {
    let shifted: Vec<u32> = values.iter().map(|&value| value - first).collect();
    positions(&shifted)
}

fn split_scoped(id: &[u8]) -> (Option<&[u8]>, &[u8]) {
    match id.iter().position(|&byte| byte == 0) {
        Some(at) => (Some(&id[..at]), &id[at + 1..]),
        None => (None, id),
    }
}

/// Ids come from text columns.
fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

fn sort_events(shard: &mut Shard<'_>, settled: &Settled) -> Result<Vec<Option<SortedEvents>>> {
    let take = |state: &mut SourceState| match state {
        SourceState::Events(rows, _) => {
            let empty = EventRows::new(Values::new_small(ValueType::String), Vec::new(), 0);
            std::mem::replace(rows, empty).sort(&settled.seat_of).map(Some)
        }
        _ => Ok(None),
    };
    shard.states.iter_mut().map(take).collect()
}

fn count_duplicates(shard: &mut Shard<'_>, settled: &Settled, sorted: &[Option<SortedEvents>]) {
    for (source, events) in sorted.iter().enumerate() {
        for &seat in events.iter().flat_map(|events| &events.duplicates) {
            let app = shard.seats.apps()[settled.provisional[seat as usize] as usize];
            shard.accounts[source].filter_accepted(app, "duplicates");
        }
    }
}

fn write_rejects(shard: &Shard<'_>, output: &mut Output<'_>) -> Result<()> {
    for (source, account) in shard.spec.sources.iter().zip(&shard.accounts) {
        for (app, reason, row) in account.samples() {
            let app = shard.apps.value(app).map(|v| v.to_string());
            let app = app.as_deref().map_or(Cell::Null, Cell::Text);
            output.rows(Artifact::Rejects).push([Cell::Text(&source.name), app, Cell::Text(reason), Cell::Text(row), Cell::Int(i64::from(shard.number))])?;
        }
    }
    Ok(())
}

fn counts(shard: &Shard<'_>) -> Vec<super::accounting::Count> {
    let name = |app: u32| if app == NULL_CODE { None } else { shard.apps.value(app).map(|v| v.to_string()) };
    shard.spec.sources.iter().zip(&shard.accounts).flat_map(|(source, account)| account.counts(&source.name, name)).collect()
}

/// For every list how many of its members are users of this shard.
fn known_members(shard: &Shard<'_>) -> Vec<u64> {
    let mut scoped = Vec::new();
    let mut is_known = |app: &str, member: &str| {
        let key = id_bytes(shard.spec.id_scope, app, member, &mut scoped);
        shard.ids.lookup(xxh3_64(key), key).is_some()
    };
    shard.spec.lists.iter().map(|list| list.members.iter().filter(|member| is_known(&list.app, member)).count() as u64).collect()
}

/// What stays the same from app to app.
struct Finishing<'a> {
    shard: &'a Shard<'a>,
    settled: &'a Settled,
    apps: &'a AppOrder,
    /// By source: the order of each attribute's values.
    columns: Vec<Vec<CodeOrder>>,
    labels: Vec<Option<LabelSets>>,
    behaviour: Vec<Option<BehaviourWriter<'a>>>,
    lists: HashMap<&'a str, HashMap<&'a str, &'a [String]>>,
    cutter: Cutter,
    bitmap: Vec<u8>,
    ordinals: Vec<u32>,
    tags: Vec<TagReport>,
    groups: Vec<GroupReport>,
}

/// The rows of one group-tags source in order of (label, seat), the last of duplicates only.
struct LabelSets {
    /// By (app rank, tag name): label number and its rows.
    by_app: BTreeMap<u32, Vec<(String, u32, std::ops::Range<usize>)>>,
    rows: Vec<(u32, u32, u32)>,
    /// The order of raw texts, which all string labels share.
    texts: CodeOrder,
}

impl<'a> Finishing<'a> {
    fn new(shard: &'a Shard<'a>, settled: &'a Settled, apps: &'a AppOrder, sorted: &'a [Option<SortedEvents>]) -> Self {
        let columns = shard.states.iter().map(|state| match state {
            SourceState::Attributes(state) => state.tags.iter().map(|tag| CodeOrder::of(&tag.values)).collect(),
            _ => Vec::new(),
        });
        let labels = shard.states.iter().map(|state| match state {
            SourceState::Labels(labels) => Some(LabelSets::of(labels, settled, apps)),
            _ => None,
        });
        let writer = |events: &'a Option<SortedEvents>| events.as_ref().map(|events| BehaviourWriter::new(events, &settled.ordinals, shard.number, shard.spec.day()));
        let mut lists: HashMap<&str, HashMap<&str, &[String]>> = HashMap::new();
        for list in &shard.spec.lists {
            lists.entry(&list.app).or_default().insert(&list.list, &list.members);
        }
        Self {
            shard,
            settled,
            apps,
            columns: columns.collect(),
            labels: labels.collect(),
            behaviour: sorted.iter().map(writer).collect(),
            lists,
            cutter: Cutter::default(),
            bitmap: Vec::new(),
            ordinals: Vec::new(),
            tags: Vec::new(),
            groups: Vec::new(),
        }
    }

    fn write_app(&mut self, seats: AppSeats, audiences: &Audiences<'_>, output: &mut Output<'_>) -> Result<()> {
        let app = self.apps.name(seats.rank);
        let ordinals = &self.settled.ordinals[seats.start..seats.end];
        self.bitmap.clear();
        write_sorted(self.shard.number, ordinals, &mut self.bitmap);
        output.rows(Artifact::Universe).push([Cell::Text(app), Cell::Int(i64::from(self.shard.number)), Cell::Bytes(&self.bitmap), Cell::Int(ordinals.len() as i64)])?;
        if !self.shard.spec.is_backfill {
            let sets = self.tag_sets(seats);
            for (source, sets) in &sets {
                self.write_tag(app, source, sets, ordinals, output)?;
            }
            let sets: Vec<TagSets> = sets.into_iter().map(|(_, sets)| sets).collect();
            if let Some(audience) = audiences.programs.get(app) {
                self.write_groups(app, seats, &sets, audience, audiences, output)?;
            }
        }
        self.write_behaviour(app, seats, output)
    }

    /// Every tag of the app with the source that has it, in order of the name.
    fn tag_sets(&mut self, seats: AppSeats) -> Vec<(String, TagSets)> {
        let provisional = &self.settled.provisional[seats.start..seats.end];
        let mut sets = Vec::new();
        for (number, (spec, state)) in self.shard.spec.sources.iter().zip(&self.shard.states).enumerate() {
            match state {
                SourceState::Attributes(state) => {
                    for (column, order) in state.tags.iter().zip(&self.columns[number]) {
                        sets.push((spec.name.clone(), TagSets::of_column(column, provisional, order, &mut self.cutter)));
                    }
                }
                SourceState::Labels(state) => {
                    let Some(found) = self.labels[number].as_ref() else { continue };
                    for (name, label, range) in found.by_app.get(&seats.rank).into_iter().flatten() {
                        let multi = matches!(state.labels[*label as usize].rule, LabelRule::Typed(_, true));
                        let values = state.values(*label);
                        sets.push((spec.name.clone(), found.sets(name, values, multi, range.clone(), seats.start, &mut self.cutter)));
                    }
                }
                SourceState::Events(..) => {}
            }
        }
        sets.retain(|(_, sets)| !sets.values.is_empty());
        sets.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        sets
    }

    fn write_tag(&mut self, app: &str, source: &str, sets: &TagSets, ordinals: &[u32], output: &mut Output<'_>) -> Result<()> {
        let shard = Cell::Int(i64::from(self.shard.number));
        for (i, value) in sets.values.iter().enumerate() {
            self.ordinals.clear();
            self.ordinals.extend(sets.seats(i).iter().map(|&seat| ordinals[seat as usize]));
            self.bitmap.clear();
            write_sorted(self.shard.number, &self.ordinals, &mut self.bitmap);
            let key = [Cell::Text(app), Cell::Text(&sets.name), Cell::Text(sets.value_type.name())];
            let tail = [shard, Cell::Bytes(&self.bitmap), Cell::Int(self.ordinals.len() as i64)];
            output.rows(Artifact::Tags).push(key.into_iter().chain(value_cells(value)).chain(tail))?;
        }
        self.tags.push(TagReport {
            app: app.to_owned(),
            tag: sets.name.clone(),
            value_type: sets.value_type,
            multi: sets.multi,
            source: source.to_owned(),
            values: sets.values.iter().map(ToString::to_string).collect(),
        });
        self.write_numbers(app, sets, ordinals, output)
    }

    /// The bit-sliced index of a single-valued numeric tag.
    fn write_numbers(&mut self, app: &str, sets: &TagSets, ordinals: &[u32], output: &mut Output<'_>) -> Result<()> {
        let Some((numbers, scale)) = integers(sets)? else { return Ok(()) };
        let offset = offset_for(numbers.iter().copied().min().unwrap_or(0));
        let values = sets.by_seat(ordinals.len());
        let triples = values.iter().map(|&(seat, value)| (0, ordinals[seat as usize], numbers[value as usize]));
        let Self { cutter, bitmap, shard, .. } = self;
        let rows = output.rows(Artifact::TagNumbers);
        cut_slices(cutter, 1, offset, triples, |_, slice, ordinals| {
            bitmap.clear();
            write_sorted(shard.number, ordinals, bitmap);
            rows.push([
                Cell::Text(app),
                Cell::Text(&sets.name),
                Cell::Text(sets.value_type.name()),
                Cell::Int(i64::from(scale)),
                Cell::Int(offset),
                Cell::Int(i64::from(slice)),
                Cell::Int(i64::from(shard.number)),
                Cell::Bytes(bitmap),
                Cell::Int(ordinals.len() as i64),
            ])
        })
    }

    fn write_groups(&mut self, app: &str, seats: AppSeats, sets: &[TagSets], audience: &Audience, audiences: &Audiences<'_>, output: &mut Output<'_>) -> Result<()> {
        let provisional = &self.settled.provisional[seats.start..seats.end];
        let users: Vec<u32> = provisional.iter().map(|&seat| self.shard.seats.users()[seat as usize]).collect();
        let code = self.apps.code(seats.rank);
        let seat_of_user = |user: u32| self.shard.seats.find(code, user).map(|seat| self.settled.seat_of[seat as usize] - seats.start as u32);
        let none = HashMap::new();
        let lists = self.lists.get(app).unwrap_or(&none);
        let found = AppSets { app, id_scope: self.shard.spec.id_scope, tags: sets, ids: &self.shard.ids, users: &users, seat_of_user: &seat_of_user, lists };
        let ordinals = &self.settled.ordinals[seats.start..seats.end];
        let Self { ordinals: members, bitmap, groups, shard, .. } = self;
        let number = shard.number;
        let mut emit = |group: usize, words: &[u64]| {
            ordinals_of(words, ordinals, members);
            let name = &audience.groups[group];
            let before = audiences.before.get(&(app.to_owned(), name.clone())).map(Vec::as_slice);
            let (entered, left) = entered_and_left(members, before, number)?;
            groups.push(GroupReport { app: app.to_owned(), group: name.clone(), cardinality: members.len() as u64, entered, left });
            if members.is_empty() {
                return Ok(());
            }
            bitmap.clear();
            write_sorted(number, members, bitmap);
            output.rows(Artifact::Groups).push([
                Cell::Text(app),
                Cell::Text(name),
                Cell::Int(i64::from(number)),
                Cell::Bytes(bitmap),
                Cell::Int(members.len() as i64),
                Cell::Int(entered as i64),
                Cell::Int(left as i64),
            ])
        };
        let ours = |e| of_datafusion("groups", e);
        let done = audience.program.evaluate(seats.end - seats.start, &mut |atom, words| found.fill(atom, words).map_err(ours), &mut |group, words| emit(group, words).map_err(ours));
        done.map_err(external)
    }

    fn write_behaviour(&mut self, app: &str, seats: AppSeats, output: &mut Output<'_>) -> Result<()> {
        let limits = self.shard.spec.limits.of(app);
        for (spec, writer) in self.shard.spec.sources.iter().zip(&mut self.behaviour) {
            if let (RowsSpec::Events { shapes, .. }, Some(writer)) = (&spec.rows, writer) {
                let mut rows = output.take_behaviour();
                let exceeded = writer.write_app(app, seats, limits, &|event| shapes.shape(app, event), &mut rows.0, &mut rows.1)?;
                output.put_behaviour(rows);
                output.exceeded(&spec.name, app, &exceeded);
            }
        }
        Ok(())
    }
}

/// The values of a numeric single-valued tag as integers of a scale, none for other tags.
fn integers(sets: &TagSets) -> Result<Option<(Vec<i64>, u8)>> {
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
    Ok(Some((numbers, if sets.value_type == ValueType::Double { scale } else { 0 })))
}

impl LabelSets {
    fn of(labels: &Labels, settled: &Settled, apps: &AppOrder) -> Self {
        let rows = winners(labels, settled);
        let mut by_app: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        let mut start = 0;
        for run in rows.chunk_by(|a, b| a.0 == b.0) {
            let label = &labels.labels[run[0].0 as usize];
            let name = labels.names.value(label.tag).map(|v| v.to_string()).unwrap_or_default();
            by_app.entry(apps.rank[label.app as usize]).or_default().push((name, run[0].0, start..start + run.len()));
            start += run.len();
        }
        by_app.values_mut().for_each(|found| found.sort_by(|a, b| a.0.cmp(&b.0)));
        Self { by_app, rows, texts: CodeOrder::of(labels.texts()) }
    }

    fn sets(&self, name: &str, values: &Values, multi: bool, range: std::ops::Range<usize>, first_seat: usize, cutter: &mut Cutter) -> TagSets {
        let own;
        let order = if values.value_type() == ValueType::String {
            &self.texts
        } else {
            own = CodeOrder::of(values);
            &own
        };
        for &(_, seat, code) in &self.rows[range] {
            cutter.push(order.rank(code), seat - first_seat as u32);
        }
        TagSets::cut(name, values, multi, None, order, cutter)
    }
}

/// (label, seat, code) of the rows that count, in order of label and seat: of a single-valued tag the latest row, of a
/// multi-valued one all of today's, or the carried ones when there are none today.
fn winners(labels: &Labels, settled: &Settled) -> Vec<(u32, u32, u32)> {
    let key = |row: &LabelRow| u64::from(row.label) << 32 | u64::from(settled.seat_of[row.seat as usize]);
    let mut rows: Vec<(u64, LabelRow)> = labels.rows.iter().map(|row| (key(row), *row)).collect();
    radix_sort(&mut rows, &mut Vec::new(), 32 + bits_for(labels.labels.len()), |(key, _)| *key);
    let mut kept = Vec::new();
    for run in rows.chunk_by_mut(|a, b| a.0 == b.0) {
        let (label, seat) = ((run[0].0 >> 32) as u32, run[0].0 as u32);
        let values = labels.values(label);
        run.sort_unstable_by(|(_, a), (_, b)| a.order.cmp(&b.order).then_with(|| compare(values, a.code, b.code)));
        let multi = matches!(labels.labels[label as usize].rule, LabelRule::Typed(_, true));
        let last = run[run.len() - 1].1;
        let has_today = last.order != CARRIED;
        let counts = |row: &LabelRow| if multi { !has_today || row.order != CARRIED } else { row.code == last.code };
        let first = kept.len();
        kept.extend(run.iter().filter(|(_, row)| row.code != NULL_CODE && counts(row)).map(|(_, row)| (label, seat, row.code)));
        kept[first..].sort_unstable();
        let distinct = first + dedup_len(&mut kept[first..]);
        kept.truncate(distinct);
    }
    kept
}

fn dedup_len(rows: &mut [(u32, u32, u32)]) -> usize {
    let mut kept = 0;
    for at in 0..rows.len() {
        if kept == 0 || rows[at] != rows[kept - 1] {
            rows[kept] = rows[at];
            kept += 1;
        }
    }
    kept
}

fn compare(values: &Values, a: u32, b: u32) -> std::cmp::Ordering {
    match (values.value(a), values.value(b)) {
        (Some(a), Some(b)) => a.cmp_total(&b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}
