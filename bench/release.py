"""A published release, read without any of tagmill's code: the manifest, its files, and bitmap cells.

A bitmap cell is portable 64-bit Roaring: u64 bucket count, then per bucket u32 high word and a 32-bit bitmap. A
cell belongs to one shard, so it holds one bucket, whose high word is the shard.
"""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyroaring import BitMap

VALUE_COLUMNS = ["value_string", "value_integer", "value_double", "value_date", "value_boolean"]


def current_manifest(warehouse: Path) -> dict:
    """The manifest with the highest number."""
    return json.loads(max((warehouse / "releases").glob("*.json")).read_text())


def folders_of(warehouse: Path, manifest: dict) -> list[dict]:
    """Every folder of files of a release: parts are (shard, rows, bytes, checksum, cardinality)."""
    folders = list(manifest["files"])
    for listed in manifest["lists"]:
        folders += json.loads((warehouse / "lists" / f"{listed['list']}.json").read_text())["files"]
    return folders


def files_of(warehouse: Path, manifest: dict, artifact: str, day: str | None = None) -> list[Path]:
    """Paths of one artifact in a release, of one day if given, by date and shard."""
    chosen = [f for f in folders_of(warehouse, manifest) if f["artifact"] == artifact and day in (None, f["date"])]
    parts = sorted((f["date"], -1 if part[0] is None else part[0], f"{f['run']}-{f['attempt']}")
                   for f in chosen for part in f["parts"])
    name = lambda shard: "all.parquet" if shard < 0 else f"{shard:05}.parquet"
    return [warehouse / artifact / date / run / name(shard) for date, shard, run in parts]


def read_rows(path: Path, columns: list[str]) -> dict[str, list]:
    """Columns of a file as Python lists."""
    table = pq.read_table(path, columns=columns, partitioning=None)
    return {name: table.column(name).to_pylist() for name in columns}


def ordinals(cell: bytes, shard: int) -> np.ndarray:
    """Ascending ordinals of a bitmap cell of `shard`."""
    if int.from_bytes(cell[:8], "little") != 1:
        raise ValueError(f"a bitmap cell of shard {shard} has {int.from_bytes(cell[:8], 'little')} buckets, expected 1")
    if int.from_bytes(cell[8:12], "little") != shard:
        raise ValueError(f"a bitmap cell of shard {shard} has high word {int.from_bytes(cell[8:12], 'little')}")
    return np.frombuffer(BitMap.deserialize(cell[12:]).to_array(), dtype=np.uint32)


def value_text(row: dict[str, list], index: int) -> str:
    """The one typed value of a row as text, as ClickHouse's toString writes it."""
    for name in VALUE_COLUMNS:
        value = row[name][index]
        if value is not None:
            return str(value).lower() if isinstance(value, bool) else str(value).removesuffix(".0")
    raise ValueError(f"row {index} has no value")


def write_table(path: Path, columns: dict[str, list], types: dict[str, pa.DataType]) -> None:
    arrays = {name: pa.array(columns[name], type=types.get(name, pa.string())) for name in columns}
    pq.write_table(pa.table(arrays), path)
