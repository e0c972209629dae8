"""[Thiết lập] > [Danh sách]: columns, sort, filters, row colours and actions of every list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import abort, current_app, flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules import conditions
from rules import list_settings as rules
from rules.errors import N_, CareError, InvalidInput, StaleForm
from rules.fields import Kind
from rules.list_settings import COLOURS, Offered, Typed
from rules.permissions import CONFIGURE, FULL
from services import list_settings
from services.configuration import Configuration
from services.lists import Sort
from views import formats, site_records
from views.base import ScreenView
from views.cells import Column
from views.context import configured, current_actor, locale, now, sent_version, today
from views.field_cells import kind_label
from views.filtering import context_of
from views.kind_list import KindList
from views.list_columns import PAGE_SIZES, CompiledList, compile_list, read_columns
from views.list_preview import ListPreview, previewed
from views.pick_filters import FIELD
from views.row_menu import LABELS, offered_actions

EVERYBODY = ""


@dataclass(frozen=True, slots=True)
class ListShape:
    """A list as the program or the definition of a kind brings it."""

    list_key: str
    kind: str
    label: str
    icon: str
    columns: tuple[Column, ...]
    sorts: Mapping[str, Sort]
    default_sort: str
    usual_page_size: int
    filters: Sequence[tuple[str, str]]  # (key, label)
    screen: KindList


@dataclass(frozen=True, slots=True)
class Shown:
    """One choice of the form: a column or an action, ticked or not."""

    key: str
    label: str
    is_on: bool
    width: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What the form shows: stored settings, or what was typed."""

    columns: Sequence[Shown]
    sort: str
    page_size: int
    filters: Sequence[Shown]
    colours: Sequence[tuple[str, str]]
    actions: Sequence[Shown]
    errors: Mapping[str, CareError] = field(default_factory=dict)


class ListSettings(ScreenView):
    """Every list over a kind, for everybody or for one role; nothing needs a restart."""

    endpoint_name, url_path, icon = "list_settings", "/settings/screens", "table"
    label = N_("Lists")
    needs = CONFIGURE

    @expose("/")
    def index_view(self) -> Any:
        """The lists, and for whom each was set."""
        there = list_settings.shaped(configured())
        cards = [
            (
                shape,
                [
                    name
                    for key, name in _audiences()
                    if rules.item_key(shape.list_key, key) in there
                ],
            )
            for shape in shapes().values()
        ]
        return self.render("settings/lists.html", cards=cards)

    @expose("/<key>", methods=("GET", "POST"))
    def list_view(self, key: str) -> Any:
        shape, role = _shape(key), _role()
        content, version = list_settings.stored(key, role)
        if request.method == "GET":
            usual = content if content is not None or not role else list_settings.stored(key)[0]
            draft = _stored_draft(shape, role, usual or {})
            return self._form(
                shape,
                role,
                draft,
                version=version,
                is_own=content is not None,
                preview=previewed(shape, _seen_as(role), usual or {}),
            )
        sent = request.form.get("version", "")
        number = sent_version()
        says = f"{shape.label} · {dict(_audiences())[role]}"
        typed = _typed()
        try:
            if request.form.get("do") == "reset":
                list_settings.reset(
                    key, role, version=number, says=says, by=current_actor(), at=now()
                )
            elif request.form.get("do", "save") != "save":
                draft = _typed_draft(shape, role, typed, {})
                return self._form(shape, role, draft, version=sent, is_own=content is not None)
            else:
                list_settings.save(
                    key,
                    role,
                    typed,
                    _offered(shape, role),
                    kind=shape.kind,
                    version=number,
                    says=says,
                    config=configured(),
                    by=current_actor(),
                    at=now(),
                    today=today(),
                )
        except (InvalidInput, StaleForm) as error:
            # After a conflict the form carries the new version: saving again is then a decision.
            shown = version if isinstance(error, StaleForm) else sent
            errors = error.fields if isinstance(error, InvalidInput) else {}
            draft = _typed_draft(shape, role, typed, errors)
            page = self._form(
                shape, role, draft, version=shown, is_own=content is not None, problem=error
            )
            return make_response(page, error.status)
        flash(gettext("Saved."), "success")
        return redirect(url_for(".list_view", key=key, role=role or None), code=303)

    @expose("/<key>/preview", methods=("POST",))
    def preview_view(self, key: str) -> Any:
        """The first rows as the list would be; nothing is written."""
        shape, role = _shape(key), _role()
        return self.render("settings/_list_preview.html", preview=_drafted(shape, role, _typed()))

    @expose("/<key>/check")
    def check_view(self, key: str) -> Any:
        """What a condition means, while it is typed."""
        shape, role = _shape(key), _role()
        text = request.args.get("where", "")
        fields = list_settings.fields_of(configured(), shape.kind, role)
        problem = list_settings.check(
            text, fields, kind=shape.kind, config=configured(), today=today()
        )
        says = ""
        if problem is None and text.strip():
            tree = conditions.read(text)
            said = conditions.sentence(tree, fields, context_of(shape.kind, tree, fields))
            says = formats.say(said) if said else ""
        return self.render("settings/_field_check.html", says=says, problem=problem)

    def _form(
        self,
        shape: ListShape,
        role: str,
        draft: Draft,
        *,
        version: Any,
        is_own: bool,
        problem: CareError | None = None,
        preview: ListPreview | None = None,
    ) -> str:
        there = list_settings.shaped(configured())
        return self.render(
            "settings/list.html",
            shape=shape,
            role=role,
            audiences=[
                (key, name, rules.item_key(shape.list_key, key) in there)
                for key, name in _audiences()
            ],
            draft=draft,
            preview=preview or _drafted(shape, role, _typed()),
            sorts=_sorts(_compiled(shape, role)),
            sizes=PAGE_SIZES,
            colours=[(one, gettext(name)) for one, name in COLOURS.items()],
            preview_url=site_records.list_address(shape.list_key),
            version=version,
            is_own=is_own,
            problem=problem,
        )


