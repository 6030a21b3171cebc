#!/usr/bin/env bash
# 9999-12-31 in an INT96 column: five readers, four answers.
#
# Library   datafusion 55.0.0 from PyPI (built from the crates 55.2), pyarrow 26.0.1, chdb 4.4.0 (ClickHouse 26.9.2),
#           duckdb 2.0.1, polars 2.1.0
# Expected  A reader gives the date that was written, or says that it cannot.
# Happens   INT96 holds a Julian day and nanoseconds, so years 1 to 9999 fit. Most readers make 64-bit nanoseconds of
#           it, which end in 2262. pyarrow and DataFusion wrap around: 9999 is 1816. Polars gives the last
#           nanosecond, ClickHouse refuses the file, DuckDB is right. pyarrow and DataFusion are right when told to
#           read microseconds (coerce_int96_timestamp_unit, datafusion.execution.parquet.coerce_int96).
# Matters   INT96 is how Spark and Hive wrote times for years, and "valid to 9999-12-31" is how they write "still
#           valid". After the wrap the members with the longest validity are the first to fall out of an audience.
# Upstream  apache/datafusion#1360, pola-rs/polars#29184
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    datafusion==55.0.0 pyarrow==26.0.1 chdb==4.4.0 chdb-core==26.9.0 duckdb==2.0.1 polars==2.1.0

cat > "$work/expected" <<'SEEN'
datafusion 55.0.0 pyarrow 26.0.1 DuckDB 2.0.1 Polars 2.1.0 ClickHouse 26.9.2.1
written                   2026-11-19 2300-01-01 9999-12-31
pyarrow                   2026-11-19 1715-06-13 1816-03-29
pyarrow, microseconds     2026-11-19 2300-01-01 9999-12-31
DataFusion                2026-11-19 1715-06-13 1816-03-29
DataFusion, microseconds  2026-11-19 2300-01-01 9999-12-31
DuckDB                    2026-11-19 2300-01-01 9999-12-31
Polars                    2026-11-19 2262-04-11 2262-04-11
ClickHouse                refuses: True
SEEN

cd "$work"
"$work/venv/bin/python" - > "$work/seen" <<'PY'
from datetime import datetime

import chdb
import datafusion
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from datafusion import SessionConfig, SessionContext

print("datafusion", datafusion.__version__, "pyarrow", pa.__version__, "DuckDB", duckdb.__version__, "Polars", pl.__version__,
      "ClickHouse", chdb.query("SELECT version()", "TSV").data().strip())
written = [datetime(2026, 11, 19), datetime(2300, 1, 1), datetime(9999, 12, 31)]
pq.write_table(pa.table({"valid_to": pa.array(written, pa.timestamp("us"))}), "t.parquet",
               use_deprecated_int96_timestamps=True, store_schema=False)


def days(times):
    return " ".join(str(time)[:10] for time in times)


def in_datafusion(**settings):
    settings = {f"datafusion.execution.parquet.{key}": value for key, value in settings.items()}
    ctx = SessionContext(SessionConfig(settings))
    ctx.register_parquet("t", "t.parquet")
    batches = ctx.sql("SELECT CAST(valid_to AS date) AS d FROM t").collect()
    return [row["d"] for batch in batches for row in batch.to_pylist()]


def in_pyarrow(**options):
    return pq.read_table("t.parquet", **options)["valid_to"].cast(pa.date32()).to_pylist()


print("written                  ", days(written))
print("pyarrow                  ", days(in_pyarrow()))
print("pyarrow, microseconds    ", days(in_pyarrow(coerce_int96_timestamp_unit="us")))
print("DataFusion               ", days(in_datafusion()))
print("DataFusion, microseconds ", days(in_datafusion(coerce_int96="us")))
print("DuckDB                   ", days(t for t, in duckdb.sql("SELECT valid_to FROM 't.parquet'").fetchall()))
print("Polars                   ", days(pl.read_parquet("t.parquet")["valid_to"].to_list()))
try:
    in_clickhouse = chdb.query("SELECT groupArray(valid_to) FROM file('t.parquet')", "TSV")
    print("ClickHouse               ", in_clickhouse.data().strip())
except RuntimeError as error:
    print("ClickHouse                refuses:", "INT96 timestamp out of range" in str(error))
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
