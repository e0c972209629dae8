"""Phone numbers: one key per number however it is typed, and how it is shown (B.3)."""

import phonenumbers

VIETNAM = 84
SHORTEST = 6  # digits; less is an internal extension or a typing mistake, not a number

# Mobile prefixes of 11-digit numbers and what they became in 2018.
_RENUMBERED = {
    "120": "70", "121": "79", "122": "77", "126": "76", "128": "78",
    "123": "83", "124": "84", "125": "85", "127": "81", "129": "82",
    "162": "32", "163": "33", "164": "34", "165": "35", "166": "36",
    "167": "37", "168": "38", "169": "39",
    "186": "56", "188": "58", "199": "59",
}  # fmt: skip


def phone_key(text: str, region: str = "VN") -> str | None:
    """What two spellings of the same number have in common: E.164 where the number is valid.

    +84, 84 and 0 in front, and the Vietnamese 11-digit prefixes until 2018, are the same number.
    A number that no numbering plan knows keeps its digits; less than 6 digits give None.
    """
    number = _parsed(text, region)
    if number is not None:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    digits = "".join(str(int(letter)) for letter in text if letter.isdecimal())
    return digits if len(digits) >= SHORTEST else None


def format_phone(text: str, region: str = "VN") -> str:
    """The number as people of the region write it ("0912 440 785"); unknown ones as typed."""
    number = _parsed(text, region)
    if number is None:
        return text.strip()
    if number.country_code == phonenumbers.country_code_for_region(region):
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def phone_with_remark(text: str, region: str = "VN") -> str:
    """The same with what was written around the number: "0912 440 785 (Anh Ba)"."""
    if "".join(text.split()).lstrip("+").isdecimal():
        return format_phone(text, region)
    for match in phonenumbers.PhoneNumberMatcher(text, region, phonenumbers.Leniency.POSSIBLE):
        if _valid(match.number) is not None:
            shown = format_phone(match.raw_string, region)
            rest = _beyond_number(match.raw_string)
            return f"{text[: match.start]}{shown}{rest}{text[match.end :]}".strip()
    return format_phone(text, region)


def dialled(text: str) -> str:
    """What a telephone dials: the number alone, without spaces and remarks."""
    return "".join(char for char in format_phone(text) if char.isdecimal() or char == "+")


def _beyond_number(text: str) -> str:
    """The extension as it was written, which belongs to the remark and not to the number."""
    first = next((at for at, char in enumerate(text) if char.isalpha()), None)
    return "" if first is None else f" {text[first:].strip()}"


def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    """The valid number that the text is, or the first one in it ("0912440785 (Anh Ba)")."""
    whole = _valid(_parsed_whole(text, region))
    if whole is not None:
        return whole
    matches = phonenumbers.PhoneNumberMatcher(text, region, phonenumbers.Leniency.POSSIBLE)
    return next(filter(None, (_valid(match.number) for match in matches)), None)


def _parsed_whole(text: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _valid(number: phonenumbers.PhoneNumber | None) -> phonenumbers.PhoneNumber | None:
    if number is None:
        return None
    number.extension = None
    _renumber(number)
    return number if phonenumbers.is_valid_number(number) else None


def _renumber(number: phonenumbers.PhoneNumber) -> None:
    """Turns a Vietnamese mobile number of the old plan into what it is called since 2018."""
    national = str(number.national_number)
    if number.country_code == VIETNAM and len(national) == 10:
        prefix = _RENUMBERED.get(national[:3])
        if prefix:
            number.national_number = int(prefix + national[3:])
