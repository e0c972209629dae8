"""Layouts of record pages, as administrators arrange them: one for everybody, one for a role."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rules import layouts
from rules.errors import NotAllowed, NotFound
from rules.permissions import CONFIGURE
from rules.scope import Actor
from services import configuration, configuration_changes
from services.configuration_changes import Change, Content

SECTION = "layouts"


def key_of(kind: str, role: str) -> str:
    """The key of the layout of a role, or of everybody for ""."""
    return f"{kind}{layouts.SEPARATOR}{role}" if role else kind


def stored(kind: str, role: str) -> tuple[Content | None, int]:
    """(content, version) of the layout itself; (None, 0) while it is the usual one.

    Raises NotFound for a kind or role that is not there.
    """
    config = configuration.snapshot()
    if kind not in config.kinds or (role and role not in config.roles):
        raise NotFound()
    return configuration_changes.item(SECTION, key_of(kind, role))


def usual(kind: str, role: str) -> Content:
    """What holds while there is no layout of its own: for a role that of everybody."""
    if role:
        everybody, _ = configuration_changes.item(SECTION, kind)
        if everybody is not None:
            return everybody
    return layouts.default(kind)


def save(
    kind: str, role: str, content: Mapping[str, Any], *, version: int, by: Actor, at: datetime
) -> None:
    """Writes the layout. Raises NotAllowed, NotFound or StaleForm."""
    if not by.can(CONFIGURE):
        raise NotAllowed()
    stored(kind, role)
    key = key_of(kind, role)
    configuration_changes.apply(
        [Change(SECTION, key, dict(content), version=version)], says=key, by=by, at=at
    )


def reset(kind: str, role: str, *, by: Actor, at: datetime) -> None:
    """Takes the layout away, so that the usual one holds. Raises NotAllowed or NotFound."""
    if not by.can(CONFIGURE):
        raise NotAllowed()
    _, version = stored(kind, role)
    if version:
        key = key_of(kind, role)
        changes = [Change(SECTION, key, None, version=version)]
        configuration_changes.apply(changes, says=f"− {key}", by=by, at=at)
