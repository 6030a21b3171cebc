#!/usr/bin/env bash
# Arithmetic on a UInt64 user number gives a decimal, bit operations do not.
#
# Library   datafusion 55.0.0 from PyPI (built from the crates 55.2)
# Expected  uid % 4294967296 of a UInt64 is a UInt64, as uid & 4294967295 is.
# Happens   An integer literal is an Int64. UInt64 and Int64 meet in DECIMAL(20,0), in %, +, coalesce and CASE, and
#           a division gives DECIMAL(24,4), and a list of a literal and a uid is a list of decimals. Only the shift
#           and the mask stay UInt64.
# Matters   A 64-bit user number is taken apart into shard and ordinal in every second query over bitmaps. Written
#           with % it is a decimal: bitmap functions refuse it, joins compare decimals.
# Upstream  apache/datafusion#14223 brought the rule
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check datafusion==55.0.0 pyarrow==26.0.1

cat > "$work/expected" <<'SEEN'
datafusion 55.0.0
uid >> 32                                UInt64               3
uid & 4294967295                         UInt64               7
uid % 4294967296                         Decimal128(20, 0)    7
uid / 4294967296                         Decimal128(24, 4)    3.0000
uid + 1                                  Decimal128(21, 0)    12884901896
coalesce(uid, 0)                         Decimal128(20, 0)    12884901895
CASE WHEN uid > 1 THEN uid ELSE 0 END    Decimal128(20, 0)    12884901895
[1, uid][2]                              Decimal128(20, 0)    12884901895
uid % arrow_cast(4294967296, 'UInt64')   UInt64               7
SEEN

"$work/venv/bin/python" - > "$work/seen" <<'PY'
import datafusion
import pyarrow as pa
from datafusion import SessionContext

print("datafusion", datafusion.__version__)
ctx = SessionContext()
ctx.register_record_batches("users", [[pa.record_batch({"uid": pa.array([3 << 32 | 7], pa.uint64())})]])
for expression in [
    "uid >> 32",
    "uid & 4294967295",
    "uid % 4294967296",
    "uid / 4294967296",
    "uid + 1",
    "coalesce(uid, 0)",
    "CASE WHEN uid > 1 THEN uid ELSE 0 END",
    "[1, uid][2]",
    "uid % arrow_cast(4294967296, 'UInt64')",
]:
    row = ctx.sql(f"SELECT {expression} AS v, arrow_typeof({expression}) AS t FROM users").collect()[0].to_pylist()[0]
    print(f"{expression:40} {row['t']:20} {row['v']}")
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
