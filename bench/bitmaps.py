"""Bitmaps in SQL beside ClickHouse: its groupBitmapState on the rows of udfs/benches/sql_aggregates.rs, and or, and, portraits over
7,000 bitmaps of 5 million users in a MergeTree against the same bitmaps in Parquet through `tagmill sql`.

    "$(bench/python.sh)" bench/bitmaps.py --tagmill target/release/tagmill --work target/bench/bitmaps

Prints seconds of the fastest of three runs. tagmill starts as a process and reads a file, so its start is measured and taken off.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interop"))  # publishes a release, without which there is no session

from chdb import session as chdb_session  # noqa: E402
from published import Published  # noqa: E402

USERS = 5_000_000
TAGS = 7_000
ROUNDS = 3


def fastest(work) -> float:
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def memory(field: str) -> int:
    """Memory of the process, where ClickHouse runs as a library, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) // 1024


def build_aggregates(clickhouse, rows: int) -> None:
    """groupBitmapState over rows in memory: the same number of rows, ids and groups as the Rust bench, at random as there."""
    query = "SELECT g, groupBitmapState(id) FROM rows GROUP BY g FORMAT Null"
    print(f"groupBitmapState, {rows} rows in memory, ids below {USERS}; memory above what was held before the query")
    print(f"{'groups':>9} {'ids':>7} {'state s':>10} {'count s':>10} {'state MiB':>10}")
    for groups in (10, 10_000, 5_000_000):
        for order, ids in (("random", f"cityHash64(number, 2) % {USERS}"), ("sorted", f"intDiv(number * {USERS}, {rows})")):
            clickhouse.query("CREATE OR REPLACE TABLE rows (g UInt32, id UInt64) ENGINE = Memory")
            clickhouse.query(f"INSERT INTO rows SELECT cityHash64(number, 1) % {groups}, {ids} FROM numbers({rows})")
            most = 0
            for _ in range(ROUNDS):
                clickhouse.query("SYSTEM JEMALLOC PURGE")  # else a query takes what the one before it left
                held = memory("VmRSS:")
                Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts from what is held now
                clickhouse.query(query)
                most = max(most, memory("VmHWM:") - held)
            state = fastest(lambda: clickhouse.query(query))
            count = fastest(lambda: clickhouse.query("SELECT g, count() FROM rows GROUP BY g FORMAT Null"))
            print(f"{groups:>9} {order:>7} {state:>10.3f} {count:>10.3f} {most:>10}", flush=True)
    clickhouse.query("DROP TABLE rows")


def make_bitmaps(clickhouse, published: Published, members: int) -> Path:
    """7,000 bitmaps, few large and many small, in a MergeTree and in a Parquet file; `members` is the sum of their sizes before
    duplicates are removed."""
    clickhouse.query("CREATE OR REPLACE TABLE bitmaps (tag UInt32, b AggregateFunction(groupBitmap, UInt64)) ENGINE = MergeTree ORDER BY tag")
    tag = f"toUInt32(pow({TAGS}, cityHash64(number, 1) / 18446744073709551616.0)) - 1"
    state = f"groupBitmapState(toUInt64(cityHash64(number, 2) % {USERS}))"
    clickhouse.query(f"INSERT INTO bitmaps SELECT {tag} AS tag, {state} FROM numbers({members}) GROUP BY tag")
    states, path = (published.folder.parent / name for name in ("states.parquet", "bitmaps.parquet"))
    settings = "SETTINGS output_format_parquet_string_as_string = 0, output_format_parquet_row_group_size_bytes = 16777216"
    clickhouse.query(f"INSERT INTO FUNCTION file('{states}', Parquet) {settings} SELECT tag, unhex(hex(b)) AS state FROM bitmaps ORDER BY tag")
    bitmap = "bitmap_from_clickhouse(state, 'UInt64') AS b"
    # As tagmill's own artifacts: small parts that a filter can skip, no compression where it saves next to nothing.
    options = "OPTIONS ('max_row_group_size' '500', 'compression' 'uncompressed')"
    published.run("sql", "-c", f"COPY (SELECT tag, {bitmap} FROM '{states}' ORDER BY tag) TO '{path}' STORED AS PARQUET {options}")
    return path


