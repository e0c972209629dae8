"""The configuration as one file: written, compared in words, taken all or nothing (B.13)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import ConfigurationRevision, Site
from rules import config_diff, config_shapes, config_text
from rules.config_diff import ItemDiff, Sections
from rules.config_text import Document, Place
from rules.errors import N_, InvalidInput, NotAllowed, StaleForm
from rules.permissions import CONFIGURE
from rules.scope import Actor
from rules.sentences import Sentence
from services import (
    configuration,
    configuration_changes,
    configuration_checks,
    configuration_keeping,
    configuration_losses,
    configuration_parts,
    field_indexes,
    job_runs,
    shipped,
)
from services.configuration_checks import Broken
from services.configuration_keeping import Remark
from stores.mongo import in_transaction

PROBLEMS_SHOWN = 50
CHANGED = N_(
    "Somebody changed the configuration meanwhile. Look at the differences again, then apply them."
)
REFUSED = N_("This cannot be applied, and nothing was changed.")
SAME = N_("Nothing differs.")
ASK = N_("Apply this?")
DONE = N_("Applied as revision %(number)s.")
UNTOUCHED = (config_text.FORMAT_KEY, config_text.END_KEY)


class CannotApply(InvalidInput):
    """The configuration stays as it is; `problems` says why, each with its place."""

    message = N_("Nothing was changed: %(problem)s")

    def __init__(self, problems: list[Sentence]) -> None:
        super().__init__(self.message, problem=problems[0])
        self.problems = problems[:PROBLEMS_SHOWN]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change, made against `revision`; `problems` forbid it, `notes` only inform.

    `remarks` inform about items: what stays, and what will be broken as it can be in force.
    """

    revision: int
    items: tuple[ItemDiff, ...]
    problems: tuple[Sentence, ...] = ()
    notes: tuple[Sentence, ...] = ()
    remarks: tuple[Remark, ...] = ()


def written(*, by: Actor, version: str, at: datetime) -> str:
    """The whole configuration as a file. Raises NotAllowed."""
    if not by.can(CONFIGURE):
        raise NotAllowed()
    sections, revision = in_transaction(_everything)
    comments = [
        f"Carebook {version}: configuration, revision {revision}, {at:%Y-%m-%d %H:%M} UTC.",
        "Change it and take it in again: carebook config diff FILE, carebook config import FILE.",
        "A section that is left out stays as it is; an item that is left out of its section is removed.",
    ]
    return config_text.written(configuration_parts.for_file(sections), comments)


def planned(raw: bytes, *, by: Actor) -> Plan:
    """What the file would change, and whether it may.

    Raises NotAllowed, or InvalidInput for what cannot be read as a configuration at all.
    """
    if not by.can(CONFIGURE):
        raise NotAllowed()
    document = config_text.read(raw)
    given = {key: value for key, value in document.data.items() if key not in UNTOUCHED}
    given = {key: {} if value is None else value for key, value in given.items()}
    wrong = config_shapes.section_problems(given)
    if wrong:
        revision = configuration.snapshot().revision
        said = [(place, Sentence(error.message, error.params)) for place, error in wrong]
        return Plan(revision, (), tuple(_placed(document, one) for one in said[:PROBLEMS_SHOWN]))
    stored, strangers = configuration_parts.from_file(given)
    notes = [
        Sentence(
            N_("Nobody here has the e-mail address %(email)s: left out of the team %(team)s."),
            {"email": email, "team": team},
        )
        for team, email in strangers
    ]
    return plan_for(stored, by=by, notes=notes, say=lambda problem: _placed(document, problem))


