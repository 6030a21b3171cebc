"""Measures the night against its floor and against ClickHouse, compares the results, writes a table and night.json.

Reads raw Parquet of two days (--data). Every contender runs in its own child process on warm page cache: the floor
(decode, decode and exchange), ClickHouse (clickhouse_night.py) and `tagmill run` for both nights. Writes warehouses,
ClickHouse's session and result tables under --work.
"""

import argparse
import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import measure
import report

HERE = Path(__file__).resolve().parent


def options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, required=True, help="folder with raw/profiles and raw/events")
    arguments.add_argument("--tagmill", type=Path, required=True, help="the tagmill binary")
    arguments.add_argument("--work", type=Path, required=True, help="scratch folder; its night folder is replaced")
    arguments.add_argument("--out", type=Path, required=True, help="where night.json goes")
    arguments.add_argument("--floor", help="command that prints {decode_s, decode_exchange_s}; {config}, {day} and {threads} are filled in")
    arguments.add_argument("--random-data", type=Path, help="a second input, dimensions uniformly random per event")
    arguments.add_argument("--days", help="night 1 and night 2, comma-separated (default: the first two folders)")
    arguments.add_argument("--repeat", type=int, default=1, help="runs of tagmill and of the floor; medians are reported")
    arguments.add_argument("--clickhouse-repeat", type=int, default=1)
    arguments.add_argument("--totals", action="store_true", help="ClickHouse's lesser night as well, per-user sums without dimensions")
    arguments.add_argument("--reuse-clickhouse", action="store_true", help="take ClickHouse's last figures and results from --work")
    arguments.add_argument("--without-clickhouse", action="store_true", help="neither ClickHouse nor a comparison")
    arguments.add_argument("--threads", type=int, default=os.cpu_count())
    arguments.add_argument("--shards", type=int, default=16)
    arguments.add_argument("--memory", help="tagmill's memory limit, such as 1GB (default: none)")
    return arguments.parse_args()


def days_of(data: Path, chosen: str | None) -> list[str]:
    found = sorted(p.name.removeprefix("dt=") for p in (data / "raw/profiles").glob("dt=*"))
    days = chosen.split(",") if chosen else found[:2]
    if not days or not set(days) <= set(found):
        sys.exit(f"night.py: {data}/raw/profiles has days {found}, expected {days or 'one or two'}")
    return days


def input_files(data: Path, day: str) -> list[Path]:
    return sorted(data.glob(f"raw/profiles/dt={day}/*.parquet")) + sorted(data.glob(f"raw/events/dt={day}/hour=*/*.parquet"))


def emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def python(script: str, *arguments) -> list[str]:
    return [sys.executable, str(HERE / script), *map(str, arguments)]


