#!/usr/bin/env bash
# Five libraries, the same DECIMAL, other doubles.
#
# Library   pyarrow 26.0.1, datafusion 55.0.0 from PyPI (built from the crates 55.2), chdb 4.4.0 (ClickHouse 26.9.2),
#           duckdb 2.0.1, polars 2.1.0
# Expected  A decimal becomes the double nearest to it, the one that its text would be parsed to.
# Happens   pyarrow is one bit beside it already for amounts with cents in DECIMAL(10,2): 5.56 becomes
#           5.5600000000000005. DataFusion and ClickHouse are right there and wrong in DECIMAL(38,18), the type that
#           Spark gives a BigDecimal: 2805 becomes 2804.9999999999995. DuckDB and Polars are right in both. A cast
#           by way of text is right in all of them.
# Matters   "balance = 2805" and "balance >= 5.56" lose people, and two pipelines that exchange doubles do not agree
#           on who was lost.
# Upstream  apache/arrow-rs#10508, apache/arrow#35942 (closed)
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    datafusion==55.0.0 pyarrow==26.0.1 chdb==4.4.0 chdb-core==26.9.0 duckdb==2.0.1 polars==2.1.0

cat > "$work/expected" <<'SEEN'
datafusion 55.0.0 pyarrow 26.0.1 DuckDB 2.0.1 Polars 2.1.0 ClickHouse 26.9.2.1
DECIMAL(10,2), 42859 amounts
    pyarrow              5667 wrong, 5.56 is 5.5600000000000005, 2805 is 2805.0
    pyarrow, by text        0 wrong, 5.56 is 5.56, 2805 is 2805.0
    DataFusion              0 wrong, 5.56 is 5.56, 2805 is 2805.0
    DataFusion, by text     0 wrong, 5.56 is 5.56, 2805 is 2805.0
    ClickHouse              0 wrong, 5.56 is 5.56, 2805 is 2805.0
    ClickHouse, by text     0 wrong, 5.56 is 5.56, 2805 is 2805.0
    DuckDB                  0 wrong, 5.56 is 5.56, 2805 is 2805.0
    Polars                  0 wrong, 5.56 is 5.56, 2805 is 2805.0
DECIMAL(38,18), 42859 amounts
    pyarrow                16 wrong, 5.56 is 5.5600000000000005, 2805 is 2805.0
    pyarrow, by text        0 wrong, 5.56 is 5.56, 2805 is 2805.0
    DataFusion           8838 wrong, 5.56 is 5.56, 2805 is 2804.9999999999995
    DataFusion, by text     0 wrong, 5.56 is 5.56, 2805 is 2805.0
    ClickHouse           8838 wrong, 5.56 is 5.56, 2805 is 2804.9999999999995
    ClickHouse, by text     0 wrong, 5.56 is 5.56, 2805 is 2805.0
    DuckDB                  0 wrong, 5.56 is 5.56, 2805 is 2805.0
    Polars                  0 wrong, 5.56 is 5.56, 2805 is 2805.0
SEEN

cd "$work"
"$work/venv/bin/python" - > "$work/seen" <<'PY'
from decimal import Decimal

import chdb
import datafusion
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from datafusion import SessionConfig, SessionContext

print("datafusion", datafusion.__version__, "pyarrow", pa.__version__, "DuckDB", duckdb.__version__, "Polars", pl.__version__,
      "ClickHouse", chdb.query("SELECT version()", "TSV").data().strip())
amounts = [Decimal(cents) / 100 for cents in range(1, 300_000, 7)] + [Decimal("5.56"), Decimal(2805)]
right = [float(str(amount)) for amount in amounts]


def in_datafusion(file, x="x"):
    ctx = SessionContext(SessionConfig().with_target_partitions(1))
    ctx.register_parquet("t", file)
    batches = ctx.sql(f"SELECT CAST({x} AS double) AS d FROM t").collect()
    return [row["d"] for batch in batches for row in batch.to_pylist()]


def in_clickhouse(file, x="x"):
    sql = f"SELECT toFloat64({x}) FROM file('{file}') SETTINGS max_threads = 1"
    return [float(text) for text in chdb.query(sql, "TSV").data().split()]


READERS = {
    "pyarrow": lambda file: pq.read_table(file)["x"].cast(pa.float64()).to_pylist(),
    "pyarrow, by text": lambda file: pq.read_table(file)["x"].cast(pa.string()).cast(pa.float64()).to_pylist(),
    "DataFusion": in_datafusion,
    "DataFusion, by text": lambda file: in_datafusion(file, "CAST(x AS varchar)"),
    "ClickHouse": in_clickhouse,
    "ClickHouse, by text": lambda file: in_clickhouse(file, "toString(x)"),
    "DuckDB": lambda file: [x for x, in duckdb.sql(f"SELECT CAST(x AS double) FROM '{file}'").fetchall()],
    "Polars": lambda file: pl.read_parquet(file)["x"].cast(pl.Float64).to_list(),
}
for precision, scale in [(10, 2), (38, 18)]:
    pq.write_table(pa.table({"x": pa.array(amounts, pa.decimal128(precision, scale))}), "t.parquet")
    print(f"DECIMAL({precision},{scale}), {len(amounts)} amounts")
    for name, read in READERS.items():
        doubles = read("t.parquet")
        wrong = sum(a != b for a, b in zip(right, doubles, strict=True))
        print(f"    {name:19} {wrong:5} wrong, 5.56 is {doubles[-2]}, 2805 is {doubles[-1]}")
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
