//! The shard promise against the reference C library's values and an independent implementation.

use proptest::prelude::*;
use tagmill_schemas::checksum::Checksum;
use tagmill_schemas::shard::{IdScope, Shards, hash_of_id, id_bytes};
use twox_hash::XxHash3_64;

use crate::table;

/// The buffer of xxHash's own sanity check.
fn sanity_buffer(length: usize) -> Vec<u8> {
    let next = |state: &u64| Some(state.wrapping_mul(11_400_714_785_074_694_797));
    std::iter::successors(Some(2_654_435_761), next)
        .map(|state| (state >> 56) as u8)
        .take(length)
        .collect()
}

#[test]
fn hashes_are_the_published_ones() {
    let all = Shards::new(65_536).unwrap();
    for row in table("xxh3.tsv") {
        let buffer = sanity_buffer(row[0].parse().unwrap());
        let published = u64::from_str_radix(&row[1], 16).unwrap();
        assert_eq!(
            u64::from(all.of(&buffer)),
            published % 65_536,
            "length {}",
            row[0]
        );
        assert_eq!(
            XxHash3_64::oneshot(&buffer),
            published,
            "twox-hash, length {}",
            row[0]
        );
        assert_eq!(
            Checksum::of(&buffer).to_string(),
            format!("xxh3-128:{}", row[2]),
            "length {}",
            row[0]
        );
    }
}

#[test]
fn users_stay_in_their_shards_for_ever() {
    let mut buffer = Vec::new();
    for row in table("shards.tsv") {
        let scope = if row[0] == "app" {
            IdScope::App
        } else {
            IdScope::Global
        };
        let id = id_bytes(scope, &row[1], &row[2], &mut buffer);
        assert_eq!(
            XxHash3_64::oneshot(id),
            u64::from_str_radix(&row[3], 16).unwrap(),
            "{row:?}"
        );
        assert_eq!(hash_of_id(id), XxHash3_64::oneshot(id), "{row:?}");
        for (shards, shard) in [1, 16, 1_000, 65_536].into_iter().zip(&row[5..]) {
            assert_eq!(
                Shards::new(shards).unwrap().of(id).to_string(),
                *shard,
                "{row:?} of {shards}"
            );
        }
    }
}

#[test]
fn refuses_no_shards_and_too_many() {
    for (count, is_fine) in [
        (0, false),
        (1, true),
        (65_536, true),
        (65_537, false),
        (u32::MAX, false),
    ] {
        assert_eq!(Shards::new(count).is_ok(), is_fine, "{count}");
    }
}

proptest! {
    #[test]
    fn shard_is_the_independent_hash_modulo_shards(id in proptest::collection::vec(any::<u8>(), 0..1_100), shards in 1u32..=65_536) {
        let expected = XxHash3_64::oneshot(&id) % u64::from(shards);
        prop_assert_eq!(u64::from(Shards::new(shards).unwrap().of(&id)), expected);
    }

    #[test]
    fn id_bytes_tell_apps_apart(app in "[^\0]{1,8}", user in ".{0,8}", other_app in "[^\0]{1,8}", other_user in ".{0,8}") {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        let equal = id_bytes(IdScope::App, &app, &user, &mut left) == id_bytes(IdScope::App, &other_app, &other_user, &mut right);
        prop_assert_eq!(equal, app == other_app && user == other_user);
        let equal = id_bytes(IdScope::Global, &app, &user, &mut left) == id_bytes(IdScope::Global, &other_app, &other_user, &mut right);
        prop_assert_eq!(equal, user == other_user);
    }
}
