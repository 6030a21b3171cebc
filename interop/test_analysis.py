"""Table functions over days give what DuckDB finds in the raw rows: nights with a gap, late and duplicate rows, several values of a
tag, sums below zero, more values of a dimension than are kept."""

import datetime
import io
import random
import shutil
import subprocess
from decimal import Decimal
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from published import Published

DAYS = [datetime.date(2026, 11, day) for day in (14, 15, 16, 18, 19, 20)]  # no night of the 17th
RANGE = "2026-11-14..2026-11-20"
CITIES = ["Beijing", "Xi'an", "Ürümqi", None]
KEPT = 6  # of 40 items

CONFIG = f"""version = 1
[warehouse]
url = "warehouse"
shards = 3
time_zone = "UTC"
id_scope = "app"
[limits]
values_per_dimension = {KEPT}
[[source]]
name = "profiles"
kind = "attributes"
path = "raw/profiles/dt={{date}}/*.parquet"
columns = {{ app = "'shop'", user = "id" }}
[[source]]
name = "events"
kind = "behaviour"
path = "raw/events/dt={{date}}/*.parquet"
columns = {{ app = "'shop'", user = "id", event = "event", time = "stamp" }}
day = {{ by = "time", late = "reject" }}
dedupe = {{ key = ["event_id"] }}
events = ["visit", "buy"]
[source.dimensions]
city = "city"
os = "os"
item = "item"
[source.measures]
amount = {{ value = "amount", scale = 2 }}
[[tag]]
name = "gender"
source = "profiles"
type = "string"
value = "gender"
[[tag]]
name = "interests"
source = "profiles"
type = "string"
multi = true
value = "string_to_array(interests, '|')"
"""


def profiles(day: int) -> pa.Table:
    """Users of a day: more come, some change their gender, interests are several."""
    ids = range(0, 200 + 20 * day)
    gender = [[None, "F", "M"][(i + (i % 7 == day)) % 3] for i in ids]
    interests = ["|".join(name for at, name in enumerate(["books", "tea", "cars"]) if (i + day) >> at & 1) or None for i in ids]
    return pa.table({"id": [f"user-{i}" for i in ids], "gender": gender, "interests": interests})


def events(day: int) -> pa.Table:
    """Events of a day, with rows of the day before and rows that are there twice."""
    dice = random.Random(day)
    rows = []
    for number in range(3000):
        user = int(dice.paretovariate(0.4)) % (260 + 20 * day)
        date = DAYS[day] - datetime.timedelta(days=dice.random() < 0.05)
        event = dice.choice(["visit", "visit", "buy"])
        rows.append({
            "event_id": f"{day}-{number}", "id": f"user-{user}", "event": event,
            "stamp": datetime.datetime.combine(date, datetime.time(dice.randrange(24), dice.randrange(60))),
            "city": dice.choice(CITIES), "os": dice.choice(["ios", "android"]), "item": f"item-{int(dice.paretovariate(0.7)) % 40}",
            "amount": Decimal(dice.randrange(-20000, 90000)) / 100 if event == "buy" else None,
        })
    rows += dice.sample(rows, 150)
    dice.shuffle(rows)
    schema = pa.schema([(name, pa.string()) for name in ["event_id", "id", "event"]] + [("stamp", pa.timestamp("us"))]
                       + [(name, pa.string()) for name in ["city", "os", "item"]] + [("amount", pa.decimal128(12, 2))])
    return pa.Table.from_pylist(rows, schema)


class Shop:
    """A warehouse of generated nights, and DuckDB over the same raw rows."""

    def __init__(self, tagmill: Path, folder: Path):
        self.tagmill, self.folder = tagmill, folder
        shutil.rmtree(folder, ignore_errors=True)
        for at, day in enumerate(DAYS):
            for name, table in [("profiles", profiles(at)), ("events", events(at))]:
                place = folder / f"raw/{name}/dt={day}"
                place.mkdir(parents=True)
                pq.write_table(table, place / "part.parquet")
        (folder / "warehouse.toml").write_text(CONFIG)
        self.run("init")
        for day in DAYS:
            self.run("run", "--date", str(day))

    def run(self, *command: str) -> str:
        done = subprocess.run([self.tagmill, "--quiet", *command], cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stderr}")
        return done.stdout

    def ours(self, sql: str) -> list[tuple]:
        """Rows as DuckDB would give them: texts that are empty are null."""
        csv = self.run("sql", "--format", "csv", "-c", sql)
        read = pa.csv.read_csv(io.BytesIO(csv.encode()), convert_options=pa.csv.ConvertOptions(strings_can_be_null=True))
        return [tuple(row.values()) for row in read.to_pylist()]

    @cached_property
    def duckdb(self) -> duckdb.DuckDBPyConnection:
        raw = duckdb.connect()
        day = "CAST(regexp_extract(filename, 'dt=([0-9-]+)', 1) AS DATE)"
        for name in ["profiles", "events"]:
            files = f"read_parquet('{self.folder}/raw/{name}/*/*.parquet', filename = true, hive_partitioning = false)"
            raw.execute(f"CREATE TABLE raw_{name} AS SELECT *, {day} AS day FROM {files}")
        raw.execute("CREATE TABLE events AS SELECT DISTINCT ON (event_id, day) * FROM raw_events WHERE CAST(stamp AS DATE) = day")
        raw.execute("CREATE TABLE tags AS SELECT id, day, gender, string_split(interests, '|') AS interests FROM raw_profiles")
        raw.execute(f"CREATE VIEW head AS SELECT * FROM tags WHERE day = DATE '{DAYS[-1]}'")
        return raw

    def same(self, ours: str, theirs: str) -> None:
        """Both answers have the same rows, in any order; numbers to nine digits."""
        found, expected = (sorted(map(rounded, rows), key=repr) for rows in (self.ours(ours), self.duckdb.execute(theirs).fetchall()))
        assert expected, f"DuckDB found nothing: {theirs}"
        assert found == expected, f"{ours}\n{found[:4]}\n{expected[:4]}"


