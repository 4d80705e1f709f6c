"""The helpdesk's console: what staff find, what they see, what it leaves behind; and that nobody else gets in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Blueprint
from werkzeug.test import TestResponse

from remediation.domain.device import Person, Platform
from remediation.domain.onboarding import Looked
from remediation.domain.tenant_facts import QUOTA_LOOK
from remediation.ports import Actor
from remediation.services.look_up import MOST
from remediation.services.start_journey import open_case, start_journey
from remediation.store.store import SqlStore
from remediation.store.tables import audit, watches
from remediation.store.wakeups import LOOK_JOURNEY, DbosWakeups
from remediation.web import guards
from tests.people import MANAGED_PHONE, MIA, REGISTERED_PHONE
from tests.web.conftest import Browser, Web
from tests.web.scenes import NOAH, SCENES, SECOND_REGISTERED, Scene

HANNA = Person(oid="hanna", name="Hanna Roth", user_name="hanna.roth@contoso.example")
HOSTILE = "<script>alert(1)</script>\u202e\"'&{{7*7}} " + "W" * 300


@pytest.fixture
def hanna(web: Web) -> Browser:
    return web.signed_in(HANNA, browser="the-browser-of-hanna", roles=("Helpdesk.Read",))


def looked_up(web: Web) -> list[Any]:
    with web.engine.connect() as connection:
        statement = sa.select(audit).where(audit.c.why.startswith("look_up.")).order_by(audit.c.id)
        return list(connection.execute(statement).all())


def code_of(web: Web, scene: Scene) -> str:
    journey = web.store.journey(scene.id)
    assert journey is not None
    return journey.case_code


def heading(answer: TestResponse) -> str:
    return page(answer).select("h1")[0].get_text(" ", strip=True)


def page(answer: TestResponse) -> BeautifulSoup:
    return BeautifulSoup(answer.text, "html.parser")


def arrive(web: Web, oid: str, name: str, user_name: str = "", platform: Platform = Platform.IOS) -> str:
    person = Person(oid, name, user_name or f"{oid}@contoso.example")
    return start_journey(web.store, person, browser=f"b-{oid}", entrance="start", platform=platform, now=web.clock())


# who may come


def test_without_the_role_the_page_names_it_and_who_grants_it(web: Web) -> None:
    web.scene("open")
    for path in ("/helpdesk", "/helpdesk?q=mia", "/helpdesk/person/mia", "/helpdesk/person/nobody"):
        answer = web.signed_in(roles=("Admin", "helpdesk.read")).get(path)
        assert answer.status_code == 403
        assert "Helpdesk.Read" in answer.text
        assert "administrator" in answer.text
    assert looked_up(web) == []


def test_nobody_is_led_to_the_sign_in_and_back(web: Web) -> None:
    answer = web.browser().get("/helpdesk/person/mia?case=x")
    assert answer.status_code == 401
    assert page(answer).select_one("a#go-on[href='/sign-in?to=helpdesk']") is not None


def test_a_route_that_acts_under_the_reading_role_fails_at_start(web: Web) -> None:
    acting = Blueprint("acting", __name__)
    acting.post("/helpdesk/act")(guards.helpdesk(lambda: ""))
    web.app.register_blueprint(acting)
    with pytest.raises(RuntimeError, match="/helpdesk/act"):
        guards.demand_one_for_every_route(web.app)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_no_unsafe_method_is_taken(web: Web, hanna: Browser, method: str) -> None:
    before = web.rows()
    for path in ("/helpdesk", "/helpdesk/person/mia"):
        assert hanna.open(path, method=method, data={"csrf_token": hanna.csrf()}).status_code == 405
    assert web.rows() == before


def test_staff_have_journeys_of_their_own_as_anybody(web: Web) -> None:
    scene = web.scene("open", person=HANNA, browser="the-browser-of-hanna")
    staff = web.signed_in(HANNA, browser="the-browser-of-hanna", roles=("Helpdesk.Read",))
    assert staff.get("/journey").status_code == 200
    assert code_of(web, scene) in staff.get("/journey").text
    assert staff.get("/helpdesk").status_code == 200


# searching


@pytest.mark.parametrize("how", ["{}", "{} ", "case {}, please", "  ({})", "„{}“", "code={}"])
@pytest.mark.parametrize("dash", ["-", "", " ", "–", "‑", " - "])
def test_a_code_is_found_however_it_was_written_down(web: Web, hanna: Browser, how: str, dash: str) -> None:
    code = code_of(web, web.scene("wait"))
    answer = hanna.get("/helpdesk", query_string={"q": how.format(code.lower().replace("-", dash))})
    assert answer.status_code == 303
    assert answer.location == f"/helpdesk/person/mia?case={code}"


def test_a_case_of_somebody_who_could_not_sign_in(web: Web, hanna: Browser) -> None:
    code = open_case(web.store, browser="b", entrance="start", platform=Platform.ANDROID, now=web.clock())
    answer = hanna.get("/helpdesk", query_string={"q": code.lower()})
    assert answer.status_code == 200
    assert code in answer.text
    assert "Android" in answer.text
    assert "Make sure who is calling" in answer.text


@pytest.mark.parametrize("asked", ["mia", "MIA", "berg", "mia ber", "berger mia", "mia.ber", "mia.berger@contoso.example"])
def test_a_person_is_found_by_the_beginning_of_any_word(web: Web, hanna: Browser, asked: str) -> None:
    web.scene("wait")
    arrive(web, "noah", "Noah Lind")
    found = page(hanna.get("/helpdesk", query_string={"q": asked})).select(".people a")
    assert [link["href"] for link in found] == ["/helpdesk/person/mia"]


@pytest.mark.parametrize("asked", ["özi", "ÖZIL", "élo", "lem", "%%%", "___", "erger"])
def test_letters_beyond_ascii_and_signs_of_the_database(web: Web, hanna: Browser, asked: str) -> None:
    arrive(web, "oz", "Élodie Özil", "oz@contoso.example")
    web.scene("wait")
    found = page(hanna.get("/helpdesk", query_string={"q": asked})).select(".people a")
    assert len(found) == (1 if asked in ("özi", "ÖZIL", "élo") else 0)


@pytest.mark.parametrize("asked", ["mi", "m i a", "  ab ", "é", "a b c d e"])
def test_less_than_three_letters_look_nothing_up(web: Web, hanna: Browser, asked: str) -> None:
    web.scene("wait")
    answer = hanna.get("/helpdesk", query_string={"q": asked})
    assert "Nothing was looked up" in answer.text
    assert "Mia" not in answer.text
    assert looked_up(web) == []


def test_a_long_list_is_cut_and_says_so(web: Web, hanna: Browser) -> None:
    for n in range(MOST + 5):
        arrive(web, f"p{n}", f"Miriam {n:02}")
    answer = hanna.get("/helpdesk?q=miri")
    assert len(page(answer).select(".people > li")) == MOST
    assert "Narrow it" in answer.text
    assert len(page(hanna.get("/helpdesk?q=miriam+07")).select(".people > li")) == 1


def test_what_is_unknown_and_what_is_another_tenants_look_the_same(web: Web, hanna: Browser) -> None:
    theirs = SqlStore(web.engine, "fabrikam", DbosWakeups(web.engine))
    journey_id = start_journey(
        theirs,
        Person("zoe", "Zoe Zander", "zoe@fabrikam.example"),
        browser="b",
        entrance="start",
        platform=Platform.IOS,
        now=web.clock(),
    )
    journey = theirs.journey(journey_id)
    assert journey is not None
    case = open_case(theirs, browser="b", entrance="start", platform=Platform.IOS, now=web.clock())
    for known, unknown in (("zoe", "zob"), (journey.case_code, "222-222"), (case, "333-333")):
        answers = [hanna.get("/helpdesk", query_string={"q": asked}) for asked in (known, unknown)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert stripped(answers[0].text, known) == stripped(answers[1].text, unknown)
    answers = [hanna.get(f"/helpdesk/person/{oid}") for oid in ("zoe", "zob")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert stripped(answers[0].text, "zoe") == stripped(answers[1].text, "zob")


def stripped(text: str, asked: str) -> str:
    """What a person sees, short of their own words: the nonces differ in each answer."""
    return " ".join(BeautifulSoup(text, "html.parser").get_text(" ").replace(asked, "").split())


# what it leaves behind


def test_each_search_and_each_page_leaves_one_audit_row_and_nothing_else(web: Web, hanna: Browser) -> None:
    code = code_of(web, web.scene("wait"))
    hanna.get("/helpdesk")
    before = web.rows()
    hanna.get("/helpdesk?q=mia+berger")
    hanna.get("/helpdesk/person/mia")
    hanna.get("/helpdesk", query_string={"q": code})
    after = web.rows()
    assert {name: after[name] - before[name] for name in after if after[name] != before[name]} == {"audit": 3}
    rows = looked_up(web)
    assert [(row.actor_kind, row.actor_id, row.why) for row in rows] == [
        ("helpdesk", "hanna", "look_up.searched"),
        ("helpdesk", "hanna", "look_up.viewed"),
        ("helpdesk", "hanna", "look_up.searched"),
    ]
    assert rows[0].detail == {"words": 2, "codes": 0, "found": ["mia"]}
    assert (rows[1].about_kind, rows[1].about_id, rows[1].detail) == ("person", "mia", {"case": code})
    assert rows[2].detail == {"words": 1, "codes": 1, "found": ["mia"]}


def test_what_was_asked_is_in_no_log(web: Web, hanna: Browser, caplog: pytest.LogCaptureFixture) -> None:
    web.scene("wait")
    with caplog.at_level(0):
        for asked in ("berger", "mi", "zanzibar"):
            hanna.get("/helpdesk", query_string={"q": asked})
    assert not any(word in caplog.text for word in ("berger", "zanzibar"))


# the person's page


@pytest.mark.parametrize("name", SCENES)
def test_the_chain_and_the_heading_are_those_of_the_person(web: Web, hanna: Browser, name: str) -> None:
    web.scene(name)
    theirs, ours = page(web.signed_in().get("/journey")), page(hanna.get("/helpdesk/person/mia"))
    chains = [[(li["class"], li.get_text(" ", strip=True)) for li in one.select(".chain li")] for one in (theirs, ours)]
    assert len(chains[1]) == (6 if "relayed" in name or "in_app" in name else 7)
    assert chains[0] in ([], chains[1])
    title = str(theirs.select("[data-title]")[0]["data-title"]).rsplit(" – ", 1)[0]
    assert title in [q.get_text(strip=True) for q in ours.select("q")]


def test_the_file_of_a_linked_phone(web: Web, hanna: Browser) -> None:
    scene = web.scene("open")
    text = page(hanna.get("/helpdesk/person/mia")).get_text(" ", strip=True)
    for said in (
        *("Mia Berger", MIA.user_name, code_of(web, scene), "iPhone 13 (128 GB Midnight)", "F2LXK0ABCD12", "ws1/1042"),
        *("possession: the message was opened on the device", "Names prove nothing", "o1", web.settings.tenant_id),
        *("Case begun", "Message sent to the device", "Opened the message on the device", "Records linked", "Seen in Entra"),
        *("First seen in the device management", "First seen in Microsoft's directory", "The person themself", "Our worker"),
        "Nothing is stuck",
    ):
        assert said in text, said


def test_staff_read_which_device_microsoft_named_instead_and_what_to_quote(web: Web, hanna: Browser) -> None:
    scene = web.scene("help_named_another")
    [sign_in] = scene.journey().sign_ins
    ours = page(hanna.get("/helpdesk/person/mia"))
    facts = {dt.get_text(strip=True): dt.find_next("dd").get_text(strip=True) for dt in ours.select("dt")}  # type: ignore[union-attr]
    assert (facts["It was to name"], facts["Microsoft named"]) == ("d1", "d9")
    assert (facts["Sign-in log"], facts["Correlation id"]) == ("not there yet", sign_in.correlation_id)
    text = ours.get_text(" ", strip=True)
    for said in (
        "At a second sign-in Microsoft named another device than the candidate, so the link was refused.",
        "Which device it is the only registered device that can be this one",
        "Signed in once more",
    ):
        assert said in text, said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"enabled": False}, "switched off in the directory"),
        ({"owner_oid": "noah"}, "another person owns it"),
        ({"model": "iPad14,1"}, "another model"),
    ],
)
def test_why_a_device_cannot_be_the_one_stands_beside_it(web: Web, hanna: Browser, changed: dict[str, Any], said: str) -> None:
    other = replace(SECOND_REGISTERED, **changed)
    scene = web.begun().has_phones(MANAGED_PHONE).registered(REGISTERED_PHONE, other).looked().proven().looked()
    assert scene.journey().proven
    cards = page(hanna.get("/helpdesk/person/mia")).select(".column .card")
    why = [card.get_text(" ", strip=True) for card in cards if "Cannot be the device" in card.get_text(" ")]
    assert len(why) == 1
    assert said in why[0]
    assert "Another iPhone" in why[0]


def test_the_timeline_is_newest_first_and_tells_nothing_of_who_looked(web: Web, hanna: Browser) -> None:
    web.scene("open")
    hanna.get("/helpdesk/person/mia")
    ours = page(hanna.get("/helpdesk/person/mia"))
    moments = [str(time["datetime"]) for time in ours.select(".timeline .when time")]
    assert moments == sorted(moments, reverse=True)
    assert "look_up" not in ours.get_text()


def test_an_id_without_words_is_shown_as_it_is(web: Web, hanna: Browser) -> None:
    scene = web.scene("wait")
    with web.store.change(Actor("robot", "r2"), "future.happened", about=("journey", scene.id), at=web.clock()) as change:
        change.audit(correlation="c0ffee", told=True)
    text = page(hanna.get("/helpdesk/person/mia")).select(".timeline li")[0].get_text(" ", strip=True)
    assert all(word in text for word in ("future.happened", "robot", "correlation", "c0ffee"))


def test_what_is_stuck_says_who_can_act(web: Web, hanna: Browser) -> None:
    scene = web.scene("wait")
    scene.looked(directory_error="refused", mdm_error="unreachable")
    push = web.store.push("l1")
    assert push is not None
    web.store.note_push("l1", wake=push.wake, seq=push.desired_seq, next_at=None, attempts=1, reason="channel_busy")
    text = page(hanna.get("/helpdesk/person/mia")).select(".stuck")[0].get_text(" ", strip=True)
    assert "Microsoft's directory did not give what we asked for. An administrator can act." in text
    assert "The device management did not give what we asked for. Nobody has to act" in text
    assert "Microsoft's compliance service did not take our news. Nobody has to act" in text


def test_what_is_stuck_says_when_it_is_tried_next_and_what_helps(web: Web, hanna: Browser) -> None:
    scene = web.scene("wait")
    push, journey = web.store.push("l1"), web.store.journey(scene.id)
    assert push is not None
    assert journey is not None
    soon = web.clock() + timedelta(minutes=7)
    web.store.note_push("l1", wake=push.wake, seq=push.desired_seq, next_at=soon, attempts=3, reason="our_fault")
    web.store.note_fault(LOOK_JOURNEY, scene.id, wake=journey.look.wake, at=web.clock())
    since = {"failing_since": web.clock() - timedelta(hours=3), "reason": "mdm_refused", "attempts": 9}
    with web.engine.begin() as connection:
        connection.execute(sa.insert(watches).values(tenant_id=web.settings.tenant_id, name="mdm:ws1/sweep", **since))
        connection.execute(sa.insert(watches).values(tenant_id="another", name="mdm:theirs/sweep", **since))
    text = page(hanna.get("/helpdesk/person/mia")).select(".stuck")[0].get_text(" ", strip=True)
    for said in (
        *("ran into a fault of its own", "Next try:", f"remediation stuck retry {scene.id}", "reports it to its makers"),
        *("A source gives no good answers", "mdm:ws1/sweep", "remediation stuck retry mdm:ws1/sweep"),
    ):
        assert said in text, said
    assert "theirs" not in text


def standing_of(web: Web, hanna: Browser) -> dict[str, str]:
    facts = page(hanna.get("/helpdesk/person/mia")).find("h2", string="Licence, groups, account").parent.select("dl div")  # type: ignore[union-attr]
    return {one.select("dt")[0].get_text(strip=True): one.select("dd")[0].get_text(strip=True) for one in facts}


def test_how_many_devices_a_person_has_stands_beside_how_many_they_may_have(web: Web, hanna: Browser) -> None:
    web.begun().has_phones(MANAGED_PHONE).registered(REGISTERED_PHONE, SECOND_REGISTERED).stands().looked()
    most = "Devices that Entra lets each person have"
    shown = standing_of(web, hanna)
    assert (shown["Devices of this person in the directory"], shown[most]) == ("2", "not known")
    for quota, full in ((50, False), (2, True), (None, False)):
        with web.store.change(Actor("worker", "w"), "set_up.looked", about=("look", QUOTA_LOOK), at=web.clock()) as change:
            change.looked_at(Looked(QUOTA_LOOK, looked_at=web.clock(), detail={"most": quota}))
        shown = standing_of(web, hanna)
        assert shown[most] == ("not known" if quota is None else str(quota))
        assert ("Place for another device" in shown) is full


def test_what_was_done_in_vain_is_told_by_the_page_it_was_on(web: Web, hanna: Browser) -> None:
    web.scene("register_in_vain")
    evidence = page(hanna.get("/helpdesk/person/mia")).find("h2", string="Evidence").parent  # type: ignore[union-attr]
    told = [one for one in evidence.select("dl div") if one.select_one("q")]  # type: ignore[union-attr]
    assert [one.select("dd")[0].get_text(" ", strip=True) for one in told] == ["Register your device × 2"]


def test_entries_that_went_are_told_with_how_long_their_id_may_be_kept(web: Web) -> None:
    def gone() -> list[Any]:
        hanna = web.signed_in(HANNA, browser="the-browser-of-hanna", roles=("Helpdesk.Read",))
        found = hanna.get("/helpdesk/person/mia")
        assert found.status_code == 200
        return list(page(found).select("#gone"))

    begun = web.begun().has_phones(MANAGED_PHONE).registered(REGISTERED_PHONE, SECOND_REGISTERED).looked()
    assert gone() == []
    web.clock.ahead = timedelta(days=1)
    begun.registered(REGISTERED_PHONE)
    told = gone()[0].get_text(" ", strip=True)
    assert SECOND_REGISTERED.device_id in told
    assert REGISTERED_PHONE.device_id not in told.replace(SECOND_REGISTERED.device_id, "")
    assert "keeps its id for 30 days" in told
    web.clock.ahead = timedelta(days=2)
    begun.registered(REGISTERED_PHONE, SECOND_REGISTERED)
    assert gone() == [], "it was restored"
    web.clock.ahead = timedelta(days=3)
    begun.registered(REGISTERED_PHONE)
    assert len(gone()) == 1
    web.clock.ahead = timedelta(days=34)
    assert gone() == []


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("failed_4711", "Microsoft took the news and then failed on it"),
        ("accepted_not_applied", "Accepted by Microsoft, and its directory does not show it yet"),
        ("brand_new_reason", "Something that has no words here yet"),
    ],
)
def test_why_a_push_does_not_rest(web: Web, hanna: Browser, reason: str, said: str) -> None:
    web.scene("wait")
    push = web.store.push("l1")
    assert push is not None
    web.store.note_push("l1", wake=push.wake, seq=push.desired_seq, next_at=None, attempts=1, reason=reason)
    text = page(hanna.get("/helpdesk/person/mia")).select(".stuck")[0].get_text(" ", strip=True)
    assert said in text
    assert reason.removeprefix("failed_") in text


def test_every_case_of_a_person_can_be_opened(web: Web, hanna: Browser) -> None:
    first = web.scene("wait")
    web.clock.ahead = timedelta(minutes=1)
    start_journey(web.store, MIA, browser="b", entrance="start", platform=Platform.ANDROID, now=web.clock())
    newest = page(hanna.get("/helpdesk/person/mia"))
    link = newest.select(".others a")[0]
    assert code_of(web, first) in link.get_text()
    assert "Android" in newest.get_text()
    older = page(hanna.get(str(link["href"])))
    assert "Accepted by Microsoft" in older.select(".state")[0].find_next("ol").get_text()  # type: ignore[union-attr]
    assert page(hanna.get("/helpdesk/person/mia?case=000-000")).select("h1") == newest.select("h1")


def test_a_case_that_is_over_is_still_to_be_seen(web: Web, hanna: Browser) -> None:
    web.scene("open")
    web.clock.ahead = timedelta(hours=25)
    again = web.signed_in(HANNA, browser="the-browser-of-hanna", roles=("Helpdesk.Read",))
    assert "This case is over" in again.get("/helpdesk/person/mia").text


def test_hostile_names_are_harmless_everywhere(web: Web, hanna: Browser) -> None:
    eve = Person("eve?<i>&x", HOSTILE, "eve" + HOSTILE)
    scene = web.begun(person=eve)
    scene.has_phones(
        replace(MANAGED_PHONE, name=HOSTILE, model=HOSTILE, serial=HOSTILE, owner_user_name=HOSTILE, os_version=HOSTILE)
    )
    scene.registered(replace(REGISTERED_PHONE, name=HOSTILE, model="iPhone" + HOSTILE, os_version="17"))
    scene.looked().proven().looked()
    search = hanna.get("/helpdesk", query_string={"q": "eve" + HOSTILE[:60]})
    listed = hanna.get("/helpdesk?q=eve")
    (link,) = page(listed).select(".people a")
    opened = hanna.get(str(link["href"]))
    for answer in (search, listed, opened):
        assert answer.status_code == 200
        assert not page(answer).select("script:not([src])")
        assert "\u202e" not in answer.text
        assert "49" not in page(answer).select("h1")[0].get_text()
    assert "<script>alert" not in search.text + listed.text + opened.text


# signing somebody out

END = "/helpdesk/person/mia/end-sessions"


def ida(web: Web) -> Browser:
    return web.signed_in(Person("ida", "Ida Brandt", "ida"), browser="idas", roles=("Helpdesk.Read", "Helpdesk.Act"))


def sure(browser: Browser, **changes: str) -> dict[str, str]:
    return {"csrf_token": browser.csrf(), "because": "lost", "sure": "on", **changes}


def ends(web: Web) -> list[Any]:
    with web.engine.connect() as connection:
        return list(connection.execute(sa.select(audit).where(audit.c.why == "sessions.ended")).all())


def section(browser: Browser) -> str:
    found = page(browser.get("/helpdesk/person/mia")).select_one("#signed-in")
    assert found is not None
    return found.get_text(" ", strip=True)


def test_T17_staff_who_may_act_sign_a_person_out_and_see_that_it_was_done(web: Web) -> None:
    web.scene("wait")
    phone, laptop, noah = web.signed_in(), web.signed_in(browser="laptop"), web.signed_in(NOAH, browser="noahs")
    staff = ida(web)
    assert "In browsers: 2." in section(staff)
    answer = staff.post(END, data=sure(staff))
    assert (answer.status_code, answer.location) == (303, "/helpdesk/person/mia#signed-in")
    assert [browser.get("/journey").status_code for browser in (phone, laptop, noah)] == [401, 401, 409]
    told = section(staff)
    assert "signed in nowhere" in told
    assert "ida Because A device or computer is lost Browsers signed out 2" in told
    [row] = ends(web)
    assert (row.actor_kind, row.actor_id, row.about_id, row.detail) == ("helpdesk", "ida", "mia", {"because": "lost", "ended": 2})


@pytest.mark.parametrize("changes", [{"because": ""}, {"because": "asked for it"}, {"sure": ""}])
def test_without_a_reason_of_ours_and_without_being_sure_nobody_is_signed_out(web: Web, changes: dict[str, str]) -> None:
    web.scene("wait")
    phone, staff = web.signed_in(), ida(web)
    form = {name: value for name, value in sure(staff, **changes).items() if value}
    answer = staff.post(f"{END}?case=K7M-2QX", data=form)
    assert answer.status_code == 400
    assert page(answer).select_one("a#go-on[href='/helpdesk/person/mia?case=K7M-2QX#signed-in']") is not None
    assert (ends(web), phone.get("/journey").status_code) == ([], 200)


def test_T27_who_may_only_read_signs_nobody_out_and_is_not_offered_it(web: Web, hanna: Browser) -> None:
    web.scene("wait")
    phone = web.signed_in()
    assert page(hanna.get("/helpdesk/person/mia")).find("form", action=END) is None
    answer = hanna.post(END, data=sure(hanna))
    assert (answer.status_code, "Helpdesk.Act" in answer.text) == (403, True)
    assert (ends(web), phone.get("/journey").status_code) == ([], 200)
    only_acts = web.signed_in(HANNA, browser="another", roles=("Helpdesk.Act",))
    assert only_acts.get("/helpdesk/person/mia").status_code == 403, "no role stands for another"


def test_T27_a_role_that_is_five_minutes_old_acts_no_more(web: Web) -> None:
    web.scene("wait")
    phone, staff = web.signed_in(), ida(web)
    form = sure(staff)
    web.clock.ahead = timedelta(minutes=5, seconds=1)
    assert staff.post(END, data=form).status_code == 401
    assert (ends(web), phone.get("/journey").status_code) == ([], 200)


def test_T27_signing_out_takes_a_turn_and_nobody_unknown_is_signed_out(web: Web) -> None:
    staff = ida(web)
    answers = [staff.post("/helpdesk/person/nobody/end-sessions", data=sure(staff)).status_code for _ in range(61)]
    assert set(answers[:60]) == {404}
    assert answers[60] == 429
    assert ends(web) == []
