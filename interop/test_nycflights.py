"""What tagmill publishes of the real data set has the members, counts and sums that DuckDB finds in the raw Parquet."""

from collections import defaultdict

import duckdb
from members import numbers, rows_of, sets_of, tag_sets, user_ids
from published import Published

TAGS = ["year", "kind", "manufacturer", "model", "engines", "seats", "speed", "engine"]
NUMBERS = ["year", "engines", "seats", "speed"]
DIMENSIONS = ["carrier", "dest", "origin"]

# Each rule of conf/groups.ndjson, written for DuckDB by hand. A missing value makes no condition true, and NOT is the complement.
GROUPS = {
    "big_boeing": "manufacturer = 'BOEING' AND seats >= 200",
    "airbus_any": "starts_with(manufacturer, 'AIRBUS')",
    "of_the_nineties": "year >= 1990 AND year < 2000",
    "age_unknown": "year IS NULL",
    "small_or_slow": "coalesce(seats < 20, false) OR coalesce(speed <= 150, false)",
    "delta_to_atlanta": "operator = 'Delta Air Lines Inc.' AND list_contains(destinations, 'ATL')",
    "also_elsewhere": "list_contains(destinations, 'ATL') AND len(destinations) > 1",
    "idle": "operator IS NULL",
    "idle_jets": "operator IS NULL AND engine IN ('Turbo-fan', 'Turbo-jet') AND NOT coalesce(starts_with(manufacturer, 'AIRBUS'), false)",
    "unregistered": "kind IS NULL",
    "watched": "tailnum IN (SELECT id FROM watched) AND engines = 2",
}


def raw(published: Published, day: str) -> duckdb.DuckDBPyConnection:
    """Views over the raw Parquet of a day: planes, labels, flights (of known aircraft), aircraft (one row each)."""
    connection = duckdb.connect()
    for source in ["planes", "labels", "flights"]:
        files = f"read_parquet('{published.folder}/raw/{source}/dt={day}/*.parquet', hive_partitioning = false)"
        connection.execute(f"CREATE VIEW {source} AS SELECT * FROM {files} WHERE tailnum IS NOT NULL")
    lists = f"read_csv('{published.folder}/conf/lists/nyc/watched.csv', header = false, columns = {{'id': 'VARCHAR'}})"
    connection.execute(f"CREATE VIEW watched AS SELECT id FROM {lists}")
    connection.execute("""
        CREATE VIEW aircraft AS SELECT * FROM (SELECT tailnum FROM planes UNION SELECT tailnum FROM labels UNION SELECT tailnum FROM flights)
        LEFT JOIN planes USING (tailnum)
        LEFT JOIN (SELECT tailnum, any_value(value) FILTER (WHERE tag = 'operator') AS operator,
                          list(DISTINCT value) FILTER (WHERE tag = 'destinations') AS destinations FROM labels GROUP BY tailnum) USING (tailnum)""")
    return connection


