"""A product's own data: care interval, suggested contacts and what a site adds (S1.4, S1.8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId

from rules.errors import N_, InvalidInput
from rules.scope import Actor
from rules.text import search_text
from services import job_runs, record_changes
from services.record_changes import Follow, Saved, Writing

KIND = "products"
# Where the care settings stand, and the keys of their fields.
CARE_KEYS = {"care_interval_days": "interval", "care_min": "care_min", "care_max": "care_max"}
CARE_FIELDS = tuple(CARE_KEYS)


@dataclass(frozen=True, slots=True)
class CareSettingsSaved:
    """`run_id` is the job that brings the affected orders up to date; None when none is needed."""

    version: int
    run_id: ObjectId | None


def update(
    product_id: ObjectId,
    typed: Mapping[str, str],
    *,
    version: int,
    by: Actor,
    at: datetime,
    shown: Mapping[str, str] | None = None,
) -> Saved:
    """Saves the form of a product: {field key: text}.

    A changed interval starts the job that recomputes the first dates of orders with this product
    (S1.5); orders already cared for keep their date (S1.6). The job is recorded in the same
    transaction, so that a killed process forgets nothing.

    See `record_changes.update` for `version`, `shown` and what is raised.
    """
    return record_changes.update(
        KIND, product_id, typed, version=version, by=by, at=at, shown=shown, follow=FOLLOW
    )


def set_care(
    product_id: ObjectId, typed: Mapping[str, str], *, version: int, by: Actor, at: datetime
) -> CareSettingsSaved:
    """The same for interval (days, 0 = no care, S1.4) and suggested contacts (S1.8) alone.

    The names are those of CARE_FIELDS; one that is not among `typed` keeps its value.
    """
    keyed = {key: typed[name] for name, key in CARE_KEYS.items() if name in typed}
    try:
        saved = update(product_id, keyed, version=version, by=by, at=at)
    except InvalidInput as error:
        names = {key: name for name, key in CARE_KEYS.items()}
        fields = {names.get(key, key): problem for key, problem in error.fields.items()}
        raise InvalidInput(error.message, fields=fields, **error.params) from error
    return CareSettingsSaved(saved.version, saved.jobs[0] if saved.jobs else None)


def _check(writing: Writing) -> None:
    fewest, most = writing.becomes("care_min"), writing.becomes("care_max")
    if fewest is not None and most is not None and fewest > most:
        error = InvalidInput(
            N_("The maximum %(most)s is below the minimum %(fewest)s."), most=most, fewest=fewest
        )
        raise InvalidInput(fields={"care_max": error})


def _more(writing: Writing) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "name" in writing.changes:
        text = search_text(str(writing.becomes("name")), str(writing.becomes("code")))
        found |= {"search": text, "search_words": list(dict.fromkeys(text.split()))}
    if "care_interval_days" in writing.changes:
        found["care_interval_days"] = writing.becomes("care_interval_days") or 0
    return found


def _after(writing: Writing) -> list[ObjectId]:
    if "care_interval_days" not in writing.changes:
        return []
    arguments = {"product_codes": [writing.before["code"]]}
    return [job_runs.create("recompute_care", arguments, writing.by, session=writing.session)]


FOLLOW = Follow(check=_check, more=_more, after=_after, label="code")
