"""The page of a record of any kind: summary left, tabs right, as the layout of its reader says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import request

from rules import layouts
from rules.fields import FILES, Field, Kind
from rules.layouts import Layout, Tab
from rules.permissions import CONFIGURE, EDIT, EDITED, HIDDEN, MASKED
from rules.record_paths import value_at
from rules.scope import Actor
from rules.sentences import Sentence
from services import field_files, field_values, records, references
from services.configuration import Configuration
from views import panels
from views.base import AccessControl
from views.cells import EMPTY, Cell
from views.context import configured, current_actor, locale, person, today
from views.field_cells import label, maker
from views.files import ShownFile, shown
from views.panels import Panel, Subject

Stored = Mapping[str, Any]
SECTION = "layouts"
# Shown in the summary even while they are empty: whoever calls looks for them first.
ALWAYS = frozenset({"phones", "emails", "area"})


@dataclass(frozen=True, slots=True)
class Fact:
    """A field of the page; `texts` are the values one by one, where they are called or masked;
    `files` those in it; `problem` is why the field does not work, for administrators."""

    key: str
    type: str
    label: str
    help: str
    cell: Cell
    texts: Sequence[str]
    is_masked: bool
    is_editable: bool
    files: Sequence[ShownFile] = ()
    problem: Sentence | None = None

    @property
    def is_empty(self) -> bool:
        return self.cell is EMPTY and not self.is_masked and self.problem is None

    @property
    def is_wide(self) -> bool:
        return self.type in ("long_text", "file", "picture")


@dataclass(frozen=True, slots=True)
class FactSection:
    """Fields under a heading."""

    label: str
    facts: Sequence[Fact]


@dataclass(frozen=True, slots=True)
class ShownTab:
    """A tab of the page: its name, how many things are in it, whether this person has it on."""

    key: str
    label: str
    count: int | None
    is_on: bool
    tab: Tab


def layout_of(kind: Kind, roles: Iterable[str]) -> Layout:
    """The layout for somebody with these roles; compiled once per revision."""
    config, held = configured(), frozenset(roles)
    return config.once(("layout", kind.key, held), lambda: _compiled(config, kind.key, held))


def _compiled(config: Configuration, kind: str, roles: frozenset[str]) -> Layout:
    _, content = layouts.chosen(kind, roles, config.section(SECTION))
    known = {key: one.is_on for key, one in panels.of(config.kinds[kind]).items()}
    return layouts.compile_layout(config.kinds[kind], content, known)


def record_page(
    screen: AccessControl,
    kind_key: str,
    record: Stored,
    *,
    title: str,
    head: str,
    foot: str = "",
    edit_url: str = "",
    **beside: Any,
) -> str:
    """The page.

    Args:
        record: as far as the person may see it.
        head, foot: templates above and below the summary; they find `record` and `beside`.
    """
    kind, by = configured().kinds[kind_key], current_actor()
    layout = layout_of(kind, by.roles)
    subject = Subject(kind, record, by)
    tabs = shown_tabs(layout, subject)
    open_tabs = [one for one in tabs if one.is_on]
    asked = request.args.get("tab", "")
    found = next(
        (one for one in open_tabs if one.key == asked), open_tabs[0] if open_tabs else None
    )
    facts = Facts(kind, record)
    panel = panels.of(kind, by).get(found.tab.panel) if found and found.tab.panel else None
    return screen.render(
        "records/page.html",
        subject=subject,
        record=record,
        title=title,
        head=head,
        foot=foot,
        summary=[one for one in facts.of(layout.summary) if not one.is_empty or one.key in ALWAYS],
        tabs=tabs,
        tab=found,
        panel=panel,
        sections=sections_of(found.tab, facts) if found and not panel else [],
        problems=layout.problems if by.can(CONFIGURE) else (),
        may_configure=by.can(CONFIGURE),
        edit_url=edit_url if by.may(kind_key, EDIT) else "",
        picks=configured(),
        **(panel.load(subject) if panel else {}),
        **beside,
    )


def shown_tabs(layout: Layout, subject: Subject) -> list[ShownTab]:
    """The tabs that the person may have, each with whether it is on for this person (S4.2)."""
    known = panels.of(subject.kind, subject.by)
    staff = person()
    own = ((staff.tabs or {}).get(subject.kind.key) or {}) if staff else {}
    found = []
    for tab in layout.tabs:
        panel = known.get(tab.panel)
        if tab.panel and panel is None:
            continue
        if not tab.panel and not _has_fields(tab, subject):
            continue
        is_on = bool(own.get(tab.key, tab.is_on))
        count = panel.count(subject) if panel and panel.count and is_on else None
        found.append(ShownTab(tab.key, _tab_label(tab, panel), count, is_on, tab))
    return found


def sections_of(tab: Tab, facts: "Facts") -> list[FactSection]:
    """The sections of a tab that have anything to show."""
    found = [FactSection(one.label(locale()), facts.of(one.fields)) for one in tab.sections]
    return [one for one in found if one.facts]


def _has_fields(tab: Tab, subject: Subject) -> bool:
    """Whether the person may see one of the tab's fields at all."""
    fields = subject.kind.fields
    return any(
        is_met(subject.by, subject.kind, fields[key])
        for one in tab.sections
        for key in one.fields
        if key in fields
    )


