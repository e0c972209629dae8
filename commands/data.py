"""`carebook import` and `carebook export`: records from files and to files."""

import getpass
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from commands.import_summary import sentences
from commands.migrate import bring_up_to_date
from config import Settings
from rules.errors import N_, InvalidInput
from rules.permissions import ADMINISTRATOR
from rules.scope import Actor
from services.catalogues import Words
from services.export import EXPORTS, note_export, rows, write_csv
from services.imports.mapping import load_mapping
from services.imports.orders import import_orders
from services.imports.products import import_products
from services.imports.report import ImportReport
from services.imports.run import ImportRequest, NobodyWatches, Watch
from services.imports.targets import ORDERS, PRODUCTS
from stores import mongo

Command = Callable[..., Any]

IMPORTERS: dict[str, Callable[[ImportRequest], ImportReport]] = {
    ORDERS: import_orders,
    PRODUCTS: import_products,
}


@click.group(name="import")
def import_() -> None:
    """Read records from CSV files. A second import of the same files changes nothing.

    \b
    Example:
      carebook import products care-products.csv --mapping care-products.mapping.toml
      carebook import orders 2010-12.csv.gz --mapping online-retail.mapping.toml --dry-run
    """


def _import_options(command: Command) -> Command:
    for option in reversed(
        (
            click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path)),
            click.option(
                "--mapping",
                required=True,
                type=click.Path(path_type=Path),
                help="TOML file that says which column is what; docs/import.md describes it.",
            ),
            click.option("--dry-run", is_flag=True, help="Count, but write nothing."),
            click.option(
                "--errors",
                type=click.Path(path_type=Path),
                help="File for rows that cannot be taken. Default: in the data directory.",
            ),
            click.pass_obj,
        )
    ):
        command = option(command)
    return command


@import_.command("orders")
@_import_options
def orders_from_files(settings: Settings, **options: Any) -> None:
    """Import orders, with the customers, products and areas that they name.

    FILES are CSV, plain or gzipped (or a pipe); the lines of an order may stand anywhere in them.

    \b
    Example:
      carebook import orders 2010-12.csv.gz --mapping online-retail.mapping.toml
    """
    _run_import(settings, ORDERS, **options)


@import_.command("products")
@_import_options
def products_from_files(settings: Settings, **options: Any) -> None:
    """Import products with their groups, care intervals and suggested contacts.

    FILES are CSV, plain or gzipped. Orders that contain changed products follow at once.

    \b
    Example:
      carebook import products care-products.csv --mapping care-products.mapping.toml
    """
    _run_import(settings, PRODUCTS, **options)


def _run_import(
    settings: Settings,
    kind: str,
    files: Sequence[Path],
    mapping: Path,
    dry_run: bool,
    errors: Path | None,
) -> None:
    words = Words(settings.locale)
    checked = load_mapping(mapping, kind, settings.zone)
    bring_up_to_date(settings)
    with _watching() as watch:
        request = ImportRequest(
            files=files,
            mapping=checked,
            by=operator(f"import {kind}"),
            at=datetime.now(UTC),
            zone=settings.zone,
            directory=settings.data / "imports",
            error_file=errors,
            dry_run=dry_run,
            watch=watch,
            say=words.error,
        )
        report = IMPORTERS[kind](request)
    for sentence in sentences(report, words):
        click.echo(sentence)


def operator(command: str) -> Actor:
    """Who works on the command line, for the change log."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        name = "?"
    return Actor(None, f"{name} (carebook {command})", frozenset({ADMINISTRATOR}), "command")


class _Bar:
    """Shows an import as progress bars with the time left."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: Any = None

    def begin(self, title: str, total: int | None) -> None:
        self._finish()
        self._task = self._progress.add_task(title, total=total)

    def done(self, so_far: int) -> None:
        self._progress.update(self._task, completed=so_far)

    def _finish(self) -> None:
        if self._task is not None:
            self._progress.update(self._task, total=1, completed=1)


@contextmanager
def _watching() -> Iterator[Watch]:
    """Progress bars on a terminal; nothing where a file or a program reads along."""
    if not sys.stderr.isatty():
        yield NobodyWatches()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        yield _Bar(progress)


@click.group()
def export() -> None:
    """Write records to a file or to the screen, in the order of their codes.

    \b
    Example:
      carebook export orders --filter care=suggested --format csv
      carebook export customers --output customers.csv
    """


def _export_command(kind: str, example: str) -> None:
    known = EXPORTS[kind]
    filters = "\n".join(f"  {name}={one.help}" for name, one in known.filters.items())
    text = (
        f"Write {kind}, one row each.\n\n\b\nFields:\n{_wrapped(known.fields)}\n\n"
        f"\b\nFilters:\n{filters}\n\n\b\nExample:\n  carebook export {kind} {example}"
    )

    @export.command(kind, help=text)
    @click.option(
        "--fields", help=f"Names separated by commas. Default: {','.join(known.default)}."
    )
    @click.option(
        "--filter", "filters", multiple=True, help="name=value; several must all be true."
    )
    @click.option("--format", "format_", type=click.Choice(["csv"]), default="csv")
    @click.option(
        "--output", type=click.Path(path_type=Path), help="File to write. Default: the screen."
    )
    @click.pass_obj
    def command(
        settings: Settings,
        fields: str | None,
        filters: tuple[str, ...],
        format_: str,
        output: Path | None,
    ) -> None:
        mongo.connect(settings)
        names = [name.strip() for name in fields.split(",")] if fields else None
        wanted = rows(kind, fields=names, filters=[*map(_pair, filters)], zone=settings.zone)
        with _opened(output) as file:
            by = operator(f"export {kind}")
            note_export(kind, wanted, [*map(_pair, filters)], by=by, at=datetime.now(UTC))
            count = write_csv(wanted, file)
        if output is not None:
            click.echo(f"{count} {kind} written to {output}.")


def _wrapped(names: Sequence[str] | Any) -> str:
    return "\n".join(f"  {name}" for name in names)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise InvalidInput(
            N_("Write a filter as name=value, like care=suggested, and not “%(text)s”."), text=text
        )
    return name.strip(), value.strip()


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    """The file to write; the screen as UTF-8.

    A file gets a byte order mark, because spreadsheets take it for UTF-8 only with one; programs
    that read the standard output want none.
    """
    if output is None:
        with _screen() as file:
            yield file
        return
    try:
        with output.open("w", encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as error:
        raise InvalidInput(
            N_("%(file)s cannot be written: %(reason)s. Choose another with --output FILE."),
            file=str(output),
            reason=error.strerror or str(error),
        ) from error


@contextmanager
def _screen() -> Iterator[IO[str]]:
    screen = io.TextIOWrapper(sys.stdout.buffer, "utf-8", newline="")
    try:
        yield screen
        screen.flush()
    except BrokenPipeError:  # the reader has seen enough; click ends quietly
        raise
    except OSError as error:
        raise InvalidInput(
            N_("The output cannot be written: %(reason)s."), reason=error.strerror or str(error)
        ) from error
    finally:
        with suppress(OSError):
            screen.detach()


_export_command("orders", "--filter care=suggested --fields code,customer_code,due_on")
_export_command("products", "--output products.csv")
_export_command("customers", "--filter area='Hà Nội'")
