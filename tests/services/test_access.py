"""Temporary access from the request to its end, with the real store and adapter and the sandbox's PIM for Groups: what two people
approved, and nothing longer, wider or later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from remediation import wiring
from remediation.adapters import graph
from remediation.adapters.access_package import AccessPackage
from remediation.adapters.temporary_access import PimGroup
from remediation.domain.access import AccessRequest, State, why_not
from remediation.domain.powers import ACCESS_PACKAGES, TEMPORARY_ACCESS
from remediation.errors import Conflict, Refused, RemediationError, Stale
from remediation.services import access
from remediation.services.carry_access import Carrying, carry
from remediation.store.access import SqlAccessRows
from remediation.store.tables import access_requests
from remediation.wire import Wire
from sandbox.things import GRAPH_APP_ID, Group, Package, Packaged, Privileged
from tests.services.test_budgets import settings_for
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]
ON_POSTGRESQL = True
GROUP = "6f0c2a57-3d1b-4e88-9a47-0b5d2c7e9f31"


class Help:
    """Mia is stuck; Hanna and Ida are the staff; the worker carries."""

    def __init__(self, story: Story) -> None:
        self.story, self.world = story, story.sandbox.world
        self.world.stand_still()
        self.world.groups[GROUP] = Group(GROUP, "Temporary access", "", set())
        self.world.bypass_group = GROUP
        self.world.apps["service"].permissions[GRAPH_APP_ID] |= {TEMPORARY_ACCESS, ACCESS_PACKAGES}
        story.arrives()
        self.rows = SqlAccessRows(story.engine, story.store.tenant_id)
        self.microsoft = PimGroup(story.remotes.graph_as("access"), GROUP)
        self.carrying = Carrying(self.rows, story.store, self.microsoft, story.world.clock, "worker-1")

    @property
    def now(self) -> datetime:
        return self.story.world.clock()

    @property
    def one(self) -> AccessRequest:
        found = self.rows.newest(self.story.oid)
        assert found is not None
        return found

    def asks(self, message: str = "The board meets in an hour") -> AccessRequest:
        access.ask(self.story.store, self.story.journey, message, oid=self.story.oid, now=self.now)
        return self.one

    def approves(self, by: str = "hanna", hours: int = 4, version: int | None = None, **texts: str) -> None:
        one, said = self.one, {"answer": "Until four hours from now.", "note": "called back", **texts}
        seen = one.version if version is None else version
        access.approve_first(self.story.store, one, seen, by=by, hours=hours, now=self.now, **said)

    def seconds(self, by: str = "ida", version: int | None = None, *, carry: bool = True) -> None:
        one = self.one
        seen = one.version if version is None else version
        access.approve_second(self.story.store, one, seen, by=by, carry=carry, now=self.now)

    def works(self, seconds: float = 0, times: int = 1) -> AccessRequest:
        for _ in range(times):
            self.world.advance(seconds)
            carry(self.carrying)
        return self.one

    def given(self) -> AccessRequest:
        self.asks()
        self.approves()
        self.seconds()
        self.works()
        return self.works(6)

    def audited(self) -> list[str]:
        return [why for why in self.story.audit() if why.startswith("access.")]


@pytest.fixture
def help_(tell: Tell) -> Help:
    return Help(tell("blocked_just_registered"))


def test_two_approve_and_outlook_opens_until_the_end_and_no_longer(help_: Help) -> None:
    assert not help_.story.outlook_opens()
    begun = help_.now
    one = help_.given()
    assert (one.state, one.until) == (State.GIVEN, begun + timedelta(hours=4))
    assert help_.story.outlook_opens()
    assert help_.story.entra_shows is not True, "the device is what it was"
    [assignment] = help_.world.privileged
    assert assignment.end is not None
    assert abs(assignment.end - (begun + timedelta(hours=4))) < timedelta(seconds=1)
    assert help_.works(3 * 3600).state is State.GIVEN
    assert help_.story.outlook_opens()
    help_.world.advance(3601)
    assert not help_.story.outlook_opens()
    assert help_.works(120).state is State.ENDED
    assert help_.audited() == [
        "access.asked",
        "access.first_approved",
        "access.approved",
        "access.sent",
        "access.given",
        "access.ended",
    ]


def test_nothing_is_given_by_one_alone(help_: Help) -> None:
    help_.asks()
    help_.works(60)
    help_.approves()
    help_.works(60, 3)
    assert help_.world.privileged == []
    assert not help_.story.outlook_opens()


def test_T27_nobody_approves_twice_and_nobody_their_own(help_: Help) -> None:
    help_.asks()
    for by in (help_.story.oid,):
        with pytest.raises(Stale):
            help_.approves(by)
    help_.approves("hanna")
    for by in ("hanna", help_.story.oid):
        with pytest.raises(Stale):
            help_.seconds(by)
    assert help_.audited().count("access.approved") == 0
    assert why_not(help_.one, "hanna", help_.now) == "same"
    assert why_not(help_.one, help_.story.oid, help_.now) == "own"
    help_.seconds("ida")
    assert help_.one.state is State.APPROVED, "the control"


@pytest.mark.parametrize(
    "values",
    [
        {"first_oid": "ASKER"},
        {"first_oid": "hanna", "second_oid": "hanna"},
        {"first_oid": "hanna", "second_oid": "ASKER"},
        {"state": "approved"},
        {"state": "given", "first_oid": "hanna", "second_oid": "ida"},
        {"hours": 25},
        {"hours": 0},
    ],
)
def test_T27_the_database_itself_refuses_what_two_people_did_not_approve(help_: Help, values: dict[str, Any]) -> None:
    help_.asks()
    row = {name: help_.story.oid if value == "ASKER" else value for name, value in values.items()}
    with pytest.raises(sa.exc.IntegrityError), help_.story.engine.begin() as connection:
        connection.execute(sa.update(access_requests).values(**row))
    with help_.story.engine.begin() as connection:
        connection.execute(sa.update(access_requests).values(first_oid="hanna", second_oid="ida", hours=24))


def test_T27_a_stale_approval_is_refused_and_so_is_a_replay(help_: Help) -> None:
    seen = help_.asks().version
    help_.approves(version=seen)
    with pytest.raises(Stale):
        help_.approves("ida", version=seen)
    with pytest.raises(Stale):
        help_.seconds(version=seen)
    first = help_.one.version
    help_.seconds(version=first)
    with pytest.raises(Stale):
        help_.seconds("otto", version=first)
    with pytest.raises(Conflict):
        help_.asks()
    assert len(help_.world.privileged) == 0


def test_of_two_who_approve_at_once_one_counts(help_: Help) -> None:
    help_.asks()
    help_.approves()
    done: list[str] = []
    one, now = help_.one, help_.now

    def tries(by: str) -> None:
        try:
            access.approve_second(help_.story.store, one, one.version, by=by, carry=True, now=now)
            done.append(by)
        except Stale:
            pass

    threads = [threading.Thread(target=tries, args=(f"s{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert help_.one.second_oid == done[0]


def test_a_request_of_yesterday_is_not_approved_and_can_be_made_anew(help_: Help) -> None:
    help_.asks()
    help_.world.advance(24 * 3600)
    with pytest.raises(Stale):
        help_.approves()
    help_.story.arrives()
    assert help_.asks("again").state is State.ASKED


def test_an_approval_that_comes_to_be_carried_out_too_late_gives_nothing(help_: Help) -> None:
    help_.asks()
    help_.approves()
    help_.seconds()
    assert help_.works(31 * 60).state is State.LAPSED
    assert help_.world.privileged == []


def test_T27_an_assignment_without_end_is_taken_back_at_once(help_: Help) -> None:
    help_.story.fault("graph", "no_end", times=1)
    help_.asks()
    help_.approves()
    help_.seconds()
    help_.works()
    assert help_.world.privileged[0].end is None, "the seeded fault"
    help_.works(6)
    assert help_.world.privileged == []
    one = help_.works(6)
    assert (one.state, one.reason) == (State.FAILED, "other_end")
    assert not help_.story.outlook_opens()


@pytest.mark.parametrize("hours", [-1, 0, 24.01, 48])
def test_T27_the_adapter_itself_asks_for_no_end_that_is_not_within_a_day(help_: Help, hours: float) -> None:
    with pytest.raises(Refused, match="within a day"):
        help_.microsoft.assign(help_.story.oid, start=help_.now, until=help_.now + timedelta(hours=hours), why="x")
    assert help_.world.privileged == []
    help_.microsoft.assign(help_.story.oid, start=help_.now, until=help_.now + timedelta(hours=24), why="x")
    assert len(help_.world.privileged) == 1, "the control"


@pytest.mark.parametrize("hours", [0, 25, -3])
def test_hours_that_are_none_are_refused(help_: Help, hours: int) -> None:
    help_.asks()
    with pytest.raises(ValueError, match="24 hours"):
        help_.approves(hours=hours)


@pytest.mark.parametrize("skew", [-600, 600])
def test_T27_with_clocks_that_differ_nothing_is_given(help_: Help, skew: int) -> None:
    help_.world.skew = timedelta(seconds=skew)
    help_.asks()
    help_.approves()
    help_.seconds()
    one = help_.works()
    assert (one.state, one.reason) == (State.FAILED, "clocks")
    assert help_.world.privileged == []


def test_what_somebody_else_assigned_is_neither_lengthened_nor_ended(help_: Help) -> None:
    theirs = Privileged("theirs", help_.story.oid, GROUP, help_.now, None)
    help_.world.privileged.append(theirs)
    help_.asks()
    help_.approves()
    help_.seconds()
    one = help_.works()
    assert (one.state, one.reason) == (State.FAILED, "there_already")
    help_.works(60, 3)
    assert help_.world.privileged == [theirs]


def test_it_is_ended_early_and_read_back(help_: Help) -> None:
    help_.given()
    one = help_.one
    with pytest.raises(Stale):
        access.end(help_.story.store, one, one.version, by=help_.story.oid, carry=True, now=help_.now)
    access.end(help_.story.store, one, one.version, by="hanna", carry=True, now=help_.now)
    help_.works()
    assert help_.world.privileged == []
    assert help_.works(6).state is State.ENDED
    assert not help_.story.outlook_opens()
    assert "access.end_wanted" in help_.audited()


def test_ended_before_it_was_given_it_is_never_given(help_: Help) -> None:
    help_.asks()
    help_.approves()
    help_.seconds()
    one = help_.one
    access.end(help_.story.store, one, one.version, by="ida", carry=True, now=help_.now)
    assert help_.works(0, 3).state is State.ENDED
    assert help_.works(60, 3).state is State.ENDED
    assert help_.world.privileged == []


@pytest.mark.parametrize(("breaks", "reason"), [("licence", "refused"), ("permission", "refused"), ("longest", "refused")])
def test_what_microsoft_refuses_is_said_and_nothing_is_tried_for_ever(help_: Help, breaks: str, reason: str) -> None:
    if breaks == "licence":
        help_.world.governed = False
    elif breaks == "permission":
        help_.world.apps["service"].permissions[GRAPH_APP_ID].discard(TEMPORARY_ACCESS)
        help_.world.tokens_end = help_.now  # the token of before had it
    else:
        help_.world.longest_privilege = timedelta(hours=1)
    help_.asks()
    help_.approves()
    help_.seconds()
    one = help_.works()
    assert (one.state, one.reason) == (State.FAILED, reason)
    before = len(help_.story.ledger())
    help_.works(60, 5)
    assert len(help_.story.ledger()) == before
    assert help_.asks("once more").state is State.ASKED, "and the person may ask again"


@pytest.mark.parametrize("kind", ["throttle", "down", "garbled", "server_error"])
def test_an_outage_delays_it_and_gives_it_once(help_: Help, kind: str) -> None:
    help_.asks()
    help_.approves()
    help_.seconds()
    help_.story.fault("graph", kind, path="privilegedAccess", for_seconds=60)
    help_.works(5, 10)
    one = help_.works(30, 12)
    assert one.state is State.GIVEN
    assert len(help_.world.privileged) == 1


def test_an_answer_that_is_lost_gives_it_once(help_: Help) -> None:
    help_.asks()
    help_.approves()
    help_.seconds()
    help_.story.fault("graph", "drop_answer", method="POST", path="assignmentScheduleRequests", times=1)
    help_.works()
    assert help_.works(8, 3).state is State.GIVEN
    assert len(help_.world.privileged) == 1


def test_denied_with_words_for_the_person_and_a_note_for_the_staff(help_: Help) -> None:
    one = help_.asks()
    with pytest.raises(Stale):
        access.deny(help_.story.store, one, one.version, by=help_.story.oid, answer="", note="", now=help_.now)
    access.deny(help_.story.store, one, one.version, by="hanna", answer="Please finish step 2.", note="not urgent", now=help_.now)
    assert (help_.one.state, help_.one.answer, help_.one.note) == (State.DENIED, "Please finish step 2.", "not urgent")
    with pytest.raises(Stale):
        help_.approves()
    assert help_.works(60, 2).state is State.DENIED


def test_one_person_asks_a_few_times_at_most(help_: Help) -> None:
    for number in range(2):
        one = help_.asks(f"{number}")
        access.deny(help_.story.store, one, one.version, by="hanna", answer="no", note="", now=help_.now)
    with pytest.raises(RemediationError, match="too often"):
        help_.asks()


def test_the_other_policy_stays(help_: Help) -> None:
    help_.world.other_policy_blocks = True
    help_.given()
    assert not help_.story.outlook_opens()
    assert graph.vendor_code({"error": {"code": "x"}}) == "x"


def test_the_worker_gives_it_as_its_settings_say_within_a_budget_of_its_own(help_: Help) -> None:
    url = SecretStr(str(help_.story.engine.url))
    given = settings_for(help_.story.sandbox, database_url=url, temporary_access="pim", temporary_access_group=GROUP.upper())
    budgets = wiring.build_budgets(given, help_.story.engine, clock=help_.story.world.clock)
    wire = Wire(given, budgets, WSGIAdapter(help_.story.sandbox.api), help_.story.world.clock)
    microsoft = wiring.temporary_access(given, wire)
    assert microsoft is not None
    help_.carrying = replace(help_.carrying, microsoft=microsoft)
    assert help_.given().state is State.GIVEN
    with help_.story.engine.connect() as connection:
        spent = set(connection.execute(sa.text("SELECT remote FROM budgets")).scalars())
    assert "access" in spent
    for off in ("off", "steps"):
        assert wiring.temporary_access(given.model_copy(update={"temporary_access": off}), wire) is None


# the same by an access package

PACKAGE, POLICY = "a914b616-e04e-476b-aa37-91038f0b165b", "2264bf65-76ba-417b-a27d-54d291f0cbc8"


@pytest.fixture
def packaged(help_: Help) -> Help:
    help_.world.packages[PACKAGE] = Package(PACKAGE, POLICY, GROUP)
    microsoft = AccessPackage(help_.story.remotes.graph_as("access"), PACKAGE.upper(), POLICY)
    help_.carrying = replace(help_.carrying, microsoft=microsoft)
    return help_


def test_by_a_package_outlook_opens_once_it_is_delivered_and_until_the_end(packaged: Help) -> None:
    begun = packaged.now
    packaged.asks()
    packaged.approves()
    packaged.seconds()
    packaged.works()
    assert packaged.works().state is State.APPROVED, "told, and not delivered yet"
    assert not packaged.story.outlook_opens()
    one = packaged.works(6)
    assert (one.state, one.until) == (State.GIVEN, begun + timedelta(hours=4))
    assert packaged.story.outlook_opens()
    assert packaged.story.entra_shows is not True, "the device is what it was"
    [assignment] = packaged.world.packaged
    assert (assignment.package_id, assignment.end is not None) == (PACKAGE, True)
    assert packaged.world.groups[GROUP].members == set(), "nothing is written into the group"
    packaged.world.advance(4 * 3600)
    assert not packaged.story.outlook_opens()
    assert packaged.works(61).state is State.ENDED


def test_a_package_is_taken_back_early_by_its_own_id(packaged: Help) -> None:
    one = packaged.given()
    access.end(packaged.story.store, one, one.version, by="hanna", carry=True, now=packaged.now)
    packaged.works()
    assert not packaged.story.outlook_opens()
    assert packaged.works(6).state is State.ENDED
    assert packaged.world.packaged_now() == []


@pytest.mark.parametrize("delivered", [0, 600])
def test_a_package_that_came_without_an_end_is_taken_back_at_once(packaged: Help, delivered: int) -> None:
    packaged.world.delivered_after = timedelta(seconds=delivered)
    packaged.story.fault("graph", "no_end", times=1)
    packaged.asks()
    packaged.approves()
    packaged.seconds()
    packaged.works()
    packaged.works(6)
    assert packaged.world.packaged_now() == []
    one = packaged.works(6)
    assert (one.state, one.reason) == (State.FAILED, "other_end")
    assert not packaged.story.outlook_opens()


def test_a_package_that_somebody_else_assigned_is_left_alone(packaged: Help) -> None:
    packaged.world.packaged.append(Packaged("theirs", packaged.story.oid, PACKAGE, packaged.now, None))
    assert packaged.given().reason == "there_already"
    assert [one.id for one in packaged.world.packaged_now()] == ["theirs"]


@pytest.mark.parametrize("lacks", ["licence", "permission", "package"])
def test_a_tenant_that_has_no_packages_gets_the_steps_and_nothing_is_written(packaged: Help, lacks: str) -> None:
    if lacks == "licence":
        packaged.world.governed = False
    elif lacks == "permission":
        packaged.world.apps["service"].permissions[GRAPH_APP_ID].discard(ACCESS_PACKAGES)
        packaged.world.tokens_end = packaged.now  # the token of before had it
    else:
        packaged.world.packages.clear()
    one = packaged.given()
    assert (one.state, one.reason) == (State.FAILED, "refused")
    assert (packaged.world.packaged, packaged.world.privileged, packaged.world.groups[GROUP].members) == ([], [], set())


def test_T27_an_end_that_is_not_within_a_day_is_never_asked_of_a_package(packaged: Help) -> None:
    for hours in (0, -1, 25):
        with pytest.raises(Refused):
            packaged.carrying.microsoft.assign(
                packaged.story.oid, start=packaged.now, until=packaged.now + timedelta(hours=hours), why="x"
            )
    assert packaged.world.packaged == []


def test_the_worker_takes_the_package_that_its_settings_name(packaged: Help) -> None:
    names = {"temporary_access_package": PACKAGE, "temporary_access_policy": POLICY, "temporary_access_group": GROUP}
    given = settings_for(
        packaged.story.sandbox,
        database_url=SecretStr(str(packaged.story.engine.url)),
        temporary_access="package",
        **names,
    )
    budgets = wiring.build_budgets(given, packaged.story.engine, clock=packaged.story.world.clock)
    wire = Wire(given, budgets, WSGIAdapter(packaged.story.sandbox.api), packaged.story.world.clock)
    assert isinstance(wiring.temporary_access(given, wire), AccessPackage)
    assert wiring.temporary_access(given.model_copy(update={"temporary_access_package": None}), wire) is None
