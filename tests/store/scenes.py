"""What the store's tests begin from, and how they look into the database behind the store's back."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from remediation.domain.compliance import Decision, Verdict
from remediation.domain.device import DeviceLink, DirectoryDevice, ManagedDevice, ManagedKey, Person
from remediation.domain.journey import Journey
from remediation.domain.push import Lane, Push
from remediation.domain.standing import Standing
from remediation.errors import RemediationError
from remediation.ports import Actor, Change, Store
from remediation.store.tables import audit, observations
from tests.people import LINK, MANAGED_PHONE, MIA, NOON, REGISTERED_PHONE, minutes
from tests.proven import messages_arrive

TENANT = "contoso"
BROWSER = "safari"
WORKER = Actor("worker", "worker-1")
GOOD = Decision(Verdict.COMPLIANT, (), NOON + timedelta(hours=72))
FINE = Standing(account_enabled=True, guest=False, licensed=True, in_scope=None, read_at=NOON)
BAD = Decision(Verdict.NOT_COMPLIANT, ("rules_fail",), None)


class Scene:
    def __init__(self, engine: sa.Engine, store: Store) -> None:
        self.engine = engine
        self.store = store

    def change(self, why: str = "test", *, at: datetime = NOON) -> AbstractContextManager[Change]:
        return self.store.change(WORKER, why, about=("journey", "j1"), at=at)

    def arrive(self, journey_id: str = "j1", person: Person = MIA, *, browser: str = BROWSER) -> None:
        with self.change("journey.started") as change:
            change.save_person(person)
            change.start_journey(
                journey_id=journey_id,
                case_code=f"case-{journey_id}",
                oid=person.oid,
                platform=MANAGED_PHONE.platform,
                browser=browser,
                entrance="remediation",
                expires_at=NOON + timedelta(hours=24),
            )
        if journey_id == "j1":
            messages_arrive(self.engine, self.store.tenant_id)
            self.see_managed(MANAGED_PHONE)
            self.see_directory(REGISTERED_PHONE)

    def see_managed(self, *devices: ManagedDevice, oid: str = "mia", at: datetime = NOON) -> None:
        self.store.observe_managed("ws1", oid, devices, at=at)

    def see_directory(self, *devices: DirectoryDevice, oid: str = "mia", at: datetime = NOON) -> None:
        self.store.observe_directory(oid, devices, at=at)

    def link(self, link: DeviceLink = LINK) -> DeviceLink:
        with self.change("link.made") as change:
            change.make_link(link)
        return link

    def desire(self, decision: Decision, *, read_at: datetime = NOON, lane: Lane = Lane.PERSON) -> Push:
        with self.change("verdict") as change:
            change.desire("l1", seq=self.push().desired_seq, decision=decision, posture_read_at=read_at, lane=lane)
        return self.push()

    def mint(self, token_hash: str, *, sent: bool = True) -> str:
        with self.change("possession.minted") as change:
            link_id = change.mint_possession_link("j1", token_hash=token_hash, expires_at=NOON + minutes(10))
        if sent:
            with self.change("possession.sent") as change:
                change.possession_link_sent(link_id)
        return link_id

    def ask_for_proof(self, key: ManagedKey = MANAGED_PHONE.key) -> None:
        with self.change("possession.wanted") as change:
            change.want_possession("j1", key)

    def journey(self, journey_id: str = "j1") -> Journey:
        journey = self.store.journey(journey_id)
        assert journey is not None
        return journey

    def push(self, link_id: str = "l1") -> Push:
        push = self.store.push(link_id)
        assert push is not None
        return push

    # behind the store's back

    def rows(self, statement: sa.Executable) -> list[Any]:
        with self.engine.begin() as connection:
            return list(connection.execute(statement).all())

    def audited(self) -> list[str]:
        return [row.why for row in self.rows(sa.select(audit.c.why).order_by(audit.c.id))]

    def observed(self) -> list[tuple[Any, ...]]:
        seen = observations.c
        return [tuple(r) for r in self.rows(sa.select(seen.subject_kind, seen.what, seen.old, seen.new).order_by(seen.id))]

    def wake_ups(self) -> list[tuple[str, str, str]]:
        """Workflow, id and queue of all that were ever enqueued, in order of their ids."""
        schema = "dbos." if self.engine.dialect.name == "postgresql" else ""
        rows = self.rows(sa.text(f"SELECT name, workflow_uuid, queue_name FROM {schema}workflow_status"))  # noqa: S608
        return sorted((r[0], r[1], r[2]) for r in rows)


def managed_phone(record_id: str, **changes: Any) -> ManagedDevice:
    return replace(MANAGED_PHONE, key=ManagedKey("ws1", record_id), **changes)


def directory_phone(device_id: str, **changes: Any) -> DirectoryDevice:
    return replace(REGISTERED_PHONE, device_id=device_id, object_id=f"object-{device_id}", **changes)


def all_at_once(calls: Sequence[Callable[[], object]]) -> Counter[str]:
    """Start every call at the same moment; counts how each ended, by the error's name or `done`."""
    start = threading.Barrier(len(calls))

    def one(call: Callable[[], object]) -> str:
        start.wait()
        try:
            call()
        except RemediationError as error:
            return str(getattr(error, "why", error.code))
        return "done"

    with ThreadPoolExecutor(len(calls)) as threads:
        return Counter(threads.map(one, calls))
