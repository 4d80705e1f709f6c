"""`SqlStore` implements `ports.Store`: the reads are here. `change` holds the writes, `observations` what was seen, `due` whose
time has come, `timers` when to look again, `watching` what whole lists call for, `partner` what the compliance partner is told,
`set_up` what setting a tenant up asks, `impact` and `waves` what a policy would do to people and who was told to begin,
`second_lock` its row."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..domain.budget import Room, Woken
from ..domain.calls import FailedCall
from ..domain.compliance import Decision, Verdict
from ..domain.device import DeviceLink, DirectoryDevice, ManagedDevice, ManagedKey, Person, Platform
from ..domain.journey import Journey
from ..domain.message_test import MessageTest
from ..domain.push import Push
from ..domain.sign_in_proof import Record, SignIn
from ..domain.standing import Standing
from ..domain.turns import Turns
from ..errors import Stale
from ..ports import Actor, CertificateHandle, Change, PossessionLinkFacts, Wakeups
from ..ports.store import EVERYTHING
from . import due, message_tests, rows, timers, whole_journey
from .change import change
from .deeds import SqlDeeds
from .engine import reading, writing
from .hints import SqlHints
from .impact import SqlImpact
from .observations import Observer
from .partner import SqlPartner
from .reach import SqlMembers
from .remotes import EventTally
from .second_lock import SqlLock
from .set_up import SqlSetUp
from .tables import (
    LIVING,
    MEASURED,
    device_links,
    directory_devices,
    journeys,
    managed_devices,
    people,
    possession_links,
    pushes,
    shown_certificates,
    sign_ins,
)
from .turns import take_and_count, take_turn
from .waves import SqlWaves
from .whole_journey import of_tenant, same

# What each pass of the worker asks is made once, as in `whole_journey`: making one anew took three times as long as asking it.
_LINK = of_tenant(device_links).where(device_links.c.id == sa.bindparam("link_id"))
_PUSH = of_tenant(pushes).where(pushes.c.link_id == sa.bindparam("link_id"))
_DEVICE = of_tenant(managed_devices).where(
    managed_devices.c.connection == sa.bindparam("connection"), managed_devices.c.record_id == sa.bindparam("record_id")
)
_NEWEST_JOURNEY = (
    sa.select(journeys.c.id)
    .where(journeys.c.tenant_id == sa.bindparam("tenant_id"), journeys.c.oid == sa.bindparam("oid"))
    .where(journeys.c.expires_at > sa.bindparam("now"))
    .order_by(journeys.c.started_at.desc(), journeys.c.id)
    .limit(1)
)
_NEWEST_ON_PLATFORM = _NEWEST_JOURNEY.where(journeys.c.platform == sa.bindparam("platform"))
_NEWEST_OF_BROWSER = _NEWEST_JOURNEY.where(journeys.c.browser == sa.bindparam("browser"))
_EITHER = sa.select(device_links.c.id).where(device_links.c.tenant_id == sa.bindparam("tenant_id"))
_OF_EITHER = device_links.c.id.in_(
    # links of the record or the device. Two lists of ids: of conditions joined by *or*, SQLite reads all links there are
    sa.union(
        _EITHER.where(
            device_links.c.connection == sa.bindparam("connection"), device_links.c.record_id == sa.bindparam("record_id")
        ),
        _EITHER.where(device_links.c.device_id == sa.bindparam("device_id")),
    )
)
_BESIDE = (
    of_tenant(device_links, pushes)
    .join(pushes, same(device_links, pushes, id="link_id"))
    .where(device_links.c.id != sa.bindparam("link_id"), _OF_EITHER)
)
_LIVING_LINKS = of_tenant(device_links).where(device_links.c.state.in_(LIVING), _OF_EITHER)

MEASURED_FOR, NEWEST = timedelta(days=7), 200  # by which a person is told how long the wait takes


class SqlStore(SqlPartner, SqlMembers, SqlHints, SqlSetUp, SqlImpact, SqlWaves, SqlLock, SqlDeeds):
    def __init__(self, engine: sa.Engine, tenant_id: str, wakeups: Wakeups, *, fresh: bool = False) -> None:
        """`fresh`: the tenant asks for no better evidence, which the steps of each journey depend on."""
        self.tenant_id = tenant_id
        self._fresh = fresh
        self._engine = engine
        self._wakeups = wakeups
        self._tally = EventTally()

    def change(self, actor: Actor, why: str, *, about: tuple[str, str], at: datetime) -> AbstractContextManager[Change]:
        return change(self._engine, self.tenant_id, self._wakeups, actor, why, about=about, at=at)

    def take_turn(self, key: str, turns: Turns, *, at: datetime) -> datetime | None:
        with writing(self._engine) as connection:
            return take_turn(connection, self.tenant_id, key, turns, at)

    def take_turn_and_count(self, key: str, turns: Turns, *, at: datetime) -> tuple[datetime | None, int]:
        with writing(self._engine) as connection:
            return take_and_count(connection, self.tenant_id, key, turns, at)

    # reads

    def journey(self, journey_id: str) -> Journey | None:
        with reading(self._engine) as connection:
            return whole_journey.read(connection, self.tenant_id, journey_id, fresh=self._fresh)

    def living_journey(self, oid: str, platform: Platform, now: datetime) -> str | None:
        return self._journey_id(_NEWEST_ON_PLATFORM, oid=oid, platform=platform, now=now)

    def journey_of_browser(self, browser: str, oid: str, now: datetime) -> str | None:
        return self._journey_id(_NEWEST_OF_BROWSER, oid=oid, browser=browser, now=now)

    def possession_link(self, token_hash: str, now: datetime) -> PossessionLinkFacts | None:
        link, device = possession_links.c, managed_devices.c
        statement = (
            sa.select(
                *(link.journey_id, journeys.c.case_code, journeys.c.oid, people.c.name.label("person_name")),
                *(device.name.label("device_name"), device.model.label("device_model")),
                *(link.sent_at, link.expires_at, link.used_at, link.revoked_at, journeys.c.expires_at.label("journey_expires_at")),
            )
            .select_from(possession_links)
            .join(journeys, same(possession_links, journeys, journey_id="id"))
            .join(people, same(journeys, people, oid="oid"))
            .join(
                managed_devices,
                same(possession_links, managed_devices, connection="connection", record_id="record_id"),
            )
            .where(link.tenant_id == self.tenant_id, link.token_hash == token_hash)
        )
        with reading(self._engine) as connection:
            found = connection.execute(statement).mappings().one_or_none()
        if found is None:
            return None
        facts = dict(found)
        used_at, revoked_at, journey_expires_at = (facts.pop(c) for c in ("used_at", "revoked_at", "journey_expires_at"))
        late = "too_late" if min(facts["expires_at"], journey_expires_at) <= now else None
        refusal = "revoked" if revoked_at else "used" if used_at else late
        return PossessionLinkFacts(**facts, refusal=refusal)

    def message_test(self, connection: str) -> MessageTest | None:
        return message_tests.read(self._engine, self.tenant_id, connection=connection)

    def message_test_behind(self, token_hash: str) -> MessageTest | None:
        return message_tests.read(self._engine, self.tenant_id, token_hash=token_hash)

    def certificate_handle(self, handle_hash: str, now: datetime) -> CertificateHandle | None:
        shown, device = shown_certificates.c, managed_devices.c
        statement = (
            sa.select(
                *(shown.journey_id, journeys.c.case_code, people.c.name.label("person_name"), shown.shown_at),
                *(device.name.label("device_name"), device.model.label("device_model")),
                *(shown.expires_at, journeys.c.expires_at.label("journey_expires_at")),
            )
            .select_from(shown_certificates)
            .join(journeys, same(shown_certificates, journeys, journey_id="id"))
            .join(people, same(journeys, people, oid="oid"))
            .join(managed_devices, same(shown_certificates, managed_devices, connection="connection", record_id="record_id"))
            .where(shown.tenant_id == self.tenant_id, shown.handle_hash == handle_hash)
        )
        found = self._one(statement)
        if found is None:
            return None
        facts = dict(found)
        shown_at, journey_expires_at = facts.pop("shown_at"), facts.pop("journey_expires_at")
        late = "too_late" if min(facts["expires_at"], journey_expires_at) <= now else None
        return CertificateHandle(**facts, refusal="used" if shown_at else late)

    def link(self, link_id: str) -> DeviceLink | None:
        row = self._one(_LINK, link_id=link_id)
        return None if row is None else rows.device_link(row)

    def push(self, link_id: str) -> Push | None:
        row = self._one(_PUSH, link_id=link_id)
        return None if row is None else rows.push(row)

    def managed_device(self, key: ManagedKey) -> ManagedDevice | None:
        row = self._one(_DEVICE, **asdict(key))
        return None if row is None else rows.managed_device(row)

    def beside(self, link: DeviceLink) -> Sequence[tuple[DeviceLink, Push]]:
        found = self._every(_BESIDE, link_id=link.id, device_id=link.device_id, **asdict(link.managed))
        return [(rows.device_link(row), rows.push(row)) for row in found]

    def living_links(self, key: ManagedKey, device_id: str) -> Sequence[DeviceLink]:
        return [rows.device_link(row) for row in self._every(_LIVING_LINKS, device_id=device_id, **asdict(key))]

    # what was seen

    def observe_person(self, person: Person, standing: Standing, *, at: datetime) -> None:
        with writing(self._engine) as connection:
            Observer(connection, self.tenant_id, at).person(person, standing)

    def observe_directory(self, oid: str, devices: Sequence[DirectoryDevice], *, at: datetime) -> None:
        with writing(self._engine) as connection:
            Observer(connection, self.tenant_id, at).directory(oid, devices)

    def observe_directory_device(self, device: DirectoryDevice, *, at: datetime, owner_asked: bool = True) -> None:
        with writing(self._engine) as connection:
            Observer(connection, self.tenant_id, at).directory_device(device, owner_asked=owner_asked)

    def observe_managed(self, connection: str, oid: str, devices: Sequence[ManagedDevice], *, at: datetime) -> None:
        with writing(self._engine) as open_connection:
            Observer(open_connection, self.tenant_id, at).managed(connection, oid, devices)

    def observe_managed_device(self, device: ManagedDevice, *, at: datetime) -> None:
        with writing(self._engine) as connection:
            Observer(connection, self.tenant_id, at).managed_device(device)

    def observe_directory_missing(self, device_id: str, *, at: datetime) -> datetime:
        with writing(self._engine) as connection:
            return Observer(connection, self.tenant_id, at).missing(directory_devices, device_id=device_id)

    def observe_managed_missing(self, key: ManagedKey, *, at: datetime) -> datetime:
        with writing(self._engine) as connection:
            return Observer(connection, self.tenant_id, at).missing(managed_devices, **asdict(key))

    # timers

    def note_look(
        self,
        journey_id: str,
        *,
        wake: int,
        at: datetime,
        next_at: datetime | None,
        attempts: int,
        directory_error: str | None,
        mdm_error: str | None,
        owner_problem: str | None,
        refreshed: bool,
        found_some: bool = False,
        relay: timedelta | None = None,
        locked: bool = False,
        failed_calls: Sequence[FailedCall] = (),
    ) -> None:
        with writing(self._engine) as connection:
            timer = timers.LookTimer(connection, self.tenant_id, journey_id)
            timer.seen(at, directory=directory_error is None, mdm=mdm_error is None or found_some, refreshed=refreshed)
            found: dict[str, str | int | None] = {"directory_error": directory_error, "mdm_error": mdm_error}
            found |= {"owner_problem": owner_problem, "relay_seconds": int(relay.total_seconds()) if relay is not None else None}
            found |= {"locked": locked}
            timer.park_failed(wake, rows.of_failed_calls(failed_calls))
            timer.park(wake, at=at, next_at=next_at, attempts=attempts, refreshed=refreshed, found=found)

    def waits(self, platform: Platform, now: datetime) -> Sequence[timedelta]:
        push, link = pushes.c, device_links.c
        newest = (
            sa.select(push.desired_at, push.confirmed_at)
            .join_from(pushes, device_links, same(pushes, device_links, link_id="id"))
            .where(push.tenant_id == self.tenant_id, sa.text(f"pushes.{MEASURED}"), push.confirmed_at > now - MEASURED_FOR)
            .where(push.desired == Verdict.COMPLIANT, push.confirmed_seq == push.desired_seq, link.platform == platform)
            .order_by(push.confirmed_at.desc())
            .limit(NEWEST)
        )
        with reading(self._engine) as connection:
            found = connection.execute(newest).all()
        return [confirmed_at - desired_at for desired_at, confirmed_at in found if desired_at is not None]

    def note_shown(self, journey_id: str, before: str | None, shown: str, *, at: datetime) -> None:
        with writing(self._engine) as connection:
            timers.note_shown(connection, self.tenant_id, journey_id, before, shown, at=at)

    def note_sign_in(self, sign_in: SignIn) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(sign_ins)
                .where(sign_ins.c.tenant_id == self.tenant_id, sign_ins.c.id == sign_in.id)
                .where(sign_ins.c.record == Record.WAITING, sign_ins.c.record_looks < sign_in.record_looks)
                .values(record_looks=sign_in.record_looks)
            )

    def note_push(
        self,
        link_id: str,
        *,
        wake: int,
        seq: int,
        next_at: datetime | None,
        attempts: int,
        reason: str | None,
        following: bool = False,
        observed: bool | None = None,
        observed_at: datetime | None = None,
        decision: Decision | None = None,
        posture_read_at: datetime | None = None,
        failed_calls: Sequence[FailedCall] = (),
        looked: bool = True,
    ) -> None:
        with writing(self._engine) as connection:
            timer = timers.PushTimer(connection, self.tenant_id, link_id)
            if observed_at is not None:
                timer.seen(observed, observed_at)
            timer.park_failed(wake, rows.of_failed_calls(failed_calls))
            timer.park(wake, seq, next_at=next_at, attempts=attempts, reason=reason, following=following, looked=looked)
            if decision is not None and posture_read_at is not None:
                timer.renew(decision, posture_read_at, seq=seq)  # by a pass that was overtaken, too: it did read that all is well

    def note_fault(self, workflow: str, row_id: str, *, wake: int, at: datetime) -> None:
        with writing(self._engine) as connection:
            timers.note_fault(connection, self.tenant_id, workflow, row_id, wake=wake, at=at)

    def note_overtaken(self, link_id: str, *, wake: int, next_at: datetime, attempts: int) -> None:
        with writing(self._engine) as connection:
            timers.PushTimer(connection, self.tenant_id, link_id).overtaken(wake, next_at=next_at, attempts=attempts)

    def note_judged(self, link_id: str, *, seq: int, decision: Decision, posture_read_at: datetime) -> None:
        with writing(self._engine) as connection:
            if not timers.PushTimer(connection, self.tenant_id, link_id).renew(decision, posture_read_at, seq=seq):
                raise Stale("note_judged: no such row in this state")

    def wake_due(self, now: datetime, *, limit: int = 100, room: Room = EVERYTHING) -> Woken:
        with reading(self._engine) as connection:
            found = due.find_due(connection, self.tenant_id, now, limit=limit, room=room)
        if not found:  # as twice a second, where nothing is: no writer waits for it
            return Woken()
        with writing(self._engine) as connection:
            return due.wake(connection, self.tenant_id, self._wakeups, now, found)

    # queries, all within the tenant

    def _journey_id(self, statement: sa.Select[Any], **values: object) -> str | None:
        row = self._one(statement, **values)
        return None if row is None else row["id"]

    def _one(self, statement: sa.Select[Any], **values: object) -> sa.RowMapping | None:
        with reading(self._engine) as connection:
            return connection.execute(statement, {"tenant_id": self.tenant_id, **values}).mappings().one_or_none()

    def _every(self, statement: sa.Select[Any], **values: object) -> Sequence[sa.RowMapping]:
        with reading(self._engine) as connection:
            return connection.execute(statement, {"tenant_id": self.tenant_id, **values}).mappings().all()
