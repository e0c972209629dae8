"""Sets a product's care interval and suggested contacts; affected orders follow by a job."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession

from models import Product
from rules.errors import N_, CareError, InvalidInput, NotAllowed, NotFound, StaleForm
from rules.permissions import EDIT
from rules.scope import Actor, product_scope
from services import audit, job_runs
from stores.mongo import in_transaction

INTERVAL_LIMIT_DAYS = 36_500
CONTACTS_LIMIT = 1_000
CARE_FIELDS = ("care_interval_days", "care_min", "care_max")


@dataclass(frozen=True, slots=True)
class CareSettingsSaved:
    """`run_id` is the job that brings the affected orders up to date; None when none is needed."""

    version: int
    run_id: ObjectId | None


def set_care(
    product_id: ObjectId, typed: Mapping[str, str], *, version: int, by: Actor, at: datetime
) -> CareSettingsSaved:
    """Saves interval (days, 0 = no care, S1.4) and suggested contacts (S1.8) as they were typed.

    A field that is not among `typed` keeps its value.

    A changed interval starts the job that recomputes the first dates of orders with this product
    (S1.5); orders already cared for keep their date (S1.6). The job is recorded in the same
    transaction, so that a killed process forgets nothing.

    Raises NotAllowed, InvalidInput with `fields`, NotFound, StaleForm.
    """
    if not by.may("products", EDIT):
        raise NotAllowed()
    values = _parsed(typed)

    def work(session: ClientSession) -> CareSettingsSaved:
        mine = {"_id": product_id, **product_scope(by, EDIT)}
        stored = Product.collection().find_one(mine, session=session)
        if stored is None:
            raise NotFound(N_("This product was deleted meanwhile."))
        if stored.get("version", 1) != version:
            raise StaleForm()
        after = stored | values
        _check_contacts(after.get("care_min"), after.get("care_max"))
        changes = {
            name: (stored.get(name), value)
            for name, value in values.items()
            if stored.get(name) != value
        }
        if not changes:
            return CareSettingsSaved(version, None)
        _write(product_id, changes, at, session)
        audit.record(
            by=by,
            at=at,
            action="update",
            kind="products",
            record_id=product_id,
            label=stored["code"],
            changes=changes,
            session=session,
        )
        run_id = None
        if "care_interval_days" in changes:
            arguments = {"product_codes": [stored["code"]]}
            run_id = job_runs.create("recompute_care", arguments, by, session=session)
        return CareSettingsSaved(version + 1, run_id)

    saved = in_transaction(work)
    if saved.run_id:
        job_runs.enqueue(saved.run_id)
    return saved


def _write(
    product_id: ObjectId, changes: Mapping[str, Any], at: datetime, session: ClientSession
) -> None:
    written = {name: new for name, (_, new) in changes.items()}
    Product.collection().update_one(
        {"_id": product_id},
        {"$set": written | {"updated_at": at}, "$inc": {"version": 1}},
        session=session,
    )


def _parsed(typed: Mapping[str, str]) -> dict[str, int | None]:
    values: dict[str, int | None] = {}
    errors: dict[str, CareError] = {}
    for name in CARE_FIELDS:
        if name not in typed:
            continue  # a field that was not sent keeps its value
        limit = INTERVAL_LIMIT_DAYS if name == "care_interval_days" else CONTACTS_LIMIT
        try:
            values[name] = _whole(typed.get(name, ""), limit)
        except InvalidInput as error:
            errors[name] = error
    if "care_interval_days" in values:
        values["care_interval_days"] = values["care_interval_days"] or 0
    if errors:
        raise InvalidInput(fields=errors)
    return values


def _check_contacts(fewest: int | None, most: int | None) -> None:
    if fewest is not None and most is not None and fewest > most:
        error = InvalidInput(
            N_("The maximum %(most)s is below the minimum %(fewest)s."), most=most, fewest=fewest
        )
        raise InvalidInput(fields={"care_max": error})


def _whole(text: str, limit: int) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) > limit:
        raise InvalidInput(
            N_("“%(value)s” must be a whole number from 0 to %(limit)s."),
            value=text[:20],
            limit=limit,
        )
    return int(text)
