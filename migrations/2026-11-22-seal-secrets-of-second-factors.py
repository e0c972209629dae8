"""Secrets of second factors were readable in the database and in every backup of it.

They are sealed with a key from the data directory or CAREBOOK_SECRET_KEY, which the server of the
database does not know: so this is done one by one, for hundreds of people at most. Those sealed
already stay as they are.
"""

from typing import Any

from services.second_factor import seal_readable_secrets


def up(db: Any) -> None:
    seal_readable_secrets()
