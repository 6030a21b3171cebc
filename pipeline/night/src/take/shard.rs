//! The state of one shard while rows stream in: reads exchanged batches, keeps dictionary, seats,
//! tags and events.

use arrow::array::{Array, RecordBatch};
use datafusion::error::{DataFusionError, Result};
use tagmill_schemas::manifest::FileEntry;
use tagmill_schemas::value::ValueType;

use super::accounting::Accounting;
use super::batch::{AcceptedRows, SourceBatch};
use super::earlier_behaviour::EarlierBehaviour;
use super::seating::{Seating, SeatingBuffers};
use super::seats::{Dictionary, Seats};
use super::source_state::{SourceState, shared_state};
use super::values::{NULL_CODE, Values};
use crate::plan::columns::Layout;
use crate::plan::spec::{NightSpec, SourceSpec};

/// One shard, filling up.
pub struct Shard<'a> {
    /// The night.
    pub spec: &'a NightSpec,
    /// Which shard.
    pub number: u32,
    /// Id bytes -> user number: the ordinal for known users, provisional for new ones.
    pub ids: Dictionary,
    /// Users of earlier runs.
    pub known: u32,
    /// The files of the dictionary that these are in, oldest first.
    pub user_files: Vec<&'a FileEntry>,
    /// Names of apps.
    pub apps: Values,
    /// (app, user) -> seat.
    pub seats: Seats,
    /// By source.
    pub states: Vec<SourceState>,
    /// By source: which state its rows go to. Sources of the same declared events share one, so
    /// that an event is one event.
    pub state_of: Vec<usize>,
    /// By source.
    pub accounts: Vec<Accounting>,
    /// The date's behaviour of apps that are set aside.
    pub earlier: EarlierBehaviour,
    /// Codes of apps that are set aside.
    aside: Vec<u32>,
    /// By source: the columns of its batches.
    layouts: &'a [Layout],
    apps_of_rows: Vec<u32>,
    buffers: SeatingBuffers,
}

impl<'a> Shard<'a> {
    /// An empty shard; `layouts` are the columns of each source's batches.
    pub fn new(spec: &'a NightSpec, layouts: &'a [Layout], number: u32) -> Self {
        let mut apps = Values::new(ValueType::String);
        let aside = spec.set_aside.iter();
        let aside = aside.map(|app| apps.string_code(app.as_bytes())).collect();
        Self {
            spec,
            number,
            layouts,
            earlier: EarlierBehaviour::default(),
            aside,
            ids: Dictionary::default(),
            known: 0,
            user_files: Vec::new(),
            apps,
            seats: Seats::default(),
            states: spec.sources.iter().map(SourceState::new).collect(),
            state_of: (0..spec.sources.len())
                .map(|source| shared_state(&spec.sources, source))
                .collect(),
            accounts: spec.sources.iter().map(|_| Accounting::default()).collect(),
            apps_of_rows: Vec::new(),
            buffers: SeatingBuffers::default(),
        }
    }

    /// Makes room for what the sources will bring.
    pub fn reserve(&mut self) {
        let mut users = 0;
        for (spec, &state) in self.spec.sources.iter().zip(&self.state_of) {
            let rows = self.spec.expected_rows(spec);
            match &mut self.states[state] {
                SourceState::Attributes(state) => {
                    users = users.max(rows);
                    state.reserve(rows);
                }
                SourceState::Events(state, _) => state.reserve(rows),
                SourceState::Labels(_) => {}
            }
        }
        self.seats.reserve(users);
        if self.ids.len() == 0 {
            self.ids = Dictionary::with_capacity(users);
        }
    }

    /// Heap bytes held, without what the first batches already had.
    pub fn size(&self) -> usize {
        self.ids.size()
            + self.seats.size()
            + self.states.iter().map(SourceState::size).sum::<usize>()
            + self.accounts.iter().map(Accounting::size).sum::<usize>()
            + self.apps.size()
    }

