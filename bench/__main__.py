"""`python -m bench [PART ...]`: measures all parts, or these, and prints one table.

`--size` is the number of customers and of orders of the large data set (parts `configured` and `million`), `--records`
how many of them are measured. The exit code is 1 when a promise is not kept.
"""

import argparse
import importlib
import platform
import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from bench import Row, bench_database

PARTS = ("lists", "imports", "recompute", "configured", "million")
LARGE = ("configured", "million")  # on the data set that is kept
SIZE = 1_000_000


def main(arguments: Sequence[str]) -> int:
    chosen = _chosen(arguments)
    rows: list[Row] = []
    for part in chosen.parts or PARTS:
        print(f"Measuring {part} ...", file=sys.stderr)
        for row in _measured(part, chosen.size, chosen.records):
            print(f"  {row.name}: {row.measured} {row.ratio or ''}", file=sys.stderr)
            rows.append(row)
    Console(width=140).print(_table(rows))
    return 0 if all(row.is_kept for row in rows) else 1


def _chosen(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--records", type=int)
    chosen = parser.parse_args(arguments)
    unknown = set(chosen.parts) - set(PARTS)
    if unknown:
        parser.error(f"No part {', '.join(sorted(unknown))}. There are: {', '.join(PARTS)}.")
    return chosen


def _measured(part: str, size: int, records: int | None) -> Iterator[Row]:
    measure = importlib.import_module(f"bench.{part}").measure  # may listen to new clients
    if part in LARGE:
        yield from measure(size, records)
        return
    with bench_database(part) as database:
        yield from measure(database)


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
