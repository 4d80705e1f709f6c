"""Where Workspace ONE sends its event notifications: the targets that its console lists, made and repaired by its API.

mrpaws/awtest system/v1 event_notifications_v1_api: search, create, update; models `EventNotificationModel`, `DeviceEventsModel`.
Both writes answer nothing, so that whoever wants to know looks again. Next door: `workspace_one_events` (what is sent),
`services/register_events`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ..ports import EventTarget
from .http import Fields, Remote

VERSION = {"Accept": "application/json;version=1"}  # each call pins its version, as in `workspace_one_users`
PAGE = 500
AS_JSON = 1
# `DeviceEventsModel`: what changes a posture or an enrollment. Attributes and check-outs would be noise.
WANTED = ("Enrollment", "UnenrolledEnterpriseWipe", "Wipe", "CompromisedStatusChange", "Delete", "ComplianceStatusChange")
MOST_PAGES = 20


class WorkspaceOneTargets:
    """`ports.EventTargets`."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def named(self, name: str) -> Sequence[EventTarget]:
        """Compared whole: whether the search takes a part of a name is not public."""
        return [_target(found) for found in self._listed(name) if found.text("TargetName") == name]

    def create(self, target: EventTarget, password: str) -> None:
        # mrpaws/awtest: POST /system/eventnotifications
        self._remote.call("POST", "system/eventnotifications", json=_body(target, password), headers=VERSION)

    def replace(self, target: EventTarget, password: str) -> None:
        # mrpaws/awtest: PUT /system/eventnotifications/{id}
        address = self._remote.path("system/eventnotifications/{}", self._remote.number(target.id))
        self._remote.call("PUT", address, json=_body(target, password), headers=VERSION)

    def _listed(self, name: str) -> Iterator[Fields]:
        had = 0
        for number in range(MOST_PAGES):
            query: dict[str, str | int] = {"targetname": name, "page": number, "pagesize": PAGE}
            # mrpaws/awtest: GET /system/eventnotifications/search
            answer = self._remote.call("GET", "system/eventnotifications/search", query=query, headers=VERSION)
            if answer.status == 204 and answer.body is None:  # nothing is answered by nothing
                return
            page = answer.fields()
            rows = list(page.items("EventNotifications"))
            yield from rows
            had += len(rows)
            if not rows or had >= (page.number("TotalResults") or 0):
                return


def _target(found: Fields) -> EventTarget:
    events = found.within("DeviceEvents") if found.raw("DeviceEvents") is not None else None
    return EventTarget(
        id=str(found.need_number("id")),
        name=found.need_text("TargetName"),
        url=found.text("TargetUrl") or "",
        user=found.text("Username") or "",
        active=found.flag("IsActive") is True,
        whole=found.number("Format") == AS_JSON and events is not None and all(events.flag(name) is True for name in WANTED),
    )


def _body(target: EventTarget, password: str) -> dict[str, Any]:
    return {
        "TargetName": target.name,
        "TargetUrl": target.url,
        "Username": target.user,
        "Password": password,
        "Format": AS_JSON,
        "IsActive": True,
        "DeviceEvents": dict.fromkeys(WANTED, True),
    }
