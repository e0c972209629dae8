"""[Mối quan hệ]: the rules of relationship statuses in their order, with a dry run (S3.3, S3.4)."""

from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext

from rules.errors import N_, CareError, InvalidInput, StaleForm
from rules.permissions import CONFIGURE
from rules.relationship_facts import WORDS
from rules.relationship_sentences import sentences
from services import relationship_preview, relationship_setup
from views import formats, relationship_form, relationship_words
from views.base import ScreenView
from views.context import configured, current_actor, locale, now

Draft = relationship_form.Draft


class Relationships(ScreenView):
    """One form for the whole list; nothing is in force until it is saved."""

    endpoint_name, url_path, icon = "relationships", "/settings/relationships", "heart-handshake"
    label = N_("Relationship rules")
    needs = CONFIGURE

    @expose("/", methods=("GET", "POST"))
    def index_view(self) -> Any:
        if request.method == "GET":
            return self._page(relationship_form.draft_of(relationship_setup.load()))
        draft = relationship_form.read(request.form)
        action = request.form.get("do", "try")
        if action not in ("try", "save"):
            return self._page(draft, is_open=relationship_form.act(draft, action), is_draft=True)
        try:
            document = relationship_setup.checked(
                relationship_form.rules_of(draft), draft["contact_kinds"], draft["unanswered"]
            )
            if action == "save":
                return self._save(document, draft["version"])
        except (InvalidInput, StaleForm) as error:
            if isinstance(error, StaleForm):
                # What was typed is kept; saving again is then a decision.
                draft["version"] = relationship_setup.load().version
            return make_response(self._page(draft, problem=error, is_draft=True), error.status)
        found = relationship_preview.preview(document, at=now())
        return self._page(draft, found=found, is_draft=True)

    def _save(self, document: dict[str, Any], version: int) -> Any:
        run_id = relationship_setup.save(document, version=version, by=current_actor(), at=now())
        if run_id is None:
            flash(gettext("Nothing was changed."), "success")
        else:
            flash(gettext("Saved. The relationships of all customers are recomputed."), "success")
        return redirect(url_for(".index_view"), code=303)

    def _page(
        self,
        draft: Draft,
        *,
        is_open: int | None = None,
        problem: CareError | None = None,
        found: relationship_preview.Preview | None = None,
        is_draft: bool = False,
    ) -> str:
        return self.render(
            "relationships/rules.html",
            draft=draft,
            numbers_in=locale(),
            is_open=is_open,
            problem=problem,
            found=found,
            is_draft=is_draft,
            facts=relationship_setup.facts(),
            words_kind=WORDS,
            operators=relationship_form.OPERATOR_LABELS,
            contacts=relationship_form.CONTACT_LABELS,
            picks=configured(),
            condition_texts=_condition_texts,
            label=relationship_words.label,
        )


def _condition_texts(rule: Draft) -> list[str]:
    """The conditions of a drafted rule in words; numbers that cannot be read as they stand."""
    stored = relationship_form.rules_of({"rules": [rule]})[0]["conditions"]
    texts, known = [], relationship_setup.facts()
    for one, said in zip(
        stored, sentences(stored, label=relationship_words.label, known=known), strict=True
    ):
        groups = [
            f"{relationship_words.label('group', key)}: {formats.format_number(number)}"
            for key, number in (one.get("by_group") or {}).items()
        ]
        text = formats.say(said)
        texts.append(f"{text} ({', '.join(groups)})" if groups else text)
    return texts
