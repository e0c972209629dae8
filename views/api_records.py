"""The API for records: `/api/records/<kind>`, with the fields of the site under `custom`."""

from typing import Any

from bson import ObjectId
from flask import Response, jsonify, request

from rules.api_scopes import READ, WRITE
from rules.errors import N_, InvalidInput, NotFound
from services import api_records
from views.api import blueprint, caller, needs
from views.context import now, today


@blueprint.get("/records/<kind>")
@needs(READ)
def records(kind: str) -> Response:
    """Records in the order of their ids: `after`, `limit` (50, at most 200), `code`."""
    after, limit = request.args.get("after", ""), request.args.get("limit", "")
    page = api_records.some(
        kind,
        by=caller().actor,
        today=today(),
        after=_id(after) if after else None,
        code=request.args.get("code", "")[:80],
        limit=int(limit) if limit.isdecimal() and len(limit) < 6 else api_records.USUAL,
    )
    return jsonify(records=page.records, next=str(page.next_id) if page.next_id else None)


@blueprint.get("/records/<kind>/<record_id>")
@needs(READ)
def record(kind: str, record_id: str) -> Response:
    """One record."""
    return jsonify(_record(kind, record_id))


@blueprint.patch("/records/<kind>/<record_id>")
@needs(WRITE)
def change_record(kind: str, record_id: str) -> Response:
    """Saves some fields of a record; the answer is the record as it is then."""
    api_records.save(kind, _id(record_id), _sent(), by=caller().actor, at=now())
    return jsonify(_record(kind, record_id))


def _sent() -> dict[str, Any]:
    try:
        sent = request.get_json(silent=True)
    except RecursionError:
        sent = None
    if not isinstance(sent, dict):
        raise InvalidInput(N_("Send a JSON object, with Content-Type: application/json."))
    return sent


def _record(kind: str, record_id: str) -> dict[str, Any]:
    return api_records.one(kind, _id(record_id), by=caller().actor, today=today())


def _id(text: str) -> ObjectId:
    if not ObjectId.is_valid(text):
        raise NotFound()
    return ObjectId(text)
