//! The groups of one app: its rules evaluated over its seats, one bitmap a group.

use std::collections::HashMap;

use datafusion::error::Result;
use tagmill_bitmap::{pick, write_sorted};
use tagmill_engine::{Work, external, of_datafusion};
use tagmill_schemas::artifact::groups::Column;
use tagmill_warehouse::artifact::{Cell, KeyedRows};

use super::audiences::Audiences;
use super::writer::AppWriter;
use crate::end::atoms::AppSets;
use crate::end::members::entered_and_left;
use crate::end::output::Output;
use crate::end::report::GroupReport;
use crate::end::tag_sets::TagSets;
use crate::take::seats::AppSeats;

impl AppWriter<'_> {
    /// Writes the groups of the app, if it has rules. `sets` are its tags.
    ///
    /// # Errors
    /// Those of evaluating rules, a damaged group of the earlier release, and those of the rows.
    pub(super) fn write_groups(
        &mut self,
        seats: AppSeats,
        sets: &[TagSets],
        audiences: &Audiences<'_>,
        output: &mut Output,
    ) -> Result<()> {
        let (app, code) = (self.name(seats), self.apps.code(seats.rank));
        let Some(rules) = audiences.audience.rules(app) else {
            return Ok(());
        };
        let (shard, settled) = (self.shard, self.settled);
        let users: Vec<u32> = self
            .provisional_of(seats)
            .iter()
            .map(|&seat| shard.seats.users()[seat as usize])
            .collect();
        let seat_of_user = |user: u32| {
            let seat = shard.seats.find(&shard.ids, code, user)?;
            Some(settled.seat_of[seat as usize] - seats.start as u32)
        };
        let found = AppSets {
            app,
            id_scope: shard.spec.id_scope,
            tags: sets,
            ids: &shard.ids,
            users: &users,
            seat_of_user: &seat_of_user,
            windows: self.windows.apps.get(app),
            audience: audiences.audience,
            ordinals: self.ordinals_of(seats),
            before: &audiences.before,
        };
        let mut groups = GroupRows {
            app,
            shard: shard.number,
            ordinals: self.ordinals_of(seats),
            before: &audiences.before,
            members: &mut self.ordinals,
            bitmap: Vec::new(),
            rows: output.rows()?,
            reports: &mut self.groups,
        };
        let ours = |e| of_datafusion(Work::RawData, "groups", e);
        let done = rules.program().evaluate(
            seats.end - seats.start,
            &mut |atom, words| found.fill(atom, words).map_err(ours),
            &mut |group, words| groups.push(&rules.groups()[group], words).map_err(ours),
        );
        done.map_err(external)
    }
}

/// Rows of the groups of one app.
struct GroupRows<'a, 'w> {
    app: &'a str,
    shard: u32,
    /// By seat, ascending.
    ordinals: &'a [u32],
    before: &'a HashMap<(String, String), Vec<u8>>,
    /// Memory of one group's ordinals.
    members: &'a mut Vec<u32>,
    /// Memory of one group's bitmap.
    bitmap: Vec<u8>,
    rows: KeyedRows<'w, Column>,
    reports: &'a mut Vec<GroupReport>,
}

impl GroupRows<'_, '_> {
    /// Writes and reports the group whose members' seats are the bits of `words`.
    fn push(&mut self, group: &str, words: &[u64]) -> Result<()> {
        // Ascending, because seats are.
        pick(words, self.ordinals, self.members);
        self.bitmap.clear();
        write_sorted(self.shard, self.members, &mut self.bitmap);
        let key = (self.app.to_owned(), group.to_owned());
        let before = self.before.get(&key).map(Vec::as_slice);
        let (entered, left) = entered_and_left(&self.bitmap, before, self.shard)?;
        let cardinality = self.members.len() as u64;
        let (app, group_name) = key;
        self.reports.push(GroupReport {
            app,
            group: group_name,
            cardinality,
            entered,
            left,
        });
        // An empty set has no row, unless somebody left it: the count has to stand somewhere.
        if cardinality == 0 && left == 0 {
            return Ok(());
        }
        self.rows.set_all([
            (Column::App, Cell::Text(self.app)),
            (Column::Group, Cell::Text(group)),
            (Column::Shard, Cell::Int(i64::from(self.shard))),
            (Column::Entered, Cell::Int(entered as i64)),
            (Column::Left, Cell::Int(left as i64)),
        ])?;
        let bitmap = &self.bitmap;
        Ok(self
            .rows
            .push(cardinality, |out| out.extend_from_slice(bitmap))?)
    }
}
