"""A random history of one managed phone whose link is replaced again and again while it is carried to Microsoft: real services,
adapters and store against the stand-in. Workers pass over old and new links in any order, die between any two changes, and cannot
always read what Entra shows. Played by `bench histories`.

Judged by the stand-in's own books, after every pass and whenever time went by: of all directory devices that were ever linked with
this phone, Entra shows at most one compliant. *Down before up.*
"""

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

from bench.stage.company import Company
from bench.stage.fill import fill, link_of
from bench.stage.in_process import Unheard, world_of
from remediation.domain.device import DeviceLink, LinkState, ManagedKey
from remediation.domain.evidence import Evidence, Level
from remediation.domain.push import Push
from remediation.errors import Conflict, Stale
from remediation.ports import Actor
from remediation.services.push_compliance import bring_to_rest
from remediation.store.store import SqlStore
from sandbox import crowd
from sandbox.faults import Fault

STEPS, WORKER = 24, Actor("worker", "bench")
CALM = (5, 20, 60, 60, 600, 20, 60, 60)
LAGS = (0, 4, 4, 60)  # until Entra shows what it was told


class KilledError(BaseException):
    """No handler of the product's catches it, as none catches a kill."""


class Mortal(SqlStore):
    """Its worker dies before the change after so many more."""

    dies_after: int | None = None

    def change(self, *given: Any, **more: Any) -> Any:
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after < 0:
                self.dies_after = None
                raise KilledError
        return super().change(*given, **more)


class UpFirst(Mortal):
    """Whoever carries a link sees no other beside it, and so waits for none."""

    def beside(self, link: DeviceLink) -> Sequence[tuple[DeviceLink, Push]]:
        return ()


class CarriedHistory:
    """`found` counts `down_before_up` where the rule is broken, and `never_up` where a phone that is well gets nowhere in the end:
    whoever never tells anything breaks no rule."""

    def __init__(self, chance: random.Random, found: Counter[str], company: Company, *, broken: bool) -> None:
        self.chance, self.found, self.company, self.world = chance, found, company, company.world
        [self.member] = crowd.gather(self.world, 1)
        fill(company.engine, self.world, [self.member])
        self.store = (UpFirst if broken else Mortal)(company.engine, self.world.tenant_id, Unheard())
        self.services = replace(world_of(company, self.store), executor="bench")
        self.links, self.devices = [link_of(self.member)], [self.member.device]
        self.key = ManagedKey("ws1", str(self.member.record.id))

    def plays(self) -> None:
        does = (self._replaced, *[self._pass] * 5, self._later, self._later, self._reports, self._unread)
        for _ in range(STEPS):
            self.chance.choice(does)()
            self._holds()
        self._comes_to_rest()

    def _replaced(self) -> None:
        """By an entry that was registered just now, or by one that was linked before and is still there."""
        living = [link for link in map(self.store.link, self.links) if link is not None and link.state is LinkState.ACTIVE]
        idle = [device for device in self.devices if all(link.device_id != device.device_id for link in living)]
        device = self.chance.choice(idle) if idle and self.chance.random() < 0.3 else self._registered()
        managed = self.services.managers["ws1"].device(self.key.record_id)
        now, old = self.services.clock(), living[0]
        evidence, minimum = Evidence(Level.BOUND, now, "made for a bench"), self.services.minimum
        link = replace(old, id=str(uuid4()), evidence=evidence, made_at=now, minimum=minimum, generation=managed.generation)
        link = replace(link, device_id=device.device_id, object_id=device.object_id)
        with suppress(Conflict, Stale), self.store.change(WORKER, "link.replaced", about=("link", link.id), at=now) as change:
            change.end_link(old.id, "replaced")
            change.make_link(link)
            self.links.append(link.id)

    def _registered(self) -> Any:
        phone = self.member.phone
        phone.former_device_id, phone.device_id = phone.device_id, None
        device = self.world.register(phone)
        self.devices.append(device)
        self.world.advance(self.world.lags.registration_lag)
        self.store.observe_directory_device(self.services.directory.device(device.device_id), at=self.services.clock())
        return device

    def _pass(self, *, mortal: bool = True) -> None:
        """Over one of the last links, in whatever order workers come; now and then the worker dies of it."""
        self.store.dies_after = self.chance.randrange(6) if mortal and self.chance.random() < 0.25 else None
        with suppress(KilledError):
            bring_to_rest(self.chance.choice(self.links[-3:]), world=self.services)
        self.store.dies_after = None

    def _later(self) -> None:
        self.world.lags.compliance_lag = self.chance.choice(LAGS)
        self.world.advance(self.chance.choice((1, 3, 10, 40, 3700)))

    def _reports(self) -> None:
        """Mostly well: a phone that is not goes up nowhere."""
        crowd.report(self.world, [self.member], passcode=self.chance.random() < 0.8)

    def _unread(self) -> None:
        """What Entra shows of one of them cannot be read for a while."""
        path = self.chance.choice(self.devices[-2:]).device_id
        self.company.sandbox.faults.add(Fault("graph", "down", path=path, for_seconds=self.chance.choice((5, 30, 120))))

    def _comes_to_rest(self) -> None:
        self.company.sandbox.faults.clear()
        crowd.report(self.world, [self.member], passcode=True)
        for seconds in CALM:
            for link in self.links:
                bring_to_rest(link, world=self.services)
                self._holds()
            self.world.advance(seconds)
            self._holds()
        last = self.store.link(self.links[-1])
        self.found["never_up"] += last is None or self._up() != [last.device_id]

    def _up(self) -> list[str]:
        with self.world.settled():
            return [device.device_id for device in self.devices if device.is_compliant is True]

    def _holds(self) -> None:
        self.found["down_before_up"] += len(self._up()) > 1
