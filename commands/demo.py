"""`carebook demo`: demonstration data, and the password of its accounts."""

import os
import secrets
from datetime import UTC, datetime

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from commands import first_login
from commands.migrate import bring_up_to_date
from config import Settings
from rules.errors import N_, InvalidInput
from services import demo as demonstration


@click.command()
@click.option("--customers", default=500, show_default=True, type=click.IntRange(1, 10_000_000))
@click.option("--orders", default=2000, show_default=True, type=click.IntRange(0, 50_000_000))
@click.pass_obj
def demo(settings: Settings, customers: int, orders: int) -> None:
    """Load demonstration data into an empty database.

    \b
    Example:
      carebook demo --customers 10000 --orders 40000
    """
    bring_up_to_date(settings)
    if not first_login.is_empty() and not demonstration.is_unfinished():
        raise InvalidInput(
            N_("The database holds records already. Demonstration data goes into an empty one.")
        )
    load(settings, customers=customers, orders=orders)
    for line in how_to_log_in(settings):
        click.echo(line)


def load(settings: Settings, *, customers: int = 500, orders: int = 2000) -> None:
    """Loads with a progress bar on a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=not os.isatty(2), transient=True) as bar:
        task = bar.add_task("Demonstration data", total=customers)
        demonstration.load(
            now=datetime.now(UTC),
            zone=settings.zone,
            password=password(settings),
            customers=customers,
            orders=orders,
            advance=lambda number: bar.advance(task, number),
        )


def password(settings: Settings) -> str:
    """The password of all demonstration accounts, made once for this data directory."""
    file = settings.data / "demo-password"
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as made:
            made.write(f"Cham-soc-{secrets.token_hex(4)}\n")
    return file.read_text(encoding="utf-8").strip()


def how_to_log_in(settings: Settings) -> list[str]:
    """Lines that name the demonstration accounts and their password."""
    shown = [
        (role, email)
        for role in ("care_agent", "manager", "administrator")
        for email, its in demonstration.emails()
        if its == role
    ]
    first = dict(reversed(shown))
    lines = [f"  {role.replace('_', ' '):14} {email}" for role, email in first.items()]
    return ["Log in with one of", *reversed(lines), f"  password       {password(settings)}"]
