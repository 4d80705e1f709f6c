"""Compliance of Windows devices, written to Entra's device object through Microsoft Graph v1.0, for approved MDM apps.

Permission Device.ReadWrite.All, and Microsoft's approval of the app: the one without the other is refused. Next door: `graph`
observes, `intune_partner` serves the other platforms.
"""

from collections.abc import Collection

from ..domain.channel import ChannelKind
from ..domain.device import DirectoryDevice, Platform
from ..errors import NOT_APPROVED, Refused
from ..ports import Carried, Directory, Report, Sent
from .http import Remote


class GraphDeviceChannel:
    """`ports.Sending`. Graph answers at once, so what it took is accepted; nothing there orders two writes by their time."""

    kind = ChannelKind.GRAPH_DEVICE

    def __init__(
        self, remote: Remote, *, directory: Directory, platforms: Collection[Platform] = frozenset({Platform.WINDOWS})
    ) -> None:
        self._remote = remote
        self._directory = directory
        self.platforms = frozenset(platforms)

    def observe(self, device_id: str) -> DirectoryDevice:
        return self._directory.device(device_id, owner=False)

    def send(self, report: Report) -> Sent:
        if report.platform is not Platform.WINDOWS:
            raise Refused("a platform whose compliance Graph takes from Intune alone", remote=self._remote.name)
        target = self._remote.path("devices(deviceId='{}')", self._remote.guid(report.device_id))
        body = {"isManaged": report.managed, "isCompliant": report.compliant}
        try:
            # graph-docs api-reference/v1.0/api/device-update.md, by the alternate key; 204. Fleet sends these two beside name and
            # version: fleetdm/fleet update-one-devices-compliance-status.js
            answer = self._remote.call("PATCH", target, json=body)
        except Refused as refused:
            # 403 Authorization_RequestDenied: without the permission and, by the reports there are, for an app that nobody approved
            refused.named = NOT_APPROVED if refused.status == 403 else None
            raise
        return Sent(client_request_id=answer.client_request_id, request_id=answer.request_id)

    def carried(self, message_id: str) -> Carried:
        """Only asked after a send that was answered."""
        return Carried(accepted=True)
