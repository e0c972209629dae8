"""What roles allow, alone and together."""

from rules.permissions import (
    ALL,
    EDIT,
    EDITED,
    HIDDEN,
    MASKED,
    SEE,
    SEEN,
    SHIPPED_ROLES,
    KindPermission,
    Role,
    union,
)


def role(key: str, *actions: str, **levels: str) -> Role:
    return Role(key, key, kinds={"customers": KindPermission(frozenset(actions), ALL, "", levels)})


def test_a_role_that_may_not_edit_edits_no_field() -> None:
    access = union([role("reader", SEE, name=EDITED)])
    assert access.level("customers", "name") == SEEN


def test_the_most_generous_role_decides() -> None:
    strict = role("strict", SEE, EDIT, phones=MASKED, note=HIDDEN)
    open_ = role("open", SEE, note=SEEN)
    access = union([strict, open_])
    assert access.level("customers", "phones") == SEEN
    assert access.level("customers", "note") == SEEN
    assert access.level("customers", "name") == EDITED


def test_a_masked_field_is_not_seen() -> None:
    access = union([role("strict", SEE, EDIT, phones=MASKED)])
    assert not access.sees("customers", "phones")


def test_a_computed_field_is_hidden_from_whoever_does_not_see_all_that_it_is_worked_out_from() -> (
    None
):
    inputs = {"customers": {"worth": frozenset({"price", "pieces"})}}
    for level in (HIDDEN, MASKED):
        strict = role("strict", SEE, price=level, worth=SEEN)
        assert union([strict], inputs).level("customers", "worth") == HIDDEN
        both = union([strict, role("other", SEE, price=SEEN)], inputs)
        assert both.level("customers", "worth") == SEEN
    assert union([role("other", SEE)], inputs).level("customers", "worth") == SEEN


def test_a_role_covers_itself_whatever_its_computed_fields_are_worked_out_from() -> None:
    strict = role("strict", SEE, price=HIDDEN, worth=SEEN)
    assert union([strict], {"customers": {"worth": frozenset({"price"})}}).covers(strict)


def test_nobody_without_a_role_sees_anything() -> None:
    assert union([]).level("customers", "name") == HIDDEN
    assert not union([]).may("customers", SEE)


def test_kinds_that_come_later_are_covered_by_the_shipped_roles() -> None:
    assert union([SHIPPED_ROLES["manager"]]).may("warranty_ticket", "delete")
    assert not union([SHIPPED_ROLES["care_agent"]]).may("warranty_ticket", "delete")
