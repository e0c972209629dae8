"""`carebook orphans`: what belongs to nothing any more."""

from collections import Counter
from datetime import UTC, datetime

import click

from config import Settings
from services import orphans as search
from services.progress import NoProgress
from stores import mongo

NAMES = {
    "references_gone": "records with references to records that are gone",
    "history_gone": "copies of history entries that are gone",
    "files_gone": "files that no record names",
    "old_mails": "old mails",
    "old_sessions": "people with browsers long logged out",
    "old_links": "lapsed password links",
    "old_claims": "lapsed claims of customers",
    "keys_of_nobody": "API keys of nobody",
    "temporary_files": "forgotten temporary files on this host",
}


class _Found(NoProgress):
    def __init__(self) -> None:
        self.counts = Counter[str]()

    def count(self, name: str, number: int = 1) -> None:
        self.counts[name] += number


@click.command()
@click.option("--remove", is_flag=True, help="Remove it, as the weekly job does.")
@click.pass_obj
def orphans(settings: Settings, remove: bool) -> None:
    """Count what belongs to nothing any more. Nothing is changed without --remove.

    \b
    Example:
      carebook orphans
      carebook orphans --remove
    """
    # Whoever keeps files says where they are named when it is loaded.
    import services.attachments  # noqa: F401

    mongo.connect(settings)
    found = _Found()
    search.search(settings, now=datetime.now(UTC), removes=remove, progress=found)
    total = sum(found.counts.values())
    for name, text in NAMES.items():
        if found.counts[name]:
            click.echo(f"{found.counts[name]:>8} {text}")
    click.echo(f"{total} removed." if remove else f"{total} found. Nothing was changed.")
