"""A signed-in person walks at random over all addresses, links and forms, while the worker works and the phone misbehaves.

Never a 500, never a step that is none, never a link without its proof, never *compliant* for any device but the phone in hand.
`WALKS=20` walks with as many seeds.
"""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask

from remediation.adapters import workspace_one_events
from remediation.domain.evidence import Level
from remediation.domain.steps import Step
from remediation.settings import WebSettings
from remediation.store.look_up import SqlLookUp
from remediation.store.sessions import SqlSessions, SqlSignInStates
from remediation.web import build_web
from tests.set_ups import set_up
from tests.stories import BROWSER, Story
from tests.web.conftest import ORIGIN, SETTINGS, Browser

SCENARIOS = ("blocked_just_registered", "blocked_unregistered", "not_compliant", "registered_last_year", "two_phones", "loop")
MOVES = 250  # in each scenario, for each seed
GARBAGE = (
    "",
    "?x=%00&lang=xx",
    "?error=access_denied",
    "?state=1&code=2",
    "?platform=toaster",
    "?next=//evil.example",
    "/../../etc",
    "/%E2%80%AE",
)


class Walker:
    def __init__(self, story: Story, chance: random.Random) -> None:
        self.story, self.chance = story, chance
        tenant = story.store.tenant_id
        settings = WebSettings.model_validate({**SETTINGS, "tenant_id": tenant})
        self.sessions = SqlSessions(story.engine, tenant)
        self.app: Flask = build_web(
            settings,
            story.store,
            self.sessions,
            SqlSignInStates(story.engine, tenant),
            SqlLookUp(story.engine, tenant),
            set_up=set_up(story.engine, tenant),
            events=workspace_one_events.hint_of,
            clock=story.world.clock,
        )
        self.app.config["PATIENCE"] = 0
        self.app.test_client_class = Browser
        self.addresses = [
            rule.rule for rule in self.app.url_map.iter_rules() if "GET" in (rule.methods or ()) and not rule.arguments
        ]
        self.client: Any = self.app.test_client()
        self.signs_in()
        self.page = BeautifulSoup("", "html.parser")

    def signs_in(self) -> None:
        mia = self.story.remotes.person()
        token = self.sessions.begin(oid=mia.oid, name=mia.name, roles=(), browser=BROWSER, at=self.story.world.clock())
        with self.client.session_transaction(base_url=ORIGIN) as cookie:
            cookie.update(t=token, b=BROWSER)

    def moves(self) -> None:
        move: Callable[[], None] = self.chance.choice(
            [
                self.visits,
                self.presses,
                self.presses,
                self.follows,
                self.ticks,
                self.ticks,
                self.plays,
                self.forges,
                self.comes_back,
            ]
        )
        move()

    def visits(self) -> None:
        self.get(self.chance.choice(self.addresses) + self.chance.choice(GARBAGE))

    def comes_back(self) -> None:
        self.get("/journey")

    def follows(self) -> None:
        links = [str(a["href"]) for a in self.page.select("a[href^='/']")]
        if links:
            self.get(self.chance.choice(links))

    def presses(self) -> None:
        forms = [form for form in self.page.select("form[method=post]") if "sign-out" not in str(form.get("action"))]
        if not forms:
            return
        form = self.chance.choice(forms)
        data = {str(f["name"]): str(f.get("value") or "") for f in form.select("input[name]") if f.get("type") != "radio"}
        radios = form.select("input[type=radio]")
        if radios:
            one: Tag = self.chance.choice(list(radios))
            data[str(one["name"])] = str(one["value"])
        self.take(
            self.client.post(str(form["action"]), data=data, headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=True)
        )

    def forges(self) -> None:
        data = {"device": self.chance.choice(["", "1042", "a.b.c", "../.."]), "csrf_token": self.chance.choice(["", "x"])}
        rules = [r.rule for r in self.app.url_map.iter_rules() if "POST" in (r.methods or ()) and not r.arguments]
        self.take(self.client.post(self.chance.choice(rules), data=data))

    def ticks(self) -> None:
        self.story.tick(self.chance.choice([0, 2, 30, 400]))

    def plays(self) -> None:
        """Something happens to the phone."""
        deed = self.chance.choice(["register", "health", "message", "message", "sign_in"])
        if deed == "register" and self.story.remotes.phone.device_id is None:
            self.story.registers()
        elif deed == "health":
            self.story.reports_health(passcode=self.chance.random() < 0.8, jailbroken=self.chance.random() < 0.1)
        elif deed == "message" and self.story.remotes.phone.messages:
            self.get(f"/possession/{self.story.token}")
        else:
            self.signs_in()

    def get(self, address: str) -> None:
        self.take(self.client.get(address, follow_redirects=True))

    def take(self, answer: Any) -> None:
        no_entra = answer.status_code == 503 and answer.request.path == "/sign-in"  # nobody listens there in this test
        assert answer.status_code < 500 or no_entra, (answer.request.path, answer.text[:800])
        self.page = BeautifulSoup(answer.text, "html.parser")
        panel = self.page.select_one("#panel > [class]")
        if panel is not None:
            assert any(step.value in (panel.get("class") or []) or step.value in str(panel) for step in Step), panel


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(int(os.environ.get("WALKS", "1"))))
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_random_walk_never_leaves_the_steps_and_never_links_what_should_not_be(
    tmp_path: Path, migrated: Path, scenario: str, seed: int
) -> None:
    database = tmp_path / "walk.sqlite"
    database.write_bytes(migrated.read_bytes())
    story = Story(f"sqlite:///{database}", tmp_path, scenario, minimum=Level.POSSESSION)
    story.arrives()
    walker = Walker(story, random.Random(seed))
    for _ in range(MOVES):
        walker.moves()
    audit = story.audit()
    if "link.made" in audit:
        assert "possession.proven" in audit[: audit.index("link.made")]
    told = {e["DeviceId"] for upload in story.uploads() for e in upload.content if e.get("complianceStatus") == "compliant"}
    assert told <= {story.remotes.phone.device_id}
    story.engine.dispose()
