"""The ways in which compliance reaches Microsoft: which platforms each can serve, and what the tenant chose for one platform.

`docs/channels.md` has them for people. Next door: `push` (what is carried).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from .device import Platform


class ChannelKind(StrEnum):
    INTUNE_PARTNER = "intune_partner"
    GRAPH_DEVICE = "graph_device"
    MDM_RELAY = "mdm_relay"


NONE = "none"
# memdocs third-party-partners.md: Android, iOS/iPadOS, macOS. graph-docs device-update.md: Windows, by approved apps
SERVES: Mapping[ChannelKind, frozenset[Platform]] = {
    ChannelKind.INTUNE_PARTNER: frozenset({Platform.IOS, Platform.ANDROID, Platform.MACOS}),
    ChannelKind.GRAPH_DEVICE: frozenset({Platform.WINDOWS}),
}
# What each MDM's maker carries by itself, by the connection's kind. Workspace ONE: docs.vmware.com "Use Compliance Data in Azure AD
# Conditional Access" (iOS, Android, macOS; Windows that was enrolled out of the box). MaaS360: IBM's manual of the integration.
RELAYED: Mapping[str, frozenset[Platform]] = {
    "workspace_one": frozenset({Platform.IOS, Platform.ANDROID, Platform.MACOS, Platform.WINDOWS}),
    "maas360": frozenset({Platform.IOS, Platform.ANDROID}),
    "fleet": frozenset(),  # Fleet has an integration of its own; how a person begins there is not in this product yet
}


@dataclass(frozen=True)
class Choice:
    """What serves one platform. `connection` is the MDM whose maker carries, for `mdm_relay` alone."""

    kind: ChannelKind
    connection: str | None = None


def choice(word: str, connections: Collection[str] = ()) -> Choice | None:
    """What a setting's word means, None for `none`. Where there is one MDM connection, `mdm_relay` alone is that one's. ValueError
    for any other word."""
    if word == NONE:
        return None
    kind, _, named = word.partition(":")
    chosen = ChannelKind(kind)
    if chosen is not ChannelKind.MDM_RELAY:
        if named or ":" in word:
            raise ValueError(word)
        return Choice(chosen)
    if ":" in word and not named:
        raise ValueError(word)
    only = next(iter(connections)) if len(connections) == 1 else None
    return Choice(chosen, named or only)
