//! Everything that is written app by app: universe, tags, tag numbers, groups, behaviour.

use std::collections::{BTreeMap, HashMap};

use datafusion::error::Result;
use tagmill_bitmap::pick;
use tagmill_bitmap::write_sorted;
use tagmill_schemas::Metric;
use tagmill_schemas::artifact::{groups, tag_numbers, tags, universe};
use tagmill_schemas::metric::{Limited, Note};
use tagmill_schemas::value::{Value, ValueType};

use super::app_order::AppOrder;
use super::atoms::AppSets;
use super::behaviour::{BehaviourWriter, EventPlace};
use super::bsi::{cut_slices, offset_for};
use super::cutter::Cutter;
use super::kept::DimensionReport;
use super::label_sets::LabelSets;
use super::members::entered_and_left;
use super::output::Output;
use super::report::{GroupReport, TagReport};
use super::tag_sets::{CodeOrder, TagSets};
use crate::plan::audience::Audience;
use crate::plan::spec::RowsSpec;
use crate::take::claims::{Lost, owned};
use crate::take::events::SortedEvents;
use crate::take::labels::LabelRule;
use crate::take::measure::scaled_double;
use crate::take::seats::{AppSeats, Settled};
use crate::take::shard::{Shard, SourceState};
use crate::take::typed_values::TypedValues;
use tagmill_engine::external;
use tagmill_engine::{Work, of_datafusion};
use tagmill_rules::Atom;
use tagmill_warehouse::artifact::{Cell, value_cell};

/// What rules and comparisons need besides the shard itself.
pub struct Audiences<'a> {
    /// Programs by app.
    pub programs: &'a BTreeMap<String, Audience>,
    /// Groups of the earlier release.
    pub before: HashMap<(String, String), Vec<u8>>,
}

impl Audiences<'_> {
    /// Whether a rule looks at the ids of users.
    pub fn need_ids(&self) -> bool {
        let atoms = self
            .programs
            .values()
            .flat_map(|audience| audience.program.atoms());
        atoms
            .into_iter()
            .any(|atom| matches!(atom, Atom::InSplit { .. } | Atom::InList(_)))
    }
}

/// What stays the same from app to app.
pub struct AppWriter<'a> {
    shard: &'a Shard<'a>,
    settled: &'a Settled,
    apps: &'a AppOrder,
    /// By source: the order of each attribute's values.
    columns: Vec<Vec<CodeOrder>>,
    labels: Vec<Option<LabelSets>>,
    behaviour: Vec<Option<BehaviourWriter<'a>>>,
    lists: HashMap<&'a str, HashMap<&'a str, &'a [String]>>,
    /// Memory for the next shard.
    pub cutter: Cutter,
    ordinals: Vec<u32>,
    /// Tags written.
    pub tags: Vec<TagReport>,
    /// Groups written.
    pub groups: Vec<GroupReport>,
    /// Events that belong to another source.
    pub lost: Vec<Lost>,
}

