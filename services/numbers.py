"""The numbers of records that people add: KH-000124 after KH-000123."""

import re
from collections.abc import Mapping

from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from models import Counter
from stores import mongo

DIGITS = 6
_SHORT = re.compile(r"[\s-]*([0-9]{1,9})")
PREFIXES: Mapping[str, str] = {"customers": "KH-", "orders": "DH-", "products": "SP-"}


def prefix(kind: str) -> str:
    """What stands before the number; a kind of the site begins with its own letters."""
    return PREFIXES.get(kind) or f"{kind[:3].upper()}-"


def codes_meant(kind: str, text: str) -> list[str]:
    """The codes of this kind that somebody may mean who leaves out a part: "204", "000204" and
    "kh204" are KH-000204. None for a text that looks like no number."""
    begins = prefix(kind)
    digits = _SHORT.fullmatch(text.strip().upper().removeprefix(begins.rstrip("-")))
    return [f"{begins}{digits[1]}", f"{begins}{digits[1]:0>{DIGITS}}"] if digits else []


def next_code(kind: str, collection: str) -> str:
    """A number that no record of the collection has; each call gives another one.

    Numbers that came with an import are passed over. Two records cannot get the same one: their
    code is unique in the store.
    """
    begins = prefix(kind)
    records = mongo.database()[collection]
    while True:
        code = f"{begins}{_next(kind):0{DIGITS}}"
        if records.find_one({"code": code}, {"_id": 1}) is None:
            return code
        # The digits have one length, so that the greatest text is the greatest number.
        taken = {"code": {"$regex": f"^{re.escape(begins)}[0-9]{{{DIGITS}}}$"}}
        found = records.find_one(taken, {"code": 1}, sort=[("code", -1)])
        if found:
            _pass(kind, int(found["code"].removeprefix(begins)))


def _next(kind: str) -> int:
    while True:
        try:
            found = Counter.collection().find_one_and_update(
                {"key": kind},
                {"$inc": {"last": 1, "version": 1}},
                upsert=True,
                return_document=ReturnDocument.AFTER,
            )
        except DuplicateKeyError:
            continue  # another process has just begun to count
        return int(found["last"]) if found else 1


def _pass(kind: str, number: int) -> None:
    Counter.collection().update_one({"key": kind}, {"$max": {"last": number}})
