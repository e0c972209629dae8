"""`serve` starts stores again that died, and tells once why one cannot be started."""

from typing import Any

import pytest

from commands.serve import StoreWatch
from stores.errors import StoreError


class FakeServer:
    """A server whose starts go as they are told."""

    name, title, port = "mongo", "The embedded MongoDB", 20000

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)

    def ensure_running(self) -> bool:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome == "moved":
            self.port = 20001
        return outcome is not False


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.serve.RETRY_SECONDS", 0)


def test_it_tells_a_problem_once_and_the_good_news(capsys: pytest.CaptureFixture[str]) -> None:
    full = StoreError("The disk is full.", "Free some space.")
    watch = StoreWatch([FakeServer(full, full, True, False)])  # type: ignore[list-item]
    assert [watch() for _ in range(4)] == [False] * 4
    assert capsys.readouterr().err.splitlines() == [
        "carebook: The disk is full. Free some space.",
        "carebook: The embedded MongoDB had ended and was started again.",
    ]


def test_it_reports_a_new_port_and_still_looks_after_the_others() -> None:
    servers = [FakeServer("moved", False), FakeServer(True, False)]
    watch = StoreWatch(servers)  # type: ignore[arg-type]
    assert watch() is True
    assert [len(server.outcomes) for server in servers] == [1, 1]
    assert watch() is False


def test_it_pauses_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.serve.RETRY_SECONDS", 60)
    server = FakeServer(StoreError("No.", "Yes."), True)
    watch = StoreWatch([server])  # type: ignore[list-item]
    assert watch() is False
    assert watch() is False
    assert len(server.outcomes) == 1
