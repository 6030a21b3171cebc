#!/usr/bin/env bash
# Users whose score is NaN are in the audience or not, depending on whether the file has statistics.
#
# Library   datafusion 55.0.0 from PyPI (built from the crates 55.2), duckdb 2.0.1, chdb 4.4.0 (ClickHouse 26.9.2),
#           polars 2.1.0, files of pyarrow 26.0.1
# Expected  A filter selects the same rows with and without the statistics of a row group.
# Happens   NOT score <= 5 holds for NaN in all four engines. Parquet's statistics leave NaN out, as the format says:
#           the largest score of the file below is 4. DataFusion, DuckDB and ClickHouse skip the row group for it,
#           with the NaN inside. Only Polars reads it. max(score) is 4 or NaN in the same way.
# Matters   NaN is what Python pipelines leave for a missing number. The same night over the same rows has other
#           members after the writer of a table was changed.
# Upstream  apache/datafusion#15812, ClickHouse/ClickHouse#118110
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    datafusion==55.0.0 pyarrow==26.0.1 chdb==4.4.0 chdb-core==26.9.0 duckdb==2.0.1 polars==2.1.0

cat > "$work/expected" <<'SEEN'
datafusion 55.0.0 DuckDB 2.0.1 Polars 2.1.0 ClickHouse 26.9.2.1
with statistics
    DataFusion [] largest 4.0
    DuckDB     [] largest 4.0
    ClickHouse []
    Polars     [3]
without statistics
    DataFusion [3] largest nan
    DuckDB     [3] largest nan
    ClickHouse [3]
    Polars     [3]
SEEN

cd "$work"
"$work/venv/bin/python" - > "$work/seen" <<'PY'
import chdb
import datafusion
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from datafusion import SessionContext

print("datafusion", datafusion.__version__, "DuckDB", duckdb.__version__, "Polars", pl.__version__,
      "ClickHouse", chdb.query("SELECT version()", "TSV").data().strip())
table = pa.table({"user": [1, 2, 3], "score": [1.0, 4.0, float("nan")]})
for statistics in [True, False]:
    pq.write_table(table, "t.parquet", write_statistics=statistics)
    ctx = SessionContext()
    ctx.register_parquet("t", "t.parquet")
    found = ctx.sql('SELECT "user" FROM t WHERE NOT score <= 5').collect()
    largest = ctx.sql("SELECT max(score) AS m FROM t").collect()[0].to_pylist()[0]["m"]
    print("with statistics" if statistics else "without statistics")
    print("    DataFusion", [row["user"] for batch in found for row in batch.to_pylist()], "largest", largest)
    found = duckdb.sql("SELECT user FROM 't.parquet' WHERE NOT score <= 5").fetchall()
    largest = duckdb.sql("SELECT max(score) FROM 't.parquet'").fetchall()[0][0]
    print("    DuckDB    ", [user for user, in found], "largest", largest)
    found = chdb.query("SELECT groupArray(user) FROM file('t.parquet') WHERE NOT score <= 5", "TSV")
    print("    ClickHouse", found.data().strip())
    print("    Polars    ", pl.scan_parquet("t.parquet").filter(~(pl.col("score") <= 5)).collect()["user"].to_list())
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
