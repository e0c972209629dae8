"""What a role allows: kinds of documents and actions, records, fields, and the site's own matters.

A person with several roles may do what any of them allows. Nothing here asks which role somebody
has: the rest of the program asks what is allowed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from rules.sentences import Sentence

ADMINISTRATOR = "administrator"  # the one role that cannot be taken apart

SEE, CREATE, EDIT, DELETE, EXPORT, IMPORT = "see", "create", "edit", "delete", "export", "import"
ACTIONS = (SEE, CREATE, EDIT, DELETE, EXPORT, IMPORT)

# Which records of a kind, from few to all. `assigned` follows the care mode and every assignment;
# of care entries it is all while the care mode is unlimited, and else those that a person wrote.
OWN, ASSIGNED, TEAM, ALL = "own", "assigned", "team", "all"
REACHES = (OWN, ASSIGNED, TEAM, ALL)

# What becomes of a field, from nothing to everything.
HIDDEN, MASKED, SEEN, EDITED = "hidden", "masked", "see", "edit"
LEVELS = (HIDDEN, MASKED, SEEN, EDITED)

# Fields that repeat what another kind's field says: an order has the area of its customer.
REPEATS: Mapping[tuple[str, str], tuple[str, str]] = {("orders", "area"): ("customers", "area")}

Inputs = Mapping[str, Mapping[str, frozenset[str]]]

# The site's own matters.
CONFIGURE = "configure"  # fields, layouts, lists, pick lists, menu, kinds, rules, schedules
ASSIGN = "assign"  # who cares for what, care mode, hand-over
ACCOUNTS = "accounts"  # staff, roles, teams, security
AUDIT = "audit"  # the change log
JOBS = "jobs"  # everybody's background jobs
SUMMARIES = "summaries"  # what all staff wrote, summed up
SHARE_VIEWS = "share_views"  # saved views for roles and for everyone
REVEAL = "reveal"  # show a masked value; every time is written down
ABILITIES = (CONFIGURE, ASSIGN, ACCOUNTS, AUDIT, JOBS, SUMMARIES, SHARE_VIEWS, REVEAL)


@dataclass(frozen=True, slots=True)
class KindPermission:
    """What a role may do with one kind.

    `where` is the text of a condition (rules/conditions.py): records that match it are seen beside
    those of `reach`. `fields` names the levels that differ from `usual_level`.
    """

    actions: frozenset[str]
    reach: str = ASSIGNED
    where: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    def level(self, field_key: str) -> str:
        if SEE not in self.actions:
            return HIDDEN
        usual = EDITED if self.actions & {EDIT, CREATE} else SEEN
        asked = self.fields.get(field_key, usual)
        return min(asked, usual, key=LEVELS.index)


@dataclass(frozen=True, slots=True)
class Role:
    """A role as a site has it; the key never changes."""

    key: str
    label_vi: str
    label_en: str = ""
    kinds: Mapping[str, KindPermission] = field(default_factory=dict)
    abilities: frozenset[str] = frozenset()
    # What the role may do with kinds that it does not name: those defined later.
    other_kinds: KindPermission | None = None
    is_retired: bool = False  # offered to nobody, and grants nothing
    problem: Sentence | None = None

    def label(self, locale: str) -> str:
        return self.label_en if locale == "en" and self.label_en else self.label_vi

    def on(self, kind: str) -> KindPermission | None:
        return self.kinds.get(kind, self.other_kinds)


@dataclass(frozen=True, slots=True)
class Access:
    """What a person with these roles may do; immutable, shared by everybody with the same roles.

    `inputs` are {kind: {computed field: the stored fields that it is worked out from}}: whoever
    does not see one of these as it is could find it out from the result.
    """

    roles: tuple[Role, ...] = ()
    inputs: Inputs = field(default_factory=dict, compare=False)

    def may(self, kind: str, action: str) -> bool:
        return any(action in one.actions for one in self.on(kind))

    def can(self, ability: str) -> bool:
        return any(ability in role.abilities for role in self.roles)

    def level(self, kind: str, field_key: str) -> str:
        """HIDDEN, MASKED, SEEN or EDITED: the most that one of the roles grants.

        A field that repeats another one is shown no more than that one, to whoever has to do with
        its kind at all; a computed field only to whoever sees all that it is worked out from.
        """
        inputs = self.inputs.get(kind, {}).get(field_key, ())
        if not all(self.sees(kind, one) for one in inputs):
            return HIDDEN
        return self._granted(kind, field_key)

    def _granted(self, kind: str, field_key: str) -> str:
        """The level, whatever the field is worked out from."""
        found = max(
            (one.level(field_key) for one in self.on(kind)), key=LEVELS.index, default=HIDDEN
        )
        repeated = REPEATS.get((kind, field_key))
        if repeated and self.on(repeated[0]):
            return min(found, self.level(*repeated), key=LEVELS.index)
        return found

    def names_fields(self, kind: str) -> bool:
        """Whether a role says something about single fields of the kind, or of one repeated there."""
        kinds = {kind, *(other for (own, _), (other, _) in REPEATS.items() if own == kind)}
        return any(one.fields for named in kinds for one in self.on(named))

    def sees(self, kind: str, field_key: str) -> bool:
        """Whether the value may be read as it is: shown, filtered, sorted, searched, exported."""
        return LEVELS.index(self.level(kind, field_key)) >= LEVELS.index(SEEN)

    def on(self, kind: str) -> list[KindPermission]:
        return [one for _, one in self.granting(kind)]

    def granting(self, kind: str, action: str | None = None) -> list[tuple[Role, KindPermission]]:
        """The roles that say something about the kind, or allow this action on it."""
        found = ((role, role.on(kind)) for role in self.roles)
        return [
            (role, one)
            for role, one in found
            if one is not None and (action is None or action in one.actions)
        ]

    def covers(self, role: Role) -> bool:
        """Whether the role allows nothing that this access does not: only such may be handed on."""
        if not all(self.can(one) for one in role.abilities):
            return False
        named = {kind for one in (*self.roles, role) for kind in one.kinds}
        return all(self._covers(kind, role.on(kind)) for kind in (*named, ""))

    def _covers(self, kind: str, asked: KindPermission | None) -> bool:
        """`kind` "" stands for those that no role names."""
        if asked is None:
            return True
        for action in asked.actions:
            found = self.granting(kind, action)
            reach = max((REACHES.index(one.reach) for _, one in found), default=-1)
            if reach < REACHES.index(asked.reach):
                return False
            has_rule = any(one.where == asked.where for _, one in found)
            if asked.where and reach < REACHES.index(ALL) and not has_rule:
                return False
        keys = {key for one in (*self.on(kind), asked) for key in one.fields}
        return all(
            LEVELS.index(self._granted(kind, key)) >= LEVELS.index(asked.level(key))
            for key in (*keys, "")
        )


EVERYTHING = KindPermission(frozenset(ACTIONS), ALL)
FULL = Access((Role("system", "Carebook", "Carebook", {}, frozenset(ABILITIES), EVERYTHING),))


def union(roles: Iterable[Role], inputs: Inputs = MappingProxyType({})) -> Access:
    """The access of somebody with all of these roles; retired ones grant nothing.

    Args:
        inputs: see `Access`.
    """
    alive = (role for role in roles if not role.is_retired)
    return Access(tuple(sorted(alive, key=lambda role: role.key)), inputs)


def _role(
    key: str, label_vi: str, label_en: str, kinds: Mapping[str, KindPermission], *abilities: str
) -> Role:
    others = kinds.get("*")
    named = {kind: one for kind, one in kinds.items() if kind != "*"}
    return Role(key, label_vi, label_en, MappingProxyType(named), frozenset(abilities), others)


# What every installation starts with. An administrator's role cannot be taken apart: somebody must
# always be able to put things right.
SHIPPED_ROLES: Mapping[str, Role] = {
    one.key: one
    for one in (
        _role(
            "care_agent",
            "Nhân viên chăm sóc",
            "Care agent",
            {
                "customers": KindPermission(frozenset({SEE, CREATE, EDIT}), ASSIGNED),
                "orders": KindPermission(frozenset({SEE, EDIT}), ASSIGNED),
                "products": KindPermission(frozenset({SEE}), ALL),
                "entries": KindPermission(frozenset({SEE, CREATE}), ASSIGNED),
                "*": KindPermission(frozenset({SEE, CREATE, EDIT}), ASSIGNED),
            },
            REVEAL,
        ),
        _role(
            "manager",
            "Quản lý",
            "Manager",
            {"*": EVERYTHING},
            ASSIGN,
            SUMMARIES,
            SHARE_VIEWS,
            REVEAL,
        ),
        _role(ADMINISTRATOR, "Quản trị viên", "Administrator", {"*": EVERYTHING}, *ABILITIES),
    )
}
