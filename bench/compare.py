"""Compares the result tables of two engines row by row, with DuckDB, and prints one JSON line.

Reads two folders of Parquet tables (see "results" in clickhouse.sql); a table is equal if neither side has a row
that the other has not. Users are compared as a multiset of ids.
"""

import argparse
import json
from pathlib import Path

import duckdb

TABLES = {
    "users": "user_id",
    "tags": "app, tag, value, users::BIGINT",
    "events": "app, event, users::BIGINT, events::BIGINT, coalesce(amount, 0)::BIGINT, events_squared::BIGINT,"
    " events_max::BIGINT, coalesce(amount_max, 0)::BIGINT",
    "dimensions": "app, event, dimension, value, users::BIGINT",
    "tuples": "app, event, city, os, channel, users::BIGINT, events::BIGINT, coalesce(amount, 0)::BIGINT",
    "universe": "app, users::BIGINT",
    "numbers": "app, tag, users::BIGINT, total::BIGINT",
    "combinations": "app, event, dimension, value, combination, users::BIGINT",
    "measures": "app, event, measure, combination, total::BIGINT",
}
# of an event with overflow combinations these are not exact
EXACT_WITHOUT_OVERFLOW = ["tuples", "combinations", "measures"]


def rows_of(sql: str) -> list[tuple]:
    return duckdb.execute(sql).fetchall()


def compared(ours: Path, theirs: Path, table: str) -> dict:
    """Rows on both sides, and up to three rows that only one side has."""
    where = ""
    if table in EXACT_WITHOUT_OVERFLOW:
        where = f" WHERE (app, event) NOT IN (SELECT (app, event) FROM '{ours}/overflow.parquet')"
    sides = {name: f"SELECT {TABLES[table]} FROM '{path}/{table}.parquet'{where}" for name, path in [("ours", ours), ("theirs", theirs)]}
    if table == "users":
        return compared_users(sides)
    only_ours = rows_of(f"{sides['ours']} EXCEPT ALL {sides['theirs']} LIMIT 3")
    only_theirs = rows_of(f"{sides['theirs']} EXCEPT ALL {sides['ours']} LIMIT 3")
    rows = rows_of(f"SELECT count(*) FROM ({sides['ours']})")[0][0]
    if where and not rows and not only_theirs:
        return {"equal": None, "rows": 0}  # every event has overflow combinations
    return {"equal": rows > 0 and not only_ours and not only_theirs, "rows": rows, "only_ours": str(only_ours), "only_theirs": str(only_theirs)}


def compared_users(sides: dict[str, str]) -> dict:
    """Count and order-free checksum: millions of ids need no sort."""
    sums = {name: rows_of(f"SELECT count(*), bit_xor(hash(user_id)), sum(hash(user_id))::VARCHAR FROM ({sql})")[0] for name, sql in sides.items()}
    return {"equal": sums["ours"] == sums["theirs"], "rows": sums["ours"][0], "rows_theirs": sums["theirs"][0]}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("ours", type=Path)
    arguments.add_argument("theirs", type=Path)
    given = arguments.parse_args()
    tables = {table: compared(given.ours, given.theirs, table) for table in TABLES}
    overflow = rows_of(f"SELECT app, event FROM '{given.ours}/overflow.parquet'")
    equal = all(table["equal"] is not False for table in tables.values())
    print(json.dumps({"equal": equal, "tables": tables, "events_with_overflow": overflow}))


if __name__ == "__main__":
    main()
