"""Takes each defence out of a copy of the program, and expects its test to fail: `make defences`.

A test of a defence that passes without the defence says nothing, and one that fails with it neither:
each is run both ways. The names are those of the table in docs/security.md; what is replaced must be
there once, so that a defence that moves is noticed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ATTACKS = "tests/attacks"
MATRIX = "tests/views/test_matrix.py::test_every_address_answers_every_role_as_declared"


@dataclass(frozen=True, slots=True)
class Defence:
    """Where it stands, what is left without it, and the test that then fails."""

    name: str
    file: str
    line: str
    without: str
    test: str


DEFENCES = (
    Defence(
        "operators: ids are parsed",
        "views/list_screen.py",
        "        return ObjectId(text)\n    except (InvalidId, TypeError):",
        "        return __import__('json').loads(text)\n    except (ValueError, TypeError):",
        f"{ATTACKS}/test_nosql_injection.py::test_an_operator_instead_of_an_id_is_not_found",
    ),
    Defence(
        "operators: filters parse what they compare with",
        "rules/filters.py",
        "            return self.parse_id(raw)\n",
        "            return __import__('json').loads(raw)\n",
        f"{ATTACKS}/test_nosql_injection.py::test_no_operator_in_an_address_reaches_the_store",
    ),
    Defence(
        "CSRF: a token in each form",
        "views/security.py",
        "        WTF_CSRF_TIME_LIMIT=None,\n",
        "        WTF_CSRF_TIME_LIMIT=None,\n        WTF_CSRF_CHECK_DEFAULT=False,\n",
        f"{ATTACKS}/test_csrf.py::test_nothing_is_changed_without_a_token_of_this_session",
    ),
    Defence(
        "CSRF: the cookie stays on this site",
        "views/security.py",
        '        SESSION_COOKIE_SAMESITE="Lax",\n',
        "        SESSION_COOKIE_SAMESITE=None,\n",
        f"{ATTACKS}/test_csrf.py::test_other_sites_do_not_send_the_cookie",
    ),
    Defence(
        "CSRF: no frame of others",
        "views/security.py",
        "        \"frame-ancestors 'none'\",\n",
        "",
        f"{ATTACKS}/test_csrf.py::test_a_page_of_ours_stands_in_no_frame_of_others",
    ),
    Defence(
        "mass assignment: derived fields are not typed",
        "services/field_values.py",
        "field.is_usable and not field.is_derived and access",
        "field.is_usable and access",
        f"{ATTACKS}/test_mass_assignment.py::test_no_form_saves_a_field_that_follows_from_others",
    ),
    Defence(
        "mass assignment: fields that a role does not edit",
        "services/field_values.py",
        " and not field.is_derived and access.level(kind.key, key) == EDITED\n",
        " and not field.is_derived\n",
        f"{ATTACKS}/test_mass_assignment.py::"
        "test_no_form_saves_a_field_that_the_role_does_not_edit",
    ),
    Defence(
        "open redirect: paths of this site only",
        "views/context.py",
        '    if not target or not target.startswith("/") or target[1:2] in ("/", "\\\\"):\n',
        "    if not target:\n",
        f"{ATTACKS}/test_open_redirect.py::test_no_login_sends_anybody_away",
    ),
    Defence(
        "path traversal: static files from one directory",
        "views/assets.py",
        "    app.after_request(_serve)\n",
        "    app.after_request(_serve)\n    app.view_functions['static'] = lambda filename: Path(str(app.static_folder),"
        " filename).read_bytes()\n",
        f"{ATTACKS}/test_path_traversal.py::test_no_address_leaves_its_place",
    ),
    Defence(
        "stored XSS: templates escape",
        "views/list_screen.py",
        '    app.jinja_env.globals["count_text"] = count_text\n',
        '    app.jinja_env.globals["count_text"] = count_text\n    app.jinja_env.autoescape = False\n',
        f"{ATTACKS}/test_stored_xss.py::test_script_in_every_field_stays_text",
    ),
    Defence(
        "stored XSS: no inline script runs",
        "views/security.py",
        "        \"script-src 'self'\",\n",
        "        \"script-src 'self' 'unsafe-inline'\",\n",
        "tests/views/test_security.py::test_it_sends_security_headers_with_everything",
    ),
    Defence(
        "formulas: apostrophe before them in CSV",
        "services/csv_cells.py",
        """    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text\n""",
        "    return text\n",
        f"{ATTACKS}/test_formulas.py",
    ),
    Defence(
        "formulas: spreadsheets hold texts as texts",
        "services/spreadsheet.py",
        '    styled = f\' s="{style}"\' if style else ""\n',
        '    styled = f\' s="{style}"\' if style else ""\n'
        "    if text.startswith('='):\n"
        "        return f'<c r=\"{at}\"{styled}><f>{text[1:]}</f></c>'\n",
        f"{ATTACKS}/test_formulas.py::test_a_spreadsheet_holds_texts_and_no_formula",
    ),
    Defence(
        "uploads: markup anywhere in a file",
        "rules/files.py",
        "        if any(mark in seen for mark in MARKUP):\n            return True\n",
        "",
        f"{ATTACKS}/test_uploads.py::"
        "test_what_is_no_plain_picture_sound_or_document_can_only_be_saved",
    ),
    Defence(
        "uploads: scripts that begin like a sound",
        "rules/files.py",
        "    return UNKNOWN if found != UNKNOWN and _is_script_too(head, found) else found\n",
        "    return found\n",
        f"{ATTACKS}/test_uploads.py::"
        "test_what_is_no_plain_picture_sound_or_document_can_only_be_saved[a sound that is a script]",
    ),
    Defence(
        "uploads: only an allow-list is shown",
        "views/files.py",
        '        is_shown = attachment["content_type"] in INLINE and "download" not in request.args\n',
        '        is_shown = "download" not in request.args\n',
        f"{ATTACKS}/test_uploads.py::"
        "test_what_is_no_plain_picture_sound_or_document_can_only_be_saved",
    ),
    Defence(
        "uploads: the browser guesses no type",
        "views/files.py",
        '    response.headers["X-Content-Type-Options"] = "nosniff"\n',
        '    response.headers["X-Content-Type-Options"] = ""\n',
        f"{ATTACKS}/test_uploads.py::test_what_is_plain_is_shown_in_a_document_without_rights",
    ),
    Defence(
        "uploads: a document without rights",
        "views/files.py",
        "sandbox; frame-ancestors 'none'\"\n",
        "frame-ancestors 'none'\"\n",
        f"{ATTACKS}/test_uploads.py::test_what_is_plain_is_shown_in_a_document_without_rights",
    ),
    Defence(
        "uploads: names are no paths",
        "rules/files.py",
        '    last = re.split(r"[/\\\\]", name)[-1]\n',
        "    last = name\n",
        f"{ATTACKS}/test_uploads.py::test_a_name_is_a_name_and_never_a_path_or_a_header",
    ),
    Defence(
        "session fixation: nothing from before the login",
        "views/second_step.py",
        "    session.clear()\n    if kept:\n",
        "    if kept:\n",
        f"{ATTACKS}/test_session_fixation.py::test_a_planted_session_is_not_the_one_after_the_login",
    ),
    Defence(
        "session fixation: the key is among the person's sessions",
        "services/staff_sessions.py",
        "    return any(session.key == key and session.seen_at > oldest for session in staff.sessions)\n",
        "    return bool(oldest)\n",
        f"{ATTACKS}/test_session_fixation.py",
    ),
    Defence(
        "brute force: locks",
        "services/login_attempts.py",
        '    free = {"$or": [{"locked_until": None}, {"locked_until": {"$lte": now}}]}\n',
        "    free: dict[str, Any] = {}\n",
        f"{ATTACKS}/test_brute_force.py",
    ),
    Defence(
        "brute force: limits an address",
        "views/limits.py",
        '    return _wait_seconds("carebook_login_limit", email)\n',
        "    return 0\n",
        f"{ATTACKS}/test_brute_force.py::test_a_header_does_not_make_a_new_address",
    ),
    Defence(
        "brute force: spellings of an address",
        "services/login_attempts.py",
        '    return hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()\n',
        '    return hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()\n',
        f"{ATTACKS}/test_brute_force.py::test_spellings_of_one_address_are_one_account",
    ),
    Defence(
        "scope: lists of customers",
        "views/customers.py",
        "        return customer_scope(current_actor())\n",
        "        return {}\n",
        f"{MATRIX}[care_agent]",
    ),
    Defence(
        "scope: attachments ask their record",
        "services/attachment_owners.py",
        '{"$and": [{"_id": owner_id}, owner.scope(by, action)]}',
        '{"_id": owner_id}',
        f"{MATRIX}[care_agent]",
    ),
    Defence(
        "scope: references are named to who sees them",
        "services/references.py",
        "        scope=customer_scope,\n",
        "",
        "tests/views/test_foreign_names.py::test_no_search_filter_count_or_file_tells_of_others",
    ),
    Defence(
        "scope: forms of records",
        "services/record_changes.py",
        '{"$and": [{"_id": record_id, **kind.base}, scope(by, kind_key, EDIT)]}',
        '{"_id": record_id, **kind.base}',
        "tests/services/test_edits_out_of_reach.py",
    ),
    Defence(
        "scope: files written in the background",
        "services/list_export_runs.py",
        "merge([wanted.criteria, scope(by, wanted.kind, EXPORT)])",
        "merge([wanted.criteria])",
        "tests/views/test_foreign_names.py::"
        "test_what_is_seen_is_not_taken_out_by_a_role_of_smaller_reach",
    ),
    Defence(
        "scope: what was deleted by others",
        "services/trash.py",
        "            if before is None or not _may_restore(by, before):\n",
        "            if before is None:\n",
        f"{MATRIX}[keeper]",
    ),
)


def copied(target: Path) -> None:
    """A copy of what git knows here, and the environment."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        place = target / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place)
    for catalogue in ROOT.glob("translations/*/LC_MESSAGES/*.mo"):
        shutil.copy2(catalogue, target / catalogue.relative_to(ROOT))


