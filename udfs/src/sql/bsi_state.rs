//! The state behind `bsi_*_agg`: the slices of many groups, or of one, each a set with a key.
//!
//! A state that goes from one operator to the next is that of sets by key, see [`KeyedGroups`], and,
//! where rows may be of several indexes, what was seen of them.

use super::bsi_agg::{Computed, Computes};
use super::bsi_rows::KeyedRows;
use super::bsi_several::Several;
use super::keyed_state::{KeyedGroups, state_fields};
use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::{Field, FieldRef};
use datafusion::error::Result;
use datafusion::logical_expr::function::StateFieldsArgs;
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion::scalar::ScalarValue;
use std::sync::Arc;

/// Columns of the state of sets by key.
const OF_SETS: usize = 2;

/// The columns of the state; `several`: rows may be of several indexes.
pub(super) fn index_state_fields(args: &StateFieldsArgs<'_>, several: bool) -> Vec<FieldRef> {
    let mut fields = state_fields(args);
    if several {
        fields.extend(Several::STATE.map(|(name, data_type)| {
            let name = format_state_name(args.name, name);
            Arc::new(Field::new(name, data_type, true))
        }));
    }
    fields
}

/// The slices of many groups.
#[derive(Debug)]
pub(super) struct IndexGroups {
    computed: Computed,
    sets: KeyedGroups<Computed>,
    several: Option<Several>,
}

impl IndexGroups {
    pub(super) fn new(computed: Computed) -> Self {
        let several = computed
            .of_argument()
            .map(|_| Several::new(computed.name()));
        Self {
            sets: KeyedGroups::new(computed.clone()),
            computed,
            several,
        }
    }

    /// Makes room for groups that have no rows yet.
    fn reserve(&mut self, groups: usize) {
        self.sets.reserve(groups);
        if let Some(several) = &mut self.several {
            several.reserve(groups);
        }
    }

    /// Whether what was seen of several indexes is all that the result needs.
    fn only_adds(&self) -> bool {
        self.several.is_some() && self.computed.computes() == Computes::Sum
    }

    fn add_rows(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        let rows = self.computed.rows(values, filter);
        if let (Some(several), Some(of)) = (&mut self.several, self.computed.of_argument()) {
            several.add_rows(&rows, &values[of], |row| groups[row])?;
        }
        self.reserve(total);
        if self.only_adds() {
            return Ok(());
        }
        let rows = rows.keyed()?;
        let groups = rows.groups(groups);
        self.sets.update_batch(&columns(rows), &groups, None, total)
    }

    fn add_states(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        if let Some(several) = &mut self.several {
            several.add_states(&states[OF_SETS..], |row| groups[row])?;
        }
        self.reserve(total);
        self.sets.merge_batch(&states[..OF_SETS], groups, total)
    }
}

/// Key and bitmap.
fn columns(rows: KeyedRows) -> [ArrayRef; 2] {
    [Arc::new(rows.keys), rows.bitmaps]
}

impl GroupsAccumulator for IndexGroups {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.add_rows(values, group_indices, opt_filter, total_num_groups)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.add_states(values, group_indices, total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let seen = self.several.as_mut().map(|several| several.take(emit_to));
        self.sets.evaluate_with(emit_to, |computed, group, sets| {
            computed.result_of(sets, seen.as_ref().and_then(|seen| seen.get(group)))
        })
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let mut states = self.sets.state(emit_to)?;
        if let Some(several) = &mut self.several {
            states.extend(Several::state_of(&several.take(emit_to))?);
        }
        Ok(states)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        if self.several.is_none() {
            let rows = self.computed.rows(values, opt_filter).keyed()?;
            if rows.are_as_given() {
                return self.sets.convert_to_state(&columns(rows), None);
            }
        }
        let (rows, mut groups) = (values[0].len(), Self::new(self.computed.clone()));
        let every: Vec<usize> = (0..rows).collect();
        groups.add_rows(values, &every, opt_filter, rows)?;
        groups.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.sets.size() + self.several.as_ref().map_or(0, Several::size)
    }
}

/// The slices of one group: for aggregates without GROUP BY and for window functions.
#[derive(Debug)]
pub(super) struct IndexSet(IndexGroups);

impl IndexSet {
    pub(super) fn new(computed: Computed) -> Self {
        Self(IndexGroups::new(computed))
    }
}

impl Accumulator for IndexSet {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; values[0].len()];
        self.0.add_rows(values, &groups, None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let groups = vec![0; states[0].len()];
        self.0.add_states(states, &groups, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let seen = self.0.several.as_ref().map(|several| several.of_group(0));
        let sets = self.0.sets.of_group(0);
        let sets: Vec<(usize, &[u8])> = sets
            .iter()
            .map(|(key, bytes)| (*key, bytes.as_slice()))
            .collect();
        self.0.computed.result_of(&sets, seen.as_ref())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.0.reserve(1);
        let columns = self.0.state(EmitTo::All)?;
        columns
            .iter()
            .map(|column| ScalarValue::try_from_array(column, 0))
            .collect()
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}
