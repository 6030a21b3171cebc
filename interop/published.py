"""A release of the real data set, published by tagmill into a scratch folder, and how other engines open it.

The engines get nothing but what `tagmill files --format ...` prints.
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import release
from chdb import session as chdb_session

@dataclass
class Published:
    """A warehouse with one release."""

    tagmill: Path
    folder: Path
    config: Path
    warehouse: Path
    day: str
    manifest: dict

    @classmethod
    def publish(cls, tagmill: Path, fixture: Path, work: Path) -> "Published":
        """Copies the fixture to `work`, so that its relative paths stay inside, and runs its newest day."""
        folder = work / "nycflights13"
        shutil.copytree(fixture, folder)
        config = folder / "warehouse.toml"
        day = max(p.name.removeprefix("dt=") for p in folder.glob("raw/*/dt=*"))
        for command in [["init"], ["run", "--date", day]]:
            subprocess.run([tagmill, "--config", config, "--quiet", *command], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        warehouse = folder / "warehouse"
        return cls(tagmill, folder, config, warehouse, day, release.current_manifest(warehouse))

    def statements(self, engine: str) -> str:
        """What `tagmill files` prints for an engine."""
        command = [self.tagmill, "--config", self.config, "--quiet", "files", "--format", engine]
        return subprocess.run(command, cwd=self.folder, check=True, capture_output=True, text=True).stdout

    @cached_property
    def duckdb(self) -> duckdb.DuckDBPyConnection:
        """DuckDB with a view per artifact."""
        connection = duckdb.connect()
        connection.execute(self.statements("duckdb"))
        return connection

    @cached_property
    def clickhouse(self) -> "ClickHouse":
        """ClickHouse with a view per artifact; a process has one."""
        opened = ClickHouse(self.folder.parent / "clickhouse")
        for statement in filter(str.strip, self.statements("clickhouse").split(";\n")):
            opened.query(statement)
        return opened


class ClickHouse:
    """A chdb session whose answers are tuples."""

    def __init__(self, folder: Path) -> None:
        self.session = chdb_session.Session(str(folder))

    def query(self, sql: str) -> None:
        self.session.query(sql)

    def rows(self, sql: str) -> list[tuple]:
        answer = self.session.query(f"{sql} SETTINGS output_format_json_quote_64bit_integers = 0", "JSONCompactEachRow").bytes().decode()
        return [tuple(json.loads(line)) for line in answer.splitlines()]
