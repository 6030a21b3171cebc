#!/usr/bin/env bash
# Unnest above GROUP BY: joins, DISTINCT and ORDER BY give wrong rows.
#
# Library   datafusion 55.0.0 from PyPI (built from the crates 55.2)
# Expected  A key that GROUP BY made unique is no longer unique above unnest: one group becomes many rows.
# Happens   The plan keeps the uniqueness of the key through unnest. The optimizer then takes ORDER BY k, id for
#           ORDER BY k, thinks that DISTINCT k has nothing to do, and gives one row of a join for each key.
# Matters   "Who is in it" is unnest over a bitmap that was united per key. A count after a join with a table of
#           names is the number of names, not the number of people, and pages of members come unsorted.
# Upstream  apache/datafusion#24787
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check datafusion==55.0.0 pyarrow==26.0.1

cat > "$work/expected" <<'SEEN'
datafusion 55.0.0
SELECT count(*) FROM members
    right [(10,)], seen [(10,)]
SELECT count(*) FROM members JOIN names ON k = column1
    right [(10,)], seen [(2,)]
SELECT count(*) FROM (SELECT DISTINCT k FROM members)
    right [(2,)], seen [(10,)]
SELECT k, id FROM members ORDER BY k, id DESC LIMIT 2
    right [(0, 10), (0, 8)], seen [(0, 2), (0, 4)]
SEEN

"$work/venv/bin/python" - > "$work/seen" <<'PY'
import datafusion
from datafusion import SessionConfig, SessionContext

print("datafusion", datafusion.__version__)
ctx = SessionContext(SessionConfig().with_target_partitions(1))
ctx.sql("CREATE TABLE names AS VALUES (0, 'even'), (1, 'odd')").collect()
ctx.sql("""CREATE VIEW members AS SELECT k, unnest(ids) AS id FROM (
    SELECT value % 2 AS k, array_agg(value ORDER BY value) AS ids FROM generate_series(1, 10) GROUP BY 1)""").collect()


def show(right, sql):
    rows = [tuple(row.values()) for batch in ctx.sql(sql).collect() for row in batch.to_pylist()]
    print(f"{sql}\n    right {right}, seen {rows}")


show([(10,)], "SELECT count(*) FROM members")
show([(10,)], "SELECT count(*) FROM members JOIN names ON k = column1")
show([(2,)], "SELECT count(*) FROM (SELECT DISTINCT k FROM members)")
show([(0, 10), (0, 8)], "SELECT k, id FROM members ORDER BY k, id DESC LIMIT 2")
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