def plan_for(
    wanted: Sections,
    *,
    by: Actor,
    notes: list[Sentence] | None = None,
    say: Callable[[tuple[Place, Sentence]], Sentence] | None = None,
    is_back: bool = False,
) -> Plan:
    """What would change so that these sections are as `wanted`, and what forbids it.

    Args:
        is_back: they were in force before. Only the rights of the actor forbid going back: what
            records have of the later ones stays, and what was broken then is broken again.
    """
    say = say or _named
    there, revision = in_transaction(_everything)
    wanted = {section: _kept(section, items, there) for section, items in wanted.items()}
    items = [one for one in config_diff.diff(there, wanted) if not _is_same(one)]
    now = configuration.compiled(
        there, revision=revision, care_mode=str(there["site"]["site"]["care_mode"])
    )
    remarks: list[Remark] = []
    if is_back:
        items, remarks = configuration_keeping.kept(items, now)
    merged = _merged(there, items)
    broken = configuration_checks.broken(items, merged, now)
    found = configuration_checks.rights(items, merged, now, by)
    if not is_back:
        losses = configuration_losses.of(items, now)
        found += [(one.place, one.said) for one in broken if not one.is_live]
        found += [((one.item.section, one.item.key), one.said) for one in losses]
    remarks += [_remark(one, merged) for one in broken if is_back or one.is_live]
    problems = tuple(say(one) for one in found[:PROBLEMS_SHOWN])
    return Plan(revision, tuple(items), problems, tuple(notes or ()), tuple(remarks))


def _merged(there: Sections, items: Iterable[ItemDiff]) -> dict[str, dict[str, Any]]:
    """All sections as they will be."""
    merged: dict[str, dict[str, Any]] = {section: dict(one) for section, one in there.items()}
    for item in items:
        if item.after is None:
            merged[item.section].pop(item.key, None)
        else:
            merged[item.section][item.key] = item.after
    return merged


def _remark(broken: Broken, sections: Sections) -> Remark:
    """A part that will be broken, with what is wrong with it."""
    section, key = (*map(str, broken.place), "")[:2]
    content = sections.get(section, {}).get(key, {})
    message = N_("will be broken, and left out of pages: %(problem)s")
    return ItemDiff(section, key, content, content), Sentence(message, {"problem": broken.said})


def apply(plan: Plan, *, revision: int, says: str, by: Actor, at: datetime) -> int:
    """Makes the changes of the plan, all or nothing; the number of the revision, 0 for no change.

    Args:
        revision: the one whose differences the person has read and agreed to.

    Raises NotAllowed, CannotApply, or StaleForm when the configuration changed since then.
    """
    if not by.can(CONFIGURE):
        raise NotAllowed()
    if plan.revision != revision:
        raise StaleForm(CHANGED)
    if plan.problems:
        raise CannotApply(list(plan.problems))

    def work(session: ClientSession) -> tuple[int, list[ObjectId]]:
        _check_revision(revision, session)
        made, runs = [], []
        for item in plan.items:
            change, run_id = configuration_parts.put(item, by=by, at=at, session=session)
            made += [change] if change else []
            runs += [run_id] if run_id else []
        runs += _index_runs(plan, by, session)
        done = configuration_changes.record(made, says=says, by=by, at=at, session=session)
        return done, runs

    done, runs = in_transaction(work)
    for run_id in runs:
        job_runs.enqueue(run_id)
    return done


def _check_revision(revision: int, session: ClientSession) -> None:
    site = Site.collection().find_one({"key": "site"}, {"config_rev": 1}, session=session) or {}
    if site.get("config_rev", 0) != revision:
        raise StaleForm(CHANGED)


def _everything(session: ClientSession) -> tuple[dict[str, dict[str, Any]], int]:
    site = Site.collection().find_one({"key": "site"}, {"config_rev": 1}, session=session) or {}
    return dict(configuration_parts.contents(session)), int(site.get("config_rev", 0))


def _kept(section: str, items: Mapping[str, Any], there: Sections) -> dict[str, Any]:
    """The items with those that belong to the program and that the file does not name."""
    found = dict(items)
    for key, content in there.get(section, {}).items():
        is_shipped = section == "pick_lists" and key in shipped.SHIPPED_LISTS
        if section in configuration_parts.LASTING or is_shipped:
            found.setdefault(key, content)
    if section == "site":  # an option that the file does not name stays
        for key, content in found.items():
            found[key] = {**there.get(section, {}).get(key, {}), **content}
    return found


def _is_same(item: ItemDiff) -> bool:
    """Whether only the order differs in which people of a team are named."""
    if item.section != configuration_parts.TEAMS or item.before is None or item.after is None:
        return False
    sides = [
        {key: set(one) if key in configuration_parts.PEOPLE else one for key, one in side.items()}
        for side in (item.before, item.after)
    ]
    return bool(sides[0] == sides[1])


