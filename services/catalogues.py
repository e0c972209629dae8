"""The catalogues of translated texts, and texts for readers outside the web application."""

import os
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import structlog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from config import PROJECT_ROOT
from rules.errors import CareError
from rules.sentences import Sentence

CATALOGUES = PROJECT_ROOT / "translations"

log = structlog.get_logger(__name__)


class Words:
    """Texts in one language: for the command line, error files and background jobs."""

    def __init__(self, locale: str) -> None:
        compile_catalogues(CATALOGUES)
        self.locale = locale
        self._catalogue = Translations.load(str(CATALOGUES), [locale])

    def say(self, message: str, /, **params: Any) -> str:
        """The text of an English gettext id with its parameters filled in."""
        text = str(self._catalogue.gettext(message))
        shown = {name: self._shown(value) for name, value in params.items()}
        return text % shown if shown else text

    def error(self, error: CareError) -> str:
        """What the error says; for wrong fields, what is wrong with each."""
        return self.say(error.message, **error.params)

    def number(self, number: int) -> str:
        """A whole number in groups of three."""
        text = f"{number:,}"
        return text.replace(",", ".") if self.locale == "vi" else text

    def _shown(self, value: Any) -> Any:
        if isinstance(value, Sentence):
            return self.say(value.message, **value.params)
        if isinstance(value, CareError):
            return self.error(value)
        if isinstance(value, date):
            return f"{value.day:02}/{value.month:02}/{value.year:04}"
        if isinstance(value, int) and not isinstance(value, bool):
            return self.number(value)
        if isinstance(value, list | tuple):
            return ", ".join(str(self._shown(one)) for one in value)
        return value


def compile_catalogues(directory: Path) -> None:
    """Brings each .mo file up to its .po file; two processes at once do no harm."""
    for source in directory.glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        try:
            _compile(source, target)
        except OSError as error:
            log.warning("catalogue not compiled", catalogue=str(source), error=str(error))


def _compile(source: Path, target: Path) -> None:
    with source.open("rb") as file:
        catalogue = read_po(file, locale=source.parent.parent.name)
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".mo")
    with os.fdopen(handle, "wb") as file:
        write_mo(file, catalogue)
    os.chmod(draft, 0o644)
    os.replace(draft, target)
