"""The helpdesk's repairs on their pages: who may, what is asked first, what it did; and what nobody can do by them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from remediation.domain.compliance import Verdict
from remediation.domain.device import LinkState, Person
from remediation.domain.repairs import BECAUSE, Repair
from remediation.ports import Actor
from remediation.store.tables import audit, device_links, journeys, observations, pushes
from tests.people import MANAGED_PHONE, REGISTERED_PHONE
from tests.web.conftest import Browser, Web
from tests.web.scenes import NOAH, SCENES, SECOND_REGISTERED
from tests.web.test_helpdesk import HANNA, HOSTILE, ida, page

ACTS = ("Helpdesk.Read", "Helpdesk.Act")
MIA = "/helpdesk/person/mia"


def at(which: str) -> str:
    return f"{MIA}/repair/{which}"


def form_of(staff: Browser, which: str, **changes: str) -> dict[str, str]:
    """What the page's own form would send, the first of what there is to choose chosen."""
    asked = page(staff.get(at(which)))
    form = asked.select_one("form[method=post]")
    assert form is not None, asked.get_text(" ", strip=True)
    found = {str(one["name"]): str(one["value"]) for one in form.select("input[type=hidden]")}
    targets = form.select("input[name=target]")
    if targets:
        found["target"] = str(targets[0]["value"])
    return {name: value for name, value in {**found, "because": "asked", **changes}.items() if value}


def does(staff: Browser, which: str, **changes: str) -> TestResponse:
    return staff.post(at(which), data=form_of(staff, which, **changes))


def acts(web: Web) -> list[Any]:
    with web.engine.connect() as connection:
        return list(connection.execute(sa.select(audit).where(audit.c.why.like("repair.%")).order_by(audit.c.id)).all())


def told_compliant(web: Web) -> set[str]:
    with web.engine.connect() as connection:
        wanted = sa.select(pushes.c.link_id).where(pushes.c.desired == Verdict.COMPLIANT)
        return set(connection.execute(wanted).scalars())


def active(web: Web) -> set[str]:
    with web.engine.connect() as connection:
        return set(connection.execute(sa.select(device_links.c.id).where(device_links.c.state == LinkState.ACTIVE)).scalars())


# who may


def test_T27_whoever_may_only_read_sees_no_repair_and_a_403_names_the_role(web: Web) -> None:
    web.scene("open")
    hanna = web.signed_in(HANNA, browser="hannas", roles=("Helpdesk.Read",))
    shown = page(hanna.get(MIA))
    assert not shown.select("a[href*='/repair/'], form[method=post]")
    assert "Helpdesk.Act" in shown.get_text(" ")
    before = web.rows()
    for which in Repair:
        for answer in (hanna.get(at(which)), hanna.post(at(which), data={"csrf_token": hanna.csrf(), "seen": "0"})):
            assert (answer.status_code, "Helpdesk.Act" in answer.text) == (403, True)
    assert hanna.post(f"{MIA}/ask", data={"csrf_token": hanna.csrf()}).status_code == 403
    assert web.rows() == before
    assert page(ida(web).get(MIA)).select("a[href*='/repair/']"), "the control"


def test_T27_whoever_may_only_act_is_shown_nobody(web: Web) -> None:
    web.scene("open")
    only_acts = web.signed_in(HANNA, browser="hannas", roles=("Helpdesk.Act",))
    answer = only_acts.get(at("close"))
    assert (answer.status_code, "Helpdesk.Read" in answer.text, "Mia" in answer.text) == (403, True, False)


def test_T18_no_repair_without_this_sessions_token(web: Web) -> None:
    web.scene("open")
    staff, other = ida(web), web.signed_in(NOAH, browser="noahs", roles=ACTS)
    form = form_of(staff, "close")
    for token in ("", "x", other.csrf()):
        assert staff.post(at("close"), data={**form, "csrf_token": token}).status_code == 403
    assert staff.post(at("close"), data=form, headers={"Origin": "https://evil.example"}).status_code == 403
    assert acts(web) == []
    assert staff.post(at("close"), data=form).status_code == 303


def test_T23_the_unknown_and_the_foreign_look_the_same_and_cost_a_turn(web: Web) -> None:
    staff = ida(web)
    for path in (at("close").replace("mia", "nobody"), "/helpdesk/person/%00/repair/close"):
        assert staff.get(path).status_code == 404
    assert staff.get(at("make_compliant")).status_code == 404
    codes = {staff.get(at("close").replace("mia", "nobody")).status_code for _ in range(62)}
    assert codes == {404, 429}


# confirming


def test_each_repair_says_what_it_will_do_and_asks_for_a_reason_first(web: Web) -> None:
    web.scene("open")
    staff = ida(web)
    links = [str(link["href"]) for link in page(staff.get(MIA)).select("#repairs a[href*='/repair/']")]
    assert {re.findall(r"/repair/(\w+)", link)[0] for link in links} == {"check_again", "resend", "start_link", "end_link", "close"}
    for link in links:
        asked = page(staff.get(link))
        assert len(asked.select("input[name=because]")) == len(BECAUSE)
        assert len(asked.select_one("main").get_text(" ", strip=True)) > 200  # type: ignore[union-attr]
    assert acts(web) == []


