"""What each row of an imported file would do to the records of a kind: the difference, or why not."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bson import ObjectId

from models import Customer, Record, Staff, TrashedRecord
from models.record_import import CHANGED, NEW, SAME, WRONG
from rules import field_values as texts
from rules.errors import N_, CareError, InvalidInput
from rules.fields import CHOICE, CHOICES, FILES, Field, Kind
from rules.permissions import CREATE, EDIT, SEE
from rules.phones import phone_key
from rules.scope import Actor, customer_scope, scope
from rules.text import fold
from services import configuration, field_values, references
from services.catalogues import Words
from services.imports.cells import stored_text
from services.job_runs import storable
from stores import mongo

Stored = dict[str, Any]
CODE = "code"
ID_BYTES = 12
_NOT_FOUND = {
    "customers": N_("“%(value)s” is no customer that you see. Write the number or the phone."),
    "staff": N_("“%(value)s” is nobody here. Write the e-mail or the name."),
}
CODE_LENGTH = 80


@dataclass
class Checked:
    """A row with what it would do (models.record_import.RecordImportRow)."""

    line: int
    cells: list[str]
    way: str = SAME
    record_id: ObjectId | None = None
    code: str = ""
    title: str = ""
    typed: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    reasons: list[Stored] = field(default_factory=list)

    def refuse(self, error: CareError, key: str = "") -> None:
        """Notes why the row is wrong; each wrong field by itself."""
        self.way = WRONG
        inner = error.fields if isinstance(error, InvalidInput) else {}
        for name, one in (inner or {key: error}).items():
            self.reasons.append(reason(one, name))


def reason(error: CareError, key: str = "") -> Stored:
    """Why something is wrong, as it can be stored and said in the reader's language."""
    return {"field": key, "message": error.message, "params": storable(error.params)}


def columns_of(kind: Kind, header: Sequence[str], by: Actor) -> list[Stored]:
    """[{header, field}]: the field that each column fills, or "" for one that is left out.

    A column is known by the field's label in either language, with or without diacritics, or by
    its key. Raises InvalidInput when two columns fill the same field, or none fills any.
    """
    known = _known_headers(kind, by)
    found = [{"header": one[:200], "field": known.get(fold(one), "")} for one in header]
    filled = [one["field"] for one in found if one["field"]]
    if not filled:
        raise InvalidInput(
            N_(
                "No column of the file has the name of a field. Take the names of the sample file "
                "into the first row."
            )
        )
    twice = next((one for one in filled if filled.count(one) > 1), None)
    if twice:
        raise InvalidInput(
            N_("Two columns are called “%(header)s”. Keep one of them."),
            header=next(one["header"] for one in found if one["field"] == twice),
        )
    return found


def fields_of(kind: Kind, by: Actor) -> dict[str, Field]:
    """The fields that a file can fill: the number, and what the actor may fill in, but for files."""
    shown = {CODE: kind.fields[CODE]} if by.access.level(kind.key, CODE) != "hidden" else {}
    typed = field_values.editable(kind, by.access)
    return shown | {key: one for key, one in typed.items() if one.family != FILES}


def field_label(field: Field, words: Words) -> str:
    """What the field is called in the language of the words."""
    return field.own_label(words.locale) or (words.say(field.name) if field.name else field.key)


def _known_headers(kind: Kind, by: Actor) -> dict[str, str]:
    found: dict[str, str] = {}
    fields = fields_of(kind, by)
    for words in (Words("en"), Words("vi")):
        for key, one in fields.items():
            found.setdefault(fold(field_label(one, words)), key)
    return {**found, **{fold(key): key for key in fields}}


