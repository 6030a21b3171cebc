//! Versions 2 and 3: files by folder, lists by reference, its own checksum at the end. In version 3 a
//! folder says its layout.
//!
//! ```text
//! head       version, minimum_reader, release, parent, kind, dates, run, attempt, hashes, shards
//! totals     by artifact, lists included: nobody has to read a list to know a size
//! bulk       history, inputs, counts, files, lists, tags
//! checksum   of all bytes before it
//! ```

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::compact::{Folder, files_of, folders_of};
use super::entries::{Input, SourceCount};
use super::format::{MINIMUM_READER, VERSION, sealed};
use super::lists::{ArtifactTotals, DayList, ListKind, ListObject, Totals};
use super::{BehaviourDays, Decisions, Encoded, History, Manifest, ReleaseKind, STAGE};
use crate::artifact::Artifact;
use crate::checksum::Checksum;
use crate::error::{Error, Result};
use crate::shard::IdScope;

#[derive(Serialize, Deserialize)]
pub(super) struct ManifestV2 {
    version: u32,
    minimum_reader: u32,
    release: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<u64>,
    kind: ReleaseKind,
    date: NaiveDate,
    head_date: NaiveDate,
    run: String,
    attempt: u32,
    config_hash: String,
    code_version: String,
    shards: u32,
    id_scope: IdScope,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    time_zone: Option<String>,
    numbering: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Decisions::are_none")]
    decisions: Decisions,
    #[serde(default, skip_serializing_if = "BehaviourDays::are_complete")]
    behaviour: BehaviourDays,
    totals: Vec<TotalsRow>,
    history: History,
    inputs: Vec<Input>,
    counts: Vec<SourceCount>,
    files: Vec<Folder>,
    lists: Vec<DayListV2>,
    tags: TagsV2,
}

/// Artifact, files, rows, bytes, cardinality. A newer writer's artifact may be unknown here.
#[derive(Serialize, Deserialize)]
pub(super) struct TotalsRow(String, u64, u64, u64, u64);

#[derive(Serialize, Deserialize)]
struct DayListV2 {
    kind: String,
    date: NaiveDate,
    #[serde(with = "super::lists::hex")]
    list: Checksum,
    totals: Vec<TotalsRow>,
}

#[derive(Serialize, Deserialize)]
struct TagsV2 {
    #[serde(with = "super::lists::hex")]
    list: Checksum,
    tags: u64,
}

impl TotalsRow {
    /// Files and bytes.
    pub(super) fn sizes(&self) -> (u64, u64) {
        (self.1, self.3)
    }
}

fn rows_of(totals: &ArtifactTotals) -> Vec<TotalsRow> {
    let row = |(artifact, sum): (&Artifact, &Totals)| {
        let name = artifact.name().to_owned();
        TotalsRow(name, sum.files, sum.rows, sum.bytes, sum.cardinality)
    };
    totals.iter().map(row).collect()
}

fn totals_of(rows: Vec<TotalsRow>) -> ArtifactTotals {
    rows.into_iter()
        .filter_map(|TotalsRow(name, files, rows, bytes, cardinality)| {
            let totals = Totals {
                files,
                rows,
                bytes,
                cardinality,
            };
            Some((Artifact::from_name(&name)?, totals))
        })
        .collect()
}

/// The canonical bytes of a manifest whose lists are in order.
pub(super) fn encode(manifest: Manifest) -> Result<Encoded> {
    let tags = ListObject::of_tags(&manifest.tags)?;
    let wire = ManifestV2 {
        version: VERSION,
        minimum_reader: MINIMUM_READER,
        totals: rows_of(&manifest.totals()),
        release: manifest.release,
        parent: manifest.parent,
        kind: manifest.kind,
        date: manifest.date,
        head_date: manifest.head_date,
        run: manifest.run,
        attempt: manifest.attempt,
        config_hash: manifest.config_hash,
        code_version: manifest.code_version,
        shards: manifest.shards,
        id_scope: manifest.id_scope,
        time_zone: manifest.time_zone,
        numbering: manifest.numbering,
        reason: manifest.reason,
        decisions: manifest.decisions,
        behaviour: manifest.behaviour,
        history: manifest.history,
        inputs: manifest.inputs,
        counts: manifest.counts,
        files: folders_of(&manifest.files)?,
        lists: manifest.lists.iter().map(DayListV2::of).collect(),
        tags: TagsV2 {
            list: tags.checksum,
            tags: manifest.tags.len() as u64,
        },
    };
    let json = serde_json::to_vec(&wire)
        .map_err(|e| Error::refused(STAGE, "can not be written as json").because(e))?;
    Ok(Encoded {
        json: sealed(json),
        tags,
    })
}

impl ManifestV2 {
    /// The manifest without its tags, and the list that holds them.
    pub(super) fn into_parts(self) -> (Manifest, Checksum) {
        let manifest = Manifest {
            version: self.version,
            release: self.release,
            parent: self.parent,
            kind: self.kind,
            date: self.date,
            head_date: self.head_date,
            run: self.run,
            attempt: self.attempt,
            config_hash: self.config_hash,
            code_version: self.code_version,
            shards: self.shards,
            id_scope: self.id_scope,
            time_zone: self.time_zone,
            numbering: self.numbering,
            inputs: self.inputs,
            files: files_of(self.files),
            lists: self
                .lists
                .into_iter()
                .filter_map(DayListV2::into_reference)
                .collect(),
            tags: Vec::new(),
            counts: self.counts,
            history: self.history,
            behaviour: self.behaviour,
            decisions: self.decisions,
            reason: self.reason,
        };
        (manifest, self.tags.list)
    }
}

impl DayListV2 {
    fn of(list: &DayList) -> Self {
        Self {
            kind: list.kind.name().to_owned(),
            date: list.date,
            list: list.list,
            totals: rows_of(&list.totals),
        }
    }

    /// `None` for a kind that this program does not know: a newer writer's.
    fn into_reference(self) -> Option<DayList> {
        Some(DayList {
            kind: ListKind::from_name(&self.kind)?,
            date: self.date,
            list: self.list,
            totals: totals_of(self.totals),
        })
    }
}
