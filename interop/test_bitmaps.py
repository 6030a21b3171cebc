"""States of ClickHouse's groupBitmap and portable Roaring, both ways: what tagmill writes is loaded by a real ClickHouse and by
CRoaring and is the same set there; what ClickHouse writes is read by tagmill."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from published import Published
from pyroaring import BitMap, BitMap64

UNSIGNED = {"UInt8": 8, "UInt16": 16, "UInt32": 32, "UInt64": 64}
SIGNED = {"Int8": 8, "Int16": 16, "Int32": 32, "Int64": 64}

# By name, what ClickHouse keeps apart: no value, a few listed, the last listed size, Roaring of arrays, runs, a bitset, high words.
SETS = {
    "one": [7],
    "few": [0, 5, 127],
    "listed": list(range(3, 99, 3)),
    "first roaring": list(range(0, 99, 3)),
    "runs": list(range(10, 120)),
    "array": [n * 17 for n in range(1_900)],
    "bitset": [n * 5 for n in range(12_000)],
    "containers": [n * 1_009 for n in range(30_000)],
    "last of 32 bits": [n * 66_000 for n in range(65_000)] + [2**32 - 1],
    "high words": [h * 2**32 + n * 3 for h in (0, 1, 7, 2**31, 2**32 - 1) for n in range(500)],
    "negative": [n for n in range(-120, 120, 2)],
    "few negative": [-5, -1, 3],
}


def values_of(kind: str, name: str) -> list[int] | None:
    """A set's values, if the type has room for them."""
    least, most = (0, 2 ** UNSIGNED[kind] - 1) if kind in UNSIGNED else (-(2 ** (SIGNED[kind] - 1)), 2 ** (SIGNED[kind] - 1) - 1)
    values = SETS[name]
    return values if least <= min(values) and max(values) <= most else None


def word(kind: str, value: int) -> int:
    """The value as it is in a bitmap: negative ones are two's complement of the type's bits."""
    return value % 2 ** (UNSIGNED | SIGNED)[kind]


def sets_of(kind: str) -> dict[str, list[int]]:
    return {name: values for name in SETS if (values := values_of(kind, name)) is not None}


def write_ids(path: Path, sets: dict[str, list[int]], type_: pa.DataType) -> None:
    rows = [(name, value) for name, values in sets.items() for value in values]
    columns = {"name": pa.array([name for name, _ in rows], pa.string()), "id": pa.array([value for _, value in rows], type_)}
    pq.write_table(pa.table(columns), path)


def copied(published: Published, sql: str, name: str) -> Path:
    """The Parquet file that tagmill copies a query to."""
    path = published.folder.parent / f"{name}.parquet"
    path.unlink(missing_ok=True)
    published.run("sql", "-c", f"COPY ({sql}) TO '{path}' STORED AS PARQUET")
    return path


def built(published: Published, kind: str, result: str, name: str) -> Path:
    """A row a set of the type, with `result` of its bitmap `b`."""
    ids = published.folder.parent / f"ids-{kind}.parquet"
    words = {name: [word(kind, value) for value in values] for name, values in sets_of(kind).items()}
    write_ids(ids, words, pa.uint64())
    empty = "SELECT 'empty' AS name, bitmap_from_array([]) AS b"
    bitmaps = f"SELECT name, bitmap_build_agg(id) AS b FROM '{ids}' GROUP BY name UNION ALL {empty}"
    return copied(published, f"SELECT name, {result} AS state FROM ({bitmaps})", f"{name}-{kind}")


def expected(kind: str) -> dict[str, list[int]]:
    return {"empty": [], **{name: sorted(values) for name, values in sets_of(kind).items()}}


