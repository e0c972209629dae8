"""Every text of the program has its Vietnamese."""

import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import i18n  # noqa: E402 a tool, not a package


@pytest.fixture(scope="module")
def catalogue() -> i18n.Catalog:
    return i18n.load("vi")


def test_it_has_a_translation_of_every_text(catalogue: i18n.Catalog) -> None:
    missing = []
    for message in i18n.extract():
        if message.id:
            known = catalogue.get(i18n.name_of(message))
            if known is None or not i18n.is_translated(known):
                missing.append(i18n.name_of(message))
    assert not missing, "translate with tools/i18n.py add"


def test_it_has_no_doubtful_translation(catalogue: i18n.Catalog) -> None:
    assert [i18n.name_of(message) for message in catalogue if message.id and message.fuzzy] == []


def test_it_keeps_the_placeholders(catalogue: i18n.Catalog) -> None:
    problems = []
    for message in catalogue:
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and all(strings):
            problems += [i18n.disagreement(i18n.name_of(message), text) for text in strings]
    assert [problem for problem in problems if problem] == []


def test_it_notices_a_lost_placeholder() -> None:
    assert i18n.disagreement("%(count)s left", "còn lại")
    assert i18n.disagreement("%(count)s left", "")
    assert i18n.disagreement("%(count)s left", "còn %(count)s") is None


def test_it_takes_translations_of_several_people_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import i18n;"
        "i18n.catalogue_path = lambda locale='vi': Path(sys.argv[2]) / 'translations' / 'x.po';"
        "i18n.ROOT = Path(sys.argv[2]); i18n.update = lambda: [];"
        "sys.exit(i18n.add([(sys.argv[3], sys.argv[3] + ' vi')]))"
    )
    (tmp_path / "translations").mkdir()
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(ROOT / "tools"), str(tmp_path), f"text {n}"]
        )
        for n in range(4)
    ]
    assert [process.wait() for process in running] == [0] * 4
    with (tmp_path / "translations" / "x.po").open("rb") as file:
        stored = {message.id: message.string for message in read_po(file) if message.id}
    assert stored == {f"text {n}": f"text {n} vi" for n in range(4)}
