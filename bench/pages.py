"""Pages as a web server asks for them, and how long they take in turns."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

Work = Callable[[], Any]


def page(client: FlaskClient, url: str) -> Work:
    """What asks for this page with the cookies of the client.

    It calls the application as a web server does: the test client takes a millisecond to make the
    request and to read the answer.

    Raises:
        RuntimeError: when called, for another answer than 200.
    """
    application = client.application
    client.get(url)  # which may write to the session: the next request brings it along
    environ = EnvironBuilder(url).get_environ()
    cookie = client.get_cookie(application.config["SESSION_COOKIE_NAME"])
    if cookie:
        environ["HTTP_COOKIE"] = f"{cookie.key}={cookie.value}"

    def ask() -> None:
        answers: list[str] = []
        body = application(dict(environ), lambda status, headers, *_: answers.append(status))
        b"".join(body)
        if not answers[0].startswith("200"):
            raise RuntimeError(f"{url} answers {answers[0]}")

    return ask


def medians(*work: Work, rounds: int) -> list[float]:
    """Median seconds of each, measured in turns so that the machine's mood hits all alike."""
    for one in work:
        one()
    seconds: list[list[float]] = [[] for _ in work]
    for _ in range(rounds):
        for place, one in enumerate(work):
            began = time.perf_counter()
            one()
            seconds[place].append(time.perf_counter() - began)
    return [statistics.median(times) for times in seconds]
