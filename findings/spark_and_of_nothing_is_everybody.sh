#!/usr/bin/env bash
# The intersection of no bitmaps is everybody, and the intersection of unknown ones too.
#
# Library   pyspark 4.3.0; chdb 4.4.0 (ClickHouse 26.9.2) and datafusion 55.0.0 (bit_and of integers) beside it
# Expected  An aggregate over no rows, or over NULLs alone, is NULL or empty.
# Happens   bitmap_and_agg starts from all ones and skips NULLs: both give the full bucket of 32,768 users. It is so
#           for a group of GROUP BY whose bitmaps are all NULL, as after a LEFT JOIN that found nothing. Then count it,
#           and 32,768 is a believable size. bit_and of integers and ClickHouse's groupBitmapAnd have no such ones.
# Matters   "In all of these groups" with a misspelt group is the whole bucket instead of nobody. It is the one
#           mistake of an audience that sends a message to everybody.
# Upstream  apache/spark#52586 (meant to be so)
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check \
    pyspark==4.3.0 chdb==4.4.0 chdb-core==26.9.0 datafusion==55.0.0 pyarrow==26.0.1

cat > "$work/expected" <<'SEEN'
Spark 4.3.0 datafusion 55.0.0 ClickHouse 26.9.2.1
Spark, and over 'cooks', 'tea'             [(1,)]
Spark, or over 'cooks', 'tea'              [(3,)]
Spark, and over 'cook', 'tee'              [(32768,)]
Spark, or over 'cook', 'tee'               [(0,)]
Spark, and of a LEFT JOIN that finds none  [('coffee', 32768), ('tea', 2)]
ClickHouse, and of no rows                 0
DataFusion, bit_and of no rows             None
SEEN

cd "$work"
"$work/venv/bin/python" - > "$work/seen" 2> "$work/log" <<'PY'
import chdb
import datafusion
import pyspark
from pyspark.sql import SparkSession

def in_clickhouse(sql):
    return chdb.query(sql, "TSV").data().strip()


def show(what, result):
    print(f"{what:42} {result}")


def in_spark(sql):
    return [tuple(row) for row in spark.sql(sql).collect()]


print("Spark", pyspark.__version__, "datafusion", datafusion.__version__, "ClickHouse", in_clickhouse("SELECT version()"))
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()


spark.sql("""CREATE TEMPORARY VIEW sets AS SELECT name, bitmap_construct_agg(bitmap_bit_position(user)) AS members
    FROM VALUES ('cooks', 1), ('cooks', 2), ('tea', 2), ('tea', 3) AS t(name, user) GROUP BY name""")
for names in ["'cooks', 'tea'", "'cook', 'tee'"]:
    for word in ["and", "or"]:
        sql = f"SELECT bitmap_count(bitmap_{word}_agg(members)) FROM sets WHERE name IN ({names})"
        show(f"Spark, {word} over {names}", in_spark(sql))
show("Spark, and of a LEFT JOIN that finds none", in_spark("""SELECT wanted.name, bitmap_count(bitmap_and_agg(members))
    FROM VALUES ('tea'), ('coffee') AS wanted(name) LEFT JOIN sets ON wanted.name = sets.name GROUP BY wanted.name ORDER BY 1"""))
show("ClickHouse, and of no rows", in_clickhouse("SELECT groupBitmapAnd(b) FROM (SELECT bitmapBuild([1]) AS b WHERE false)"))
rows = datafusion.SessionContext().sql("SELECT bit_and(v) AS v FROM (SELECT 1 AS v WHERE false)").collect()[0].to_pylist()
show("DataFusion, bit_and of no rows", rows[0]["v"])
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
