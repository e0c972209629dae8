"""Files in fields of a form: sent beforehand by a script, or with the form itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId
from flask import request
from werkzeug.datastructures import FileStorage

from rules.errors import CareError, InvalidInput, several
from rules.fields import FILES, Field, Kind
from services import attachments, field_files
from views.context import current_actor, now
from views.files import ShownFile, shown

# In front of a field's name: the input that carries files. What was sent before is named by the
# field itself, like a choice.
CARRIED = "files."


def take_carried(kind: Kind, typed: dict[str, str]) -> dict[str, CareError]:
    """Stores the files that the form carries and adds them to what was typed; {field: what is wrong
    with its files}. Raises NotAllowed for a field that the person may not fill in.
    """
    refused: dict[str, list[InvalidInput]] = {}
    for name in request.files:
        key = name.removeprefix(CARRIED)
        sent = [one for one in request.files.getlist(name) if one.filename]
        if name == key or not sent:
            continue
        for one in sent:
            try:
                _add(kind.fields.get(key), typed, key, _taken(kind, key, one))
            except InvalidInput as error:
                refused.setdefault(key, []).append(error)
    return {key: several(errors) for key, errors in refused.items()}


def _taken(kind: Kind, key: str, sent: FileStorage) -> ObjectId:
    made = attachments.add_pending(
        sent.stream, sent.filename or "", by=current_actor(), at=now(), field=(kind.key, key)
    )
    found: ObjectId = made["_id"]
    return found


def _add(field: Field | None, typed: dict[str, str], key: str, file_id: ObjectId) -> None:
    """The newest comes first; a field that takes one file has it replaced."""
    replaces = field is not None and field.maximum.strip() == "1"
    known = "" if replaces else typed.get(key, "")
    typed[key] = ", ".join(filter(None, (str(file_id), known)))


def in_form(
    kind: Kind, fields: Mapping[str, Field], texts: Sequence[Mapping[str, str]], record: Any
) -> dict[str, list[ShownFile]]:
    """{field: files} of the fields that take files: those that stand in one of the texts, so that
    what was unticked can be ticked again.
    """
    found: dict[str, list[ShownFile]] = {}
    for key, field in fields.items():
        if field.family == FILES:
            named = [part.strip() for text in texts for part in text.get(key, "").split(",")]
            ids = [ObjectId(one) for one in named if ObjectId.is_valid(one)]
            rows = field_files.rows(ids, field, kind, record.get("_id"), by=current_actor())
            found[key] = shown(rows)
    return found
