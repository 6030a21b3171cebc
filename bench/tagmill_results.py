"""Turns a release of tagmill into the tables that clickhouse.sql writes under "results", from its artifacts alone.

Reads users, universe, tags, tag_numbers, behaviour and behaviour_measures of one day through the manifest; writes
Parquet tables users, universe, tags, numbers, events, dimensions, and tuples, combinations, measures (without events
that have overflow combinations, named in overflow.parquet).
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import behaviour
import release

DIMENSIONS = ["city", "os", "channel"]
BEYOND = "(values beyond the limit)"
COUNTS = {"users": pa.int64(), "events": pa.int64(), "amount": pa.int64(), "events_squared": pa.int64(),
          "events_max": pa.int64(), "amount_max": pa.int64()}
SUMS = {"combination": pa.int64(), "users": pa.int64(), "total": pa.int64()}


class Codes:
    """Value text <-> positive code, one numbering per dimension; 0 is no value."""

    def __init__(self) -> None:
        self.by_text: dict[str, int] = {}
        self.texts: list[str | None] = [None]

    def of(self, text: str | None) -> int:
        """A row without a value stands for the values beyond the limit."""
        text = BEYOND if text is None else text
        code = self.by_text.setdefault(text, len(self.texts))
        if code == len(self.texts):
            self.texts.append(text)
        return code


class Totals:
    """What adds up over shards, per (app, event)."""

    def __init__(self) -> None:
        self.codes = {name: Codes() for name in DIMENSIONS}
        self.events: dict[tuple, list[int]] = defaultdict(lambda: [0] * len(COUNTS))
        self.dimensions: dict[tuple, int] = defaultdict(int)
        self.tuples: dict[tuple, list[np.ndarray]] = defaultdict(list)
        self.overflow: set[tuple] = set()
        self.combinations: dict[tuple, int] = defaultdict(int)
        self.measures: dict[tuple, int] = defaultdict(int)

    def add(self, key: tuple, shard: behaviour.EventShard) -> None:
        entries = shard.entries()
        counts, amounts = shard.values("*", entries), shard.values("amount", entries)
        self.add_event(key, shard, entries, counts, amounts)
        for name in DIMENSIONS:
            self.add_dimension(key, name, shard, entries)
        if shard.overflow:
            self.overflow.add(key)
            return
        columns = [shard.codes(name, entries) for name in DIMENSIONS] + [np.ones(len(entries), np.int64), counts, amounts]
        self.tuples[key].append(summed(np.stack(columns)))

    def add_event(self, key, shard, entries, counts, amounts) -> None:
        by_user, amount_by_user = behaviour.per_user(entries, counts), behaviour.per_user(entries, amounts)
        if np.count_nonzero(by_user) != shard.users:
            raise ValueError(f"{key}: {np.count_nonzero(by_user)} users with a count, {shard.users} in the event's set")
        total = self.events[key]
        for index, value in enumerate([shard.users, by_user.sum(), amount_by_user.sum(), (by_user * by_user).sum()]):
            total[index] += int(value)
        total[4], total[5] = max(total[4], int(by_user.max())), max(total[5], int(amount_by_user.max()))

    def add_dimension(self, key, name, shard, entries) -> None:
        """Users by value, whatever the combination; null where an entry has no value of this dimension."""
        at, codes = shard.values_of(name, entries)
        without = np.ones(len(entries), dtype=bool)
        without[at] = False
        users = np.concatenate([entries[at], entries[without]]) & np.uint64(0xFFFFFFFF)
        codes = np.concatenate([codes, np.zeros(np.count_nonzero(without), np.int64)])
        pairs = np.unique(users | (codes.astype(np.uint64) << behaviour.SHIFT))
        for code, count in enumerate(np.bincount((pairs >> behaviour.SHIFT).astype(np.int64))):
            if count:
                self.dimensions[(*key, name, self.codes[name].texts[code])] += int(count)


def summed(columns: np.ndarray) -> np.ndarray:
    """Rows (3 codes, users, events, amount) with equal codes added up; columns run along axis 1."""
    order = np.lexsort(columns[:3])
    columns = columns[:, order]
    starts = np.flatnonzero(np.r_[True, (np.diff(columns[:3], axis=1) != 0).any(axis=0)])
    return np.concatenate([columns[:3, starts], np.add.reduceat(columns[3:], starts, axis=1)])


def event_shards(paths: tuple[Path, Path], totals: Totals) -> dict[tuple, behaviour.EventShard]:
    """All (app, event) of one shard from its behaviour and its behaviour_measures file."""
    found: dict[tuple, behaviour.EventShard] = defaultdict(behaviour.EventShard)
    names = ["app", "event", "dimension", "value", "combination", "overflow", "shard", "bitmap"]
    for app, event, dimension, value, combination, overflow, shard, cell in zip(*release.read_rows(paths[0], names).values()):
        one, members = found[(app, event)], release.ordinals(cell, shard)
        one.overflow |= overflow
        totals.combinations[(app, event, dimension or "", value or "", combination or 0)] += len(members)
        if dimension is None:
            one.users = len(members)
        else:
            one.add_value(dimension, totals.codes[dimension].of(value), combination, members)
    names = ["app", "event", "measure", "combination", "offset", "slice", "overflow", "shard", "bitmap"]
    for app, event, measure, combination, offset, index, overflow, shard, cell in zip(*release.read_rows(paths[1], names).values()):
        found[(app, event)].overflow |= overflow
        members = release.ordinals(cell, shard)
        totals.measures[(app, event, measure, combination)] += len(members) * behaviour.weight_of(index, offset)
        found[(app, event)].add_slice(measure, index, offset, combination, members)
    return found


def write_universe(paths: list[Path], out: Path) -> None:
    users: dict[str, int] = defaultdict(int)
    for path in paths:
        for app, shard, cell in zip(*release.read_rows(path, ["app", "shard", "bitmap"]).values()):
            users[app] += len(release.ordinals(cell, shard))
    release.write_table(out, {"app": list(users), "users": list(users.values())}, COUNTS)


def write_numbers(paths: list[Path], out: Path) -> None:
    """Per tag who has a number, and the sum of the scaled numbers."""
    users: dict[tuple, int] = defaultdict(int)
    total: dict[tuple, int] = defaultdict(int)
    for path in paths:
        for app, tag, offset, index, shard, cell in zip(*release.read_rows(path, ["app", "tag", "offset", "slice", "shard", "bitmap"]).values()):
            members = len(release.ordinals(cell, shard))
            users[(app, tag)] += members if index < 0 else 0
            total[(app, tag)] += members * behaviour.weight_of(index, offset)
    app, tag = zip(*users) if users else ((), ())
    release.write_table(out, {"app": app, "tag": tag, "users": list(users.values()), "total": list(total.values())}, SUMS)


def write_tags(paths: list[Path], out: Path) -> None:
    users: dict[tuple, int] = defaultdict(int)
    for path in paths:
        row = release.read_rows(path, ["app", "tag", "shard", "bitmap", "cardinality", *release.VALUE_COLUMNS])
        for i, cell in enumerate(row["bitmap"]):
            count = len(release.ordinals(cell, row["shard"][i]))
            if count != row["cardinality"][i]:
                raise ValueError(f"{path}: row {i} has {count} users, its cardinality says {row['cardinality'][i]}")
            users[(row["app"][i], row["tag"][i], release.value_text(row, i))] += count
    app, tag, value = zip(*users) if users else ((), (), ())
    release.write_table(out, {"app": app, "tag": tag, "value": value, "users": list(users.values())}, COUNTS)


def write_behaviour(totals: Totals, out: Path) -> None:
    keys = list(totals.events)
    columns = dict(zip(COUNTS, zip(*totals.events.values())))
    release.write_table(out / "events.parquet", {"app": [k[0] for k in keys], "event": [k[1] for k in keys], **columns}, COUNTS)
    app, event, dimension, value = zip(*totals.dimensions)
    release.write_table(out / "dimensions.parquet", {"app": app, "event": event, "dimension": dimension, "value": value,
                                                     "users": list(totals.dimensions.values())}, COUNTS)
    names = ["app", "event", *DIMENSIONS, "users", "events", "amount"]
    tables = [tuple_table(key, summed(np.concatenate(parts, axis=1)), totals.codes) for key, parts in totals.tuples.items()]
    empty = {name: pa.array([], COUNTS.get(name, pa.string())) for name in names}
    pq.write_table(pa.concat_tables([pa.table(empty), *tables]), out / "tuples.parquet")
    for name, keys, found in [("combinations", ["app", "event", "dimension", "value", "combination"], totals.combinations),
                              ("measures", ["app", "event", "measure", "combination"], totals.measures)]:
        exact = {key: value for key, value in found.items() if key[:2] not in totals.overflow}
        columns = dict(zip(keys, zip(*exact))) if exact else dict.fromkeys(keys, ())
        value = "users" if name == "combinations" else "total"
        release.write_table(out / f"{name}.parquet", {**columns, value: list(exact.values())}, SUMS)
    overflow = sorted(totals.overflow)
    release.write_table(out / "overflow.parquet", {"app": [k[0] for k in overflow], "event": [k[1] for k in overflow]}, {})


def tuple_table(key: tuple, columns: np.ndarray, codes: dict[str, Codes]) -> pa.Table:
    texts = {name: pa.array(codes[name].texts, pa.string()).take(pa.array(columns[i])) for i, name in enumerate(DIMENSIONS)}
    fixed = {"app": pa.array([key[0]] * columns.shape[1]), "event": pa.array([key[1]] * columns.shape[1])}
    return pa.table({**fixed, **texts, "users": columns[3], "events": columns[4], "amount": columns[5]})


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--warehouse", type=Path, required=True)
    arguments.add_argument("--day", required=True)
    arguments.add_argument("--results", type=Path, required=True)
    given = arguments.parse_args()
    given.results.mkdir(parents=True, exist_ok=True)
    manifest = release.current_manifest(given.warehouse)
    users = [pq.read_table(p, columns=["user_id"], partitioning=None) for p in release.files_of(given.warehouse, manifest, "users")]
    pq.write_table(pa.concat_tables(users), given.results / "users.parquet")
    for name, write, table in [("universe", write_universe, "universe"), ("tags", write_tags, "tags"), ("tag_numbers", write_numbers, "numbers")]:
        write(release.files_of(given.warehouse, manifest, name), given.results / f"{table}.parquet")
    totals = Totals()
    pairs = [release.files_of(given.warehouse, manifest, name, given.day) for name in ["behaviour", "behaviour_measures"]]
    by_shard = [{p.name: p for p in paths} for paths in pairs]
    for name in sorted(by_shard[0]):
        for key, shard in event_shards((by_shard[0][name], by_shard[1][name]), totals).items():
            totals.add(key, shard)
    write_behaviour(totals, given.results)


if __name__ == "__main__":
    main()
