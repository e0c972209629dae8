"""No search, filter, count, file or thread tells anybody the names and values of others' records."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from jobs import runner
from models import JobRun, Staff
from rules.scope import SYSTEM, Actor
from services import configuration_changes
from services.configuration_changes import Change
from tests.factories import NOW
from tests.views.conftest import Browser
from tests.views.declared_addresses import FOREIGN, LIMITED, OWN, SECRETS, SECRETS_OF_TRASH
from tests.views.world import World, browser_for, readable

pytestmark = pytest.mark.usefixtures("morning", "shipped", "valkey")


ASKED = (  # searches, filters, sorts, groups and files that could tell of others' records
    "/customers?q={q}",
    "/customers?where=name.contains({q})",
    "/customers?where=code.is(KH-LA)",
    "/customers?where=phones.phone(0999888777)",
    "/customers?group=name",
    "/customers?mode=kanban&group=relationship",
    "/customers/count?q={q}",
    "/customers/group-rows?where=name.contains({q})",
    "/customers/same-phone?phones=0999888777",
    "/customers/export/csv",
    "/customers/export/xlsx",
    "/customers/due?due=all&where=name.contains({q})",
    "/orders/due?due=all&where=code.is(DH-LA)",
    "/orders/due/by-area?due=all",
    "/orders/due/by-group?due=all",
    "/orders/due/export/csv",
    "/care/history?customer={foreign}",
    "/care/history?where=content.contains({q})",
    "/care/history/summary",
    "/care/history/export/csv",
    "/search?q={q}",
    "/lookup/customer?q={q}",
    "/lookup/reference/customers?q={q}",
    "/lookup/reference/orders?q=DH",
    "/e/phieu",
    "/e/phieu?where=title.contains({q})",
    "/e/phieu/export/csv",
    "/e/phieu/export/xlsx",
    "/e/phieu?q={q}",
    "/e/phieu/count?q={q}",
    "/e/phieu?group=owner",
    "/e/phieu?group=customer",
    "/e/phieu?mode=kanban&group=care_state",
    "/e/phieu?mode=calendar&group=created&month=2026-11",
    "/e/phieu/group-rows?where=title.contains({q})",
    "/e/phieu/menu/row",
    "/e/phieu/menu/columns",
    "/e/phieu/rows/{record}",
    "/e/phieu/cell/{record}/title",
    "/customers?group=owner",
    "/customers?group=area",
    "/customers?group=referrer",
    "/customers?mode=kanban&group=care_state",
    "/customers?mode=calendar&group=created&month=2026-11",
    "/customers?mode=calendar&group=due&month=2026-11",
    "/customers/menu/row",
    "/customers/menu/columns",
    "/customers/rows/{foreign}",
    "/customers/due?due=all&group=owner",
    "/customers/due?due=all&mode=calendar&group=due&month=2026-11",
    "/customers/due/count?due=all",
    "/customers/due/export/csv",
    "/orders/due?due=all&group=customer",
    "/orders/due?due=all&mode=kanban&group=care_state",
    "/orders/due?due=all&mode=calendar&group=due&month=2026-11",
    "/orders/due/count?due=all",
    "/orders/due/export/xlsx",
    "/orders/due/by-area/count?due=all",
    "/orders/due/by-group/count?due=all",
    "/care/history?group=customer",
    "/care/history?group=order",
    "/care/history?mode=calendar&group=at&month=2026-11",
    "/care/history/count",
    "/care/history/export/xlsx",
    "/products?group=carers",
    "/lookup/condition/customers/1?q={q}",
    "/lookup/condition/orders/1?q=DH",
    "/lookup/reference/phieu?q={q}",
    "/filters/customers?where=name.contains({q})",
    "/files/{file}",
    "/files/{file}/thumbnail",
    "/search?q=DH-LA",
    "/search?q=PH-LA",
    "/search?q=0999888777",
    "/jobs",
    "/jobs/mine",
    "/queue",
    "/queue?skip={foreign}",
    "/today",
)


@pytest.mark.parametrize("role", ["care_agent", "limited", "exporter"])
def test_no_search_filter_count_or_file_tells_of_others(
    role: str, app: Flask, world: World
) -> None:
    if role == "exporter":
        kinds = {
            kind: one | {"actions": ["see", "edit", "export"]}
            for kind, one in (
                *LIMITED["kinds"].items(),  # type: ignore[attr-defined]
                ("entries", {"reach": "own"}),
            )
        }
        change = Change("roles", "exporter", LIMITED | {"kinds": kinds})
        configuration_changes.apply([change], says="x", by=SYSTEM, at=NOW)
    client = browser_for(role, world, app)
    for address in ASKED:
        words = ("hoac", "Lạ Hoắc", "999", "vut")
        for word in words if "{q}" in address else ("",):
            asked = address.format(
                q=word,
                foreign=world.ids["customers"][FOREIGN],
                record=world.ids["records"][FOREIGN],
                file=world.ids["files"][FOREIGN],
            )
            response = client.get(asked)
            assert response.status_code in (200, 302, 303, 403, 404, 422), asked
            # What the person typed stands in the box and the sentence of the filter.
            body = readable(response).replace(word or "\0", "")
            shown = [one for one in (*SECRETS, *SECRETS_OF_TRASH) if one in body]
            assert not [one for one in shown if one not in asked], (asked, shown)


EXPORTER: dict[str, Any] = LIMITED["kinds"]["customers"] | {"actions": ["see", "export"]}  # type: ignore[index]


def test_a_file_written_in_the_background_is_of_its_asker_alone(
    app: Flask, world: World, colleague: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = LIMITED | {"kinds": {"customers": EXPORTER, "phieu": EXPORTER | {"fields": {}}}}
    change = Change("roles", "exporter", content)
    configuration_changes.apply([change], says="x", by=SYSTEM, at=NOW)
    monkeypatch.setattr("views.list_files.ROWS_AT_ONCE", 0)
    client = browser_for("exporter", world, app)
    for address, own in (("/customers/export/csv", "KH-NHA"), ("/e/phieu/export/xlsx", "PH-NHA")):
        assert client.get(address).status_code == 303
        run = JobRun.collection().find_one({"name": "export_list"}, sort=[("_id", -1)]) or {}
        runner.run(str(run["_id"]))
        file = f"/exports/{run['arguments']['file_key']}"
        body = readable(client.get(file))
        assert own in body
        assert not [one for one in (*SECRETS, *SECRETS_OF_TRASH, "PH-LA") if one in body]
        other = app.test_client()
        assert isinstance(other, Browser)
        other.log_in(Staff.objects.get(pk=colleague.staff_id))
        assert other.get(file).status_code == 404


def test_what_is_seen_is_not_taken_out_by_a_role_of_smaller_reach(app: Flask, world: World) -> None:
    """One role sees all customers, the other one exports those of its own."""
    sees = {"customers": {"actions": ["see"], "reach": "all"}}
    changes = [
        Change("roles", "exporter", LIMITED | {"kinds": {"customers": EXPORTER}}),
        Change("roles", "reader", LIMITED | {"kinds": sees}),
    ]
    configuration_changes.apply(changes, says="x", by=SYSTEM, at=NOW)
    client = browser_for("reader", world, app)
    both = {"$set": {"roles": ["exporter", "reader"]}}
    Staff.collection().update_one({"_id": world.me.staff_id}, both)
    assert "KH-LA" in client.get("/customers").text
    body = readable(client.get("/customers/export/csv"))
    assert "KH-NHA" in body
    assert "KH-LA" not in body


def test_an_own_file_holds_the_own_records_and_fields_only(app: Flask, world: World) -> None:
    content = LIMITED | {"kinds": {"customers": EXPORTER}}
    change = Change("roles", "exporter", content)
    configuration_changes.apply([change], says="x", by=SYSTEM, at=NOW)
    response = browser_for("exporter", world, app).get("/customers/export/csv")
    assert response.status_code == 200
    assert "Khách Nhà" in response.text
    assert not [one for one in (*SECRETS, "0911 222", "0911222333") if one in response.text]


def test_sixty_requests_at_once_never_see_the_fields_of_each_other(
    app: Flask, world: World, colleague: Actor, manager: Actor
) -> None:
    """Roles, masks and scope belong to the request, whatever the threads do in between."""
    own = world.ids["customers"][OWN]
    people = {
        "limited": (world.me, "limited"),
        "care_agent": (colleague, "care_agent"),
        "manager": (manager, "manager"),
    }
    clients = {}
    for name, (actor, role) in people.items():
        Staff.collection().update_one({"_id": actor.staff_id}, {"$set": {"roles": [role]}})
        clients[name] = [app.test_client() for _ in range(20)]
        for client in clients[name]:
            assert isinstance(client, Browser)
            client.log_in(Staff.objects.get(pk=actor.staff_id))

    def ask(number: int) -> tuple[str, str, int, str]:
        name = list(people)[number % 3]
        address = ("/customers", f"/customers/{own}", "/orders/due?due=all")[number // 3 % 3]
        response = clients[name][number // 3].get(address)
        return name, address, response.status_code, response.text

    with ThreadPoolExecutor(60) as pool:
        answers = list(pool.map(ask, range(60)))
    for name, address, status, body in answers:
        if name == "manager":
            assert status == 200
            assert "0911 222 333" in body, address
        if name == "limited":
            assert status == 200
            assert "09•• ••• 333" in body, address
            assert not [one for one in (*SECRETS, "0911 222") if one in body], address
            assert 'data-screen="products"' not in body
        if name == "care_agent":
            assert status == (404 if address.startswith("/customers/") else 200)
            assert "Khách Nhà" not in body, address
            assert 'data-screen="staff"' not in body
