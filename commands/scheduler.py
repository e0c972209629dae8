"""`carebook scheduler`: starts periodic jobs when they are due."""

import click

from commands import lifeline, log
from config import Settings


@click.command()
@click.pass_obj
def scheduler(settings: Settings) -> None:
    """Start periodic jobs when they are due, and take up jobs whose worker died.

    Several may run; one of them at a time does the work.

    \b
    Example:
      carebook scheduler
    """
    from jobs import schedule

    lifeline.hold()
    log.start(settings)
    schedule.run_forever(settings)
