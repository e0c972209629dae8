"""The configuration travels as one file: written, compared in words, taken all or nothing (B.13)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from models import AuditEntry, ConfigurationItem, ConfigurationRevision, Customer, JobRun, Site
from rules import config_text
from rules.config_diff import ItemDiff
from rules.config_words import headline, sentences
from rules.errors import CareError, InvalidInput, NotAllowed, StaleForm
from rules.permissions import SHIPPED_ROLES
from rules.scope import Actor
from services import (
    access_settings,
    assignments,
    configuration,
    configuration_changes,
    configuration_file,
    configuration_parts,
    relationship_setup,
    schedules,
)
from services import shipped as shipped_data
from services.catalogues import Words
from services.configuration_changes import Change
from services.configuration_file import CannotApply
from tests.conftest import empty
from tests.factories import NOW, make_customer

RANK = {
    "type": "choice",
    "label_vi": "Hạng",
    "label_en": "Rank",
    "pick_list": "rank",
    "position": 300,
}
RANKS = {
    "label_vi": "Hạng khách: “vàng” # 1",
    "label_en": "",
    "values": [
        {"key": "gold", "label_vi": "Vàng", "label_en": "", "colour": "yellow", "retired": False},
        {
            "key": "no",
            "label_vi": "yes",
            "label_en": "02:00",
            "colour": "gray",
            "retired": True,
            "merged": {"into": "gold", "key": "0123", "at": "2026-11-21T03:00:00+00:00"},
        },
    ],
}
CONFIGURED: list[tuple[str, str, dict[str, Any]]] = [
    ("pick_lists", "rank", RANKS),
    ("fields", "customers.rank", RANK),
    ("fields", "customers.yearly", {"type": "computed", "label_vi": "Năm", "expression": "1 + 2"}),
    ("kinds", "warranty", {"label_vi": "Phiếu bảo hành", "has_customer": True}),
    ("fields", "warranty.serial", {"type": "text", "label_vi": "Số máy"}),
    (
        "layouts",
        "customers",
        {
            "summary": ["name", "rank"],
            "hidden": ["code"],
            "tabs": [{"key": "history", "is_on": True}],
        },
    ),
    ("lists", "customers@manager", {"columns": [{"key": "rank", "width": 120}], "page_size": 50}),
    ("menus", "all", {"sections": [{"label_vi": "Việc", "entries": [{"endpoint": "today"}]}]}),
    (
        "roles",
        "helper",
        {
            "label_vi": "Phụ việc",
            "kinds": {"customers": {"actions": ["see"], "reach": "own", "fields": {"rank": "see"}}},
            "abilities": [],
        },
    ),
]


@pytest.fixture
def configured(shipped: None, administrator: Actor, agent: Actor) -> Actor:
    """A site that configured a little of everything; the administrator of it."""
    team = {"label_vi": "Miền Bắc", "members": [str(agent.staff_id)], "leads": []}
    changes = [Change(*one) for one in [*CONFIGURED, ("teams", "north", team)]]
    configuration_changes.apply(changes, says="setup", by=administrator, at=NOW)
    assignments.set_care_mode("by_product", by=administrator, at=NOW)
    access_settings.save(["manager"], "400", trash_days="60", version=2, by=administrator, at=NOW)
    schedules.save(
        "purge_audit",
        at_time="04:44",
        weekdays=["0", "3"],
        is_paused=False,
        version=1,
        by=administrator,
        at=NOW,
    )
    return administrator


def written(by: Actor) -> str:
    return configuration_file.written(by=by, version="1.0", at=NOW)


def plan(text: str, by: Actor) -> configuration_file.Plan:
    return configuration_file.planned(text.encode(), by=by)


def take(text: str, by: Actor) -> int:
    made = plan(text, by)
    return configuration_file.apply(made, revision=made.revision, says="file", by=by, at=NOW)


def data(by: Actor) -> dict[str, Any]:
    return yaml.safe_load(written(by))


def changed(by: Actor, **sections: Any) -> str:
    return yaml.safe_dump(data(by) | sections, allow_unicode=True, sort_keys=False)


def problems(text: str, by: Actor) -> list[str]:
    return [str(one) for one in plan(text, by).problems]


def revision() -> int:
    return configuration.snapshot().revision


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
    kinds = configuration.snapshot().kinds
    said = [
        words.say(one.message, **one.params)
        for one in (headline(item, kinds, locale), *sentences(item, locale))
    ]
    assert (
        said
        == {
            "vi": ["Trường Khách hàng › Bậc: thay đổi", "tên: từ “Hạng” thành “Bậc”"],
            "en": ["Field Customers › Rank: changed", "name: from “Hạng” to “Bậc”"],
        }[locale]
    )


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
    found = sentences(item, "vi", SHIPPED_ROLES)[0]
    assert said in Words("vi").say(found.message, **found.params)


def test_types_of_fields_are_told_by_their_names() -> None:
    item = ItemDiff("fields", "customers.a", {"type": "text"}, {"type": "money"})
    said = sentences(item, "vi")[0]
    words = Words("vi")
    assert words.say(said.message, **said.params) == "kiểu: từ Văn bản thành Số tiền"


def test_a_file_cut_anywhere_is_refused(configured: Actor) -> None:
    raw, before = written(configured).encode(), configuration_parts.contents()
    lines = [at + 1 for at, byte in enumerate(raw) if byte == 10][:-1]
    for end in [*(len(raw) * part // 10 for part in range(10)), *lines]:
        with pytest.raises(InvalidInput):
            configuration_file.planned(raw[:end], by=configured)
    assert configuration_parts.contents() == before


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [1,1]\nb: *a\n",
        "a: &a ['x','x']\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\n",
        "a: !!python/object/apply:os.system ['true']\n",
        "a: !!binary aGk=\n",
        "? [a, b]\n: c\n",
        "a: 1\na: 2\n",
        "a: " + "[" * 200,
        "a: " + "[" * 100_000,
        "a: " + "{b: " * 100_000,
        "--- 1\n--- 2\n",
        "a: 99999999999999999999\n",
        "a: \x00\n",
        "a: \ud800\n".encode("utf-8", "surrogatepass").decode("utf-8", "replace") + "\t- x: [",
        "just words",
        "",
        "- 1\n- 2\n",
    ],
)
def test_hostile_files_are_refused_in_words(administrator: Actor, text: str) -> None:
    for whole in (text, f"carebook_configuration: 1\n{text}\nend: true\n"):
        if text == "" and whole:
            continue
        with pytest.raises(InvalidInput) as caught:
            configuration_file.planned(whole.encode(), by=administrator)
        assert len(str(caught.value)) < 600


def test_a_file_too_large_is_refused_before_it_is_read(administrator: Actor) -> None:
    with pytest.raises(InvalidInput, match="larger than 5 MB"):
        configuration_file.planned(b"#" * (config_text.SIZE_LIMIT + 1), by=administrator)


def test_what_is_not_known_is_named_with_its_line(configured: Actor) -> None:
    text = written(configured).replace("label_en: Rank", "labell: Rank")
    number = text.splitlines().index("    labell: Rank") + 1
    assert problems(text, configured)[0].startswith(
        f"Line {number}, fields › customers.rank › labell: “labell” is not known here"
    )
    assert "“feelds” is not known" in problems(changed(configured, feelds={}), configured)[0]


@pytest.mark.parametrize(
    ("section", "key", "content"),
    [
        ("pick_lists", "rank", {"label_vi": "x", "values": {}}),
        ("pick_lists", "rank", {"label_vi": "x", "values": [{"key": 1, "label_vi": "x"}]}),
        ("pick_lists", "rank", None),
        ("fields", "customers.rank", {"type": "magic", "label_vi": "x"}),
        ("fields", "customers.rank", {"type": "text", "is_required": "yes"}),
        ("fields", "nowhere.rank", {"type": "text", "label_vi": "x"}),
        ("fields", "customers.$rank", {"type": "text", "label_vi": "x"}),
        ("fields", "customers.a", {"type": "choice", "label_vi": "x", "pick_list": "nowhere"}),
        ("fields", "customers.a", {"type": "text", "label_vi": "x", "visible_when": "and("}),
        ("kinds", "Bad Key", {"label_vi": "x"}),
        ("layouts", "customers", {"summary": "name"}),
        ("lists", "customers", {"page_size": 0}),
        ("lists", "customers", {"row_colours": [{"where": "and(", "colour": "red"}]}),
        ("menus", "all", {"sections": [{"entries": [{}]}]}),
        ("roles", "helper", {"label_vi": "x", "abilities": ["fly"]}),
        ("roles", "helper", {"label_vi": "x", "kinds": {"customers": {"reach": "galaxy"}}}),
        ("teams", "north", {"members": "agent@example.com"}),
        ("relationship_rules", "relationships", {"rules": [], "contact_kinds": []}),
        ("schedules", "purge_audit", {"at_time": "25:00", "weekdays": [1], "is_paused": False}),
        ("schedules", "purge_audit", {"at_time": 120, "weekdays": [9], "is_paused": False}),
        ("site", "site", {"care_mode": "by_magic"}),
        ("site", "site", {"second_factor_roles": ["nobody"]}),
    ],
)
def test_wrong_content_is_refused_with_its_place(
    configured: Actor, section: str, key: str, content: Any
) -> None:
    before = configuration_parts.contents()
    items = {**data(configured)[section], key: content}
    text = changed(configured, **{section: items})
    found = problems(text, configured)
    assert found
    assert found[0].startswith("Line ")
    assert section in found[0]
    with pytest.raises(CannotApply):
        take(text, configured)
    assert configuration_parts.contents() == before


def test_fields_computed_from_each_other_are_refused(configured: Actor) -> None:
    fields = data(configured)["fields"] | {
        "customers.a": {"type": "computed", "label_vi": "A", "expression": "b + 1"},
        "customers.b": {"type": "computed", "label_vi": "B", "expression": "a + 1"},
    }
    found = problems(changed(configured, fields=fields), configured)
    assert any("computed from itself" in one for one in found)


def without(items: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: one for name, one in items.items() if name != key}


def test_what_would_lose_data_is_refused_with_the_number_of_records(
    configured: Actor, agent: Actor, db: Any
) -> None:
    for _ in range(3):
        make_customer(custom={"rank": "gold"})
    db["records"].insert_one({"kind": "warranty", "code": "W1", "title": "x"})
    db["staff"].update_one({"_id": agent.staff_id}, {"$set": {"roles": ["helper"]}})
    have = data(configured)
    other = {**have["fields"], "customers.rank": {"type": "text", "label_vi": "Hạng"}}
    fewer = RANKS | {"values": RANKS["values"][1:]}
    for sections, number in (
        ({"fields": without(have["fields"], "customers.rank")}, 3),
        ({"fields": other}, 3),
        ({"pick_lists": {**have["pick_lists"], "rank": fewer}}, 3),
        ({"kinds": {}, "fields": without(have["fields"], "warranty.serial")}, 1),
        ({"roles": {}}, 1),
    ):
        found = problems(changed(configured, **sections), configured)
        assert len(found) == 1, found
        assert f"{number} " in found[0]
        assert "Retire" in found[0] or "“Fields”" in found[0]


def test_what_nobody_uses_may_go(configured: Actor) -> None:
    have = data(configured)
    fields = without(have["fields"], "customers.rank")
    lists = without(have["pick_lists"], "rank")
    take(changed(configured, fields=fields, pick_lists=lists, layouts={}, lists={}), configured)
    assert "rank" not in configuration.snapshot().kinds["customers"].fields
    assert "rank" not in configuration.snapshot().pick_lists


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


def test_a_change_in_between_asks_to_look_again(configured: Actor) -> None:
    made = plan(changed(configured, menus={}), configured)
    configuration_changes.apply(
        [Change("layouts", "orders", {"summary": ["code"]})], says="x", by=configured, at=NOW
    )
    with pytest.raises(StaleForm):
        configuration_file.apply(made, revision=made.revision, says="file", by=configured, at=NOW)
    assert "all" in configuration_changes.items("menus")


def test_of_two_at_once_one_wins_and_one_looks_again(configured: Actor) -> None:
    plans = [
        plan(changed(configured, menus={}), configured),
        plan(changed(configured, layouts={}), configured),
    ]

    def go(made: configuration_file.Plan) -> str:
        try:
            configuration_file.apply(
                made, revision=made.revision, says="file", by=configured, at=NOW
            )
        except CareError as error:
            return type(error).__name__
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(go, plans)) == ["StaleForm", "done"]


def test_only_those_who_may_configure_see_or_change_it(shipped: None, manager: Actor) -> None:
    for action in (
        lambda: written(manager),
        lambda: configuration_file.planned(b"", by=manager),
        lambda: configuration_file.planned_back(1, by=manager),
    ):
        with pytest.raises(NotAllowed):
            action()


def test_nobody_gains_or_loses_rights_of_their_own_by_a_file(
    configured: Actor, manager: Actor
) -> None:
    setter = {"label_vi": "Cài đặt", "abilities": ["configure"], "kinds": {}}
    configuration_changes.apply(
        [Change("roles", "setter", setter)], says="x", by=configured, at=NOW
    )
    config = configuration.snapshot()
    by = Actor(
        manager.staff_id,
        "Chi",
        roles=frozenset({"setter"}),
        screen="test",
        granted=config.access(["setter"]),
    )
    roles = data(configured)["roles"]
    grown = {**roles, "setter": setter | {"abilities": ["configure", "accounts"]}}
    assert "do not have the right" in problems(changed(configured, roles=grown), by)[0]
    site = {"site": {"second_factor_roles": []}}
    assert "do not have the right" in problems(changed(configured, site=site), by)[0]


def test_fields_filtered_often_get_their_index(configured: Actor) -> None:
    fields = data(configured)["fields"]
    fields["customers.rank"] = {**RANK, "is_filtered_often": True}
    take(changed(configured, fields=fields), configured)
    assert JobRun.collection().count_documents({"name": "index_fields"}) == 1


def back(number: int, by: Actor) -> int:
    made = configuration_file.planned_back(number, by=by)
    return configuration_file.apply(made, revision=made.revision, says="back", by=by, at=NOW)


def test_it_goes_back_and_forth_with_all_sections(configured: Actor) -> None:
    first, before = revision(), configuration_parts.contents()
    have = data(configured)
    rules = have["relationship_rules"]["relationships"]
    rules["rules"][0]["label_vi"] = "Khác"
    have["schedules"]["purge_audit"]["at_time"] = "05:05"
    text = changed(
        configured,
        menus={},
        site={"site": {"care_mode": "unlimited", "audit_days": None}},
        schedules=have["schedules"],
        relationship_rules={"relationships": rules},
    )
    second = take(text, configured)
    after = configuration_parts.contents()
    assert after != before
    back(first, configured)
    assert configuration_parts.contents() == before
    back(second, configured)
    assert configuration_parts.contents() == after


def test_each_screen_of_settings_makes_a_revision(configured: Actor) -> None:
    first, before = revision(), configuration_parts.contents()
    setup = relationship_setup.load()
    document = relationship_setup.checked(setup.stored_rules[:1], ["care"], [])
    relationship_setup.save(document, version=setup.version, by=configured, at=NOW)
    assignments.set_care_mode("by_customer", by=configured, at=NOW)
    assert revision() == first + 2
    back(first, configured)
    assert configuration_parts.contents() == before


def test_going_back_refuses_what_would_lose_data_too(shipped: None, administrator: Actor) -> None:
    configuration_changes.apply(
        [Change("menus", "all", {"sections": []})], says="x", by=administrator, at=NOW
    )
    first = revision()
    configuration_changes.apply(
        [Change("fields", "customers.memo", {"type": "text", "label_vi": "Ghi chú"})],
        says="x",
        by=administrator,
        at=NOW,
    )
    Customer.collection().update_one(
        {"_id": make_customer()}, {"$set": {"custom": {"memo": "quý"}}}
    )
    with pytest.raises(CannotApply) as caught:
        back(first, administrator)
    assert "1 records" in str(caught.value)
    assert configuration_changes.items("fields").keys() == {"customers.memo"}


def test_a_revision_that_never_was_is_refused(shipped: None, administrator: Actor) -> None:
    with pytest.raises(InvalidInput):
        configuration_file.planned_back(999, by=administrator)


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
