"""A browser without a window, in which people log in and send forms."""

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from models import Staff
from services import staff_sessions
from views.context import now
from views.identity import SESSION_KEY

TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


class Browser(FlaskClient):
    """A client that sends forms as a page does: with the token of the page."""

    def open(self, *where: Any, **options: Any) -> TestResponse:
        """Reads each answer to its end, so that files are closed."""
        return super().open(*where, **{"buffered": True, **options})

    def send(
        self, address: str, form: dict[str, Any] | None = None, **options: Any
    ) -> TestResponse:
        """Posts a form with a valid token."""
        return self.post(address, data={"csrf_token": self.token(), **(form or {})}, **options)

    def send_large(
        self, address: str, texts: dict[str, str], name: str, *files: FileStorage
    ) -> TestResponse:
        """Posts a form with large files under one name: `send` leaves temporary files open."""
        form = {"csrf_token": self.token(), **texts, name: list(files)}
        boundary, whole = encode_multipart(form)
        return self.post(
            address, data=whole, content_type=f"multipart/form-data; boundary={boundary}"
        )

    def token(self) -> str:
        page = self.get("/nowhere").get_data(as_text=True)
        found = TOKEN.search(page)
        assert found, page
        return found.group(1)

    def log_in(self, staff: Staff) -> str:
        """Logs in as if by password; returns the key of the session."""
        with self.application.app_context():
            key = staff_sessions.open_session(
                staff, now(), address="127.0.0.1", agent="Firefox Linux"
            )
        with self.session_transaction() as session:
            session["_user_id"] = staff.fs_uniquifier
            session["_fresh"] = True
            session[SESSION_KEY] = key
        return key
