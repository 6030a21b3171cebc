"""The bitmap functions in the Python package datafusion, against Python's sets and pyroaring; exit status 1 if a test fails.

Takes the built library and a folder in which it makes the package that maturin would make.
"""

import argparse
import shutil
import sys
import traceback
from pathlib import Path

import pyarrow as pa
from datafusion import SessionContext
from pyroaring import BitMap64

HERE = Path(__file__).resolve().parent

USERS = 40_000
GROUPS = 7
ROWS = [(user % GROUPS, user * user % 65_521 + (user % 3) * 2**32) for user in range(USERS)]


def package(library: Path, work: Path) -> None:
    """The package's files as they would be installed, importable from here on."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(HERE / "python/tagmill_udfs", work / "tagmill_udfs")
    shutil.copy(library, work / "tagmill_udfs/_native.abi3.so")
    sys.path.insert(0, str(work))


def session() -> SessionContext:
    """A session with the functions and the table visits(team, id), two batches."""
    import tagmill_udfs

    ctx = SessionContext()
    tagmill_udfs.register_all(ctx)
    batch = pa.RecordBatch.from_pydict({"team": pa.array([team for team, _ in ROWS], pa.int32()), "id": pa.array([id_ for _, id_ in ROWS], pa.uint64())})
    ctx.register_record_batches("visits", [[batch.slice(0, USERS // 2)], [batch.slice(USERS // 2)]])
    return ctx


def rows(ctx: SessionContext, sql: str) -> list[tuple]:
    columns = [batch.to_pydict() for batch in ctx.sql(sql).collect()]
    return [row for batch in columns for row in zip(*batch.values(), strict=True)]


def row(ctx: SessionContext, sql: str) -> tuple:
    (only,) = rows(ctx, sql)
    return only


def ids(team: int) -> set[int]:
    return {id_ for of, id_ in ROWS if of == team}


def test_aggregates_build_the_sets_of_each_group(ctx: SessionContext) -> None:
    found = rows(ctx, "SELECT team, bitmap_cardinality(bitmap_build_agg(id)), bitmap_build_agg(id) FROM visits GROUP BY team ORDER BY team")
    assert [(team, count) for team, count, _ in found] == [(team, len(ids(team))) for team in range(GROUPS)], found
    for team, _, bitmap in found:
        assert set(BitMap64.deserialize(bitmap)) == ids(team), team


def test_aggregates_fold_bitmaps(ctx: SessionContext) -> None:
    teams = "(SELECT team, bitmap_build_agg(id) AS b FROM visits GROUP BY team)"
    found = row(ctx, f"SELECT bitmap_to_array(bitmap_or_agg(b)), bitmap_to_array(bitmap_and_agg(b)) FROM {teams} WHERE team < 2")
    assert [set(found[0]), set(found[1] or [])] == [ids(0) | ids(1), ids(0) & ids(1)]


def test_set_operations_are_those_of_sets(ctx: SessionContext) -> None:
    a, b = ids(1), ids(2)
    for name, expected in {"bitmap_and": a & b, "bitmap_or": a | b, "bitmap_xor": a ^ b, "bitmap_and_not": a - b}.items():
        sides = ", ".join(f"bitmap_build_agg(id) FILTER (WHERE team = {team}) AS t{team}" for team in (1, 2))
        values, count = row(ctx, f"SELECT bitmap_to_array({name}(t1, t2)), {name}_cardinality(t1, t2) FROM (SELECT {sides} FROM visits)")
        assert (values, count) == (sorted(expected), len(expected)), name


def test_names_of_other_systems_are_known(ctx: SessionContext) -> None:
    sides = "SELECT groupBitmapState(id) FILTER (WHERE team = 1) AS a, groupBitmapState(id) FILTER (WHERE team = 2) AS b FROM visits"
    found = row(ctx, f"SELECT bitmapCardinality(a), rb_cardinality(b), bitmapAndnotCardinality(a, b) FROM ({sides})")
    assert found == (len(ids(1)), len(ids(2)), len(ids(1) - ids(2))), found
    assert row(ctx, "SELECT groupBitmap(id) FROM visits") == (len({id_ for _, id_ in ROWS}),)


def test_names_follow_the_rules_of_their_system(ctx: SessionContext) -> None:
    assert row(ctx, "SELECT bitmapMin(bitmap_empty()), rb_min(bitmap_empty())") == (2**64 - 1, None)


def test_null_is_null_for_scalars_and_skipped_by_aggregates(ctx: SessionContext) -> None:
    assert row(ctx, "SELECT bitmap_cardinality(NULL), bitmap_or(bitmap_empty(), NULL)") == (None, None)
    some = "(VALUES ('a', 1), ('a', NULL), ('b', NULL)) AS t(k, v)"
    assert rows(ctx, f"SELECT k, bitmap_to_array(bitmap_build_agg(v)) FROM {some} GROUP BY k ORDER BY k") == [("a", [1]), ("b", None)]


def test_constant_arguments_stay_constants(ctx: SessionContext) -> None:
    found = row(ctx, "SELECT bitmap_from_clickhouse(bitmap_to_clickhouse(bitmap_build_agg(id), 'UInt64'), 'UInt64') FROM visits")
    assert set(BitMap64.deserialize(found[0])) == {id_ for _, id_ in ROWS}


def test_defects_are_errors_that_name_the_function(ctx: SessionContext) -> None:
    try:
        rows(ctx, "SELECT bitmap_to_array(decode('deadbeef', 'hex'))")
    except Exception as error:
        assert "bitmap_to_array" in str(error), error
    else:
        raise AssertionError("no error")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--library", type=Path, required=True)
    arguments.add_argument("--work", type=Path, required=True)
    given = arguments.parse_args()
    package(given.library.resolve(), given.work.resolve())
    ctx, failed = session(), 0
    for name, function in [item for item in globals().items() if item[0].startswith("test_")]:
        try:
            function(ctx)
            print(f"ok      python::{name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  python::{name}\n{traceback.format_exc()}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
