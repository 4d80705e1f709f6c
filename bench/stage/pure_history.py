"""A random history in the pure domain: its functions in the order in which the services call them, on facts that change between the
list that one tab saw and the moment at which it links. Played by `bench histories`.
"""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from bench.stage.two_sides import DEVICES, LEASE, NOON, PEOPLE, RECORDS, device_named, record_named
from remediation.domain.compliance import Decision, MdmWord, Verdict, decide
from remediation.domain.device import DeviceLink, DirectoryDevice, LinkState, ManagedDevice, Platform
from remediation.domain.evidence import Evidence, Level, ends_link, suffices, to_replace
from remediation.domain.matching import match

STEPS = 24


@dataclass
class _Facts:
    """What is true of both sides at this moment; every event changes one thing."""

    chance: random.Random
    now: datetime = NOON
    records: dict[str, ManagedDevice] = field(default_factory=lambda: {n: record_named(n) for n in RECORDS})
    devices: dict[str, DirectoryDevice] = field(default_factory=lambda: {n: device_named(n) for n in DEVICES[:1]})

    def happens(self) -> None:
        self.now += timedelta(minutes=self.chance.choice((1, 7, 60, 2000)))
        record, name = self.records[self.chance.choice(RECORDS)], self.chance.choice(DEVICES)
        device, posture = self.devices.get(name), record.posture
        kind = self.chance.choice(("wiped", "anew", "posture", "silent", "register", "delete", "disable", "hand over", "recreate"))
        if kind == "wiped":
            self._set(record, posture=replace(posture, enrolled=False))
        elif kind == "anew":
            self._set(
                record, generation=str(int(record.generation) + 1), posture=replace(posture, enrolled=True, last_seen=self.now)
            )
        elif kind == "posture":
            bad = self.chance.choice((MdmWord.COMPLIANT, MdmWord.NOT_COMPLIANT, MdmWord.UNKNOWN, MdmWord.PENDING))
            self._set(record, posture=replace(posture, word=bad, last_seen=self.now))
        elif kind == "register":
            self.devices[name] = replace(
                device_named(name), object_id=f"o-{name}-{int(self.now.timestamp())}", registered_at=self.now
            )
        elif device is not None and kind == "delete":
            del self.devices[name]
        elif device is not None and kind == "disable":
            self.devices[name] = replace(device, enabled=not device.enabled)
        elif device is not None and kind == "hand over":
            self.devices[name] = replace(device, owner_oid=self.chance.choice(PEOPLE))
        elif device is not None and kind == "recreate":
            self.devices[name] = replace(device, object_id=f"o-{name}-{int(self.now.timestamp())}")

    def _set(self, record: ManagedDevice, **changes: Any) -> None:
        self.records[record.key.record_id] = replace(record, **changes)

    def read(self, record: str) -> ManagedDevice:
        found = self.records[record]
        return replace(found, posture=replace(found.posture, read_at=self.now))


class PureHistory:
    """The domain's functions in the order in which the services call them."""

    def __init__(self, chance: random.Random, found: Counter[str], *, blind: bool) -> None:
        self.facts, self.chance, self.found, self.blind = _Facts(chance), chance, found, blind
        self.links: list[DeviceLink] = []
        self.told: dict[str, tuple[Decision, datetime]] = {}
        self.tabs: list[tuple[str, ManagedDevice, list[DirectoryDevice], datetime]] = []
        self.minimum = chance.choice((Level.FRESH, Level.POSSESSION, Level.CERTIFICATE))

    def plays(self) -> None:
        for _ in range(STEPS):
            self.chance.choice((self.facts.happens, self._proves, self._links, self._looks))()
            self._holds()

    def _proves(self) -> None:
        """A tab that sees its list now, and may link much later."""
        record = self.chance.choice(RECORDS)
        self.tabs = [*self.tabs[-1:], (record, self.facts.read(record), list(self.facts.devices.values()), self.facts.now)]

    def _links(self) -> None:
        if not self.tabs:
            return
        name, proven, listed, sent_at = self.chance.choice(self.tabs)
        fresh, oid = self.facts.read(name), self.chance.choice(PEOPLE)
        taken = {k.device_id for k in self.links if k.state is LinkState.ACTIVE and k.managed != fresh.key}
        first = match(fresh, listed, oid=oid, proof_sent_at=sent_at, taken=taken).chosen
        now = self.facts.devices.get(first.device_id) if first is not None else None
        again = match(fresh, [now], oid=oid, proof_sent_at=sent_at, taken=taken).chosen if now is not None else None
        proved = fresh.generation == proven.generation and fresh.posture.enrolled is True
        if again is None or again.owner_oid != oid or not proved:
            return
        evidence = Evidence(self.chance.choice((Level.FRESH, Level.POSSESSION, Level.BOUND)), self.facts.now, "")
        for old in [k for k in self._living() if k.managed == fresh.key]:
            if evidence.level < max(to_replace(old), self.minimum):
                return
            self._ends(old, "replaced")
        state = LinkState.ACTIVE if suffices(evidence, self.minimum) else LinkState.PENDING
        link = DeviceLink(
            id=f"k{len(self.links)}", device_id=again.device_id, object_id=again.object_id, managed=fresh.key, oid=oid,
            generation=fresh.generation, platform=Platform.IOS, evidence=evidence, state=state, made_at=self.facts.now,
        )  # fmt: skip
        self.links.append(link)

    def _looks(self) -> None:
        """At every living link, as a sweep does."""
        for link in self._living():
            managed, device = self.facts.read(link.managed.record_id), self.facts.devices.get(link.device_id)
            seen = replace(managed, generation=link.generation) if self.blind else managed
            why = "directory_device_gone" if device is None else ends_link(link, seen, device)
            if why is not None:
                self._ends(link, why)
                continue
            decision = decide(managed.posture, self.facts.now, LEASE)
            if link.state is LinkState.ACTIVE and decision.verdict is not Verdict.UNKNOWN:
                self.told[link.id] = (decision, self.facts.now)
        self._outlived()

    def _ends(self, link: DeviceLink, why: str) -> None:
        self.links[self.links.index(link)] = replace(link, state=LinkState.ENDED, ended_why=why)
        self.told[link.id] = (Decision(Verdict.NOT_COMPLIANT, (why,), None), self.facts.now)

    def _living(self) -> list[DeviceLink]:
        return [link for link in self.links if link.state is not LinkState.ENDED]

    def _outlived(self) -> None:
        for link in self._living():
            record, device = self.facts.records[link.managed.record_id], self.facts.devices.get(link.device_id)
            same = device is not None and (device.object_id, device.owner_oid) == (link.object_id, link.oid) and device.enabled
            self._demand(record.generation == link.generation and record.posture.enrolled is not False, "I2")
            self._demand(same, "I6")

    def _holds(self) -> None:
        active = [link for link in self.links if link.state is LinkState.ACTIVE]
        self._demand(len({k.device_id for k in active}) == len(active), "I1")
        self._demand(len({k.managed for k in self._living()}) == len(self._living()), "I1")
        self._demand(all(k.evidence.level >= self.minimum for k in active), "I12")
        for decision, at in self.told.values():
            if decision.verdict is Verdict.COMPLIANT:
                self._demand(decision.until is not None and at < decision.until <= at + LEASE.since_read, "I7")

    def _demand(self, holds: bool, invariant: str) -> None:
        self.found[invariant] += not holds
