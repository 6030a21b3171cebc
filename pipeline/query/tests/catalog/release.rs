//! A release for tests: two apps, four shards, every kind of tag, and the same users as plain rows
//! for an oracle.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, FixedSizeBinaryArray, Float64Array,
    Int8Array, Int16Array, Int64Array, RecordBatch, StringArray, UInt8Array, UInt32Array,
    UInt64Array,
};
use chrono::NaiveDate;
use datafusion::prelude::SessionContext;
use object_store::path::Path;
use tagmill_bitmap::write_sorted;
use tagmill_query::catalog;
use tagmill_schemas::manifest::{
    Decisions, FileEntry, History, Manifest, NUMBERED_BY_USER_ID, ReleaseKind, TagEntry, VERSION,
};
use tagmill_schemas::{Artifact, IdScope, ValueType};
use tagmill_warehouse::artifact::ArtifactWriter;
use tagmill_warehouse::store::Store;
use tagmill_warehouse::store::testing::CountingStore;

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
        let ctx = SessionContext::new();
        catalog::register(&ctx, &self.store, &self.manifest)
            .await
            .unwrap();
        tagmill_udfs::register_all(&ctx).unwrap();
        ctx
    }
}

fn counted(name: &str) -> (Arc<CountingStore>, Store) {
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

fn manifest(files: Vec<FileEntry>, tags: Vec<TagEntry>) -> Manifest {
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
        numbering: NUMBERED_BY_USER_ID,
        inputs: vec![],
        files,
        lists: vec![],
        tags,
        counts: vec![],
        history: History::default(),
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

async fn write(
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

/// A typed value that sorts as the artifact does.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    String(String),
    Integer(i64),
    Double(f64),
    Date(i32),
    Boolean(bool),
}

impl Eq for Cell {}

impl PartialOrd for Cell {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cell {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (self, other) {
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(b),
            (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            _ => self.type_name().cmp(other.type_name()),
        }
    }
}

impl Cell {
    fn type_name(&self) -> &'static str {
        match self {
            Self::String(_) => "string",
            Self::Integer(_) => "integer",
            Self::Double(_) => "double",
            Self::Date(_) => "date",
            Self::Boolean(_) => "boolean",
        }
    }
}

type Sets = BTreeMap<(String, Cell), Vec<u32>>;

fn tag_sets(users: &[User]) -> Sets {
    let mut sets = Sets::new();
    let mut add = |tag: &str, value: Option<Cell>, ordinal: u32| {
        if let Some(value) = value {
            sets.entry((tag.to_owned(), value))
                .or_default()
                .push(ordinal);
        }
    };
    for user in users {
        add(
            "gender",
            user.gender.map(|v| Cell::String(v.to_owned())),
            user.ordinal,
        );
        add("age", user.age.map(Cell::Integer), user.ordinal);
        add("signup", user.signup.map(Cell::Date), user.ordinal);
        add("score", user.score.map(Cell::Double), user.ordinal);
        add("vip", user.vip.map(Cell::Boolean), user.ordinal);
    }
    sets
}

fn entry(tag: &str, value_type: ValueType) -> TagEntry {
    TagEntry {
        app: APP.to_owned(),
        tag: tag.to_owned(),
        value_type,
        multi: false,
        source: "profiles".to_owned(),
        over_limit: None,
        is_withheld: false,
    }
}

fn tag_entries() -> Vec<TagEntry> {
    use ValueType::{Boolean, Date, Double, Integer, String};
    [
        ("gender", String),
        ("age", Integer),
        ("signup", Date),
        ("score", Double),
        ("vip", Boolean),
    ]
    .map(|(tag, of)| entry(tag, of))
    .to_vec()
}

fn bitmap(shard: u32, ordinals: &[u32]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_sorted(shard, ordinals, &mut bytes);
    bytes
}

fn texts(texts: impl IntoIterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

fn constant(text: &str, rows: usize) -> ArrayRef {
    texts(std::iter::repeat_n(text.to_owned(), rows))
}

fn value_columns<'a>(cells: impl Iterator<Item = &'a Cell> + Clone) -> [ArrayRef; 5] {
    [
        Arc::new(
            cells
                .clone()
                .map(|c| {
                    if let Cell::String(v) = c {
                        Some(v.clone())
                    } else {
                        None
                    }
                })
                .collect::<StringArray>(),
        ),
        Arc::new(
            cells
                .clone()
                .map(|c| {
                    if let Cell::Integer(v) = c {
                        Some(*v)
                    } else {
                        None
                    }
                })
                .collect::<Int64Array>(),
        ),
        Arc::new(
            cells
                .clone()
                .map(|c| {
                    if let Cell::Double(v) = c {
                        Some(*v)
                    } else {
                        None
                    }
                })
                .collect::<Float64Array>(),
        ),
        Arc::new(
            cells
                .clone()
                .map(|c| {
                    if let Cell::Date(v) = c {
                        Some(*v)
                    } else {
                        None
                    }
                })
                .collect::<Date32Array>(),
        ),
        Arc::new(
            cells
                .map(|c| {
                    if let Cell::Boolean(v) = c {
                        Some(*v)
                    } else {
                        None
                    }
                })
                .collect::<BooleanArray>(),
        ),
    ]
}

/// Shard, bitmap, cardinality.
fn user_columns(shard: u32, sets: &[Vec<u32>]) -> [ArrayRef; 3] {
    [
        Arc::new(UInt32Array::from_value(shard, sets.len())),
        Arc::new(BinaryArray::from_iter_values(
            sets.iter().map(|set| bitmap(shard, set)),
        )),
        Arc::new(UInt64Array::from_iter_values(
            sets.iter().map(|set| set.len() as u64),
        )),
    ]
}

fn tags(shard: u32, sets: &Sets) -> Vec<ArrayRef> {
    let bitmaps: Vec<_> = sets.values().cloned().collect();
    let mut columns = vec![
        constant(APP, sets.len()),
        texts(sets.keys().map(|(tag, _)| tag.clone())),
        texts(sets.keys().map(|(_, cell)| cell.type_name().to_owned())),
    ];
    columns.extend(value_columns(sets.keys().map(|(_, cell)| cell)));
    columns.extend(user_columns(shard, &bitmaps));
    columns
}

fn values(sets: &Sets) -> Vec<ArrayRef> {
    let mut columns = vec![
        constant(APP, sets.len()),
        texts(sets.keys().map(|(tag, _)| tag.clone())),
        texts(sets.keys().map(|(_, cell)| cell.type_name().to_owned())),
    ];
    columns.extend(value_columns(sets.keys().map(|(_, cell)| cell)));
    columns.push(Arc::new(UInt32Array::from_iter_values(
        0..sets.len() as u32,
    )));
    columns
}

/// The slices of `age` (offset -10) and `signup` (offset 20000).
fn numbers(shard: u32, users: &[User]) -> Vec<ArrayRef> {
    let mut rows = Vec::new();
    let mut add = |tag: &str, of: &str, offset: i64, number: &dyn Fn(&User) -> Option<i64>| {
        for slice in -1..12_i16 {
            let has = |number: i64| slice < 0 || (number - offset) >> slice & 1 == 1;
            let set: Vec<u32> = users
                .iter()
                .filter(|user| number(user).is_some_and(has))
                .map(|user| user.ordinal)
                .collect();
            if !set.is_empty() {
                rows.push((tag.to_owned(), of.to_owned(), offset, slice, set));
            }
        }
    };
    add("age", "integer", -10, &|user| user.age);
    add("signup", "date", 20_000, &|user| user.signup.map(i64::from));
    let sets: Vec<_> = rows.iter().map(|row| row.4.clone()).collect();
    let mut columns = vec![
        constant(APP, rows.len()),
        texts(rows.iter().map(|row| row.0.clone())),
        texts(rows.iter().map(|row| row.1.clone())),
        Arc::new(Int8Array::from_value(0, rows.len())),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2))),
        Arc::new(Int16Array::from_iter_values(rows.iter().map(|row| row.3))),
    ];
    columns.extend(user_columns(shard, &sets));
    columns
}

