"""Viewers whose time is over lose the customer within a quarter of an hour and not overnight.

Schedules that a site has changed stay as they are.
"""

from typing import Any


def up(db: Any) -> None:
    unchanged = {"key": "end_viewers", "source": "shipped", "version": 1, "at_time": "00:05"}
    finer = {"at_time": "00:00", "every_minutes": 15, "until_time": "23:59"}
    db.schedules.update_one(unchanged, {"$set": finer})
