"""Patterns that find typed letters whatever their accents and case, in Python and on the server.

The same pattern is used by both, so that they never disagree. It is an explicit one: the server's
own case folding differs from Python's for rare letters.
"""

from functools import cache

from rules.text import fold

_MARKS = "[\u0300-\u036f]*"  # a mark that has no composed form with its letter
_SPACES = "[ \\t\\n\u00a0]+"
_META = frozenset("\\.^$*+?{}[]|()-/#&~")
# Where Latin letters with marks are: Vietnamese ones are in the last block.
_LATIN = (range(0x20, 0x250), range(0x1E00, 0x1F00))
LONGEST = 100  # letters; the server refuses patterns of more than 32 KB


def containing(text: str) -> str:
    """A pattern that finds the text anywhere: "hoa" finds "Hoà" and "HÓA"."""
    return "".join(_class(letter) for letter in fold(text)[:LONGEST])


def beginning(text: str) -> str:
    """A pattern that finds texts which begin with the text."""
    return "^[ ]*" + containing(text)


def digits_in_a_row(digits: str) -> str:
    """A pattern that finds the digits whatever stands between them: "0912 440", "0912.440"."""
    return "[^0-9]*".join(digits)


@cache
def _variants() -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for block in _LATIN:
        for code in block:
            base = fold(chr(code))
            if len(base) == 1:
                found.setdefault(base, []).append(chr(code))
    return {base: "".join(dict.fromkeys(letters)) for base, letters in found.items()}


@cache
def _class(letter: str) -> str:
    if letter == " ":
        return _SPACES
    known = _variants().get(letter, "")
    variants = dict.fromkeys(letter + known + letter.upper())
    escaped = "".join(f"\\{one}" if one in _META else one for one in variants)
    return f"[{escaped}]{_MARKS}" if letter.isalpha() else f"[{escaped}]"
