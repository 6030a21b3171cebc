"""DuckDB and ClickHouse read the exact files of a release and agree with its manifest and with each other."""

import release
from bitmap_state import STATE
from published import Published

BITMAPS = ["universe", "tags", "tag_numbers", "behaviour", "behaviour_measures", "groups"]


def artifacts(published: Published) -> list[str]:
    return sorted({folder["artifact"] for folder in release.folders_of(published.warehouse, published.manifest)})


def bitmap_artifacts(published: Published) -> list[str]:
    return [name for name in artifacts(published) if name in BITMAPS]


def said(published: Published, artifact: str, field: str) -> int:
    """What the manifest says about all files of an artifact."""
    folders = release.folders_of(published.warehouse, published.manifest)
    place = {"rows": 1, "bytes": 2, "cardinality": 4}[field]
    return sum(part[place] for folder in folders if folder["artifact"] == artifact for part in folder["parts"])


def test_every_artifact_has_the_rows_that_the_manifest_says(published: Published) -> None:
    for artifact in artifacts(published):
        expected = [(said(published, artifact, "rows"),)]
        assert published.duckdb.execute(f'SELECT count(*) FROM "{artifact}"').fetchall() == expected, artifact
        assert published.clickhouse.rows(f'SELECT count() FROM "{artifact}"') == expected, artifact


def test_cardinalities_add_up_to_what_the_manifest_says(published: Published) -> None:
    for artifact in bitmap_artifacts(published):
        expected = [(said(published, artifact, "cardinality"),)]
        assert published.duckdb.execute(f'SELECT sum(cardinality)::BIGINT FROM "{artifact}"').fetchall() == expected, artifact
        assert published.clickhouse.rows(f'SELECT sum(cardinality) FROM "{artifact}"') == expected, artifact


def test_clickhouse_counts_the_members_of_every_bitmap_as_its_row_says(published: Published) -> None:
    for artifact in bitmap_artifacts(published):
        wrong = published.clickhouse.rows(f'SELECT shard, cardinality FROM "{artifact}" WHERE bitmapCardinality({STATE}) != cardinality LIMIT 3')
        assert wrong == [], f"{artifact}: {wrong}"


def test_members_of_a_bitmap_belong_to_its_shard(published: Published) -> None:
    for artifact in bitmap_artifacts(published):
        shards = f"bitShiftRight(bitmapMin({STATE}), 32) != shard OR bitShiftRight(bitmapMax({STATE}), 32) != shard"
        assert published.clickhouse.rows(f'SELECT shard FROM "{artifact}" WHERE {shards} LIMIT 3') == [], artifact


def test_no_bitmap_row_is_empty(published: Published) -> None:
    for artifact in bitmap_artifacts(published):
        assert published.duckdb.execute(f'SELECT count(*) FROM "{artifact}" WHERE cardinality = 0').fetchall() == [(0,)], artifact


def test_ordinals_of_the_dictionary_are_dense_in_every_shard(published: Published) -> None:
    dense = "SELECT shard FROM users GROUP BY shard HAVING min(ordinal) <> 0 OR max(ordinal) + 1 <> count(*) OR count(DISTINCT ordinal) <> count(*)"
    assert published.duckdb.execute(dense).fetchall() == []
    assert published.clickhouse.rows(dense) == []


def test_members_of_the_universe_are_users_of_the_dictionary(published: Published) -> None:
    uids = f"SELECT arrayJoin(bitmapToArray({STATE})) AS uid FROM universe"
    known = "SELECT bitOr(bitShiftLeft(toUInt64(shard), 32), toUInt64(ordinal)) FROM users"
    assert published.clickhouse.rows(f"SELECT uid FROM ({uids}) WHERE uid NOT IN ({known}) LIMIT 3") == []


def test_tags_and_groups_are_within_the_universe_of_their_app(published: Published) -> None:
    for artifact in ["tags", "groups"]:
        outside = (
            f'SELECT t.app FROM (SELECT app, groupBitmapMergeState({STATE}) AS b FROM "{artifact}" GROUP BY app) AS t'
            f" JOIN (SELECT app, groupBitmapMergeState({STATE}) AS b FROM universe GROUP BY app) AS u USING app WHERE bitmapAndnotCardinality(t.b, u.b) > 0"
        )
        assert published.clickhouse.rows(outside) == [], artifact


def test_union_over_shards_is_the_sum_of_the_shards(published: Published) -> None:
    key = "app, tag, value_string, value_integer, value_double, value_date, value_boolean"
    union = f"SELECT {key}, groupBitmapMerge({STATE}) AS members, sum(cardinality) AS total FROM tags GROUP BY {key}"
    assert published.clickhouse.rows(f"SELECT * FROM ({union}) WHERE members != total LIMIT 3") == []


def test_both_engines_see_the_same_tag_values(published: Published) -> None:
    ours = "SELECT app, tag, value_string, value_integer, value_double, CAST(value_date AS VARCHAR), value_boolean, sum(cardinality)::BIGINT FROM tags GROUP BY ALL"
    theirs = (
        "SELECT app, tag, value_string, value_integer, value_double, toString(value_date), value_boolean, sum(cardinality)"
        " FROM tags GROUP BY app, tag, value_string, value_integer, value_double, value_date, value_boolean"
    )
    first, second = published.duckdb.execute(ours).fetchall(), published.clickhouse.rows(theirs)
    assert first and sorted(map(with_double, first)) == sorted(map(with_double, second))


def with_double(row: tuple) -> str:
    """A row as text; JSON has written a whole double as an integer."""
    return str(tuple(float(cell) if index == 4 and cell is not None else cell for index, cell in enumerate(row)))
