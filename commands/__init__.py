"""The `carebook` command line. Each command is imported when it is called, so that help is quick."""

import importlib
import signal
import sys
import threading
from types import FrameType
from typing import Any, NoReturn

import click
from pydantic import ValidationError

from config import Settings
from rules.errors import CareError
from stores.errors import StoreError, lost_connection

# Command: (module, attribute, first line of its help).
COMMANDS = {
    "backup": ("commands.backup", "backup", "Write the whole database to a new directory or file."),
    "config": ("commands.config", "config", "Export, compare, import and roll back settings."),
    "demo": ("commands.demo", "demo", "Load demonstration data into an empty database."),
    "export": ("commands.data", "export", "Write records to a file."),
    "import": ("commands.data", "import_", "Read records from files."),
    "migrate": ("commands.migrate", "migrate", "Bring the database up to this version."),
    "orphans": ("commands.orphans", "orphans", "Count or remove what belongs to nothing."),
    "recompute": ("commands.recompute", "recompute", "Recompute derived data."),
    "restore": ("commands.backup", "restore", "Fill an empty database from a backup."),
    "scheduler": ("commands.scheduler", "scheduler", "Start periodic jobs when they are due."),
    "serve": ("commands.serve", "serve", "Run everything on this machine."),
    "shell": ("commands.shell", "shell", "Open a Python shell on the database."),
    "status": ("commands.status", "status", "Show stores, versions and pending jobs."),
    "user": ("commands.user", "user", "Make staff logins."),
    "web": ("commands.web", "web", "Run the web server."),
    "worker": ("commands.worker", "worker", "Run background jobs."),
}
INTERRUPTED = 130  # what shells expect after Ctrl-C


class CarebookGroup(click.Group):
    """Commands by name, loaded late; errors for people are one line on stderr and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        _leave_cleanly_when_told_to()
        try:
            return super().invoke(ctx)
        except CareError as error:
            _fail(ctx, _in_words(ctx, error))
        except StoreError as error:
            _fail(ctx, str(error))
        except ValidationError as error:
            _fail(ctx, _settings_problem(error))
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            if (lost := lost_connection(error)) is None:
                raise
            _fail(ctx, str(lost))


def _in_words(ctx: click.Context, error: CareError) -> str:
    """The error in the language of the site; a group that failed before has no settings."""
    from services.catalogues import Words

    return Words(ctx.obj.locale).error(error) if ctx.obj else str(error)


def _fail(ctx: click.Context, message: str) -> NoReturn:
    click.echo(f"carebook: {message}", err=True)
    ctx.exit(1)


def _settings_problem(error: ValidationError) -> str:
    """Names the first setting that cannot be used by its environment variable."""
    if error.title != Settings.__name__:
        raise error
    first = error.errors()[0]
    name = str(first["loc"][0])
    field, known = next(
        (field, known)
        for field, known in Settings.model_fields.items()
        if name in (field, known.validation_alias)
    )
    variable = known.validation_alias or f"CAREBOOK_{field.upper()}"
    # What may be a password is not repeated.
    shown = "" if "Secret" in str(known.annotation) else f"={first['input']!r}"
    return (
        f"{variable}{shown} cannot be used: {first['msg']}. docs/operations.md lists all settings."
    )


def _leave_cleanly_when_told_to() -> None:
    """SIGTERM and a closed terminal end the command in order, so that the stores are left in order."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, leave)


@click.group(
    cls=CarebookGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Settings come from the environment; docs/operations.md lists them.",
)
@click.version_option(package_name="carebook", message="carebook %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Carebook: customer care for the back office.

    \b
    Example:
      carebook serve
    """
    ctx.obj = Settings()