def shapes(config: Configuration | None = None) -> dict[str, ListShape]:
    """Every list over a kind by its key, those of kinds that the site defined last.

    Args:
        config: another configuration than the one in force.
    """
    kinds = (config or configured()).kinds
    found = {
        view.list_key: _shape_of(
            view, view.list_key, kinds[view.kind], view.page_label(), view.icon
        )
        for admin in current_app.extensions["admin"]
        for view in admin._views
        if isinstance(view, KindList) and not isinstance(view, site_records.SiteRecords)
    }
    for kind in kinds.values():
        if kind.collection == site_records.ENDPOINT and not kind.is_retired and not kind.problem:
            key, label = site_records.list_key(kind.key), kind_label(kind, locale())
            found[key] = _shape_of(_site_view(), key, kind, label, kind.icon)
    return found


def _site_view() -> KindList:
    views = [view for admin in current_app.extensions["admin"] for view in admin._views]
    return next(one for one in views if isinstance(one, site_records.SiteRecords))


def _shape_of(view: KindList, key: str, kind: Kind, label: str, icon: str) -> ListShape:
    known = configured().kinds.get(kind.key)  # filters are made of what is in force
    return ListShape(
        key,
        kind.key,
        label,
        icon,
        view.columns,
        view.sorts,
        view.default_sort,
        view.usual_page_size,
        [
            *((one.key, str(gettext(one.label))) for one in view.list_filters()),
            *((one.key, one.label) for one in (view.field_filters(known) if known else ())),
        ],
        view,
    )


def _shape(key: str) -> ListShape:
    found = shapes().get(key)
    if found is None:
        abort(404)
    return found


def _role() -> str:
    """The role of the address; 404 for one that nobody has."""
    role = request.args.get("role", EVERYBODY)
    if role and role not in configured().roles:
        abort(404)
    return role


def _audiences() -> list[tuple[str, str]]:
    """(key, label) of those whom settings can be for, everybody first."""
    roles = [
        (key, one.label(locale())) for key, one in configured().roles.items() if not one.is_retired
    ]
    return [(EVERYBODY, gettext("Everybody")), *roles]


def _compiled(shape: ListShape, role: str) -> CompiledList:
    """What the list offers to the role, or to somebody who may see everything."""
    config = configured()
    return compile_list(shape, config, config.access([role]) if role else FULL, locale())


def _defaults(shape: ListShape, compiled: CompiledList) -> list[str]:
    return [one.key for one in shape.columns if one.key in compiled.columns]


def _offered(shape: ListShape, role: str) -> Offered:
    compiled = _compiled(shape, role)
    return Offered(
        columns=tuple(compiled.columns),
        default_columns=_defaults(shape, compiled),
        sorts=[key for key, one in compiled.sorts.items() if one.is_indexed],
        default_sort=shape.default_sort,
        page_sizes=PAGE_SIZES,
        default_page_size=shape.usual_page_size,
        filters=[key for key, _ in shape.filters],
        default_filters=_usual_filters(shape),
        actions=offered_actions(shape.kind, configured()),
    )


def _usual_filters(shape: ListShape) -> list[str]:
    return [key for key, _ in shape.filters if not key.startswith(FIELD)]


def _sorts(compiled: CompiledList) -> list[tuple[str, str]]:
    """(value, label) of each order that an index serves, both ways."""
    headings = {one.sort: one.heading for one in compiled.columns.values() if one.sort}
    found = []
    for key, sort in compiled.sorts.items():
        if sort.is_indexed:
            name = headings.get(key, key)
            up, down = f"{name} ↑", f"{name} ↓"
            found += [(key, down if sort.descending else up)]
            found += [(f"-{key}", up if sort.descending else down)]
    return found


