"""`remediation scope` and `remediation pilot` against the pretend tenant over TLS: what they say, and what they change here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from remediation.commands import remediation
from remediation.domain.device import ManagedKey
from remediation.domain.onboarding import Looked
from remediation.domain.wishes import Kind
from remediation.ports import Actor
from remediation.services.scope import wish
from remediation.settings import PREFIX, WorkerSettings
from remediation.settings.names import environment_of
from sandbox.things import Group
from sandbox.world import GRAPH_APP_ID
from tests.test_partner_commands import FOREIGN, Ground, migrated

__all__ = ["migrated"]
NOBODY = "3f0c5a6e-8c57-4f0a-9b0b-3d2f5a7a9d11"


class Desk(Ground):
    def says(self, *command: str, status: int = 0, typed: str | None = None, **settings: str | None) -> str:
        given = {name: value for name, value in self.settings.items() if value is not None}
        changed = {PREFIX + name: value for name, value in settings.items()}
        environment = {**FOREIGN, **environment_of(WorkerSettings, given), **changed}
        told = CliRunner().invoke(remediation, command, env=environment, input=typed, catch_exceptions=False)
        assert told.exit_code == status, told.output
        return told.output

    def id_of(self, name: str) -> str:
        return next(key for key, group in self.sandbox.world.groups.items() if group.name == name)


@pytest.fixture
def ground(tmp_path: Path, migrated: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, migrated)
    yield made
    made.stop()


def test_groups_are_searched_counted_chosen_and_shown(ground: Desk) -> None:
    assert "Nobody has chosen yet." in ground.says("scope", "show")
    pilots = ground.id_of("Pilots")
    assert pilots in ground.says("scope", "search", "pil")
    assert "No group" in ground.says("scope", "search", "ilots")
    asked = ground.says("scope", "set", "--group", pilots, typed="n\n", status=1)
    for words in ("1 people  Pilots", "at ws1: 1 users", "narrows the scope", "Choose so?"):
        assert words in asked
    assert ground.store.scope().seq == 0
    ground.says("scope", "set", "--group", pilots, "--yes")
    assert ground.store.scope().ids == (pilots,)
    assert "Pilots" in ground.says("scope", "show")
    wide = ground.says("scope", "set", "--all", "--yes")
    assert "This widens the scope: at most" in wide
    chosen = [row for row in ground.audited() if row.why == "scope.chosen"]
    assert [(row.detail["old"], row.detail["new"], row.detail["widens"]) for row in chosen] == [
        *([([], [pilots], False)]),
        ([pilots], [], True),
    ]


def test_what_cannot_be_chosen_is_said_with_who_can_act(ground: Desk) -> None:
    pilots = ground.id_of("Pilots")
    assert "deleted, or never of this tenant" in ground.says("scope", "set", "--group", NOBODY, "--yes", status=2)
    assert "Ten groups at most" in ground.says(
        *("scope", "set", "--yes"), *(part for n in range(11) for part in ("--group", f"{n}")), status=2
    )
    assert "Either --all, or one --group" in ground.says("scope", "set", status=2)
    assert "REMEDIATION_GROUPS is set" in ground.says("scope", "set", "--all", "--yes", status=2, GROUPS=pilots)
    assert "Set by REMEDIATION_GROUPS." in ground.says("scope", "show", GROUPS=pilots)
    world = ground.sandbox.world
    lonely = Group(world.new_id(), "Guests", "", set(world.groups[pilots].members), at_mdm=False)
    world.groups[lonely.id] = lonely
    told = ground.says("scope", "set", "--group", lonely.id, "--only-managed", "--yes", status=2)
    assert "no MDM has a group of this name" in told
    world.apps["service"].permissions[GRAPH_APP_ID].discard("GroupMember.Read.All")
    world.end_tokens()
    assert "needs GroupMember.Read.All" in ground.says("scope", "search", "pilots", status=2)
    assert ground.store.scope().seq == 0


def test_the_policies_are_assigned_to_those_who_were_chosen_here(ground: Desk) -> None:
    pilots = ground.id_of("Pilots")
    ground.says("scope", "set", "--group", pilots, "--yes")
    assert "1 group: Pilots" in ground.says("partner", "provision", "--yes")
    assert ground.assigned() == {platform: {pilots} for platform in ("iOS", "Android", "macOS")}


def test_a_pilot_needs_a_device_that_got_through(ground: Desk) -> None:
    assert "No active link of this record" in ground.says(
        "pilot", "start", "--connection", "ws1", "--record", "4711", "--yes", status=2
    )
    assert "There is no MDM connection ws9" in ground.says(
        "pilot", "start", "--connection", "ws9", "--record", "4711", "--yes", status=2
    )
    assert "No pilot of this platform runs." in ground.says("pilot", "stop", "ios", status=2)
    assert "No pilot device proved intune_partner yet." in ground.says("pilot", "show")
    assert ground.store.active_link(ManagedKey("ws1", "4711")) is None


def test_who_goes_first_is_named_once_all_other_steps_are_done(ground: Desk) -> None:
    """The evidence minimum is typed, so that *go* is still to come."""
    assert "It is at work already" in ground.says("pilot", "first", "mia.berger@contoso.example", status=2)
    names = ("ORGANISATION", "HELPDESK_PHONE", "HELPDESK_HOURS", "SIGN_IN_CLIENT_ID", "SIGN_IN_CLIENT_SECRET")
    given: dict[str, Any] = {**dict.fromkeys(names, "given"), "MINIMUM_EVIDENCE": None, "GROUPS": ground.id_of("Pilots")}
    given["SIGN_IN_CLIENT_ID"] = ground.sandbox.world.apps["sign-in"].client_id
    given |= {**dict.fromkeys(("CHANNEL_IOS", "CHANNEL_ANDROID", "CHANNEL_MACOS"), "intune_partner"), "CHANNEL_WINDOWS": "none"}
    ground.says("onboard", "set", f"{PREFIX}MINIMUM_EVIDENCE", "possession", **given)
    assert "consent" in ground.says("pilot", "first", "mia.berger@contoso.example", status=2, **given)
    actor, now = Actor("worker", "w"), datetime.now(UTC)
    with ground.store.change(actor, "test", about=("look", "all"), at=now) as change:
        for name in ("consent", "sign_in", "mdm:ws1"):
            change.looked_at(Looked(name, looked_at=now, good_at=now))
    for kind in (Kind.PARTNER_SAID, Kind.POLICY_SAID):
        wish(ground.store, kind, {}, actor=actor, now=now)
    assert "Nobody in the directory" in ground.says("pilot", "first", "nobody@contoso.example", status=2, **given)
    assert "Let Mia Berger use it" in ground.says("pilot", "first", "mia.berger@contoso.example", typed="n\n", status=1, **given)
    ground.says("pilot", "first", "mia.berger@contoso.example", "--yes", **given)
    ground.says("pilot", "first", "mia.berger@contoso.example", "--take-back", **given)
    ground.says("pilot", "without", "--yes", **given)
    mia = next(one.oid for one in ground.sandbox.world.persons.values() if one.upn.startswith("mia."))
    changed = [row.detail["changes"][0] for row in ground.audited() if row.why == "settings.changed"]
    assert [(one["old"], one["new"]) for one in changed[-2:]] == [(None, mia), (mia, None)]
    assert "set_up.pilot_said" in [row.why for row in ground.audited()]
