"""ClickHouse's night, in one process, by chdb: runs the steps of clickhouse.sql on a session directory on disk.

Reads raw Parquet of one day; writes MergeTree tables under --session and prints one JSON line with the seconds,
CPU and peak memory of every step and the bytes of every table that stays. With --results it writes what the comparison
needs instead, so that this does not count.
"""

import argparse
import json
import os
import time
from functools import partial
from pathlib import Path

from chdb import session as chdb_session

SQL = Path(__file__).with_name("clickhouse.sql")


def sections() -> dict[str, list[str]]:
    """Heading -> statements of clickhouse.sql, in order."""
    found: dict[str, list[str]] = {}
    for part in SQL.read_text().split("\n--- ")[1:]:
        heading, _, body = part.partition("\n")
        lines = [line for line in body.splitlines() if not line.lstrip().startswith("--")]
        found[heading] = [s.strip() for s in "\n".join(lines).split(";") if s.strip()]
    return found


def input_tables(data: Path, day: str) -> dict[str, str]:
    profiles = data / f"raw/profiles/dt={day}/*.parquet"
    events = data / f"raw/events/dt={day}/hour=*/*.parquet"
    return {"profiles": f"file('{profiles}', Parquet)", "events": f"file('{events}', Parquet)"}


def filled(statement: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        statement = statement.replace("{" + name + "}", value)
    return statement


def peak_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmHWM in /proc/self/status")


def timed(name: str, run) -> dict:
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    started, before = time.perf_counter(), os.times()
    run()
    after = os.times()
    cpu_s = after.user + after.system - before.user - before.system
    return {"step": name, "wall_s": time.perf_counter() - started, "cpu_s": cpu_s, "peak_bytes": peak_bytes()}


def run_steps(session, values: dict[str, str], variants: list[str]) -> list[dict]:
    """Runs setup and the steps of the chosen nights; a step carries the names of those it is part of, none if of all."""
    steps = []
    for heading, statements in sections().items():
        run = partial(run_all, session, [filled(s, values) for s in statements])
        if heading == "setup":
            run()
        elif heading.startswith("step "):
            *nights, name = heading.removeprefix("step ").split()
            if not nights or set(nights) & set(variants):
                steps.append({"nights": nights} | timed(name, run))
    return steps


def run_all(session, statements: list[str]) -> None:
    for statement in statements:
        session.query(statement)


def night_of(steps: list[dict], variant: str) -> dict:
    """Sums over the steps of one of the nights."""
    chosen = [step for step in steps if not step["nights"] or variant in step["nights"]]
    sums = {name: sum(step[name] for step in chosen) for name in ["wall_s", "cpu_s"]}
    return sums | {"peak_bytes": max(step["peak_bytes"] for step in chosen), "steps": chosen}


def run_night(session, values: dict[str, str], variants: list[str]) -> dict:
    steps = run_steps(session, values, variants)
    tables = "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'night' GROUP BY table"
    sizes = {name.strip('"'): int(size) for name, size in (row.split(",") for row in lines(session, tables))}
    nights = {variant: night_of(steps, variant) for variant in variants}
    return {"version": lines(session, "SELECT version()")[0].strip('"'), "bytes": sizes} | nights


def lines(session, sql: str) -> list[str]:
    return session.query(sql, "CSV").bytes().decode().splitlines()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--day", required=True)
    arguments.add_argument("--session", type=Path, required=True)
    arguments.add_argument("--threads", type=int, default=os.cpu_count())
    arguments.add_argument("--variants", default="full", help="the nights of clickhouse.sql, comma-separated")
    arguments.add_argument("--results", type=Path, help="writes the results of the nights in --session here; the first is full")
    given = arguments.parse_args()
    session = chdb_session.Session(str(given.session))
    session.query(f"SET max_threads = {given.threads}")
    session.query(f"SET max_insert_threads = {given.threads}")
    variants = given.variants.split(",")
    if not given.results:
        print(json.dumps(run_night(session, input_tables(given.data.resolve(), given.day), variants)))
        return
    given.results.mkdir(parents=True, exist_ok=True)
    for name in ["results", *(f"results {variant}" for variant in variants)]:
        run_all(session, [filled(s, {"results": str(given.results.resolve())}) for s in sections().get(name, [])])


if __name__ == "__main__":
    main()
