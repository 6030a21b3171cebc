//! One test per defect.

use tagmill_bitmap::{BitmapRef, Defect};

fn bitmap64(buckets: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = (buckets.len() as u64).to_le_bytes().to_vec();
    for (high, bitmap) in buckets {
        bytes.extend_from_slice(&high.to_le_bytes());
        bytes.extend_from_slice(bitmap);
    }
    bytes
}

fn halves(values: &[u16]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

/// A 32-bit bitmap without runs: per container key, declared cardinality, bytes.
fn without_runs(containers: &[(u16, u32, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = [12346u32, containers.len() as u32]
        .map(u32::to_le_bytes)
        .concat();
    for (key, cardinality, _) in containers {
        bytes.extend(halves(&[*key, (*cardinality - 1) as u16]));
    }
    let mut offset = 8 + containers.len() as u32 * 8;
    for (_, _, container) in containers {
        bytes.extend_from_slice(&offset.to_le_bytes());
        offset += container.len() as u32;
    }
    containers
        .iter()
        .for_each(|(_, _, container)| bytes.extend_from_slice(container));
    bytes
}

/// A 32-bit bitmap of one run container: declared cardinality, runs of start and length - 1.
fn one_run_container(cardinality: u32, runs: &[(u16, u16)]) -> Vec<u8> {
    let mut bytes = 12347u32.to_le_bytes().to_vec();
    bytes.push(1);
    bytes.extend(halves(&[5, (cardinality - 1) as u16, runs.len() as u16]));
    runs.iter()
        .for_each(|(start, more)| bytes.extend(halves(&[*start, *more])));
    bytes
}

fn single(bitmap: Vec<u8>) -> Vec<u8> {
    bitmap64(&[(0, bitmap)])
}

fn one_array(values: &[u16]) -> Vec<u8> {
    without_runs(&[(5, values.len() as u32, halves(values))])
}

/// The defect that both views report.
fn defect(bytes: &[u8]) -> Defect {
    let defect = BitmapRef::parse(bytes).unwrap_err();
    assert_eq!(BitmapRef::parse_layout(bytes).unwrap_err(), defect);
    defect
}

/// The defect that only the complete check finds.
fn inner_defect(bytes: &[u8]) -> Defect {
    BitmapRef::parse_layout(bytes).unwrap();
    BitmapRef::parse(bytes).unwrap_err()
}

#[test]
fn accepts_what_the_others_are_made_from() {
    for bytes in [
        single(one_array(&[1, 2, 9])),
        single(one_run_container(5, &[(1, 1), (7, 2)])),
    ] {
        BitmapRef::parse(&bytes).unwrap();
    }
}

#[test]
fn rejects_every_truncation() {
    let bytes = bitmap64(&[
        (0, one_array(&[1, 2, 9])),
        (1, one_run_container(5, &[(1, 1), (7, 2)])),
    ]);
    BitmapRef::parse(&bytes).unwrap();
    for len in 0..bytes.len() {
        let found = defect(&bytes[..len]);
        assert!(
            matches!(
                found,
                Defect::Truncated { .. } | Defect::TooManyBuckets { .. }
            ),
            "{len} bytes: {found}"
        );
    }
}

#[test]
fn rejects_trailing_bytes() {
    let mut bytes = single(one_array(&[1]));
    let at = bytes.len();
    bytes.extend_from_slice(&[0, 0]);
    assert_eq!(defect(&bytes), Defect::TrailingBytes { at, count: 2 });
}

#[test]
fn rejects_an_absurd_bucket_count() {
    let mut bytes = single(one_array(&[1]));
    bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert_eq!(
        defect(&bytes),
        Defect::TooManyBuckets {
            found: u64::MAX,
            most: 1
        }
    );
}

#[test]
fn rejects_an_absurd_container_count() {
    let mut bytes = single(one_array(&[1]));
    bytes[16..20].copy_from_slice(&65_537u32.to_le_bytes());
    assert_eq!(
        defect(&bytes),
        Defect::TooManyContainers {
            at: 16,
            found: 65_537
        }
    );
}

#[test]
fn rejects_unordered_high_words() {
    let bytes = bitmap64(&[(8, one_array(&[1])), (7, one_array(&[1]))]);
    assert_eq!(
        defect(&bytes),
        Defect::UnorderedHighs {
            at: 30,
            found: 7,
            previous: 8
        }
    );
}

#[test]
fn rejects_duplicate_high_words() {
    let bytes = bitmap64(&[(7, one_array(&[1])), (7, one_array(&[2]))]);
    assert_eq!(
        defect(&bytes),
        Defect::UnorderedHighs {
            at: 30,
            found: 7,
            previous: 7
        }
    );
}

#[test]
fn rejects_a_bad_cookie() {
    let mut bytes = single(one_array(&[1]));
    bytes[12] = 0;
    assert_eq!(
        defect(&bytes),
        Defect::BadCookie {
            at: 12,
            found: 0x3000
        }
    );
}

#[test]
fn rejects_run_flags_beyond_the_last_container() {
    let mut bytes = single(one_run_container(3, &[(0, 2)]));
    bytes[16] = 3;
    assert_eq!(defect(&bytes), Defect::StrayRunFlags { at: 16 });
}

#[test]
fn rejects_unordered_keys() {
    let bytes = single(without_runs(&[(6, 1, halves(&[1])), (5, 1, halves(&[1]))]));
    assert_eq!(
        defect(&bytes),
        Defect::UnorderedKeys {
            at: 24,
            found: 5,
            previous: 6
        }
    );
}

#[test]
fn rejects_duplicate_keys() {
    let bytes = single(without_runs(&[(6, 1, halves(&[1])), (6, 1, halves(&[1]))]));
    assert_eq!(
        defect(&bytes),
        Defect::UnorderedKeys {
            at: 24,
            found: 6,
            previous: 6
        }
    );
}

#[test]
fn rejects_a_wrong_offset() {
    let mut bytes = single(one_array(&[1]));
    bytes[24] = 17;
    assert_eq!(
        defect(&bytes),
        Defect::WrongOffset {
            key: 5,
            found: 17,
            expected: 16
        }
    );
}

#[test]
fn rejects_an_array_that_does_not_ascend() {
    assert_eq!(
        inner_defect(&single(one_array(&[1, 9, 2]))),
        Defect::UnorderedArray { key: 5 }
    );
}

/// Arrays are looked at in blocks: the place of a defect, and the length, make no difference.
#[test]
fn rejects_a_value_out_of_order_at_any_place() {
    for len in [2u16, 3, 8, 9, 10, 17, 32, 33, 34, 65, 100] {
        let values: Vec<u16> = (0..len).map(|index| index * 3).collect();
        assert!(BitmapRef::parse(&single(one_array(&values))).is_ok());
        for at in 1..values.len() {
            let mut damaged = values.clone();
            damaged[at] = damaged[at - 1];
            assert_eq!(
                inner_defect(&single(one_array(&damaged))),
                Defect::UnorderedArray { key: 5 },
                "place {at} of {len}"
            );
        }
    }
}

#[test]
fn rejects_duplicates_in_an_array() {
    assert_eq!(
        inner_defect(&single(one_array(&[1, 9, 9]))),
        Defect::UnorderedArray { key: 5 }
    );
}

#[test]
fn rejects_a_bitset_of_another_cardinality() {
    let mut block = vec![0xFF; 1024];
    block.resize(8192, 0);
    let bytes = single(without_runs(&[(5, 8193, block)]));
    assert_eq!(
        inner_defect(&bytes),
        Defect::WrongCardinality {
            key: 5,
            declared: 8193,
            found: 8192
        }
    );
}

#[test]
fn rejects_runs_of_another_cardinality() {
    let bytes = single(one_run_container(6, &[(1, 1), (7, 2)]));
    assert_eq!(
        defect(&bytes),
        Defect::WrongCardinality {
            key: 5,
            declared: 6,
            found: 5
        }
    );
}

#[test]
fn rejects_a_run_container_without_runs() {
    assert_eq!(
        defect(&single(one_run_container(1, &[]))),
        Defect::NoRuns { key: 5 }
    );
}

#[test]
fn rejects_overlapping_runs() {
    let bytes = single(one_run_container(6, &[(1, 2), (3, 2)]));
    assert_eq!(defect(&bytes), Defect::UnorderedRuns { key: 5, run: 1 });
}

#[test]
fn rejects_runs_that_touch() {
    let bytes = single(one_run_container(6, &[(1, 2), (4, 2)]));
    assert_eq!(defect(&bytes), Defect::UnorderedRuns { key: 5, run: 1 });
}

#[test]
fn rejects_runs_out_of_order() {
    let bytes = single(one_run_container(6, &[(10, 2), (4, 2)]));
    assert_eq!(defect(&bytes), Defect::UnorderedRuns { key: 5, run: 1 });
}

#[test]
fn rejects_a_run_beyond_the_container() {
    let bytes = single(one_run_container(10, &[(65_530, 9)]));
    assert_eq!(defect(&bytes), Defect::RunTooLong { key: 5, run: 0 });
}
