"""IBM MaaS360: devices of a person, one record with its posture, all records in pages, refresh, message, note of the link.

Calls and fields as public clients have them; each call names its source. Next door: `maas360_reading` (how answers are read),
`maas360_posture` (its words), `maas360_sign_in` (how it lets us in), `http` (manners).
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..domain.bar import Facts
from ..domain.compliance import Posture, Rule
from ..domain.device import ManagedDevice, ManagedKey, Person
from ..errors import Garbled, NotFound, Refused
from ..ports import Clock, LookupValue, MdmGroup, Owned, Page
from .fields import fold
from .http import LARGEST_PAGE, Fields, Remote
from .maas360_groups import WILDCARDS, groups
from .maas360_posture import (
    STATES,
    State,
    enrolled,
    facts,
    failing_attributes,
    failing_states,
    is_shared,
    not_encrypted,
    platform,
    posture,
)
from .maas360_reading import DEVICES, Reading, epoch, listed, need_text, need_whole, said_done, some, text
from .maas360_search import OwnerAttribute, Search, place

MOST_EVENT_PAGES = 4  # of 250: they are the whole company's, and only tell why


@dataclass(frozen=True)
class Unconfirmed:
    """What no public source confirms: each is a setting. `parameters` are the three names of `setCustomAttributeValue`."""

    attribute: str = "RemediationEntraDeviceId"
    parameters: tuple[str, str, str] = ("deviceId", "customAttributeName", "customAttributeValue")
    registered_field: str = "lastMdmRegisteredInEpochms"
    event_rule_field: str = "ruleName"


class Maas360:
    """`ports.DeviceManager` and every further ability of it. `states` are those of the four that must be
    proven good; `advice` maps a rule's name to an advice id; `title` stands over messages,
    `hold` judges each record by the organisation's own bar."""

    def __init__(
        self,
        connection: str,
        remote: Remote,
        *,
        billing_id: str,
        now: Clock,
        title: str,
        advice: Mapping[str, str] | None = None,
        states: Collection[State] = tuple(STATES),
        owner_attribute: OwnerAttribute | None = None,
        shared_users: Collection[str] = ("staging",),
        unconfirmed: Unconfirmed | None = None,
        page_size: int = 250,
        hold: Callable[[ManagedDevice, Facts], ManagedDevice] = lambda device, _: device,
    ) -> None:
        self.connection = connection
        self._reading = Reading(remote, billing_id)
        self._search = Search(self._reading, page_size=page_size, attribute=owner_attribute)
        self._remote = remote
        self._now = now
        self._title = title
        self._advice = {name.casefold(): advice_id for name, advice_id in (advice or {}).items()}
        self._states = states
        self._shared = {fold(name) for name in shared_users}
        self._unconfirmed = unconfirmed or Unconfirmed()
        self._hold = hold

    # reading

    def devices_of(self, person: Person) -> Owned:
        """As in Workspace ONE: rows of two users are nobody's for certain, a staging account's are whoever's. Users are told apart
        by name and domain, since a row carries no other mark of its user."""
        begun = self._now()
        rows = {need_text(row, "maas360DeviceID"): row for row in self._search.rows_of(person)}
        users = {_user(row) for row in rows.values()}
        if len(users) > 1:
            return Owned((), "ambiguous_owner")
        if any(name in self._shared for name, _ in users):
            return Owned((), "shared_user")
        held = [row for row in rows.values() if enrolled(row) is not False]
        own = [device for row in held if not is_shared(row) and (device := self._if_there(row, begun)) is not None]
        return Owned(tuple(own), "shared_user" if held and not own and any(map(is_shared, held)) else None)

    def device(self, record_id: str) -> ManagedDevice:
        begun = self._now()
        return self._whole(self._row(record_id), begun)

    def page(self, cursor: str | None, *, since: datetime | None) -> Page[ManagedDevice]:
        """Active records, then inactive ones, each in the order of their installation. `cursor` is
        `status.page.records so far.records in all`, the last 0 where `count` does not tell."""
        begun = self._now()
        status, number, had, total = place(cursor)
        query: dict[str, str | int] = {"deviceStatus": status, "sortAttribute": "installedDate", "sortOrder": "asc"}
        if since is not None:
            query["lastReportedAfterInEpochms"] = int(since.timestamp() * 1000)
        envelope, items = self._search.page(query, number)
        rows: dict[str, ManagedDevice | None] = {}
        for item in items:
            record_id = need_text(item, "maas360DeviceID")
            try:
                rows[record_id] = None if record_id in rows else self._managed(item, self._posture(item, (), begun))
            except Garbled:
                rows[record_id] = None
        found, unreadable = tuple(r for r in rows.values() if r is not None), tuple(i for i, r in rows.items() if r is None)
        following = self._search.following((status, number, had, total), need_whole(envelope, "count"), len(items))
        return Page(found, following, unreadable)

    def _row(self, record_id: str) -> Fields:
        """The search has all four states, which the single read of public clients lacks. Gone is what neither of them knows."""
        for status in ("Active", "InActive"):
            envelope, items = self._search.page({"maas360DeviceId": record_id, "match": 1, "deviceStatus": status}, 1)
            rows = [row for row in items if text(row, "maas360DeviceID") == record_id]
            if len(rows) > 1:
                raise self._reading.garbled("one record twice")
            if not rows and need_whole(envelope, "count") != 0:
                raise self._reading.garbled("another record than the one asked for, or half an answer")
            if rows:
                return rows[0]
        self._not_gone(record_id)
        raise NotFound("no such record", remote=self._remote.name, status=200)

    def _not_gone(self, record_id: str) -> None:
        """A search may list late: what the single read still has is not gone."""
        try:
            # Milhound/maas360api devices/deviceDetails.go: GET /device-apis/devices/1.0/core/{billingId}
            answer = self._reading.get(self._reading.path(f"{DEVICES}/1.0/core"), {"deviceId": record_id})
        except NotFound:
            return
        except Refused as refused:
            if refused.status in (200, 400):
                return  # how it says that there is none is not public; the search said so already
            raise
        raise Garbled("a record that the search does not list" if answer else "nothing", remote=self._remote.name)

    def _if_there(self, row: Fields, begun: datetime) -> ManagedDevice | None:
        try:
            return self._whole(row, begun)
        except NotFound:
            return None  # deleted between the list and the look

    def _whole(self, row: Fields, read_at: datetime) -> ManagedDevice:
        return self._managed(row, self._posture(row, self._failing(row), read_at))

    def _managed(self, row: Fields, said: Posture) -> ManagedDevice:
        """Held to the organisation's own bar, whichever way it was read."""
        device = ManagedDevice(
            key=ManagedKey(self.connection, need_text(row, "maas360DeviceID")),
            generation=self._generation(row),
            name=text(row, "deviceName") or "",
            platform=platform(row),
            model=text(row, "model") or None,
            os_version=text(row, "osVersion") or None,
            serial=text(row, "platformSerialNumber") or None,
            owner_user_name=text(row, "username") or None,
            owner_mail=text(row, "emailAddress") or None,
            posture=said,
            enrolled_at=epoch(row, self._unconfirmed.registered_field),
            udid=text(row, "udid") or None,
        )
        return self._hold(device, facts(row))

    def _posture(self, row: Fields, failing: tuple[Rule, ...], read_at: datetime) -> Posture:
        return posture(row, self._states, failing, read_at)

    def _generation(self, row: Fields) -> str:
        """Changes when the device is wiped, enrolled anew, handed to another user or made a shared one. What it is made of must be
        there: half of it would look like a new one. A renamed user looks like another one, since rows carry no other mark."""
        registered = epoch(row, self._unconfirmed.registered_field)
        if registered is None:
            raise row.garbled(self._unconfirmed.registered_field)
        udid, serial = text(row, "udid") or "", text(row, "platformSerialNumber") or ""
        hardware = udid.replace("-", "").lower() or serial
        if not hardware:
            raise row.garbled("udid")
        holder = "shared" if is_shared(row) else "@".join(_user(row))
        made_of = "\n".join((registered.isoformat(), hardware, need_text(row, "maas360DeviceID"), holder))
        return hashlib.sha256(made_of.encode()).hexdigest()[:32]

    # why it fails

    def _failing(self, row: Fields) -> tuple[Rule, ...]:
        record_id = need_text(row, "maas360DeviceID")
        target = self._reading.path(f"{DEVICES}/1.0/mdSecurityCompliance")
        try:
            # UrbanCode/IBM-MaaS360-UCD WebServices.java: GET /device-apis/devices/1.0/mdSecurityCompliance/{billingId}
            security = self._reading.get(target, {"deviceId": record_id}).within("securityCompliance")
        except Refused as refused:
            raise self._gone_or(refused, record_id) from refused
        rules = [self._rule(name, word) for name, word in failing_attributes(security)]
        states = [rule for rule in failing_states(row) if rule.advice is None or rule.advice not in {r.advice for r in rules}]
        if not rules and states:
            rules = [self._rule(name, "") for name in self._told_by_events(record_id)]
        if not rules or any(rule.advice for rule in states):
            rules += states
        jailbroken = posture(row, (), (), self._now()).compromised is True
        if jailbroken and not any(rule.advice == "jailbreak" for rule in rules):
            rules.append(Rule("jailbreakStatus", "", "jailbreak"))
        if rules and not_encrypted(row) and not any(rule.advice == "encryption" for rule in rules):
            rules.append(Rule("encryptionStatus", "", "encryption"))
        return tuple(rules)

    def _rule(self, name: str, word: str) -> Rule:
        return Rule(name, word, self._advice.get(name.casefold()))

    def _told_by_events(self, record_id: str) -> list[str]:
        """Newest first, of all devices; each rule's name once. Which field holds it is a setting."""
        names: dict[str, None] = {}
        target = self._reading.path(f"{DEVICES}/1.0/searchComplianceEvents")
        for number in range(1, MOST_EVENT_PAGES + 1):
            # Stjubit/TA-MaaS360 input_compliance_events.py: GET /device-apis/devices/1.0/searchComplianceEvents/{billingId}
            answer = self._reading.get(target, {"pageNumber": number, "pageSize": 250}, largest=LARGEST_PAGE)
            envelope, events = listed(self._reading, answer, "complianceEvents", "complianceEvent")
            if not events or need_whole(envelope, "pageNumber") < number:
                break  # beyond the last page it is told again, by its own number
            for event in events:
                if text(event, "maas360DeviceID") == record_id and (name := text(event, self._unconfirmed.event_rule_field)):
                    names[name] = None
        return list(names)

    def _gone_or(self, refused: Refused, record_id: str) -> Refused | NotFound:
        """The vendor's code for a record that is gone is not public: where it refused, we look."""
        if refused.status != 200:
            return refused
        try:
            self._row(record_id)
        except NotFound as gone:
            return gone
        return refused

    # for staff

    def find(self, identifier: str) -> Page[ManagedDevice]:
        begun, unreadable = self._now(), []
        rows = {need_text(row, "maas360DeviceID"): row for row in self._search.bearing(identifier)}
        found = []
        for record_id, row in rows.items():
            try:
                found.append(self._if_there(row, begun))
            except Garbled:
                unreadable.append(record_id)
        return Page(tuple(device for device in found if device is not None), None, tuple(unreadable))

    def groups(self) -> Iterator[MdmGroup]:
        return groups(self._reading)

    def lookup_values(self) -> Sequence[LookupValue]:
        return WILDCARDS

    # doing

    def refresh(self, record_id: str) -> None:
        # UrbanCode/IBM-MaaS360-UCD WebServices.java: POST /device-apis/devices/1.0/refreshDeviceInformation/{billingId}
        self._act(record_id, "refreshDeviceInformation", {"deviceId": record_id})

    def message(self, record_id: str, text: str) -> None:
        # Milhound/maas360api devices/sendMessage.go: POST /device-apis/devices/1.0/sendMessage/{billingId}
        plain = " ".join(text.split())
        self._act(record_id, "sendMessage", {"deviceId": record_id, "messageTitle": self._title, "message": plain})

    def note_link(self, record_id: str, device_id: str) -> None:
        value = self._remote.guid(device_id)
        if not self._noted(record_id, value):
            self._define_attribute()
            if not self._noted(record_id, value):
                raise Refused("the custom attribute was not kept", remote=self._remote.name, status=200)

    def _noted(self, record_id: str, value: str) -> bool:
        """Written, and read back: the parameters' names are not public, so *done* alone proves nothing."""
        name, names = self._unconfirmed.attribute, self._unconfirmed.parameters
        try:
            # UrbanCode/IBM-MaaS360-UCD WebServices.java: POST /device-apis/devices/1.0/setCustomAttributeValue/{billingId}
            self._act(record_id, "setCustomAttributeValue", dict(zip(names, (record_id, name, value), strict=True)))
        except Refused as refused:
            if refused.status not in (200, 400):
                raise
            return False
        # Milhound/maas360api devices/deviceAttributes.go: GET /device-apis/devices/1.0/identity/{billingId}
        target = self._reading.path(f"{DEVICES}/1.0/identity")
        identity = self._reading.get(target, {"deviceId": record_id}).within("deviceIdentity")
        return (name, value) in _custom(identity)

    def _define_attribute(self) -> None:
        # IBM MaaS360APIsHelper: POST /device-apis/devices/2.0/customAttributes/customer/{billingId}; 7 is *exists already*. Which
        # fields it takes beside the name is not public
        target = self._reading.path(f"{DEVICES}/2.0/customAttributes", customer=True)
        code = need_whole(self._reading.post(target, json={"name": self._unconfirmed.attribute}), "responseCode")
        if code not in (0, 7):
            refused = "the custom attribute cannot be defined"
            raise Refused(refused, remote=self._remote.name, status=200, vendor_code=str(code))

    def _act(self, record_id: str, action: str, query: Mapping[str, str | int]) -> None:
        try:
            code = said_done(self._reading.post(self._reading.path(f"{DEVICES}/1.0/{action}"), query, form=True))
            if code is not None:
                raise Refused(f"{action} was not done", remote=self._remote.name, status=200, vendor_code=code)
        except Refused as refused:
            raise self._gone_or(refused, record_id) from refused


def _user(row: Fields) -> tuple[str, str]:
    name = text(row, "username") or need_text(row, "emailAddress")
    return fold(name.strip()), fold((text(row, "userDomain") or "").strip())


def _custom(identity: Fields) -> list[tuple[str | None, str | None]]:
    if identity.raw("customAttributes") is None:
        return []
    values = some(identity.within("customAttributes"), "customAttribute")
    return [(text(one, "customAttributeName"), text(one, "customAttributeValue")) for one in values]
