#!/usr/bin/env bash
# An event that happened on the 19th is not at or after the 19th.
#
# Library   datafusion 55.0.0 from PyPI (built from the crates 55.2); duckdb 2.0.1 beside it
# Expected  For a timestamp of the zone Asia/Shanghai ts::date = D implies ts >= D, and a day written as DATE, as
#           TIMESTAMP or as text is the same day.
# Happens   ts::date is the day in the zone of the column. A DATE beside the column becomes midnight in UTC, a text or
#           a TIMESTAMP midnight in the zone of the column. So the first eight hours of the day are lost by
#           ts >= DATE, and kept by ts >= 'text'. The session's time zone changes nothing. DuckDB has one midnight.
# Matters   "Since the 19th" in a filter over events silently drops the night; a day of events by ::date and the
#           same day by a range are different audiences.
# Upstream  apache/datafusion#13212 is of the same kind
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check datafusion==55.0.0 pyarrow==26.0.1 duckdb==2.0.1 pytz==2025.2

cat > "$work/expected" <<'SEEN'
datafusion 55.0.0 DuckDB 2.0.1
one event at 2026-11-19 00:30 in Shanghai
    ts::date = DATE '2026-11-19'             DataFusion True, DuckDB True
    ts >= DATE '2026-11-19'                  DataFusion False, DuckDB True
    ts >= TIMESTAMP '2026-11-19 00:00:00'    DataFusion True, DuckDB True
    ts >= '2026-11-19'                       DataFusion True, DuckDB True
SEEN

"$work/venv/bin/python" - > "$work/seen" <<'PY'
from datetime import datetime, timezone

import datafusion
import duckdb
import pyarrow as pa
from datafusion import SessionConfig, SessionContext

print("datafusion", datafusion.__version__, "DuckDB", duckdb.__version__)
at = datetime(2026, 11, 18, 16, 30, tzinfo=timezone.utc)
events = pa.table({"ts": pa.array([at], pa.timestamp("us", tz="Asia/Shanghai"))})
ctx = SessionContext(SessionConfig({"datafusion.execution.time_zone": "Asia/Shanghai"}))
ctx.register_record_batches("events", [events.to_batches()])
duckdb.sql("SET TimeZone = 'Asia/Shanghai'")
print("one event at 2026-11-19 00:30 in Shanghai")
for condition in [
    "ts::date = DATE '2026-11-19'",
    "ts >= DATE '2026-11-19'",
    "ts >= TIMESTAMP '2026-11-19 00:00:00'",
    "ts >= '2026-11-19'",
]:
    in_datafusion = ctx.sql(f"SELECT {condition} AS holds FROM events").collect()[0].to_pylist()[0]["holds"]
    in_duckdb = duckdb.sql(f"SELECT {condition} FROM events").fetchall()[0][0]
    print(f"    {condition:40} DataFusion {in_datafusion}, DuckDB {in_duckdb}")
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
