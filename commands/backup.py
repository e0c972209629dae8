"""`carebook backup` and `carebook restore`: the whole database, to files and back."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from config import Settings
from rules.errors import N_, InvalidInput
from services import backup as backups
from services import restore as restores
from services.catalogues import Words
from stores import mongo

OTHER_NAME = N_("Nothing was deleted: this is not the name of the database (%(database)s).")
DELETES = N_("This deletes everything in the database:")
TYPE_NAME = N_("Type the name of the database to go on")
NOBODY_TO_ASK = N_(
    "Replacing the database %(database)s needs a confirmation. Run it in a terminal, or add --yes."
)


@click.command()
@click.argument("place", type=click.Path(path_type=Path))
@click.pass_obj
def backup(settings: Settings, place: Path) -> None:
    """Write the whole database to PLACE, while everything goes on running.

    PLACE is a new directory, or a new file whose name ends with .tar. It holds the database as it
    was at one instant, in the layout of mongodump with gzip. It gets its name when it is whole:
    what is named .PLACE.unfinished-... was interrupted and may be deleted.

    \b
    Example:
      carebook backup /backup/carebook-2026-11-21
      carebook backup /backup/carebook-2026-11-21.tar
    """
    mongo.connect(settings)
    written = backups.back_up(place, at=datetime.now(UTC), say=_say)
    documents = sum(written.collections.values())
    click.echo(
        f"{place}: {documents} documents in {len(written.collections)} collections, "
        f"{written.size / 1e6:.1f} MB."
    )


@click.command()
@click.argument("place", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Delete what is in the database before.")
@click.option("--yes", is_flag=True, help="With --replace: do not ask.")
@click.pass_obj
def restore(settings: Settings, place: Path, replace: bool, yes: bool) -> None:
    """Fill an empty database from the backup at PLACE.

    End `carebook serve` and all other parts first. The backup is checked as a whole before the
    first document is written. Until the restore is done, no part starts on this database.

    \b
    Example:
      carebook restore /backup/carebook-2026-11-21.tar
      CAREBOOK_MONGO_DATABASE=carebook_trial carebook restore /backup/carebook-2026-11-21
    """
    manifest = restores.manifest_of(place)
    mongo.connect(settings)
    if replace and not yes:
        _confirm(settings)
    click.echo(f"Backup of {manifest['taken_at']}, Carebook {manifest['carebook']}: checking it.")
    restores.restore(place, at=datetime.now(UTC), is_replacing=replace, say=_say)
    click.echo(f"The database {settings.mongo_database} is restored. Next: `carebook migrate`.")


def _confirm(settings: Settings) -> None:
    found = restores.contents(mongo.database())
    if not found:
        return
    if not sys.stdin.isatty():
        raise InvalidInput(NOBODY_TO_ASK, database=settings.mongo_database)
    words = Words(settings.locale)
    click.echo(words.say(DELETES), err=True)
    for name, count in found.items():
        click.echo(f"  {name}: {count}", err=True)
    typed = click.prompt(words.say(TYPE_NAME), err=True)
    if typed.strip() != settings.mongo_database:
        raise InvalidInput(OTHER_NAME, database=settings.mongo_database)


def _say(collection: str, documents: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"{collection}: {documents}", err=True)
