"""The mapping file: which column of a CSV file becomes what (TOML, see docs/import.md)."""

import codecs
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from models.order import ORDER_KINDS, SALE
from rules.errors import N_, InvalidInput
from services.imports.cells import CLEANERS
from services.imports.targets import ORDERS, TARGETS, Column

KEYS = ("kind", "group_by", "date_format", "timezone", "delimiter", "encoding", "columns", "rules")
COLUMN_KEYS = ("to", "clean", "separator")
KIND_RULE_KEYS = ("if_code_starts_with", "then", "else")
EXAMPLE_INSTANT = datetime(2010, 12, 31, 14, 30, 5)  # noqa: DTZ001  (only to show a format)


class BadMapping(InvalidInput):
    """The mapping file cannot be used, or does not fit the file that is imported."""


@dataclass(frozen=True, slots=True)
class KindRule:
    """Which orders are sales, returns or purchases, from the order's code."""

    prefix: str = ""
    then: str = SALE
    otherwise: str = SALE

    def kind_of(self, code: str) -> str:
        return self.then if self.prefix and code.startswith(self.prefix) else self.otherwise


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """A valid mapping. `date_format` None means ISO 8601; `zone` is that of dates without one."""

    kind: str
    columns: tuple[Column, ...]
    zone: ZoneInfo
    date_format: str | None = None
    delimiter: str = ","
    encoding: str = "utf-8"
    kind_rule: KindRule = KindRule()

    @property
    def date_example(self) -> str:
        """A date as the file must write it, to show in messages."""
        return EXAMPLE_INSTANT.strftime(self.date_format or "%Y-%m-%d %H:%M:%S")

    def positions(self, headers: Sequence[str], file: str) -> dict[str, tuple[int, Column]]:
        """`{target name: (index of its column, column)}` in a file with these headers.

        Raises BadMapping when a mapped column is missing or stands in the file twice.
        """
        found = {}
        for column in self.columns:
            if headers.count(column.header) != 1:
                self._refuse(column.header, headers, file)
            found[column.target.name] = (headers.index(column.header), column)
        return found

    def _refuse(self, missing: str, headers: Sequence[str], file: str) -> None:
        if missing in headers:
            raise BadMapping(
                N_("%(file)s has more than one column “%(column)s”. Rename or delete one of them."),
                file=file,
                column=missing,
            )
        other = next((sign for sign in ";\t|," if sign in headers[0]), None)
        if len(headers) == 1 and other:
            raise BadMapping(
                N_(
                    "The columns of %(file)s seem to be separated by %(sign)s and not by "
                    "%(expected)s. Write delimiter = %(sign)s into the mapping."
                ),
                file=file,
                sign=_quoted(other),
                expected=_quoted(self.delimiter),
            )
        raise BadMapping(
            N_(
                "%(file)s has no column “%(column)s”, which the mapping names. Its columns are: "
                "%(columns)s. Correct the mapping, or the first line of the file."
            ),
            file=file,
            column=missing,
            columns=", ".join(headers[:50]),
        )


def _quoted(sign: str) -> str:
    return '"\\t"' if sign == "\t" else f'"{sign}"'


