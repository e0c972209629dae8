"""Secrets that the database keeps for somebody, sealed with a key that is not in the database.

A copy of the database alone opens none of them. Each is bound to the record it belongs to, so that
it cannot be put on another one.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from config import Settings
from stores import keys, mongo

FILE = "sealing.key"
MARK = "v1:"  # in front of what is sealed
NONCE_BYTES = 12
KEY_BYTES = 32


class CannotUnseal(Exception):
    """It was sealed with another key, or for another record, or is damaged."""


def seal(text: str, *, owner: str) -> str:
    """The text as the database keeps it; `owner` names the record it belongs to."""
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(_keys(mongo.settings())[0]).encrypt(nonce, text.encode(), owner.encode())
    return MARK + base64.urlsafe_b64encode(nonce + sealed).decode("ascii")


def unseal(sealed: str, *, owner: str) -> str:
    """What was sealed for this owner. Raises CannotUnseal."""
    if not is_sealed(sealed):
        raise CannotUnseal
    try:
        raw = base64.urlsafe_b64decode(sealed.removeprefix(MARK).encode("ascii"))
    except ValueError as error:
        raise CannotUnseal from error
    for key in _keys(mongo.settings()):
        try:
            found = AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], owner.encode())
        except (InvalidTag, ValueError):
            continue
        return found.decode()
    raise CannotUnseal


def is_sealed(text: str) -> bool:
    """Whether this is the sealed form of a text."""
    return text.startswith(MARK)


def _keys(settings: Settings) -> list[bytes]:
    """The key to seal with, and then the others that may open what was sealed before.

    CAREBOOK_SECRET_KEY gives every host the same key; without it there is a file in the data
    directory. Whoever goes from one to the other keeps the file, and nothing is lost.
    """
    path = settings.data / FILE
    found = []
    if settings.secret_key is not None:
        found.append(_derived(settings.secret_key.get_secret_value()))
    if settings.secret_key is None or path.exists():
        found.append(_derived(keys.file_key(path)))
    return found


def _derived(secret: str) -> bytes:
    """A key for this purpose alone: what signs cookies must not open secrets as well."""
    derive = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"carebook sealing")
    return derive.derive(secret.encode())
