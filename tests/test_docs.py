"""The documentation keeps its word: links lead somewhere, commands exist, pictures are up to date."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import pytest

from commands import COMMANDS, cli
from config import PROJECT_ROOT

IGNORED = {".venv", ".data", ".git", "node_modules", "vendor"}
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
# A command as it is shown: after settings, from any directory.
CALL = re.compile(r"(?:^|[\s/])carebook\s+(?=[a-z]|--help|--version)")
PICTURES = PROJECT_ROOT / "docs" / "pictures"


def documents() -> list[Path]:
    return sorted(
        path
        for path in PROJECT_ROOT.rglob("*.md")
        if not IGNORED & set(path.relative_to(PROJECT_ROOT).parts)
    )


def name(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


def prose(path: Path) -> str:
    """The text without code, where brackets are no links."""
    return INLINE.sub("", FENCE.sub("", path.read_text(encoding="utf-8")))


def links(path: Path) -> Iterator[str]:
    for markdown, html in LINK.findall(prose(path)):
        target = unquote(markdown or html)
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(path: Path) -> set[str]:
    """The names that the headings of a file have as link targets."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands_in(path: Path) -> Iterator[str]:
    """Each `carebook ...` that a file shows, with lines joined that end with a backslash."""
    text = path.read_text(encoding="utf-8")
    shown = [line for block in FENCE.findall(text) for line in joined(block)]
    shown += INLINE.findall(FENCE.sub("", text))
    for line in shown:
        if found := CALL.search(line):
            yield from alternatives(line[found.end() :])


def alternatives(call: str) -> list[str]:
    """`export orders|products` means two commands."""
    if found := re.search(r"\S+\|\S+", call):
        return [call.replace(found[0], one) for one in found[0].split("|")]
    return [call]


def joined(block: str) -> list[str]:
    return re.sub(r"\\\n\s*", " ", block).splitlines()


def problem(call: str) -> str | None:
    """Why `carebook CALL` would be refused before it does anything; None when it would run."""
    try:
        words = shlex.split(re.split(r"\s[|>&;]\s", call)[0].replace("...", ""), comments=True)
    except ValueError as error:
        return str(error)
    command: click.Command = cli
    context = click.Context(cli, info_name="carebook")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0].rstrip(".,:"))
        if found is None:
            return f"there is no command {words[0]!r}"
        command, words = found, words[1:]
        context = click.Context(command, parent=context, info_name=command.name)
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)}
    known |= {"-h", "--help"}
    unknown = [word for word in words if word.startswith("-") and word.split("=")[0] not in known]
    return f"{command.name} has no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("path", documents(), ids=name)
def test_links_and_pictures_lead_somewhere(path: Path) -> None:
    for target in links(path):
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), f"{target} does not exist"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there), f"{target}: there is no such heading"


@pytest.mark.parametrize("path", documents(), ids=name)
def test_commands_exist_as_they_are_shown(path: Path) -> None:
    problems = {call: why for call in commands_in(path) if (why := problem(call))}
    assert not problems


def test_the_check_of_commands_sees_what_is_wrong() -> None:
    assert problem("import orders a.csv --mapping a.toml --dry-run") is None
    assert problem('user create an@example.com --name "An" --role manager') is None
    assert problem("fly") is not None
    assert problem("import people a.csv") is not None
    assert problem("export orders --colour red") is not None


def test_each_command_stands_in_the_operations() -> None:
    text = (PROJECT_ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    table = text.split("## Commands", 1)[1].split("\n## ", 1)[0]
    assert [one for one in COMMANDS if f"`{one}`" not in table and f"`{one} " not in table] == []


@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_page_of_the_guide_names_what_it_covers(language: str) -> None:
    other = {"vi": "en", "en": "vi"}[language]
    guide = PROJECT_ROOT / "docs" / "user-guide"
    pages = {path.name: path.read_text(encoding="utf-8") for path in guide.glob(f"{language}/*.md")}
    assert set(pages) == {path.name for path in guide.glob(f"{other}/*.md")}
    requirements = (PROJECT_ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
    for page, text in pages.items():
        named = re.findall(r"\b(?:S\d|[BC])\.\d+\b", text.splitlines()[-1])
        assert named, f"{page} names no requirement in its last line"
        assert [one for one in named if f"- {one} " not in requirements] == []


def test_each_page_of_the_guide_is_in_its_index() -> None:
    for index in (PROJECT_ROOT / "docs" / "user-guide").glob("*/index.md"):
        listed = set(links(index))
        assert {path.name for path in index.parent.glob("*.md")} - {"index.md"} <= listed


def test_pictures_are_shown_somewhere_and_small() -> None:
    shown: set[Any] = {
        (path.parent / target).resolve() for path in documents() for target in links(path)
    }
    for picture in PICTURES.iterdir():
        assert picture.resolve() in shown, f"{picture.name} stands in no page"
        assert picture.stat().st_size < 250_000
