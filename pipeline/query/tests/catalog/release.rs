//! A release for tests: two apps, four shards, every kind of tag, and the same users as plain rows
//! for an oracle.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use chrono::NaiveDate;
use datafusion::execution::SessionStateBuilder;
use datafusion::optimizer::Analyzer;
use datafusion::prelude::SessionContext;
use object_store::path::Path;
use tagmill_query::catalog;
use tagmill_query::guard::ReleaseRules;
use tagmill_schemas::manifest::{
    BehaviourDays, Decisions, FileEntry, History, Manifest, NUMBERED_BY_USER_ID, ReleaseKind,
    TagEntry, VERSION,
};
use tagmill_schemas::{Artifact, IdScope, ValueType};
use tagmill_warehouse::artifact::ArtifactWriter;
use tagmill_warehouse::store::Store;
use tagmill_warehouse::store::testing::CountingStore;

use crate::columns::{
    Cell, Sets, entry, group_status, groups, measures, numbers, tag_entries, tag_sets, tags,
    universe, users_batch, values, visits,
};

pub const SHARDS: u32 = 4;
pub const USERS_PER_SHARD: u32 = 5_000;
pub const APP: &str = "shop";
/// Distinct values of the tag `city`, each with a bitmap of some kilobytes in [`wide`].
pub const CITIES: u32 = 3_000;

/// A user as a row.
#[derive(Debug, Clone, Copy)]
pub struct User {
    pub shard: u32,
    pub ordinal: u32,
    pub in_app: bool,
    pub gender: Option<&'static str>,
    pub age: Option<i64>,
    pub signup: Option<i32>,
    pub score: Option<f64>,
    pub vip: Option<bool>,
}

impl User {
    pub fn id(&self) -> String {
        format!("user-{}-{}", self.shard, self.ordinal)
    }
}

/// Every user of the warehouse; one in ten is of the other app only.
pub fn users() -> Vec<User> {
    let all =
        (0..SHARDS).flat_map(|shard| (0..USERS_PER_SHARD).map(move |ordinal| (shard, ordinal)));
    all.map(|(shard, ordinal)| {
        let n = u64::from(shard) * 1_000_003 + u64::from(ordinal) * 7_919;
        let in_app = ordinal % 10 != 9;
        let some = |modulus: u64| in_app && n % modulus != 0;
        User {
            shard,
            ordinal,
            in_app,
            gender: some(5).then(|| ["F", "M", "O'Brien", "%x_"][(n % 4) as usize]),
            age: some(7).then_some((n % 97) as i64 - 10),
            signup: some(3).then_some(20_000 + (n % 365) as i32),
            score: some(4).then_some((n % 1_000) as f64 / 8.0),
            vip: some(2).then_some(n % 3 == 0),
        }
    })
    .collect()
}

pub struct Release {
    pub manifest: Manifest,
    pub counting: Arc<CountingStore>,
    pub store: Store,
}

impl Release {
    pub async fn session(&self) -> SessionContext {
        let mut rules = Analyzer::new().rules;
        rules.insert(0, Arc::new(ReleaseRules::default()));
        let state = SessionStateBuilder::new()
            .with_default_features()
            .with_analyzer_rules(rules)
            .build();
        let ctx = SessionContext::new_with_state(state);
        catalog::register(&ctx, &self.store, &self.manifest)
            .await
            .unwrap();
        tagmill_udfs::register_all(&ctx).unwrap();
        ctx
    }
}

pub fn counted(name: &str) -> (Arc<CountingStore>, Store) {
    let counting = Arc::new(CountingStore::new(Arc::new(
        object_store::memory::InMemory::new(),
    )));
    let store = Store::new(
        Arc::clone(&counting) as _,
        format!("memory://{name}"),
        Path::from("deep/warehouse"),
    );
    (counting, store)
}

fn date() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 19).unwrap()
}

