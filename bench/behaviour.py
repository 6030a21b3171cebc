"""Rebuilds tuples of dimension values, counts and sums of one event from its behaviour rows in one shard.

An entry is one (combination, user): key = combination << 32 | ordinal. Dimension bitmaps give an entry its values,
measure slices its count and sum. Within a user different combinations are different tuples, so the entries of a
tuple are its users.
"""

from dataclasses import dataclass, field

import numpy as np

SHIFT = np.uint64(32)


def keys_of(combination: int, ordinals: np.ndarray) -> np.ndarray:
    return ordinals.astype(np.uint64) | (np.uint64(combination) << SHIFT)


def weight_of(index: int, offset: int) -> int:
    """What a slice is worth to its members: slice -1 the offset, 0 but in older files, slice i 2^i, slice -2 - i -2^i."""
    if index == -1:
        return offset
    return 1 << index if index >= 0 else -(1 << (-2 - index))


@dataclass
class EventShard:
    """The rows of one (app, event) in one shard, as they are read."""

    users: int = 0
    overflow: bool = False
    dimensions: dict[str, list[tuple[np.ndarray, int]]] = field(default_factory=dict)
    slices: dict[str, list[tuple[np.ndarray, int, int]]] = field(default_factory=dict)

    def add_value(self, dimension: str, code: int, combination: int, ordinals: np.ndarray) -> None:
        self.dimensions.setdefault(dimension, []).append((keys_of(combination, ordinals), code))

    def add_slice(self, measure: str, index: int, offset: int, combination: int, ordinals: np.ndarray) -> None:
        self.slices.setdefault(measure, []).append((keys_of(combination, ordinals), weight_of(index, offset), index))

    def entries(self) -> np.ndarray:
        """Keys of all entries, ascending: whoever has a count."""
        return np.unique(np.concatenate([keys for keys, _, index in self.slices["*"] if index == -1]))

    def values_of(self, dimension: str, entries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(position in `entries`, value code) of every member of the dimension's bitmaps."""
        keys, codes = joined(self.dimensions.get(dimension, []))
        return positions(entries, keys), codes

    def codes(self, dimension: str, entries: np.ndarray) -> np.ndarray:
        """Value code of every entry, 0 without a value."""
        at, codes = self.values_of(dimension, entries)
        found = np.zeros(len(entries), dtype=np.int64)
        found[at] = codes
        if np.count_nonzero(found) != len(codes):
            raise ValueError(f"two values of {dimension} in one combination of a user")
        return found

    def values(self, measure: str, entries: np.ndarray) -> np.ndarray:
        """Decoded integer of every entry, 0 without one."""
        keys, weights = joined([(keys, weight) for keys, weight, _ in self.slices.get(measure, [])])
        total = np.zeros(len(entries), dtype=np.int64)
        np.add.at(total, positions(entries, keys), weights)
        return total


def joined(parts: list[tuple[np.ndarray, int]]) -> tuple[np.ndarray, np.ndarray]:
    """All keys, and beside each the number of its part."""
    keys = np.concatenate([np.empty(0, np.uint64), *(keys for keys, _ in parts)])
    return keys, np.repeat(np.array([number for _, number in parts], dtype=np.int64), [len(keys) for keys, _ in parts])


def positions(entries: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Where `keys` stand in `entries`; a key that is not there is an error."""
    at = np.searchsorted(entries, keys)
    if len(keys) and (at.max() >= len(entries) or not np.array_equal(entries[at], keys)):
        raise ValueError("a dimension or measure bitmap has a user without a count")
    return at


def per_user(entries: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sums of `values` by user, indexed by ordinal."""
    ordinals = (entries & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return np.bincount(ordinals, weights=values).astype(np.int64)
