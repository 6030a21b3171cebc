//! Infinities in a map of numbers are no value, and counted, as they are elsewhere.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Builder, MapBuilder, StringBuilder};

use crate::hand::{DAY, Hand, day, text_columns};

#[tokio::test(flavor = "multi_thread")]
async fn infinities_in_maps_are_counted() {
    let hand = Hand::new(&[
        "[[source]]\nname = 'custom'\nkind = 'custom_events'\npath = \
         '@OUT@/raw/custom/dt={date}/*.parquet'\ncolumns = { app = 'app', user = 'user', event = \
         'event', time = 'at', properties = 'props' }\nregistry = '@OUT@/conf/events.ndjson'\n",
    ]);
    let property = |name: &str, role: &str| {
        format!(
            "{{\"app\":\"tea\",\"event\":\"order\",\"property\":\"{name}\",\"role\":\"{role}\",\"type\":\"double\",\"scale\":2}}\n"
        )
    };
    let dimension =
        "{\"app\":\"tea\",\"event\":\"order\",\"property\":\"size\",\"role\":\"dimension\"}\n";
    hand.write_bytes(
        "conf/events.ndjson",
        property("price", "measure") + dimension,
    );
    let mut props = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
    for [price, size] in [
        [1.5, f64::INFINITY],
        [f64::NEG_INFINITY, 2.0],
        [2.0, f64::NAN],
    ] {
        for (name, value) in [("price", price), ("size", size), ("other", f64::INFINITY)] {
            props.keys().append_value(name);
            props.values().append_value(value);
        }
        props.append(true).unwrap();
    }
    let rows = [
        ["tea", "u1", "order", DAY],
        ["tea", "u2", "order", DAY],
        ["tea", "u3", "order", DAY],
    ];
    let mut columns = text_columns(["app", "user", "event", "at"], &rows);
    columns.push(("props", Arc::new(props.finish()) as ArrayRef));
    hand.write("raw/custom/dt=2026-11-19/a.parquet", columns);
    let report = hand.init_and_run().await.unwrap();
    assert_eq!(report.rejected, 0);
    let release = hand.published().await;
    let quality = release.quality().await;
    let infinite = quality
        .iter()
        .filter(|((_, _, metric), _)| metric == "infinite");
    assert_eq!(infinite.map(|(_, rows)| rows).sum::<u64>(), 2);
    let sums = release.measures(day(DAY)).await;
    let prices = sums.iter().filter(|(key, _)| key.2 == "price");
    assert_eq!(
        prices
            .flat_map(|(_, numbers)| numbers.values())
            .sum::<i128>(),
        350
    );
}