class Checker:
    """Tells what rows would do, for one actor; the same rows again give the same answer."""

    def __init__(self, kind: Kind, columns: Sequence[Stored], *, by: Actor, at: datetime) -> None:
        self._kind, self._by = kind, by
        self._keys = [one["field"] for one in columns]
        self._fields = fields_of(kind, by)
        typing = field_values.typing_for(
            configuration.snapshot(), by, at.astimezone(mongo.zone()).date()
        )
        self._typing = replace(typing, refer=self._refer)
        self._referred: dict[tuple[str, str], ObjectId | InvalidInput] = {}
        self._lines: dict[str, int] = {}  # where a number stood first
        self._same: dict[str, int] = {}  # how often the same row stood before
        self._trashed: set[Any] = set()
        self._seen: set[ObjectId] = set()
        self._editable: set[ObjectId] = set()

    def check(self, rows: Sequence[tuple[int, list[str]]]) -> list[Checked]:
        """What each row would do; a few queries for all of them."""
        found = [self._read(line, cells) for line, cells in rows]
        stored = self._stored([one for one in found if one.way != WRONG])
        self._trashed = _trashed(found)
        ids = {one["_id"] for one in stored.values()}
        self._seen, self._editable = (self._reached(ids, action) for action in (SEE, EDIT))
        names = references.of_rows(
            stored.values(), [one for one in self._fields.values() if one.refers_to], by=self._by
        )
        for row in found:
            if row.way != WRONG:
                self._decide(row, stored, names)
        return found

    def _read(self, line: int, cells: list[str]) -> Checked:
        row = Checked(line, [one[:1000] for one in cells])
        for key, cell in zip(self._keys, cells, strict=True):
            # An empty cell says nothing about the field.
            if key and (text := stored_text(cell)):
                row.typed[key] = text
        row.code = row.typed.pop(CODE, "")
        row.title = row.typed.get("title", "")[:200]
        self._name(row)
        return row

    def _name(self, row: Checked) -> None:
        """The record that the row is about: by its number, or else by what the row says.

        The same row gives the same id, and so the same file twice one record.
        """
        if len(row.code) > CODE_LENGTH:
            limit = InvalidInput(
                N_("This has %(length)s characters; shorten it to at most %(limit)s."),
                length=len(row.code),
                limit=CODE_LENGTH,
            )
            row.refuse(limit, CODE)
            return
        if row.code:
            first = self._lines.setdefault(row.code, row.line)
            if first != row.line:
                row.refuse(
                    InvalidInput(N_("The same number stands in row %(line)s."), line=first), CODE
                )
            return
        said = json.dumps([self._kind.key, sorted(row.typed.items())])
        place = self._same[said] = self._same.get(said, 0) + 1
        digest = hashlib.sha256(f"{said} {place}".encode()).digest()
        row.record_id = ObjectId(digest[:ID_BYTES])

    def _stored(self, rows: Sequence[Checked]) -> dict[Any, Stored]:
        """{number or id: record} of what is there, whatever its kind and whoever sees it."""
        codes = [one.code for one in rows if one.code]
        ids = [one.record_id for one in rows if not one.code]
        either = {"$or": [{"code": {"$in": codes}}, {"_id": {"$in": ids}}]}
        found = list(Record.collection().find(either))
        return {one["code"]: one for one in found} | {one["_id"]: one for one in found}

    def _reached(self, ids: Iterable[ObjectId], action: str) -> set[ObjectId]:
        """Those of the records with which the actor may do this."""
        mine = {"_id": {"$in": list(ids)}, "kind": self._kind.key}
        reached = {"$and": [mine, scope(self._by, self._kind.key, action)]}
        return {row["_id"] for row in Record.collection().find(reached, {"_id": 1})}

    def _decide(self, row: Checked, stored: Mapping[Any, Stored], names: Any) -> None:
        record = stored.get(row.code or row.record_id)
        try:
            if record is not None:
                self._compare(row, record, names)
            else:
                self._begin(row)
        except CareError as error:
            row.refuse(error)

    def _begin(self, row: Checked) -> None:
        if not self._by.may(self._kind.key, CREATE):
            raise InvalidInput(
                N_("You may change records of this kind, but not add any. Give the row a number.")
            )
        if (row.code or row.record_id) in self._trashed:
            raise InvalidInput(N_("This record is in the trash. Restore it first."))
        self._normalise(row, {}, {})
        row.way = NEW
        row.record_id = row.record_id or ObjectId()
        allowed = field_values.editable(self._kind, self._by.access)
        made = field_values.changes(
            self._kind,
            row.typed,
            {},
            self._by.access,
            self._typing,
            asked=list(allowed),
            is_new=True,
        )
        field_values.refuse_duplicates(self._kind, made, row.record_id, self._by)

    def _compare(
        self, row: Checked, record: Stored, names: Mapping[str, Mapping[Any, str]]
    ) -> None:
        if not row.code:
            row.way = SAME  # it was imported before, and people have changed it since, or not
            return
        if record["_id"] not in self._seen:
            raise InvalidInput(
                N_("The number “%(code)s” is taken. Correct it, or leave it empty."),
                code=row.code,
            )
        row.record_id, row.title = record["_id"], str(record.get("title") or "")
        self._normalise(row, record, names)
        made = field_values.changes(self._kind, row.typed, record, self._by.access, self._typing)
        if not made:
            row.way = SAME
            return
        if record["_id"] not in self._editable:
            raise InvalidInput(N_("You may see this record, but not change it."))
        field_values.refuse_duplicates(self._kind, made, record["_id"], self._by)
        row.way = CHANGED
        changed = {key for key in row.typed if self._fields[key].path in made}
        row.typed = {key: text for key, text in row.typed.items() if key in changed}
        row.shown = field_values.form_values({key: self._fields[key] for key in changed}, record)

    def _normalise(
        self, row: Checked, record: Stored, names: Mapping[str, Mapping[Any, str]]
    ) -> None:
        """Names become keys and ids, as forms send them. Raises InvalidInput with `fields`."""
        errors: dict[str, CareError] = {}
        for key, text in row.typed.items():
            try:
                row.typed[key] = self._as_typed(self._fields[key], text, record, names)
            except InvalidInput as error:
                errors[key] = error
        if errors:
            raise InvalidInput(fields=errors)

    def _as_typed(
        self, field: Field, text: str, record: Stored, names: Mapping[str, Mapping[Any, str]]
    ) -> str:
        now = field_values.value_of(field, record)
        # An exported file names people and customers: who is named already stays.
        if field.refers_to and now and fold(names[field.refers_to].get(now, "")) == fold(text):
            return field_values.form_text(field, now)
        if field.family == CHOICE:
            text = self._chosen(field, text)
        elif field.family == CHOICES:
            parts = [part.strip() for part in text.split(",") if part.strip()]
            text = ", ".join(self._chosen(field, part) for part in parts)
        if text == field_values.form_text(field, now):
            return text  # what is left alone stays, even if it could not be chosen any more
        return field_values.form_text(field, texts.parse(field, text, self._typing))

    def _chosen(self, field: Field, text: str) -> str:
        if text in self._typing.known_values(field.pick_list) or self._typing.labels is None:
            return text
        return self._typing.labels(field.pick_list).get(fold(text), text)

    def _refer(self, kind: str, text: str) -> Any:
        """The id of what a cell names; each name is looked up once."""
        key = (kind, text)
        if key not in self._referred:
            try:
                self._referred[key] = self._found(kind, text)
            except InvalidInput as error:
                self._referred[key] = error
        found = self._referred[key]
        if isinstance(found, InvalidInput):
            raise found
        return found

    def _found(self, kind: str, text: str) -> ObjectId:
        find = {"customers": self._by_phone, "staff": self._by_name}.get(kind)
        try:
            return field_values.referred(kind, text, self._by)
        except InvalidInput:
            if find is None:
                raise
            ids = find(text)
        if not ids:
            raise InvalidInput(_NOT_FOUND[kind], value=text[:60])
        if len(ids) > 1:
            raise InvalidInput(
                N_("“%(value)s” names several. Write the number or the e-mail."), value=text[:60]
            )
        return ids[0]

    def _by_phone(self, text: str) -> list[ObjectId]:
        phone = phone_key(text)
        theirs = {"$and": [{"phone_keys": phone}, customer_scope(self._by)]}
        found = Customer.collection().find(theirs, {"_id": 1}).limit(2) if phone else ()
        return [row["_id"] for row in found]

    def _by_name(self, text: str) -> list[ObjectId]:
        return self._staff().get(fold(text), [])

    def _staff(self) -> dict[str, list[ObjectId]]:
        if not hasattr(self, "_names"):
            self._names: dict[str, list[ObjectId]] = {}
            for row in Staff.collection().find({}, {"name": 1}):
                self._names.setdefault(fold(row.get("name") or ""), []).append(row["_id"])
        return self._names


def _trashed(rows: Iterable[Checked]) -> set[Any]:
    """The numbers and ids of these rows that records in the trash have."""
    codes = [one.code for one in rows if one.code]
    ids = [one.record_id for one in rows if not one.code]
    either: list[Stored] = [{"code": {"$in": codes}}, {"record_id": {"$in": ids}}]
    found: set[Any] = set()
    for one in either:
        wanted = {"kind": "records", **one}
        for row in TrashedRecord.collection().find(wanted, {"code": 1, "record_id": 1}):
            found |= {row.get("code"), row["record_id"]}
    return found


def counted(rows: Iterable[Checked]) -> dict[str, int]:
    """{way: how many rows}."""
    found = dict.fromkeys((NEW, CHANGED, SAME, WRONG), 0)
    for one in rows:
        found[one.way] += 1
    return found
