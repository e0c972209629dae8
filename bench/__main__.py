"""`python -m bench [PART ...]`: measures all parts, or these, and prints one table.

The exit code is 1 when a promise is not kept.
"""

import importlib
import platform
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bench import Row, bench_database

PARTS = ("lists", "imports", "recompute")


def main(chosen: Sequence[str]) -> int:
    unknown = set(chosen) - set(PARTS)
    if unknown:
        print(f"No part {', '.join(sorted(unknown))}. There are: {', '.join(PARTS)}.")
        return 2
    rows: list[Row] = []
    for part in chosen or PARTS:
        print(f"Measuring {part} ...", file=sys.stderr)
        measure = importlib.import_module(f"bench.{part}").measure  # may listen to new clients
        with bench_database(part) as database:
            rows += measure(database)
    Console(width=120).print(_table(rows))
    return 0 if all(row.is_kept for row in rows) else 1


def _table(rows: Sequence[Row]) -> Table:
    table = Table(title=f"{_machine()}, Python {platform.python_version()}")
    for heading in ("what", "measured", "ratio", "promised", "compared with"):
        table.add_column(heading, justify="right" if heading in ("measured", "ratio") else "left")
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        broken = "" if row.is_kept else "  NOT KEPT"
        table.add_row(row.name, row.measured, ratio, row.target + broken, row.compared_with)
    return table


def _machine() -> str:
    try:
        with open("/proc/cpuinfo") as cpuinfo:
            models = [line.split(":")[1].strip() for line in cpuinfo if "model name" in line]
    except OSError:
        models = []
    return f"{len(models)} x {models[0]}" if models else platform.platform()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
