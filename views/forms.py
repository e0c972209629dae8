"""The base of all forms: our translations, trimmed text, errors from services."""

from typing import Any

from flask import request
from flask_babel import gettext, ngettext
from flask_wtf import FlaskForm

from rules.errors import N_, InvalidInput
from views.formats import say_error

# A flash of this category names the draft that a save has made needless (static/js/drafts.js).
DRAFT = "draft"

# What WTForms and Flask-WTF may say. WTForms ships no Vietnamese; here they enter our catalogue.
WTFORMS_TEXTS = (
    N_("This field is required."),
    N_("Not a valid choice."),
    N_("Not a valid choice"),
    N_("Not a valid integer value."),
    N_("Not a valid decimal value."),
    N_("Not a valid date value."),
    N_("Not a valid datetime value."),
    N_("Invalid input."),
    N_("Invalid Choice: could not coerce."),
    N_("Invalid Choice: could not coerce"),
    N_("Invalid email address."),
    N_("Field cannot be longer than %(max)d character."),
    N_("Field must be at least %(min)d character long."),
    N_("Number must be between %(min)s and %(max)s."),
    N_("Number must be at least %(min)s."),
    N_("Number must be at most %(max)s."),
    N_("The CSRF token is missing."),
)


class Translations:
    """WTForms' messages out of our own catalogue."""

    def gettext(self, text: str) -> str:
        return str(gettext(text))

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        # Our catalogue has no plural entries for them: Vietnamese has one form only.
        return (
            str(ngettext(singular, plural, n))
            if gettext(singular) == singular
            else str(gettext(singular))
        )


class CarebookForm(FlaskForm):
    """A form whose messages are in the reader's language."""

    class Meta(FlaskForm.Meta):  # type: ignore[name-defined, misc]
        def get_translations(self, form: Any) -> Translations:
            return Translations()

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            # The package would take a JSON body for a form, with objects where a form has texts: an
            # operator of the store would come in as a value.
            return request.form if request.is_json else super().wrap_formdata(form, formdata)

    def take_errors(self, error: InvalidInput) -> None:
        """Puts what a service refused beside the fields; the rest above the form."""
        for name, problem in error.fields.items():
            self[name].errors = [*self[name].errors, say_error(problem)]
        if not error.fields:
            self.form_errors.append(say_error(error))
