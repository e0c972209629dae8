"""Who sees a record edits it only where a role that edits reaches it, whatever the kind."""

from dataclasses import replace
from typing import Any

import pytest
from bson import ObjectId

from models import Product, Record
from rules.errors import NotFound
from rules.permissions import ALL, EDIT, OWN, SEE, KindPermission, Role, union
from rules.scope import SYSTEM, Actor
from services import configuration, configuration_changes, record_saving
from services.configuration_changes import Change
from services.kinds import collection_of
from tests.factories import NOW, make_customer, make_order, make_product

pytestmark = pytest.mark.usefixtures("shipped")
KINDS = ("customers", "orders", "products", "slips")


@pytest.fixture
def words(db: Any) -> None:
    """A kind of the site, and a text field in each kind."""
    kind = Change("kinds", "slips", {"label_vi": "Phiếu"})
    fields = [Change("fields", f"{one}.word", {"type": "text", "label_vi": "Từ"}) for one in KINDS]
    configuration_changes.apply([kind, *fields], says="x", by=SYSTEM, at=NOW)


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("kind", KINDS)
def test_what_one_role_shows_is_not_edited_by_another_of_smaller_reach(
    kind: str, agent: Actor, colleague: Actor
) -> None:
    both = [
        Role("reader", "", kinds={kind: KindPermission(frozenset({SEE}), ALL)}),
        Role("owner", "", kinds={kind: KindPermission(frozenset({SEE, EDIT}), OWN)}),
    ]
    by = replace(agent, granted=union(both))
    mine, others = (made(kind, one.staff_id) for one in (agent, colleague))
    record_saving.save(kind, mine, {"word": "mới"}, version=1, by=by, at=NOW)
    with pytest.raises(NotFound):
        record_saving.save(kind, others, {"word": "mới"}, version=1, by=by, at=NOW)
    assert (word(kind, mine), word(kind, others)) == ("mới", None)


def made(kind: str, owner: Any) -> ObjectId:
    """A record of the kind that is this person's own."""
    if kind == "customers":
        return make_customer(owner_id=owner)
    if kind == "orders":
        return make_order(make_customer(), owner_id=owner, code=f"DH-{owner}")
    if kind == "products":
        code = make_product(carers=[owner])
        found: ObjectId = Product.collection().distinct("_id", {"code": code})[0]
        return found
    slip = {"kind": kind, "code": f"P-{owner}", "owner_id": owner, "custom": {}, "version": 1}
    inserted: ObjectId = Record.collection().insert_one(slip).inserted_id
    return inserted


def word(kind: str, record_id: ObjectId) -> str | None:
    stored = collection_of(configuration.snapshot().kinds[kind]).find_one({"_id": record_id})
    found: str | None = ((stored or {}).get("custom") or {}).get("word")
    return found
