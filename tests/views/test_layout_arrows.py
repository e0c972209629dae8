"""The arrows of the layout editor, without a mouse."""

import re
from collections.abc import Callable

import pytest

from rules.scope import Actor
from tests.views.conftest import Browser

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")

ADDRESS = "/settings/layouts/customers"


def items(page: str) -> list[str]:
    return re.findall(r'name="item" value="([^"]*)"', page)


def test_a_field_of_the_summary_goes_to_the_first_section_and_back(
    administrator: Actor, browser_of: Callable[[Actor], Browser]
) -> None:
    boss = browser_of(administrator)
    before = items(boss.get(ADDRESS).text)
    last = before[before.index("tab:history") - 1]
    answer = boss.send(ADDRESS, {"item": before, "do": f"down:{last}"})
    after = items(answer.text)
    assert after[after.index(last) - 1].startswith("section:")
    assert sorted(after) == sorted(before)
    back = boss.send(ADDRESS, {"item": after, "do": f"up:{last}"})
    assert items(back.text) == before
    for _ in range(len(before)):
        after = items(boss.send(ADDRESS, {"item": after, "do": f"down:{last}"}).text)
        if after[-1] == last:
            break
    assert after[-1] == last, "it reaches what is not shown"
