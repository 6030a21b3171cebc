#!/usr/bin/env bash
# -0.0 equals 0.0, but not in a list of four, and ClickHouse draws the line elsewhere.
#
# Library   datafusion 55.0.0 from PyPI (built from the crates 55.2), chdb 4.4.0 (ClickHouse 26.9.2)
# Expected  x = 0.0 and x IN (0.0, ...) select the same rows, and so do GROUP BY x and a join on x.
# Happens   DataFusion: =, GROUP BY, JOIN and IN lists of up to three constants take -0.0 for 0.0. A fourth constant
#           makes the list a set of bits, in which it is not; CASE x WHEN, NULLIF and PARTITION BY compare bits too.
#           ClickHouse: =, NULLIF and PARTITION BY take -0.0 for 0.0; IN, CASE x WHEN, GROUP BY and JOIN do not.
# Matters   -0.0 is what rounding and 0 * -1 leave behind. A value that is added to a list moves somebody out of
#           the audience who was in it; a portrait by value and a rule by value disagree.
# Upstream  apache/datafusion#25186 (lists)
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check datafusion==55.0.0 pyarrow==26.0.1 chdb==4.4.0 chdb-core==26.9.0

cat > "$work/expected" <<'SEEN'
datafusion 55.0.0 ClickHouse 26.9.2.1
SELECT count(*) AS n FROM t WHERE x = 0.0
    DataFusion 2, ClickHouse 2
SELECT count(*) AS n FROM t WHERE x IN (0.0, 1.5, 2.5)
    DataFusion 2, ClickHouse 1
SELECT count(*) AS n FROM t WHERE x IN (0.0, 1.5, 2.5, 3.5)
    DataFusion 1, ClickHouse 1
SELECT count(*) AS n FROM t WHERE CASE x WHEN 0.0 THEN true ELSE false END
    DataFusion 1, ClickHouse 1
SELECT count(*) AS n FROM t WHERE nullif(x, 0.0) IS NULL
    DataFusion 1, ClickHouse 2
SELECT count(*) AS n FROM (SELECT x FROM t GROUP BY x) AS g
    DataFusion 1, ClickHouse 2
SELECT count(*) AS n FROM t AS a JOIN t AS b ON a.x = b.x
    DataFusion 4, ClickHouse 2
SELECT max(c) AS n FROM (SELECT count(*) OVER (PARTITION BY x) AS c FROM t) AS w
    DataFusion 1, ClickHouse 2
SEEN

cd "$work"
"$work/venv/bin/python" - > "$work/seen" <<'PY'
import chdb
import datafusion
import pyarrow as pa
from datafusion import SessionContext

print("datafusion", datafusion.__version__, "ClickHouse", chdb.query("SELECT version()", "TSV").data().strip())
ctx = SessionContext()
ctx.register_record_batches("t", [[pa.record_batch({"x": pa.array([-0.0, 0.0])})]])
TABLE = "values('x Float64', (-0.0), (0.0))"


def show(sql):
    in_datafusion = ctx.sql(sql.format(t="t")).collect()[0].to_pylist()[0]["n"]
    in_clickhouse = chdb.query(sql.format(t=TABLE), "TSV").data().strip()
    print(f"{sql.format(t='t')}\n    DataFusion {in_datafusion}, ClickHouse {in_clickhouse}")


show("SELECT count(*) AS n FROM {t} WHERE x = 0.0")
show("SELECT count(*) AS n FROM {t} WHERE x IN (0.0, 1.5, 2.5)")
show("SELECT count(*) AS n FROM {t} WHERE x IN (0.0, 1.5, 2.5, 3.5)")
show("SELECT count(*) AS n FROM {t} WHERE CASE x WHEN 0.0 THEN true ELSE false END")
show("SELECT count(*) AS n FROM {t} WHERE nullif(x, 0.0) IS NULL")
show("SELECT count(*) AS n FROM (SELECT x FROM {t} GROUP BY x) AS g")
show("SELECT count(*) AS n FROM {t} AS a JOIN {t} AS b ON a.x = b.x")
show("SELECT max(c) AS n FROM (SELECT count(*) OVER (PARTITION BY x) AS c FROM {t}) AS w")
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
