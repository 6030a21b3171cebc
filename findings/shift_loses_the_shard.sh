#!/usr/bin/env bash
# shard << 32 | ordinal over 32-bit columns: one formula, five libraries, four answers.
#
# Library   datafusion 55.0.0 from PyPI (built from the crates 55.2), chdb 4.4.0 (ClickHouse 26.9.2), duckdb 2.0.1,
#           numpy 2.4.6, pyarrow 26.0.1
# Expected  shard 5, ordinal 8 is the user number 5 * 2^32 + 8, or the formula is refused.
# Happens   DataFusion widens to 64 bits and is right. ClickHouse and NumPy keep the 32 bits of the shard: it is
#           shifted out, all shards fall onto each other, the number is 8. pyarrow leaves the shard as it is
#           (a shift by the width does nothing), the number is 5 | 8 = 13. DuckDB refuses. Right everywhere is the
#           shard cast to 64 bits first.
# Matters   Dense 64-bit user numbers of bitmaps are made of a shard and an ordinal. Without the cast a join of
#           members with the dictionary finds somebody for nearly every member, and it is the wrong person.
# Upstream  ClickHouse/ClickHouse#65516 (closed; the type of the result is meant to be so)
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    datafusion==55.0.0 pyarrow==26.0.1 chdb==4.4.0 chdb-core==26.9.0 duckdb==2.0.1 numpy==2.4.6

cat > "$work/expected" <<'SEEN'
datafusion 55.0.0 DuckDB 2.0.1 NumPy 2.4.6 pyarrow 26.0.1 ClickHouse 26.9.2.1
right         21474836488
DataFusion    21474836488
ClickHouse    8
  with a cast 21474836488
NumPy         8
  with a cast 21474836488
pyarrow       13
  with a cast 21474836488
DuckDB        refused: out of range
  with a cast 21474836488
SEEN

cd "$work"
"$work/venv/bin/python" - > "$work/seen" <<'PY'
import chdb
import datafusion
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datafusion import SessionContext

print("datafusion", datafusion.__version__, "DuckDB", duckdb.__version__, "NumPy", np.__version__, "pyarrow", pa.__version__,
      "ClickHouse", chdb.query("SELECT version()", "TSV").data().strip())
users = pa.table({"shard": pa.array([5], pa.uint32()), "ordinal": pa.array([8], pa.uint32())})
pq.write_table(users, "users.parquet")
ctx = SessionContext()
ctx.register_parquet("users", "users.parquet")
shard, ordinal = (users[name].combine_chunks() for name in ["shard", "ordinal"])


def in_clickhouse(sql):
    return chdb.query(sql, "TSV").data().strip()


def in_duckdb(sql):
    try:
        return duckdb.sql(sql).fetchall()[0][0]
    except duckdb.OutOfRangeException:
        return "refused: out of range"


print("right        ", 5 << 32 | 8)
print("DataFusion   ", ctx.sql("SELECT shard << 32 | ordinal AS uid FROM users").collect()[0].to_pylist()[0]["uid"])
print("ClickHouse   ", in_clickhouse("SELECT bitOr(bitShiftLeft(shard, 32), ordinal) FROM file('users.parquet')"))
print("  with a cast", in_clickhouse("SELECT bitOr(bitShiftLeft(toUInt64(shard), 32), ordinal) FROM file('users.parquet')"))
print("NumPy        ", (shard.to_numpy() << 32 | ordinal.to_numpy())[0])
print("  with a cast", (shard.to_numpy().astype(np.uint64) << 32 | ordinal.to_numpy())[0])
print("pyarrow      ", pc.bit_wise_or(pc.shift_left(shard, pa.scalar(32, pa.uint32())), ordinal)[0])
print("  with a cast", pc.bit_wise_or(pc.shift_left(shard.cast(pa.uint64()), pa.scalar(32, pa.uint64())), ordinal)[0])
print("DuckDB       ", in_duckdb("SELECT (shard << 32) | ordinal FROM 'users.parquet'"))
print("  with a cast", in_duckdb("SELECT (shard::UBIGINT << 32) | ordinal FROM 'users.parquet'"))
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
