"""Fleet: devices of a person, one record with its posture, all records in pages, refetch. It has no message to a device, and a note
of the link would take an account that may also wipe: neither is here, so that links rest on other evidence than possession.

Calls and fields from fleetdm/fleet `docs/REST API/rest-api.md`; each call names its source. Next door: `fleet_posture` (its words),
`fleet_hosts` (its lists), `fleet_sign_in` (how it lets us in), `http` (manners).
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime

from ..domain.bar import Facts
from ..domain.compliance import Posture
from ..domain.device import ManagedDevice, ManagedKey, Person
from ..errors import Garbled, NotFound
from ..ports import Clock, Owned, Page
from .fields import fold, same
from .fleet_hosts import SIGNED_IN, Hosts, place
from .fleet_posture import Meaning, enrolled, facts, model, moment, of_row, os_version, platform, posture, reported_since
from .http import Fields, Remote


class Fleet:
    """`ports.DeviceManager`, `Listing` and `Refreshing`. `sources` are those that say whose a host is; `advice` maps a policy's
    name to an advice id, in the place of the policy's own words; `hold` judges each record by the organisation's own bar."""

    def __init__(
        self,
        connection: str,
        remote: Remote,
        *,
        now: Clock,
        advice: Mapping[str, str] | None = None,
        meaning: Meaning | None = None,
        sources: Collection[str] = (SIGNED_IN,),
        chosen: bool = False,
        shared_users: Collection[str] = ("staging",),
        page_size: int = 100,
        hold: Callable[[ManagedDevice, Facts], ManagedDevice] = lambda device, _: device,
    ) -> None:
        """`chosen`: the tenant chose the attribute by which people are known; it is compared with the mail address."""
        self.connection = connection
        self._remote = remote
        self._hosts = Hosts(remote, page_size=page_size, sources=sources)
        self._now = now
        self._advice = {name.casefold(): advice_id for name, advice_id in (advice or {}).items()}
        self._meaning = meaning or Meaning()
        self._chosen = chosen
        self._shared = {fold(name) for name in shared_users}
        self._hold = hold

    # reading

    def devices_of(self, person: Person) -> Owned:
        """The search finds parts of words and of names: each host is read, and its people are compared whole. One that is also
        somebody else's is nobody's own; hosts by two names that are this person's may be two people's."""
        begun, words = self._now(), self._words(person)
        rows = {row.need_number("id"): row for word in words for row in self._hosts.found(word)}
        own: list[ManagedDevice] = []
        users: set[str] = set()
        shared = False
        for number, row in sorted(rows.items()):
            listed = self._hosts.holders(row)
            if enrolled(row) is False or (listed and not _theirs(listed, words)):
                continue
            try:
                device, holders = self._read(number, begun)
            except NotFound:
                continue  # deleted between the list and the look
            theirs = _theirs(holders, words)
            if not theirs or device.posture.enrolled is False:
                continue
            if len(theirs) < len(holders) or any(self._is_shared(holder) for holder in holders):
                shared = True
                continue
            users.add(next(fold(word) for word in words if any(same(word, holder) for holder in theirs)))
            own.append(device)
        if len(users) > 1:
            return Owned((), "ambiguous_owner")
        return Owned(tuple(own), "shared_user" if shared and not own else None)

    def device(self, record_id: str) -> ManagedDevice:
        begun = self._now()
        return self._read(self._remote.number(record_id), begun)[0]

    def page(self, cursor: str | None, *, since: datetime | None) -> Page[ManagedDevice]:
        """All hosts in the order of their numbers. There is no filter by time, so that *since* is asked of each row here. `cursor`
        is `page.hosts so far.last number`; at the end Fleet's own count must agree."""
        begun = self._now()
        number, had, last = place(cursor)
        rows = self._hosts.page(number, {"populate_policies": "true", "device_mapping": "true"})
        found: dict[str, ManagedDevice | None] = {}
        for row in rows:
            record_id = row.need_number("id")
            if record_id < last or (record_id == last and str(record_id) not in found):
                raise self._hosts.garbled("a list out of its order, or a page that repeats")
            last, twice = record_id, str(record_id) in found
            try:
                if twice or since is None or reported_since(row, since):
                    found[str(record_id)] = None if twice else self._of_row(row, begun)
            except Garbled:
                found[str(record_id)] = None
        had += len(rows)
        if self._hosts.is_last(rows) and self._hosts.count() > had:
            raise self._hosts.garbled("a list that ends before its end")
        following = None if self._hosts.is_last(rows) else f"{number + 1}.{had}.{last}"
        read = tuple(device for device in found.values() if device is not None)
        return Page(read, following, tuple(one for one, device in found.items() if device is None))

    def _words(self, person: Person) -> list[str]:
        given = (person.match,) if self._chosen else (person.mail, person.user_name)
        return list({fold(word): word for word in given if word and word.strip()}.values())

    def _is_shared(self, holder: str) -> bool:
        """A staging account by its address, or by what stands before the `@`."""
        return bool({fold(holder), fold(holder.partition("@")[0])} & self._shared)

    def _read(self, number: int, begun: datetime) -> tuple[ManagedDevice, tuple[str, ...]]:
        host = self._hosts.one(number)
        holders = self._hosts.holders_of(number)
        return self._managed(host, holders, posture(host, self._meaning, begun)), holders

    def _of_row(self, row: Fields, begun: datetime) -> ManagedDevice:
        return self._managed(row, self._hosts.holders(row), of_row(posture(row, self._meaning, begun)))

    def _managed(self, host: Fields, holders: tuple[str, ...], said: Posture) -> ManagedDevice:
        """Held to the organisation's own bar, whichever way it was read."""
        holder = holders[0] if len(holders) == 1 else None
        device = ManagedDevice(
            key=ManagedKey(self.connection, str(host.need_number("id"))),
            generation=_generation(host, holders),
            name=host.text("display_name") or host.text("hostname") or "",
            platform=platform(host),
            model=model(host),
            os_version=os_version(host),
            serial=host.text("hardware_serial") or None,
            owner_user_name=holder,
            owner_mail=holder,
            posture=self._advised(said),
            enrolled_at=moment(host, "last_enrolled_at"),
            udid=host.text("uuid") or None,
        )
        return self._hold(device, facts(host))

    def _advised(self, said: Posture) -> Posture:
        """The administrator's choice among our own pieces of advice goes before the policy's own words."""
        rules = (
            replace(rule, advice=chosen, says=()) if (chosen := self._advice.get(rule.name.casefold())) else rule
            for rule in said.failing
        )
        return replace(said, failing=tuple(rules))

    # doing

    def refresh(self, record_id: str) -> None:
        # docs/REST API/rest-api.md: POST /api/v1/fleet/hosts/:id/refetch
        self._remote.call("POST", self._remote.path("hosts/{}/refetch", self._remote.number(record_id)))


def _theirs(holders: Collection[str], words: Collection[str]) -> list[str]:
    return [holder for holder in holders if any(same(holder, word) for word in words)]


def _generation(host: Fields, holders: Collection[str]) -> str:
    """Changes when the device is wiped, enrolled anew, handed to another person or shared with one. A computer's `last_enrolled_at`
    is when its agent enrolled, a phone's when its MDM did (server/datastore/mysql/apple_mdm.go updateMDMAppleHostDB): an agent that
    is installed anew ends the link as well. What it is made of must be there: half of it would look like a new one."""
    at = moment(host, "last_enrolled_at")
    hardware = (host.text("uuid") or "").replace("-", "").lower() or host.text("hardware_serial") or ""
    if at is None or not hardware:
        raise host.garbled("last_enrolled_at" if at is None else "uuid")
    made_of = "\n".join((at.isoformat(), hardware, str(host.need_number("id")), *(fold(holder) for holder in holders)))
    return hashlib.sha256(made_of.encode()).hexdigest()[:32]
