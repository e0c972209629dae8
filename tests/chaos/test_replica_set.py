"""A replica set of three: its primary dies under load, and the application simply goes on."""

from pathlib import Path

from chaos.replica_set import ELECTION_SECONDS
from chaos.rounds import Chaos

MARGIN_SECONDS = 20  # for a machine that has other things to do


def test_the_application_goes_on_with_another_primary(tmp_path: Path) -> None:
    chaos = Chaos(tmp_path, 1, print, 100, 400, before=0.5, after=0.5, replica_set=True)
    (outcome,) = chaos.rounds([0])
    assert not outcome.problems
    assert outcome.silence < ELECTION_SECONDS + MARGIN_SECONDS
    assert chaos.ledger.entries