def rounded(row: tuple) -> tuple:
    return tuple(float(f"{value:.9g}") if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) else value for value in row)


SHOPS: dict[Path, Shop] = {}


def shop(published: Published) -> Shop:
    """Made once."""
    folder = published.folder.parent / "analysis"
    if folder not in SHOPS:
        SHOPS[folder] = Shop(published.tagmill, folder)
    return SHOPS[folder]


NUMBERS = "users, events, sum, per_user, per_event"
COUNTED = "count(DISTINCT id), count(*), sum(amount), sum(amount) / count(DISTINCT id), sum(amount) / count(*)"
BUYS = f"event_totals('shop', 'buy', '{RANGE}', measure => 'amount'"


def test_totals_by_dimensions(published: Published) -> None:
    s = shop(published)
    s.same(f"SELECT {NUMBERS} FROM {BUYS})", f"SELECT {COUNTED} FROM events WHERE event = 'buy'")
    s.same(f"SELECT city, os, {NUMBERS} FROM {BUYS}, by => 'city, os')",
           f"SELECT city, os, {COUNTED} FROM events WHERE event = 'buy' GROUP BY ALL")
    s.same(f"SELECT date, city, {NUMBERS} FROM {BUYS}, by => 'city', per => 'day')",
           f"SELECT day, city, {COUNTED} FROM events WHERE event = 'buy' GROUP BY ALL")


def test_a_condition_holds_within_one_event(published: Published) -> None:
    s = shop(published)
    for condition in ["city = 'Beijing' AND os = 'ios'", "city <> 'Beijing'", "city LIKE '%''%' OR os = 'ios'", "city IS NULL", "city IN ('Beijing', 'Xi''an')"]:
        ours = condition.replace("'", "''")
        s.same(f"SELECT {NUMBERS} FROM {BUYS}, condition => '{ours}')", f"SELECT {COUNTED} FROM events WHERE event = 'buy' AND ({condition})")


def test_totals_by_tags_of_the_head_and_of_each_day(published: Published) -> None:
    s = shop(published)
    for tags, join in [("head", "LEFT JOIN head AS t ON t.id = e.id"), ("day", "LEFT JOIN tags AS t ON t.id = e.id AND t.day = e.day")]:
        columns = COUNTED.replace("id)", "e.id)")
        s.same(f"SELECT gender, city, {NUMBERS} FROM {BUYS}, by => 'gender, city', tags => '{tags}')",
               f"SELECT gender, city, {columns} FROM events AS e {join} WHERE event = 'buy' GROUP BY ALL")
        s.same(f"SELECT interests, {NUMBERS} FROM {BUYS}, by => 'interests', tags => '{tags}')",
               f"SELECT i.interest, {columns} FROM events AS e {join} LEFT JOIN LATERAL (SELECT unnest(t.interests) AS interest) AS i ON true WHERE event = 'buy' GROUP BY ALL")
        s.same(f"SELECT {NUMBERS} FROM {BUYS}, audience => 'gender = ''F'' AND interests = ''tea''', tags => '{tags}')",
               f"SELECT {columns} FROM events AS e {join} WHERE event = 'buy' AND t.gender = 'F' AND list_contains(t.interests, 'tea')")


