"""The second lock's mark, written into an extension attribute of Entra's device object through Microsoft Graph v1.0.

Permission Device.ReadWrite.All; on systems other than Windows Graph takes nothing but these attributes from an app. Next door:
`graph`, which reads the mark with the device.
"""

from collections.abc import Collection

from ..domain.device import Platform
from ..ports import Report, Sent
from .http import Remote


class GraphSecondLock:
    """`ports.Marking`."""

    def __init__(self, remote: Remote, *, name: str, value: str, platforms: Collection[Platform]) -> None:
        self._remote = remote
        self._name, self._value = name, value
        self.platforms = frozenset(platforms)

    def send(self, report: Report) -> Sent:
        return self._write(report.device_id, self._value if report.compliant and report.managed else None)

    def clear(self, device_id: str) -> Sent:
        return self._write(device_id, None)

    def _write(self, device_id: str, value: str | None) -> Sent:
        target = self._remote.path("devices(deviceId='{}')", self._remote.guid(device_id))
        # graph-docs api-reference/v1.0/api/device-update.md, by the alternate key; 204. null clears: Graph's known issues
        answer = self._remote.call("PATCH", target, json={"extensionAttributes": {self._name: value}})
        return Sent(client_request_id=answer.client_request_id, request_id=answer.request_id)
