"""The groups of MaaS360, with how many users are in each; and the wildcards that a managed web shortcut may carry.

Next door: `maas360_reading` (how answers are read).
"""

from collections.abc import Iterator

from ..errors import NotFound, Refused
from ..ports import LookupValue, MdmGroup
from .http import LARGEST_PAGE
from .maas360_reading import Reading, at_most, listed, need_text, need_whole, some

LARGEST, MOST_PAGES = 250, 100

# IBM documentation "default attributes", and a vendor's app-config list (appconfig-f5access): there is no call that lists them
WILDCARDS = (
    LookupValue("%csn%", "the number of the record in MaaS360", names_device=True),
    LookupValue("%deviceid%", "the same"),
    LookupValue("%deviceSerialNumber%", "serial number"),
    LookupValue("%devicename%", "name of the device"),
    LookupValue("%wifiMacAddress%", "its Wi-Fi address"),
    LookupValue("%imei%", "IMEI"),
    LookupValue("%upn%", "user principal name; iOS and Android"),
    LookupValue("%username%", "user name"),
    LookupValue("%user%", "the same"),
    LookupValue("%fullname%", "the user's full name"),
    LookupValue("%email%", "mail address"),
    LookupValue("%domain%", "the user's domain"),
)


def groups(reading: Reading) -> Iterator[MdmGroup]:
    """User and device groups come in one list, which does not tell them apart."""
    # MichaelAlestock/MaaS360PS, Milhound/MaaS360-R: GET /group-apis/group/1.0/groups/customer/{billingId}; no paging is known of it
    answer = reading.get(reading.path("group-apis/group/1.0/groups", customer=True), {}, largest=LARGEST_PAGE)
    found = some(answer.within("groups"), "group")
    rows = {need_text(row, "groupIdentifier"): row for row in found}
    if len(rows) < len(found):
        raise reading.garbled("one group twice")
    for group_id, row in rows.items():
        yield MdmGroup(group_id, need_text(row, "groupName"), "either", _members(reading, group_id))


def _members(reading: Reading, group_id: str) -> int | None:
    """None where the users of this group may not be asked for, as those of a device group."""
    try:
        return _users(reading, group_id)
    except NotFound:
        return None
    except Refused as refused:
        if refused.status in (200, 400):
            return None
        raise


def _users(reading: Reading, group_id: str) -> int:
    """Whether `count` is of all or of the page is not public: it is of all where it is of more than came."""
    had = 0
    for number in at_most(MOST_PAGES, reading):
        count, got, told = _page(reading, group_id, number)
        if told != number:
            return had  # beyond the last page a lower one is told again, as seen of compliance events
        if number == 1 and count > got:
            return count
        had += got
        if got < LARGEST:
            return had
    return had


def _page(reading: Reading, group_id: str, number: int) -> tuple[int, int, int]:
    asked: dict[str, str | int] = {"includeAllUsers": 1, "pageNumber": number, "pageSize": LARGEST}
    target = reading.remote.path(
        f"{reading.path('user-apis/user/1.0/searchByGroup', customer=True)}/groupIdentifier/{{}}", group_id
    )
    # MichaelAlestock/MaaS360PS Get-MaaS360GroupMember: GET /user-apis/user/1.0/searchByGroup/customer/…/groupIdentifier/{id}
    envelope, users = listed(reading, reading.get(target, asked, largest=LARGEST_PAGE), "users", "user")
    return need_whole(envelope, "count"), len(users), need_whole(envelope, "pageNumber")