def of_tagmill(published: Published, query: str, setting: str | None = None) -> tuple[float, str]:
    """Seconds of one query beyond a process with the query once, from a process with it several times; and its answer."""
    before = ["-c", f"SET {setting}"] if setting else []
    times = 5

    def run(count: int) -> str:
        command = [published.tagmill, "--quiet", "sql", "--format", "csv", *before, *["-c", query] * count]
        return subprocess.run(command, cwd=published.folder, capture_output=True, text=True, check=True).stdout

    once, several = fastest(lambda: run(1)), fastest(lambda: run(1 + times))
    return (several - once) / times, run(1).splitlines()[-1]


def over_bitmaps(clickhouse, published: Published, members: int) -> None:
    path = make_bitmaps(clickhouse, published, members)
    size = clickhouse.query("SELECT sum(data_compressed_bytes) FROM system.parts WHERE table = 'bitmaps' AND active", "CSV").data().strip()
    print(f"\n{TAGS} bitmaps of {USERS} users, {members} members; MergeTree {int(size) >> 20} MiB, Parquet {path.stat().st_size >> 20} MiB")
    print(f"{'':34} {'tagmill s':>10} {'ClickHouse s':>13} {'ratio':>6}")
    group = "(SELECT b FROM bitmaps WHERE tag = 40)"
    ours_group = f"(SELECT b FROM '{path}' WHERE tag = 40)"
    # ClickHouse's functions give counts, so those that count are called here, too.
    union = (f"SELECT bitmap_or_cardinality_agg(b) AS n FROM '{path}'", "SELECT groupBitmapMerge(b) FROM bitmaps")
    shapes = {
        "or of all": union,
        "or of all, scans whole": (*union, "datafusion.optimizer.repartition_file_scans = false"),
        "and of the 20 largest": (
            f"SELECT bitmap_and_cardinality_agg(b) AS n FROM '{path}' WHERE tag < 20",
            "SELECT groupBitmapAnd(b) FROM bitmaps WHERE tag < 20",
        ),
        "portrait of a group against all": (
            f"SELECT sum(bitmap_and_cardinality(b, {ours_group})) AS n FROM '{path}'",
            f"SELECT sum(bitmapAndCardinality(b, {group})) FROM bitmaps",
        ),
    }
    for name, (ours, theirs, *setting) in shapes.items():
        (seconds, answer), other = of_tagmill(published, ours, *setting), clickhouse.query(theirs, "CSV").data().strip()
        assert answer == other, f"{name}: {answer} and {other}"
        their_seconds = fastest(lambda: clickhouse.query(theirs, "CSV"))
        print(f"{name:34} {seconds:>10.3f} {their_seconds:>13.3f} {their_seconds / seconds:>6.2f}", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--tagmill", type=Path, required=True)
    arguments.add_argument("--work", type=Path, required=True)
    arguments.add_argument("--rows", type=int, default=50_000_000, help="rows of the build aggregate; 0 leaves it out")
    arguments.add_argument("--members", type=int, default=70_000_000, help="members of the 7,000 bitmaps")
    given = arguments.parse_args()
    shutil.rmtree(given.work, ignore_errors=True)
    given.work.mkdir(parents=True)
    clickhouse = chdb_session.Session(str(given.work.resolve() / "clickhouse"))
    if given.rows:
        build_aggregates(clickhouse, given.rows)
    fixture = HERE.parent / "testdata/nycflights13"
    over_bitmaps(clickhouse, Published.publish(given.tagmill.resolve(), fixture, given.work.resolve(), nights=1), given.members)


if __name__ == "__main__":
    main()
