"""Addresses of this site that are built by the dozen on one page."""

from collections.abc import Mapping
from urllib.parse import urlencode


def with_query(path: str, arguments: Mapping[str, str]) -> str:
    """The path with these arguments; as `url_for` would write it, in a tenth of the time."""
    return f"{path}?{urlencode(arguments, safe=SAFE)}" if arguments else path


SAFE = "!$'()*,/:;?@"  # in a query (RFC 3986), so that a filter tree stays readable
