"""Text as it is stored, searched and compared: NFC to store, folded to find (B.4, S2.2)."""

import re
import unicodedata
from collections.abc import Iterable

# Letters without a canonical decomposition that people type without their stroke.
_STROKES = str.maketrans({"đ": "d", "Đ": "d", "ð": "d", "ł": "l", "ø": "o"})
# Characters that reorder or hide the text around them: they let one name pass for another.
_INVISIBLE = frozenset(
    "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
_HASHTAG = re.compile(r"(?<![\w/&#])#(\w{1,50})(?!\w)")


def fold(text: str) -> str:
    """The text without diacritics, letter case and superfluous spaces: "Hoà  ĐẠT" -> "hoa dat".

    Both places of the tone mark ("Hoà", "Hòa") and both Unicode forms fold alike. Folding twice
    changes nothing.
    """
    # Case folding can bring out new marks (the dotted capital I), so that marks go last.
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    plain = "".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn")
    return " ".join(plain.translate(_STROKES).split())


def nfc(text: str, *, multiline: bool = False) -> str:
    """The text as it is stored: NFC, trimmed, without control and invisible direction characters.

    Line breaks and tabs become spaces unless `multiline`, where line breaks are kept as `\\n`.
    """
    kept = "".join(_stored_letter(letter) for letter in text.replace("\r\n", "\n"))
    if not multiline:
        kept = " ".join(kept.split())
    return unicodedata.normalize("NFC", kept).strip()


def _stored_letter(letter: str) -> str:
    if letter in "\n\t":
        return letter
    if letter in "\r\x0b\x0c\x85\u2028\u2029":
        return "\n"
    # Cc: control; Cs: half of a surrogate pair, which no store can encode.
    dropped = letter in _INVISIBLE or unicodedata.category(letter) in ("Cc", "Cs")
    return "" if dropped else letter


def search_text(*parts: str | Iterable[str] | None) -> str:
    """The folded text of a record that search runs on; give its name first, lists sort by it."""
    words: list[str] = []
    for part in parts:
        if part:
            words.extend([part] if isinstance(part, str) else part)
    return " ".join(filter(None, map(fold, words)))


def hashtags(text: str) -> list[str]:
    """The #hashtags of a text without `#`, lower case in NFC, each once, in order (S2.2).

    Vietnamese letters, digits and `_` belong to a tag; a tag needs a letter (`#1` is a number).
    """
    found = _HASHTAG.findall(unicodedata.normalize("NFC", text))
    tags = (unicodedata.normalize("NFC", tag.lower()) for tag in found)
    return list(dict.fromkeys(tag for tag in tags if any(map(str.isalpha, tag))))
