"""One person's story told through the services: the real store, the real adapters, the sandbox in process, and its clock.

There is no engine here: `tick` calls the services for each row that was woken or whose time has come, as engine and pulse
would. `everything=True` calls them for all rows: they are safe from the top, so that must change nothing.
"""

import json
import re
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from remediation.domain.compliance import Lease
from remediation.domain.device import DeviceLink, LinkState, Platform
from remediation.domain.evidence import Level
from remediation.domain.journey import Journey
from remediation.domain.push import Push
from remediation.domain.sign_in_proof import SignIn
from remediation.domain.steps import Step, next_step
from remediation.domain.watch import Pace, watch_names
from remediation.ports import Messaging
from remediation.services import ask, prove_possession
from remediation.services.look import look
from remediation.services.push_compliance import bring_to_rest
from remediation.services.reconcile import watch
from remediation.services.sign_in_again import signed_in_again
from remediation.services.start_journey import start_journey
from remediation.services.world import World
from remediation.store import tables
from remediation.store.store import SqlStore
from remediation.store.wakeups import DbosWakeups
from sandbox.enrollment import enroll
from sandbox.faults import Fault
from sandbox.policy import open_outlook
from sandbox.server import Sandbox, SandboxConfig, create_sandbox
from tests.engines import make_engine
from tests.entra_browser import second_sign_in
from tests.proven import messages_arrive
from tests.remotes import Remotes

ORIGIN = "http://localhost:8000"
BROWSER = "b" * 32