def load_mapping(path: Path, kind: str, zone: ZoneInfo) -> ImportMapping:
    """Reads and checks the mapping file of an import of this kind (`products` or `orders`).

    `zone` is the site's, used when the mapping names none. Raises BadMapping.
    """
    try:
        with path.open("rb") as file:
            written = tomllib.load(file)
    except OSError as error:
        raise BadMapping(
            N_("The mapping file %(file)s cannot be read: %(reason)s. Check its name and rights."),
            file=str(path),
            reason=error.strerror or str(error),
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadMapping(
            N_("The mapping file %(file)s is not valid TOML: %(reason)s."),
            file=str(path),
            reason=str(error),
        ) from error
    return parse_mapping(written, kind, zone)


def parse_mapping(written: dict[str, Any], kind: str, zone: ZoneInfo) -> ImportMapping:
    """Checks a mapping as it was read from TOML. Raises BadMapping."""
    _only_known("", written, KEYS)
    _right_kind(written.get("kind"), kind)
    columns = _columns(written.get("columns"), kind)
    _grouped_by_code(written.get("group_by"), columns)
    return ImportMapping(
        kind=kind,
        columns=columns,
        zone=_zone(written.get("timezone"), zone),
        date_format=_date_format(written.get("date_format")),
        delimiter=_delimiter(written.get("delimiter", ",")),
        encoding=_encoding(written.get("encoding", "utf-8")),
        kind_rule=_kind_rule(written.get("rules", {}), kind, columns),
    )


def _only_known(where: str, written: dict[str, Any], known: Sequence[str]) -> None:
    for key in written:
        if key not in known:
            raise BadMapping(
                N_("The mapping has an unknown key “%(key)s”. Known keys here: %(known)s."),
                key=f"{where}{key}",
                known=", ".join(known),
            )


def _right_kind(written: Any, kind: str) -> None:
    if written != kind:
        raise BadMapping(
            N_(
                "The mapping says kind = “%(written)s”, but this is an import of %(kind)s. "
                "Choose the mapping for %(kind)s."
            ),
            written=written or "",
            kind=kind,
        )


def _columns(written: Any, kind: str) -> tuple[Column, ...]:
    if not isinstance(written, dict) or not written:
        raise BadMapping(N_("The mapping has no [columns]. Name each column and its target there."))
    columns = tuple(_column(header, value, kind) for header, value in written.items())
    targets = [column.target.name for column in columns]
    for target in TARGETS[kind].values():
        if target.required and target.name not in targets:
            raise BadMapping(
                N_("The mapping has no column for %(target)s, which is needed."),
                target=target.name,
            )
        if targets.count(target.name) > 1:
            raise BadMapping(
                N_("The mapping gives %(target)s to more than one column. Keep one of them."),
                target=target.name,
            )
    return columns


def _column(header: str, value: Any, kind: str) -> Column:
    table = {"to": value} if isinstance(value, str) else value
    if not isinstance(table, dict):
        raise BadMapping(
            N_("Column “%(column)s” of the mapping must name its target, as a text or a table."),
            column=header,
        )
    _only_known(f"columns.{header}.", table, COLUMN_KEYS)
    target = TARGETS[kind].get(str(table.get("to")))
    if target is None:
        raise BadMapping(
            N_(
                "Column “%(column)s” of the mapping goes to “%(target)s”, which does not exist. "
                "Possible targets: %(known)s."
            ),
            column=header,
            target=str(table.get("to")),
            known=", ".join(TARGETS[kind]),
        )
    clean, separator = table.get("clean"), table.get("separator", "/")
    if clean is not None and clean not in CLEANERS:
        raise BadMapping(
            N_(
                "Column “%(column)s” of the mapping is cleaned by “%(clean)s”, which does not "
                "exist. Possible: %(known)s."
            ),
            column=header,
            clean=str(clean),
            known=", ".join(CLEANERS),
        )
    if not isinstance(separator, str) or not separator:
        raise BadMapping(
            N_("The separator of column “%(column)s” in the mapping must be a text, like “/”."),
            column=header,
        )
    return Column(header, target, clean, separator)


def _grouped_by_code(written: Any, columns: Sequence[Column]) -> None:
    code = next((column.header for column in columns if column.target.name == "order.code"), None)
    if written is not None and written != code:
        raise BadMapping(
            N_(
                "group_by in the mapping names “%(written)s”; it must name the column of "
                "order.code, because the lines with one order code are one order."
            ),
            written=str(written),
        )


def _zone(written: Any, default: ZoneInfo) -> ZoneInfo:
    if written is None:
        return default
    try:
        return ZoneInfo(written)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise BadMapping(
            N_("The mapping's timezone “%(written)s” is unknown. Write one like Asia/Ho_Chi_Minh."),
            written=str(written),
        ) from error


def _date_format(written: Any) -> str | None:
    if written is None:
        return None
    try:
        text = EXAMPLE_INSTANT.strftime(written)
        whole = datetime.strptime(text, written).date() == EXAMPLE_INSTANT.date()  # noqa: DTZ007
    except (ValueError, TypeError):
        whole = False
    if not whole:
        raise BadMapping(
            N_(
                "The mapping's date_format “%(written)s” does not give a whole date. Write one "
                "like %%Y-%%m-%%d %%H:%%M:%%S or %%d/%%m/%%Y %%H:%%M."
            ),
            written=str(written),
        )
    return str(written)


def _delimiter(written: Any) -> str:
    if not isinstance(written, str) or len(written) != 1 or written in "\r\n\"'":
        raise BadMapping(
            N_("The mapping's delimiter must be one character, such as “,”, “;” or a tab.")
        )
    return written


def _encoding(written: Any) -> str:
    try:
        known = codecs.lookup(written)
        "a".encode(known.name)
    except (LookupError, TypeError, ValueError) as error:
        raise BadMapping(
            N_("The mapping's encoding “%(written)s” is unknown. Write utf-8, utf-16 or cp1258."),
            written=str(written),
        ) from error
    return "utf-8" if known.name == "utf-8-sig" else known.name


def _kind_rule(written: Any, kind: str, columns: Sequence[Column]) -> KindRule:
    if not isinstance(written, dict):
        raise BadMapping(N_("[rules] in the mapping must be a table."))
    _only_known("rules.", written, ("order.kind",) if kind == ORDERS else ())
    rule = written.get("order.kind")
    if rule is None:
        return KindRule()
    if any(column.target.name == "order.kind" for column in columns):
        raise BadMapping(
            N_("The mapping says order.kind twice, in [columns] and in [rules]. Keep one of them.")
        )
    if isinstance(rule, str):
        rule = {"if_code_starts_with": "", "then": rule, "else": rule}
    return _prefix_rule(rule)


def _prefix_rule(rule: Any) -> KindRule:
    if not isinstance(rule, dict) or set(rule) != set(KIND_RULE_KEYS):
        raise BadMapping(
            N_("The mapping's rule for order.kind must have the keys %(known)s."),
            known=", ".join(KIND_RULE_KEYS),
        )
    prefix, then, otherwise = (rule[key] for key in KIND_RULE_KEYS)
    if then not in ORDER_KINDS or otherwise not in ORDER_KINDS or not isinstance(prefix, str):
        raise BadMapping(
            N_("The mapping's rule for order.kind must give one of: %(known)s."),
            known=", ".join(ORDER_KINDS),
        )
    return KindRule(prefix, then, otherwise)
