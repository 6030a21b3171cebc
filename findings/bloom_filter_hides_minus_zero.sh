#!/usr/bin/env bash
# A bloom filter in a Parquet file hides the rows that an equality would find.
#
# Library   datafusion 55.0.0 from PyPI (built from the crates 55.2), reading files of chdb 4.4.0 (ClickHouse 26.9.2),
#           pyarrow 26.0.1 and DataFusion itself; DuckDB 2.0.1 and ClickHouse read the same files
# Expected  x = 0.0 finds a row of -0.0 (it does in memory), whoever wrote the file.
# Happens   A bloom filter is over the bytes of a value, and -0.0 has other bytes than 0.0. DataFusion asks it for
#           0.0 only, and skips the row group. ClickHouse writes a bloom filter for every column unless told not
#           to, so the same rows are found in a file of pyarrow and gone in a file of ClickHouse. DuckDB and
#           ClickHouse itself find them in both.
# Matters   balance = 0 is a common audience ("never spent"), -0.0 a common sum. Who is in it depends on the
#           program that exported the table.
# Upstream  none found for DataFusion; the same kind elsewhere: databendlabs/databend#20520, apache/doris#66422
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    datafusion==55.0.0 pyarrow==26.0.1 chdb==4.4.0 chdb-core==26.9.0 duckdb==2.0.1

cat > "$work/expected" <<'SEEN'
datafusion 55.0.0 pyarrow 26.0.1 DuckDB 2.0.1 ClickHouse 26.9.2.1
file of pyarrow, bloom filter False
    DataFusion balance = 0.0        [1]
    DataFusion abs(balance) = 0.0   [1]
    DuckDB     balance = 0.0        [1]
    ClickHouse balance = 0.0        [1]
file of clickhouse, bloom filter True
    DataFusion balance = 0.0        []
    DataFusion abs(balance) = 0.0   [1]
    DuckDB     balance = 0.0        [1]
    ClickHouse balance = 0.0        [1]
file of datafusion, bloom filter True
    DataFusion balance = 0.0        []
    DataFusion abs(balance) = 0.0   [1]
    DuckDB     balance = 0.0        [1]
    ClickHouse balance = 0.0        [1]
SEEN

cd "$work"
"$work/venv/bin/python" - > "$work/seen" <<'PY'
import chdb
import datafusion
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from datafusion import SessionContext

print("datafusion", datafusion.__version__, "pyarrow", pa.__version__, "DuckDB", duckdb.__version__,
      "ClickHouse", chdb.query("SELECT version()", "TSV").data().strip())

pq.write_table(pa.table({"user": [1, 2, 3], "balance": [-0.0, 10.0, 20.5]}), "pyarrow.parquet")
chdb.query("INSERT INTO FUNCTION file('clickhouse.parquet') SELECT * FROM file('pyarrow.parquet')")
ctx = SessionContext()
ctx.register_parquet("t", "pyarrow.parquet")
ctx.sql("COPY t TO 'datafusion.parquet' STORED AS PARQUET OPTIONS ('format.bloom_filter_on_write' 'true')").collect()

for writer in ["pyarrow", "clickhouse", "datafusion"]:
    file = f"{writer}.parquet"
    column = pq.ParquetFile(file).metadata.row_group(0).column(1)
    ctx = SessionContext()
    ctx.register_parquet("t", file)

    def in_datafusion(condition):
        batches = ctx.sql(f'SELECT "user" FROM t WHERE {condition}').collect()
        return [row["user"] for batch in batches for row in batch.to_pylist()]

    print(f"file of {writer}, bloom filter {column.bloom_filter_offset is not None}")
    print("    DataFusion balance = 0.0       ", in_datafusion("balance = 0.0"))
    print("    DataFusion abs(balance) = 0.0  ", in_datafusion("abs(balance) = 0.0"))
    in_duckdb = duckdb.sql(f"SELECT user FROM '{file}' WHERE balance = 0.0").fetchall()
    print("    DuckDB     balance = 0.0       ", [user for user, in in_duckdb])
    in_clickhouse = chdb.query(f"SELECT groupArray(user) FROM file('{file}') WHERE balance = 0.0", "TSV")
    print("    ClickHouse balance = 0.0       ", in_clickhouse.data().strip())
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
