//! Statements for other engines.

use tagmill_query::engines::{Engine, statement};
use tagmill_schemas::Artifact;
use tagmill_schemas::manifest::FileEntry;
use tagmill_warehouse::store::Store;

fn files() -> Vec<FileEntry> {
    let date = "2026-11-19".parse().unwrap();
    let file = |shard| FileEntry {
        artifact: Artifact::Tags,
        path: Artifact::Tags.path(date, "r", 1, Some(shard)),
        date,
        shard: Some(shard),
        rows: 1,
        bytes: 1,
        checksum: "0".repeat(32),
        cardinality: 1,
    };
    vec![file(0), file(1)]
}

#[test]
fn statements_name_exactly_the_files_of_the_release() {
    let made = files();
    let memory = Store::open("memory://statements/warehouse").unwrap();
    let s3 = Store::open("s3://bucket/w").unwrap();
    let of = |engine| statement(&s3, &made, Artifact::Tags, engine).unwrap();
    let folder = "w/tags/2026-11-19/r-1";
    // By name: files of older versions have columns more.
    let names = |before: &str, after: &str| {
        let columns = Artifact::Tags.columns().iter();
        let quoted = columns.map(|column| format!("{before}{}{after}", column.name));
        quoted.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        of(Engine::DuckDb),
        format!(
            "CREATE OR REPLACE VIEW tags AS SELECT {} FROM \
             read_parquet(['s3://bucket/{folder}/00000.parquet', \
             's3://bucket/{folder}/00001.parquet'], hive_partitioning = false);",
            names("\"", "\"")
        )
    );
    assert_eq!(
        of(Engine::Spark),
        format!(
            "spark.read.parquet(\"s3a://bucket/{folder}/00000.parquet\", \
             \"s3a://bucket/{folder}/00001.parquet\").selectExpr({}).createOrReplaceTempView(\"tags\")",
            names("\"`", "`\"")
        )
    );
    assert!(of(Engine::ClickHouse).contains(
        "/w/{tags/2026-11-19/r-1/00000.parquet,tags/2026-11-19/r-1/00001.parquet}', 'Parquet')"
    ));
    let without = |engine| statement(&s3, &made, Artifact::Groups, engine).unwrap();
    assert!(
        without(Engine::DuckDb)
            .starts_with("CREATE OR REPLACE VIEW groups AS SELECT CAST(NULL AS VARCHAR) AS app, ")
    );
    assert!(
        without(Engine::ClickHouse).ends_with(" WHERE 1 = 0;")
            && without(Engine::Spark).ends_with(".createOrReplaceTempView(\"groups\")")
    );
    assert_eq!(
        statement(&memory, &made, Artifact::Tags, Engine::Spark)
            .unwrap_err()
            .exit_code(),
        2
    );
}

#[test]
fn bit_slices_have_their_weight() {
    let s3 = Store::open("s3://bucket/w").unwrap();
    let mut made = files();
    for file in &mut made {
        file.artifact = Artifact::TagNumbers;
    }
    let of =
        |files: &[FileEntry], engine| statement(&s3, files, Artifact::TagNumbers, engine).unwrap();
    assert!(of(&made, Engine::DuckDb).contains(
        ", CASE WHEN \"slice\" >= 0 THEN power(2, \"slice\") WHEN \"slice\" = -1 THEN CAST(\"offset\" \
         AS DOUBLE) ELSE -power(2, -2 - \"slice\") END AS weight FROM read_parquet("
    ));
    assert!(of(&made, Engine::ClickHouse).contains("CAST(`offset` AS Float64) ELSE"));
    assert!(of(&made, Engine::Spark).contains(", \"CASE WHEN `slice` >= 0 THEN"));
    assert!(of(&[], Engine::DuckDb).contains(", CAST(NULL AS DOUBLE) AS weight WHERE 1 = 0"));
}

#[test]
fn users_have_their_number_in_every_engine() {
    let mut users = files();
    for file in &mut users {
        file.artifact = Artifact::Users;
    }
    let s3 = Store::open("s3://bucket/w").unwrap();
    for (engine, uid) in [
        (
            Engine::ClickHouse,
            "bitOr(bitShiftLeft(toUInt64(shard), 32), toUInt64(ordinal)) AS uid FROM s3(",
        ),
        (
            Engine::DuckDb,
            "(CAST(shard AS UBIGINT) << 32) | CAST(ordinal AS UBIGINT) AS uid FROM read_parquet",
        ),
        (
            Engine::Spark,
            ", \"shiftleft(CAST(shard AS BIGINT), 32) | CAST(ordinal AS BIGINT) AS uid\")",
        ),
    ] {
        let made = statement(&s3, &users, Artifact::Users, engine).unwrap();
        assert!(made.contains(uid), "{made}");
        let without = statement(&s3, &[], Artifact::Users, engine).unwrap();
        assert!(without.contains(" AS uid WHERE 1 = 0"), "{without}");
    }
}
