"""CSV and NDJSON as pandas, Polars and DuckDB write them, packed and not: users are those that Python counts.

The oracle knows no tagmill code: sets only.
"""

import json
import random
import shutil
from pathlib import Path

import duckdb
import pandas
import polars
from published import Published

CITIES = ["Oslo", 'Sao "P"', "a,b", "x\ny", "北京", None, "  pad ", "O'Neil"]
AMOUNTS = [None, 0.1, 2.25, 1e3, -7.5, 123456.78]
CONFIGURATION = """version = 1
[warehouse]
url = 'warehouse'
shards = 2
time_zone = 'UTC'
id_scope = 'global'
[run]
spill = 'spill'
[[source]]
name = 'orders'
kind = 'behaviour'
path = 'raw/dt={date}/*'
columns = { app = "'shop'", user = 'customerid', event = "'buy'", time = 'at' }
[source.dimensions]
city = "coalesce(City, 'none')"
[source.measures]
amount = { value = 'Amount', scale = 2 }
"""


def orders() -> list:
    dice = random.Random(7)
    return [
        {
            "CustomerID": dice.randint(1, 400),
            "City": dice.choice(CITIES),
            "Amount": dice.choice(AMOUNTS),
            "at": f"2026-11-19 {dice.randint(0, 23):02}:{dice.randint(0, 59):02}:00",
        }
        for _ in range(3_000)
    ]


def write_all(rows: list, folder: Path) -> None:
    parts = [pandas.DataFrame(rows[start : start + 500]) for start in range(0, 3_000, 500)]
    parts[0].to_csv(folder / "a.csv", index=False)
    polars.from_dicts(rows[500:1_000]).write_csv(folder / "b.csv")
    with duckdb.connect() as engine:
        engine.from_df(parts[2]).write_csv(str(folder / "c.csv.gz"), compression="gzip")
    parts[3].to_json(folder / "d.ndjson", orient="records", lines=True)
    polars.from_dicts(rows[2_000:2_500]).write_ndjson(folder / "e.ndjson")
    connection = duckdb.connect()
    connection.register("part", parts[5])
    connection.execute(f"COPY part TO '{folder}/f.json.zst' (FORMAT json, COMPRESSION zstd)")


def test_text_of_three_writers_is_what_python_counts(published: Published) -> None:
    folder = published.folder.parent / "text-files"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "raw/dt=2026-11-19").mkdir(parents=True)
    (folder / "warehouse.toml").write_text(CONFIGURATION)
    rows = orders()
    write_all(rows, folder / "raw/dt=2026-11-19")
    night = Published(published.tagmill, folder, [], [])
    night.run("init")
    night.run("run", "--date", "2026-11-19")
    query = "SELECT value, bitmap_or_cardinality_agg(bitmap) AS users FROM behaviour WHERE dimension = 'city' GROUP BY value"
    found = [json.loads(line) for line in night.run("sql", "--format", "nd-json", "-c", query).splitlines() if line]
    users: dict = {}
    for row in rows:
        users.setdefault(row["City"] or "none", set()).add(row["CustomerID"])
    assert {row["value"]: row["users"] for row in found} == {city: len(ids) for city, ids in users.items()}