def _stored_draft(shape: ListShape, role: str, content: Mapping[str, Any]) -> Draft:
    compiled, offered = _compiled(shape, role), _offered(shape, role)
    chosen = read_columns(content.get("columns"), compiled.columns)
    widths = {one.key: str(one.width or "") for one in chosen}
    filters = rules.filter_keys(content)
    shown = _usual_filters(shape) if filters is None else filters
    sort, size = str(content.get("sort") or ""), content.get("page_size")
    return Draft(
        _shown_columns(compiled, [one.key for one in chosen] or offered.default_columns, widths),
        sort if sort.lstrip("-") in offered.sorts else offered.default_sort,
        size if size in PAGE_SIZES else offered.default_page_size,
        [Shown(key, name, key in shown) for key, name in shape.filters],
        [(one.where, one.colour) for one in rules.row_colours(content)],
        _shown_actions(offered, rules.action_keys(content)),
    )


def _typed_draft(
    shape: ListShape, role: str, typed: Typed, errors: Mapping[str, CareError]
) -> Draft:
    compiled, offered = _compiled(shape, role), _offered(shape, role)
    order = _moved("column", request.form.getlist("column_order"))
    ticked = set(typed.columns)
    columns = _shown_columns(compiled, order, typed.widths)
    actions = _known_order(_moved("action", request.form.getlist("action_order")), offered.actions)
    return Draft(
        [Shown(one.key, one.label, one.key in ticked, one.width) for one in columns],
        typed.sort,
        int(typed.page_size) if typed.page_size in map(str, PAGE_SIZES) else 0,
        [Shown(key, name, key in typed.filters) for key, name in shape.filters],
        typed.colours,
        [Shown(key, gettext(LABELS[key][0]), key in typed.actions) for key in actions],
        errors,
    )


def _shown_columns(
    compiled: CompiledList, chosen: Sequence[str], widths: Mapping[str, str]
) -> list[Shown]:
    """The chosen columns in their order, then the others."""
    keys = dict.fromkeys([*chosen, *compiled.columns])
    return [
        Shown(key, compiled.columns[key].heading, key in chosen, widths.get(key, ""))
        for key in keys
        if key in compiled.columns
    ]


def _shown_actions(offered: Offered, chosen: Sequence[str]) -> list[Shown]:
    keys = _known_order(chosen, offered.actions)
    return [Shown(key, gettext(LABELS[key][0]), key in chosen) for key in keys]


def _known_order(keys: Sequence[str], known: Sequence[str]) -> list[str]:
    return [key for key in dict.fromkeys([*keys, *known]) if key in known]


def _typed() -> Typed:
    """What the form sends, in the order of its rows; `do` moves one of them first, without scripts."""
    form = request.form
    columns, actions = (
        _moved(name, form.getlist(f"{name}_order")) for name in ("column", "action")
    )
    colours = [
        (where, form.get(f"colour.{place}", "gray"))
        for where, place in zip(form.getlist("where"), form.getlist("place"), strict=False)
    ]
    ticked, acting = set(form.getlist("columns")), set(form.getlist("actions"))
    return Typed(
        columns=[key for key in columns if key in ticked],
        widths={key: form.get(f"width.{key}", "") for key in columns},
        sort=form.get("sort", ""),
        page_size=form.get("page_size", ""),
        filters=form.getlist("filters"),
        colours=[one for one in colours if one[0].strip()],
        actions=[key for key in actions if key in acting],
    )


def _drafted(shape: ListShape, role: str, typed: Typed) -> ListPreview:
    """How the list would be with what stands in the form."""
    try:
        content = rules.read(typed, _offered(shape, role))
    except InvalidInput as error:
        return ListPreview(_seen_as(role), problems=list(error.fields.values()))
    return previewed(shape, _seen_as(role), content)


def _seen_as(role: str) -> str:
    """As which role the preview is drawn: the chosen one, else that of the settings."""
    chosen = request.values.get("seen_as", role)
    return chosen if chosen in configured().roles else EVERYBODY


def _moved(name: str, keys: list[str]) -> list[str]:
    """The keys, one of them moved as the button `do` says: `up:column:due`."""
    way, _, rest = request.form.get("do", "").partition(":")
    what, _, key = rest.partition(":")
    if what != name or way not in ("up", "down") or key not in keys:
        return keys
    at = keys.index(key)
    to = max(0, min(len(keys) - 1, at + (-1 if way == "up" else 1)))
    keys.insert(to, keys.pop(at))
    return keys