def is_met(by: Actor, kind: Kind, field: Field) -> bool:
    """Whether the person meets the field at all; of files nothing is left behind a mask. A broken
    field is met by those who can put it right.
    """
    if field.problem is not None and not by.can(CONFIGURE):
        return False
    level = by.access.level(kind.key, field.key)
    return level != HIDDEN and not (level == MASKED and field.family == FILES)


def _tab_label(tab: Tab, panel: Panel | None) -> str:
    return tab.label(locale()) or (panel.name() if panel else tab.key)


class Facts:
    """Makes the facts of one record; names of what it refers to come in one query a kind."""

    def __init__(self, kind: Kind, record: Stored) -> None:
        self._kind, self._record = kind, record
        self._by = current_actor()
        self._may_edit = self._by.may(kind.key, EDIT)
        self._editable = field_values.editable(kind, self._by.access) if self._may_edit else {}
        self._names: Mapping[str, Mapping[Any, str]] | None = None
        self._stored: Stored | None = None

    def of(self, keys: Iterable[str]) -> list[Fact]:
        """The facts of these fields, those left out that the person may not see or that do not
        apply to the record.
        """
        wanted = [self._kind.fields[key] for key in keys if key in self._kind.fields]
        seen = [one for one in wanted if is_met(self._by, self._kind, one) and self._applies(one)]
        if self._names is None or any(one.refers_to for one in seen):
            self._names = references.of_rows([dict(self._record)], seen, by=self._by)
        return [self._fact(field) for field in seen]

    def one(self, key: str) -> Fact | None:
        """The fact of one field; None when the person may not see it."""
        return next(iter(self.of([key])), None)

    def _fact(self, field: Field) -> Fact:
        if field.problem is not None:
            return _without_value(field)
        is_masked = self._by.access.level(self._kind.key, field.key) == MASKED
        stored = value_at(self._record, field.path)
        return Fact(
            key=field.key,
            type=field.type,
            label=label(field, locale()),
            help=field.help(locale()),
            cell=EMPTY if is_masked else self._cell(field),
            texts=[str(one) for one in (stored if isinstance(stored, list) else [stored]) if one],
            is_masked=is_masked,
            is_editable=field.key in self._editable,
            files=self._files(field, stored) if field.family == FILES else (),
        )

    def _files(self, field: Field, stored: Any) -> Sequence[ShownFile]:
        ids = stored if isinstance(stored, list) else ()
        record_id = self._record["_id"]
        return shown(field_files.rows(ids, field, self._kind, record_id, by=self._by))

    def _cell(self, field: Field) -> Cell:
        # A result is computed from the record as it is stored: to see it is a permission of its own.
        record = self._raw() if field.type == "computed" else self._record
        make = maker(field, configured(), locale(), self._names or {}, kind=self._kind)
        return make(dict(record))

    def _raw(self) -> Stored:
        if self._stored is None:
            self._stored = records.raw(self._kind, self._record["_id"], by=self._by)
        return self._stored

    def _applies(self, field: Field) -> bool:
        if not field.visible_when or field.problem is not None:
            return True
        typing = field_values.typing_for(configured(), self._by, today())
        values = field_values.values_of(self._kind, self._raw())
        return field_values.applies(field, self._kind, values, typing)


class BlankFacts:
    """The fields of a page without a record: what they are called, and nothing in them."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def of(self, keys: Iterable[str]) -> list[Fact]:
        fields = (self._kind.fields[key] for key in keys if key in self._kind.fields)
        return [_without_value(one) for one in fields]


def _without_value(field: Field) -> Fact:
    """The field as a fact that says nothing of any record."""
    called = label(field, locale())
    return Fact(field.key, field.type, called, "", EMPTY, (), False, False, problem=field.problem)


def may_edit_field(kind: Kind, key: str) -> bool:
    """Whether the person may change the field on the page itself."""
    by = current_actor()
    is_editable = by.may(kind.key, EDIT) and by.access.level(kind.key, key) == EDITED
    return is_editable and key in field_values.editable(kind, by.access)
