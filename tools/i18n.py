"""Keeps the catalogues: finds the texts of the program, and takes translations.

    python tools/i18n.py update                  find new texts, drop old ones, list what is missing
    python tools/i18n.py add "English" "Tiếng Việt"   translate one text
    python tools/i18n.py add < FILE              the same for many: English and Vietnamese in turn,
                                                 one per line, or tab-separated on one line

Several people may do this at once: a lock keeps them apart.
"""

import fcntl
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("commands", "jobs", "models", "rules", "services", "stores", "templates", "views")
KEYWORDS = {
    "_": None,
    "N_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
}
HEADER = """\
# Vietnamese texts of Carebook. Change them with tools/i18n.py.
msgid ""
msgstr ""
"Project-Id-Version: Carebook\\n"
"Language: vi\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%%")


def main(arguments: list[str]) -> int:
    match arguments:
        case ["update"]:
            with locked():
                missing = update()
            for message in missing:
                print(f"untranslated: {message}")
            print(f"{len(missing)} untranslated")
            return 0
        case ["add", english, vietnamese]:
            return add([(english, vietnamese)])
        case ["add"]:
            return add(list(pairs(sys.stdin.read().splitlines())))
    print(__doc__, file=sys.stderr)
    return 2


def catalogue_path(locale: str = "vi") -> Path:
    return ROOT / "translations" / locale / "LC_MESSAGES" / "messages.po"


def extract() -> Catalog:
    """Every text of the program, in one catalogue without translations."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = Catalog(project="Carebook", charset="utf-8")
    for source in SOURCES:
        for _, _, text, comments, context in extract_from_dir(
            ROOT / source,
            methods,
            options,
            KEYWORDS,
            comment_tags=(),
            # Babel leaves out directories such as `_partials` unless told otherwise.
            directory_filter=lambda directory: not directory.endswith("__pycache__"),
        ):
            found.add(text, None, auto_comments=comments, context=context)
    return found


def load(locale: str = "vi") -> Catalog:
    path = catalogue_path(locale)
    if not path.exists():
        return Catalog(locale=locale, project="Carebook", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def update() -> list[str]:
    """Brings the catalogue up to the program; returns the texts without a translation."""
    catalogue = load()
    # Without guessing: a translation that only resembles is worse than none.
    catalogue.update(extract(), no_fuzzy_matching=True)
    for message in catalogue.obsolete.values():
        print(f"dropped: {name_of(message)}")
    catalogue.obsolete.clear()
    save(catalogue)
    return [name_of(message) for message in catalogue if message.id and not is_translated(message)]


def add(translations: list[tuple[str, str]]) -> int:
    """Puts translations in; texts that the program does not have yet are kept until `update`."""
    problems = [problem for pair in translations if (problem := disagreement(*pair))]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    with locked():
        catalogue = load()
        if any(catalogue.get(english) is None for english, _ in translations):
            update()  # a plural has to be known as one
            catalogue = load()
        for english, vietnamese in translations:
            known = catalogue.get(english)
            if known is not None:
                known.flags.discard("fuzzy")
            if known is not None and isinstance(known.id, tuple):
                known.string = (vietnamese,)
            elif known is not None:
                known.string = vietnamese
            else:
                catalogue.add(english, vietnamese)
        save(catalogue)
    return 0


def pairs(lines: list[str]) -> Iterator[tuple[str, str]]:
    lines = [line for line in lines if line.strip()]
    if any("\t" in line for line in lines):
        for line in lines:
            english, _, vietnamese = line.partition("\t")
            yield english, vietnamese
    else:
        yield from zip(lines[::2], lines[1::2], strict=True)


def disagreement(english: str, translated: str) -> str | None:
    """What is wrong with a translation: its placeholders are not those of the original."""
    wanted, found = set(PLACEHOLDER.findall(english)), set(PLACEHOLDER.findall(translated))
    if wanted != found:
        return f"{english!r}: placeholders {sorted(wanted)} became {sorted(found)}"
    return None if translated.strip() else f"{english!r}: the translation is empty"


def is_translated(message: Message) -> bool:
    strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return all(strings) and not message.fuzzy


def name_of(message: Message) -> str:
    return message.id[0] if isinstance(message.id, tuple) else message.id


def save(catalogue: Catalog) -> None:
    """Writes the catalogue whole: sorted and without dates and line numbers, for small diffs."""
    path = catalogue_path(str(catalogue.locale))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".po.draft")
    with os.fdopen(handle, "wb") as file:
        file.write(HEADER.encode())
        write_po(file, catalogue, width=0, no_location=True, sort_output=True, omit_header=True)
    os.chmod(draft, 0o644)
    os.replace(draft, path)


@contextmanager
def locked() -> Iterator[None]:
    """One process at a time may change the catalogues."""
    with (ROOT / "translations" / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
