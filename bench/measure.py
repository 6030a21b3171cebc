"""Runs one command as a child process and measures it: wall, CPU, peak resident memory.

Only the standard library is imported here: a child's ru_maxrss starts at its parent's resident size
(Linux keeps the larger of the two across exec), so the parent has to stay small.
"""

import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median


@dataclass
class Measurement:
    """One finished child. Seconds, and bytes of peak resident memory."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    stdout: str

    def as_json(self) -> dict:
        fields = asdict(self)
        del fields["stdout"]
        return fields

    def last_json_line(self) -> dict:
        """The last line of standard output that is a JSON object."""
        for line in reversed(self.stdout.splitlines()):
            if line.startswith("{"):
                return json.loads(line)
        raise ValueError(f"no JSON line in standard output: {self.stdout[-500:]!r}")


def run(command: list[str], log: Path) -> Measurement:
    """Runs `command`; standard error goes to `log`. A failing command raises with the end of that log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as errors, open(log.with_suffix(".out"), "w+b") as output:
        started = time.perf_counter()
        child = subprocess.Popen([str(part) for part in command], stdout=output, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        wall_s = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        stdout = output.read().decode()
    if child.returncode != 0:
        tail = log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {child.returncode}: {tail}")
    return Measurement(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, stdout)


def middle(runs: list[Measurement]) -> Measurement:
    """Median wall, CPU and peak, each on its own; standard output of the last run."""
    return Measurement(
        median(r.wall_s for r in runs),
        median(r.cpu_s for r in runs),
        int(median(r.peak_bytes for r in runs)),
        runs[-1].stdout,
    )


def warm(files: list[Path]) -> int:
    """Reads every file once, so that all contenders find the same page cache. Bytes read."""
    total = 0
    buffer = bytearray(1 << 20)
    for file in files:
        with open(file, "rb", buffering=0) as handle:
            while count := handle.readinto(buffer):
                total += count
    return total
