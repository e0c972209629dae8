"""`python -m chaos [--rounds N] [--seed S]`: plays the rounds and prints one table.

The exit code is 1 when anything was lost, doubled or did not come back; the round is then printed
with the command that plays it again.
"""

import argparse
import random
import shutil
import signal
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chaos.blows import KINDS
from chaos.installation import PRIMARY
from chaos.rounds import Chaos, Outcome

ROUNDS = 50


def main(arguments: Sequence[str]) -> int:
    # Told to end, it takes its installation along.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    chosen = _parser().parse_args(arguments)
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(10**6)
    numbers = [chosen.round] if chosen.round is not None else range(chosen.rounds)
    directory = Path(tempfile.mkdtemp(prefix="carebook-chaos-"))
    chaos = Chaos(directory, seed, _say, replica_set=chosen.replica_set)
    outcomes: list[Outcome] = []
    try:
        for outcome in chaos.rounds(numbers, chosen.kind or ()):
            outcomes.append(outcome)
            _tell(outcome)
            if outcome.problems:
                _tell_again(chosen, seed, outcome, directory)
                if not chosen.go_on:
                    break
    finally:  # also when it is told to end before the last round
        Console(width=120).print(table(chaos, outcomes))
    if any(outcome.problems for outcome in outcomes):
        return 1
    shutil.rmtree(directory, ignore_errors=True)
    return 0


def _tell_again(chosen: argparse.Namespace, seed: int, outcome: Outcome, directory: Path) -> None:
    again = f" --kind {outcome.kind!r}" if chosen.kind else ""
    again += " --replica-set" if chosen.replica_set else ""
    _say(f"Again: python -m chaos --seed {seed} --round {outcome.number}{again}")
    _say(f"What is left of it is in {directory}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, help="decides what happens when; without it: any")
    parser.add_argument("--round", type=int, help="only this round of the seed")
    parser.add_argument("--kind", action="append", choices=KINDS, help="of each round in turn")
    parser.add_argument("--replica-set", action="store_true", help="kill its primary each round")
    parser.add_argument("--go-on", action="store_true", help="do not stop at the first bad round")
    return parser


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _tell(outcome: Outcome) -> None:
    blows = "; ".join(str(blow) for blow in outcome.blows)
    if outcome.skipped:
        _say(f"{outcome.number:3} {outcome.kind}: SKIPPED, it {outcome.skipped}")
        return
    what = f"{outcome.writes} writes, longest silence {outcome.silence:.1f} s"
    _say(f"{outcome.number:3} {outcome.kind}: {what} ({blows})")
    for problem in outcome.problems:
        _say(f"    WRONG: {problem}")


def table(chaos: Chaos, outcomes: Sequence[Outcome]) -> Table:
    """One line for each kind of round, and what was kept in all."""
    played = [outcome for outcome in outcomes if not outcome.skipped]
    made = Table(
        title=f"{len(played)} rounds, seed {chaos.seed}: {len(chaos.ledger.entries):,} entries, "
        f"{len(chaos.ledger.orders):,} imported orders, {chaos.jobs:,} jobs "
        f"({chaos.retaken_jobs} taken up again, {chaos.failed_jobs} failed with a reason)"
    )
    made.add_column("what")
    for heading in ("rounds", "acknowledged", "silence, median", "longest", "wrong"):
        made.add_column(heading, justify="right")
    for kind in (*KINDS, PRIMARY):
        its = [outcome for outcome in played if outcome.kind == kind]
        if its:
            made.add_row(kind, *_numbers(its))
    made.add_section()
    made.add_row("all", *_numbers(played))
    return made


def _numbers(outcomes: Sequence[Outcome]) -> list[str]:
    silences = [outcome.silence for outcome in outcomes]
    return [
        str(len(outcomes)),
        f"{sum(outcome.writes for outcome in outcomes):,}",
        f"{statistics.median(silences):.1f} s" if silences else "-",
        f"{max(silences):.1f} s" if silences else "-",
        str(sum(len(outcome.problems) for outcome in outcomes)),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
