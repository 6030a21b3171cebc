//! Group tags at the end of a shard: rows in order of (label, seat), of duplicates the last one
//! only.

use std::collections::BTreeMap;
use std::ops::Range;

use tagmill_schemas::value::ValueType;

use super::app_order::AppOrder;
use super::cutter::Cutter;
use super::tag_sets::{CodeOrder, EncodedTag, TagSets};
use crate::take::labels::{CARRIED, LabelRow, Labels};
use crate::take::seats::{AppSeats, Settled};
use crate::take::values::{NULL_CODE, Values};
use tagmill_bitmap::sort_rows;

/// A label that has rows.
struct LabelRange {
    /// Name of the tag.
    name: String,
    /// Number of the label.
    label: u32,
    /// Where its rows stand.
    rows: Range<usize>,
}

/// A row that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct CountedRow {
    label: u32,
    seat: u32,
    code: u32,
}

/// The rows of one group-tags source in order of (label, seat), the last of duplicates only.
pub struct LabelSets {
    /// By rank of the app, in order of the name.
    by_app: BTreeMap<u32, Vec<LabelRange>>,
    rows: Vec<CountedRow>,
    /// Rows of today that others took the place of, by code of the app.
    pub superseded: BTreeMap<u32, u64>,
    /// The order of raw texts, which all string labels share.
    texts: CodeOrder,
}

impl LabelSets {
    /// The sets of one source.
    pub fn of(labels: &Labels, settled: &Settled, apps: &AppOrder) -> Self {
        let mut superseded = BTreeMap::new();
        let rows = winners(labels, settled, &mut superseded);
        let mut by_app: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        let mut start = 0;
        for run in rows.chunk_by(|a, b| a.label == b.label) {
            let number = run[0].label;
            let label = &labels.labels[number as usize];
            let name = labels
                .names
                .value(label.tag)
                .map(|v| v.to_string())
                .unwrap_or_default();
            by_app
                .entry(apps.rank[label.app as usize])
                .or_default()
                .push(LabelRange {
                    name,
                    label: number,
                    rows: start..start + run.len(),
                });
            start += run.len();
        }
        by_app
            .values_mut()
            .for_each(|found| found.sort_by(|a, b| a.name.cmp(&b.name)));
        Self {
            by_app,
            rows,
            superseded,
            texts: CodeOrder::of(labels.texts()),
        }
    }

    /// The sets of every label of the app, in order of the name. `labels` are those that this was
    /// made of.
    pub fn of_app(&self, labels: &Labels, app: AppSeats, cutter: &mut Cutter) -> Vec<TagSets> {
        let found = self.by_app.get(&app.rank).into_iter().flatten();
        found
            .map(|found| self.sets(labels, found, app.start as u32, cutter))
            .collect()
    }

    /// The sets of one label; seats count from `first_seat`.
    fn sets(
        &self,
        labels: &Labels,
        found: &LabelRange,
        first_seat: u32,
        cutter: &mut Cutter,
    ) -> TagSets {
        let values = labels.values(found.label);
        let own;
        let order = if values.value_type() == ValueType::String {
            &self.texts
        } else {
            own = CodeOrder::of(values);
            &own
        };
        for row in &self.rows[found.rows.clone()] {
            cutter.push(order.rank(row.code), row.seat - first_seat);
        }
        let tag = EncodedTag {
            name: &found.name,
            values,
            multi: labels.labels[found.label as usize].rule.is_multi(),
            scale: None,
        };
        TagSets::cut(&tag, order, cutter)
    }
}

/// The rows that count, in order of label and seat: of a single-valued tag
/// the latest row, of a multi-valued one all of today's, or the carried ones when there are none
/// today. The others of today are counted as superseded, by code of the app.
fn winners(
    labels: &Labels,
    settled: &Settled,
    superseded: &mut BTreeMap<u32, u64>,
) -> Vec<CountedRow> {
    let key =
        |row: &LabelRow| u64::from(row.label) << 32 | u64::from(settled.seat_of[row.seat as usize]);
    let mut rows: Vec<(u64, LabelRow)> = labels.rows.iter().map(|row| (key(row), *row)).collect();
    sort_rows(&mut rows, &mut Vec::new());
    let mut kept = Vec::new();
    for run in rows.chunk_by_mut(|a, b| a.0 == b.0) {
        let (label, seat) = ((run[0].0 >> 32) as u32, run[0].0 as u32);
        let values = labels.values(label);
        run.sort_unstable_by(|(_, a), (_, b)| {
            a.order
                .cmp(&b.order)
                .then_with(|| compare(values, a.code, b.code))
        });
        let multi = labels.labels[label as usize].rule.is_multi();
        if run.len() > 1 {
            let app = labels.labels[label as usize].app;
            *superseded.entry(app).or_default() += repeated(run, multi);
        }
        let last = run[run.len() - 1].1;
        let has_today = last.order != CARRIED;
        let counts = |row: &LabelRow| {
            if multi {
                !has_today || row.order != CARRIED
            } else {
                row.code == last.code
            }
        };
        let first = kept.len();
        kept.extend(
            run.iter()
                .filter(|(_, row)| row.code != NULL_CODE && counts(row))
                .map(|(_, row)| CountedRow {
                    label,
                    seat,
                    code: row.code,
                }),
        );
        kept[first..].sort_unstable();
        let distinct = first + dedup_len(&mut kept[first..]);
        kept.truncate(distinct);
    }
    kept
}

/// Of today's rows of one user and tag, those beyond the one that counts; of a multi-valued tag
/// those that repeat a value.
fn repeated(run: &[(u64, LabelRow)], multi: bool) -> u64 {
    let today = run.iter().filter(|(_, row)| row.order != CARRIED);
    let mut codes: Vec<u32> = today.map(|(_, row)| row.code).collect();
    let rows = codes.len();
    codes.sort_unstable();
    codes.dedup();
    let counted = if multi { codes.len() } else { rows.min(1) };
    (rows - counted) as u64
}

fn dedup_len(rows: &mut [CountedRow]) -> usize {
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
