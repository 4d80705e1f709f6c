"""What we may change of the directory's devices through Microsoft Graph v1.0, where the tenant permits it: switching one off.

Permission Device.ReadWrite.All, which is granted for nothing else than this and `graph_device`. Next door: `graph` reads.
"""

from .http import Remote


class GraphDirectoryWriting:
    """`ports.DirectoryWriting`."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def disable(self, object_id: str) -> None:
        # graph-docs api-reference/v1.0/api/device-update.md; 204. An app may write extensionAttributes alone of what is no Windows,
        # and one report adds accountEnabled (microsoft-graph known issues): refused with 400, or with 403 without the permission.
        target = self._remote.path("devices/{}", self._remote.guid(object_id))
        self._remote.call("PATCH", target, json={"accountEnabled": False}, may_be_refused=True)
