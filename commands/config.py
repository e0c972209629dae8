"""`carebook config`: the configuration as a file, its differences, and earlier revisions (B.13)."""

import importlib.metadata
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from commands.data import operator
from commands.migrate import bring_up_to_date
from config import Settings
from rules.config_diff import ItemDiff
from rules.config_names import Names
from rules.config_words import headline, sentences, subject
from rules.errors import InvalidInput
from rules.scope import Actor
from services import configuration, configuration_file, configuration_parts
from services.catalogues import Words
from services.configuration_file import Plan
from services.configuration_names import names_of
from stores import mongo


@click.group()
def config() -> None:
    """Fields, layouts, lists, roles, rules and all other settings as one readable file.

    \b
    Example:
      carebook config export site.yaml
      carebook config diff site.yaml
      carebook config import site.yaml
      carebook config revisions
      carebook config rollback 12
    """


@config.command("export")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def export_(settings: Settings, file: Path | None) -> None:
    """Write the configuration to FILE, or to the terminal.

    \b
    Example:
      carebook config export site.yaml
    """
    by = _ready(settings)
    version = importlib.metadata.version("carebook")
    text = configuration_file.written(by=by, version=version, at=datetime.now(UTC))
    if file is None:
        sys.stdout.write(text)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from error
    click.echo(f"{file}: revision {configuration.snapshot().revision}")


@config.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def diff(settings: Settings, file: Path) -> None:
    """Say what FILE would change. Ends with 1 when it cannot be imported.

    \b
    Example:
      carebook config diff site.yaml
    """
    by = _ready(settings)
    _tell(configuration_file.planned(_read(file), by=by), settings)


@config.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def import_(settings: Settings, file: Path, yes: bool) -> None:
    """Make the configuration what FILE says, all or nothing.

    \b
    Example:
      carebook config import site.yaml
    """
    by = _ready(settings)
    bring_up_to_date(settings)
    plan = configuration_file.planned(_read(file), by=by)
    _apply(plan, settings, says=f"⇪ {file.name}", by=by, is_agreed=yes)


@config.command()
@click.option("--limit", default=20, show_default=True, help="How many, the newest first.")
@click.pass_obj
def revisions(settings: Settings, limit: int) -> None:
    """List who changed the configuration, when, and what.

    \b
    Example:
      carebook config revisions --limit 5
    """
    _ready(settings)
    words = Words(settings.locale)
    for one in configuration_file.revisions(limit=max(1, min(limit, 1000))):
        at = one["at"].astimezone(settings.zone)
        click.echo(f"{one['revision']:>5}  {at:%Y-%m-%d %H:%M}  {one['staff_name']}")
        items = configuration_file.items_of(one)
        names = _names(items, settings)
        for item in items:
            said = headline(item, names)
            click.echo(f"       {words.say(said.message, **said.params)}")


@config.command()
@click.argument("revision", type=int)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def rollback(settings: Settings, revision: int, yes: bool) -> None:
    """Bring everything back to how it was right after REVISION; that is a new revision.

    \b
    Example:
      carebook config rollback 12
    """
    by = _ready(settings)
    plan = configuration_file.planned_back(revision, by=by)
    _apply(plan, settings, says=f"↩ {revision}", by=by, is_agreed=yes)


def _ready(settings: Settings) -> Actor:
    mongo.connect(settings)
    return operator("config")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from error


def _names(items: Sequence[ItemDiff], settings: Settings) -> Names:
    today = datetime.now(settings.zone).date()
    return names_of(configuration.snapshot(), items, locale=settings.locale, today=today)


def _tell(plan: Plan, settings: Settings) -> None:
    """Says what would change; leaves with 1 when it may not."""
    remarked = [item for item, _ in plan.remarks]
    words, names = Words(settings.locale), _names([*plan.items, *remarked], settings)
    for note in plan.notes:
        click.echo(f"! {words.say(note.message, **note.params)}")
    for item, remark in plan.remarks:
        said: Any = subject(item, names)
        called = words.say(said.message, **said.params)
        click.echo(f"! {called}: {words.say(remark.message, **remark.params)}")
    for item in configuration_parts.readable(plan.items):
        said = headline(item, names)
        click.echo(words.say(said.message, **said.params))
        for said in sentences(item, names):
            click.echo(f"    {words.say(said.message, **said.params)}")
    if plan.problems:
        for problem in plan.problems:
            click.echo(f"✗ {words.say(problem.message, **problem.params)}", err=True)
        raise InvalidInput(configuration_file.REFUSED)
    if not plan.items:
        click.echo(words.say(configuration_file.SAME))


def _apply(plan: Plan, settings: Settings, *, says: str, by: Actor, is_agreed: bool) -> None:
    _tell(plan, settings)
    if not plan.items:
        return
    words = Words(settings.locale)
    if not is_agreed:
        click.confirm(words.say(configuration_file.ASK), abort=True)
    done = configuration_file.apply(
        plan, revision=plan.revision, says=says, by=by, at=datetime.now(UTC)
    )
    click.echo(words.say(configuration_file.DONE, number=done))
