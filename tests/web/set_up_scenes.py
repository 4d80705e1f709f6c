"""What an administrator meets while scope, partner, arrival and pilot device are set up: the worker's answers as rows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from remediation.domain.device import Person
from remediation.domain.pilot import Down as PilotDown
from remediation.domain.pilot import Next, Pilot, PilotState, PilotStep
from remediation.domain.wishes import Kind
from remediation.ports import Actor
from remediation.services import arrival, scope
from tests.web.conftest import Browser, Web

ADAM = Person("adam", "Adam Kowal", "adam.kowal")
ADMIN = Actor("admin", "adam")
IDS = [f"3f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d{n:02d}" for n in range(20)]


def admin(web: Web) -> Browser:
    return web.signed_in(ADAM, browser="adam", roles=("Admin",))


def group(number: int, name: str, **more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": IDS[number],
        "name": name,
        "description": "",
        "people": None,
        "nested": None,
        "notes": [],
        "stops": [],
        "at": [],
    }
    return {**plain, **more}


FOUND = (
    group(0, "Mobile users", description="Everybody with a managed phone", at=[{"connection": "ws1", "members": 812}]),
    group(1, "Mobile users, Donaudampfschifffahrtsgesellschaft Oberpfalz", notes=["same_name", "dynamic", "nested"]),
    group(2, "Mobile guests", notes=["not_managed"], stops=["not_managed"]),
)


SLOT = {"holder": "Another Vendor", "word": "enabled"}
FINDINGS: list[dict[str, Any]] = [
    {"check": "token", "state": "good", "why": "given", "about": "graph", "detail": {}},
    {
        "check": "partner_slot",
        "state": "bad",
        "why": "taken",
        "about": "ios",
        "detail": SLOT,
    },
    {"check": "mdm", "state": "bad", "why": "unreachable", "about": "ws1", "detail": {"code": "503", "said": "503"}},
    {"check": "by_hand", "state": "unknown", "why": "authenticator", "about": "", "detail": {}},
    {"check": "registration", "state": "unknown", "why": "not_readable", "about": "", "detail": {"code": "403"}},
    {"check": "permissions", "state": "good", "why": "without", "about": "graph", "detail": {"permission": "Policy.Read.All"}},
    {"check": "of_a_later_version", "state": "bad", "why": "unheard_of", "about": "", "detail": {}},
]
"""The doctor's, one of each kind."""


def answered(web: Web, kind: Kind, asked: dict[str, Any], **answer: Any) -> str:
    wish = scope.wish(web.store, kind, asked, actor=ADMIN, now=web.clock())
    failed, code = answer.pop("failed", None), answer.pop("code", None)
    assert web.store.answer_wish(wish, at=web.clock(), answer=answer, failed=failed, code=code)
    return wish


def searched(web: Web) -> str:
    return answered(web, Kind.GROUPS, {"words": "mobile", "only_managed": True}, groups=list(FOUND), away=["maas"])


def counted(web: Web, *groups: dict[str, Any], everybody: int | None = None) -> str:
    asked = {
        "groups": [{"id": one["id"], "name": one["name"]} for one in groups],
        "only_managed": False,
        "seq": web.store.scope().seq,
    }
    return answered(web, Kind.COUNT, asked, groups=list(groups), everybody=everybody, links=412, away=[])


def chosen(web: Web, *groups: dict[str, Any]) -> None:
    scope.choose(web.store, counted(web, *groups), by_setting=(), actor=ADMIN, now=web.clock())


def partner(web: Web) -> None:
    findings = [
        {
            "check": "partner_slot",
            "state": "good",
            "why": "ours",
            "about": "ios",
            "detail": {"holder": "Return", "word": "enabled"},
        },
        {
            "check": "partner_slot",
            "state": "bad",
            "why": "taken",
            "about": "android",
            "detail": {"holder": "Other", "word": "enabled"},
        },
        {"check": "partner_slot", "state": "bad", "why": "missing", "about": "macos", "detail": {}},
    ]
    rows = [{"name": "Other Vendor GmbH", "state": "enabled", "heard": None, "platforms": ["android"]}]
    answered(web, Kind.PARTNER, {}, findings=findings, differs=["addresses", "no_policy macos"], listed=rows)
    refused = [{"step": "policy", "platform": "macos", "why": "channel_refused", "code": "UnknownError"}]
    answered(web, Kind.PROVISION, {}, done=False, refused=refused, odd=[], assigned=["ios"])


def policies(web: Web) -> None:
    found = {"check": "policy", "state": "bad", "why": "caught", "about": "", "detail": {"policies": "Require a compliant device"}}
    answered(web, Kind.POLICY, {"app": "x"}, findings=[found])


def arrivals(web: Web) -> None:
    """The button led elsewhere, the leaflet leads here, and the clip is being tested."""
    arrival.open_window(web.store, "button", actor=ADMIN, now=web.clock() - timedelta(hours=2))
    arrival.open_window(web.store, "leaflet", actor=ADMIN, now=web.clock())
    web.browser().get("/start/leaflet", headers={"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)"})
    arrival.open_window(web.store, "clip", actor=ADMIN, now=web.clock())


def pilot(web: Web, link_id: str, *, failed: bool = False) -> Pilot:
    """Under way: it was seen compliant, and is waited for to go down."""
    now = web.clock()
    begun = Pilot(
        *("p1", web.begun().platform, "intune_partner", "ws1", link_id, PilotDown.PUSH, PilotStep.COMPLIANT, now),
        *(now + timedelta(minutes=75), PilotState.RUNNING, now, "adam"),
    )
    with web.store.change(ADMIN, "pilot.started", about=("pilot", "p1"), at=now) as change:
        change.start_pilot(begun)
    after = Next(failed="not_seen_compliant") if failed else Next(seen_at=now, step=PilotStep.NOT_COMPLIANT)
    with web.store.change(ADMIN, "pilot.seen", about=("pilot", "p1"), at=now) as change:
        change.pilot_goes_on(begun, after, until=now + timedelta(minutes=75))
    found = web.store.pilot("p1")
    assert found is not None
    return found
