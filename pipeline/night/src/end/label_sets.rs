//! Group tags at the end of a shard: rows in order of (label, seat), of duplicates the last one
//! only.

use std::collections::BTreeMap;
use std::ops::Range;

use tagmill_bitmap::sort_rows;
use tagmill_schemas::value::ValueType;

use super::app_order::AppOrder;
use super::cutter::Cutter;
use super::tag_sets::{CodeOrder, TagSets};
use crate::take::labels::{CARRIED, LabelRow, LabelRule, Labels};
use crate::take::seats::Settled;
use crate::take::values::{NULL_CODE, Values};

/// The rows of one group-tags source in order of (label, seat), the last of duplicates only.
pub struct LabelSets {
    /// By (app rank, tag name): label number and its rows.
    pub by_app: BTreeMap<u32, Vec<(String, u32, Range<usize>)>>,
    rows: Vec<(u32, u32, u32)>,
    /// The order of raw texts, which all string labels share.
    texts: CodeOrder,
}

impl LabelSets {
    /// The sets of one source.
    pub fn of(labels: &Labels, settled: &Settled, apps: &AppOrder) -> Self {
        let rows = winners(labels, settled);
        let mut by_app: BTreeMap<u32, Vec<_>> = BTreeMap::new();
        let mut start = 0;
        for run in rows.chunk_by(|a, b| a.0 == b.0) {
            let label = &labels.labels[run[0].0 as usize];
            let name = labels
                .names
                .value(label.tag)
                .map(|v| v.to_string())
                .unwrap_or_default();
            by_app
                .entry(apps.rank[label.app as usize])
                .or_default()
                .push((name, run[0].0, start..start + run.len()));
            start += run.len();
        }
        by_app
            .values_mut()
            .for_each(|found| found.sort_by(|a, b| a.0.cmp(&b.0)));
        Self {
            by_app,
            rows,
            texts: CodeOrder::of(labels.texts()),
        }
    }

    /// The sets of one label; `range` is where its rows stand, seats count from `first_seat`.
    pub fn sets(
        &self,
        name: &str,
        values: &Values,
        multi: bool,
        range: Range<usize>,
        first_seat: usize,
        cutter: &mut Cutter,
    ) -> TagSets {
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

/// (label, seat, code) of the rows that count, in order of label and seat: of a single-valued tag
/// the latest row, of a multi-valued one all of today's, or the carried ones when there are none
/// today.
fn winners(labels: &Labels, settled: &Settled) -> Vec<(u32, u32, u32)> {
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
        let multi = matches!(
            labels.labels[label as usize].rule,
            LabelRule::Typed(_, true)
        );
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
                .map(|(_, row)| (label, seat, row.code)),
        );
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
