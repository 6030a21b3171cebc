"""The table that `make bench` prints, from the figures of night.py."""

BARS = [
    ("ratio_clickhouse_wall", "ClickHouse's wall / ours", ">=", 10.0, 15.0),
    ("ratio_clickhouse_peak", "our peak memory / ClickHouse's", "<=", 0.25, 1 / 6),
    ("ratio_clickhouse_release_wall", "the same, all a release holds (wall)", ">=", 10.0, 15.0),
    ("ratio_clickhouse_release_peak", "the same, all a release holds (peak)", "<=", 0.25, 1 / 6),
    ("ratio_clickhouse_totals_wall", "the same, totals only (wall)", ">=", 10.0, 15.0),
    ("ratio_clickhouse_totals_peak", "the same, totals only (peak)", "<=", 0.25, 1 / 6),
    ("ratio_decode_exchange_wall", "our wall / decode + exchange", "<=", 4.0, 2.5),
    ("night2_ratio_wall", "night 2 / night 1", "<=", 0.8, 0.8),
]


def mega(count: int) -> str:
    return f"{count / 1e6:9.1f}"


def line(name: str, wall_s: float, cpu_s: float | None = None, peak: int | None = None) -> str:
    cpu = f"{cpu_s:8.2f}" if cpu_s is not None else " " * 8
    return f"  {name:<28}{wall_s:8.2f}{cpu}{mega(peak) if peak else ''}".rstrip()


def timings(figures: dict) -> list[str]:
    lines = [f"  {'':<28}{'wall s':>8}{'cpu s':>8}{'peak MB':>9}"]
    if "floor" in figures:
        floor = figures["floor"]
        lines += [line("floor: decode", floor["decode_s"]), line("floor: decode + exchange", floor["decode_exchange_s"])]
    lines += clickhouse_timings(figures.get("clickhouse", {}))
    for name, night in figures["tagmill"].items():
        lines.append(line(f"tagmill {name}", night["wall_s"], night["cpu_s"], night["peak_bytes"]))
    return lines


def clickhouse_timings(clickhouse: dict) -> list[str]:
    """The night that can tell what ours can; below it those that hold more and less: steps not yet named, and the sum."""
    lines, told = [], []
    for variant, title in [("full", "ClickHouse night"), ("release", "ClickHouse night, release"), ("totals", "ClickHouse night, totals")]:
        if night := clickhouse.get(variant):
            steps = [s for s in night["steps"] if s not in told]
            told += steps
            lines += [line(f"ClickHouse {s['step']}", s["wall_s"], s["cpu_s"], s["peak_bytes"]) for s in steps]
            lines.append(line(title, night["wall_s"], night["cpu_s"], night["peak_bytes"]))
    return lines


def clickhouse_bytes(clickhouse: dict) -> dict[str, int]:
    """Tables of the night that can tell what ours can."""
    return {table: clickhouse["bytes"][table] for table in ["users", "tags", "behaviour", "user_measures"]}


def sizes(name: str, by_table: dict[str, int]) -> str:
    parts = ", ".join(f"{table} {size / 1e6:.1f}" for table, size in by_table.items())
    return f"  {name} {sum(by_table.values()) / 1e6:.1f} MB: {parts}"


def comparison(figures: dict) -> list[str]:
    if "comparison" not in figures:
        return ["  not compared"]
    lines = []
    for name, table in figures["comparison"]["tables"].items():
        verdict = {True: "equal", False: "DIFFERENT", None: "not compared"}[table["equal"]]
        difference = "" if table["equal"] is not False else "  " + str({k: v for k, v in table.items() if k.startswith(("only", "rows_"))})
        lines.append(f"  {name:<12}{table['rows']:>10} rows  {verdict}{difference}")
    overflow = figures["comparison"]["events_with_overflow"]
    if overflow:
        lines.append(f"  events with overflow combinations, whose tuples are not compared: {len(overflow)}")
    return lines


def bars(figures: dict) -> list[str]:
    lines = []
    for key, title, sign, bar, aim in BARS:
        value = figures[key]
        if value is None and "totals" in key:
            continue
        if value is None:
            lines.append(f"  {title:<38}not measured")
            continue
        held = value >= bar if sign == ">=" else value <= bar
        lines.append(f"  {title:<38}{value:7.2f}   bar {sign} {bar:g}, aim {aim:.2g}   {'held' if held else 'MISSED'}")
    return lines


def section(title: str, figures: dict) -> list[str]:
    size = figures["input_bytes"][figures["days"][0]] / 1e6
    stored = {"ClickHouse": clickhouse_bytes(figures["clickhouse"])} if "clickhouse" in figures else {}
    stored |= {f"tagmill {name}": night["bytes"] for name, night in figures["tagmill"].items()}
    return [f"{title}: {figures['data']}, day {figures['days'][0]}, {size:.0f} MB", *timings(figures), "bytes on disk",
            *(sizes(name, by_table) for name, by_table in stored.items()),
            "results", *comparison(figures), "ratios", *bars(figures)]


def text(night: dict) -> str:
    lines = section("night", night)
    if "random_dimensions" in night:
        lines += ["", *section("dimensions random per event", night["random_dimensions"])]
    return "\n".join(lines)