pub fn manifest(files: Vec<FileEntry>, tags: Vec<TagEntry>) -> Manifest {
    Manifest {
        version: VERSION,
        release: 3,
        parent: None,
        kind: ReleaseKind::Night,
        date: date(),
        head_date: date(),
        run: "r".to_owned(),
        attempt: 1,
        config_hash: String::new(),
        code_version: String::new(),
        shards: SHARDS,
        id_scope: IdScope::Global,
        time_zone: Some("Asia/Shanghai".to_owned()),
        numbering: NUMBERED_BY_USER_ID,
        inputs: vec![],
        files,
        lists: vec![],
        tags,
        counts: vec![],
        history: History::default(),
        behaviour: BehaviourDays::default(),
        decisions: Decisions::default(),
        reason: None,
    }
}

/// The users of [`users`], with every tag of theirs and one group.
pub async fn small() -> Release {
    let (counting, store) = counted("small");
    let users = users();
    let mut files = Vec::new();
    for shard in 0..SHARDS {
        let members: Vec<User> = users
            .iter()
            .copied()
            .filter(|user| user.shard == shard)
            .collect();
        files.push(
            write(
                &store,
                Artifact::Users,
                date(),
                Some(shard),
                users_batch(&members),
            )
            .await,
        );
        files.push(
            write(
                &store,
                Artifact::Universe,
                date(),
                Some(shard),
                universe(shard, &members),
            )
            .await,
        );
        files.push(
            write(
                &store,
                Artifact::Tags,
                date(),
                Some(shard),
                tags(shard, &tag_sets(&members)),
            )
            .await,
        );
        files.push(
            write(
                &store,
                Artifact::TagNumbers,
                date(),
                Some(shard),
                numbers(shard, &members),
            )
            .await,
        );
        files.push(
            write(
                &store,
                Artifact::Groups,
                date(),
                Some(shard),
                groups(shard, &members),
            )
            .await,
        );
        for day in 0..3 {
            let date = date() - chrono::Days::new(day);
            files.push(
                write(
                    &store,
                    Artifact::Behaviour,
                    date,
                    Some(shard),
                    visits(shard, date, &members),
                )
                .await,
            );
            files.push(
                write(
                    &store,
                    Artifact::BehaviourMeasures,
                    date,
                    Some(shard),
                    measures(shard, date, &members),
                )
                .await,
            );
        }
    }
    files.push(
        write(
            &store,
            Artifact::TagValues,
            date(),
            None,
            values(&tag_sets(&users)),
        )
        .await,
    );
    files.push(write(&store, Artifact::GroupStatus, date(), None, group_status()).await);
    Release {
        manifest: manifest(files, tag_entries()),
        counting,
        store,
    }
}

/// One tag with many values, each with a bitmap of about four kilobytes: what a query for one value
/// must not read all of.
pub async fn wide() -> Release {
    let (counting, store) = counted("wide");
    let mut files = Vec::new();
    let mut all = Sets::new();
    for shard in 0..2 {
        let mut sets = Sets::new();
        for city in 0..CITIES {
            let value = Cell::String(format!("city-{city:05}"));
            let ordinals = (0..2_000_u32)
                .map(|i| i * 499 + (city * 31 + i * i) % 499)
                .collect();
            sets.insert(("city".to_owned(), value.clone()), ordinals);
            all.insert(("city".to_owned(), value), vec![1]);
        }
        files.push(
            write(
                &store,
                Artifact::Tags,
                date(),
                Some(shard),
                tags(shard, &sets),
            )
            .await,
        );
    }
    files.push(write(&store, Artifact::TagValues, date(), None, values(&all)).await);
    let tags = vec![entry("city", ValueType::String)];
    Release {
        manifest: manifest(files, tags),
        counting,
        store,
    }
}

pub async fn write(
    store: &Store,
    artifact: Artifact,
    date: NaiveDate,
    shard: Option<u32>,
    columns: Vec<ArrayRef>,
) -> FileEntry {
    let path = artifact.path(date, "r", 1, shard);
    let mut writer = ArtifactWriter::new(store, path, artifact, date, shard).unwrap();
    writer
        .write(&RecordBatch::try_new(artifact.schema(), columns).unwrap())
        .await
        .unwrap();
    writer.finish().await.unwrap()
}
