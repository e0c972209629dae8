"""`carebook migrate`: brings the database up to this version."""

from datetime import UTC, datetime

import click

from config import Settings
from services import migration
from stores import mongo


def bring_up_to_date(settings: Settings) -> migration.Outcome:
    """Migrates the database and says what was done."""
    mongo.connect(settings)
    outcome = migration.migrate(now=lambda: datetime.now(UTC), waiting=_say_waiting)
    for name in outcome.applied:
        click.echo(f"Migrated: {name}")
    for warning in outcome.warnings:
        click.echo(f"carebook: {warning}", err=True)
    return outcome


def _say_waiting() -> None:
    click.echo("Another process is migrating this database: waiting for it.", err=True)


@click.command()
@click.pass_obj
def migrate(settings: Settings) -> None:
    """Bring the database up to this version: migrations, indexes, shipped data.

    Safe to repeat, and safe to run on several hosts at once.

    \b
    Example:
      carebook migrate
    """
    outcome = bring_up_to_date(settings)
    if not outcome.applied:
        click.echo("The database is up to date.")
