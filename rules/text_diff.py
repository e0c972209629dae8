"""What was changed between two texts, word by word, for people to read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

SAME, GONE, NEW = "same", "gone", "new"
WORDS_COMPARED = 3000  # of each text; comparing is quadratic in the worst case
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is in both, only in the old, or only in the new one."""

    kind: str
    text: str


def differences(old: str, new: str) -> list[Piece]:
    """The pieces in reading order. All but the new ones make the old text, all but the gone ones
    the new text."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    if max(len(before), len(after)) > WORDS_COMPARED:
        return [piece for piece in (Piece(GONE, old), Piece(NEW, new)) if piece.text]
    return list(_pieces(before, after))


def _pieces(before: list[str], after: list[str]) -> Iterator[Piece]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            yield Piece(SAME, "".join(before[old_from:old_to]))
            continue
        if old_to > old_from:
            yield Piece(GONE, "".join(before[old_from:old_to]))
        if new_to > new_from:
            yield Piece(NEW, "".join(after[new_from:new_to]))
