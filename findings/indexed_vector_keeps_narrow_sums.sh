#!/usr/bin/env bash
# A bit-sliced vector adds 200 and 100 of one user to 44.
#
# Library   chdb 4.4.0 (ClickHouse 26.9.2)
# Expected  groupNumericIndexedVector adds up the rows of a user as sum and sumMap do, in a type that holds the sum,
#           and gives doubles back as they came.
# Happens   Rows of one user are added in the type of the column: 200 + 100 of a UInt8 is 44, 40000 twice of a UInt16
#           is 14464, without an error. The sum over different users is right. Doubles are cut after 24 binary
#           places: 0.1 comes back as 0.0999999642, a million times 0.01 is short by a cent. An index of 64 bits is refused.
# Matters   Numbers in bit slices over bitmaps are made for "sum of amounts of an audience". Amounts in the smallest
#           column type that holds one row are wrong for the users with several rows: the best customers.
# Upstream  ClickHouse/ClickHouse#118715 is of the same function
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check chdb==4.4.0 chdb-core==26.9.0

cat > "$work/expected" <<'SEEN'
ClickHouse 26.9.2.1
UInt8   (1, 200), (1, 100), (2, 7)
    vector  {1:44,2:7}
    sumMap  {1:300,2:7}
UInt16  (1, 40000), (1, 40000), (2, 7)
    vector  {1:14464,2:7}
    sumMap  {1:80000,2:7}
Int64   (1, 200), (1, 100), (2, 7)
    vector  {1:300,2:7}
    sumMap  {1:300,2:7}
Float64 (1, 0.1), (2, 19.99), (3, 0.5)
    vector  {1:0.09999996423721313,2:19.9899999499321,3:0.5}
Float64, a million users of 0.01
    vector  9999.990463256836
index of 64 bits: refused, True
SEEN

cd "$work"
"$work/venv/bin/python" - > "$work/seen" <<'PY'
import chdb


def one(sql):
    return chdb.query(sql, "TSV").data().strip()


print("ClickHouse", one("SELECT version()"))
for kind, rows in [("UInt8", "(1, 200), (1, 100), (2, 7)"), ("UInt16", "(1, 40000), (1, 40000), (2, 7)"),
                   ("Int64", "(1, 200), (1, 100), (2, 7)")]:
    table = f"values('user UInt32, amount {kind}', {rows})"
    print(f"{kind:7} {rows}")
    print("    vector ", one(f"SELECT numericIndexedVectorToMap(groupNumericIndexedVectorState(user, amount)) FROM {table}"))
    print("    sumMap ", one(f"SELECT sumMap(map(user, amount)) FROM {table}"))
doubles = "values('user UInt32, amount Float64', (1, 0.1), (2, 19.99), (3, 0.5))"
print("Float64 (1, 0.1), (2, 19.99), (3, 0.5)")
print("    vector ", one(f"SELECT numericIndexedVectorToMap(groupNumericIndexedVectorState(user, amount)) FROM {doubles}"))
print("Float64, a million users of 0.01")
cents = "(SELECT toUInt32(number) AS user, 0.01 AS amount FROM numbers(1000000))"
print("    vector ", one(f"SELECT numericIndexedVectorAllValueSum(groupNumericIndexedVectorState(user, amount)) FROM {cents}"))
try:
    print("index of 64 bits:", one("SELECT groupNumericIndexedVector(toUInt64(1), 1)"))
except RuntimeError as error:
    print("index of 64 bits: refused,", "must be one of Int8, Int16, Int32, UInt8, UInt16, UInt32" in str(error))
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
