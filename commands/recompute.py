"""`carebook recompute`: brings derived data in line by hand."""

import getpass
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from config import Settings
from models import Order, Product
from rules.errors import N_, InvalidInput
from rules.permissions import ADMINISTRATOR
from rules.scope import Actor
from services import job_runs, progress
from services.catalogues import Words
from services.recompute import recompute_care
from services.relationships import recompute as recompute_relationships
from stores import mongo, valkey

SCREEN = "command recompute"


@click.group()
def recompute() -> None:
    """Recompute derived data. A second run changes nothing.

    \b
    Example:
      carebook recompute care
    """


@recompute.command()
@click.option(
    "--products",
    "codes",
    metavar="CODE",
    multiple=True,
    help="Only what this product can change; may be given several times.",
)
@click.option("--background", is_flag=True, help="Let a worker do it, and return at once.")
@click.pass_obj
def care(settings: Settings, codes: tuple[str, ...], background: bool) -> None:
    """Recompute first care dates of orders, and the next date of every customer.

    Orders that somebody has cared for keep the date that was chosen.

    \b
    Example:
      carebook recompute care
      carebook recompute care --products 22752 --products 85123A
    """
    mongo.connect(settings)
    product_codes = list(dict.fromkeys(codes)) or None
    if product_codes:
        _refuse_unknown(product_codes)
    if background:
        arguments = {"product_codes": product_codes} if product_codes else {}
        _enqueue(settings, "recompute_care", arguments)
        return
    words = Words(settings.locale)
    with _watched(words.say(N_("Care dates"))) as bar:
        counts = recompute_care(product_codes=product_codes, progress=bar)
    for sentence in _sentences(counts, words):
        click.echo(sentence)


@recompute.command()
@click.option("--background", is_flag=True, help="Let a worker do it, and return at once.")
@click.pass_obj
def relationships(settings: Settings, background: bool) -> None:
    """Recompute contacts, purchases and the relationship status of every customer.

    \b
    Example:
      carebook recompute relationships
    """
    mongo.connect(settings)
    if background:
        _enqueue(settings, "recompute_relationships", {})
        return
    words = Words(settings.locale)
    with _watched(words.say(N_("Relationships"))) as bar:
        counts = recompute_relationships(at=datetime.now(UTC), progress=bar)
    click.echo(
        words.say(
            N_("%(changed)s of %(checked)s customers got another relationship."),
            changed=counts["relationships_changed"],
            checked=counts["customers_checked"],
        )
    )


def _refuse_unknown(codes: Sequence[str]) -> None:
    """A deleted product may still stand in orders; a code that stands nowhere is a mistake."""
    unknown = [
        code
        for code in codes
        if Product.collection().find_one({"code": code}, {"_id": 1}) is None
        and Order.collection().find_one({"care_items.code": code}, {"_id": 1}) is None
    ]
    if unknown:
        raise InvalidInput(
            N_("No product and no order has the code %(codes)s. Check the spelling, capitals too."),
            codes=", ".join(unknown),
        )


def _enqueue(settings: Settings, job: str, arguments: dict[str, Any]) -> None:
    valkey.connect(settings)
    run_id = job_runs.create(job, arguments, _operator())
    job_runs.enqueue(run_id)
    message = N_("Job %(run)s waits for a worker; the page “Background jobs” shows it.")
    click.echo(Words(settings.locale).say(message, run=str(run_id)))


def _operator() -> Actor:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        name = "?"
    return Actor(None, f"{name} ({SCREEN})", frozenset({ADMINISTRATOR}), SCREEN)


def _sentences(counts: dict[str, int], words: Words) -> Iterator[str]:
    if not (counts["intervals_changed"] or counts["orders_changed"] or counts["customers_changed"]):
        yield words.say(
            N_("Nothing to change: %(orders)s orders and %(customers)s customers are right."),
            orders=counts["orders_checked"],
            customers=counts["customers_checked"],
        )
        return
    if counts["intervals_changed"]:
        message = N_("%(count)s times an order followed a product's interval.")
        yield words.say(message, count=counts["intervals_changed"])
    yield words.say(
        N_("%(changed)s of %(checked)s orders got another care date."),
        changed=counts["orders_changed"],
        checked=counts["orders_checked"],
    )
    yield words.say(
        N_("%(changed)s of %(checked)s customers got another next date."),
        changed=counts["customers_changed"],
        checked=counts["customers_checked"],
    )


class _Bar(progress.NoProgress):
    """Shows progress on the terminal."""

    def __init__(self, shown: Progress, task: TaskID) -> None:
        self._shown = shown
        self._task = task

    def set_total(self, total: int) -> None:
        self._shown.update(self._task, total=total)

    def advance(self, done: int = 1) -> None:
        self._shown.advance(self._task, done)


@contextmanager
def _watched(what: str) -> Iterator[progress.Progress]:
    """A progress bar with the time left on a terminal; nothing where a program reads along."""
    if not sys.stderr.isatty():
        yield progress.NoProgress()
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as shown:
        yield _Bar(shown, shown.add_task(what, total=None))
