//! A store that fails, bytes that are damaged: who is told to act, by which name, and that what is
//! published is said to be.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow::datatypes::Int32Type;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use tagmill_schemas::{Artifact, Kind};
use tagmill_warehouse::release::newest_release;
use tagmill_warehouse::store::Store;
use tagmill_warehouse::store::testing::{Fault, FaultyStore, When, mount};

use crate::bad_input::{PART, fails, shop};
use crate::fixture::warehouse;
use crate::hand::{DAY, Hand, PROFILE_TAGS, PROFILES, parquet, profiles};

const NEXT_DAY: &str = "2026-11-20";

/// A night whose raw data is in memory, in a store that a test may make fail.
fn night_of_memory(name: &str) -> Hand {
    let source = PROFILES.replace("@OUT@", &format!("memory://{name}"));
    Hand::new(&[&source, PROFILE_TAGS])
}

async fn raw_data() -> Arc<dyn ObjectStore> {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let store = Store::new(
        Arc::clone(&objects),
        "memory://raw",
        object_store::path::Path::default(),
    );
    let users: Vec<String> = (0..30_000).map(|user| format!("user-{user}")).collect();
    let rows: Vec<_> = users
        .iter()
        .map(|user| ("shop", Some(user.as_str()), Some("Oslo"), Some(3)))
        .collect();
    for part in ["part", "second"] {
        let path = format!("raw/profiles/dt={DAY}/{part}.parquet");
        store.put(&path, parquet(profiles(&rows))).await.unwrap();
    }
    objects
}

/// Keys of a source whose rows are all bad.
const ALL_MAY_BE_REJECTED: &str = "max_rejected = '100%'\nmin_rows = 0\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_from_any_read_on_is_a_retry_and_rights_are_for_a_person() {
    let objects = raw_data().await;
    for (fault, kind) in [
        (Fault::Unreachable, Kind::Retry),
        (Fault::Denied, Kind::Setup),
    ] {
        let mut failed = 0;
        for nth in 1..200 {
            let faulty = FaultyStore::new(Arc::clone(&objects)).with(When::FromRead(nth), fault);
            mount("faulty-raw", Arc::new(faulty));
            let hand = night_of_memory("faulty-raw");
            match hand.init_and_run().await {
                Ok(_) => break,
                result => fails(&hand, result, kind, &["memory://faulty-raw"]).await,
            }
            failed += 1;
        }
        // Listing, footers and looks at the files alone are not enough.
        assert!((6..199).contains(&failed), "{failed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_bit_in_what_a_night_builds_on_is_refused_by_name() {
    let hand = shop();
    hand.init_and_run().await.unwrap();
    hand.write_profiles(NEXT_DAY, &[("shop", Some("u3"), Some("Oslo"), Some(1))]);
    let manifest = newest_release(&warehouse(&hand.config))
        .await
        .unwrap()
        .unwrap();
    let built_on = [Artifact::Users, Artifact::Universe, Artifact::TagValues];
    let files = manifest.files.iter();
    let files: Vec<_> = files
        .filter(|file| built_on.contains(&file.artifact))
        .collect();
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let path = format!("warehouse/{}", file.path);
        let whole = std::fs::read(hand.path(&path)).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        hand.write_bytes(&path, flipped);
        let error = hand.run(NEXT_DAY).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{error}");
        assert!(error.to_string().contains(&file.path), "{error}");
        hand.write_bytes(&path, whole);
    }
    hand.run(NEXT_DAY).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_differs_from_its_checksum_is_refused_by_name() {
    let sound = include_bytes!("fixtures/page_checksums.parquet");
    let hand = Hand::new(&[PROFILES, PROFILE_TAGS]);
    let at = sound.windows(4).position(|bytes| bytes == b"Oslo").unwrap();
    let mut flipped = sound.to_vec();
    flipped[at] ^= 1;
    hand.write_bytes(PART, &flipped);
    let result = hand.init_and_run().await;
    fails(&hand, result, Kind::Refused, &["part.parquet", "CRC"]).await;
    hand.write_bytes(PART, sound);
    assert_eq!(hand.run(DAY).await.unwrap().users, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_whose_mark_can_not_be_written_is_published() {
    let hand = shop();
    hand.init().await;
    hand.write_bytes("warehouse/success", "a file in the place of the folder");
    assert_eq!(hand.run(DAY).await.unwrap().release, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_rows_with_long_values_are_counted_and_sampled_in_short() {
    let hand = Hand::new(&[PROFILES, ALL_MAY_BE_REJECTED, PROFILE_TAGS]);
    let rows = 9_000;
    let long = StringArray::from(vec!["é".repeat(150_000)]);
    let cities: DictionaryArray<Int32Type> =
        DictionaryArray::new(Int32Array::from(vec![0; rows]), Arc::new(long));
    let all = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; rows])) };
    hand.write(
        PART,
        vec![
            ("app", all("shop")),
            ("user", all("")),
            ("city", Arc::new(cities)),
            ("age", Arc::new(Int32Array::from(vec![1; rows]))),
        ],
    );
    let report = hand.init_and_run().await.unwrap();
    assert_eq!(report.rejected, rows as u64);
    let rejects = hand.published().await.rejects().await;
    assert!(!rejects.is_empty());
    assert!(format!("{rejects:?}").len() < 100_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_scoped_by_app_are_rejected_when_they_are_too_long_to_be_put_together() {
    let mut hand = Hand::new(&[PROFILES, ALL_MAY_BE_REJECTED, PROFILE_TAGS]);
    hand.config = hand.config.replace("'global'", "'app'");
    let rows = 2_000;
    let long = StringArray::from(vec!["u".repeat(1 << 20)]);
    let users: DictionaryArray<Int32Type> =
        DictionaryArray::new(Int32Array::from(vec![0; rows]), Arc::new(long));
    let all = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; rows])) };
    hand.write(
        PART,
        vec![
            ("app", all("shop")),
            ("user", Arc::new(users)),
            ("city", all("Oslo")),
            ("age", Arc::new(Int32Array::from(vec![1; rows]))),
        ],
    );
    let report = hand.init_and_run().await.unwrap();
    assert_eq!((report.rejected, report.users), (rows as u64, 0));
}
