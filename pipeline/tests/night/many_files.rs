//! Files of one source that say the same in other words, or nothing: the night reads what each has,
//! or says which file to write again.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    LargeListArray, ListArray, MapArray, NullArray, StructArray, TimestampMicrosecondArray,
    new_empty_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use parquet::data_type::{
    ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int96, Int96Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tagmill_schemas::error::Kind;

use crate::days::{EVENT_PART, events_at, visitors};
use crate::hand::{DAY, EVENTS, Hand, NOON, PROFILE_TAGS, PROFILES, day};
use crate::types::text;

fn texts(values: &[&str]) -> ArrayRef {
    text(values, &DataType::Utf8)
}

/// `raw/profiles` with one user and one more column.
fn write(hand: &Hand, part: &str, user: &str, name: &str, value: ArrayRef) {
    hand.write(
        &format!("raw/profiles/dt={DAY}/{part}.parquet"),
        vec![
            ("app", texts(&["shop"])),
            ("user", texts(&[user])),
            (name, value),
        ],
    );
}

fn tag(name: &str, value_type: &str, multi: bool, value: &str) -> String {
    format!(
        "[[tag]]\nname = '{name}'\nsource = 'profiles'\ntype = '{value_type}'\nmulti = \
         {multi}\nvalue = \"{value}\"\n"
    )
}

/// `tag=value` with its users.
async fn tags(hand: &Hand) -> BTreeMap<String, usize> {
    let tags = hand.published().await.tags().await.into_iter();
    tags.map(|((_, tag, value), users)| (format!("{tag}={value}"), users.len()))
        .collect()
}

fn expected<const N: usize>(tags: [(&str, usize); N]) -> BTreeMap<String, usize> {
    tags.map(|(tag, users)| (tag.to_owned(), users)).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_rows_decides_nothing() {
    let empty: [(&str, Vec<(&str, ArrayRef)>); 4] = [
        (
            "no columns",
            vec![("other", new_empty_array(&DataType::Int8))],
        ),
        (
            "null",
            ["app", "user", "city", "age"]
                .map(|name| (name, new_empty_array(&DataType::Null)))
                .into(),
        ),
        (
            "double",
            ["app", "user", "city", "age"]
                .map(|name| (name, new_empty_array(&DataType::Float64)))
                .into(),
        ),
        (
            "boolean",
            ["city", "age"]
                .map(|name| (name, new_empty_array(&DataType::Boolean)))
                .into(),
        ),
    ];
    for (what, columns) in empty {
        // Before and behind the file that has rows.
        for part in ["a", "z"] {
            let hand = Hand::new(&[PROFILES, PROFILE_TAGS]);
            hand.write_profiles(DAY, &[("shop", Some("u1"), Some("Oslo"), Some(30))]);
            hand.write(
                &format!("raw/profiles/dt={DAY}/{part}.parquet"),
                columns.clone(),
            );
            hand.init_and_run()
                .await
                .unwrap_or_else(|e| panic!("{what}: {e}"));
            assert_eq!(
                tags(&hand).await,
                expected([("city=Oslo", 1), ("age=30", 1)]),
                "{what}"
            );
        }
    }
}

/// What pandas writes for a column of a day that is null in all rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_of_nothing_is_null_wherever_it_is_used() {
    let nothing = || Arc::new(NullArray::new(2)) as ArrayRef;
    let measures = "dedupe = { key = ['id'] }\n[source.dimensions]\ncity = \
                    'city'\n[source.measures]\namount = { value = 'amount', scale = 2 }\n";
    let hand = Hand::new(&[EVENTS, measures]);
    let mut columns = events_at(Arc::new(TimestampMicrosecondArray::from(vec![NOON; 2])));
    for name in ["city", "amount", "id"] {
        columns.push((name, nothing()));
    }
    hand.write(EVENT_PART, columns.clone());
    hand.init_and_run().await.unwrap();
    assert_eq!(visitors(&hand).await.0, ["u0", "u1"]);
    for (column, reason) in [
        ("user", "no_user"),
        ("time", "no_time"),
        ("event", "no_event"),
    ] {
        let hand = Hand::new(&[EVENTS, measures]);
        let mut columns = columns.clone();
        let nothing = nothing();
        columns
            .iter_mut()
            .filter(|(name, _)| *name == column)
            .for_each(|(_, array)| *array = Arc::clone(&nothing));
        hand.write(EVENT_PART, columns);
        hand.init_and_run()
            .await
            .unwrap_or_else(|e| panic!("{column}: {e}"));
        let rejected = BTreeMap::from([(format!("rejected:{reason}"), 2)]);
        assert_eq!(visitors(&hand).await, (Vec::new(), rejected));
    }
    let dedupe = "dedupe = { keep = 'latest', by = 'at' }\n";
    let hand = Hand::new(&[PROFILES, dedupe, &tag("at", "date", false, "at")]);
    write(&hand, "part", "u1", "at", Arc::new(NullArray::new(1)));
    hand.init_and_run().await.unwrap();
    assert_eq!(tags(&hand).await, BTreeMap::new());
}

fn list_of(field: Field, values: ArrayRef) -> ArrayRef {
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    Arc::new(ListArray::new(Arc::new(field), offsets, values, None))
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_in_other_words_are_lists() {
    let element = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let large = LargeListArray::new(
        Arc::new(Field::new("item", DataType::LargeUtf8, true)),
        OffsetBuffer::from_lengths([1]),
        text(&["b"], &DataType::LargeUtf8),
        None,
    );
    let lists: Vec<ArrayRef> = vec![
        list_of(element("element", true), texts(&["a"])),
        list_of(element("item", false), texts(&["a", "b"])),
        Arc::new(large),
        list_of(
            Field::new("item", DataType::Null, true),
            Arc::new(NullArray::new(1)),
        ),
        Arc::new(NullArray::new(1)),
    ];
    for first in 0..lists.len() {
        let hand = Hand::new(&[PROFILES, &tag("likes", "string", true, "likes")]);
        for (number, list) in lists.iter().enumerate() {
            let part = (number + lists.len() - first) % lists.len();
            let user = format!("u{number}");
            write(
                &hand,
                &format!("part{part}"),
                &user,
                "likes",
                Arc::clone(list),
            );
        }
        hand.init_and_run().await.unwrap();
        assert_eq!(
            tags(&hand).await,
            expected([("likes=a", 2), ("likes=b", 2)]),
            "{first} first"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn structs_and_maps_in_other_words_are_read_by_name() {
    let fields = |names: &[&str]| -> Fields {
        names
            .iter()
            .map(|name| Field::new(*name, DataType::Utf8, *name == "b"))
            .collect()
    };
    let of = |names: &[&str]| -> ArrayRef {
        let columns = names.iter().map(|name| texts(&[*name])).collect();
        Arc::new(StructArray::new(fields(names), columns, None))
    };
    let value = [
        tag("a", "string", false, "s['a']"),
        tag("b", "string", false, "s['b']"),
    ];
    let hand = Hand::new(&[PROFILES, &value.concat()]);
    write(&hand, "a", "u1", "s", of(&["a"]));
    write(&hand, "b", "u2", "s", of(&["b", "a"]));
    hand.init_and_run().await.unwrap();
    assert_eq!(tags(&hand).await, expected([("a=a", 2), ("b=b", 1)]));

    let map = |entries: &str, key: &str, value: &str| -> ArrayRef {
        let fields: Fields = vec![
            Field::new(key, DataType::Utf8, false),
            Field::new(value, DataType::Utf8, true),
        ]
        .into();
        let inner = StructArray::new(fields.clone(), vec![texts(&["k"]), texts(&["v"])], None);
        let entries = Arc::new(Field::new(entries, DataType::Struct(fields), false));
        let offsets = OffsetBuffer::from_lengths([1]);
        Arc::new(MapArray::new(entries, offsets, inner, None, false))
    };
    let hand = Hand::new(&[PROFILES, &tag("k", "string", false, "m['k']")]);
    write(&hand, "a", "u1", "m", map("entries", "keys", "values"));
    write(&hand, "b", "u2", "m", map("key_value", "key", "value"));
    hand.init_and_run().await.unwrap();
    assert_eq!(tags(&hand).await, expected([("k=v", 2)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_several_types_are_one_that_holds_them_all() {
    let decimal = |value: i128, precision, scale| -> ArrayRef {
        let values = Decimal128Array::from(vec![value]);
        Arc::new(values.with_precision_and_scale(precision, scale).unwrap())
    };
    let whole = |value: i64| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
    let double = |value: f64| Arc::new(Float64Array::from(vec![value])) as ArrayRef;
    for (columns, sums) in [
        (
            vec![decimal(1250, 10, 2), decimal(125_000, 12, 4)],
            vec!["12.5"],
        ),
        (vec![decimal(1250, 10, 2), whole(7)], vec!["12.5", "7"]),
        (
            vec![double(0.1), decimal(2_805 * 10i128.pow(18), 38, 18)],
            vec!["0.1", "2805"],
        ),
        (
            vec![double(0.5), whole(1 << 53)],
            vec!["0.5", "9007199254740992"],
        ),
    ] {
        let hand = Hand::new(&[PROFILES, &tag("n", "double", false, "n")]);
        for (number, column) in columns.iter().enumerate() {
            let user = format!("u{number}");
            write(&hand, &user, &user, "n", Arc::clone(column));
        }
        hand.init_and_run()
            .await
            .unwrap_or_else(|e| panic!("{sums:?}: {e}"));
        let found: Vec<String> = tags(&hand).await.into_keys().collect();
        let mut expected: Vec<String> = sums.iter().map(|sum| format!("n={sum}")).collect();
        expected.sort();
        assert_eq!(found, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_type_holds_names_file_column_found_expected_and_cure() {
    let whole = |value: i64| Arc::new(Int64Array::from(vec![value])) as ArrayRef;
    for (first, second, found, wanted) in [
        (
            whole(1),
            Arc::new(BooleanArray::from(vec![true])) as ArrayRef,
            "is boolean",
            "expected integer as in ",
        ),
        (
            whole(1),
            texts(&["x"]),
            "is text",
            "expected integer as in ",
        ),
        (
            Arc::new(Float64Array::from(vec![0.5])),
            whole((1 << 53) + 1),
            "is integer",
            "numbers that a double does not hold",
        ),
    ] {
        let hand = Hand::new(&[PROFILES, &tag("n", "string", false, "n")]);
        write(&hand, "a", "u1", "n", first);
        write(&hand, "b", "u2", "n", second);
        let error = hand.init_and_run().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Refused, "{error}");
        let error = error.to_string();
        for part in ["b.parquet", "column \"n\"", found, wanted, "write the"] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

/// 96-bit times by a writer of pages, and their table's name.
fn int96_file(times: &[Int96]) -> Vec<u8> {
    let columns = ["app", "user"].map(|name| format!("required binary {name} (STRING);"));
    let message = format!("message m {{ {} required int96 at; }}", columns.concat());
    let users: Vec<String> = (0..times.len()).map(|user| format!("u{user}")).collect();
    let texts = [
        vec![ByteArray::from("shop"); times.len()],
        users.iter().map(|user| user.as_str().into()).collect(),
    ];
    written(&message, &texts, |group| {
        let mut column = group.next_column().unwrap().unwrap();
        let typed = column.typed::<Int96Type>();
        typed.write_batch(times, None, None).unwrap();
        column.close().unwrap();
    })
}

type Group<'a> = parquet::file::writer::SerializedRowGroupWriter<'a, Vec<u8>>;

fn written(message: &str, texts: &[Vec<ByteArray>], rest: impl FnOnce(&mut Group<'_>)) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(message).unwrap());
    let properties = Arc::new(WriterProperties::default());
    let mut file = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    let mut group = file.next_row_group().unwrap();
    for values in texts {
        let mut column = group.next_column().unwrap().unwrap();
        let typed = column.typed::<ByteArrayType>();
        typed.write_batch(values, None, None).unwrap();
        column.close().unwrap();
    }
    rest(&mut group);
    group.close().unwrap();
    file.into_inner().unwrap()
}

fn int96(date: &str) -> Int96 {
    let days = (day(date) - day("1970-01-01")).num_days() + 2_440_588;
    let mut time = Int96::new();
    time.set_data(0, 0, days as u32);
    time
}

/// Nanoseconds of 64 bits end in 2262; a file of micros beside it has the last day too.
#[tokio::test(flavor = "multi_thread")]
async fn times_of_96_bits_are_of_every_year() {
    let dates = ["9999-12-31", "2300-01-01", "1600-01-01", "0001-01-01"];
    let micros = TimestampMicrosecondArray::from(vec![253_402_214_400_000_000]);
    let nanos = cast(
        &TimestampMicrosecondArray::from(vec![NOON]),
        &DataType::Timestamp(TimeUnit::Nanosecond, None),
    );
    for others in [
        vec![],
        vec![
            Arc::new(micros.with_timezone("UTC")) as ArrayRef,
            nanos.unwrap(),
        ],
    ] {
        let hand = Hand::new(&[PROFILES, &tag("to", "date", false, "cast(at as date)")]);
        let part = format!("raw/profiles/dt={DAY}/part.parquet");
        hand.write_bytes(&part, int96_file(&dates.map(int96)));
        let mut wanted: BTreeMap<String, usize> =
            dates.map(|date| (format!("to={date}"), 1)).into();
        for (number, other) in others.iter().enumerate() {
            write(
                &hand,
                &format!("b{number}"),
                &format!("other{number}"),
                "at",
                Arc::clone(other),
            );
        }
        if !others.is_empty() {
            wanted.insert("to=9999-12-31".to_owned(), 2);
            wanted.insert(format!("to={DAY}"), 1);
        }
        hand.init_and_run().await.unwrap();
        assert_eq!(tags(&hand).await, wanted, "{}", others.len());
    }
}

/// As protobuf's writers have them: repeated, without the annotation of a list, with dictionaries.
#[tokio::test(flavor = "multi_thread")]
async fn repeated_columns_without_an_annotation_are_lists() {
    let hand = Hand::new(&[PROFILES, &tag("likes", "string", true, "likes")]);
    let columns = ["app", "user"].map(|name| format!("required binary {name} (STRING);"));
    let message = format!(
        "message m {{ {} repeated binary likes (STRING); }}",
        columns.concat()
    );
    let texts = [
        vec![ByteArray::from("shop"); 3],
        vec!["u1".into(), "u2".into(), "u3".into()],
    ];
    let bytes = written(&message, &texts, |group| {
        let mut column = group.next_column().unwrap().unwrap();
        let values: Vec<ByteArray> = vec!["a".into(), "b".into(), "a".into()];
        let typed = column.typed::<ByteArrayType>();
        typed
            .write_batch(&values, Some(&[1, 1, 0, 1]), Some(&[0, 1, 0, 0]))
            .unwrap();
        column.close().unwrap();
    });
    hand.write_bytes(&format!("raw/profiles/dt={DAY}/part.parquet"), bytes);
    hand.init_and_run().await.unwrap();
    assert_eq!(
        tags(&hand).await,
        expected([("likes=a", 2), ("likes=b", 1)])
    );
}

/// The users are the same whether their ids are raw, or text.
#[tokio::test(flavor = "multi_thread")]
async fn uuids_are_their_dashed_text() {
    let bytes: Vec<u8> = (0..16).map(|digit| digit * 17).collect();
    let dashed = "00112233-4455-6677-8899-aabbccddeeff";
    let message = "message m { required binary app (STRING); required fixed_len_byte_array(16) \
                   user (UUID); required binary city (STRING); }";
    let raw = written(message, &[vec!["shop".into()]], |group| {
        let mut column = group.next_column().unwrap().unwrap();
        let typed = column.typed::<FixedLenByteArrayType>();
        let id = FixedLenByteArray::from(bytes);
        typed.write_batch(&[id], None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let typed = column.typed::<ByteArrayType>();
        typed.write_batch(&["Oslo".into()], None, None).unwrap();
        column.close().unwrap();
    });
    for with_text in [false, true] {
        let hand = Hand::new(&[PROFILES, &tag("city", "string", false, "city")]);
        hand.write_bytes(&format!("raw/profiles/dt={DAY}/raw.parquet"), &raw);
        if with_text {
            write(&hand, "text", dashed, "city", texts(&["Oslo"]));
        }
        hand.init_and_run().await.unwrap();
        let users = hand.published().await.dictionary().await.into_keys();
        let users: Vec<String> = users.map(|(_, user)| user).collect();
        assert_eq!(users, [dashed], "{with_text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_beside_a_time_is_its_local_midnight() {
    let hand = Hand::new(&[PROFILES, &tag("day", "date", false, "cast(at as date)")]);
    let config = hand.config.replace("'UTC'", "'America/New_York'");
    let hand = Hand { config, ..hand };
    let time = TimestampMicrosecondArray::from(vec![NOON]).with_timezone("UTC");
    write(&hand, "a", "u1", "at", Arc::new(time));
    write(
        &hand,
        "b",
        "u2",
        "at",
        Arc::new(Date32Array::from(vec![20_776])),
    );
    hand.init_and_run().await.unwrap();
    assert_eq!(tags(&hand).await, expected([("day=2026-11-19", 2)]));
}