def measure_floor(data: Path, day: str, work: Path, given: argparse.Namespace) -> dict:
    """Median seconds as the command itself reports them, decoding alone and with the exchange."""
    values = {"config": write_config(data, work, given), "day": day, "threads": given.threads}
    parts = [part.format_map(values) for part in shlex.split(given.floor)]
    runs = []
    for _ in range(given.repeat):
        measure.warm(input_files(data, day))
        runs.append(measure.run(parts, work / "floor.log"))
    said = [run.last_json_line() for run in runs]
    seconds = {name: sorted(s[name] for s in said)[len(said) // 2] for name in ["decode_s", "decode_exchange_s"]}
    return seconds | {"process": measure.middle(runs).as_json()}


def measure_clickhouse(data: Path, day: str, work: Path, given: argparse.Namespace) -> dict:
    """The run with the median wall; seconds of its steps, without the start of the process. Exports its results once."""
    kept = work / "clickhouse.json"
    if given.reuse_clickhouse and kept.exists():
        return json.loads(kept.read_text()) | {"reused": True}
    session = work / "clickhouse"
    same = ["--data", data, "--day", day, "--session", session, "--threads", given.threads]
    same += ["--variants", "full,release,totals" if given.totals else "full,release"]
    runs = []
    for _ in range(given.clickhouse_repeat):
        shutil.rmtree(session, ignore_errors=True)
        measure.warm(input_files(data, day))
        process = measure.run(python("clickhouse_night.py", *same), work / "clickhouse.log")
        runs.append(process.last_json_line() | {"process": process.as_json()})
    emptied(work / "results-clickhouse")
    measure.run(python("clickhouse_night.py", *same, "--results", work / "results-clickhouse"), work / "clickhouse-results.log")
    shutil.rmtree(session)
    night = sorted(runs, key=lambda run: run["full"]["wall_s"])[len(runs) // 2]
    kept.write_text(json.dumps(night))
    return night


def write_config(data: Path, work: Path, given: argparse.Namespace) -> Path:
    memory = f'memory  = "{given.memory}"' if given.memory else ""
    text = (HERE / "warehouse.toml").read_text()
    for name, value in {"DATA": data, "WAREHOUSE": work / "warehouse", "SHARDS": given.shards, "THREADS": given.threads,
                        "MEMORY": memory, "SPILL": work / "spill"}.items():
        text = text.replace(f"@{name}@", str(value))
    config = work / "warehouse.toml"
    config.write_text(text)
    return config


def measure_tagmill(data: Path, days: list[str], work: Path, given: argparse.Namespace) -> dict:
    """Whole processes, from start to published release; each repetition on a new warehouse. Exports the results of night 1."""
    config = write_config(data, work, given)
    tagmill = [given.tagmill, "--config", config, "--output", "json"]
    nights: list[list[measure.Measurement]] = [[] for _ in days]
    for _ in range(given.repeat):
        emptied(work / "warehouse")
        measure.run([*tagmill, "init"], work / "init.log")
        for number, day in enumerate(days):
            measure.warm(input_files(data, day))
            nights[number].append(measure.run([*tagmill, "run", "--date", day], work / f"night{number + 1}.log"))
            if number == 0 and len(nights[0]) == 1:
                emptied(work / "results-tagmill")
                results = python("tagmill_results.py", "--warehouse", work / "warehouse", "--day", day, "--results", work / "results-tagmill")
                measure.run(results, work / "tagmill-results.log")
    return {f"night{number + 1}": night_figures(runs, work, day) for number, (runs, day) in enumerate(zip(nights, days))}


def night_figures(runs: list[measure.Measurement], work: Path, day: str) -> dict:
    middle = measure.middle(runs)
    figures = middle.as_json() | {"walls_s": [run.wall_s for run in runs], "bytes": written_bytes(work / "warehouse", day)}
    try:
        return figures | {"run": middle.last_json_line()}
    except ValueError:
        return figures


def written_bytes(warehouse: Path, day: str) -> dict[str, int]:
    """Bytes on disk that the runs of `day` wrote, per artifact."""
    sizes = {}
    for folder in sorted(warehouse.glob(f"*/{day}")):
        sizes[folder.parent.name] = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    return sizes


def measure_input(data: Path, days: list[str], work: Path, given: argparse.Namespace) -> dict:
    work.mkdir(parents=True, exist_ok=True)
    figures = {"data": str(data), "days": days, "input_bytes": {day: sum(f.stat().st_size for f in input_files(data, day)) for day in days}}
    if given.floor:
        figures["floor"] = measure_floor(data, days[0], work, given)
    if not given.without_clickhouse:
        figures["clickhouse"] = measure_clickhouse(data, days[0], work, given)
    figures["tagmill"] = measure_tagmill(data, days, work, given)
    if given.without_clickhouse:
        return figures | ratios(figures)
    compared = measure.run(python("compare.py", work / "results-tagmill", work / "results-clickhouse"), work / "compare.log")
    figures["comparison"] = compared.last_json_line()
    return figures | ratios(figures)


def ratios(figures: dict) -> dict:
    """The figures that the bars are about; null where something was not measured."""
    ours = figures["tagmill"]["night1"]
    names = ["equal", "ratio_clickhouse_wall", "ratio_clickhouse_cpu", "ratio_clickhouse_peak", "ratio_clickhouse_bytes",
             "ratio_clickhouse_release_wall", "ratio_clickhouse_release_peak", "ratio_clickhouse_totals_wall",
             "ratio_clickhouse_totals_peak", "ratio_decode_exchange_wall", "night2_ratio_wall"]
    found = dict.fromkeys(names)
    if clickhouse := figures.get("clickhouse"):
        full, release, totals = clickhouse["full"], clickhouse["release"], clickhouse.get("totals")
        found["equal"] = figures["comparison"]["equal"]
        found["ratio_clickhouse_wall"] = full["wall_s"] / ours["wall_s"]
        found["ratio_clickhouse_cpu"] = full["cpu_s"] / ours["cpu_s"]
        found["ratio_clickhouse_peak"] = ours["peak_bytes"] / full["peak_bytes"]
        found["ratio_clickhouse_bytes"] = sum(ours["bytes"].values()) / sum(report.clickhouse_bytes(clickhouse).values())
        found["ratio_clickhouse_release_wall"] = release["wall_s"] / ours["wall_s"]
        found["ratio_clickhouse_release_peak"] = ours["peak_bytes"] / release["peak_bytes"]
        if totals:
            found["ratio_clickhouse_totals_wall"] = totals["wall_s"] / ours["wall_s"]
            found["ratio_clickhouse_totals_peak"] = ours["peak_bytes"] / totals["peak_bytes"]
    if floor := figures.get("floor"):
        found["ratio_decode_exchange_wall"] = ours["wall_s"] / floor["decode_exchange_s"]
    if night2 := figures["tagmill"].get("night2"):
        found["night2_ratio_wall"] = night2["wall_s"] / ours["wall_s"]
    return found


def main() -> None:
    given = options()
    work, data = given.work.resolve(), given.data.resolve()
    night = measure_input(data, days_of(data, given.days), work / "night", given)
    night["settings"] = {"threads": given.threads, "shards": given.shards, "memory": given.memory, "repeat": given.repeat,
                         "load_average": os.getloadavg(), "cpus": os.cpu_count()}
    if given.random_data:
        random = given.random_data.resolve()
        night["random_dimensions"] = measure_input(random, days_of(random, None)[:1], work / "random", given)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(night, indent=1) + "\n")
    print(report.text(night))
    differs = any(figures["equal"] is False for figures in [night, night.get("random_dimensions", night)])
    sys.exit(1 if differs else 0)


if __name__ == "__main__":
    main()
