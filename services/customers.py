"""Changes a customer's own data: what is typed in the edit form, with an optimistic version."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from bson import ObjectId
from email_validator import EmailNotValidError, validate_email
from pymongo.client_session import ClientSession

from models import Area, Customer, Interaction, Order
from models.base import local_date, stored_date
from rules.errors import N_, CareError, InvalidInput, NotFound, StaleForm
from rules.filters import parse_date
from rules.permissions import EDIT
from rules.phones import phone_key, phone_with_remark
from rules.relationship import RULE
from rules.scope import Actor, customer_scope
from rules.text import nfc, search_text
from rules.three_way import clashes, touched
from services import audit, configuration, relationship_entries, relationships
from stores import mongo
from stores.mongo import in_transaction

Stored = dict[str, Any]

TEXT_LENGTHS = {"name": 200, "tax_code": 40, "national_id": 40, "address": 400, "note": 4000}
PICKED = {"relationship": "relationship", "source": "source", "channel": "channel"} | {
    "preferred_contact": "preferred_contact"
}
GENDERS = ("female", "male", "other")
PHONES_KEPT = 10
PHONE_LENGTH = 80  # a number and who answers it
PHONE_DIGITS = 20  # more than any country has, with the sign
REASON_LENGTH = 400
SEPARATORS = re.compile(r"[,\n](?![^(\n]*\))")


def search_fields(customer: Mapping[str, Any]) -> Stored:
    """`search`, `search_words` and `phone_keys` as they follow from the other fields (B.4)."""
    phones = customer.get("phones") or []
    folded = search_text(
        customer.get("name"),
        customer.get("code"),
        ["".join(char for char in phone if char.isdigit()) for phone in phones],
        customer.get("emails"),
        customer.get("tax_code"),
    )
    keys = [key for key in map(phone_key, phones) if key]
    return {
        "search": folded,
        "search_words": list(dict.fromkeys(folded.split())),
        "phone_keys": list(dict.fromkeys(keys)),
    }


def update(
    customer_id: ObjectId,
    typed: Mapping[str, str],
    *,
    version: int,
    by: Actor,
    at: datetime,
    shown: Mapping[str, str] | None = None,
) -> None:
    """Saves the edit form: {field: text}; phones and e-mails are one a line or comma-separated.

    A field that is not among `typed`, or that still says what the form showed, keeps its value.

    Args:
        version: that of the record as the form was opened.
        shown: {field: text} as the form was opened. Given, it decides and not the version:
            a conflict is a touched field that somebody else changed.

    Raises:
        InvalidInput: with `fields`.
        NotFound: the customer is gone.
        StaleForm: somebody changed a touched field to something else meanwhile.
    """
    mine = touched(shown or {}, typed)
    values = _parsed(mine, at.astimezone(mongo.zone()).date())

    def work(session: ClientSession) -> None:
        stored = Customer.collection().find_one(
            {"_id": customer_id, **customer_scope(by, EDIT)}, session=session
        )
        if stored is None:
            raise NotFound(
                N_("This customer was deleted meanwhile. Copy your text before you leave.")
            )
        # A draft may be older than the form it came back in: what was shown decides, if known.
        is_stale = (
            stored.get("version", 1) != version
            if shown is None
            else clashes(shown, form_values(stored), mine)
        )
        if is_stale:
            raise StaleForm()
        changes = {
            name: (stored.get(name), value)
            for name, value in values.items()
            if (stored.get(name) or None) != (value or None)
        }
        if not changes:
            return
        changed = {name: new for name, (_, new) in changes.items()}
        if "relationship" in changed:
            changed |= _choose(stored, changed["relationship"], typed, by, at, session)
        written = changed | search_fields(stored | changed) | {"updated_at": at}
        Customer.collection().update_one(
            {"_id": customer_id}, {"$set": written, "$inc": {"version": 1}}, session=session
        )
        if "relationship" in changed:
            relationships.follow_up([customer_id], session, at=at)
        if "area_id" in changed:
            Order.collection().update_many(
                {"customer_id": customer_id},
                {"$set": {"area_id": changed["area_id"]}, "$inc": {"version": 1}},
                session=session,
            )
        audit.record(
            by=by,
            at=at,
            action="update",
            kind="customers",
            record_id=customer_id,
            label=str(changed.get("name") or stored["name"]),
            changes=changes,
            session=session,
        )

    in_transaction(work)


def form_values(customer: Mapping[str, Any]) -> dict[str, str]:
    """{field: text}: the stored values as the edit form shows them."""
    values = {
        name: str(customer.get(name) or "")
        for name in (*TEXT_LENGTHS, *PICKED, "gender", "area_id")
    }
    born = local_date(customer.get("birthday"))
    return values | {
        "phones": ", ".join(customer.get("phones") or []),
        "emails": ", ".join(customer.get("emails") or []),
        "birthday": f"{born.day:02}/{born.month:02}/{born.year:04}" if born else "",
    }


def _choose(
    stored: Stored,
    status: str | None,
    typed: Mapping[str, str],
    by: Actor,
    at: datetime,
    session: ClientSession,
) -> Stored:
    """What else changes with a status chosen by hand; no status leaves it to the rules (S3.3)."""
    if status is None:
        return {
            "relationship": stored.get("relationship"),
            "relationship_chosen": None,
            "relationship_set": {"by": RULE, "at": at},
        }
    chosen = relationships.stored_choice(
        status,
        today=at.astimezone(mongo.zone()).date(),
        staff_id=by.staff_id,
        staff_name=by.name,
        reason=nfc(typed.get("relationship_reason", ""))[:REASON_LENGTH],
    )
    set_by = relationships.chosen_set(chosen, at)
    entry = relationship_entries.event(
        stored, status, set_by, at=at, staff_id=by.staff_id, staff_name=by.name
    )
    Interaction.collection().insert_one(entry, session=session)
    Customer.collection().update_one(
        {"_id": stored["_id"]}, {"$push": relationship_entries.push(entry)}, session=session
    )
    return {"relationship_chosen": chosen, "relationship_set": set_by}


def _parsed(typed: Mapping[str, str], today: date) -> Stored:
    """The values to store; every wrong field is named at once."""
    errors: dict[str, CareError] = {}
    values: Stored = {}

    def take(name: str, read: Any) -> None:
        if name not in typed:
            return  # a field that was not sent keeps its value
        try:
            values[name] = read(typed[name])
        except InvalidInput as error:
            errors[name] = error

    for name, limit in TEXT_LENGTHS.items():
        take(name, lambda text, name=name, limit=limit: _text(text, limit, name))
    for name, list_key in PICKED.items():
        take(name, lambda text, list_key=list_key: _picked(text, list_key))
    take("phones", _phones)
    take("emails", _emails)
    take("birthday", lambda text: _birthday(text, today))
    take("area_id", _area)
    take("gender", _gender)
    if errors:
        raise InvalidInput(fields=errors)
    return values


def _text(text: str, limit: int, name: str) -> str | None:
    clean = nfc(text, multiline=name == "note")
    if len(clean) > limit:
        raise InvalidInput(
            N_("This has %(length)s characters; shorten it to at most %(limit)s."),
            length=len(clean),
            limit=limit,
        )
    if name == "name" and not clean:
        raise InvalidInput(N_("Write the customer's name."))
    return clean or None


def _picked(text: str, list_key: str) -> str | None:
    if not text:
        return None
    if configuration.snapshot().pick_lists.get(list_key, {}).get(text) is None:
        raise InvalidInput(N_("Choose a value from the list."))
    return text


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]


def _phones(text: str) -> list[str]:
    """A comma within a remark in parentheses separates nothing: "0912440785 (Ba, buổi sáng)"."""
    parts = [part.strip() for part in SEPARATORS.split(nfc(text, multiline=True)) if part.strip()]
    if len(parts) > PHONES_KEPT:
        raise InvalidInput(N_("Keep at most %(limit)s phone numbers."), limit=PHONES_KEPT)
    for part in parts:
        key = phone_key(part)
        if key is None or len(key) > PHONE_DIGITS or len(part) > PHONE_LENGTH:
            raise InvalidInput(
                N_("“%(value)s” is not a phone number. Write it like 0912 345 678."),
                value=part[:40],
            )
    return [phone_with_remark(part) for part in parts]


def _emails(text: str) -> list[str]:
    found = []
    for part in _parts(text):
        try:
            found.append(validate_email(part, check_deliverability=False).normalized)
        except EmailNotValidError as error:
            raise InvalidInput(
                N_("“%(value)s” is not an e-mail address. Write it like ten@congty.vn."),
                value=part[:60],
            ) from error
    return found


def _area(text: str) -> ObjectId | None:
    if not text:
        return None
    known = Area.collection().find_one({"_id": ObjectId(text)}) if ObjectId.is_valid(text) else None
    if known is None:
        raise InvalidInput(N_("Choose a value from the list."))
    area_id: ObjectId = known["_id"]
    return area_id


def _gender(text: str) -> str | None:
    if text and text not in GENDERS:
        raise InvalidInput(N_("Choose a value from the list."))
    return text or None


def _birthday(text: str, today: date) -> datetime | None:
    day: date | None = parse_date(text)
    if day and day > today:
        raise InvalidInput(N_("%(day)s is in the future. Write the day of birth."), day=day)
    return stored_date(day) if day else None
