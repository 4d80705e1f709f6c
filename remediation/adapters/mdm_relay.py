"""Where the MDM's maker carries compliance to Microsoft by itself: Workspace ONE through Intelligence, MaaS360 every four hours.

Sources: docs.vmware.com "Use Compliance Data in Azure AD Conditional Access"; IBM's manual of the integration (a sync every four
hours). Nothing of theirs can be called from outside; whether it happened, Entra shows. Next door: `graph`, which reads it.
"""

from collections.abc import Collection
from datetime import timedelta

from ..domain.channel import ChannelKind
from ..domain.device import DirectoryDevice, Platform
from ..ports import Directory


class MdmRelayChannel:
    """`ports.Relaying`: no `send` here."""

    kind = ChannelKind.MDM_RELAY

    def __init__(self, connection: str, *, every: timedelta, directory: Directory, platforms: Collection[Platform]) -> None:
        self.connection = connection
        self.every = every
        self.platforms = frozenset(platforms)
        self._directory = directory

    def observe(self, device_id: str) -> DirectoryDevice:
        return self._directory.device(device_id, owner=False)
