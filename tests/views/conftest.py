"""The application and browsers of the standing cast."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from flask import Flask
from pymongo import monitoring

from app import create_app
from config import Settings
from models import Staff
from rules.scope import Actor
from stores import mongo
from tests.factories import NOW
from tests.views.browser import Browser
from tests.views.world import World, furnished


@pytest.fixture(scope="session")
def app(settings: Settings) -> Flask:
    """The application as it is served."""
    return make_app(settings)


def make_app(settings: Settings, **changes: Any) -> Flask:
    """An application with some settings changed."""
    made = create_app(settings.model_copy(update=changes))
    made.test_client_class = Browser
    return made


@pytest.fixture
def stranger(app: Flask, db: Any) -> Browser:
    """A browser without a login."""
    client = app.test_client()
    assert isinstance(client, Browser)
    return client


@pytest.fixture
def browser_of(app: Flask) -> Callable[[Actor], Browser]:
    """A browser in which the actor is logged in: `browser_of(agent)`."""

    def make(actor: Actor) -> Browser:
        client = app.test_client()
        client.log_in(Staff.objects.get(pk=actor.staff_id))
        return client

    return make


@pytest.fixture
def morning(db: Any) -> Iterator[None]:
    """It is 10:00 of factories.TODAY in Ho Chi Minh City, and the clock runs."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def desk(morning: None, shipped: None, agent: Actor, browser_of: Callable[[Actor], Browser]) -> Any:
    """A care agent's browser, in the morning, with the shipped pick lists."""
    return browser_of(agent)


@pytest.fixture
def world(db: Any, agent: Actor, colleague: Actor, manager: Actor) -> World:
    """The same things once mine, once a colleague's, once in the trash, under care by customer."""
    return furnished(db, agent, colleague, manager)


class _Listener(monitoring.CommandListener):
    def __init__(self) -> None:
        self.seen: list[str] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        name = event.command_name
        if name not in ("hello", "ping", "endSessions"):
            self.seen.append(f"{name} {event.command.get(name)}")

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


@pytest.fixture
def queries(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What MongoDB is asked, in order, as "command collection"."""
    listener = _Listener()
    mongo.disconnect()
    monkeypatch.setitem(mongo.OPTIONS, "event_listeners", [listener])
    mongo.connect(settings)
    yield listener.seen
    mongo.disconnect()
