"""The filter builder of every list: conditions in AND and OR groups, drawn by the server.

Each button sends the whole form and gets it back changed, so that nothing of a filter lives in the
browser alone; without scripts the same form is a page of its own.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import abort, make_response, redirect, request
from flask_admin import expose

from rules import conditions
from rules.errors import N_, CareError, InvalidInput
from rules.fields import Field
from rules.operators import ME, Operator, operator, operators
from rules.permissions import SEE
from rules.relative_days import PERIODS
from views import field_cells
from views.base import ScreenView
from views.context import configured, current_actor, is_htmx, local_path, locale
from views.filter_form import (
    DAY_MODES,
    DraftCondition,
    DraftGroup,
    change,
    draft_of,
    read_form,
    settle,
    tree_from,
)
from views.filtering import WHERE, context_of, names_of, rest_of, visible_fields
from views.typed_numbers import here

LONGEST_ADDRESS = 5000  # letters; web servers and proxies refuse more than 8,000


class FilterBuilder(ScreenView):
    """`/filters/<kind>`: the form, empty or of the filter in `where`, and its buttons."""

    endpoint_name, url_path, icon = "filters", "/filters", "filter"
    label = N_("Filter")

    @expose("/")
    def index_view(self) -> Any:
        abort(404)

    @expose("/<kind>", methods=("GET", "POST"))
    def kind_view(self, kind: str) -> Any:
        """The form; a POST changes it by the button `do`, `apply` leads back to the list."""
        if kind not in configured().kinds or not current_actor().may(kind, SEE):
            abort(404)
        fields = visible_fields(kind)
        if request.method == "GET":
            return self._form(kind, fields, _opened(kind, fields))
        root = settle(read_form(request.form, here), fields)
        action = request.form.get("do", "")
        if action not in ("", "apply"):
            return self._form(kind, fields, change(root, action, fields))
        tree, is_whole = tree_from(root, fields, context_of(kind, None, fields))
        address = _list_address(conditions.write(tree))
        problem = _too_long() if len(address) > LONGEST_ADDRESS else None
        if problem or not is_whole:
            return make_response(self._form(kind, fields, root, problem), 422)
        return _leave(address)

    def _form(
        self,
        kind: str,
        fields: Mapping[str, Field],
        root: DraftGroup,
        problem: CareError | None = None,
    ) -> str:
        return self.render(
            "filters/form.html" if is_htmx() else "filters/page.html",
            kind=kind,
            root=root,
            problem=problem,
            back=_back(),
            clear_url=_list_address(""),
            rest=_rest(),
            numbers_in=locale(),
            builder=Builder(kind, fields, root),
        )


class Builder:
    """What the templates ask about fields, operators and values."""

    def __init__(self, kind: str, fields: Mapping[str, Field], root: DraftGroup) -> None:
        self.kind = kind
        self._fields = fields
        self._names = _names(root, fields)
        self.day_modes = DAY_MODES
        self.periods = {key: label for key, (label, _) in PERIODS.items()}

    def offered(self) -> list[tuple[str, str]]:
        """(key, label) of each field, in the order of the kind."""
        language = locale()
        return [(key, field_cells.label(one, language)) for key, one in self._fields.items()]

    def field(self, one: DraftCondition) -> Field | None:
        return self._fields.get(one.field)

    def label(self, one: DraftCondition) -> str:
        known = self._fields.get(one.field)
        return field_cells.label(known, locale()) if known else ""

    def operators(self, one: DraftCondition) -> tuple[Operator, ...]:
        known = self._fields.get(one.field)
        return operators(known) if known else ()

    def takes(self, one: DraftCondition) -> str:
        known = self._fields.get(one.field)
        chosen = operator(known, one.operator) if known else None
        return chosen.takes if chosen else ""

    def choices(self, one: DraftCondition) -> list[tuple[str, str, str, bool]]:
        """(key, label, colour, is chosen); retired values while they are chosen, only."""
        known = self._fields[one.field]
        return [
            (key, label, colour, key in one.typed)
            for key, label, colour, retired in field_cells.options(known, configured(), locale())
            if not retired or key in one.typed
        ]

    def named(self, one: DraftCondition) -> list[tuple[str, str]]:
        """(id, name) of the records that were picked; a name that may not be seen stays an id."""
        known = self._fields[one.field]
        names = self._names.get(known.refers_to or "", {})
        return [(value, names.get(value, value)) for value in one.typed if value]

    def offers_me(self, one: DraftCondition) -> bool:
        return self._fields[one.field].refers_to == "staff" and ME not in one.typed


def _names(root: DraftGroup, fields: Mapping[str, Field]) -> dict[str, dict[str, str]]:
    tree = _loose_tree(root)
    return names_of(tree, fields) if tree else {}


def _loose_tree(root: DraftGroup) -> conditions.Group | None:
    """The draft as a tree, unchecked, to ask what it refers to."""
    parts: list[conditions.Condition | conditions.Group] = []
    for part in root.parts:
        if isinstance(part, DraftGroup):
            inner = _loose_tree(part)
            parts += [inner] if inner else []
        elif part.field:
            parts.append(conditions.Condition(part.field, part.operator, tuple(part.typed)))
    return conditions.Group(root.joiner, tuple(parts)) if parts else None


def _opened(kind: str, fields: Mapping[str, Field]) -> DraftGroup:
    """The form as it opens: the filter in force, or one empty condition."""
    try:
        tree = conditions.read(request.args.get(WHERE, ""))
    except CareError:
        tree = None
    root = draft_of(tree, fields, locale())
    return root if root.parts else change(root, "add:1", fields)


def _too_long() -> CareError:
    return InvalidInput(
        N_("The filter is too long to stand in an address. Choose fewer conditions or values.")
    )


def _back() -> str:
    return local_path(request.values.get("back")) or "/"


def _rest() -> str:
    """The other arguments of the list's address, which stay."""
    return rest_of(parse_qsl(request.values.get("rest", "")[:4000]))


def _list_address(where: str) -> str:
    rest = _rest()
    # A saved view may have a filter of its own, which an empty one takes back.
    is_said = where or "view" in dict(parse_qsl(rest))
    query = "&".join(filter(None, [rest, urlencode({WHERE: where}) if is_said else ""]))
    path = _back().partition("?")[0]
    return f"{path}?{query}" if query else path


def _leave(address: str) -> Any:
    if not is_htmx():
        return redirect(address, code=303)
    response = make_response("", 204)
    response.headers["HX-Redirect"] = address
    return response
