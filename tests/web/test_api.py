"""The API: what programs find, see and do, held against what the console shows the same role; and every way to ask wrongly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from remediation.domain.turns import API_CALLS, APP_LOOK_UPS, Turns
from remediation.ports import Actor, StuckPlace
from remediation.services.audit_log import seal
from remediation.store.seals import SqlSeals
from remediation.store.tables import audit, watches
from remediation.store.tables import turns as turns_table
from remediation.web.api import company, cursors
from sandbox.server import Sandbox
from tests.people import MANAGED_PHONE, MIA, NOON
from tests.store.test_seals import KEY
from tests.web.api_caller import DESK_APP, HANNA, SERVICENOW, Api, calling, every_page, problem
from tests.web.conftest import Web
from tests.web.scenes import NOAH
from tests.web.test_sign_in import running  # noqa: F401  # a fixture


@pytest.fixture
def api(database: Path, running: Sandbox) -> Iterator[Api]:  # noqa: F811
    with calling(database, running) as api:
        yield api


def deed_key(number: int = 1) -> dict[str, str]:
    return {"Idempotency-Key": f"a-key-of-mine-{number}"}


def rows(web: Web, why: str) -> list[Any]:
    with web.engine.connect() as connection:
        return list(connection.execute(sa.select(audit).where(audit.c.why == why).order_by(audit.c.id)).all())


def sealed(web: Web) -> int:
    return seal(SqlSeals(web.engine, web.settings.tenant_id), KEY, web.clock)


# people


def test_a_person_is_found_by_words_of_a_body_and_seen_as_the_console_shows_them(api: Api) -> None:
    scene = api.web.scene("wait")
    found = api.call("/search", body={"text": "berger"}).json
    assert found == {
        "asked_enough": True,
        "case": None,
        "more": False,
        "people": [
            {
                "oid": "mia",
                "name": "Mia Berger",
                "user_name": MIA.user_name,
                "mail": "",
                "found_by_device": "",
                "last_case_at": scene.journey().started_at.isoformat(timespec="microseconds"),
            }
        ],
    }
    state = api.call("/people/mia").json
    assert state is not None
    assert (state["state"], state["case"]["case"], state["oid"]) == ("wait", scene.journey().case_code, "mia")
    assert [link["link"] for link in state["chain"]] == ["managed", "registered", "linked", "compliant", "sent", "accepted", "open"]
    assert {one["code"] for one in state["stuck"]} == {"unreachable"}
    console = api.web.signed_in(NOAH, browser="desk", roles=("Helpdesk.Read",)).get("/helpdesk/person/mia").text
    for fact in [*state["managed"][0]["facts"], *state["directory"][0]["facts"], *state["quotes"]]:
        assert fact["text"] is None or fact["text"] in console, "a program sees what its role sees on the page, and no more"


def test_a_case_code_leads_to_its_person(api: Api) -> None:
    scene = api.web.scene("wait")
    found = api.call("/search", body={"text": f"they said {scene.journey().case_code.lower()}!"}).json
    assert found is not None
    assert (found["case"]["oid"], found["people"]) == ("mia", [])
    short = api.call("/search", body={"text": "a"}).json
    assert short is not None
    assert short["asked_enough"] is False


def test_each_view_leaves_the_row_that_the_console_leaves_and_names_the_program(api: Api) -> None:
    scene = api.web.scene("wait")
    api.call("/search", body={"text": "mia"})
    api.call("/people/mia")
    api.call("/people/mia", alone=False)
    api.call("/people/mia/timeline")
    [searched] = rows(api.web, "look_up.searched")
    assert (searched.actor_id, searched.detail["found"], searched.detail["app"]) == (DESK_APP, ["mia"], SERVICENOW)
    seen, by_hanna, timeline = rows(api.web, "look_up.viewed")
    assert (seen.about_id, seen.detail) == ("mia", {"case": scene.journey().case_code, "app": SERVICENOW})
    assert by_hanna.actor_id == HANNA
    assert timeline.detail["timeline"] > 0
    assert api.call("/people/nobody").status_code == 404
    assert len(rows(api.web, "look_up.viewed")) == 3, "whoever is not there was not seen"


def test_whoever_is_unknown_and_whoever_is_another_tenants_get_the_same(api: Api) -> None:
    problem(api.call("/people/nobody"), 404, "not_found")
    problem(api.call("/people/nobody/timeline"), 404, "not_found")
    problem(api.call("/devices/nothing"), 404, "not_found")
    problem(api.call("/mdm/ws1/records/7"), 404, "not_found")


def test_a_timeline_comes_in_pages_that_miss_nothing_and_repeat_nothing(api: Api) -> None:
    api.web.scene("open")
    [whole] = every_page(api, "/people/mia/timeline?limit=200", name="events")
    assert len(whole) > 10
    for size in (3, 7):
        pages = every_page(api, f"/people/mia/timeline?limit={size}", name="events")
        assert [event for page in pages for event in page] == whole
        assert all(len(page) == size for page in pages[:-1])
    assert [event["at"] for event in whole] == sorted((event["at"] for event in whole), reverse=True)


def test_a_cursor_is_for_one_list_of_one_person_and_nobody_makes_one_up(api: Api) -> None:
    api.web.scene("open")
    told = api.call("/people/mia/timeline?limit=1").json
    assert told is not None
    cursor = told["next"]
    assert api.call(f"/people/mia/timeline?since={cursor}").status_code == 200
    problem(api.call(f"/people/noah/timeline?since={cursor}"), 400, "bad_cursor")
    problem(api.call(f"/audit?since={cursor}", "Admin"), 400, "bad_cursor")
    other = "A" if cursor[-5] != "A" else "B"  # not the last sign, of which Base64 reads a part only
    for forged in (cursor[:-5] + other + cursor[-4:], "WzFd.x", "x"):
        problem(api.call(f"/people/mia/timeline?since={forged}"), 400, "bad_cursor")


# devices


def test_a_device_is_found_by_its_id_its_record_and_its_serial_number(api: Api) -> None:
    api.web.scene("open")
    by_id, by_record = api.call("/devices/d1").json, api.call("/mdm/ws1/records/1042").json
    by_serial = api.call("/devices/search", body={"serial": " f2lx-k0ab cd12 "}).json
    assert by_id == by_record
    assert by_serial == {"devices": [by_id]}
    assert by_id is not None
    assert (by_id["oids"], by_id["link"], by_id["mdm_says"], by_id["connection"]) == (["mia"], "active", "compliant", "ws1")
    assert (by_id["microsoft_should_be_told"], by_id["sent"], by_id["confirmed"]) == ("compliant", True, True)
    assert [row.detail["found"] for row in rows(api.web, "look_up.device")] == [["mia"]] * 3
    assert "F2LXK0ABCD12" not in json.dumps([row.detail for row in rows(api.web, "look_up.device")])
    assert api.call("/devices/search", body={"serial": "unknown"}).json == {"devices": []}


def test_a_device_of_which_one_side_is_known(api: Api) -> None:
    api.web.begun().has_phones(MANAGED_PHONE).looked()
    told = api.call("/mdm/ws1/records/1042").json
    assert told is not None
    assert (told["device_id"], told["link"], told["oids"], told["sent"]) == (None, None, ["mia"], False)


# the whole


def test_what_does_not_move_is_told_with_who_can_act(api: Api) -> None:
    api.web.scene("help")
    told = api.call("/stuck").json
    assert told is not None
    assert told["total"] == len(told["rows"]) > 0
    [case] = [row for row in told["rows"] if row["kind"] == "journey"]
    assert (case["oid"], case["reason"], case["who_acts"], case["whose"]) == ("mia", "conflict", "helpdesk", MIA.user_name)
    [row] = rows(api.web, "look_up.stuck")
    assert (row.detail["found"], told["next"]) == (["mia"], None)


def test_what_does_not_move_goes_on_page_by_page(api: Api) -> None:
    api.web.scene("help")
    with api.web.engine.begin() as connection:
        for name in ("a", "b", "c"):
            late = {"failing_since": NOON if name == "c" else None, "reason": "mdm_busy", "attempts": 1}
            connection.execute(sa.insert(watches).values(tenant_id=api.web.store.tenant_id, name=f"mdm:{name}/poll", **late))
    everything, found, query = api.call("/stuck").json, list[str](), "/stuck?limit=1"
    assert everything is not None
    told: Any = None
    for _ in range(3):
        told = api.call(query).json
        assert told["total"] == everything["total"]
        found += [row["id"] for row in told["rows"]]
        query = f"/stuck?limit=1&since={told['next']}"
    assert told["next"] is None
    assert sorted(found) == sorted(row["id"] for row in everything["rows"])
    problem(api.call("/stuck?since=abcdefghijk.x"), 400, "bad_cursor")
    others = api.call("/audit?limit=1", "Admin").json
    assert others is not None
    problem(api.call(f"/stuck?since={others['next']}"), 400, "bad_cursor")


def test_a_cursor_of_the_longest_kind_is_taken_back(api: Api) -> None:
    places = {kind: StuckPlace(1, NOON, str(uuid4())) for kind in ("watch", "remote", "link", "journey", "alarm")}
    with api.web.app.test_request_context():
        sealed = cursors.seal(company.STUCK, company.told_as(places))
        assert company.places_in(cursors.unseal(company.STUCK, sealed)) == places
    assert len(sealed) < cursors.LONGEST
    assert api.call(f"/stuck?since={sealed}").status_code == 200


def test_the_work_list_goes_on_page_by_page(api: Api) -> None:
    api.web.scene("help")
    told = api.call("/work?limit=1").json
    assert told is not None
    [row] = told["rows"]
    assert (row["oid"], row["kind"], row["who_acts"], row["name"]) == ("mia", "help", "helpdesk", "Mia Berger")
    assert (told["next"], row["taken_by"]) == (None, None)
    assert api.call("/work?kind=stuck").json["rows"] == []  # type: ignore[index]
    [seen] = rows(api.web, "look_up.work_listed")[:1]
    assert (seen.detail["found"], seen.detail["app"]) == (["mia"], SERVICENOW)
    problem(api.call("/work?kind=anything"), 422, "invalid")
    problem(api.call("/work?since=abcdefghijk.x"), 400, "bad_cursor")
    problem(api.call("/work", "Admin"), 403, "role_missing")


def test_behind_a_number_is_its_list(api: Api) -> None:
    api.web.scene("open")
    address = "/figures/list?table=journeys&of=all~all~begun"
    for roles, oid in ((("Helpdesk.Read",), "mia"), (("Admin",), None)):
        told = api.call(address, *roles).json
        assert told is not None
        assert (told["number"], told["total"], told["next"]) == (1, 1, None)
        assert [(item["what"], item["platform"], item["oid"]) for item in told["items"]] == [("journey", "ios", oid)]
    [seen] = rows(api.web, "look_up.figures_listed")
    assert (seen.detail["found"], seen.detail["app"]) == (["mia"], SERVICENOW)
    for query in ("table=people&of=all~all~begun", "table=journeys&of=begun", "table=journeys&of=all~all~begun&from=x"):
        problem(api.call(f"/figures/list?{query}"), 422, "invalid")


def test_figures_are_those_of_the_page(api: Api) -> None:
    api.web.scene("open")
    told = api.call("/figures", "Admin").json
    page = api.web.signed_in(NOAH, browser="desk", roles=("Admin",)).get("/helpdesk/figures.json").json
    assert told is not None
    assert page is not None
    assert told == {name: page[name] for name in ("from", "to", "tables")}
    for query in ("from=2026-13-01", "from=9999-01-01", "platform=amiga", "connection=nowhere", "from=2026-01-02&to=2026-01-01"):
        problem(api.call(f"/figures?{query}"), 422, "invalid")


# the audit


def test_the_audit_comes_in_the_order_of_its_seals_and_goes_on_where_it_ended(api: Api) -> None:
    api.web.scene("open")
    sealed(api.web)
    pages = every_page(api, "/audit?limit=5", "Admin", name="rows")
    told = [row for page in pages for row in page]
    assert [row["seq"] for row in told] == list(range(1, len(told) + 1))
    with api.web.engine.connect() as connection:
        whys = connection.execute(sa.select(audit.c.why).order_by(audit.c.id)).scalars().all()
    assert [row["what"] for row in told] == list(whys)[: len(told)]
    last = api.call("/audit?limit=1000", "Admin").json
    assert last is not None
    assert (last["more"], api.call(f"/audit?since={last['next']}", "Admin").json) == (
        False,
        {"rows": [], "next": last["next"], "more": False},
    )
    api.call("/people/mia")
    sealed(api.web)
    after = api.call(f"/audit?since={last['next']}", "Admin").json
    assert after is not None
    assert {row["what"] for row in after["rows"]} == {"audit.read", "look_up.viewed"}, "one row an hour of who reads it"


def test_whoever_reads_the_audit_is_told_where_rows_went_unread(api: Api) -> None:
    api.web.scene("open")
    sealed(api.web)
    first = api.call("/audit?limit=2", "Admin").json
    assert first is not None
    log = SqlSeals(api.web.engine, api.web.settings.tenant_id)
    assert log.cut(api.web.clock() + timedelta(days=1), KEY, Actor("worker", "w"), api.web.clock()) > 2
    api.call("/people/mia")
    sealed(api.web)
    problem(api.call(f"/audit?since={first['next']}", "Admin"), 410, "cut")
    assert api.call("/audit", "Admin").status_code == 200


def test_the_audit_is_the_administrators_alone(api: Api) -> None:
    problem(api.call("/audit", "Helpdesk.Read", "Helpdesk.Act"), 403, "role_missing")


# repairs


def test_a_repair_is_done_once_however_often_it_is_asked_for(api: Api) -> None:
    api.web.scene("open")
    api.web.signed_in(MIA)
    asked: dict[str, Any] = {"body": {"because": "lost"}, "headers": deed_key()}
    for _ in range(3):
        assert api.call("/people/mia/sign-out", "Helpdesk.Act", **asked).json == {"done": True}
    [row] = rows(api.web, "sessions.ended")
    assert (row.actor_id, row.detail["because"], row.detail["app"], row.detail["ended"]) == (DESK_APP, "lost", SERVICENOW, 1)
    assert api.call("/people/mia/sign-out", "Helpdesk.Act", body={"because": "lost"}, headers=deed_key(2)).status_code == 200
    assert len(rows(api.web, "sessions.ended")) == 2, "another key is another deed"


def test_a_key_is_for_one_request_of_one_caller(api: Api) -> None:
    api.web.scene("open")
    first: dict[str, Any] = {"body": {"because": "lost"}, "headers": deed_key()}
    assert api.call("/people/mia/sign-out", "Helpdesk.Act", **first).status_code == 200
    other: dict[str, Any] = {"body": {"because": "asked"}, "headers": deed_key()}
    problem(api.call("/people/mia/sign-out", "Helpdesk.Act", **other), 422, "key_used")
    assert api.call("/people/mia/sign-out", "Helpdesk.Act", alone=False, **other).status_code == 200, "hers, and not the app's"


def test_what_was_refused_gives_its_key_back(api: Api) -> None:
    asked: dict[str, Any] = {"body": {"because": "lost"}, "headers": deed_key()}
    problem(api.call("/people/mia/sign-out", "Helpdesk.Act", **asked), 404, "not_found")
    api.web.scene("open")
    assert api.call("/people/mia/sign-out", "Helpdesk.Act", **asked).status_code == 200


def test_a_deed_that_was_cut_short_is_told_so_and_not_done_twice(api: Api) -> None:
    api.web.scene("open")
    asked: dict[str, Any] = {"body": {"because": "lost"}, "headers": deed_key()}
    assert api.call("/people/mia/sign-out", "Helpdesk.Act", **asked).status_code == 200
    with api.web.engine.begin() as connection:
        connection.execute(sa.text("UPDATE api_deeds SET status = NULL"))
    problem(api.call("/people/mia/sign-out", "Helpdesk.Act", **asked), 409, "under_way")
    assert len(rows(api.web, "sessions.ended")) == 1


def test_what_changed_since_it_was_read_is_not_acted_on(api: Api) -> None:
    scene = api.web.scene("open")
    tag = api.call("/people/mia").headers["ETag"]
    body, both = {"because": "lost"}, ("Helpdesk.Read", "Helpdesk.Act")
    stale = {**deed_key(1), "If-Match": '"AAAAAAAAAAAAAAAAAAAAAAAA"'}
    problem(api.call("/people/mia/sign-out", *both, body=body, headers=stale), 412, "changed")
    assert api.call("/people/mia/sign-out", *both, body=body, headers={**deed_key(2), "If-Match": tag}).status_code == 200
    scene.still_blocked()
    problem(api.call("/people/mia/sign-out", *both, body=body, headers={**deed_key(3), "If-Match": tag}), 412, "changed")


def test_without_a_key_nothing_is_done(api: Api) -> None:
    api.web.scene("open")
    wrong: list[dict[str, str]] = [{}, {"Idempotency-Key": "short"}, {"Idempotency-Key": "with a blank in it"}]
    for headers in wrong:
        told = problem(api.call("/people/mia/sign-out", "Helpdesk.Act", body={"because": "lost"}, headers=headers), 422, "invalid")
        assert [fault["where"] for fault in told["errors"]] == ["headers.Idempotency-Key"]
    assert rows(api.web, "sessions.ended") == []


def test_a_repair_of_the_console_is_offered_and_done_by_who_saw_what_it_stands_on(api: Api) -> None:
    scene, both = api.web.scene("wait"), ("Helpdesk.Read", "Helpdesk.Act")
    offered = api.call("/people/mia/repairs").json
    assert offered is not None
    assert "check_again" in {one["repair"] for one in offered["offers"]}
    seen = {**deed_key(7), "If-Match": f'"{offered["version"]}"'}
    asked: dict[str, Any] = {"body": {"because": "stuck"}, "headers": seen}
    for _ in range(2):
        assert api.call("/people/mia/repairs/check_again", *both, **asked).json == {"done": True}
    [row] = rows(api.web, "repair.check_again")
    assert (row.actor_id, row.about_id, row.detail["because"]) == (DESK_APP, scene.id, "stuck")
    late: dict[str, Any] = {"body": {"because": "stuck"}, "headers": {**seen, **deed_key(8), "If-Match": '"1"'}}
    problem(api.call("/people/mia/repairs/check_again", *both, **late), 412, "changed")
    now_offered = api.call("/people/mia/repairs").json
    assert now_offered is not None
    wrong: dict[str, Any] = {
        "body": {"because": "stuck", "target": "x"},
        "headers": {**deed_key(9), "If-Match": f'"{now_offered["version"]}"'},
    }
    problem(api.call("/people/mia/repairs/check_again", *both, **wrong), 409, "not_offered")
    assert api.call("/people/mia/repairs/grant", *both, **asked).status_code == 422


# asked wrongly


WRONG: list[tuple[str, dict[str, Any], int, str]] = [
    ("/nothing", {}, 404, "not_found"),
    ("/people", {}, 404, "not_found"),
    ("/search", {}, 405, "not_allowed"),
    ("/people/mia", {"method": "DELETE"}, 405, "not_allowed"),
    ("/people/mia", {"method": "OPTIONS"}, 405, "not_allowed"),
    ("/people/mia", {"headers": {"Accept": "text/html"}}, 406, "not_acceptable"),
    ("/search", {"method": "POST", "headers": {"Content-Type": "text/plain"}}, 415, "not_json"),
    ("/search", {"method": "POST", "headers": {"Content-Type": "application/json"}}, 400, "bad_json"),
    ("/search", {"body": []}, 422, "invalid"),
    ("/search", {"body": {}}, 422, "invalid"),
    ("/search", {"body": {"text": 7}}, 422, "invalid"),
    ("/search", {"body": {"text": "mia", "more": 1}}, 422, "invalid"),
    ("/search", {"body": {"text": "x" * 201}}, 422, "invalid"),
    ("/search", {"body": {"text": "x" * 20_000}}, 413, "too_large"),
    ("/search?text=mia", {"body": {"text": "mia"}}, 422, "invalid"),
    ("/stuck?limit=0", {}, 422, "invalid"),
    ("/stuck?limit=1e1", {}, 422, "invalid"),
    ("/stuck?limit=%201", {}, 422, "invalid"),
    ("/stuck?limit=1&limit=2", {}, 422, "invalid"),
    ("/stuck?unknown=1", {}, 422, "invalid"),
    ("/people/%00", {}, 404, "not_found"),
    ("/people/a%20b", {}, 422, "invalid"),
    ("/caller?x=1", {}, 422, "invalid"),
    ("/people/mia", {"method": "GET", "body": {"a": 1}}, 422, "invalid"),
]


def test_each_wrong_question_gets_a_problem_that_says_what_is_wrong(api: Api) -> None:
    for path, more, status, code in WRONG:
        answer = api.call(path, "Helpdesk.Read", "Admin", **more)
        problem(answer, status, code)
        if status == 405:
            assert answer.headers["Allow"]


def test_an_error_never_repeats_what_was_sent(api: Api) -> None:
    for answer in (
        api.call("/search", body={"text": ["Zyxwia"]}),
        api.call("/search", body={"text": "Zyxwia", "more": "Zyxwia"}),
        api.call("/people/Zyx%20wia"),
        api.call("/stuck?limit=Zyxwia"),
        api.call("/people/mia/timeline?since=Zyxwia"),
    ):
        assert 400 <= answer.status_code < 500
        assert "Zyx" not in answer.text


def used_up(api: Api, key: str, turns: Turns) -> None:
    """All turns but one, as their row says it."""
    with api.web.engine.begin() as connection:
        full_at = api.web.clock() + turns.every * (turns.at_once - 1)
        row = {"tenant_id": api.web.settings.tenant_id, "key": key, "full_at": full_at}
        connection.execute(sa.delete(turns_table).where(turns_table.c.key == key))
        connection.execute(sa.insert(turns_table).values(**row))


def test_each_caller_is_told_what_is_left_and_stopped_beyond_it(api: Api) -> None:
    first = api.call("/caller")
    assert first.headers["RateLimit-Policy"] == f'"calls";q={API_CALLS.at_once};w=60'
    assert first.headers["RateLimit"] == f'"calls";r={API_CALLS.at_once - 1};t=1'
    used_up(api, f"api:{DESK_APP}", Turns(API_CALLS.at_once + 30, API_CALLS.every))
    refused = api.call("/caller")
    problem(refused, 429, "too_often")
    assert int(refused.headers["Retry-After"]) >= 1
    assert api.call("/caller", alone=False).status_code == 200, "another caller has turns of its own"
    api.web.clock.ahead = timedelta(minutes=2)
    assert api.call("/caller").status_code == 200


def test_a_program_reads_no_more_people_than_a_helpdesk_helps(api: Api) -> None:
    api.web.scene("open")
    used_up(api, f"look_up:{DESK_APP}", APP_LOOK_UPS)
    paths = ("/devices/d1", "/people/mia", "/people/mia/timeline", "/stuck", "/mdm/ws1/records/1042")
    assert [api.call(path).status_code for path in paths] == [200, 429, 429, 429, 429]
    problem(api.call("/search", body={"text": "mia"}), 429, "too_often")
    assert api.call("/caller").status_code == 200


def test_what_has_not_changed_is_not_sent_again(api: Api) -> None:
    scene = api.web.scene("wait")
    first = api.call("/people/mia")
    again = api.call("/people/mia", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    scene.still_blocked()
    assert api.call("/people/mia", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_nothing_of_it_may_be_kept_by_a_proxy(api: Api) -> None:
    api.web.scene("open")
    for answer in (api.call("/people/mia"), api.call("/nothing"), api.call("/audit")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_hostile_names_are_text(api: Api) -> None:
    hostile = "<script>alert(1)</script>\u202e\"'"
    api.web.begun().has_phones(replace(MANAGED_PHONE, name=hostile)).looked()
    answer = api.call("/people/mia")
    assert "\u202e" not in answer.text
    assert answer.content_type == "application/json"
    assert answer.json is not None
    assert answer.json["managed"][0]["name"].startswith("<script>")
