"""What a person likes: the columns of its lists. Nobody else is concerned, so nothing is audited."""

from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from models import Staff


def keep_list(staff_id: ObjectId, screen: str, chosen: Mapping[str, Any]) -> None:
    """Keeps how the person wants this list: {columns: [{key, width}]}; the last one to say wins."""
    Staff.collection().update_one({"_id": staff_id}, {"$set": {f"lists.{screen}": dict(chosen)}})


def forget_list(staff_id: ObjectId, screen: str) -> None:
    """Back to the columns that everybody starts with."""
    Staff.collection().update_one({"_id": staff_id}, {"$unset": {f"lists.{screen}": ""}})


def keep_tabs(staff_id: ObjectId, kind: str, tabs: Mapping[str, bool]) -> None:
    """Keeps which tabs the person switched on or off on records of a kind (S4.2)."""
    operator = {"$set": {f"tabs.{kind}": dict(tabs)}} if tabs else {"$unset": {f"tabs.{kind}": ""}}
    Staff.collection().update_one({"_id": staff_id}, operator)