@pytest.mark.parametrize("missing", ["because", "seen", "target"])
def test_nothing_is_done_without_reason_version_or_choice(web: Web, missing: str) -> None:
    web.scene("open")
    staff = ida(web)
    answer = does(staff, "end_link", **{missing: ""})
    assert (answer.status_code, acts(web)) == (400, [])
    assert "Nothing was done" in answer.text
    for forged in ("because I say so", "<script>"):
        assert does(staff, "end_link", because=forged).status_code == 400
    assert does(staff, "end_link").status_code == 303, "the control"


def test_what_it_did_stands_on_the_page_with_one_audit_row(web: Web) -> None:
    web.scene("open")
    staff = ida(web)
    answer = does(staff, "end_link", because="wrong_device")
    assert answer.location is not None
    assert answer.location.startswith(MIA)
    [row] = acts(web)
    assert (row.actor_kind, row.actor_id, row.why, row.about_id) == ("helpdesk", "ida", "repair.end_link", "l1")
    assert row.detail == {"because": "wrong_device", "device": "d1"}
    shown = page(staff.get(answer.location)).select_one(".notice.done")
    assert shown is not None
    assert "Link ended by staff" in shown.get_text(" ", strip=True)
    assert "ida" in shown.get_text(" ", strip=True)


def test_T27_a_confirmation_replayed_does_nothing(web: Web) -> None:
    web.scene("open")
    staff = ida(web)
    form = form_of(staff, "resend")
    assert [staff.post(at("resend"), data=form).status_code for _ in range(3)] == [303, 409, 409]
    assert len(acts(web)) == 1


def test_the_second_of_two_is_shown_what_the_first_did_and_confirms_again(web: Web) -> None:
    web.scene("open")
    staff, noah = ida(web), web.signed_in(NOAH, browser="noahs", roles=ACTS)
    form = form_of(noah, "close")
    assert does(staff, "resend", because="support").status_code == 303
    answer = noah.post(at("close"), data=form)
    assert answer.status_code == 409
    told = page(answer).select_one("main").get_text(" ", strip=True)  # type: ignore[union-attr]
    assert "Microsoft told once more" in told
    assert "ida" in told
    again = page(answer).select_one("form[method=post]")
    assert again is not None
    fields = {str(one["name"]): str(one["value"]) for one in again.select("input[type=hidden], input[checked]")}
    assert fields["because"] == "asked", "what was chosen stays chosen"
    assert noah.post(at("close"), data=fields).status_code == 303


def test_T2_a_device_of_somebody_else_is_never_taken(web: Web) -> None:
    web.scene("open")
    noah = web.begun(person=NOAH, browser="the-browser-of-noah")
    noah.has_phones(replace(MANAGED_PHONE, key=replace(MANAGED_PHONE.key, record_id="9001")))
    noah.registered(replace(REGISTERED_PHONE, device_id="d9", object_id="o9", owner_oid=NOAH.oid)).looked()
    staff = ida(web)
    journey = web.store.journey(noah.id)
    assert journey is not None
    for which, target in (("end_link", "l9"), ("start_link", "device:ws1/9001"), ("end_link", "l1 ")):
        assert does(staff, which, target=target).status_code == 409
    case = {"case": journey.case_code}
    answer = staff.post(at("close"), data=form_of(staff, "close"), query_string=case)
    assert answer.status_code == 303, "another's case code is ignored, and their own newest case is meant"
    with web.engine.connect() as connection:
        row = connection.execute(sa.select(journeys.c.expires_at).where(journeys.c.id == noah.id)).scalar_one()
    assert row > web.clock()


@pytest.mark.parametrize("name", SCENES)
def test_T27_in_every_scene_no_repair_links_or_tells_compliant(web: Web, name: str) -> None:
    """Straight after each, before any worker looked: a repair itself grants nothing."""
    scene = web.scene(name)
    staff = ida(web)
    offered = [str(link["href"]) for link in page(staff.get(MIA)).select("#repairs a[href*='/repair/']")]
    assert any(link.split("?")[0].endswith("/start_link") for link in offered)
    for link in offered:
        which = re.findall(r"/repair/(\w+)", link)[0]
        links, told = active(web), told_compliant(web)
        answer = staff.get(link)
        if not page(answer).select("form[method=post]"):
            continue  # no more, after the one before
        assert does(staff, which).status_code == 303, which
        assert active(web) <= links
        assert told_compliant(web) <= told
    assert scene.journey().id


# what else is on the page


def test_a_start_link_is_shown_with_its_code_and_leads_to_the_start(web: Web) -> None:
    web.scene("this_device")
    staff = ida(web)
    assert does(staff, "start_link", target="show").status_code == 303
    card = page(staff.get(MIA)).select_one(".start-link")
    assert card is not None
    code = re.findall(r"/s/(\w{8})", card.get_text())[0]
    assert card.select_one("[role=img] svg path") is not None
    nobody = web.browser()
    assert nobody.get(f"/s/{code}").location == "/start?platform=ios"
    assert nobody.get(f"/s/{code.lower()}").location == "/start?platform=ios"
    web.clock.ahead = timedelta(hours=25)
    for path in (f"/s/{code}", "/s/22222222", "/s", "/s/a/b", "/s/" + "x" * 300):
        answer = nobody.get(path)
        assert (answer.status_code, answer.location) == (303, "/start")


