"""Log lines of the long-running commands."""

import logging

from config import Settings


def start(settings: Settings) -> None:
    """Sends log lines of the chosen level to standard error."""
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
