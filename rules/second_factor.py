"""Codes of the second factor: six digits that change every half minute (TOTP, RFC 6238)."""

import secrets
from datetime import datetime
from hmac import compare_digest

import pyotp

STEP_SECONDS = 30
DRIFT_STEPS = 1  # a telephone's clock may be off by so much either way
RECOVERY_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without look-alikes
ISSUER = "Carebook"


def new_secret() -> str:
    """A secret to share with the person's telephone."""
    return pyotp.random_base32()


def address_of(secret: str, email: str) -> str:
    """What the picture says to the telephone (otpauth://...)."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=ISSUER)


def step_of_code(secret: str, code: str, now: datetime) -> int | None:
    """The time step that the typed code belongs to, or None when it is not right."""
    digits = "".join(code.split())
    if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
        return None
    totp = pyotp.TOTP(secret)
    current = int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        if compare_digest(totp.generate_otp(step), digits):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Codes for the day on which the telephone is lost, like `k7wp-2mzn-x4hd`."""
    return ["-".join(_part() for _ in range(3)) for _ in range(RECOVERY_CODES)]


def plain_recovery_code(typed: str) -> str:
    """The typed code without what people add to it."""
    return "".join(char for char in typed.lower() if char.isalnum())


def _part() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(4))
