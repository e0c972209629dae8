"""Settings: each has a name, a default and a help text, and is read once from the environment.

`docs/operations.md` lists every one of them; a test fails when one is missing there.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent
SENDER = re.compile(r"[^<>@\s]+@[^<>@\s]+|[^<>\n\r\"]+ <[^<>@\s]+@[^<>@\s]+>")


LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_safe_address(address: str) -> bool:
    """Whether nobody on the way can read or change what goes there: HTTPS, or this machine."""
    parts = urlsplit(address)
    if not parts.hostname or parts.username or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


class Settings(BaseSettings):
    """What an operator may choose. Attribute `data` is read from `CAREBOOK_DATA`, and so on."""

    # An empty variable counts as unset.
    model_config = SettingsConfigDict(
        env_prefix="CAREBOOK_", populate_by_name=True, extra="ignore", env_ignore_empty=True
    )

    data: Path = Field(
        PROJECT_ROOT / ".data",
        description="Directory of the embedded stores, keys and logs; created with mode 0700.",
    )
    host: str = Field("127.0.0.1", description="Address the web server listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the web server listens on.")
    mongo_url: SecretStr | None = Field(
        None,
        validation_alias="MONGO_URL",
        description="External MongoDB (a replica set or mongos). Unset: an embedded server.",
    )
    mongo_database: str = Field(
        "carebook", pattern=r"^[A-Za-z0-9_-]{1,60}$", description="Name of the database."
    )
    valkey_url: SecretStr | None = Field(
        None,
        validation_alias="VALKEY_URL",
        description="External Valkey or Redis. Unset: an embedded server.",
    )
    demo: bool = Field(True, description="Load demonstration data when the database is empty.")
    timezone: str = Field("Asia/Ho_Chi_Minh", description="Time zone of the site's local dates.")
    locale: str = Field(
        "vi", pattern="^(vi|en)$", description="Language before a person chose one."
    )
    public_url: str | None = Field(
        None, description="Address people use, for links in mails. Unset: http://HOST:PORT."
    )
    mail_url: SecretStr | None = Field(
        None,
        description="Mail server: smtp://USER:PASSWORD@HOST:587 or smtps://... Unset: no mail.",
    )
    mail_from: str | None = Field(
        None, description="Sender of mails, needed with a mail server.", validate_default=True
    )
    secret_key: SecretStr | None = Field(
        None,
        min_length=32,
        description="Signs cookies; the same on every web host. Unset: made in the data directory.",
    )
    oidc_issuer: str | None = Field(
        None,
        description="Sign-in service (OpenID Connect), by its issuer address. Unset: none.",
    )
    oidc_client_id: str | None = Field(
        None,
        description="Carebook's name at the sign-in service, needed with one.",
        validate_default=True,
    )
    oidc_client_secret: SecretStr | None = Field(
        None, description="Carebook's secret there. Unset: the service knows it as a public client."
    )
    oidc_name: str = Field("SSO", description="What the button at the login calls the service.")
    oidc_domains: str | None = Field(
        None, description="Mail domains that may come from there, with commas. Unset: all."
    )
    oidc_create_role: str | None = Field(
        None,
        description="Role of a login made for an unknown verified address. Unset: none is made.",
        validate_default=True,
    )
    oidc_trust_second_factor: bool = Field(
        False, description="Ask nobody who comes from there for Carebook's own second factor."
    )
    secure_cookies: bool = Field(
        False, description="Send cookies over HTTPS only; switch on behind TLS."
    )
    login_rate: str = Field(
        "10 per minute; 60 per hour", description="Login attempts allowed per address and account."
    )
    web_workers: int = Field(2, ge=1, description="Web processes.")
    web_threads: int = Field(8, ge=1, description="Threads of each web process.")
    job_workers: int = Field(1, ge=0, description="Job worker processes started by `serve`.")
    job_run_days: int = Field(
        90, ge=1, description="Days that ended background jobs stay in their list."
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Opens /metrics to whoever sends it. Unset: only this machine may ask.",
    )
    log_level: str = Field(
        "INFO",
        pattern="^(DEBUG|INFO|WARNING|ERROR)$",
        description="DEBUG, INFO, WARNING or ERROR.",
    )

    @field_validator("timezone")
    @classmethod
    def _names_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (OSError, ValueError, ZoneInfoNotFoundError) as error:
            raise ValueError("it is not a time zone such as Asia/Ho_Chi_Minh") from error
        return value

    @field_validator("mail_url")
    @classmethod
    def _names_a_mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(value.get_secret_value()) if value else None
        if parts and (parts.scheme not in ("smtp", "smtps") or not parts.hostname):
            raise ValueError("it must look like smtp://USER:PASSWORD@HOST:587 or smtps://...")
        if parts and parts.port == 0:
            raise ValueError("its port must be between 1 and 65535")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sends_from_an_address(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("mail_url"):
            raise ValueError("a mail server needs a sender, such as Carebook <care@company.vn>")
        if value is not None and not SENDER.fullmatch(value):
            raise ValueError("it is not a sender such as Carebook <care@company.vn>")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _names_a_safe_service(cls, value: str | None) -> str | None:
        if value is not None and not is_safe_address(value):
            raise ValueError("it must be an https:// address")
        return value

    @field_validator("oidc_client_id")
    @classmethod
    def _is_known_there(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not value and info.data.get("oidc_issuer"):
            raise ValueError("a sign-in service needs the name that it knows Carebook by")
        return value

    @field_validator("oidc_create_role")
    @classmethod
    def _lets_in_known_domains(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not info.data.get("oidc_domains"):
            raise ValueError(
                "it needs CAREBOOK_OIDC_DOMAINS: else everybody whom the service knows gets a login"
            )
        return value

    @property
    def oidc_domain_list(self) -> tuple[str, ...]:
        """The mail domains that may come from the sign-in service; empty: all."""
        parts = (self.oidc_domains or "").lower().split(",")
        return tuple(part.strip().removeprefix("@") for part in parts if part.strip())

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone; every local date (`_on`) is a date of this zone."""
        return ZoneInfo(self.timezone)

    @property
    def address(self) -> str:
        """The address to print and to put into links, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
