"""Rules over days of behaviour equal DuckDB over the raw events: what a release answers, and what its nights computed.

Twelve days of generated events: some sent twice, some late (counted on the day that brings them), returns below zero, events
without a city, and a day that never came.
"""

import json
import random
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from published import Published

FIRST, DAYS, MISSING = date(2026, 11, 8), 12, 3
LAST = FIRST + timedelta(days=DAYS - 1)
USERS = [f"u{n}" for n in range(400)]
CITIES = ["Beijing", "Xi'an", "Oslo", "Bern_1", None]

CONFIGURATION = """version = 1
[warehouse]
url = 'warehouse'
shards = 3
time_zone = 'UTC'
id_scope = 'global'
[run]
spill = 'spill'
[[source]]
name = 'p'
kind = 'attributes'
path = 'raw/p/dt={date}/*.parquet'
columns = { app = "'shop'", user = 'user' }
[[source]]
name = 'e'
kind = 'behaviour'
path = 'raw/e/dt={date}/*.parquet'
columns = { app = "'shop'", user = 'user', event = 'event', time = 'time' }
dimensions = { city = 'city', os = 'os' }
measures = { amount = { value = 'amount', scale = 2, events = ['pay'] } }
day = { by = 'time', late = 'today' }
dedupe = { key = ['id'] }
late = { policy = 'skip' }
[groups]
rules = 'rules.ndjson'
"""

# A rule, the same for DuckDB over a user's events (event, day, city, os, amount).
RULES = {
    "event_count('pay', 5) >= 3": "count(*) FILTER (event = 'pay' AND ago < 5) >= 3",
    "event_count('pay', 5) = 0": "count(*) FILTER (event = 'pay' AND ago < 5) = 0",
    "event_count('pay', 5) < 2": "count(*) FILTER (event = 'pay' AND ago < 5) < 2",
    "event_count('pay', 4, back => 4) IN (1, 3)": "count(*) FILTER (event = 'pay' AND ago BETWEEN 4 AND 7) IN (1, 3)",
    "event_sum('pay', 'amount', 6) > 10.25": "coalesce(sum(amount) FILTER (event = 'pay' AND ago < 6), 0) > 10.25",
    "event_sum('pay', 'amount', 6) BETWEEN -5 AND 0": "coalesce(sum(amount) FILTER (event = 'pay' AND ago < 6), 0) BETWEEN -5 AND 0",
    "event_sum('pay', 'amount', 7, city = 'Beijing' AND os = 'mac') < 0": "coalesce(sum(amount) FILTER (event = 'pay' AND ago < 7 AND city = 'Beijing' AND os = 'mac'), 0) < 0",
    "event_count('pay', 7, city = 'Beijing' OR os <> 'mac') >= 2": "count(*) FILTER (event = 'pay' AND ago < 7 AND (city = 'Beijing' OR os <> 'mac')) >= 2",
    "event_count('visit', 7, city LIKE '%n\\_1' AND NOT (os IN ('ios', 'web'))) >= 1": "count(*) FILTER (event = 'visit' AND ago < 7 AND city LIKE '%n\\_1' ESCAPE '\\' AND (os IN ('ios', 'web')) IS NOT TRUE) >= 1",
    "event_count('pay', 7, city IS NULL) >= 1": "count(*) FILTER (event = 'pay' AND ago < 7 AND city IS NULL) >= 1",
    "event_count('pay', 7, NOT city = 'Oslo') >= 3": "count(*) FILTER (event = 'pay' AND ago < 7 AND (city = 'Oslo') IS NOT TRUE) >= 3",
    "event_days('visit', 6) >= 2": "count(DISTINCT day) FILTER (event = 'visit' AND ago < 6) >= 2",
    "event_days('visit', 8, city = 'Xi''an') NOT IN (0, 1)": "count(DISTINCT day) FILTER (event = 'visit' AND ago < 8 AND city = 'Xi''an') NOT IN (0, 1)",
    "event_count('pay', 30) >= 12": "count(*) FILTER (event = 'pay' AND ago < 30) >= 12",
    "event_first('pay') >= run_date() - 9": "min(day) FILTER (event = 'pay') >= DATE '2026-11-10'",
    "event_last('visit', os = 'mac') < DATE '2026-11-15'": "max(day) FILTER (event = 'visit' AND os = 'mac') < DATE '2026-11-15'",
    "event_last('visit', os = 'mac') IS NULL": "max(day) FILTER (event = 'visit' AND os = 'mac') IS NULL",
    "event_count('pay', 3) >= 1 AND NOT (event_days('visit', 3) >= 1)": "count(*) FILTER (event = 'pay' AND ago < 3) >= 1 AND NOT count(*) FILTER (event = 'visit' AND ago < 3) >= 1",
}
EVENT = pa.schema(
    [("id", pa.int64()), ("user", pa.string()), ("event", pa.string()), ("time", pa.timestamp("us")), ("city", pa.string()), ("os", pa.string()), ("amount", pa.decimal128(12, 2))]
)


