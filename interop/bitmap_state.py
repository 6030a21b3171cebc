"""How ClickHouse loads a bitmap cell: its own state of groupBitmap is a kind byte 1, the byte length as LEB128, and
portable 64-bit Roaring, which is what a cell holds."""


def low_groups(count: int) -> str:
    """The first `count` groups of 7 bits, each with the continuation bit."""
    return "".join(f"bitOr(bitAnd(bitShiftRight(length(bitmap), {7 * i}), 127), 128), " for i in range(count))


def leb128_of_length() -> str:
    """SQL for length(bitmap) as LEB128, up to 2^28 - 1 bytes."""
    cases = [f"length(bitmap) < {1 << 7 * n}, char({low_groups(n - 1)}bitShiftRight(length(bitmap), {7 * (n - 1)}))" for n in (1, 2, 3)]
    return f"multiIf({', '.join(cases)}, char({low_groups(3)}bitShiftRight(length(bitmap), 21)))"


STATE = f"CAST(concat(char(1), {leb128_of_length()}, bitmap) AS AggregateFunction(groupBitmap, UInt64))"
