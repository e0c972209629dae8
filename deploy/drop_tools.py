"""Removes from an environment what a distribution does not need: the tools of its development.

    python deploy/drop_tools.py carebook --without NAME...

The lock file pins what runs and what tests, so that both are installed with their hashes. This
leaves only what `carebook` requires, and what that requires, less the names after --without.
"""

import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

STAYS = {"pip"}


def needed(root: str, without: set[str]) -> set[str]:
    """The names of a distribution and of all that it requires in this environment."""
    found: set[str] = set()
    waiting = [(root, frozenset[str]())]
    while waiting:
        name, extras = waiting.pop()
        name = canonicalize_name(name)
        if name in without or (name in found and not extras):
            continue
        found.add(name)
        try:
            known = distribution(name)
        except PackageNotFoundError:
            continue  # not for this system
        waiting += _requirements(known, extras)
    return found


def _requirements(known: Distribution, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    wanted = []
    for text in known.requires or ():
        one = Requirement(text)
        environments = [{"extra": extra} for extra in extras] or [{"extra": ""}]
        if one.marker is None or any(one.marker.evaluate(each) for each in environments):
            wanted.append((one.name, frozenset(one.extras)))
    return wanted


def unneeded(root: str, without: set[str]) -> list[str]:
    """The names of the installed distributions that are not needed, sorted."""
    keep = needed(root, without) | STAYS
    return sorted({canonicalize_name(one.name) for one in distributions()} - keep)


if __name__ == "__main__":
    chosen, _, *dropped = sys.argv[1:]
    names = unneeded(chosen, {canonicalize_name(name) for name in dropped})
    command = [sys.executable, "-m", "pip", "uninstall", "--quiet", "--yes", *names]
    sys.exit(subprocess.run(command, check=False).returncode)  # noqa: S603 names of packages
