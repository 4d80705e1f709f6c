"""T27: a country's helpdesk sees its own people and nobody else's, on every route of the console and of the API; each beside a
colleague without such a limit, who does see them.

Mia is in the group of `de`, Noah in that of `fr`, Tove in none; all three have devices. Rosa reads `de`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from remediation.domain.device import ManagedKey, Person, Platform
from remediation.domain.reach import EVERYBODY, MEMBERS_LAST, reaches
from remediation.domain.watch import members_of
from remediation.services.access import ask
from remediation.services.start_journey import open_case
from remediation.store.engine import writing
from remediation.store.tables import audit, group_members, watches
from remediation.web.guards import ROLES, Who, who_may
from sandbox.server import Sandbox
from tests.people import MANAGED_PHONE, MIA, REGISTERED_PHONE
from tests.web.api_caller import Api, settings_of
from tests.web.conftest import Browser, Web
from tests.web.scenes import NOAH, Scene
from tests.web.test_sign_in import running  # noqa: F401  # a fixture

DE, FR = "2f1c9a44-6d0e-4b7a-9c35-8e0d1f6b2a71", "6b0d3e52-8c1f-4a97-b2e4-3d5f7a9c0e18"
PARTS = {"de": (DE,), "fr": (FR,)}
TOVE = Person(oid="tove", name="Tove Holm", user_name="tove.holm@contoso.example")
ROSA = Person(oid="rosa", name="Rosa Keller", user_name="rosa.keller@contoso.example")
ACCESS = {"temporary_access": "steps", "temporary_access_group": DE}
WHOM = {"mia": "Mia Berger", "noah": "Noah Lind", "tove": "Tove Holm"}


def is_in(web: Web, group: str, *oids: str, listed: timedelta = timedelta()) -> None:
    at = web.clock() - listed
    mine = {"tenant_id": web.settings.tenant_id}
    with writing(web.engine) as connection:
        for oid in oids:
            connection.execute(sa.insert(group_members).values(**mine, group_id=group, oid=oid, listed_at=at))
        there = sa.select(watches.c.name).where(watches.c.name == members_of(group))
        if connection.execute(there).first() is None:
            connection.execute(sa.insert(watches).values(**mine, name=members_of(group), checkpoint=at))


def has_a_phone(web: Web, person: Person, number: int) -> Scene:
    scene = web.begun(person=person, browser=f"browser-of-{person.oid}")
    key = ManagedKey("ws1", str(2000 + number))
    own: Any = {"owner_user_name": person.oid, "owner_mail": person.user_name}
    scene.has_phones(replace(MANAGED_PHONE, key=key, name=f"{person.oid} phone", serial=f"SERIAL{number:04}", **own))
    ids: Any = {"device_id": f"device-{number}", "object_id": f"object-{number}", "owner_oid": person.oid}
    return scene.registered(replace(REGISTERED_PHONE, name=f"{person.oid} entry", **ids)).looked(mdm_error="unreachable")


@pytest.fixture
def web(database: Path, running: Sandbox) -> Iterator[Web]:  # noqa: F811
    web = Web(database, **{**settings_of(running), "helpdesk_parts": PARTS, "staff_guests": True, **ACCESS})
    for number, person in enumerate((MIA, NOAH, TOVE)):
        journey = web.store.journey(has_a_phone(web, person, number).id)
        assert journey is not None
        ask(web.store, journey, "The board meets at nine.", oid=person.oid, now=web.clock())
    is_in(web, DE, "mia")
    is_in(web, FR, "noah")
    yield web
    web.engine.dispose()


@pytest.fixture
def api(web: Web, running: Sandbox) -> Api:  # noqa: F811
    running.world.tenant_id = web.settings.tenant_id
    return Api(web, running)


def reads(web: Web, *roles: str) -> Browser:
    return web.signed_in(ROSA, browser=f"rosas-{'-'.join(roles)}", roles=roles)


def case_of(web: Web, oid: str) -> str:
    with web.engine.connect() as connection:
        return str(connection.execute(sa.text("SELECT case_code FROM journeys WHERE oid = :oid"), {"oid": oid}).scalar_one())


def id_of(web: Web, table: str, oid: str) -> str:
    with web.engine.connect() as connection:
        return str(connection.execute(sa.text(f"SELECT id FROM {table} WHERE oid = :oid"), {"oid": oid}).scalar_one())  # noqa: S608


# what each route is asked, about one of the three; None: nobody's data is there
OF_PERSON: dict[tuple[str, str], Any] = {
    ("GET", "/helpdesk"): ["?q={name}", "?q={oid} phone", "?q={serial}", "?q={device}", "?q={case}"],
    ("GET", "/helpdesk/person/<oid>"): ["", "?case={case}"],
    ("GET", "/helpdesk/figures"): None,
    ("GET", "/helpdesk/figures.csv"): None,
    ("GET", "/helpdesk/figures.json"): None,
    ("GET", "/helpdesk/figures/list"): ["?table=journeys&of=all~all~begun"],
    ("GET", "/helpdesk/figures/list.csv"): ["?table=journeys&of=all~all~begun"],
    ("GET", "/helpdesk/figures/list.json"): ["?table=journeys&of=all~all~begun"],
    ("GET", "/helpdesk/connections"): None,
    ("GET", "/helpdesk/work"): [""],
    ("POST", "/helpdesk/work/<row_id>/take"): [{}],
    ("POST", "/helpdesk/work/<row_id>/release"): [{}],
    ("GET", "/helpdesk/incident"): None,
    ("POST", "/helpdesk/incident"): None,
    ("POST", "/helpdesk/incident/end"): None,
    ("GET", "/helpdesk/access/<request_id>"): [""],
    ("POST", "/helpdesk/access/<request_id>/approve"): [{"version": "0", "sure": "on", "hours": "1"}],
    ("POST", "/helpdesk/access/<request_id>/deny"): [{"version": "0", "sure": "on"}],
    ("POST", "/helpdesk/access/<request_id>/end"): [{"version": "0", "sure": "on"}],
    ("POST", "/helpdesk/person/<oid>/end-sessions"): [{"because": "lost", "sure": "yes"}],
    ("POST", "/helpdesk/person/<oid>/ask"): [{}],
    ("GET", "/helpdesk/person/<oid>/repair/<which>"): [""],
    ("POST", "/helpdesk/person/<oid>/repair/<which>"): [{"because": "asked", "seen": "999999"}],
    ("GET", "/api/v1/people/<oid>/repairs"): [""],
    ("POST", "/api/v1/people/<oid>/repairs/<repair>"): [{"because": "asked"}],
    ("POST", "/api/v1/search"): [{"text": "{name}"}, {"text": "{serial}"}, {"text": "{device}"}, {"text": "{case}"}],
    ("GET", "/api/v1/people/<oid>"): ["", "?case={case}"],
    ("GET", "/api/v1/people/<oid>/timeline"): [""],
    ("POST", "/api/v1/people/<oid>/sign-out"): [{"because": "lost"}],
    ("GET", "/api/v1/devices/<device_id>"): [""],
    ("POST", "/api/v1/devices/search"): [{"serial": "{serial}"}],
    ("GET", "/api/v1/mdm/<connection>/records/<record_id>"): [""],
    ("GET", "/api/v1/stuck"): [""],
    ("GET", "/api/v1/work"): [""],
    ("GET", "/api/v1/figures/list"): ["?table=journeys&of=all~all~begun"],
    ("GET", "/api/v1/caller"): None,
    ("GET", "/api/v1/figures"): None,
    ("GET", "/api/v1/audit"): None,  # the administrators', who answer for everybody
}


def staff_routes(web: Web) -> set[tuple[str, str]]:
    found = set()
    for rule in web.app.url_map.iter_rules():
        # an administrator's role has no part of the company, and opens nobody's page
        if who_may(web.app, rule.endpoint) in {*ROLES, Who.BEARER} - {Who.ADMIN}:
            found |= {(method, rule.rule) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    return found


def test_T27_every_route_of_staff_stands_in_this_inventory(web: Web) -> None:
    assert staff_routes(web) == set(OF_PERSON)


def answers(api: Api, method: str, rule: str, oid: str, part: str) -> Iterator[tuple[int, str]]:
    """Of every way to ask this route about this person, by somebody whose roles end in `part`."""
    web, number = api.web, list(WHOM).index(oid)
    known = {"oid": oid, "name": WHOM[oid], "serial": f"SERIAL{number:04}", "device": f"device-{number}", "case": case_of(web, oid)}
    path = rule.replace("<oid>", oid).replace("<device_id>", known["device"]).replace("<connection>", "ws1")
    path = path.replace("<row_id>", id_of(web, "journeys", oid)).replace("<request_id>", id_of(web, "access_requests", oid))
    path = path.replace("<record_id>", str(2000 + number)).replace("<which>", "check_again").replace("<repair>", "check_again")
    roles = ("Helpdesk.Read" + part, "Helpdesk.Act" + part)
    for turn, asked in enumerate(OF_PERSON[method, rule]):
        told = {name: value.format(**known) for name, value in asked.items()} if isinstance(asked, dict) else None
        query = asked.format(**known) if isinstance(asked, str) else ""
        if rule.startswith("/api/"):
            headers = {"Idempotency-Key": f"key-{oid}-{part}-{turn}", "If-Match": '"0"'} if "<oid>" in rule and told else {}
            answer = api.call(path.removeprefix("/api/v1") + query, *roles, body=told, headers=headers)
        else:
            browser = reads(web, *roles)
            form = {**told, "csrf_token": browser.csrf()} if told is not None else None
            answer = browser.open(path + query, method=method, data=form, follow_redirects=method == "GET")
        yield answer.status_code, re.sub(r'value="[^"]*"', "", answer.text)  # the search box repeats what was asked


@pytest.mark.parametrize(("method", "rule"), sorted(key for key, asked in OF_PERSON.items() if asked is not None))
def test_T27_the_helpdesk_of_one_country_sees_its_people_and_no_others(api: Api, method: str, rule: str) -> None:
    acts = method == "POST" and "search" not in rule
    for oid, name in WHOM.items():
        for status, text in answers(api, method, rule, oid, ""):
            assert status in (200, 303, 412, 409), (oid, text)
            assert acts or name in text or oid in text, "the control: whoever is not limited sees them"
    for oid, name in WHOM.items():
        mine = oid == "mia"
        for status, text in answers(api, method, rule, oid, ".de"):
            shown = name in text or f"{oid} phone" in text or re.search(rf'["/,]{oid}["\r]', text) is not None
            assert (status in (200, 303, 412, 409)) if acts and mine else acts or shown == mine, (oid, status, text)
            assert not acts or mine or status == 404, (oid, status)
        assert mine or not seen(api.web, oid), "nor does the audit say that they were seen"


def seen(web: Web, oid: str) -> bool:
    """By Rosa of `de`, or the program: those without a limit came before, and are counted out."""
    with web.engine.connect() as connection:
        rows = connection.execute(sa.select(audit.c.detail, audit.c.why).where(audit.c.about_id == oid)).all()
    return [row.why for row in rows].count("sessions.ended") > 1


def test_T27_who_reads_everybody_and_acts_for_one_country_acts_there_alone(web: Web, api: Api) -> None:
    rosa = reads(web, "Helpdesk.Read", "Helpdesk.Act.de")
    assert "end-sessions" in rosa.get("/helpdesk/person/mia").text
    page = rosa.get("/helpdesk/person/noah")
    assert page.status_code == 200
    assert "end-sessions" not in page.text
    both = ("Helpdesk.Read", "Helpdesk.Act.de")
    statuses = [
        api.call(
            f"/people/{oid}/sign-out", *both, body={"because": "lost"}, headers={"Idempotency-Key": f"for-{oid}-1"}
        ).status_code
        for oid in ("mia", "noah")
    ]
    assert statuses == [200, 404]


def test_T27_a_part_that_no_setting_names_opens_nothing(web: Web) -> None:
    for role in ("Helpdesk.Read.se", "Helpdesk.Read.", "Helpdesk.Read.de.fr", "Admin.de", "Helpdesk.Read. de", "helpdesk.read.de"):
        assert reads(web, role).get("/helpdesk").status_code == 403, role
    assert reads(web, "Helpdesk.Read.de").get("/helpdesk").status_code == 200


def test_two_parts_are_both(web: Web) -> None:
    rosa = reads(web, "Helpdesk.Read.de", "Helpdesk.Read.fr")
    found = [rosa.get(f"/helpdesk/person/{oid}").status_code for oid in WHOM]
    assert found == [200, 200, 404]


def test_T27_a_list_that_could_not_be_read_for_a_day_opens_nobody_and_says_so(web: Web) -> None:
    rosa = reads(web, "Helpdesk.Read.de")
    assert "You see only people of: de" in rosa.get("/helpdesk").text
    assert "Just now that is nobody" not in rosa.get("/helpdesk").text
    web.clock.ahead = MEMBERS_LAST + timedelta(minutes=1)
    later = web.signed_in(ROSA, browser="later", roles=("Helpdesk.Read.de",))
    assert later.get("/helpdesk/person/mia").status_code == 404
    assert "Just now that is nobody" in later.get("/helpdesk").text
    assert web.signed_in(ROSA, browser="all", roles=("Helpdesk.Read",)).get("/helpdesk/person/mia").status_code == 200


def test_a_group_that_was_never_read_is_said_to_be_unknown(web: Web) -> None:
    with writing(web.engine) as connection:
        connection.execute(sa.delete(watches))
    assert "Just now that is nobody" in reads(web, "Helpdesk.Read.de").get("/helpdesk").text


def test_another_owners_name_is_shown_to_whoever_sees_everybody_and_leaves_a_row(web: Web) -> None:
    has_a_phone(web, MIA, 0).has_phones(replace(MANAGED_PHONE, owner_user_name="noah.lind", owner_mail=NOAH.user_name))
    assert "noah.lind" in reads(web, "Helpdesk.Read").get("/helpdesk/person/mia").text
    assert viewed(web)["other_owners"] == 1
    page = reads(web, "Helpdesk.Read.de").get("/helpdesk/person/mia").text
    assert "noah.lind" not in page
    assert "somebody else" in page
    assert "other_owners" not in viewed(web)


def test_her_own_name_is_not_another_owners(web: Web) -> None:
    reads(web, "Helpdesk.Read").get("/helpdesk/person/mia")
    assert "other_owners" not in viewed(web)


def viewed(web: Web) -> dict[str, Any]:
    newest = sa.select(audit.c.detail).where(audit.c.why == "look_up.viewed").order_by(audit.c.id.desc()).limit(1)
    with web.engine.connect() as connection:
        found: dict[str, Any] = connection.execute(newest).scalar_one()
    return found


def test_a_device_of_two_people_is_seen_by_whoever_may_see_both(web: Web, api: Api) -> None:
    web.store.observe_directory_device(
        replace(REGISTERED_PHONE, device_id="device-0", object_id="object-0", owner_oid="noah"), at=web.clock()
    )
    assert api.call("/devices/device-0", "Helpdesk.Read.de").status_code == 404
    assert api.call("/devices/device-0", "Helpdesk.Read.de", "Helpdesk.Read.fr").status_code == 200
    assert api.call("/devices/device-0", "Helpdesk.Read").status_code == 200


def test_what_stands_behind_a_case_of_nobody_is_shown_to_all(web: Web) -> None:
    """Whoever could not sign in is not known, and reads a code out over the telephone."""

    code = open_case(web.store, browser="unknown", entrance="start", platform=Platform.IOS, now=web.clock())
    assert code in reads(web, "Helpdesk.Read.de").get(f"/helpdesk?q={code}").text


def test_roles_and_their_parts(web: Web) -> None:
    now = web.clock()
    assert reaches(("Helpdesk.Read", "Helpdesk.Read.de"), PARTS, now)["Helpdesk.Read"] == EVERYBODY, "the wider one counts"
    limited = reaches(("Helpdesk.Read.fr", "Helpdesk.Read.de"), PARTS, now)["Helpdesk.Read"]
    assert (limited.groups, limited.parts, limited.listed_since) == (frozenset({DE, FR}), ("de", "fr"), now - MEMBERS_LAST)
    assert reaches((), PARTS, now) == {}


def test_the_pages_of_a_journey_are_nobodys_look_up(web: Web) -> None:
    """Beside the helpdesk's routes nobody is seen by way of it, whatever a route may ask one day."""
    with web.app.test_request_context("/", base_url=web.settings.public_origin):
        assert web.app.extensions["desk"].look_up.person("mia") is None
        assert web.app.extensions["desk"].everybody.person("mia") is not None
