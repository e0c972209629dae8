"""`carebook shell`: a Python shell on the database."""

import code
from typing import Any

import click

from config import Settings
from stores import mongo, valkey


@click.command()
@click.option("-c", "--command", help="Run this Python statement and leave.")
@click.pass_obj
def shell(settings: Settings, command: str | None) -> None:
    """Open a Python shell with the documents (Customer, Order, ...), `db`, `settings` and `valkey`.

    \b
    Example:
      carebook shell -c "print(Order.objects.count())"
    """
    names = _names(settings)
    if command is not None:
        exec(compile(command, "<command>", "exec"), names)  # noqa: S102 that is what it is for
        return
    try:
        import readline
        import rlcompleter
    except ImportError:  # Python without readline
        pass
    else:
        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
    code.interact(
        banner=f"Carebook on database {settings.mongo_database}. "
        f"Names: {', '.join(sorted(name for name in names if not name.startswith('__')))}",
        local=names,
        exitmsg="",
    )


def _names(settings: Settings) -> dict[str, Any]:
    from models import DOCUMENTS

    documents = {document.__name__: document for document in DOCUMENTS}
    return documents | {
        "db": mongo.connect(settings),
        "settings": settings,
        "valkey": valkey.connect(settings),
    }
