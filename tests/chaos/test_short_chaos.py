"""The short form of `make chaos`: one round of each kind of trouble, on the same code."""

import random
from pathlib import Path

import pytest

from chaos.blows import CLOCK, DISK, KINDS, kind_of, plan
from chaos.rounds import Chaos

ROUNDS = ("mongo", "worker and mongo", "valkey", CLOCK, DISK, "all at once")
SEED = 20261121


def test_what_was_acknowledged_survives_and_everything_comes_back(tmp_path: Path) -> None:
    chaos = Chaos(tmp_path, SEED, print, customers=100, orders=400, before=0.5, after=0.5)
    for outcome in chaos.rounds(range(len(ROUNDS)), ROUNDS):
        if outcome.skipped:
            print(f"{outcome.kind} was skipped: it {outcome.skipped}")
            continue
        again = f"python -m chaos --seed {SEED} --round {outcome.number} --kind {outcome.kind!r}"
        assert not outcome.problems, (outcome, again)
    assert chaos.ledger.entries
    assert chaos.ledger.orders
    assert chaos.ledger.runs


def test_a_seed_says_what_happens_when() -> None:
    rounds = [kind_of(5, number) for number in range(3 * len(KINDS))]
    assert rounds == [kind_of(5, number) for number in range(3 * len(KINDS))]
    assert rounds != [kind_of(6, number) for number in range(3 * len(KINDS))]
    # Each kind comes as often as every other one.
    assert sorted(rounds) == sorted(KINDS * 3)
    assert plan("mongo", random.Random("a")) == plan("mongo", random.Random("a"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_round_does_something(kind: str) -> None:
    assert plan(kind, random.Random(1))
