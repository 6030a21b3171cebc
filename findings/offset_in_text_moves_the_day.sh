#!/usr/bin/env bash
# The day of a text with an offset is the day in UTC, neither the written one nor that of the session.
#
# Library   datafusion 55.0.0 from PyPI (built from the crates 55.2); duckdb 2.0.1, pandas 3.1.1, chdb 4.4.0 beside it
# Expected  '2026-11-19T00:30:00+08:00'::date is 2026-11-19, the day that is written there.
# Happens   DataFusion moves the time to UTC first and cuts the day from that: 2026-11-18. The session's time zone
#           changes nothing. DuckDB and pandas keep the written day, ClickHouse refuses the text.
# Matters   Exports from web services have their times in this form. A date tag ("signed up on") made of it is a
#           day early for everybody who signs up before eight in the morning, in one engine of four.
# Upstream  apache/datafusion#3080 is of the same kind
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    datafusion==55.0.0 pyarrow==26.0.1 chdb==4.4.0 chdb-core==26.9.0 duckdb==2.0.1 pandas==3.1.1

cat > "$work/expected" <<'SEEN'
datafusion 55.0.0 DuckDB 2.0.1 pandas 3.1.1 ClickHouse 26.9.2.1
2026-11-19T00:30:00+08:00
    DataFusion 2026-11-18
    DuckDB     2026-11-19
    pandas     2026-11-19
    ClickHouse refuses: True
SEEN

cd "$work"
"$work/venv/bin/python" - > "$work/seen" <<'PY'
import chdb
import datafusion
import duckdb
import pandas as pd
from datafusion import SessionConfig, SessionContext

print("datafusion", datafusion.__version__, "DuckDB", duckdb.__version__, "pandas", pd.__version__,
      "ClickHouse", chdb.query("SELECT version()", "TSV").data().strip())
text = "2026-11-19T00:30:00+08:00"
ctx = SessionContext(SessionConfig({"datafusion.execution.time_zone": "Asia/Shanghai"}))
print(text)
print("    DataFusion", ctx.sql(f"SELECT '{text}'::date AS day").collect()[0].to_pylist()[0]["day"])
print("    DuckDB    ", duckdb.sql(f"SELECT '{text}'::date").fetchall()[0][0])
print("    pandas    ", pd.to_datetime(text).date())
try:
    print("    ClickHouse", chdb.query(f"SELECT CAST('{text}' AS Date)", "TSV").data().strip())
except RuntimeError as error:
    print("    ClickHouse refuses:", "CANNOT_PARSE_TEXT" in str(error))
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