def test_asking_the_remotes_is_a_wish_and_the_page_says_that_we_look(web: Web) -> None:
    scene = web.scene("wait")
    scene.looked()
    staff = ida(web)
    assert not page(staff.get(MIA)).find(string=re.compile("We are looking"))
    answer = staff.post(f"{MIA}/ask", data={"csrf_token": staff.csrf()})
    assert (answer.status_code, answer.location) == (303, f"{MIA}?asked=1")
    assert scene.journey().look.under_way
    assert page(staff.get(str(answer.location))).find(string=re.compile("We are looking"))
    scene.looked()
    assert not page(staff.get(str(answer.location))).find(string=re.compile("We are looking"))


def test_each_side_says_how_old_it_is_and_which_is_down(web: Web) -> None:
    web.scene("wait").looked(mdm_error="unreachable")
    web.clock.ahead = timedelta(minutes=4)
    told = page(ida(web).get(MIA)).select_one(".sources").get_text(" ", strip=True)  # type: ignore[union-attr]
    assert "4 min ago" in told
    assert told.count("does not answer now") == 1


def test_what_the_person_was_shown_before_is_told(web: Web) -> None:
    scene = web.scene("this_device")
    mia = web.signed_in()
    mia.get("/journey")
    mia.get("/journey/status")
    with web.engine.connect() as connection:
        assert len(connection.execute(sa.select(observations).where(observations.c.what == "shown")).all()) == 1
    scene.message_sent()
    scene.needs_help("conflict")
    mia.get("/journey")
    shown = page(ida(web).get(MIA)).select(".shown-before q")
    titles = [one.get_text(strip=True) for one in shown]
    assert len(titles) == 2
    assert titles == list(dict.fromkeys(titles)), "each change of page once, the newest first"
    pages = page(ida(web).get(f"{MIA}?kind=pages")).select(".timeline li")
    assert len(pages) == 2


def test_the_timeline_is_filtered_and_turned_on_the_server(web: Web) -> None:
    scene = web.scene("open")
    staff = ida(web)
    for n in range(60):
        at_ = web.clock() - timedelta(minutes=n)
        with web.store.change(Actor("person", "mia"), "journey.check_again", about=("journey", scene.id), at=at_):
            pass
    first = page(staff.get(MIA))
    assert len(first.select(".timeline li")) == 50
    older = first.select_one(".turn a")
    assert older is not None
    second = page(staff.get(str(older["href"])))
    moments = [[str(one["datetime"]) for one in side.select(".timeline .when time")] for side in (first, second)]
    assert moments[0][-1] >= moments[1][0]
    does(staff, "resend")
    by_staff = page(staff.get(f"{MIA}?kind=staff")).select(".timeline li .name")
    assert [one.get_text(strip=True) for one in by_staff] == ["Microsoft told once more"]
    for strange in ("?kind=x'--&page=-1", "?page=99999", "?page=²", "?kind[]=1"):
        assert staff.get(MIA + strange).status_code == 200


def test_several_entries_are_told_apart_with_the_way_in_entra(web: Web) -> None:
    scene = web.scene("open")
    scene.registered(REGISTERED_PHONE, replace(SECOND_REGISTERED, registered_at=web.clock() - timedelta(days=400)))
    staff = ida(web)
    entries = [one.get_text(" ", strip=True) for one in page(staff.get(MIA)).select(".entries li")]
    assert len(entries) == 2
    assert "Keep it" in entries[0]
    assert does(staff, "mark_device").status_code == 303
    assert "a leftover" in page(staff.get(MIA)).select(".entries li")[1].get_text(" ", strip=True)
    told = page(staff.get(at("mark_device"))).get_text(" ", strip=True)
    for said in ("entra.microsoft.com", "BitLocker", "30 days", "21 days"):
        assert said in told
    assert "Switch off" not in page(staff.get(MIA)).select_one("#repairs").get_text()  # type: ignore[union-attr]


def test_hostile_names_are_harmless_where_staff_confirm(web: Web) -> None:
    eve = Person("mia", HOSTILE, "eve" + HOSTILE, mail=HOSTILE)
    scene = web.begun(person=eve)
    scene.has_phones(replace(MANAGED_PHONE, name=HOSTILE), replace(MANAGED_PHONE, key=replace(MANAGED_PHONE.key, record_id="7")))
    scene.registered(replace(REGISTERED_PHONE, name=HOSTILE), replace(SECOND_REGISTERED, name=HOSTILE)).looked()
    staff = ida(web)
    for which in ("start_link", "possession", "mark_device", "keep_device", "close"):
        answer = staff.get(at(which))
        assert answer.status_code == 200
        assert page(answer).select("form[method=post]"), which
        assert not page(answer).select("script:not([src])")
        assert "\u202e" not in answer.text
        assert "<script>alert" not in answer.text
