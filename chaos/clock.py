"""`python -m chaos.clock DAYS ...`: a scheduler whose clock is wrong by so many days, each once.

It works beside the real one, as on a host whose clock has jumped and whose lease has lapsed
without its noticing. The installation is the one that CAREBOOK_DATA names.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from config import Settings
from jobs import schedule
from stores import mongo, valkey


def main(days: Sequence[str]) -> None:
    settings = Settings()
    mongo.connect(settings)
    valkey.connect(settings)
    for number in days:
        schedule.work(settings, datetime.now(UTC) + timedelta(days=float(number)))


if __name__ == "__main__":
    main(sys.argv[1:])
