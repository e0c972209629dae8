"""Roles in words: what actions, reaches, levels and abilities are called and what they mean."""

from collections.abc import Mapping

from rules import permissions
from rules.errors import N_

ACTIONS: Mapping[str, str] = {
    permissions.SEE: N_("See"),
    permissions.CREATE: N_("Add"),
    permissions.EDIT: N_("Edit"),
    permissions.DELETE: N_("Delete"),
    permissions.EXPORT: N_("Export"),
    permissions.IMPORT: N_("Import"),
}
REACHES: Mapping[str, str] = {
    permissions.OWN: N_("own: responsible for"),
    permissions.ASSIGNED: N_("assigned: by the care mode"),
    permissions.TEAM: N_("team: of everybody in the team"),
    permissions.ALL: N_("all records"),
}
SHORT_REACHES: Mapping[str, str] = {
    permissions.OWN: N_("own records"),
    permissions.ASSIGNED: N_("assigned records"),
    permissions.TEAM: N_("records of the team"),
    permissions.ALL: N_("all records"),
}
LEVELS: Mapping[str, str] = {
    permissions.EDITED: N_("edit"),
    permissions.SEEN: N_("see"),
    permissions.MASKED: N_("masked"),
    permissions.HIDDEN: N_("hidden"),
}
# (name, what it is about)
ABILITIES: Mapping[str, tuple[str, str]] = {
    permissions.CONFIGURE: (
        N_("Set up"),
        N_("fields, layouts, lists, pick lists, kinds, menu, rules, schedules"),
    ),
    permissions.ASSIGN: (
        N_("Assign"),
        N_("who cares for what, the care mode, hand-over"),
    ),
    permissions.ACCOUNTS: (
        N_("Manage accounts"),
        N_("staff, roles, teams, security; never more than one has oneself"),
    ),
    permissions.AUDIT: (N_("Read the change log"), N_("of everybody and everything")),
    permissions.JOBS: (N_("See all jobs"), N_("and stop them or start them again")),
    permissions.SUMMARIES: (N_("Summaries"), N_("what all staff wrote, summed up")),
    permissions.SHARE_VIEWS: (N_("Share views"), N_("for roles and for everybody")),
    permissions.REVEAL: (
        N_("Show masked values"),
        N_("one value at a time; each time is written down"),
    ),
}
