"""Releases of the real data set, published by tagmill into a scratch folder, and how other engines open it.

Other engines get nothing but what `tagmill files --format ...` prints.
"""

import json
import re
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
    """A warehouse with a release a day, the fixture's first days in order."""

    tagmill: Path
    folder: Path
    days: list[str]
    manifests: list[dict]

    @classmethod
    def publish(cls, tagmill: Path, fixture: Path, work: Path, nights: int = 3) -> "Published":
        """Copies the fixture to `work`, points its warehouse there, and runs its first days."""
        folder = work / fixture.name
        shutil.copytree(fixture, folder)
        config = folder / "warehouse.toml"
        text = re.sub(r'(?m)^url .*$', 'url = "warehouse"', config.read_text())
        config.write_text(re.sub(r'(?m)^spill .*$', 'spill = "spill"', text))
        published = cls(tagmill, folder, sorted({p.name.removeprefix("dt=") for p in folder.glob("raw/*/dt=*")})[:nights], [])
        published.run("init")
        for day in published.days:
            published.run("run", "--date", day)
            published.manifests.append(release.current_manifest(published.warehouse))
        return published

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse"

    @property
    def manifest(self) -> dict:
        """The current release's."""
        return self.manifests[-1]

    def run(self, *command: str) -> str:
        """Standard output of tagmill, started in the fixture's folder; its paths are relative to that."""
        done = subprocess.run([self.tagmill, "--quiet", *command], cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"tagmill {' '.join(command)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def statements(self, engine: str) -> str:
        """What `tagmill files` prints for an engine."""
        return self.run("files", "--format", engine)

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
