#!/usr/bin/env bash
# The same set of users is two sets while it has 32 members or fewer.
#
# Library   chdb 4.4.0 (ClickHouse 26.9.2)
# Expected  A bitmap is a set: equal sets are one group in GROUP BY, have equal bytes, and come out in one order.
# Happens   Up to 32 members a groupBitmap state is a list in the order of arrival, from 33 on a Roaring bitmap.
#           bitmapToArray gives the order of arrival for the first and ascending order for the second; GROUP BY,
#           uniqExact and the bytes of the state tell equal small sets apart. subBitmap sorts them.
# Matters   Whoever compares yesterday's cell with today's to see whether an audience changed, folds equal audiences
#           into one, or takes the first of the array for the smallest, is right in every test with a large set and
#           wrong for small ones.
# Upstream  ClickHouse/ClickHouse#109974 (closed) was the same cause in subBitmap
# Seen      2026-11-30
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check chdb==4.4.0 chdb-core==26.9.0

cat > "$work/expected" <<'SEEN'
ClickHouse 26.9.2.1
two groups of the same 2 members
    groups of equal sets      2
    different byte strings    2
    members they do not share 0
    first of the array        [('down',1),('up',0)]
    first of subBitmap        [('down',[0]),('up',[0])]
two groups of the same 32 members
    groups of equal sets      2
    different byte strings    2
    members they do not share 0
    first of the array        [('down',31),('up',0)]
    first of subBitmap        [('down',[0]),('up',[0])]
two groups of the same 33 members
    groups of equal sets      1
    different byte strings    1
    members they do not share 0
    first of the array        [('down',0),('up',0)]
    first of subBitmap        [('down',[0]),('up',[0])]
SEEN

cd "$work"
"$work/venv/bin/python" - > "$work/seen" <<'PY'
import chdb


def one(sql):
    return chdb.query(sql, "TSV").data().strip()


print("ClickHouse", one("SELECT version()"))
for members in [2, 32, 33]:
    # two groups of the same members, one filled upwards, one downwards
    sets = f"""(SELECT name, groupBitmapState(user) AS members FROM (
        SELECT 'up' AS name, number AS user FROM numbers({members})
        UNION ALL SELECT 'down', toUInt64({members} - 1 - number) FROM numbers({members})) GROUP BY name)"""
    by_name = f"(SELECT * FROM {sets} ORDER BY name)"

    def show(what, sql):
        print(f"    {what:25} {one(f'{sql} SETTINGS max_threads = 1')}")

    print(f"two groups of the same {members} members")
    show("groups of equal sets", f"SELECT count() FROM (SELECT members FROM {sets} GROUP BY members)")
    show("different byte strings", f"SELECT uniqExact(hex(members)) FROM {sets}")
    show("members they do not share", f"""SELECT bitmapXorCardinality(
        anyIf(members, name = 'up'), anyIf(members, name = 'down')) FROM {sets}""")
    show("first of the array", f"SELECT groupArray((name, bitmapToArray(members)[1])) FROM {by_name}")
    show("first of subBitmap", f"SELECT groupArray((name, bitmapToArray(subBitmap(members, 0, 1)))) FROM {by_name}")
PY

cat "$work/seen"
diff "$work/expected" "$work/seen"
echo "as on 2026-11-30"
