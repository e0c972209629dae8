"""Each command explains itself, and says in one line what is wrong."""

import click
import pytest
from click.testing import CliRunner

from commands import COMMANDS, cli
from config import Settings
from rules.errors import CareError
from stores.errors import StoreError


def walk(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    below = [command.get_command(context, name) for name in command.list_commands(context)]
    return [path] + [found for sub in below if sub for found in walk(sub, (*path, sub.name or ""))]


@pytest.mark.parametrize("path", walk(cli), ids=" ".join)
def test_each_help_has_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, [*path, "--help"])
    assert result.exit_code == 0
    assert "Example:\n" in result.output
    assert "  carebook " in result.output or "carebook " in result.output.split("Example:")[1]


def test_the_help_names_each_command_by_its_own_words() -> None:
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        assert command.name == name


@pytest.mark.parametrize("error", [CareError("It is late."), StoreError("It is", "late.")])
def test_an_error_is_one_line_and_exit_code_1(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(type(cli), "get_command", lambda *_: failing)
    result = CliRunner().invoke(cli, ["status"])
    assert result.exit_code == 1
    assert result.stderr == "carebook: It is late.\n"
    assert result.stdout == ""


def test_ctrl_c_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(cli), "get_command", lambda *_: interrupted)
    result = CliRunner().invoke(cli, ["status"])
    assert result.exit_code == 130
    assert result.output == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CAREBOOK_PORT", "eighty"),
        ("CAREBOOK_PORT", "70000"),
        ("CAREBOOK_LOCALE", "fr"),
        ("CAREBOOK_TIMEZONE", "Asia/Saigonn"),
        ("CAREBOOK_TIMEZONE", "../etc/passwd"),
        ("CAREBOOK_LOG_LEVEL", "loud"),
        ("CAREBOOK_MONGO_DATABASE", "care book"),
        ("CAREBOOK_DEMO", "perhaps"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(variable: str, value: str) -> None:
    result = CliRunner().invoke(cli, ["status"], env={variable: value})
    assert result.exit_code == 1
    assert result.stderr.startswith(f"carebook: {variable}='{value}' cannot be used")
    assert result.stderr.count("\n") == 1


def test_a_secret_setting_that_cannot_be_used_is_named_but_not_repeated() -> None:
    result = CliRunner().invoke(cli, ["status"], env={"CAREBOOK_SECRET_KEY": "sesame"})
    assert result.exit_code == 1
    assert result.stderr.startswith("carebook: CAREBOOK_SECRET_KEY cannot be used")
    assert "sesame" not in result.output


def test_an_empty_setting_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGO_URL", "")
    monkeypatch.setenv("CAREBOOK_PORT", "")
    assert Settings().mongo_url is None
    assert Settings().port == 8000


def test_an_unknown_command_is_refused() -> None:
    result = CliRunner().invoke(cli, ["sevre"])
    assert result.exit_code == 2
    assert "No such command 'sevre'" in result.stderr
