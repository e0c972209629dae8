"""The configuration travels as one file: written, compared in words, taken all or nothing (B.13)."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from models import AuditEntry, ConfigurationItem, ConfigurationRevision, JobRun, Site
from rules import config_text
from rules.config_diff import ItemDiff
from rules.config_names import Names
from rules.config_words import headline, sentences
from rules.permissions import SHIPPED_ROLES
from rules.scope import Actor
from services import (
    configuration,
    configuration_changes,
    configuration_parts,
)
from services import shipped as shipped_data
from services.catalogues import Words
from services.configuration_names import both_sides, names_of
from tests.configuring import (
    RANK,
    changed,
    configure,
    data,
    plan,
    revision,
    take,
    written,
)
from tests.conftest import empty
from tests.factories import TODAY


@pytest.fixture
def configured(shipped: None, administrator: Actor, agent: Actor) -> Actor:
    """A site that configured a little of everything; the administrator of it."""
    configure(administrator, agent)
    return administrator


def test_an_empty_system_takes_it_and_has_the_same_configuration(
    configured: Actor, db: Any
) -> None:
    text, before = written(configured), configuration.snapshot()
    stored = configuration_parts.contents()
    people = list(db["staff"].find())
    empty(db)
    configuration.forget()
    db["staff"].insert_many(people)
    shipped_data.ensure()
    take(text, configured)
    after = configuration.snapshot()
    for part in ("care_mode", "pick_lists", "kinds", "roles", "sections", "teams"):
        assert getattr(after, part) == getattr(before, part), part
    assert configuration_parts.contents() == stored
    assert [line for line in written(configured).splitlines() if line[:1] != "#"] == [
        line for line in text.splitlines() if line[:1] != "#"
    ]


def test_its_own_file_changes_nothing(configured: Actor) -> None:
    before = revision()
    made = plan(written(configured), configured)
    assert (made.items, made.problems, made.notes) == ((), (), ())
    assert take(written(configured), configured) == 0
    assert revision() == before


def test_people_of_teams_are_named_by_address_and_unknown_ones_are_left_out(
    configured: Actor,
) -> None:
    text = written(configured)
    assert "agent@example.com" in text
    made = plan(text.replace("agent@example.com", "who@example.com"), configured)
    assert "who@example.com" in str(made.notes[0])
    assert not made.problems


def test_it_holds_no_secrets(configured: Actor) -> None:
    text = written(configured)
    for word in ("password", "uniquifier", "session", str(configured.staff_id)):
        assert word not in text


@pytest.mark.parametrize("locale", ["vi", "en"])
def test_the_differences_are_told_in_words(configured: Actor, locale: str) -> None:
    text = changed(configured, fields={**data(configured)["fields"]})
    text = text.replace("label_vi: Hạng\n", "label_vi: Bậc\n")
    item = plan(text, configured).items[0]
    words = Words(locale)
    names = names_of(configuration.snapshot(), [item], locale=locale, today=TODAY)
    said = [
        words.say(one.message, **one.params)
        for one in (headline(item, names), *sentences(item, names))
    ]
    assert (
        said
        == {
            "vi": ["Trường Khách hàng › Bậc: thay đổi", "tên: từ “Hạng” thành “Bậc”"],
            "en": ["Field Customers › Rank: changed", "name: from “Hạng” to “Bậc”"],
        }[locale]
    )


def test_names_are_made_anew_only_for_what_is_not_known(configured: Actor) -> None:
    config = configuration.snapshot()
    renamed = ItemDiff("fields", "customers.rank", RANK, RANK | {"label_vi": "Bậc"})
    unknown = ItemDiff("fields", "customers.gone", RANK, None)
    assert both_sides(config, [renamed, ItemDiff("menus", "all", {}, None)]) is config
    assert "gone" in both_sides(config, [renamed, unknown]).kinds["customers"].fields


@pytest.mark.parametrize(
    ("section", "before", "after", "said"),
    [
        (
            "site",
            {"care_mode": "by_product"},
            {"care_mode": "unlimited"},
            "chế độ chăm sóc: từ Theo mặt hàng thành Không giới hạn",
        ),
        ("site", {"trash_days": 30}, {"trash_days": None}, "“30” thành mãi mãi"),
        ("site", {}, {"second_factor_roles": ["manager"]}, "Quản lý"),
        ("roles", {"other_kinds": {"reach": "own"}}, {"other_kinds": {"reach": "all"}}, "tất cả"),
        ("roles", {"abilities": []}, {"abilities": ["audit", "x"]}, "Đọc nhật ký thay đổi, x"),
        (
            "roles",
            {"kinds": {"customers": {"fields": {"phones": "see"}}}},
            {"kinds": {"customers": {"fields": {"phones": "masked"}}}},
            "từ xem thành che bớt",
        ),
        ("schedules", {"weekdays": [0]}, {"weekdays": [0, 6]}, "Thứ Hai, Chủ Nhật"),
        ("lists", {"actions": ["edit"]}, {"actions": ["see"]}, "“edit”"),
    ],
)
def test_values_are_told_in_words(section: str, before: Any, after: Any, said: str) -> None:
    item = ItemDiff(section, "site", before, after)
    found = sentences(item, Names(roles=SHIPPED_ROLES))[0]
    assert said in Words("vi").say(found.message, **found.params)


def test_types_of_fields_are_told_by_their_names() -> None:
    item = ItemDiff("fields", "customers.a", {"type": "text"}, {"type": "money"})
    said = sentences(item)[0]
    words = Words("vi")
    assert words.say(said.message, **said.params) == "kiểu: từ Văn bản thành Số tiền"


def test_a_section_that_is_left_out_stays(configured: Actor) -> None:
    before = configuration_parts.contents()
    take("carebook_configuration: 1\nmenus: {}\nend: true\n", configured)
    assert configuration_parts.contents() == before | {"menus": {}}


def test_what_belongs_to_the_program_stays(configured: Actor) -> None:
    text = (
        "carebook_configuration: 1\npick_lists: {}\nschedules: {}\nsite: {}\nroles: {}\nend: true\n"
    )
    made = plan(text.replace("pick_lists: {}", "fields: {}\npick_lists: {}"), configured)
    assert not made.problems
    assert {one.section for one in made.items} == {"pick_lists", "fields", "roles"}
    assert [one.key for one in made.items if one.section == "pick_lists"] == ["rank"]


def test_it_is_one_revision_in_the_change_log(configured: Actor) -> None:
    count = ConfigurationRevision.collection().count_documents({})
    AuditEntry.collection().delete_many({})
    text = changed(configured, menus={}, layouts={}, site={"site": {"care_mode": "unlimited"}})
    take(text, configured)
    assert ConfigurationRevision.collection().count_documents({}) == count + 1
    assert AuditEntry.collection().count_documents({}) == 3
    assert configuration.snapshot().care_mode == "unlimited"


def test_fields_filtered_often_get_their_index(configured: Actor) -> None:
    fields = data(configured)["fields"]
    fields["customers.rank"] = {**RANK, "is_filtered_often": True}
    take(changed(configured, fields=fields), configured)
    assert JobRun.collection().count_documents({"name": "index_fields"}) == 1


LABEL = st.text(min_size=1, max_size=30).filter(lambda text: "\0" not in text)

VALUES = st.lists(LABEL, max_size=4).map(
    lambda labels: [{"key": f"v{n}", "label_vi": label} for n, label in enumerate(labels)]
)

LISTS = st.dictionaries(
    st.from_regex(r"[a-z]{1,6}", fullmatch=True),
    st.builds(lambda label, values: {"label_vi": label, "values": values}, LABEL, VALUES),
    max_size=4,
)


@given(lists=LISTS)
def test_every_text_survives_the_file(lists: dict[str, Any]) -> None:
    text = config_text.written({"pick_lists": lists}, ["a\nb: c"])
    assert dict(config_text.read(text.encode("utf-8", "replace")).data).get("pick_lists") == lists


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lists=st.tuples(LISTS, LISTS))
def test_applying_a_file_leaves_nothing_that_differs(
    shipped: None, administrator: Actor, lists: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    for one in lists:
        text = config_text.written({"pick_lists": one})
        take(text, administrator)
        assert plan(text, administrator).items == ()
        shown = configuration_changes.items("pick_lists")
        assert {key: shown[key] for key in one} == one
        assert Site.collection().count_documents({}) == 1
    assert ConfigurationItem.collection().count_documents({"section": "site"}) == 0
