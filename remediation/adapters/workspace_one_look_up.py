"""Which records of Workspace ONE an identifier names, however it is written, and which values a managed web clip may carry.

Next door: `workspace_one` (what is read of them), `workspace_one_groups`.
"""

from collections.abc import Iterator, Mapping, Sequence

from ..domain.identifiers import as_guid, bare, serial_spellings, udid_spellings
from ..errors import NotFound
from ..ports import LookupValue
from .fields import GUID
from .http import LARGEST_PAGE, Fields, Remote
from .workspace_one_users import Reading, accept

MOST_RECORDS = 50  # of one identifier; what so many bear names none of them
LONGEST = 64


class Identifiers:
    """Look-ups by serial number, UDID, the number of a record and its UUID."""

    def __init__(self, remote: Remote, reading: Reading) -> None:
        self._remote = remote
        self._reading = reading

    def numbers(self, identifier: str) -> Sequence[int]:
        """The records that bear it, each once; nothing for what names nothing."""
        wanted = bare(identifier)
        if wanted is None or len(wanted) > LONGEST:
            return ()
        found = dict.fromkeys((*self._by_number(wanted), *self._by_uuid(wanted), *self._bearing(identifier, wanted)))
        if len(found) > MOST_RECORDS:
            raise self._reading.garbled("one identifier on more records than any device has")
        return tuple(found)

    def _by_number(self, wanted: str) -> Iterator[int]:
        """Whether there is such a record, its reading tells."""
        if wanted.isascii() and wanted.isdigit() and len(wanted) <= 18:
            yield int(wanted)

    def _by_uuid(self, wanted: str) -> Iterator[int]:
        if len(wanted) != 32 or not GUID.fullmatch(as_guid(wanted)):
            return
        try:
            # mrpaws/awtest mdm/v2 devices_v2_api: GET /mdm/devices/{uuid}
            found = self._reading.get(self._remote.path("mdm/devices/{}", as_guid(wanted)), version=2)
        except NotFound:
            return
        if found is not None and bare(found.text("uuid")) == wanted:
            yield found.need_number("id")

    def _bearing(self, identifier: str, wanted: str) -> Iterator[int]:
        """Compared whole by us; how the search compares is not public, so it is given every spelling, the one received first."""
        received = identifier.strip()
        serials = dict.fromkeys((received, *sorted(serial_spellings(identifier)), wanted.upper(), wanted))
        udids = dict.fromkeys((received, *sorted(udid_spellings(wanted))))
        for kind, field, spellings in (("Serialnumber", "SerialNumber", serials), ("Udid", "Udid", udids)):
            for row in self._search(kind, list(spellings)):
                if bare(row.text(field)) == wanted:
                    yield row.within("Id").need_number("Value")

    def _search(self, kind: str, spellings: Sequence[str]) -> Iterator[Fields]:
        """204 without a body, or the vendor's own 404, is nothing."""
        try:
            # mrpaws/awtest mdm/v1 devices_v1_api: POST /mdm/devices?searchby=; one device alone is what its GET answers
            answer = self._remote.call(
                "POST",
                "mdm/devices",
                query={"searchby": kind},
                json={"BulkValues": {"Value": spellings}},
                headers=accept(1),
                largest=LARGEST_PAGE,
            )
        except NotFound:
            return
        if answer.status == 204 and answer.body is None:
            return
        rows = list(answer.fields().items("Devices"))
        if len(rows) < (answer.fields().number("Total") or 0):
            raise self._reading.garbled("a list that ends before its end")
        yield from rows


class WebClipValues:
    """The look-up values of the organization group that our account belongs to."""

    # Confirmed in public material; which there are, only the tenant's own list tells (gist synic/fc7a219f, euc-oss/euc-samples)
    NAMES_THE_DEVICE = "DeviceUid"

    def __init__(self, remote: Remote, reading: Reading) -> None:
        self._remote = remote
        self._reading = reading

    def listed(self) -> Sequence[LookupValue]:
        # mrpaws/awtest system/v1 lookup_fields_v1_api: GET /system/lookup-value/keys/{organizationGroupUuid}
        target = self._remote.path("system/lookup-value/keys/{}", self._own_group())
        answer = self._remote.call("GET", target, headers=accept(1))
        if answer.status == 204 and answer.body is None:
            return ()
        rows = answer.body if isinstance(answer.body, list) else [answer.body]  # described as one object, and named a list
        found = [Fields(row, self._remote.name) for row in rows]
        values = {key.strip("{} "): one for one in found if (key := one.text("key")) and key.strip("{} ")}
        return tuple(
            LookupValue(f"{{{key}}}", one.text("description") or "", names_device=key == self.NAMES_THE_DEVICE)
            for key, one in values.items()
        )

    def _own_group(self) -> str:
        """The highest group that our account sees: the first whose parent it does not see, in the order of their ids."""
        groups: dict[int, Fields] = {}
        asked: Mapping[str, str] = {"orderby": "Id", "sortorder": "ASC"}
        # mrpaws/awtest system/v1 organization_groups_api: GET /system/groups/search
        for page in self._reading.pages("system/groups/search", asked, "LocationGroups"):
            groups.update({one.within("Id").need_number("Value"): one for one in page.items("LocationGroups")})
        for group in groups.values():
            if _parent(group) not in groups:
                return group.guid("Uuid")
        raise self._reading.garbled("no organization group")


def _parent(group: Fields) -> int | None:
    if group.raw("ParentLocationGroup") is None:
        return None
    parent = group.within("ParentLocationGroup")
    return parent.within("Id").number("Value") if parent.raw("Id") is not None else None