def holds(defence: Defence, copy: Path) -> str:
    """What is wrong with the test of a defence; "" where it fails without the defence."""
    file = copy / defence.file
    whole = file.read_text("utf-8")
    if whole.count(defence.line) != 1:
        return f"not found once in {defence.file}"
    file.write_text(whole.replace(defence.line, defence.without), "utf-8")
    try:
        done = tested([defence.test], copy)
    finally:
        file.write_text(whole, "utf-8")
    return "" if done.code == 1 and "failed" in done.last else f"its test says: {done.last}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How pytest ended: its exit code, and the last line that it said."""

    code: int
    last: str


def tested(tests: Sequence[str], copy: Path) -> Outcome:
    """Runs tests in the copy, as far as the first failure."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", *tests],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    said += done.stdout.strip().splitlines()[-1:] or [done.stderr.strip()[-200:]]
    return Outcome(done.returncode, " ".join(said))


def main(chosen: list[str]) -> int:
    wanted = [one for one in DEFENCES if not chosen or any(word in one.name for word in chosen)]
    wrong = 0
    with tempfile.TemporaryDirectory() as place:
        copied(Path(place))
        whole = tested(list(dict.fromkeys(one.test for one in wanted)), Path(place))
        if whole.code:
            wrong += 1
            print(f"WRONG with every defence in place: {whole.last}", flush=True)
        for one in wanted:
            said = holds(one, Path(place))
            wrong += bool(said)
            print(
                f"{'WRONG' if said else 'ok':6}{one.name}{': ' + said if said else ''}", flush=True
            )
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
