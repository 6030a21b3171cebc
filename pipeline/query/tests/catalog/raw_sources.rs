//! Raw sources as tables: exact patterns, partition folders as columns, absent ones without
//! spoiling the rest.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::util::pretty::pretty_format_batches;
use chrono::NaiveDate;
use datafusion::prelude::SessionContext;
use parquet::arrow::ArrowWriter;
use tagmill_query::catalog::register_raw;
use tagmill_schemas::Config;

fn write(path: &Path, rows: &[(&str, i64)]) {
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0)));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)));
    write_columns(path, [("openid", names), ("n", numbers)]);
}

fn write_columns<const N: usize>(path: &Path, columns: [(&str, ArrayRef); N]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn session(folder: &Path) -> SessionContext {
    let root = folder.display();
    let text = format!(
        "version = 1\n[warehouse]\nurl = '{root}/w'\ntime_zone = 'Asia/Shanghai'\nid_scope = \
         'global'\n\
         [[source]]\nname = 'platform'\nkind = 'behaviour'\npath = \
         '{root}/events/dt={{date}}/hour=*/*.parquet'\n\
         columns = {{ app = \"'shop'\", user = 'openid', event = \"'visit'\", time = 'n' }}\n\
         [[source]]\nname = 'gone'\nkind = 'attributes'\npath = \
         '{root}/gone/dt={{date}}/*.parquet'\n\
         columns = {{ app = \"'shop'\", user = 'openid' }}\n"
    );
    let config = Config::parse(&text, "warehouse.toml").unwrap();
    let ctx = SessionContext::new_with_config(
        datafusion::prelude::SessionConfig::new().with_information_schema(true),
    );
    register_raw(
        &ctx,
        &config,
        NaiveDate::from_ymd_opt(2026, 11, 19).unwrap(),
    )
    .unwrap();
    ctx
}

async fn text(ctx: &SessionContext, sql: &str) -> Result<String, String> {
    let batches = ctx
        .sql(sql)
        .await
        .map_err(|e| e.to_string())?
        .collect()
        .await
        .map_err(|e| e.to_string())?;
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}

#[tokio::test]
async fn reads_the_date_only_with_its_folders_as_columns() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("events/dt=2026-11-19/hour=07/a.parquet"),
        &[("u1", 1), ("u2", 2)],
    );
    write(
        &folder.path().join("events/dt=2026-11-19/hour=08/b.parquet"),
        &[("u1", 3)],
    );
    write(
        &folder.path().join("events/dt=2026-11-18/hour=08/b.parquet"),
        &[("u9", 9)],
    );
    let ctx = session(folder.path());
    let found = text(
        &ctx,
        "SELECT hour, openid, n, dt FROM raw.platform ORDER BY n",
    )
    .await
    .unwrap();
    let rows: Vec<_> = found
        .lines()
        .skip(3)
        .filter(|line| line.starts_with('|'))
        .collect();
    assert_eq!(rows.len(), 3, "{found}");
    assert!(
        rows[2].contains("08") && rows[2].contains("2026-11-19"),
        "{found}"
    );
    assert!(
        text(&ctx, "SELECT count(*) FROM raw.platform WHERE hour = '07'")
            .await
            .unwrap()
            .contains("| 2 ")
    );
}

#[tokio::test]
async fn an_absent_source_says_so_and_spoils_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("events/dt=2026-11-19/hour=07/a.parquet"),
        &[("u1", 1)],
    );
    let ctx = session(folder.path());
    let error = text(&ctx, "SELECT * FROM raw.gone").await.unwrap_err();
    assert!(
        error.contains("source gone of 2026-11-19") && error.contains("found no file"),
        "{error}"
    );
    assert_eq!(error.matches("a retry can").count(), 1, "{error}");
    assert!(
        text(&ctx, "SHOW COLUMNS FROM raw.platform")
            .await
            .unwrap()
            .contains("openid")
    );
}

/// Statistics of a file say nothing of not-a-number, and -0.0 is not in a long list.
#[tokio::test]
async fn floats_are_what_the_night_takes_them_for_and_integers_of_two_widths_are_one_column() {
    let folder = tempfile::tempdir().unwrap();
    let floats = vec![1.0, f64::NAN, -0.0, 6.0];
    write_columns(
        &folder.path().join("events/dt=2026-11-19/hour=07/a.parquet"),
        [
            (
                "n",
                Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as ArrayRef,
            ),
            ("score", Arc::new(Float64Array::from(floats))),
        ],
    );
    write_columns(
        &folder.path().join("events/dt=2026-11-19/hour=08/b.parquet"),
        [
            ("n", Arc::new(Int32Array::from(vec![5])) as ArrayRef),
            ("score", Arc::new(Float64Array::from(vec![f64::NAN]))),
        ],
    );
    let ctx = session(folder.path());
    for (condition, expected) in [
        ("score > 0.5", 2),
        ("score > 5", 1),
        ("NOT score > 5", 2),
        ("score IS NULL", 2),
        ("score IN (0.0, 2.0, 3.0, 4.0, 5.0)", 1),
        ("score = 0.0", 1),
        ("n BETWEEN 4 AND 5", 2),
    ] {
        let sql = format!("SELECT count(*) FROM raw.platform WHERE {condition}");
        let found = text(&ctx, &sql).await.unwrap();
        assert!(
            found.contains(&format!("| {expected} ")),
            "{condition}: {found}"
        );
    }
}
