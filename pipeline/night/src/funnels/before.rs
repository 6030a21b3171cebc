//! The funnels of a shard before tonight's events: what the night before has of them.

use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::{Date32Type, Int64Type, UInt32Type, UInt64Type};
use datafusion::error::Result;
use tagmill_schemas::artifact::{Columns, funnel_state, funnels};
use tagmill_warehouse::store::Store;

use super::chains::Chains;
use crate::plan::funnels::NightFunnels;
use crate::take::load::{batches, of_shard};

/// App and funnel.
type OfApp = (String, String);

/// The funnels of one shard.
#[derive(Default)]
pub(crate) struct FunnelsBefore {
    /// By day on which chains begin, since 1970.
    pub days: BTreeMap<OfApp, BTreeMap<i32, FunnelDay>>,
    /// Chains that can go on, by the same.
    pub chains: BTreeMap<OfApp, BTreeMap<i32, Chains>>,
}

/// Who came how far in the chains of one day.
#[derive(Debug, Clone, Default)]
pub(crate) struct FunnelDay {
    /// See [`tagmill_schemas::config::Funnel::definition`].
    pub definition: String,
    /// Whether nobody can come further.
    pub is_final: bool,
    /// Whether all rows were there.
    pub is_complete: bool,
    /// By step, from 1 on.
    pub steps: BTreeMap<u32, StepUsers>,
}

/// The users of a step as they are published.
#[derive(Debug, Clone, Default)]
pub(crate) struct StepUsers {
    /// The step's event.
    pub event: String,
    /// How many.
    pub cardinality: u64,
    /// Canonical.
    pub bitmap: Vec<u8>,
}

impl FunnelsBefore {
    /// Reads what the night before has of the shard.
    ///
    /// # Errors
    /// Those of reading artifacts.
    pub async fn load(night: &NightFunnels, shard: u32, store: &Store) -> Result<Self> {
        let mut before = Self::default();
        before.load_days(night, shard, store).await?;
        before.load_chains(night, shard, store).await?;
        Ok(before)
    }

    async fn load_days(&mut self, night: &NightFunnels, shard: u32, store: &Store) -> Result<()> {
        use funnels::Column;
        for file in of_shard(&night.before, shard) {
            for batch in batches::<Column>(store, file, &[]).await? {
                let text = |column: Column| {
                    Ok::<_, datafusion::error::DataFusionError>(
                        column.of(&batch)?.as_string::<i32>().clone(),
                    )
                };
                let [apps, names, events, definitions] = [
                    Column::App,
                    Column::Funnel,
                    Column::Event,
                    Column::Definition,
                ]
                .map(text);
                let (apps, names, events, definitions) = (apps?, names?, events?, definitions?);
                let dates = Column::Date.of(&batch)?.as_primitive::<Date32Type>();
                let steps = Column::Step.of(&batch)?.as_primitive::<UInt32Type>();
                let finals = Column::Final.of(&batch)?.as_boolean();
                let completes = Column::Complete.of(&batch)?.as_boolean();
                let bitmaps = Column::Bitmap.of(&batch)?.as_binary::<i32>();
                let counts = Column::Cardinality.of(&batch)?.as_primitive::<UInt64Type>();
                for row in 0..batch.num_rows() {
                    let key = (apps.value(row).to_owned(), names.value(row).to_owned());
                    let days = self.days.entry(key).or_default();
                    let day = days.entry(dates.value(row)).or_insert_with(|| FunnelDay {
                        definition: definitions.value(row).to_owned(),
                        is_final: finals.value(row),
                        is_complete: completes.value(row),
                        steps: BTreeMap::new(),
                    });
                    let users = StepUsers {
                        event: events.value(row).to_owned(),
                        cardinality: counts.value(row),
                        bitmap: bitmaps.value(row).to_vec(),
                    };
                    day.steps.insert(steps.value(row), users);
                }
            }
        }
        Ok(())
    }

    async fn load_chains(&mut self, night: &NightFunnels, shard: u32, store: &Store) -> Result<()> {
        use funnel_state::Column;
        for file in of_shard(&night.state, shard) {
            for batch in batches::<Column>(store, file, &[]).await? {
                let apps = Column::App.of(&batch)?.as_string::<i32>();
                let names = Column::Funnel.of(&batch)?.as_string::<i32>();
                let dates = Column::Date.of(&batch)?.as_primitive::<Date32Type>();
                let ordinals = Column::Ordinal.of(&batch)?.as_primitive::<UInt32Type>();
                let steps = Column::Step.of(&batch)?.as_primitive::<UInt32Type>();
                let starts = Column::Start.of(&batch)?.as_primitive::<Int64Type>();
                for row in 0..batch.num_rows() {
                    let name = names.value(row);
                    let mut funnels = night.funnels.iter();
                    let Some(of) = funnels.find(|of| of.funnel.name == name) else {
                        continue;
                    };
                    let key = (apps.value(row).to_owned(), name.to_owned());
                    let days = self.chains.entry(key).or_default();
                    let chains = days
                        .entry(dates.value(row))
                        .or_insert_with(|| Chains::new(of.funnel.steps.len()));
                    let step = steps.value(row).saturating_sub(1) as usize;
                    // A funnel that has become shorter begins anew.
                    if step < of.funnel.steps.len() {
                        chains.add(ordinals.value(row), step, starts.value(row));
                    }
                }
            }
        }
        Ok(())
    }
}
