"""Cells of CSV files that spreadsheets open."""

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def escaped(text: str) -> str:
    """The text, kept from running as a formula by a leading apostrophe where it looks like one.

    Only for texts: a negative number stays a number. `services.imports` takes the apostrophe away
    again, so that an exported file can be imported.
    """
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
