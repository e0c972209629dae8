"""One round after the other: work, blows, a pause, and a look at what is left."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pymongo.errors import PyMongoError

from chaos import truth
from chaos.blows import DISK, Blow, kind_of, plan, strike
from chaos.installation import PRIMARY, Installation
from chaos.ledger import Ledger
from chaos.people import People
from chaos.replica_set import ReplicaSet
from services import demo

BACK_SECONDS = 120.0  # within which entries have to be acknowledged again
REST_SECONDS = 120.0  # for people to end what they have begun
JOBS_SECONDS = 180.0  # a job whose worker died is taken up after its lease of 30 seconds
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one round did and showed. `silence` is the longest time without an acknowledged entry."""

    number: int
    kind: str
    blows: Sequence[Blow]
    silence: float
    writes: int
    problems: Sequence[str]
    skipped: str = ""


@dataclass
class Chaos:
    """All rounds on one installation under `directory`.

    With `replica_set` its MongoDB has three members, and each round kills the primary.
    """

    directory: Path
    seed: int
    say: Callable[[str], None]
    customers: int = 3000
    orders: int = 20_000  # so that a recompute takes long enough to be struck
    before: float = 1.0  # seconds of undisturbed work before and after the blows
    after: float = 2.0
    replica_set: bool = False
    ledger: Ledger = field(default_factory=Ledger)
    failed_jobs: int = 0
    retaken_jobs: int = 0
    jobs: int = 0

    def rounds(self, numbers: Sequence[int], kinds: Sequence[str] = ()) -> Iterator[Outcome]:
        """Plays these rounds; `kinds` names what they are instead of the seed's own choice."""
        members = ReplicaSet(self.directory / "members") if self.replica_set else None
        place = Installation(self.directory, members)
        try:
            if members is not None:
                members.start()
            people = self._begin(place)
            try:
                for position, number in enumerate(numbers):
                    chosen = kinds[position % len(kinds)] if kinds else kind_of(self.seed, number)
                    kind = PRIMARY if self.replica_set else chosen
                    yield self._round(place, people, number, kind)
            finally:
                people.end()
            with place.database() as database:
                self.jobs = database.job_runs.count_documents({})
                self.failed_jobs = truth.failed(database)
                self.retaken_jobs = truth.retaken(database)
        finally:
            place.stop()
            if members is not None:
                members.stop()

    def _begin(self, place: Installation) -> People:
        self.say(f"An installation in {place.directory}, seed {self.seed}")
        loaded = place.carebook(
            "demo", "--customers", str(self.customers), "--orders", str(self.orders)
        )
        if loaded.returncode:
            raise SystemExit(f"It cannot be filled: {loaded.stderr}")
        place.start()
        if missing := _until_well(place, START_SECONDS):
            raise SystemExit(f"It does not start: {', '.join(missing)}. See {place.directory}")
        people = People(place, self.ledger)
        password = (place.data / "demo-password").read_text().strip()
        people.learn(demo.emails(), password)
        return people

    def _round(self, place: Installation, people: People, number: int, kind: str) -> Outcome:
        chance = random.Random(f"{self.seed}/{number}")
        blows = plan(kind, chance)
        if kind == DISK and not place.has_own_disk:
            return Outcome(number, kind, blows, 0, 0, (), "needs the right to mount a tmpfs")
        before, parts = self.ledger.writes, place.parts()
        people.go_on()
        time.sleep(self.before)
        begun = time.monotonic()
        for blow in blows:
            time.sleep(max(0.0, begun + blow.at - time.monotonic()))
            strike(blow, place, chance)
        is_back = self._is_back(time.monotonic())
        time.sleep(self.after)
        silence = self.ledger.longest_silence(begun)
        if place.replica_set is not None:
            place.replica_set.start_dead()
        problems = self._settle(place, people)
        if kind == PRIMARY and place.parts() != parts:
            problems.append("the application was started again")
        if not is_back:
            problems = [f"nothing was acknowledged for {BACK_SECONDS:.0f} s", *problems]
        return Outcome(number, kind, blows, silence, self.ledger.writes - before, problems)

    def _is_back(self, struck_at: float) -> bool:
        """Waits until an entry that was sent after the last blow is acknowledged."""
        while time.monotonic() - struck_at < BACK_SECONDS:
            if self.ledger.last_sent_at > struck_at:
                return True
            time.sleep(0.05)
        return False

    def _settle(self, place: Installation, people: People) -> list[str]:
        """Waits for what is under way, then compares."""
        problems = [f"{name} could not go on" for name in people.pause(REST_SECONDS)]
        problems += [f"{name} did not come back" for name in _until_well(place, START_SECONDS)]
        if problems:
            return problems
        deadline = time.monotonic() + JOBS_SECONDS
        with place.database() as database:
            while truth.under_way(database) and time.monotonic() < deadline:
                time.sleep(0.2)
            problems = truth.problems(database, self.ledger)
        return problems + truth.stale_dates(place.settings())


def _until_well(place: Installation, seconds: float) -> list[str]:
    """Waits until every part runs and answers; what is missing in the end."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            missing = place.missing()
        except (PyMongoError, OSError, ValueError) as error:
            missing = [str(error)]
        if not missing or time.monotonic() > deadline:
            return missing
        time.sleep(0.2)
