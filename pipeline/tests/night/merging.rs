//! The dictionary and the tag values get few files, however many nights add to them; numbers and
//! codes stay.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use arrow::datatypes::UInt32Type;
use datafusion::prelude::SessionContext;
use tagmill_schemas::Artifact;

use crate::hand::{DAY, Hand, PROFILE_TAGS, PROFILES, day};
use crate::release::Published;

const NIGHTS: u32 = 24;

/// (tag, value's row as text) -> code.
async fn codes(release: &Published) -> BTreeMap<String, u32> {
    let mut codes = BTreeMap::new();
    for (_, batch) in release.batches(Artifact::TagValues).await {
        let numbers = batch["code"].as_primitive::<UInt32Type>();
        for row in 0..batch.num_rows() {
            let text = ["tag", "value_string"].map(|name| {
                let column = batch[name].as_string::<i32>();
                column.iter().nth(row).flatten().unwrap_or("").to_owned()
            });
            let integer = batch["value_integer"].slice(row, 1);
            codes.insert(format!("{text:?} {integer:?}"), numbers.value(row));
        }
    }
    codes
}

/// Rows of the look-up index, each file's with as many rows as its file of users has.
async fn index(release: &Published) -> BTreeSet<(u32, u32, u32)> {
    let mut rows = BTreeSet::new();
    let users = release.batches(Artifact::Users).await;
    let indexes = release.batches(Artifact::UserIndex).await;
    assert_eq!(users.len(), indexes.len());
    for ((users, _), (index, batch)) in users.iter().zip(&indexes) {
        assert_eq!(users.path.replace("users/", "user_index/"), index.path);
        assert_eq!(users.rows, index.rows);
        let column = |name| batch[name].as_primitive::<UInt32Type>().values();
        let hashes = column("shard").iter().zip(column("hash"));
        rows.extend(
            hashes
                .zip(column("ordinal"))
                .map(|((shard, hash), ordinal)| (*shard, *hash, *ordinal)),
        );
    }
    rows
}

fn expected_index(uids: &BTreeMap<(String, String), u64>) -> BTreeSet<(u32, u32, u32)> {
    let row = |((_, id), uid): (&(String, String), &u64)| {
        let hash = twox_hash::XxHash3_64::oneshot(id.as_bytes());
        ((uid >> 32) as u32, (hash >> 32) as u32, *uid as u32)
    };
    uids.iter().map(row).collect()
}

/// SQL finds every user by id, one, several, and none that there is not.
async fn check_lookups(release: &Published, uids: &BTreeMap<(String, String), u64>) {
    let ctx = SessionContext::new();
    tagmill_query::catalog::register(&ctx, &release.store, &release.manifest)
        .await
        .unwrap();
    let found = async |filter: String| {
        let sql = format!("SELECT user_id, shard, ordinal FROM users WHERE {filter}");
        let batches = ctx.sql(&sql).await.unwrap().collect().await.unwrap();
        let mut rows = BTreeMap::new();
        for batch in batches {
            let numbers = |name| batch[name].as_primitive::<UInt32Type>();
            for row in 0..batch.num_rows() {
                let id = batch["user_id"].as_string_view().value(row).to_owned();
                let shard = u64::from(numbers("shard").value(row));
                let uid = shard << 32 | u64::from(numbers("ordinal").value(row));
                assert_eq!(rows.insert(id, uid), None);
            }
        }
        rows
    };
    for ((_, id), uid) in uids {
        let one = found(format!("user_id = '{id}'")).await;
        assert_eq!(one, BTreeMap::from([(id.clone(), *uid)]));
    }
    let two = found("user_id IN ('u1', 'u7', 'nobody') AND ordinal >= 0".to_owned()).await;
    assert_eq!(two.keys().collect::<Vec<_>>(), ["u1", "u7"]);
    let either = found("user_id = 'u2' OR user_id = 'u3'".to_owned()).await;
    assert_eq!(either.len(), 2);
    let other = found("user_id = 'u2' OR shard = 0".to_owned()).await;
    let in_first = uids.values().filter(|uid| **uid >> 32 == 0).count();
    assert!(other.len() == in_first || other.len() == in_first + 1);
    assert!(found("user_id = 'nobody'".to_owned()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_nights_leave_few_files_and_the_same_numbers() {
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS]);
    hand.init().await;
    let (mut uids, mut known_codes) = (BTreeMap::new(), BTreeMap::new());
    for night in 0..NIGHTS {
        let date = day(DAY) + chrono::Days::new(u64::from(night));
        // Three new users a night, and none in every fifth; a new city each.
        let last = 3 * (night - night / 5);
        let names: Vec<_> = (0..=last)
            .map(|user| (format!("u{user}"), format!("city {user:02}")))
            .collect();
        let rows: Vec<_> = names
            .iter()
            .map(|(user, city)| ("shop", Some(user.as_str()), Some(city.as_str()), Some(30)))
            .collect();
        hand.write_profiles(&date.to_string(), &rows);
        hand.run(&date.to_string()).await.unwrap();
        let release = hand.published().await;
        let (users, codes) = (release.dictionary().await, codes(&release).await);
        assert_eq!(users.len(), rows.len(), "{date}");
        assert!(
            uids.iter().all(|(id, uid)| users.get(id) == Some(uid)),
            "{date}"
        );
        assert!(
            known_codes
                .iter()
                .all(|(value, code)| codes.get(value) == Some(code)),
            "{date}"
        );
        let of_cities: BTreeSet<u32> = codes
            .iter()
            .filter(|(value, _)| value.contains("city"))
            .map(|(_, code)| *code)
            .collect();
        assert_eq!(of_cities, (0..rows.len() as u32).collect(), "{date}");
        (uids, known_codes) = (users, codes);
        assert_eq!(index(&release).await, expected_index(&uids), "{date}");
    }
    let release = hand.published().await;
    check_lookups(&release, &uids).await;
    for shard in 0..2 {
        let files = release.manifest.direct_files(Artifact::Users);
        let files = files.filter(|file| file.shard == Some(shard)).count();
        assert!(files <= 6, "{files} files of users in shard {shard}");
    }
    let files = release.manifest.direct_files(Artifact::TagValues).count();
    assert!(files <= 6, "{files} files of tag values");
}
