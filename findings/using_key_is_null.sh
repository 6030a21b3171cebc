#!/usr/bin/env bash
# RIGHT and FULL JOIN ... USING (k) lose the key of whoever is new.
#
# Library   datafusion 55.0.0 from PyPI (built from the crates 55.2); duckdb 2.0.1 beside it
# Expected  The column of USING is the key of whichever side has one.
# Happens   It is the key of the left side, NULL for rows of the right side alone. GROUP BY over it puts all new keys
#           into one group NULL.
# Matters   "Yesterday and today" is a FULL JOIN of two releases by group or by user: who entered is NULL, without
#           a word, while who left is right.
# Upstream  apache/datafusion#22881
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check datafusion==55.0.0 pyarrow==26.0.1 duckdb==2.0.1

cat > "$work/expected" <<'SEEN'
datafusion 55.0.0 DuckDB 2.0.1
LEFT
    DataFusion [('cooks', 40, 41), ('tea', 7, None)]
    DuckDB     [('cooks', 40, 41), ('tea', 7, None)]
RIGHT
    DataFusion [('cooks', 40, 41), (None, None, 2), (None, None, 9)]
    DuckDB     [('cocoa', None, 2), ('coffee', None, 9), ('cooks', 40, 41)]
FULL
    DataFusion [('cooks', 40, 41), ('tea', 7, None), (None, None, 2), (None, None, 9)]
    DuckDB     [('cocoa', None, 2), ('coffee', None, 9), ('cooks', 40, 41), ('tea', 7, None)]
SEEN

"$work/venv/bin/python" - > "$work/seen" <<'PY'
import datafusion
import duckdb
from datafusion import SessionContext

print("datafusion", datafusion.__version__, "DuckDB", duckdb.__version__)
yesterday = "(VALUES ('cooks', 40), ('tea', 7)) AS yesterday (name, before)"
today = "(VALUES ('cooks', 41), ('coffee', 9), ('cocoa', 2)) AS today (name, now)"
for join in ["LEFT", "RIGHT", "FULL"]:
    sql = f"SELECT name, before, now FROM {yesterday} {join} JOIN {today} USING (name)"
    ours = [tuple(row.values()) for batch in SessionContext().sql(sql).collect() for row in batch.to_pylist()]
    print(join)
    print("    DataFusion", sorted(ours, key=str))
    print("    DuckDB    ", sorted(duckdb.sql(sql).fetchall(), key=str))
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
