"""`carebook user`: staff logins."""

from dataclasses import replace
from datetime import UTC, datetime

import click

from config import Settings
from models import Staff
from rules.errors import N_, NotFound
from rules.permissions import SHIPPED_ROLES
from rules.scope import CARE_AGENT, SYSTEM
from services import accounts, credentials, second_factor
from services.catalogues import Words
from stores import mongo

BY = replace(SYSTEM, screen="command user")


@click.group()
def user() -> None:
    """Make staff logins.

    \b
    Example:
      carebook user create chi@example.com --name "Lê Thị Chi" --role manager
      carebook user link chi@example.com
    """


@user.command()
@click.argument("email")
@click.option("--name", required=True, help="The person's name, as colleagues see it.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    default=(CARE_AGENT,),
    show_default=True,
    help=f"{', '.join(SHIPPED_ROLES)}, or one of your own. May be given several times.",
)
@click.pass_obj
def create(settings: Settings, email: str, name: str, roles: tuple[str, ...]) -> None:
    """Make a login and print the link through which the person chooses a password.

    \b
    Example:
      carebook user create chi@example.com --name "Lê Thị Chi" --role manager
    """
    mongo.connect(settings)
    staff = accounts.create_staff(email, name, roles, BY)
    link = credentials.one_time_link(staff, settings.address, datetime.now(UTC))
    _say_link(settings, staff, link)


@user.command()
@click.argument("email")
@click.pass_obj
def link(settings: Settings, email: str) -> None:
    """Print a new link for somebody who lost the first one or forgot the password.

    \b
    Example:
      carebook user link chi@example.com
    """
    mongo.connect(settings)
    staff = _who_may_log_in(email)
    new = credentials.one_time_link(staff, settings.address, datetime.now(UTC))
    _say_link(settings, staff, new)


@user.command("reset-second-factor")
@click.argument("email")
@click.pass_obj
def reset_second_factor(settings: Settings, email: str) -> None:
    """Let somebody in without a telephone and recovery codes; the password is still asked for.

    \b
    Example:
      carebook user reset-second-factor admin@example.com
    """
    mongo.connect(settings)
    staff = _who_may_log_in(email)
    second_factor.reset(staff.pk, BY, datetime.now(UTC))
    message = N_("%(name)s <%(email)s> logs in with the password alone now.")
    click.echo(Words(settings.locale).say(message, name=staff.name, email=staff.email))


def _say_link(settings: Settings, staff: Staff, link: str) -> None:
    message = N_("%(name)s <%(email)s> can choose a password here:")
    click.echo(Words(settings.locale).say(message, name=staff.name, email=staff.email))
    click.echo(link)


def _who_may_log_in(email: str) -> Staff:
    staff = accounts.find_staff(email)
    if staff is None or not staff.active:
        raise NotFound(
            N_("Nobody with the e-mail address %(email)s may log in. Check the spelling."),
            email=email,
        )
    return staff
