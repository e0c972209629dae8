"""Which fields of a form somebody touched, and which of these somebody else changed meanwhile.

Three texts per field decide: as the form showed it, as it is stored now, as it was typed.
"""

from collections.abc import Mapping


def touched(shown: Mapping[str, str], typed: Mapping[str, str]) -> dict[str, str]:
    """The typed fields that differ from what the form showed, and those that it did not show."""
    return {
        name: text
        for name, text in typed.items()
        if name not in shown or _plain(text) != _plain(shown[name])
    }


def clashes(
    shown: Mapping[str, str], stored: Mapping[str, str], typed: Mapping[str, str]
) -> list[str]:
    """The touched fields whose stored value is neither what was shown nor what was typed."""
    return [
        name
        for name, text in touched(shown, typed).items()
        if name in stored
        and _plain(stored[name]) not in (_plain(text), _plain(shown.get(name, "")))
    ]


def _plain(text: str) -> str:
    """Browsers send line breaks as CR LF, and some drop those at the end."""
    return text.replace("\r\n", "\n").strip()