impl<'a> AppWriter<'a> {
    /// A writer over a shard whose seats and events are in order.
    /// `cutter` brings memory of earlier shards.
    pub fn new(
        shard: &'a Shard<'a>,
        settled: &'a Settled,
        apps: &'a AppOrder,
        sorted: &'a [Option<SortedEvents>],
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
        let mut lists: HashMap<&str, HashMap<&str, &[String]>> = HashMap::new();
        for list in &shard.spec.lists {
            lists
                .entry(&list.app)
                .or_default()
                .insert(&list.list, &list.members);
        }
        Self {
            shard,
            settled,
            apps,
            columns: columns.collect(),
            labels: labels.collect(),
            behaviour: sorted.iter().map(writer).collect(),
            lists,
            cutter,
            ordinals: Vec::new(),
            tags: Vec::new(),
            groups: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// Dimensions that may have more values than their limit.
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
        reports.collect()
    }

    /// Writes one app.
    pub fn write_app(
        &mut self,
        seats: AppSeats,
        audiences: &Audiences<'_>,
        output: &mut Output,
    ) -> Result<()> {
        let app = self.apps.name(seats.rank);
        let ordinals = &self.settled.ordinals[seats.start..seats.end];
        let mut universe = output.rows()?;
        universe.set_all([
            (universe::Column::App, Cell::Text(app)),
            (
                universe::Column::Shard,
                Cell::Int(i64::from(self.shard.number)),
            ),
        ])?;
        universe.push(ordinals.len() as u64, |out| {
            write_sorted(self.shard.number, ordinals, out)
        })?;
        if !self.shard.spec.is_backfill {
            let mut sets = self.tag_sets(seats);
            // Of a name that is new tonight nobody knows yet whose it is.
            sets.dedup_by(|(source, later), (_, first)| {
                let is_again = later.name == first.name;
                let twice = Metric::Noted(Note::TagOfOtherSource);
                output.exceeded(source, app, twice, u64::from(is_again));
                is_again
            });
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

    /// Every tag of the app with the source that has it, in order of the name, then of the
    /// configuration.
    fn tag_sets(&mut self, seats: AppSeats) -> Vec<(String, TagSets)> {
        let provisional = &self.settled.provisional[seats.start..seats.end];
        let mut sets = Vec::new();
        for (number, (spec, state)) in self
            .shard
            .spec
            .sources
            .iter()
            .zip(&self.shard.states)
            .enumerate()
        {
            match state {
                SourceState::Attributes(state) => {
                    for (column, order) in state.tags.iter().zip(&self.columns[number]) {
                        sets.push((
                            spec.name.clone(),
                            TagSets::of_column(column, provisional, order, &mut self.cutter),
                        ));
                    }
                }
                SourceState::Labels(state) => {
                    let Some(found) = self.labels[number].as_ref() else {
                        continue;
                    };
                    for (name, label, range) in found.by_app.get(&seats.rank).into_iter().flatten()
                    {
                        let multi = matches!(
                            state.labels[*label as usize].rule,
                            LabelRule::Typed(_, true)
                        );
                        let values = state.values(*label);
                        sets.push((
                            spec.name.clone(),
                            found.sets(
                                name,
                                values,
                                multi,
                                range.clone(),
                                seats.start,
                                &mut self.cutter,
                            ),
                        ));
                    }
                }
                SourceState::Events(..) => {}
            }
        }
        sets.retain(|(_, sets)| !sets.values.is_empty());
        sets.sort_by(|a, b| a.1.name.cmp(&b.1.name));
        sets
    }

    fn write_tag(
        &mut self,
        app: &str,
        source: &str,
        sets: &TagSets,
        ordinals: &[u32],
        output: &mut Output,
    ) -> Result<()> {
        let shard = Cell::Int(i64::from(self.shard.number));
        let withheld = self
            .shard
            .spec
            .withheld
            .get(app)
            .and_then(|tags| tags.get(&sets.name));
        let reported = withheld.map_or(sets.values.len(), |limit| {
            sets.values.len().min(*limit as usize + 1)
        });
        let mut rows = output.rows()?;
        rows.set_all([
            (tags::Column::App, Cell::Text(app)),
            (tags::Column::Tag, Cell::Text(&sets.name)),
            (tags::Column::Type, Cell::Text(sets.value_type.name())),
            (tags::Column::Shard, shard),
        ])?;
        // The columns of the other types stay null.
        rows.set_all(tags::Column::VALUES.map(|column| (column, Cell::Null)))?;
        let own = tags::Column::of_type(sets.value_type);
        for (i, value) in sets
            .values
            .iter()
            .enumerate()
            .filter(|_| withheld.is_none())
        {
            self.ordinals.clear();
            self.ordinals
                .extend(sets.seats(i).iter().map(|&seat| ordinals[seat as usize]));
            rows.set(own, value_cell(value))?;
            rows.push(self.ordinals.len() as u64, |out| {
                write_sorted(self.shard.number, &self.ordinals, out)
            })?;
        }
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
            Ok(())
        } else {
            self.write_numbers(app, sets, ordinals, output)
        }
    }

    /// The bit-sliced index of a single-valued numeric tag.
    fn write_numbers(
        &mut self,
        app: &str,
        sets: &TagSets,
        ordinals: &[u32],
        output: &mut Output,
    ) -> Result<()> {
        let Some((numbers, scale)) = integers(sets)? else {
            return Ok(());
        };
        let offset = offset_for(numbers.iter().copied().min().unwrap_or(0));
        let values = sets.by_seat(ordinals.len());
        let triples = values
            .iter()
            .map(|&(seat, value)| (0, ordinals[seat as usize], numbers[value as usize]));
        let Self { cutter, shard, .. } = self;
        let mut rows = output.rows()?;
        rows.set_all([
            (tag_numbers::Column::App, Cell::Text(app)),
            (tag_numbers::Column::Tag, Cell::Text(&sets.name)),
            (
                tag_numbers::Column::Type,
                Cell::Text(sets.value_type.name()),
            ),
            (tag_numbers::Column::Scale, Cell::Int(i64::from(scale))),
            (tag_numbers::Column::Offset, Cell::Int(offset)),
            (
                tag_numbers::Column::Shard,
                Cell::Int(i64::from(shard.number)),
            ),
        ])?;
        cut_slices(cutter, 1, offset, triples, |_, slice, ordinals| {
            rows.set(tag_numbers::Column::Slice, Cell::Int(i64::from(slice)))?;
            Ok(rows.push(ordinals.len() as u64, |out| {
                write_sorted(shard.number, ordinals, out)
            })?)
        })
    }

    fn write_groups(
        &mut self,
        app: &str,
        seats: AppSeats,
        sets: &[TagSets],
        audience: &Audience,
        audiences: &Audiences<'_>,
        output: &mut Output,
    ) -> Result<()> {
        let provisional = &self.settled.provisional[seats.start..seats.end];
        let users: Vec<u32> = provisional
            .iter()
            .map(|&seat| self.shard.seats.users()[seat as usize])
            .collect();
        let code = self.apps.code(seats.rank);
        let seat_of_user = |user: u32| {
            self.shard
                .seats
                .find(&self.shard.ids, code, user)
                .map(|seat| self.settled.seat_of[seat as usize] - seats.start as u32)
        };
        let none = HashMap::new();
        let lists = self.lists.get(app).unwrap_or(&none);
        let found = AppSets {
            app,
            id_scope: self.shard.spec.id_scope,
            tags: sets,
            ids: &self.shard.ids,
            users: &users,
            seat_of_user: &seat_of_user,
            lists,
        };
        let ordinals = &self.settled.ordinals[seats.start..seats.end];
        let Self {
            ordinals: members,
            groups,
            shard,
            ..
        } = self;
        let number = shard.number;
        let mut rows = output.rows()?;
        let mut bitmap = Vec::new();
        let mut emit = |group: usize, words: &[u64]| {
            // Ascending, because seats are.
            pick(words, ordinals, members);
            let name = &audience.groups[group];
            bitmap.clear();
            write_sorted(number, members, &mut bitmap);
            let before = audiences
                .before
                .get(&(app.to_owned(), name.clone()))
                .map(Vec::as_slice);
            let (entered, left) = entered_and_left(&bitmap, before, number)?;
            groups.push(GroupReport {
                app: app.to_owned(),
                group: name.clone(),
                cardinality: members.len() as u64,
                entered,
                left,
            });
            // An empty set has no row, unless somebody left it: the count has to stand somewhere.
            if members.is_empty() && left == 0 {
                return Ok(());
            }
            rows.set_all([
                (groups::Column::App, Cell::Text(app)),
                (groups::Column::Group, Cell::Text(name)),
                (groups::Column::Shard, Cell::Int(i64::from(number))),
                (groups::Column::Entered, Cell::Int(entered as i64)),
                (groups::Column::Left, Cell::Int(left as i64)),
            ])?;
            Ok(rows.push(members.len() as u64, |out| out.extend_from_slice(&bitmap))?)
        };
        let ours = |e| of_datafusion(Work::RawData, "groups", e);
        let done = audience.program.evaluate(
            seats.end - seats.start,
            &mut |atom, words| found.fill(atom, words).map_err(ours),
            &mut |group, words| emit(group, words).map_err(ours),
        );
        done.map_err(external)
    }

    /// Events of all sources, in order of the name.
    fn write_behaviour(&mut self, app: &str, seats: AppSeats, output: &mut Output) -> Result<()> {
        let spec = self.shard.spec;
        let limits = spec.limits.of(app);
        let mut events = Vec::new();
        for (source, writer) in self.behaviour.iter_mut().enumerate() {
            let Some(writer) = writer else { continue };
            let (found, combinations) = writer.events_of(seats, limits.combinations);
            output.exceeded(
                &spec.sources[source].name,
                app,
                Metric::OverLimit(Limited::Combinations),
                combinations,
            );
            events.extend(
                found
                    .into_iter()
                    .map(|(event, items)| (event, source, items)),
            );
        }
        events.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let names: Vec<(&str, usize)> = events
            .iter()
            .map(|(event, source, _)| (event.as_str(), *source))
            .collect();
        let owned = owned(spec, app, &names);
        let mut left_out = vec![0; spec.sources.len()];
        let (mut behaviour, mut measures) = output.rows_of_both()?;
        for ((event, source, items), is_owned) in events.into_iter().zip(owned) {
            let (RowsSpec::Events { shapes, .. }, Some(writer)) =
                (&spec.sources[source].rows, &mut self.behaviour[source])
            else {
                continue;
            };
            if !is_owned {
                self.lost.push(Lost {
                    source,
                    app: self.apps.code(seats.rank),
                    event,
                    rows: items.rows(),
                });
            } else if let Some(shape) = shapes.shape(app, &event) {
                let place = EventPlace {
                    app,
                    event: &event,
                    limits,
                    spec,
                };
                left_out[source] += writer.write_event(
                    &mut self.cutter,
                    &place,
                    &items,
                    &shape,
                    (&mut behaviour, &mut measures),
                )?;
            }
            writer.give_back(items);
        }
        spec.sources
            .iter()
            .zip(left_out)
            .for_each(|(source, sums)| {
                output.exceeded(&source.name, app, Metric::OverLimit(Limited::Sums), sums)
            });
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
    Ok(Some((
        numbers,
        if sets.value_type == ValueType::Double {
            scale
        } else {
            0
        },
    )))
}
