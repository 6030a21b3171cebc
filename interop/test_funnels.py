"""Funnels night after night against ClickHouse's windowFunnel(…, 'strict_increase') over all raw rows at once.

No two events of a user are at one time: where a first step is at the time of a later one, ClickHouse forgets the chain before it.
"""

import json
import random
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

from published import Published

FIRST = datetime(2026, 11, 18, tzinfo=timezone.utc)
NIGHTS = 5
HOURS = {"short": 2, "long": 30}
CONFIGURATION = """version = 1
[warehouse]
url = 'warehouse'
shards = 2
time_zone = 'UTC'
id_scope = 'global'
[run]
spill = 'spill'
[[source]]
name = 'events'
kind = 'behaviour'
path = 'raw/dt={date}.ndjson'
columns = { app = "'shop'", user = 'user', event = 'event', time = 'at' }
dimensions = { city = 'city' }
[[funnel]]
name = 'short'
steps = ['visit', 'cart', { event = 'pay', where = "city <> 'Rome'" }]
window = '2h'
[[funnel]]
name = 'long'
steps = ['visit', 'cart', { event = 'pay', where = "city <> 'Rome'" }]
window = '30h'
"""
STEPS = "event = 'visit' AND toDate(at, 'UTC') = '{day}', event = 'cart', event = 'pay' AND city <> 'Rome'"


def events() -> list[dict]:
    """Of 300 users, every event of one at a time of its own, to the microsecond."""
    dice = random.Random(17)
    micros = NIGHTS * 86_400 * 1_000_000
    return [
        {
            "user": f"u{user}",
            "event": dice.choice(["visit", "cart", "pay", "other"]),
            "city": dice.choice(["Oslo", "Rome", None]),
            "at": (FIRST + timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%f"),
        }
        for user in range(300)
        for at in dice.sample(range(micros), 60)
    ]


def nights(published: Published, rows: list[dict]) -> Published:
    """A warehouse of its own that ran every night."""
    folder = published.folder.parent / "funnels"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "raw").mkdir(parents=True)
    (folder / "warehouse.toml").write_text(CONFIGURATION)
    warehouse = Published(published.tagmill, folder, [], [])
    warehouse.run("init")
    for night in range(NIGHTS):
        day = f"{FIRST + timedelta(days=night):%Y-%m-%d}"
        lines = [json.dumps(row) for row in rows if row["at"].startswith(day)]
        (folder / f"raw/dt={day}.ndjson").write_text("\n".join(lines) + "\n")
        warehouse.run("run", "--date", day)
        warehouse.days.append(day)
    return warehouse


def test_chains_over_nights_are_those_of_clickhouse_over_all_rows(published: Published) -> None:
    rows = events()
    warehouse = nights(published, rows)
    raw = Path(warehouse.folder / "all.ndjson")
    raw.write_text("\n".join(json.dumps(row) for row in rows))
    read = f"file('{raw}', JSONEachRow, 'user String, event String, city Nullable(String), at DateTime64(6, \\'UTC\\')')"
    compared = 0
    for funnel, hours in HOURS.items():
        for day in warehouse.days:
            best = (
                f"SELECT windowFunnel({hours * 3600 * 1_000_000}, 'strict_increase')"
                f"(toUInt64(toUnixTimestamp64Micro(at)), {STEPS.format(day=day)}) AS best FROM {read} GROUP BY user"
            )
            sums = ", ".join(f"countIf(best >= {step})" for step in (1, 2, 3))
            expected = [(step, users) for step, users in enumerate(published.clickhouse.rows(f"SELECT {sums} FROM ({best})")[0], 1) if users]
            question = f"SELECT step, users FROM funnel('shop', '{funnel}') WHERE day = DATE '{day}' ORDER BY step"
            answer = warehouse.run("sql", "--format", "json", "-c", question)
            found = [(row["step"], row["users"]) for row in json.loads(answer)]
            assert found == expected, f"{funnel} of {day}: {found}, ClickHouse {expected}"
            compared += len(expected)
    assert compared > 20