def test_levels(published: Published) -> None:
    s = shop(published)
    s.same(f"SELECT level, gender, city, os, {NUMBERS} FROM event_rollup('shop', 'buy', '{RANGE}', 'gender, city, os', 'amount', tags => 'day')",
           f"SELECT 3 - (grouping(gender) + grouping(city) + grouping(os)), gender, city, os, {COUNTED.replace('id)', 'e.id)')} FROM events AS e "
           "LEFT JOIN tags AS t ON t.id = e.id AND t.day = e.day WHERE event = 'buy' GROUP BY ROLLUP (gender, city, os)")


def test_values_that_are_not_kept_are_one_row(published: Published) -> None:
    s = shop(published)
    day = DAYS[-1]
    rows = s.ours(f"SELECT others, item, users, events, sum, exact FROM event_totals('shop', 'buy', '{day}', by => 'item', measure => 'amount')")
    kept = [row[1] for row in rows if row[0] is None]
    assert 0 < len(kept) <= KEPT and all(row[5] for row in rows), rows
    listed = ", ".join(f"'{item}'" for item in kept)
    theirs = s.duckdb.execute("SELECT CASE WHEN item IN (" + listed + ") THEN NULL ELSE 'item' END, CASE WHEN item IN (" + listed
                              + f") THEN item END, count(DISTINCT id), count(*), sum(amount) FROM events WHERE event = 'buy' AND day = DATE '{day}' GROUP BY ALL")
    assert sorted(map(rounded, (row[:5] for row in rows)), key=repr) == sorted(map(rounded, theirs.fetchall()), key=repr)
    for item, users, events, amount, exact in s.ours(f"SELECT item, users, events, sum, exact FROM {BUYS}, by => 'item') WHERE others IS NULL"):
        counted = s.duckdb.execute(f"SELECT count(DISTINCT id), count(*), sum(amount) FROM events WHERE event = 'buy' AND item = '{item}'").fetchone()
        assert users <= counted[0] and events <= counted[1], item
        assert not exact or rounded((users, events, amount)) == rounded(counted), item


def test_distributions(published: Published) -> None:
    s = shop(published)
    for what, number, measure in [("visit", "count(*)", ""), ("buy", "sum(amount)", ", measure => 'amount'")]:
        users = f"(SELECT {number} AS n FROM events WHERE event = '{what}' AND os = 'ios' GROUP BY id)"
        bounds = [2, 5, 20.5] if what == "visit" else [-100, 0, 0.01, 500.25]
        bins = " ".join(f"WHEN n < {bound} THEN {at}" for at, bound in enumerate(bounds))
        ours = f"event_histogram('shop', '{what}', '{RANGE}', {bounds}{measure}, condition => 'os = ''ios''')"
        edges = " ".join(f"WHEN below = {bound} THEN {at}" for at, bound in enumerate(bounds))
        s.same(f"SELECT CASE {edges} ELSE {len(bounds)} END AS bin, users FROM {ours} WHERE users > 0",
               f"SELECT CASE {bins} ELSE {len(bounds)} END, count(*) FROM {users} GROUP BY 1")
        parts = [0, 0.1, 0.5, 0.9, 1]
        ours = f"SELECT quantile, value FROM event_quantiles('shop', '{what}', '{RANGE}', {parts}{measure}, condition => 'os = ''ios''')"
        rows = [n for n, in s.duckdb.execute(f"SELECT n FROM {users} ORDER BY n").fetchall()]
        places = [max(1, -(-round(part * 10) * len(rows) // 10)) for part in parts]
        assert [rounded(row) for row in s.ours(ours)] == [rounded((part, rows[place - 1])) for part, place in zip(parts, places)]


def test_retention_of_an_event_and_of_new_users(published: Published) -> None:
    s = shop(published)
    for period in ["day", "week"]:
        cohorts = {
            "cohort => 'visit'": f"(SELECT DISTINCT id, date_trunc('{period}', day) AS cohort FROM events WHERE event = 'visit')",
            "cohort => NULL": f"(SELECT id, date_trunc('{period}', min(day)) AS cohort FROM (SELECT id, day FROM tags UNION SELECT id, day FROM events) GROUP BY id)",
        }
        for cohort, users in cohorts.items():
            s.same(f"SELECT cohort, {period}, users FROM retention('shop', 'buy', '{RANGE}', {cohort}, period => '{period}') WHERE users > 0",
                   f"SELECT CAST(c.cohort AS DATE), datediff('{period}', c.cohort, e.back), count(*) FROM {users} AS c JOIN "
                   f"(SELECT DISTINCT id, date_trunc('{period}', day) AS back FROM events WHERE event = 'buy') AS e ON e.id = c.id AND e.back >= c.cohort GROUP BY ALL")
            s.same(f"SELECT DISTINCT cohort, size FROM retention('shop', 'buy', '{RANGE}', {cohort}, period => '{period}') WHERE size > 0",
                   f"SELECT CAST(cohort AS DATE), count(*) FROM {users} GROUP BY ALL")
