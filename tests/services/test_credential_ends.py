"""The ends of both apps' credentials, over the sandbox's protocols: by the certificate, the directory, or what was typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from remediation.adapters.certificate_maker import LASTS, make
from remediation.credential_wiring import ends
from remediation.domain.credential_ends import App, Ends, How
from remediation.ports import Actor
from remediation.services.credential_ends import alarm, keep
from remediation.store.onboarding import SqlChoices
from remediation.store.tables import alarms
from remediation.wire import Wire
from remediation.wiring import build_budgets
from sandbox.world import GRAPH_APP_ID
from tests.services.test_budgets import settings_for
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]
WORKER = Actor("worker", "w")


@pytest.fixture
def story(tell: Tell) -> Story:
    found = tell("blocked_just_registered")
    found.sandbox.world.stand_still()
    return found


def found(story: Story, **settings: Any) -> dict[App, Ends]:
    given, clock = settings_for(story.sandbox, **settings), story.world.clock
    wire = Wire(given, build_budgets(given, story.engine, clock=clock), WSGIAdapter(story.sandbox.api), clock)
    sign_in_app = story.sandbox.world.apps["sign-in"].client_id.upper()
    return {one.app: one for one in ends(given, wire, clock, sign_in_app=sign_in_app)()}


def test_the_directory_tells_of_both_and_a_certificate_of_itself(story: Story) -> None:
    world, now = story.sandbox.world, story.world.clock().replace(microsecond=0)
    world.apps["service"].secret_ends, world.apps["sign-in"].secret_ends = now + timedelta(days=90), now + timedelta(days=6)
    assert found(story) == {
        App.SERVICE: Ends(App.SERVICE, now + timedelta(days=90), How.DIRECTORY),
        App.SIGN_IN: Ends(App.SIGN_IN, now + timedelta(days=6), How.DIRECTORY),
    }
    own = make("remediation", now - LASTS + timedelta(days=20))
    story.sandbox.world.apps["service"].certificates.append(own.certificate)
    by_certificate = found(story, service_client_secret=None, service_certificate=SecretStr(own.pem))
    assert by_certificate[App.SERVICE] == Ends(App.SERVICE, now + timedelta(days=20), How.CERTIFICATE)


def test_what_the_directory_may_not_tell_is_what_was_typed_or_not_known(story: Story) -> None:
    story.sandbox.world.apps["service"].permissions[GRAPH_APP_ID].discard("Application.Read.All")
    told = found(story, sign_in_secret_ends="2027-06-30")
    assert (told[App.SERVICE].ends, told[App.SERVICE].how) == (None, None)
    assert (f"{told[App.SIGN_IN].ends:%Y-%m-%d}", told[App.SIGN_IN].how) == ("2027-06-30", How.TYPED)


def test_each_warning_is_raised_once_and_the_pages_read_what_was_found(story: Story) -> None:
    now = story.world.clock()
    ends_at = now + timedelta(days=29)
    seen = [Ends(App.SIGN_IN, ends_at, How.DIRECTORY), Ends(App.SERVICE)]
    for days in (0, 0.25, 22.5, 28.5, 30):
        keep(seen, story.store, actor=WORKER, now=now + timedelta(days=days))
    with story.engine.connect() as connection:
        subjects = connection.execute(sa.select(alarms.c.subject).order_by(alarms.c.at)).scalars().all()
    whose = "The credential of the sign-in app"
    within = [f"ends within {left}" for left in ("30 days", "7 days", "1 day")]
    assert subjects == [f"{whose} {when}" for when in (*within, "has ended")]
    kept = SqlChoices(story.engine).looks()["credentials"].detail
    assert kept == {"sign_in": {"ends": ends_at.isoformat(), "how": "directory"}}
    assert "nobody can sign in" in alarm(seen[0], 7, now).text
