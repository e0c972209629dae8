"""Numbers of forms between the page, which writes them as its language does, and the services.

Services know one way to type a number (`field_values.form_text`): 1.250.000 and 12,5. A form says
for each number in which language it was drawn, so that a tab that was opened before the reader
changed the language, and a draft of that time, are still read as they were meant.
"""

from dataclasses import dataclass

from flask import request

from rules import numbers
from rules.errors import InvalidInput
from rules.fields import NUMBER, Field
from views import formats
from views.context import locale
from views.i18n import LOCALES

LANGUAGE = "in."  # in front of a field's name: the language of the number that stands in it
WHOLE = ("integer", "money")


@dataclass(frozen=True, slots=True)
class Typed:
    """A number as a form sent it.

    Attributes:
        raw: what stands in the control, as the reader's language writes it.
        text: as services know it; `raw` where it cannot be read, and `error` says why.
    """

    raw: str
    text: str
    error: InvalidInput | None = None


def is_number(field: Field | None) -> bool:
    return field is not None and field.family == NUMBER and not field.is_derived


def sent_language(name: str = LANGUAGE) -> str:
    """The language of the page on which this form was drawn; the reader's, if it does not say."""
    sent = request.form.get(name, "")
    return sent if sent in LOCALES else locale()


def here(text: str, name: str = LANGUAGE) -> str:
    """A number typed into this form as the reader's language writes it.

    The form may have been drawn before the reader changed the language: it is drawn anew in this
    one, and whatever is typed then is read so.
    """
    return text if sent_language(name) == locale() else numbers.swapped(text)


def take(field: Field, raw: str, shown: str | None) -> Typed:
    """What was typed into the control of a number; `shown` is what had stood there.

    What was left alone stays the same number, also one that could not be typed so.
    """
    name = LANGUAGE + field.key
    language, as_here = sent_language(name), here(raw, name)
    if shown is not None and raw.strip() == shown.strip():
        return Typed(as_here, numbers.in_language(raw, language))
    try:
        return Typed(as_here, plain(field.type, raw, language))
    except InvalidInput as error:
        return Typed(as_here, as_here, error)


def plain(type_key: str, raw: str, language: str) -> str:
    """What was typed on a page of this language as services know it. Raises InvalidInput."""
    if not raw.strip():
        return ""
    if type_key not in WHOLE:
        return numbers.typed_decimal(numbers.decimal(raw, language))
    whole = numbers.whole(raw, language)
    return numbers.typed_money(whole) if type_key == "money" else str(whole)


def readable(field: Field, text: str) -> str:
    """A number out of an address, written either way, as services know it; others as they are."""
    try:
        return plain(field.type, text, "") if is_number(field) else text
    except InvalidInput:
        return text


def in_words(field: Field, text: str) -> str:
    """A number as services know it, the way it stands in lists of the reader's language."""
    try:
        read = numbers.whole(text) if field.type in WHOLE else numbers.decimal(text)
    except InvalidInput:
        return numbers.in_language(text, locale())
    if field.type == "money":
        return formats.format_money(read)
    shown = formats.format_number(read)
    return f"{shown} %" if field.type == "percent" else shown


def shown_number(type_key: str, text: str, language: str) -> str:
    """A number of a definition, written either way, as the language writes it."""
    try:
        return numbers.in_language(plain(type_key, text, ""), language)
    except InvalidInput:
        return text
