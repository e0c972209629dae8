"""The one way in which configuration changes: all or nothing, audited, revision by revision.

Every screen, the command line and an imported file hand over the same `Change`s. The snapshot of
the next request (services/configuration.py) already shows them, in every process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession

from models import ConfigurationItem, ConfigurationRevision, Site
from models.configuration import ELSEWHERE, SITE
from rules.errors import N_, NotAllowed, StaleForm
from rules.permissions import ACCOUNTS, CONFIGURE
from rules.roles import compile_roles
from rules.scope import Actor
from services import audit
from stores.mongo import in_transaction

Content = Mapping[str, Any]


OF_ACCOUNTS = frozenset({"roles", "teams"})


@dataclass(frozen=True, slots=True)
class Change:
    """What one item becomes. `content` None removes it.

    `version` is the version that the person saw (0: the item was not there); None writes over
    whatever is stored.
    """

    section: str
    key: str
    content: Content | None
    version: int | None = None


def apply(
    changes: Sequence[Change],
    *,
    says: str,
    by: Actor,
    at: datetime,
    needs: str = CONFIGURE,
    session: ClientSession | None = None,
) -> int:
    """Writes the changes as one revision and returns its number; 0 when nothing differs.

    Args:
        says: what was done, for the list of revisions, in the words of the site.
        needs: the ability that the actor must have. Roles and teams always need ACCOUNTS, and
            nobody makes or changes a role that allows more than they have.

    Raises NotAllowed, or StaleForm when somebody changed one of the items meanwhile.
    """
    if any(one.section in OF_ACCOUNTS for one in changes):
        _check_accounts(changes, by)
    if not by.can(needs) and any(one.section not in OF_ACCOUNTS for one in changes):
        raise NotAllowed()

    def work(session: ClientSession) -> int:
        made = [write(one, by=by, at=at, session=session) for one in changes]
        return record([one for one in made if one], says=says, by=by, at=at, session=session)

    return work(session) if session else in_transaction(work)


def _check_accounts(changes: Sequence[Change], by: Actor) -> None:
    if not by.can(ACCOUNTS):
        raise NotAllowed()
    for one in changes:
        if one.section != "roles":
            continue
        stored, _ = item("roles", one.key)
        for content in (stored, one.content):
            configured = {} if content is None else {one.key: content}
            role = compile_roles(configured).get(one.key)
            if role is not None and not by.access.covers(role):
                raise NotAllowed(N_("You can only give roles that allow no more than your own."))


def record(
    made: Sequence[dict[str, Any]],
    *,
    says: str,
    by: Actor,
    at: datetime,
    session: ClientSession,
) -> int:
    """Keeps what was changed as one revision, for sections that are stored elsewhere, too.

    Args:
        made: `{section, key, before, after}` each. Services of sections that are stored elsewhere
            write the change log themselves.
    """
    if not made:
        return 0
    site = Site.collection().find_one_and_update(
        {"key": "site"},
        {"$inc": {"config_rev": 1}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    revision: int = site["config_rev"] if site else 0
    ConfigurationRevision.collection().insert_one(
        {
            "revision": revision,
            "at": at,
            "staff_id": by.staff_id,
            "staff_name": by.name,
            "says": says[:400],
            "changes": list(made),
            "version": 1,
        },
        session=session,
    )
    for one in made:
        if one["section"] not in ELSEWHERE:
            _audit(one, by, at, session)
    return revision


def item(section: str, key: str) -> tuple[Content | None, int]:
    """(content, version) of an item as it is stored; (None, 0) when there is none."""
    found = ConfigurationItem.collection().find_one({"section": section, "key": key})
    return (found["content"], found.get("version", 1)) if found else (None, 0)


def items(section: str) -> dict[str, Content]:
    """{key: content} of a section, by key."""
    found = ConfigurationItem.collection().find({"section": section}).sort("key", 1)
    return {one["key"]: one["content"] for one in found}


def write(
    change: Change, *, by: Actor, at: datetime, session: ClientSession
) -> dict[str, Any] | None:
    """Stores one change; what `record` keeps of it, or None when nothing differs.

    Raises StaleForm when somebody changed the item meanwhile.
    """
    where = {"section": change.section, "key": change.key}
    stored = ConfigurationItem.collection().find_one(where, session=session)
    before = stored["content"] if stored else None
    if change.version is not None and change.version != (stored or {}).get("version", 0):
        raise StaleForm()
    after = dict(change.content) if change.content is not None else None
    if after == before:
        return None
    if after is None:
        ConfigurationItem.collection().delete_one(where, session=session)
    else:
        ConfigurationItem.collection().update_one(
            where,
            {
                "$set": {"content": after, "updated_at": at},
                "$setOnInsert": {"source": SITE, "created_at": at},
                "$inc": {"version": 1},
            },
            upsert=True,
            session=session,
        )
    return {**where, "before": before, "after": after}


def _audit(made: Mapping[str, Any], by: Actor, at: datetime, session: ClientSession) -> None:
    before, after = made["before"] or {}, made["after"] or {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    action = "update" if before and after else ("create" if after else "delete")
    audit.record(
        by=by,
        at=at,
        action=action,
        kind="configuration",
        record_id=None,
        label=f"{made['section']}: {made['key']}",
        changes={name: (before.get(name), after.get(name)) for name in names},
        session=session,
    )