def _index_runs(plan: Plan, by: Actor, session: ClientSession) -> list[ObjectId]:
    """The jobs that make the indexes which changed fields need."""
    kinds = {one.key.partition(".")[0] for one in plan.items if one.section == "fields"}
    if not kinds:
        return []
    sections = configuration_parts.contents(session)
    future = configuration.compiled(sections, revision=-1, care_mode="")
    runs = [
        field_indexes.follow(future.kinds, key, by, session)
        for key in sorted(kinds)
        if key in future.kinds
    ]
    return [one for one in runs if one]


def _named(problem: tuple[Place, Sentence]) -> Sentence:
    place, said = problem
    return Sentence(N_("%(place)s: %(problem)s"), {"place": _way(place), "problem": said})


def _placed(document: Document, problem: tuple[Place, Sentence]) -> Sentence:
    place, said = problem
    return Sentence(
        N_("Line %(line)s, %(place)s: %(problem)s"),
        {"line": document.line(place), "place": _way(place), "problem": said},
    )


def _way(place: Place) -> str:
    return " › ".join(str(one + 1 if isinstance(one, int) else one)[:60] for one in place)


def revisions(*, before: int | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """The revisions as they are stored, the newest first; those before `before`, if given."""
    criteria = {"revision": {"$lt": before}} if before else {}
    found = ConfigurationRevision.collection().find(criteria).sort("revision", -1).limit(limit)
    return list(found)


def items_of(revision: Mapping[str, Any]) -> list[ItemDiff]:
    """What a stored revision changed."""
    return [
        ItemDiff(one["section"], one["key"], one.get("before"), one.get("after"))
        for one in revision["changes"]
    ]


def between(first: int, second: int, *, by: Actor) -> list[ItemDiff]:
    """What differs between two revisions, from the earlier to the later one.

    Raises NotAllowed, or InvalidInput for a revision that is not known.
    """
    if not by.can(CONFIGURE):
        raise NotAllowed()
    low, high = sorted((first, second))
    wanted = {"revision": {"$gte": low, "$lte": high}}
    found = list(ConfigurationRevision.collection().find(wanted).sort("revision", 1))
    known = {one["revision"] for one in found}
    known |= {low} if low + 1 in known else set()  # how it was before the first of them
    for number in (low, high):
        if number not in known:
            error = N_("There is no revision %(number)s. Choose two from the lists.")
            raise InvalidInput(error, number=number)
    sides: dict[str, dict[str, dict[str, Any]]] = {"before": {}, "after": {}}
    for one in found:
        for change in one["changes"] if one["revision"] > low else ():
            place = (change["section"], change["key"])
            sides["before"].setdefault(place[0], {}).setdefault(place[1], change["before"])
            sides["after"].setdefault(place[0], {})[place[1]] = change["after"]
    items = config_diff.diff(
        *(
            {
                section: {key: one for key, one in known.items() if one is not None}
                for section, known in side.items()
            }
            for side in sides.values()
        )
    )
    return [one for one in items if not _is_same(one)]


def planned_back(revision: int, *, by: Actor) -> Plan:
    """What would change so that everything is as it was right after this revision.

    Raises NotAllowed, or InvalidInput for a revision that is not known.
    """
    if not by.can(CONFIGURE):
        raise NotAllowed()
    later = list(
        ConfigurationRevision.collection()
        .find({"revision": {"$gt": revision}})
        .sort("revision", -1)
    )
    known = ConfigurationRevision.collection().find_one({"revision": revision}, {"_id": 1})
    if known is None and not any(one["revision"] == revision + 1 for one in later):
        raise InvalidInput(N_("There is no revision %(number)s to go back to."), number=revision)
    back: dict[str, dict[str, Any]] = {}
    for one in later:
        for change in one["changes"]:
            back.setdefault(change["section"], {})[change["key"]] = change["before"]
    wanted: dict[str, dict[str, Any]] = {}
    there = configuration_parts.contents()
    for section, items in back.items():
        merged = {**there.get(section, {}), **items}
        wanted[section] = {key: one for key, one in merged.items() if one is not None}
    return plan_for(wanted, by=by, is_back=True)