    /// Takes a batch of source number `source`.
    ///
    /// # Errors
    /// A row of another shard; more users or events than 32 bits can number; those of encoding.
    pub fn take(&mut self, source: usize, batch: RecordBatch) -> Result<()> {
        let spec = &self.spec.sources[source];
        let batch = SourceBatch::new(batch, &self.layouts[source]);
        self.check_shard(&batch)?;
        let batch = self.without_aside(spec, batch)?;
        self.refuse_rows(source, &batch)?;
        let batch = batch.accepted()?;
        if batch.len() == 0 {
            return Ok(());
        }
        self.encode_apps(spec, &batch)?;
        let account = &mut self.accounts[source];
        account.accept(&self.apps_of_rows);
        let rows = AcceptedRows {
            apps: &self.apps_of_rows,
            batch: &batch,
        };
        let mut seating = Seating {
            spec: self.spec,
            shard: self.number,
            ids: &mut self.ids,
            seats: &mut self.seats,
            apps: &self.apps,
            buffers: &mut self.buffers,
        };
        match &mut self.states[self.state_of[source]] {
            SourceState::Attributes(state) => state.take(&rows, &mut seating, account),
            SourceState::Labels(state) => state.take(spec, &rows, &mut seating, account),
            SourceState::Events(state, None) => state.take(spec, &rows, &mut seating, account),
            SourceState::Events(state, Some(reader)) => {
                reader.take(state, spec, &rows, &mut seating, account)
            }
        }
    }

    /// Rows of another shard would get ids that break every promise: better no release.
    fn check_shard(&self, batch: &SourceBatch<'_>) -> Result<()> {
        let shards = self.spec.shards;
        let hashes = batch.hashes()?.values().iter();
        // Without a way out of the loop it is a few instructions a row.
        let elsewhere =
            hashes
                .map(|&hash| shards.of_hash(hash))
                .fold(self.number, |found, shard| {
                    if shard == self.number { found } else { shard }
                });
        if elsewhere == self.number {
            return Ok(());
        }
        Err(DataFusionError::Internal(format!(
            "a row of shard {elsewhere} came to shard {}: the exchange does not follow the \
             routing table",
            self.number
        )))
    }

    /// The rows but those of apps that are set aside, which the driver has counted before.
    fn without_aside(
        &mut self,
        spec: &SourceSpec,
        batch: SourceBatch<'a>,
    ) -> Result<SourceBatch<'a>> {
        if self.aside.is_empty() {
            return Ok(batch);
        }
        let mut apps = Vec::new();
        match (&spec.app, batch.apps()?) {
            (Some(app), _) => apps.resize(batch.len(), self.apps.string_code(app.as_bytes())),
            (None, Some(column)) => self.apps.encode(column, &mut apps)?,
            (None, None) => return Ok(batch),
        }
        let stays: Vec<bool> = apps.iter().map(|app| !self.aside.contains(app)).collect();
        batch.kept(&stays.into())
    }

    fn refuse_rows(&mut self, source: usize, batch: &SourceBatch<'_>) -> Result<()> {
        let statuses = batch.statuses()?;
        if statuses.null_count() == statuses.len() {
            return Ok(());
        }
        let constant = self.spec.sources[source]
            .app
            .as_deref()
            .map(|app| self.apps.string_code(app.as_bytes()));
        let mut apps = Vec::new();
        match (constant, batch.apps()?) {
            (Some(app), _) => apps.resize(batch.len(), app),
            (None, Some(column)) => self.apps.encode(column, &mut apps)?,
            (None, None) => apps.resize(batch.len(), NULL_CODE),
        }
        for (row, status) in statuses.iter().enumerate() {
            if let Some(status) = status {
                self.accounts[source].refuse(apps[row], status);
            }
        }
        Ok(())
    }

    fn encode_apps(&mut self, spec: &SourceSpec, batch: &SourceBatch<'_>) -> Result<()> {
        self.apps_of_rows.clear();
        match (&spec.app, batch.apps()?) {
            (Some(app), _) => {
                let code = self.apps.string_code(app.as_bytes());
                self.apps_of_rows.resize(batch.len(), code);
                Ok(())
            }
            (None, Some(column)) => self.apps.encode(column, &mut self.apps_of_rows),
            (None, None) => Err(DataFusionError::Internal(format!(
                "source {} has no app",
                spec.name
            ))),
        }
    }
}
