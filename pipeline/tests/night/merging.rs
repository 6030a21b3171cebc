//! The dictionary and the tag values get few files, however many nights add to them; numbers and
//! codes stay.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use arrow::datatypes::UInt32Type;
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
    }
    let release = hand.published().await;
    for shard in 0..2 {
        let files = release.manifest.direct_files(Artifact::Users);
        let files = files.filter(|file| file.shard == Some(shard)).count();
        assert!(files <= 6, "{files} files of users in shard {shard}");
    }
    let files = release.manifest.direct_files(Artifact::TagValues).count();
    assert!(files <= 6, "{files} files of tag values");
}
