"""Workspace ONE UEM: devices of a person, one record with its posture, all records in pages, refresh, message, note of the link.

Calls and fields as in mrpaws/awtest (Python clients generated from a live tenant's API description: mdm v1, system v1 and v2). Next
door: `workspace_one_users` (which of its users is a person), `workspace_one_sign_in` (how it lets us in), `http` (manners).
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..domain.bar import Facts
from ..domain.compliance import MdmWord, Posture, Rule
from ..domain.device import ManagedDevice, ManagedKey, Person, Platform
from ..errors import Garbled, NotFound, Refused
from ..ports import Clock, LookupValue, MdmGroup, Owned, Page
from . import workspace_one_words as words
from .fields import same
from .http import LARGEST_PAGE, Fields, Remote
from .workspace_one_groups import groups
from .workspace_one_look_up import Identifiers, WebClipValues
from .workspace_one_notes import LinkNotes
from .workspace_one_users import PAGE, OwnerAttribute, Reading, Users, accept

MOST_KEPT = 10_000
COMMANDS = frozenset({"DeviceQuery", "SyncDevice"})  # the vendor's list also holds DeviceWipe: nothing else may leave here

# Intelligent Hub's bundle ids (docs.omnissa.com, Workspace ONE Intelligent Hub) with the push service of mrpaws/awtest messages_api
HUBS = {
    Platform.IOS: ("com.air-watch.agent", "Apns"),
    Platform.ANDROID: ("com.airwatch.androidagent", "Gcm"),
    Platform.MACOS: ("com.airwatch.mac.agent", "Apns"),
}


def hubs(windows: str | None) -> Mapping[Platform, tuple[str, str]]:
    """`windows` is what Hub is called there in a push message, which is not public; None where nobody said. `Wns` is one of the
    services of mrpaws/awtest messages_api."""
    return HUBS if windows is None else {**HUBS, Platform.WINDOWS: (windows, "Wns")}


def vendor_code(body: Any) -> object:
    """`{"errorCode": 5061, "message": …}`: fixtures of demisto/content VMwareWorkspaceONEUEM."""
    return body["errorCode"]


def quota(now: Clock) -> Callable[[Mapping[str, str]], float | None]:
    """Seconds until the API's quota begins anew, once less than a hundredth of it is left: the rest is for the console's people.

    `x-ratelimit-limit: 250000`, `x-ratelimit-remaining`, `x-ratelimit-reset` in epoch seconds, as recorded by public clients in
    October 2023; on-premises servers may send none of them.
    """

    def left_alone_for(headers: Mapping[str, str]) -> float | None:
        limit, left, reset = (headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset"))
        if not all(re.fullmatch(r"[0-9]{1,12}", value) for value in (limit, left, reset)):
            return None
        seconds = int(reset) - now().timestamp()
        return seconds if int(left) * 100 < int(limit) and seconds > 0 else None

    return left_alone_for


class WorkspaceOne:
    """`ports.DeviceManager` and every further ability of it. `advice` maps a policy's name to an advice id,
    `page_size` is how many records a page of the whole list has, `hold` judges each record by the organisation's own bar."""

    def __init__(
        self,
        connection: str,
        remote: Remote,
        *,
        now: Clock,
        advice: Mapping[str, str] | None = None,
        hubs: Mapping[Platform, tuple[str, str]] = HUBS,
        group_id: int | None = None,
        owner_attribute: OwnerAttribute | None = None,
        shared_users: Collection[str] = ("staging",),
        page_size: int = PAGE,
        hold: Callable[[ManagedDevice, Facts], ManagedDevice] = lambda device, _: device,
    ) -> None:
        self.connection = connection
        self._remote = remote
        self._reading = Reading(remote)
        self._users = Users(remote, self._reading, attribute=owner_attribute, shared=shared_users)
        self._notes = LinkNotes(remote, self._reading, group_id=group_id)
        self._identifiers = Identifiers(remote, self._reading)
        self._clip = WebClipValues(remote, self._reading)
        self._platforms: dict[int, Platform] = {}
        self._now = now
        self._advice = {name.casefold(): advice_id for name, advice_id in (advice or {}).items()}
        self._hubs = hubs
        self._page_size = page_size
        self._hold = hold

    # reading

    def devices_of(self, person: Person) -> Owned:
        """Only what one user alone answers for. Two users with this person's name are nobody for certain, and behind a staging or
        shared account stands whoever picked the device up; neither may be told to enroll, so both are said.

        A record that the MDM calls shared (`Ownership` S) is left out beside the person's own: whoever holds it next would be let
        in by this one's link. Where nothing else is left, that too is said. `EnrollmentStatus` has no public word for staging; a
        word that we do not know is never *enrolled*, so nothing comes of it.
        """
        users = self._users.of(person)
        if not users:
            return Owned(())
        if len(users) > 1:
            return Owned((), "ambiguous_owner")
        if self._users.is_shared(users[0]):
            return Owned((), "shared_user")
        records = list(self._records_of(users[0]))
        own = tuple(device for record, device in records if not words.is_shared(record))
        return Owned(own, "shared_user" if records and not own else None)

    def device(self, record_id: str) -> ManagedDevice:
        begun = self._now()
        return self._whole(self._record(self._remote.number(record_id)), begun)

    def page(self, cursor: str | None, *, since: datetime | None) -> Page[ManagedDevice]:
        """Records of the organization group that our account belongs to, which is the default of `lgid`, in the order of their ids.
        `cursor` is `page.records so far`."""
        begun = self._now()
        number, had = (int(part) for part in (cursor or "0.0").split("."))
        query: dict[str, str | int] = {"orderby": "deviceid", "sortorder": "ASC", "page": number, "pagesize": self._page_size}
        if since is not None:
            query["seensince"] = f"{since:%Y-%m-%dT%H:%M:%S}.{since.microsecond // 1000:03d}"
        # mrpaws/awtest mdm/v1 devices_v1_api: GET /mdm/devices/search
        answer = self._reading.get("mdm/devices/search", version=1, query=query, largest=LARGEST_PAGE)
        if answer is None:
            if had:
                raise Garbled("a list that ends before its end", remote=self._remote.name)
            return Page((), None)
        rows, unreadable = [], []
        for item in answer.items("Devices"):
            try:
                rows.append(self._managed(item, self._listed_posture(item, begun)))
            except Garbled:
                unreadable.append(str(words.number(item)))
        count, total = len(rows) + len(unreadable), answer.need_number("Total")
        if answer.need_number("Page") != number or (count == 0 and had < total):
            raise Garbled("a list that ends before its end", remote=self._remote.name)
        had += count
        return Page(tuple(rows), f"{number + 1}.{had}" if had < total else None, tuple(unreadable))

    def _listed_posture(self, row: Fields, read_at: datetime) -> Posture:
        """By the same tables as a record's; which rules fail is not asked, but where the row tells, one that fails counts."""
        word = words.compliance(row, "ComplianceStatus")
        summary = row.within("ComplianceSummary") if row.raw("ComplianceSummary") is not None else None
        if summary is not None and summary.raw("DeviceCompliance") is not None:
            word = words.worse(word, MdmWord.NOT_COMPLIANT) if any(words.failing(summary)) else word
        return self._posture_of(row, word, (), read_at)

    def _record(self, number: int) -> Fields:
        # mrpaws/awtest mdm/v1 devices_v1_api: GET /mdm/devices/{id}
        record = self._reading.get(self._remote.path("mdm/devices/{}", number), version=1)
        if record is None:
            raise Garbled("nothing where a record should be", remote=self._remote.name)
        if words.number(record) != number:
            raise record.garbled("Id")
        return record

    def _whole(self, record: Fields, read_at: datetime) -> ManagedDevice:
        """`read_at` is from before the record was asked for: the second call may be answered long after the first, and what was
        read by then is no newer than its oldest part."""
        number = words.number(record)
        self._platform(number, record)
        return self._managed(record, self._posture(number, record, read_at))

    def _managed(self, record: Fields, posture: Posture) -> ManagedDevice:
        """Held to the organisation's own bar, whichever way it was read."""
        device = ManagedDevice(
            key=ManagedKey(self.connection, str(words.number(record))),
            generation=words.generation(record),
            name=record.text("DeviceFriendlyName") or record.text("DeviceReportedName") or "",
            platform=words.platform(record),
            model=record.text("Model") or None,
            os_version=record.text("OperatingSystem") or None,
            serial=record.text("SerialNumber") or None,
            owner_user_name=record.text("UserName") or None,
            owner_mail=record.text("UserEmailAddress") or None,
            posture=posture,
            enrolled_at=record.moment("LastEnrolledOn"),
            udid=record.text("Udid") or None,
        )
        return self._hold(device, words.facts(record))

    def _platform(self, number: int, record: Fields) -> Platform:
        """Kept for `message`: a record's platform never changes."""
        if len(self._platforms) >= MOST_KEPT:
            self._platforms.clear()
        self._platforms[number] = platform = words.platform(record)
        return platform

    def _posture(self, number: int, record: Fields, read_at: datetime) -> Posture:
        word = words.compliance(record, "ComplianceStatus")
        rules: list[Rule] = []
        # mrpaws/awtest compliance_v1_api: GET /mdm/devices/{id}/compliance
        for page in self._reading.pages(self._remote.path("mdm/devices/{}/compliance", number), {}, "DeviceCompliance"):
            word = words.worse(word, words.compliance(page, "OverallCompliantStatus"))
            for item in words.failing(page):
                name = item.text("PolicyName") or ""
                rules.append(Rule(name, item.text("PolicyDetail") or "", self._advice.get(name.casefold())))
        broken = words.compromised(record)
        if rules:
            word = words.worse(word, MdmWord.NOT_COMPLIANT)
        encryption_fails = record.text("DataEncryptionYN") == "N" and word is not MdmWord.COMPLIANT
        told = {rule.advice for rule in rules}
        # the record's own facts, where no failing policy has said the same in the administrator's words
        for name, fails, advice in (
            ("CompromisedStatus", broken is True, "jailbreak"),
            ("DataEncryptionYN", encryption_fails, "encryption"),
        ):
            if fails and advice not in told:
                rules.append(Rule(name, "", advice))
        return self._posture_of(record, word, tuple(rules), read_at)

    def _posture_of(self, record: Fields, word: MdmWord, failing: tuple[Rule, ...], read_at: datetime) -> Posture:
        return Posture(
            word=word,
            enrolled=words.enrolled(record),
            compromised=words.compromised(record),
            failing=failing,
            last_seen=record.moment("LastSeen"),
            read_at=read_at,
        )

    def _records_of(self, user: Fields) -> Iterator[tuple[Fields, ManagedDevice]]:
        """The enrolled ones, each read by itself: search rows are older and shaped otherwise (demisto/content README)."""
        for number in self._numbers_of(user):
            begun = self._now()
            try:
                record = self._record(number)
                if words.enrolled(record) is not False and words.owner(record) == words.number(user):
                    yield record, self._whole(record, begun)
            except NotFound:
                continue  # deleted between the list and the look

    def _numbers_of(self, user: Fields) -> Iterator[int]:
        """Records of this very user: names repeat between groups, and whether the search compares whole names is not public."""
        name, seen = user.need_text("UserName"), set()
        # mrpaws/awtest mdm/v1 devices_v1_api: GET /mdm/devices/search, `user` is the enrollment user's name
        for page in self._reading.pages("mdm/devices/search", {"user": name}, "Devices"):
            for row in page.items("Devices"):
                number = words.number(row)
                theirs = same(row.text("UserName"), name) and words.owner(row) == words.number(user)
                if theirs and number not in seen and words.enrolled(row) is not False:
                    seen.add(number)
                    yield number

    # for staff

    def find(self, identifier: str) -> Page[ManagedDevice]:
        rows, unreadable = [], []
        for number in self._identifiers.numbers(identifier):
            begun = self._now()
            try:
                rows.append(self._whole(self._record(number), begun))
            except NotFound:
                continue  # a number that is no record's, or one deleted meanwhile
            except Garbled:
                unreadable.append(str(number))
        return Page(tuple(rows), None, tuple(unreadable))

    def groups(self) -> Iterator[MdmGroup]:
        return groups(self._reading)

    def lookup_values(self) -> Sequence[LookupValue]:
        return self._clip.listed()

    # doing

    def refresh(self, record_id: str) -> None:
        self._command(record_id, "DeviceQuery")

    def _command(self, record_id: str, command: str) -> None:
        if command not in COMMANDS:
            raise ValueError(f"{command} is not among the commands that we send")
        # mrpaws/awtest commands_v1_api: POST /mdm/devices/{id}/commands; DeviceQuery exists in version 1 alone
        target = self._remote.path("mdm/devices/{}/commands", self._remote.number(record_id))
        self._remote.call("POST", target, query={"command": command}, headers=accept(1))

    def message(self, record_id: str, text: str) -> None:
        number = self._remote.number(record_id)
        # the message names the Hub and its push service, and these differ by platform
        platform = self._platforms.get(number) or self._platform(number, self._record(number))
        if platform not in self._hubs:
            raise Refused("no Hub is known for this platform", remote=self._remote.name)
        application, kind = self._hubs[platform]
        # mrpaws/awtest messages_v1_api: POST /mdm/devices/{id}/messages/push
        self._remote.call(
            "POST",
            self._remote.path("mdm/devices/{}/messages/push", number),
            json={"MessageBody": text, "Application": application, "MessageType": kind},
            headers=accept(1),
        )

    def note_link(self, record_id: str, device_id: str) -> None:
        number, value = self._remote.number(record_id), self._remote.guid(device_id)
        self._notes.note(number, value, lambda one: words.group(self._record(one)))
