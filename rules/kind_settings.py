"""What an administrator types to define a kind of documents (B.14)."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from rules.errors import N_, CareError, InvalidInput
from rules.fields import KEY_PATTERN
from rules.text import fold, nfc

LABEL_LENGTH = 120
ICONS = (
    *("list-details", "ticket", "tool", "file-text", "clipboard-check", "calendar-event"),
    *("package", "truck", "credit-card", "building", "heart", "star", "flag", "message"),
    *("phone", "map-pin", "tag", "note", "shield", "receipt"),
)


def key_from(label: str) -> str:
    """A key made of a label: "Phiếu bảo hành" -> "phieu_bao_hanh"."""
    words = re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_")
    return re.sub(r"^[^a-z]+", "", words)[:40].strip("_")


def checked(typed: Mapping[str, str], *, taken: Collection[str], key: str = "") -> tuple[str, Any]:
    """(key, content) of the kind. A kind that exists (`key`) keeps its key for good.

    Raises InvalidInput with `fields`.
    """
    errors: dict[str, CareError] = {}
    labels = {
        name: nfc(typed.get(name, ""))[:LABEL_LENGTH]
        for name in ("label_vi", "label_en", "one_vi", "one_en")
    }
    if not labels["label_vi"]:
        errors["label_vi"] = InvalidInput(N_("Write what these documents are called."))
    made = key or typed.get("key", "").strip() or key_from(labels["label_vi"])
    follows_name = not (made or labels["label_vi"])  # nothing is wrong with a key nobody typed
    if not key and not follows_name and not re.match(KEY_PATTERN, made):
        errors["key"] = InvalidInput(
            N_("Begin the key with a letter; use a-z, 0-9 and _, at most 40 of them.")
        )
    elif not key and made in taken:
        errors["key"] = InvalidInput(N_("There is a kind with this key already. Choose another."))
    if errors:
        raise InvalidInput(fields=errors)
    icon = typed.get("icon", "")
    return made, {
        **{name: text for name, text in labels.items() if text},
        "icon": icon if icon in ICONS else ICONS[0],
        "has_customer": typed.get("has_customer") == "1",
        "has_care": typed.get("has_care") == "1",
        "is_retired": typed.get("is_retired") == "1",
    }
