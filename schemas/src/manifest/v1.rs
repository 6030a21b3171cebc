//! Version 1, read for ever and never written: every file by its path, every tag, in one object.

use chrono::NaiveDate;
use serde::Deserialize;

use super::entries::{FileEntry, Input, OverLimit, SourceCount, TagEntry};
use super::{BehaviourDays, Decisions, History, Manifest, NUMBERED_BY_USER_ID, ReleaseKind};
use crate::artifact::Artifact;
use crate::shard::IdScope;
use crate::value::ValueType;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManifestV1 {
    version: u32,
    release: u64,
    parent: Option<u64>,
    date: NaiveDate,
    head_date: NaiveDate,
    run: String,
    attempt: u32,
    config_hash: String,
    code_version: String,
    shards: u32,
    id_scope: IdScope,
    inputs: Vec<Input>,
    files: Vec<FileV1>,
    tags: Vec<TagV1>,
    counts: Vec<SourceCount>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileV1 {
    artifact: Artifact,
    path: String,
    date: NaiveDate,
    shard: Option<u32>,
    rows: u64,
    bytes: u64,
    checksum: String,
    cardinality: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TagV1 {
    app: String,
    tag: String,
    #[serde(rename = "type")]
    value_type: ValueType,
    multi: bool,
    source: String,
    /// 0: beyond the number of tags that the app may have.
    over_limit: Option<u64>,
    #[serde(default)]
    is_withheld: bool,
}

impl From<ManifestV1> for Manifest {
    fn from(read: ManifestV1) -> Self {
        let is_backfill = read.date < read.head_date;
        Self {
            version: read.version,
            release: read.release,
            parent: read.parent,
            kind: match (&read.reason, is_backfill) {
                (Some(_), _) => ReleaseKind::Rollback,
                (None, true) => ReleaseKind::Backfill,
                (None, false) => ReleaseKind::Night,
            },
            date: read.date,
            head_date: read.head_date,
            run: read.run,
            attempt: read.attempt,
            config_hash: read.config_hash,
            code_version: read.code_version,
            shards: read.shards,
            id_scope: read.id_scope,
            time_zone: None,
            numbering: NUMBERED_BY_USER_ID,
            inputs: read.inputs,
            files: read.files.into_iter().map(FileEntry::from).collect(),
            lists: Vec::new(),
            tags: read.tags.into_iter().map(TagEntry::from).collect(),
            counts: read.counts,
            history: History::default(),
            behaviour: BehaviourDays::default(),
            decisions: Decisions::default(),
            reason: read.reason,
        }
    }
}

impl From<FileV1> for FileEntry {
    fn from(file: FileV1) -> Self {
        Self {
            artifact: file.artifact,
            path: file.path,
            date: file.date,
            shard: file.shard,
            rows: file.rows,
            bytes: file.bytes,
            checksum: file.checksum,
            cardinality: file.cardinality,
        }
    }
}

impl From<TagV1> for TagEntry {
    fn from(tag: TagV1) -> Self {
        Self {
            app: tag.app,
            tag: tag.tag,
            value_type: tag.value_type,
            multi: tag.multi,
            source: tag.source,
            over_limit: tag.over_limit.map(|limit| match limit {
                0 => OverLimit::Tags,
                most => OverLimit::Values(most),
            }),
            is_withheld: tag.is_withheld,
        }
    }
}