fn universe(shard: u32, users: &[User]) -> Vec<ArrayRef> {
    let other = users
        .iter()
        .filter(|user| !user.in_app)
        .map(|user| user.ordinal)
        .collect();
    let own = users
        .iter()
        .filter(|user| user.in_app)
        .map(|user| user.ordinal)
        .collect();
    let mut columns = vec![texts(["other".to_owned(), APP.to_owned()])];
    columns.extend(user_columns(shard, &[other, own]));
    columns
}

/// The group `women`.
fn groups(shard: u32, users: &[User]) -> Vec<ArrayRef> {
    let women = users
        .iter()
        .filter(|user| user.gender == Some("F"))
        .map(|user| user.ordinal)
        .collect();
    let mut columns = vec![constant(APP, 1), constant("women", 1)];
    columns.extend(user_columns(shard, &[women]));
    columns.extend([
        Arc::new(UInt64Array::from_value(0, 1)) as ArrayRef,
        Arc::new(UInt64Array::from_value(0, 1)),
    ]);
    columns
}

fn group_status() -> Vec<ArrayRef> {
    let null = |n: usize| Arc::new(StringArray::new_null(n)) as ArrayRef;
    vec![
        constant(APP, 2),
        texts(["typo".to_owned(), "women".to_owned()]),
        texts(["invalid".to_owned(), "ok".to_owned()]),
        null(2),
        Arc::new(Date32Array::from(vec![None, Some(20_776)])),
        Arc::new(UInt64Array::from(vec![None, Some(1)])),
        null(2),
        Arc::new(UInt32Array::new_null(2)),
        Arc::new(UInt32Array::new_null(2)),
        null(2),
    ]
}

fn users_batch(users: &[User]) -> Vec<ArrayRef> {
    vec![
        Arc::new(UInt32Array::from_iter_values(
            users.iter().map(|user| user.shard),
        )),
        Arc::new(UInt32Array::from_iter_values(
            users.iter().map(|user| user.ordinal),
        )),
        Arc::new(StringArray::new_null(users.len())),
        texts(users.iter().map(User::id)),
        Arc::new(
            FixedSizeBinaryArray::try_from_iter(
                users
                    .iter()
                    .map(|user| u128::from(user.ordinal).to_be_bytes()),
            )
            .unwrap(),
        ),
        constant("r", users.len()),
        Arc::new(UInt8Array::from_value(0, users.len())),
        Arc::new(UInt64Array::new_null(users.len())),
    ]
}

/// One event's users a day.
fn visits(shard: u32, date: NaiveDate, users: &[User]) -> Vec<ArrayRef> {
    let set = users
        .iter()
        .filter(|user| user.in_app)
        .map(|user| user.ordinal)
        .collect();
    let days = (date - NaiveDate::default()).num_days() as i32;
    let null = || Arc::new(StringArray::new_null(1)) as ArrayRef;
    let mut columns = vec![
        constant(APP, 1),
        Arc::new(Date32Array::from_value(days, 1)) as ArrayRef,
        constant("visit", 1),
        null(),
        null(),
        Arc::new(UInt32Array::new_null(1)),
        Arc::new(BooleanArray::from(vec![false])),
    ];
    columns.extend(user_columns(shard, &[set]));
    columns
}
