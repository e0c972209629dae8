"""Finds what belongs to nothing any more, and removes it or only counts it.

Three kinds: references to records that are neither there nor in the trash (`references`), files
that no record names (`files`), and what has had its time (`leftovers`). Whatever is younger than a
day is left alone: it may belong to something that is being written.
"""

from datetime import datetime, timedelta

from config import Settings
from services.orphans import files, leftovers, references
from services.progress import Progress, stop_if_cancelled

YOUNG = timedelta(days=1)


def search(settings: Settings, *, now: datetime, removes: bool, progress: Progress) -> None:
    """Goes through everything; the results are counted in `progress`. Safe to repeat.

    Records that lose a reference are noted in the change log, under the name of Carebook.

    Raises Cancelled.
    """
    removed = references.remove if removes else references.count
    for missing in references.find(progress):
        progress.count("references_gone", removed(missing, now))
        stop_if_cancelled(progress)
    references.search_history(progress, now, removes=removes)
    progress.count("files_gone", files.search(now - YOUNG, removes=removes))
    stop_if_cancelled(progress)
    for name, number in leftovers.search(settings, now, removes=removes):
        progress.count(name, number)
        stop_if_cancelled(progress)