def test_clickhouse_loads_the_states_that_tagmill_writes(published: Published) -> None:
    for kind in [*UNSIGNED, *SIGNED]:
        path = built(published, kind, f"bitmap_to_clickhouse(b, '{kind}')", "states")
        columns = f"name String, state AggregateFunction(groupBitmap, {kind})"
        published.clickhouse.query(f"CREATE OR REPLACE TABLE states_{kind} ({columns}) ENGINE = MergeTree ORDER BY name")
        published.clickhouse.query(f"INSERT INTO states_{kind} SELECT name, CAST(state AS AggregateFunction(groupBitmap, {kind})) FROM file('{path}', Parquet)")
        rows = published.clickhouse.rows(f"SELECT name, bitmapToArray(state), bitmapCardinality(state) FROM states_{kind}")
        assert {name: sorted(values) for name, values, _ in rows} == expected(kind), kind
        assert all(len(values) == count for _, values, count in rows), kind


def test_clickhouse_answers_alike_on_loaded_states_and_its_own(published: Published) -> None:
    """Maximum, minimum, membership and merged counts, on states loaded from tagmill and on ClickHouse's own over the same ids."""
    for kind in UNSIGNED:
        path = built(published, kind, f"bitmap_to_clickhouse(b, '{kind}')", "states")
        ids = published.folder.parent / f"ids-{kind}.parquet"
        answers = "bitmapMax(s), bitmapMin(s), bitmapContains(s, 7), bitmapContains(s, 6), bitmapToArray(bitmapSubsetLimit(s, 3, 2))"
        loaded = f"SELECT name, CAST(state AS AggregateFunction(groupBitmap, {kind})) AS s FROM file('{path}', Parquet) WHERE name != 'empty'"
        own = f"SELECT name, groupBitmapState(to{kind}(assumeNotNull(id))) AS s FROM file('{ids}', Parquet) GROUP BY name"
        first, second = (published.clickhouse.rows(f"SELECT name, {answers} FROM ({states}) ORDER BY name") for states in (loaded, own))
        assert first and first == second, kind
        first, second = (published.clickhouse.rows(f"SELECT groupBitmapMerge(s), groupBitmapAnd(s) FROM ({states})") for states in (loaded, own))
        assert first == second, kind


def test_tagmill_reads_the_states_that_clickhouse_writes(published: Published) -> None:
    for kind in [*UNSIGNED, *SIGNED]:
        ids, states = (published.folder.parent / f"{name}-{kind}.parquet" for name in ("values", "their-states"))
        states.unlink(missing_ok=True)
        write_ids(ids, sets_of(kind), pa.uint64() if kind in UNSIGNED else pa.int64())
        own = f"SELECT name, groupBitmapState(to{kind}(assumeNotNull(id))) AS s FROM file('{ids}', Parquet) GROUP BY name"
        # Results of its functions are states too: of few values in Roaring, for one.
        derived = f"SELECT concat(name, '/shared'), bitmapAnd(s, (SELECT s FROM ({own}) WHERE name = 'few')) FROM ({own}) WHERE name != 'few'"
        rows = f"SELECT name, unhex(hex(s)) AS state FROM ({own} UNION ALL {derived})"
        published.clickhouse.query(f"INSERT INTO FUNCTION file('{states}', Parquet) SETTINGS output_format_parquet_string_as_string = 0 {rows}")
        ids = f"bitmap_to_array(bitmap_from_clickhouse(state, '{kind}')) AS ids"
        read = pq.read_table(copied(published, f"SELECT CAST(name AS VARCHAR) AS name, {ids} FROM '{states}'", f"read-{kind}"))
        found = dict(zip(read["name"].to_pylist(), read["ids"].to_pylist()))
        words = {name: sorted(word(kind, value) for value in values) for name, values in sets_of(kind).items()}
        shared = {f"{name}/shared": sorted(set(values) & set(words["few"])) for name, values in words.items() if name != "few"}
        assert found == {**words, **shared}, kind


def test_croaring_reads_what_tagmill_writes_for_postgresql(published: Published) -> None:
    for kind, function, reader in [("UInt32", "bitmap_to_pg", BitMap), ("UInt64", "bitmap_to_pg64", BitMap64)]:
        read = pq.read_table(built(published, kind, f"{function}(b)", "portable"))
        found = {name: list(reader.deserialize(state)) for name, state in zip(read["name"].to_pylist(), read["state"].to_pylist())}
        assert found == expected(kind), kind
