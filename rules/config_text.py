"""The configuration as text: YAML with nothing but plain data, read with the line of each thing.

Only what `written` writes is understood: no aliases (a few lines of them become gigabytes), no
tags (they name classes), no dates or clock times (they stay the text that they are).
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from rules.errors import N_, InvalidInput

FORMAT = 1
FORMAT_KEY, END_KEY = "carebook_configuration", "end"
SIZE_LIMIT = 5_000_000  # bytes
DEPTH_LIMIT = 20
PARTS_LIMIT = 200_000
WHOLE_LIMIT = 2**63  # what the database can keep

# The same reader in C where the package has it: ten times as fast.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Place = tuple[str | int, ...]
WHOLE = re.compile(r"-?(0|[1-9][0-9]*)\Z")
BROKEN = re.compile(r"-?[0-9]+\.[0-9]+([eE][-+]?[0-9]+)?\Z")
OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029\ufeff]")
WORDS: Mapping[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}

CUT = N_("The file is not complete: it breaks off at line %(line)s. Take the whole file.")
UNREADABLE = N_(
    "Line %(line)s cannot be read. See whether a colon, a quotation mark or the space at its beginning is wrong, there or in the line before."
)


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Lists are indented, so that a person sees what belongs to what; nothing is repeated by alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: Any, text: str) -> Any:
    # Line breaks of other kinds survive only as escapes.
    style = '"' if OTHER_BREAKS.search(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says; `line(place)` is where, for messages."""

    data: Mapping[str, Any]
    lines: Mapping[Place, int] = field(default_factory=dict)

    def line(self, place: Place) -> int:
        """The line of a thing, or of the nearest thing around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def written(sections: Mapping[str, Any], comments: Iterable[str] = ()) -> str:
    """The file: comments, the number of the format, the sections in their order, and its end."""
    head = "".join(f"# {' '.join(str(line).split())}\n" for line in comments)
    parts = [{FORMAT_KEY: FORMAT}, *({key: items} for key, items in sections.items())]
    body = "\n".join(
        yaml.dump(part, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
        for part in [*parts, {END_KEY: True}]
    )
    return f"{head}{body}"


def read(raw: bytes) -> Document:
    """What the file says, whole.

    Raises InvalidInput with the line for what is no such file, was cut off, or is too large.
    """
    if len(raw) > SIZE_LIMIT:
        raise InvalidInput(
            N_("The file is larger than %(limit)s MB. A configuration is not."),
            limit=SIZE_LIMIT // 1_000_000,
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            N_("The file is not text in UTF-8. Save it as UTF-8 and try again.")
        ) from error
    document = _built(text)
    if document.data.get(FORMAT_KEY) is None:
        raise InvalidInput(
            N_("This is no configuration of Carebook: the line “%(line)s” is missing."),
            line=f"{FORMAT_KEY}: {FORMAT}",
        )
    if document.data[FORMAT_KEY] != FORMAT or isinstance(document.data[FORMAT_KEY], bool):
        raise InvalidInput(
            N_("The file has format %(found)s; this version reads format %(known)s."),
            found=str(document.data[FORMAT_KEY])[:20],
            known=FORMAT,
        )
    if document.data.get(END_KEY) is not True:
        raise InvalidInput(
            N_(
                "The end of the file is missing (the line “%(line)s”): it was cut off. Take the whole file."
            ),
            line=f"{END_KEY}: true",
        )
    return document


def _built(text: str) -> Document:
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=LOADER):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        is_cut = f"\n{END_KEY}: true" not in text
        raise InvalidInput(CUT if is_cut else UNREADABLE, line=line) from error
    except yaml.YAMLError as error:
        raise InvalidInput(
            N_("The file contains characters that no text has. Take the file as it was exported.")
        ) from error
    if not isinstance(reader.root, dict):
        raise InvalidInput(
            N_("This is no configuration of Carebook: the line “%(line)s” is missing."),
            line=f"{FORMAT_KEY}: {FORMAT}",
        )
    return Document(reader.root, reader.lines)


class _Reader:
    """Builds plain data from the events of a parser, without recursion."""

    def __init__(self) -> None:
        self.root: Any = None
        self.lines: dict[Place, int] = {}
        self._open: list[Any] = []  # the dicts and lists that are not ended
        self._keys: list[str | None] = []  # the key that waits for its value, per open one
        self._place: list[str | int] = []
        self._parts = self._documents = 0

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _wrong(line, N_("Line %(line)s: a second document begins. Keep one."))
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _wrong(
                line,
                N_("Line %(line)s: “&” and “*” are not understood here. Write the value itself."),
            )
        if getattr(event, "tag", None):
            raise _wrong(
                line, N_("Line %(line)s: “!” is not understood here. Write the plain value.")
            )
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.MappingStartEvent):
            self._begin({}, line)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._begin([], line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._open.pop()
            self._keys.pop()
            if self._place:
                self._place.pop()

    def _scalar(self, event: Any, line: int) -> None:
        if self._open and isinstance(self._open[-1], dict) and self._keys[-1] is None:
            self._key(event.value, line)
            return
        value = _plain(event.value, line) if event.implicit[0] else event.value
        self._put(value, line)
        self._place.pop()

    def _key(self, key: str, line: int) -> None:
        if key in self._open[-1]:
            raise _wrong(line, N_("Line %(line)s: “%(key)s” stands here twice."), key=key[:60])
        self._keys[-1] = key

    def _begin(self, value: Any, line: int) -> None:
        if self._open and isinstance(self._open[-1], dict) and self._keys[-1] is None:
            raise _wrong(line, N_("Line %(line)s: a name must be a plain word."))
        if len(self._open) >= DEPTH_LIMIT:
            raise _wrong(
                line,
                N_("Line %(line)s: more than %(limit)s levels in each other."),
                limit=DEPTH_LIMIT,
            )
        self._put(value, line)
        self._open.append(value)
        self._keys.append(None)

    def _put(self, value: Any, line: int) -> None:
        """Adds the value to what is open, and makes its place the current one."""
        self._parts += 1
        if self._parts > PARTS_LIMIT:
            raise _wrong(line, N_("Line %(line)s: the file has too many parts."))
        if not self._open:
            self.root = value
            self._place.append("")
        elif isinstance(self._open[-1], dict):
            key = self._keys[-1] or ""
            self._open[-1][key] = value
            self._keys[-1] = None
            self._place.append(key)
        else:
            self._open[-1].append(value)
            self._place.append(len(self._open[-1]) - 1)
        self.lines[tuple(self._place[1:])] = line


def _plain(text: str, line: int) -> Any:
    if text in WORDS:
        return WORDS[text]
    if WHOLE.match(text):
        if len(text) > 20 or not -WHOLE_LIMIT <= int(text) < WHOLE_LIMIT:
            raise _wrong(line, N_("Line %(line)s: this number is too large."))
        return int(text)
    if BROKEN.match(text):
        number = float(text)
        if not math.isfinite(number):
            raise _wrong(line, N_("Line %(line)s: this number is too large."))
        return number
    return text


def _wrong(line: int, message: str, **params: Any) -> InvalidInput:
    return InvalidInput(message, line=line, **params)
