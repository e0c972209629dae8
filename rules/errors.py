"""The errors a person can meet. Each names its subject and the remedy.

`views/errors.py` alone turns them into a page, a toast or JSON; `commands/` prints them as one line.
The texts are English gettext ids with named parameters, so that they reach the reader in their
language: `str(error)` is the English sentence, `error.message % error.params` after translation
the local one.
"""

from collections.abc import Sequence
from typing import Any


def N_(message: str) -> str:
    """Marks an English text for translation (`pybabel extract -k N_`); returns it unchanged."""
    return message


class CareError(Exception):
    """Base of all errors shown to people. `status` is the HTTP status of a page that raises it."""

    status = 400
    message = N_("Something about this request is not right.")

    def __init__(self, message: str | None = None, /, **params: Any) -> None:
        self.message = message or type(self).message
        self.params = params
        super().__init__(self.message % params if params else self.message)


class InvalidInput(CareError):
    """What was typed cannot be saved. `fields` maps a field name to its own CareError."""

    status = 422
    message = N_("Some fields need another look. Nothing was saved and nothing you typed is lost.")

    def __init__(
        self,
        message: str | None = None,
        /,
        *,
        fields: "dict[str, CareError] | None" = None,
        **params: Any,
    ) -> None:
        super().__init__(message, **params)
        self.fields = fields or {}


def several(errors: Sequence[InvalidInput]) -> InvalidInput:
    """One error that says what each of them says, one sentence after another."""
    first, *others = errors
    if not others:
        return first
    return InvalidInput(N_("%(first)s %(others)s"), first=first, others=several(others))


class NotFound(CareError):
    """The record does not exist, or the actor may not know that it does."""

    status = 404
    message = N_("This record does not exist, was deleted, or is not visible to you.")


class NotAllowed(CareError):
    """The actor sees the subject but may not do this to it."""

    status = 403
    message = N_("You do not have the right to do this. Ask an administrator.")


class StaleForm(CareError):
    """Somebody else changed the record after this form was opened (optimistic lock)."""

    status = 409
    message = N_(
        "Somebody changed this record after you opened it. Your text is kept: check it against the new state and save again."
    )


class TakesTooLong(CareError):
    """What is asked for would have to be searched in too many records while somebody waits."""

    status = 503
    message = N_(
        "Searching all records for this takes too long. Narrow it by another filter as well, or ask"
        " an administrator to mark the field “filter often”."
    )


class StoreUnavailable(CareError):
    """A store cannot be started or reached."""

    status = 503
    message = N_("The database cannot be reached right now. Try again in a moment.")
