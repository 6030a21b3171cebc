"""What `tagmill files` prints, given to readers of Python as it is: every artifact has the columns of its files and the manifest's rows.

Folders such as date=2026-11-19 would be columns to them, of another type than the files' own.
"""

import json
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow.dataset
import pyarrow.parquet as pq
from published import Published

READERS = {
    "pandas": lambda files: pandas.read_parquet(files),
    "pyarrow": lambda files: pq.read_table(files).to_pandas(),
    "pyarrow.dataset": lambda files: pyarrow.dataset.dataset(files).to_table().to_pandas(),
    "polars": lambda files: polars.read_parquet(files),
    "duckdb": lambda files: duckdb.read_parquet(files).pl(),
}


def test_lists_of_files_are_read_as_they_are_by_every_reader(published: Published) -> None:
    listed = json.loads(published.run("--output", "json", "files"))["files"]
    by_artifact: dict[str, list[dict]] = {}
    for file in listed:
        by_artifact.setdefault(file["artifact"], []).append(file)
    assert {"behaviour", "groups", "rejects", "quality", "runs"} <= set(by_artifact)
    for artifact, files in by_artifact.items():
        paths = [file["path"] for file in files]
        expected = (sum(file["rows"] for file in files), pq.read_schema(paths[0]).names)
        for reader, read in READERS.items():
            frame = read(paths)
            assert (len(frame), list(frame.columns)) == expected, f"{artifact} by {reader}"


def test_a_folder_is_no_column_to_clickhouse(published: Published) -> None:
    paths = [Path(path) for path in published.run("files", "--artifact", "runs").split()]
    columns = published.clickhouse.rows(f"DESCRIBE file('{paths[0]}', Parquet)")
    assert [column[0] for column in columns] == pq.read_schema(paths[0]).names