def events(day: int, seed: random.Random) -> list[dict]:
    """Rows of one folder: an eighth is there twice, a tenth is of the day before."""
    rows = []
    for number in range(700):
        of_day = FIRST + timedelta(days=day) - timedelta(days=seed.random() < 0.1)
        row = {
            "id": day * 10_000 + number,
            "user": seed.choice(USERS[:300]),
            "event": seed.choice(["pay", "pay", "visit"]),
            "time": datetime.combine(of_day, time(seed.randrange(24), seed.randrange(60))),
            "city": seed.choice(CITIES),
            "os": seed.choice(["mac", "ios", "web"]),
            "amount": Decimal(seed.randrange(-1000, 2000)) / 100,
        }
        rows += [row] * (1 + (seed.random() < 0.125))
    return rows


def written(published: Published) -> tuple[Published, duckdb.DuckDBPyConnection]:
    """A warehouse of twelve days, and the days' events for DuckDB, which takes away what was sent twice by itself."""
    folder = published.folder.parent / "behaviour-over-days"
    folder.mkdir()
    (folder / "warehouse.toml").write_text(CONFIGURATION)
    rules = [json.dumps({"app": "shop", "group": f"g{n}", "rule": rule}) for n, rule in enumerate(RULES)]
    (folder / "rules.ndjson").write_text("\n".join(rules) + "\n")
    nights, seed = Published(published.tagmill, folder, [], []), random.Random(17)
    nights.run("init")
    oracle = duckdb.connect()
    oracle.execute("CREATE TABLE users AS SELECT 'u' || range AS user FROM range(400)")
    oracle.execute("CREATE TABLE events (id BIGINT, user TEXT, event TEXT, time TIMESTAMP, city TEXT, os TEXT, amount DECIMAL(12, 2), day DATE)")
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        for source in ("p", "e"):
            (folder / f"raw/{source}/dt={day}").mkdir(parents=True)
        pq.write_table(pa.table({"user": USERS}), folder / f"raw/p/dt={day}/part.parquet")
        if number != MISSING:
            given = pa.Table.from_pylist(events(number, seed), EVENT)
            pq.write_table(given, folder / f"raw/e/dt={day}/part.parquet")
            oracle.register("given", given)
            oracle.execute(f"INSERT INTO events SELECT DISTINCT *, DATE '{day}' FROM given")
        nights.run("run", "--date", str(day))
    return nights, oracle


def test_rules_over_days_equal_duckdb(published: Published) -> None:
    nights, oracle = written(published)
    status = nights.run("sql", "--format", "nd-json", "-c", 'SELECT "group", status, cardinality FROM group_status')
    groups = {row["group"]: row for row in map(json.loads, filter(None, status.splitlines()))}
    compared = 0
    for number, (rule, condition) in enumerate(RULES.items()):
        query = f"""SELECT count(*) FROM (SELECT users.user FROM users LEFT JOIN
            (SELECT *, DATE '{LAST}' - day AS ago FROM events) AS e ON e.user = users.user GROUP BY users.user HAVING {condition})"""
        expected = oracle.execute(query).fetchone()[0]
        found = json.loads(nights.run("--output", "json", "estimate", "--app", "shop", rule))
        assert (found["users"], found["exact"]) == (expected, True), f"{rule}: {found}, DuckDB {expected}"
        listed = nights.run("sql", "--format", "csv", "-c", f"SELECT count(*) FROM audience('shop', '{rule.replace(chr(39), chr(39) * 2)}')")
        assert int(listed.split()[-1]) == expected, f"{rule}: {listed}, DuckDB {expected}"
        group = groups[f"g{number}"]
        if group["status"] == "ok":
            assert group["cardinality"] == expected, f"{rule}: {group}, DuckDB {expected}"
            compared += 1
        else:
            assert group["status"] == "incomplete" and found["behaviour"]["missing"], f"{rule}: {group}, {found}"
    assert compared >= 10, groups
