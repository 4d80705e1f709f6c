"""Workspace ONE UEM: devices of a person, one record with its posture, refresh, message, note of the link.

Calls and fields as in mrpaws/awtest (Python clients generated from a live tenant's API description: mdm v1, system v1 and v2), each
version pinned, since an unpinned call is answered as the server likes (JupiterOne/graph-airwatch recording.har). Next door:
`workspace_one_sign_in` (how it lets us in), `http` (manners).
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ..domain.compliance import MdmWord, Posture, Rule
from ..domain.device import ManagedDevice, ManagedKey, Person, Platform
from ..errors import Garbled, NotFound, Refused
from ..ports import Clock, Owned
from .http import Fields, Remote

PAGE = 500  # the default of the vendor; whether more is taken is not public
MOST_PAGES = 100
COMMANDS = frozenset({"DeviceQuery", "SyncDevice"})  # the vendor's list also holds DeviceWipe: nothing else may leave here
ATTRIBUTE = {"Name": "EntraDeviceId", "ApplicationGroup": "EntraLink"}

# The words of Workspace ONE, each table with its source. A word that a table lacks is unknown, never good.
# `ComplianceStatus`, `OverallCompliantStatus`: demisto/content fixtures, zentralopensource/zentral tests/wsone/test_webhook_view.py
COMPLIANCE = {
    "Compliant": MdmWord.COMPLIANT,
    "NonCompliant": MdmWord.NOT_COMPLIANT,
    "PendingComplianceCheck": MdmWord.PENDING,
    "NotAvailable": MdmWord.UNKNOWN,
}
_FROM_BEST = (MdmWord.COMPLIANT, MdmWord.PENDING, MdmWord.UNKNOWN, MdmWord.NOT_COMPLIANT)

# `EnrollmentStatus`: demisto/content fixtures. A wipe that is pending (EnterpriseWipePending, DeviceWipePending) is neither: the
# device may still hold its profile, so nothing is known of it.
ENROLLED = {"Enrolled": True, "Unenrolled": False}

# `Platform`: demisto/content devices_search_resp.json, and the enumeration of litesearch in mrpaws/awtest mdm/v1
PLATFORMS = {
    "Apple": Platform.IOS,
    "Android": Platform.ANDROID,
    "AppleOsX": Platform.MACOS,
    "WinRT": Platform.WINDOWS,
    "WindowsPc": Platform.WINDOWS,
}

# Intelligent Hub's bundle ids (docs.omnissa.com, Workspace ONE Intelligent Hub) with the push service of mrpaws/awtest messages_api
HUBS = {
    Platform.IOS: ("com.air-watch.agent", "Apns"),
    Platform.ANDROID: ("com.airwatch.androidagent", "Gcm"),
    Platform.MACOS: ("com.airwatch.mac.agent", "Apns"),
}

# `CompromisedStatus` is a boolean in mrpaws/awtest `Device`; some tenants send it as text
_COMPROMISED = {"true": True, "false": False, "compromised": True}


def vendor_code(body: Any) -> object:
    """`{"errorCode": 5061, "message": …}`: fixtures of demisto/content VMwareWorkspaceONEUEM."""
    return body["errorCode"]


class WorkspaceOne:
    """`ports.DeviceManager`, `Refreshing`, `Messaging` and `LinkNoting`. `advice` maps a policy's name to an advice id."""

    def __init__(
        self,
        connection: str,
        remote: Remote,
        *,
        now: Clock,
        advice: Mapping[str, str] | None = None,
        hubs: Mapping[Platform, tuple[str, str]] = HUBS,
        group_id: int | None = None,
    ) -> None:
        self.connection = connection
        self._remote = remote
        self._now = now
        self._advice = {name.casefold(): advice_id for name, advice_id in (advice or {}).items()}
        self._hubs = hubs
        self._group_id = group_id

    # reading

    def devices_of(self, person: Person) -> Owned:
        found: dict[str, ManagedDevice] = {}
        users = list(self._users_of(person))
        if len(users) > 1:
            return Owned((), "ambiguous_owner")
        for user in users:
            for row in self._rows_of(user):
                record_id = str(row.within("Id").need_number("Value"))
                if record_id in found or ENROLLED.get(row.text("EnrollmentStatus") or "") is False:
                    continue
                try:
                    # search rows are older and shaped otherwise than the record itself (demisto/content README)
                    device = self.device(record_id)
                except NotFound:
                    continue  # deleted between the list and the look
                if device.posture.enrolled is not False:
                    found[record_id] = device
        return Owned(tuple(found.values()))

    def device(self, record_id: str) -> ManagedDevice:
        number = self._remote.number(record_id)
        # mrpaws/awtest mdm/v1 devices_v1_api: GET /mdm/devices/{id}
        record = self._get(self._remote.path("mdm/devices/{}", number), version=1)
        if record is None:
            raise Garbled("nothing where a record should be", remote=self._remote.name)
        if record.within("Id").need_number("Value") != number:
            raise record.garbled("Id")
        return ManagedDevice(
            key=ManagedKey(self.connection, str(number)),
            generation=_generation(record),
            name=record.text("DeviceFriendlyName") or record.text("DeviceReportedName") or "",
            platform=PLATFORMS.get(record.text("Platform") or "", Platform.UNKNOWN),
            model=record.text("Model") or None,
            os_version=record.text("OperatingSystem") or None,
            serial=record.text("SerialNumber") or None,
            owner_user_name=record.text("UserName") or None,
            owner_mail=record.text("UserEmailAddress") or None,
            posture=self._posture(number, record),
        )

    def _posture(self, number: int, record: Fields) -> Posture:
        word = COMPLIANCE.get(record.text("ComplianceStatus") or "", MdmWord.UNKNOWN)
        rules: list[Rule] = []
        # mrpaws/awtest compliance_v1_api: GET /mdm/devices/{id}/compliance
        for page in self._pages(self._remote.path("mdm/devices/{}/compliance", number), {}, "DeviceCompliance"):
            word = _worse(word, COMPLIANCE.get(page.text("OverallCompliantStatus") or "", MdmWord.UNKNOWN))
            for item in page.items("DeviceCompliance"):
                if not item.need_flag("CompliantStatus") and item.flag("CompliancePending") is not True:
                    name = item.text("PolicyName") or ""
                    rules.append(Rule(name, item.text("PolicyDetail") or "", self._advice.get(name.casefold())))
        broken = _compromised(record)
        if rules:
            word = _worse(word, MdmWord.NOT_COMPLIANT)
        encryption_fails = record.text("DataEncryptionYN") == "N" and word is not MdmWord.COMPLIANT
        told = {rule.advice for rule in rules}
        # the record's own facts, where no failing policy has said the same in the administrator's words
        for name, fails, advice in (
            ("CompromisedStatus", broken is True, "jailbreak"),
            ("DataEncryptionYN", encryption_fails, "encryption"),
        ):
            if fails and advice not in told:
                rules.append(Rule(name, "", advice))
        return Posture(
            word=word,
            enrolled=ENROLLED.get(record.text("EnrollmentStatus") or ""),
            compromised=broken,
            failing=tuple(rules),
            last_seen=record.moment("LastSeen"),
            read_at=self._now(),
        )

    def _users_of(self, person: Person) -> Iterator[Fields]:
        """The enrollment users who are this person. The search finds by parts of a word, so each hit is compared whole."""
        ours = {word.casefold() for word in (person.mail, person.user_name) if word}
        seen: set[int] = set()
        for word in sorted(ours):
            for user in self._search_users(email=word):
                if (user.text("Email") or "").casefold() in ours:
                    seen.add(user.within("Id").need_number("Value"))
                    yield user
            if seen:
                return
        upn = person.user_name.casefold()
        for user in self._search_users(username=upn.partition("@")[0]):
            name = (user.text("UserName") or "").casefold()
            if name == upn or (name == upn.partition("@")[0] and self._upn(user) == upn):
                yield user

    def _search_users(self, **words: str) -> Iterator[Fields]:
        # mrpaws/awtest system/v1 users_v1_api: GET /system/users/search
        for page in self._pages("system/users/search", words, "Users"):
            yield from page.items("Users")

    def _upn(self, user: Fields) -> str | None:
        # mrpaws/awtest system/v2 ReadEnrollmentUserV2Model: GET /system/users/{uuid}
        found = self._get(self._remote.path("system/users/{}", user.guid("Uuid")), version=2)
        return (found.text("userPrincipalName") or "").casefold() if found else None

    def _rows_of(self, user: Fields) -> Iterator[Fields]:
        """Rows of this very user: names repeat between groups, and whether the search compares whole names is not public."""
        name, number = user.need_text("UserName"), user.within("Id").need_number("Value")
        # mrpaws/awtest mdm/v1 devices_v1_api: GET /mdm/devices/search, `user` is the enrollment user's name
        for page in self._pages("mdm/devices/search", {"user": name}, "Devices"):
            for row in page.items("Devices"):
                same_name = (row.text("UserName") or "").casefold() == name.casefold()
                if same_name and row.within("UserId").within("Id").need_number("Value") == number:
                    yield row

    def _pages(self, target: str, query: Mapping[str, str], name: str) -> Iterator[Fields]:
        """0-based pages until `Total` is reached; 204 means none (graph-airwatch recording.har). A list is whole, or Garbled."""
        had = 0
        for number in range(MOST_PAGES):
            page = self._get(target, version=1, query={**query, "page": number, "pagesize": PAGE})
            if page is None:
                if had:
                    raise Garbled("a list that ends before its end", remote=self._remote.name)
                return
            count, total = len(list(page.items(name))), page.need_number("Total")
            had += count
            if (count == 0 and had < total) or page.need_number("Page") != number:
                raise Garbled("a list that ends before its end", remote=self._remote.name)
            yield page
            if had >= total:
                return
        raise Garbled("pages without end", remote=self._remote.name)

    def _get(self, target: str, *, version: int, query: Mapping[str, str | int] | None = None) -> Fields | None:
        answer = self._remote.call("GET", target, query=query, headers=_accept(version))
        return None if answer.status == 204 and answer.body is None else answer.fields()

    # doing

    def refresh(self, record_id: str) -> None:
        self._command(record_id, "DeviceQuery")

    def _command(self, record_id: str, command: str) -> None:
        if command not in COMMANDS:
            raise ValueError(f"{command} is not among the commands that we send")
        # mrpaws/awtest commands_v1_api: POST /mdm/devices/{id}/commands; DeviceQuery exists in version 1 alone
        target = self._remote.path("mdm/devices/{}/commands", self._remote.number(record_id))
        self._remote.call("POST", target, query={"command": command}, headers=_accept(1))

    def message(self, record_id: str, text: str) -> None:
        number = self._remote.number(record_id)
        # the message names the Hub and its push service, and these differ by platform
        record = self._get(self._remote.path("mdm/devices/{}", number), version=1)  # mrpaws/awtest mdm/v1 devices_v1_api
        platform = PLATFORMS.get(record.text("Platform") or "", Platform.UNKNOWN) if record else Platform.UNKNOWN
        if platform not in self._hubs:
            raise Refused("no Hub is known for this platform", remote=self._remote.name)
        application, kind = self._hubs[platform]
        # mrpaws/awtest messages_v1_api: POST /mdm/devices/{id}/messages/push
        self._remote.call(
            "POST",
            self._remote.path("mdm/devices/{}/messages/push", number),
            json={"MessageBody": text, "Application": application, "MessageType": kind},
            headers=_accept(1),
        )

    def note_link(self, record_id: str, device_id: str) -> None:
        value = self._remote.guid(device_id)
        try:
            self._put_attribute(record_id, value)
        except Refused as unknown:
            if unknown.status not in (200, 400):
                raise
            self._define_attribute(unknown)
            self._put_attribute(record_id, value)

    def _put_attribute(self, record_id: str, value: str) -> None:
        # mrpaws/awtest device_custom_attributes_api: PUT /mdm/devices/{id}/customattributes
        answer = self._remote.call(
            "PUT",
            self._remote.path("mdm/devices/{}/customattributes", self._remote.number(record_id)),
            json={"CustomAttributes": [{**ATTRIBUTE, "Value": value}]},
            headers=_accept(1),
        )
        found = answer.fields()
        if found.need_number("FailedItems") or found.need_number("AcceptedItems") != 1:
            # failure inside a good answer
            raise Refused("the custom attribute was not taken", remote=self._remote.name, status=200)

    def _define_attribute(self, why: Refused) -> None:
        group = {"ManagedByOrganizationGroupID": self._group_id} if self._group_id is not None else {}
        body = {**ATTRIBUTE, "Description": "Entra device id, for look-up", "Persist": False, "UseAsLookupValue": False, **group}
        try:
            # mrpaws/awtest system/v1 custom_attributes_api: POST /system/customattributes/create
            self._remote.call("POST", "system/customattributes/create", json=body, headers=_accept(1))
        except Refused as defined:
            if defined.status != 400:
                raise
            raise why from defined  # it was defined already, so that was not the reason


def _accept(version: int) -> dict[str, str]:
    return {"Accept": f"application/json;version={version}"}


def _generation(record: Fields) -> str:
    """Changes when the device is wiped or enrolled anew. What it is made of must be there: half of it would look like a new one."""
    enrolled: datetime | None = record.moment("LastEnrolledOn")
    hardware = record.need_text("Udid").replace("-", "").lower() or record.need_text("SerialNumber")
    if enrolled is None:
        raise record.garbled("LastEnrolledOn")
    made_of = "\n".join((enrolled.isoformat(), hardware, record.need_text("Uuid").lower()))
    return hashlib.sha256(made_of.encode()).hexdigest()[:32]


def _worse(one: MdmWord, other: MdmWord) -> MdmWord:
    """Two statements about one device: the worse one counts."""
    return max(one, other, key=_FROM_BEST.index)


def _compromised(record: Fields) -> bool | None:
    value = record.raw("CompromisedStatus")
    if isinstance(value, str):
        return _COMPROMISED.get(value.strip().casefold())
    return record.flag("CompromisedStatus")