def grouped(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[tuple, set[str]]:
    """Rows (key ..., user) as key -> users."""
    found: dict[tuple, set[str]] = defaultdict(set)
    for *key, user in connection.execute(sql).fetchall():
        found[tuple(key)].add(user)
    return dict(found)


def assert_same(ours: dict, theirs: dict) -> None:
    """Equal keys and equal content; says which key differs."""
    assert theirs, "DuckDB found nothing to compare with"
    assert ours.keys() == theirs.keys(), f"only tagmill: {sorted(map(str, ours.keys() - theirs.keys()))[:3]}, only DuckDB: {sorted(map(str, theirs.keys() - ours.keys()))[:3]}"
    different = [key for key in theirs if ours[key] != theirs[key]]
    assert not different, f"{len(different)} of {len(theirs)} keys differ, such as {different[0]}: {str(ours[different[0]])[:200]} and {str(theirs[different[0]])[:200]}"


def test_the_dictionary_holds_every_aircraft_once(published: Published) -> None:
    seen: set[str] = set()
    for day, manifest in zip(published.days, published.manifests):
        seen |= {tail for tail, in raw(published, day).execute("SELECT tailnum FROM aircraft").fetchall()}
        ours = sorted(user_ids(published, manifest).values())
        assert ours == sorted(seen)


def test_an_aircraft_keeps_its_number_for_ever(published: Published) -> None:
    for older, newer in zip(published.manifests, published.manifests[1:]):
        assert user_ids(published, older).items() <= user_ids(published, newer).items()


def test_members_of_every_tag_value(published: Published) -> None:
    for day, manifest in zip(published.days, published.manifests):
        connection = raw(published, day)
        theirs = {}
        for tag in TAGS:
            theirs |= {(tag, value): users for (value,), users in grouped(connection, f"SELECT {tag}, tailnum FROM planes WHERE {tag} IS NOT NULL").items()}
        theirs |= grouped(connection, "SELECT tag, value, tailnum FROM labels")
        assert_same(tag_sets(published, manifest), theirs)


def test_numbers_of_every_numeric_tag(published: Published) -> None:
    connection = raw(published, published.days[-1])
    theirs = {(tag,): dict(connection.execute(f"SELECT tailnum, {tag}::BIGINT FROM planes WHERE {tag} IS NOT NULL").fetchall()) for tag in NUMBERS}
    assert_same(numbers(published, published.manifest, "tag_numbers", ["tag"]), theirs)


def test_members_of_every_event(published: Published) -> None:
    for day in published.days:
        ours = sets_of(published, published.manifest, "behaviour", ["event", "dimension"], day)
        theirs = grouped(raw(published, day), "SELECT kind, tailnum FROM flights")
        assert_same({key[:1]: users for key, users in ours.items() if key[1] is None}, theirs)


def test_members_of_every_dimension_value_and_combination(published: Published) -> None:
    for day in published.days:
        columns = ["event", "dimension", "value", "combination"]
        ours = {key: users for key, users in sets_of(published, published.manifest, "behaviour", columns, day).items() if key[1] is not None}
        numbered = "SELECT *, dense_rank() OVER (PARTITION BY kind, tailnum ORDER BY carrier, dest, origin) - 1 AS combination FROM flights"
        values = [f"SELECT kind, '{name}', {name}, combination, tailnum FROM ({numbered})" for name in DIMENSIONS]
        assert_same(ours, grouped(raw(published, day), " UNION ".join(values)))


def test_counts_and_sums_of_every_combination(published: Published) -> None:
    numbered = "SELECT *, dense_rank() OVER (PARTITION BY kind, tailnum ORDER BY carrier, dest, origin) - 1 AS combination FROM flights"
    measures = {"*": "count(*)", "distance": "sum(distance)", "arr_delay": "sum(arr_delay) FILTER (WHERE kind = 'flight')"}
    for day in published.days:
        connection, theirs = raw(published, day), defaultdict(dict)
        for name, sql in measures.items():
            rows = connection.execute(f"SELECT kind, combination, tailnum, ({sql})::BIGINT AS total FROM ({numbered}) GROUP BY ALL HAVING total IS NOT NULL")
            for event, combination, user, total in rows.fetchall():
                theirs[event, name, combination][user] = total
        assert_same(numbers(published, published.manifest, "behaviour_measures", ["event", "measure", "combination"], day), dict(theirs))


def test_members_of_every_group_on_the_first_night(published: Published) -> None:
    connection = raw(published, published.days[0])
    theirs = {(name,): {tail for tail, in connection.execute(f"SELECT tailnum FROM aircraft WHERE {sql}").fetchall()} for name, sql in GROUPS.items()}
    ours = sets_of(published, published.manifests[0], "groups", ["group"])
    assert_same(ours, {key: users for key, users in theirs.items() if users})  # an empty group has a status and no bitmap


def test_every_rule_has_a_status_and_bad_ones_publish_nothing(published: Published) -> None:
    first = "SELECT \"group\", status, cardinality FROM group_status"
    statuses = {name: (status, cardinality) for name, status, cardinality in published.duckdb.execute(first).fetchall()}
    assert statuses.keys() == GROUPS.keys() | {"typo", "on_typo"}
    assert {name for name, (status, _) in statuses.items() if status == "invalid"} == {"typo", "on_typo"}
    sizes = {name: len(users) for (name,), users in sets_of(published, published.manifest, "groups", ["group"]).items()}
    assert {name: cardinality for name, (status, cardinality) in statuses.items() if status == "ok"} == {name: sizes.get(name, 0) for name in GROUPS}


def test_entered_and_left_add_up_from_one_night_to_the_next(published: Published) -> None:
    for older, newer in zip(published.manifests, published.manifests[1:]):
        before, after = (sets_of(published, manifest, "groups", ["group"]) for manifest in (older, newer))
        moved: dict[tuple, list[int]] = defaultdict(lambda: [0, 0])
        for (group, entered, left), _ in rows_of(published, newer, "groups", ["group", "entered", "left"]):
            moved[group,][0] += entered
            moved[group,][1] += left
        for group, (entered, left) in moved.items():
            was, now = before.get(group, set()), after[group]
            assert (entered, left) == (len(now - was), len(was - now)), group


def test_rows_read_and_rejected_are_counted(published: Published) -> None:
    for day, manifest in zip(published.days, published.manifests):
        for source in ["planes", "labels", "flights"]:
            sql = f"SELECT count(*), count(tailnum) FROM read_parquet('{published.folder}/raw/{source}/dt={day}/*.parquet')"
            rows, known = duckdb.execute(sql).fetchone()
            counts = [count for count in manifest["counts"] if count["source"] == source]
            assert [sum(count[name] for count in counts) for name in ["read", "accepted", "filtered", "rejected"]] == [rows, known, 0, rows - known], (source, day)
