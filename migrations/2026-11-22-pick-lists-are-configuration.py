"""Pick lists become items of the configuration, beside fields, layouts and everything else.

One collection, one way to change it, one file to export: a pick list with a collection of its own
would need each of them twice. What a site changed in its lists is kept.
"""

from typing import Any


def up(db: Any) -> None:
    for stored in list(db.pick_lists.find()):
        content = {
            name: stored[name] for name in ("label_vi", "label_en", "values") if name in stored
        }
        db.configuration.replace_one(
            {"section": "pick_lists", "key": stored["key"]},
            {
                "section": "pick_lists",
                "key": stored["key"],
                "content": content,
                "source": stored.get("source", "site"),
                "version": stored.get("version", 1),
            },
            upsert=True,
        )
    db.pick_lists.drop()
