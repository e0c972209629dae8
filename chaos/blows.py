"""What a round does to the installation, decided by its seed alone."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from chaos.installation import PRIMARY, Installation
from config import PROJECT_ROOT

EVERYTHING = ("supervisor", "web", "worker", "scheduler", "valkey", "mongo")
DISK, CLOCK = "full disk", "clock"
KINDS = (
    "mongo",
    "worker",
    "valkey",
    "web",
    "scheduler",
    "supervisor",
    "mongo and valkey",
    "worker and mongo",
    "two at random",
    "three at random",
    "all at once",
    DISK,
    CLOCK,
)
LAST_MOMENT_SECONDS = 4.0
DISK_SECONDS = (3.0, 8.0)
DAYS = ("400", "-30", "1", "-1")


@dataclass(frozen=True, slots=True)
class Blow:
    """Something that happens `at` so many seconds after the round has begun."""

    at: float
    kind: str  # "kill", DISK or CLOCK
    targets: tuple[str, ...] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        what = f"kill -9 {', '.join(self.targets)}" if self.kind == "kill" else self.kind
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"{what}{lasting} after {self.at:.1f} s"


def kind_of(seed: int, number: int) -> str:
    """The kind of round `number`: all kinds in a shuffled order, then all again in another one."""
    turn, place = divmod(number, len(KINDS))
    deck = list(KINDS)
    random.Random(f"{seed}/deck/{turn}").shuffle(deck)
    return deck[place]


def plan(kind: str, chance: random.Random) -> list[Blow]:
    """The blows of a round of this kind, in their order."""
    if kind == DISK:
        return [Blow(chance.uniform(0.2, 2), DISK, seconds=chance.uniform(*DISK_SECONDS))]
    if kind == PRIMARY:
        return [Blow(chance.uniform(0.2, 2), "kill", (PRIMARY,))]
    if kind == CLOCK:
        return [Blow(chance.uniform(0.2, 2), CLOCK)]
    moments = sorted(
        chance.uniform(0.2, LAST_MOMENT_SECONDS) for _ in range(chance.choice((1, 1, 2, 3)))
    )
    return [Blow(moment, "kill", _targets(kind, chance)) for moment in moments]


def _targets(kind: str, chance: random.Random) -> tuple[str, ...]:
    if kind == "all at once":
        return EVERYTHING
    if kind.endswith("at random"):
        return tuple(chance.sample(EVERYTHING, 2 if kind.startswith("two") else 3))
    return tuple(kind.split(" and "))


def strike(blow: Blow, place: Installation, chance: random.Random) -> None:
    """Does it."""
    if blow.kind == DISK:
        with place.full_disk():
            time.sleep(blow.seconds)
    elif blow.kind == CLOCK:
        _turn_clocks(place)
    else:
        for pid in [pid for target in blow.targets for pid in place.pids_of(target, chance)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it ended with another one


def _turn_clocks(place: Installation) -> None:
    """A scheduler in another process whose clock jumps far ahead, back, and about."""
    subprocess.run(
        [sys.executable, "-m", "chaos.clock", *DAYS],
        env=place.environment,
        cwd=PROJECT_ROOT,
        check=False,
        capture_output=True,
        timeout=120,
    )
