"""The doctor's page: what the worker found, what needs attention first, in both languages of staff."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from remediation.domain.finding import DOCTOR
from remediation.domain.onboarding import Looked
from remediation.ports import Actor
from remediation.store.onboarding import SqlChoices
from tests.from_zero import FromZero
from tests.web.conftest import Web
from tests.web.set_up_scenes import FINDINGS, admin
from tests.web.test_hostile_columns import POLYGLOTS, harmless

PAGE = "/onboarding/doctor"


def looked(web: Web, findings: list[dict[str, Any]]) -> None:
    now = web.clock()
    with web.store.change(Actor("worker", "w"), "test", about=("look", DOCTOR), at=now) as change:
        change.looked_at(Looked(DOCTOR, now, now, now, detail={"findings": findings}))


def test_it_asks_the_worker_and_shows_what_needs_attention_first(web: Web) -> None:
    adam = admin(web)
    assert "Nobody has asked yet" in adam.get(PAGE).text
    assert f'href="{PAGE}"' in adam.get("/onboarding").text
    assert adam.press(PAGE, f"{PAGE}/look").status_code == 303
    assert SqlChoices(web.engine).looks()[DOCTOR].waiting
    assert "Being tested" in adam.get(PAGE).text
    looked(web, FINDINGS)
    said = FromZero.words_of(adam.get(PAGE).text)
    order = (
        "Needs attention: 2",
        "Another Vendor",
        "Not known: 2",
        "No interface tells whether Microsoft Authenticator",
        "Good: 2",
    )
    assert sorted(order, key=said.index) == list(order)
    for words in (
        "partner for iPhone or iPad",
        "Intune administrator: Tenant administration",
        "It does not answer (503)",
    ):
        assert words in said
    assert "Optional, and not there: Policy.Read.All. Without it nobody checks that our sign-in is excluded" in said
    assert "unheard" not in said, "a row of a later version"


def test_it_speaks_german(web: Web) -> None:
    adam = admin(web)
    looked(web, FINDINGS)
    said = FromZero.words_of(adam.get(f"{PAGE}?lang=de").text)
    for words in (
        "Braucht Aufmerksamkeit: 2",
        "Nicht bekannt: 2",
        "glaubt nur diesem Anbieter",
        "Intune-Administrator: Mandantenverwaltung",
    ):
        assert words in said
    assert "No interface" not in said


@pytest.mark.parametrize("name", POLYGLOTS)
def test_T20_what_a_remote_said_becomes_no_markup(web: Web, name: str) -> None:
    adam, findings = admin(web), deepcopy(FINDINGS)
    for one in findings:
        one["about"] = one["about"] if one["check"] == "partner_slot" else f"zq{POLYGLOTS[name]}"
        one["detail"] = dict.fromkeys(one["detail"], f"zq{POLYGLOTS[name]}") | {"permission": "Policy.Read.All"}
    looked(web, findings)
    answer = adam.get(PAGE)
    assert "zq" in answer.text
    harmless(answer)
