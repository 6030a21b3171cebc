"""The same values from five writers are the same tags, and those that Python's decimal arithmetic says.

Each writer makes a file of the types that it makes of integers with and without nulls, decimals, doubles, floats, text, bytes and
booleans; one night a writer reads it. The oracle knows no tagmill code: `decimal` and `repr` only.
"""

import json
import shutil
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
from published import Published

USERS = [f"u{n}" for n in range(8)]
ZIPS = [94107, 10001, 2, 1, 0, 9007199254740991, 7, None]
COINS = [Decimal(text) for text in ["2805", "0.1", "3.50", "-0.000000000000000001", "1", "9999.990000000000000001", "0", "12.5"]]
SCORES = [0.1, -0.0, 3.0, 915156.9222427051, float("nan"), 1e20, 5e-324, None]
FLAGS = [1, 0, None, 1, 0, None, 1, 0]
CITIES = ["北京", "NULL", "", "Oslo", "unknown", "a b", "94107", None]
NULLS = ["", "NULL", "unknown"]
COLUMNS = {"zip": ZIPS, "coin": COINS, "score": SCORES, "flag": FLAGS, "city": CITIES}
TYPES = {"zip": "string", "whole": "integer", "coin": "string", "amount": "double", "score": "string", "rate": "double", "flag": "boolean", "city": "string"}
VALUES = {"zip": "zip", "whole": "zip", "coin": "coin", "amount": "coin", "score": "score", "rate": "score", "flag": "flag", "city": "city"}


def arrow(**types: pa.DataType) -> pa.Table:
    chosen = {"zip": pa.int64(), "coin": pa.decimal128(38, 18), "score": pa.float64(), "flag": pa.bool_(), "city": pa.string()} | types
    columns = {name: pa.array(COLUMNS[name], kind) for name, kind in chosen.items() if name != "flag"}
    return pa.table({"user": USERS, **columns, "flag": pa.array(FLAGS).cast(chosen["flag"])})


def by_pyarrow(path: Path) -> None:
    bytes_of_text = [None if city is None else city.encode() for city in CITIES]
    table = arrow()
    pq.write_table(table.set_column(table.column_names.index("city"), "city", pa.array(bytes_of_text, pa.binary())), path)


def by_pandas(path: Path) -> None:
    frame = arrow(zip=pa.float64(), flag=pa.float64()).to_pandas()
    frame.to_parquet(path, engine="pyarrow")


def by_fastparquet(path: Path) -> None:
    # It has no decimals of its own: coins are text.
    frame = pandas.DataFrame({"user": USERS, **COLUMNS})
    frame["coin"] = [str(coin.normalize()) if coin == coin.to_integral() else format(coin.normalize(), "f") for coin in COINS]
    frame["zip"] = frame["zip"].astype("float64")
    frame["flag"] = pandas.Series(FLAGS, dtype="float64")
    frame.to_parquet(path, engine="fastparquet", object_encoding="utf8")


def by_duckdb(path: Path) -> None:
    connection = duckdb.connect()
    connection.register("given", arrow())
    query = "SELECT * REPLACE (CAST(zip AS HUGEINT) AS zip, CAST(flag AS INTEGER) AS flag) FROM given"
    connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


def by_polars(path: Path) -> None:
    polars.from_arrow(arrow(zip=pa.decimal128(38, 2), flag=pa.int8())).write_parquet(path)


WRITERS = {"pyarrow": by_pyarrow, "pandas": by_pandas, "fastparquet": by_fastparquet, "duckdb": by_duckdb, "polars": by_polars}


def number(value: Decimal) -> str:
    """Digits without zeros at the end; zero has no sign."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def expected(name: str, value: object) -> str | float | bool | None:
    kind = TYPES[name]
    if value is None or value != value or value in NULLS:
        return None
    if kind == "boolean":
        return bool(value)
    if kind == "double":
        return float(value) + 0.0
    if kind == "integer":
        return int(value)
    if isinstance(value, float):
        exact = Decimal(repr(value))
        return number(exact) if exact == 0 or abs(exact) > Decimal("1e-70") else repr(value)
    return number(Decimal(value)) if isinstance(value, (int, Decimal)) else value


def configuration() -> str:
    tags = "".join(
        f"[[tag]]\nname = '{name}'\nsource = 'p'\ntype = '{kind}'\nvalue = '{VALUES[name]}'\n" for name, kind in TYPES.items()
    )
    return (
        "version = 1\n[warehouse]\nurl = 'warehouse'\nshards = 2\ntime_zone = 'UTC'\nid_scope = 'global'\n[run]\nspill = 'spill'\n"
        "[[source]]\nname = 'p'\nkind = 'attributes'\npath = 'raw/dt={date}/*.parquet'\n"
        f"columns = {{ app = \"'shop'\", user = 'user' }}\nnulls = {json.dumps(NULLS)}\n{tags}"
    )


def tags_of(published: Published, folder: Path) -> dict:
    """(tag, value) -> users, of one night over what is in the folder."""
    (folder / "warehouse.toml").write_text(configuration())
    night = Published(published.tagmill, folder, [], [])
    night.run("init")
    night.run("run", "--date", "2026-11-19")
    query = "SELECT tag, value_string, value_integer, value_double, value_boolean, cardinality FROM tags"
    rows = [json.loads(line) for line in night.run("sql", "--format", "nd-json", "-c", query).splitlines() if line]
    found: dict = {}
    for row in rows:
        value = next(row[f"value_{kind}"] for kind in ("string", "integer", "double", "boolean") if row.get(f"value_{kind}") is not None)
        key = (row["tag"], value)
        found[key] = found.get(key, 0) + row["cardinality"]
    return found


def test_five_writers_say_the_same(published: Published) -> None:
    oracle: dict = {}
    for name in TYPES:
        for value in COLUMNS[VALUES[name]]:
            key = (name, expected(name, value))
            if key[1] is not None:
                oracle[key] = oracle.get(key, 0) + 1
    for writer, write in WRITERS.items():
        folder = published.folder.parent / f"values-{writer}"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "raw/dt=2026-11-19").mkdir(parents=True)
        write(folder / "raw/dt=2026-11-19/part.parquet")
        found = tags_of(published, folder)
        differs = {key: (oracle.get(key), found.get(key)) for key in oracle.keys() | found.keys() if oracle.get(key) != found.get(key)}
        assert not differs, f"{writer}: {differs}"
