"""A person's browser: cookies, forms and their tokens; it does not follow where it is sent."""

import html
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any

SECONDS = 20  # a person loses patience after this
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"|name="csrf-token" content="([^"]+)"')
FIELD = r'name="{}" value="([^"]*)"'


class Away(Exception):
    """The server did not answer, or only that it cannot now; the same may be sent again."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer: a page, or where to go on."""

    status: int
    text: str
    goes_to: str

    @property
    def has_gone_on(self) -> bool:
        """Whether a form led on, and not back to the login."""
        return self.status in (302, 303) and "/login" not in self.goes_to

    @property
    def token(self) -> str:
        found = TOKEN.search(self.text)
        return html.unescape(found.group(1) or found.group(2)) if found else ""

    def value(self, name: str) -> str:
        """The first value of a field."""
        found = re.search(FIELD.format(name), self.text)
        return html.unescape(found.group(1)) if found else ""


class Browser:
    """Logs in again by itself when the server asks for it."""

    def __init__(self, address: str, email: str, password: str) -> None:
        self.address, self.email, self.password = address, email, password
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()), _StayHere()
        )

    def get(self, path: str) -> Page:
        """The page at `path`. Raises Away."""
        page = self._ask(path)
        if self._asks_who_it_is(page):
            self.log_in()
            page = self._ask(path)
        return page

    def post(self, path: str, form: dict[str, Any]) -> Page:
        """The answer to a form. Raises Away."""
        return self._ask(path, urllib.parse.urlencode(form).encode())

    def log_in(self) -> None:
        """Logs in by the form. Raises Away when that does not work."""
        form = {"csrf_token": self._ask("/login").token}
        page = self.post("/login", form | {"email": self.email, "password": self.password})
        if page.status not in (302, 303):
            raise Away(f"login answered {page.status}")

    @staticmethod
    def _asks_who_it_is(page: Page) -> bool:
        return page.status in (302, 303) and "/login" in page.goes_to

    def _ask(self, path: str, body: bytes | None = None) -> Page:
        headers = {"Accept": "text/html", "Referer": self.address + path}
        request = urllib.request.Request(self.address + path, body, headers)  # noqa: S310 ours
        try:
            return self._answer(request)
        except Away:
            raise
        except Exception as error:  # no answer or half of one: http.client has many names for it
            raise Away(str(error) or repr(error)) from error

    def _answer(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                return Page(answer.status, answer.read().decode(), "")
        except urllib.error.HTTPError as answer:
            with answer:
                text = answer.read().decode(errors="replace")
            if answer.code >= 500:
                raise Away(f"answered {answer.code}") from answer
            return Page(answer.code, text, answer.headers.get("Location") or "")


class _StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None