class Story:
    """Mia and her iPhone, from a named scenario on; `url` names a migrated database."""

    def __init__(self, url: str, ca_folder: Path, scenario: str, *, minimum: Level = Level.POSSESSION, **remotes: Any) -> None:
        self.sandbox: Sandbox = create_sandbox(SandboxConfig(ca_folder=ca_folder, scenario=scenario, product_origin=ORIGIN))
        self.remotes = Remotes(self.sandbox, **remotes)
        self.url, self.engine = url, make_engine(url)
        now = self.sandbox.world.now
        asked = {"fresh": minimum is Level.FRESH}
        self.store = SqlStore(self.engine, self.remotes.facts["tenant_id"], DbosWakeups(self.engine), **asked)
        self.world = World(
            store=self.store,
            directory=self.remotes.directory,
            managers={self.remotes.mdm.connection: self.remotes.mdm},
            channels=[self.remotes.channel],
            clock=now,
            minimum=minimum,
            lease=Lease(),
            recheck=timedelta(seconds=30),
            executor="worker-1",
            possession_url=lambda token: f"{ORIGIN}/possession/{token}",
            message_text=lambda url, case: f"Tap to confirm {url} (case {case})",
            sign_in_log=self.remotes.sign_in_log,
            roster=self.remotes.roster,
        )
        connection = self.remotes.mdm.connection
        if isinstance(self.remotes.mdm, Messaging):
            messages_arrive(self.engine, self.store.tenant_id, connection)
        self.journey_id = ""
        self._attended: dict[str, int] = {}

    def with_world(self, **changes: Any) -> None:
        self.world = replace(self.world, **changes)

    # what the person does

    def arrives(self, name: str = "Mia", platform: Platform = Platform.IOS) -> None:
        person = self.remotes.person(name)
        self.journey_id = start_journey(
            self.store, person, browser=BROWSER, entrance="enrollment", platform=platform, now=self.world.clock()
        )
        self.tick()

    def says_this_is_mine(self, record: int | str | None = None) -> None:
        """The only device offered, or the one of this record."""
        device = next(d for d in self.journey.managed if record is None or d.key.record_id == str(record))
        ask.in_my_hand(self.store, self.journey_id, device.key, oid=self.oid, now=self.world.clock())
        self.tick()

    def taps_the_message(self) -> None:
        prove_possession.prove(self.store, self.token, oid=self.oid, browser=BROWSER, now=self.world.clock())
        self.tick()

    def signs_in_again(self, *, on_the_phone: bool = True, wants_claim: bool = True) -> SignIn:
        """Through Entra's own pages and token endpoint in the sandbox; what its token says is read without the checks, which are
        the web's (`tests/web/test_sign_in_again.py`)."""
        pair, began_at = self.journey.sign_in_asked, self.world.clock()
        assert pair is not None
        correlation_id = str(uuid4())
        token = second_sign_in(self.sandbox, self.oid, correlation_id, on_the_phone=on_the_phone, wants_claim=wants_claim)
        claims = json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))
        app_id = self.sandbox.world.apps["sign-in"].client_id
        now, claimed = self.world.clock(), claims.get("deviceid")
        sign_in = SignIn(str(uuid4()), pair, app_id, correlation_id, began_at, now, claimed)
        who = {"oid": self.oid, "browser": BROWSER}
        signed_in_again(self.store, self.journey_id, sign_in, **who, now=self.world.clock())
        self.tick()
        return sign_in

    def registers(self) -> None:
        with self.sandbox.world.lock:
            self.sandbox.world.register(self.remotes.phone)

    def registers_again(self) -> None:
        with self.sandbox.world.lock:
            self.sandbox.world.unregister(self.remotes.phone)
            self.sandbox.world.register(self.remotes.phone)

    def loses_its_registration_and_registers(self) -> None:
        """As after a restore from a backup: the entry before stays behind, alive."""
        phone = self.remotes.phone
        with self.sandbox.world.lock:
            phone.former_device_id, phone.device_id = phone.device_id, None
            self.sandbox.world.register(phone)

    def enrolls(self) -> None:
        with self.sandbox.world.lock:
            enroll(self.sandbox.world, self.remotes.phone)

    def picks(self, device_id: str | None) -> None:
        ask.pick(self.store, self.journey_id, device_id or "", oid=self.oid, now=self.world.clock())
        self.tick()

    def checks_again(self) -> None:
        ask.check_again(self.store, self.journey_id, oid=self.oid, now=self.world.clock())
        self.tick()

    def says_still_blocked(self) -> None:
        ask.still_blocked(self.store, self.journey_id, oid=self.oid, now=self.world.clock())
        self.tick()

    def gets_to(self, step: Step, *, within: float = 120) -> None:
        """Time passes until the page shows this step."""
        begun = self.world.clock()
        while self.world.clock() - begun < timedelta(seconds=within):
            if self.step is step:
                return
            self.tick(max(5, (self.world.clock() - begun).total_seconds() / 20))
        raise AssertionError(f"after {within} s the page shows {self.step}, not {step}")

    def gets_through(self) -> None:
        self.arrives()
        self.says_this_is_mine()
        self.taps_the_message()
        self.gets_to(Step.OPEN)

    # what the world does

    def fault(self, service: str, kind: str, **more: Any) -> None:
        self.sandbox.faults.add(Fault(service, kind, **more))

    def reports_health(self, **health: bool) -> None:
        """The phone changes, and checks in with its MDM."""
        with self.sandbox.world.lock:
            for name, value in health.items():
                setattr(self.remotes.phone.health, name, value)
            self.sandbox.world.check_in(self.remotes.record.id)

    def goes_down_and_comes_up_again(self) -> None:
        """The passcode goes and comes back, and Microsoft is told both times."""
        for well in (False, True):
            self.reports_health(passcode=well)
            self.passes(120)
            assert (self.entra_shows, self.outlook_opens()) == (well, well)

    def is_watched(self, **pace: timedelta | int) -> None:
        """From now on lists alone notice what changes: no link is looked at for its own time."""
        self.with_world(recheck=timedelta(days=7), pace=Pace(**pace))  # type: ignore[arg-type]
        self.tick(60, everything=True)
        self.store.keep_watches(watch_names(self.world.managers), at=self.world.clock())

    def passes(self, seconds: float, *, every: float = 5) -> None:
        for _ in range(int(seconds / every)):
            self.tick(every)

    # what the worker does

    def tick(self, seconds: float = 0, *, everything: bool = False) -> None:
        self.sandbox.world.advance(seconds)
        for journey in self._due("journeys", "id", everything=everything):
            look(journey, world=self.world)
        for name in self._due("watches", "name", everything=everything):
            watch(name, world=self.world)
        for link in self._due("pushes", "link_id", everything=everything):
            bring_to_rest(link, world=self.world)

    def _due(self, table: str, column: str, *, everything: bool) -> list[str]:
        due = []
        with self.engine.connect() as connection:
            rows = connection.execute(sa.select(tables.metadata.tables[table])).mappings().all()
        for row in rows:
            key, next_at = str(row[column]), row["next_look_at"]
            woken = self._attended.get(key) != row["wake"]
            if everything or woken or (next_at is not None and next_at <= self.world.clock()):
                self._attended[key] = row["wake"]
                due.append(key)
        return due

    def _ids(self, table: str, column: str) -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(f"SELECT {column} FROM {table} ORDER BY 1")).scalars())  # noqa: S608

    # what there is to see

    @property
    def oid(self) -> str:
        return self.journey.person.oid

    @property
    def journey(self) -> Journey:
        journey = self.store.journey(self.journey_id)
        assert journey is not None
        return journey

    @property
    def step(self) -> Step:
        return next_step(self.journey, self.world.clock())

    @property
    def push(self) -> Push:
        (link_id,) = self._ids("pushes", "link_id")
        push = self.store.push(link_id)
        assert push is not None
        return push

    @property
    def token(self) -> str:
        """Out of the newest message on the phone."""
        found = re.findall(r"/possession/([\w-]+)", self.remotes.phone.messages[-1].body)
        assert found, "no possession link on the phone"
        return str(found[-1])

    @property
    def entra_shows(self) -> bool | None:
        """What the sandbox's directory shows of Mia's phone."""
        with self.sandbox.world.settled() as world:
            return next(d.is_compliant for d in world.devices.values() if d.object_id == self._phone_object)

    @property
    def _phone_object(self) -> str:
        device_id = self.remotes.phone.device_id
        return next(d.object_id for d in self.sandbox.world.devices.values() if d.device_id == device_id and not d.deleted)

    def outlook_opens(self) -> bool:
        with self.sandbox.world.settled() as world:
            return open_outlook(world, self.remotes.phone).opens

    def links(self) -> list[DeviceLink]:
        found = (self.store.link(link_id) for link_id in self._ids("pushes", "link_id"))
        return [link for link in found if link is not None]

    def link_states(self) -> list[LinkState]:
        return [link.state for link in self.links()]

    def ledger(self) -> list[dict[str, Any]]:
        return [entry.as_json() for entry in self.sandbox.ledger.since()]

    def uploads(self) -> list[Any]:
        return list(self.sandbox.world.uploads.values())

    def audit(self) -> list[str]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text("SELECT why FROM audit ORDER BY id")).scalars())
