"""Artifacts as plain Python: key -> set of user ids, decoded with CRoaring and the dictionary of the same release."""

from collections import defaultdict

import release
from published import Published


def user_ids(published: Published, manifest: dict) -> dict[tuple[int, int], str]:
    """(shard, ordinal) -> user id."""
    found: dict[tuple[int, int], str] = {}
    for path in release.files_of(published.warehouse, manifest, "users"):
        row = release.read_rows(path, ["shard", "ordinal", "user_id"])
        for shard, ordinal, user in zip(*row.values()):
            assert (shard, ordinal) not in found, f"two users have ordinal {ordinal} of shard {shard}"
            found[shard, ordinal] = user
    return found


def rows_of(published: Published, manifest: dict, artifact: str, columns: list[str], day: str | None = None):
    """(values of `columns`, user ids of the bitmap) of every row of an artifact."""
    users = user_ids(published, manifest)
    for path in release.files_of(published.warehouse, manifest, artifact, day):
        row = release.read_rows(path, [*columns, "shard", "bitmap"])
        for *key, shard, cell in zip(*row.values()):
            yield tuple(key), {users[shard, int(ordinal)] for ordinal in release.ordinals(cell, shard)}


def sets_of(published: Published, manifest: dict, artifact: str, columns: list[str], day: str | None = None) -> dict[tuple, set[str]]:
    """Key -> user ids, over all shards."""
    found: dict[tuple, set[str]] = defaultdict(set)
    for key, users in rows_of(published, manifest, artifact, columns, day):
        found[key] |= users
    return dict(found)


def tag_sets(published: Published, manifest: dict) -> dict[tuple, set[str]]:
    """(tag, value) -> user ids; the value in its own type."""
    found: dict[tuple, set[str]] = {}
    for (tag, *values), users in sets_of(published, manifest, "tags", ["tag", *release.VALUE_COLUMNS]).items():
        given = [value for value in values if value is not None]
        assert len(given) == 1, f"a row of tag {tag} has {len(given)} values"
        found[tag, given[0]] = users
    return found


def numbers(published: Published, manifest: dict, artifact: str, columns: list[str], day: str | None = None) -> dict[tuple, dict[str, int]]:
    """Key -> user id -> scaled integer, from bit slices: what the slices are worth that have the user."""
    found: dict[tuple, dict[str, int]] = defaultdict(dict)
    slices = list(rows_of(published, manifest, artifact, [*columns, "offset", "slice"], day))
    for (*key, offset, index), users in slices:
        weight = offset if index == -1 else 1 << index if index >= 0 else -(1 << (-2 - index))
        for user in users:
            found[tuple(key)][user] = found[tuple(key)].get(user, 0) + weight
    return dict(found)
