"""Which channels there are: those that a platform's setting names, each with the platforms that it was given; and the second lock.

Next door: `wire` (every remote), `settings/channels.py` (what was chosen, and checked).
"""

import secrets
from datetime import datetime, timedelta

from .adapters import graph_device, intune_partner, mdm_relay
from .adapters import second_lock as marks
from .domain.channel import ChannelKind, Choice
from .domain.device import Platform
from .domain.second_lock import SecondLock
from .errors import NotReady
from .ports import ComplianceChannel, Directory, Store
from .settings import WorkerSettings
from .settings.channels import PLATFORMS
from .wire import Wire


def channels(wire: Wire, settings: WorkerSettings, directory: Directory) -> list[ComplianceChannel]:
    return [_channel(wire, settings, directory, chosen, platforms) for chosen, platforms in chosen_by(settings).items()]


def keep_lock(settings: WorkerSettings, store: Store, at: datetime) -> SecondLock | None:
    """The second lock's row, made by chance the first time; None where the tenant has none."""
    number = settings.second_lock_attribute
    if number is None:
        return None
    found = store.keep_second_lock(number, f"remediation-{secrets.token_hex(16)}", at=at)
    if found.attribute != number:
        raise NotReady(
            f"REMEDIATION_SECOND_LOCK_ATTRIBUTE is {number}, and the second lock's marks stand in {found.name}, where they would "
            f"stay for ever. Set it to {found.attribute} again, or take them away: remediation lock give-up."
        )
    return found


def second_lock(wire: Wire, settings: WorkerSettings, lock: SecondLock) -> marks.GraphSecondLock:
    return marks.GraphSecondLock(wire.graph("lock"), name=lock.name, value=lock.value, platforms=settings.locked())


def chosen_by(settings: WorkerSettings) -> dict[Choice, frozenset[Platform]]:
    """Each channel that is used, and for which platforms."""
    found: dict[Choice, frozenset[Platform]] = {}
    for platform in PLATFORMS:
        chosen = settings.chosen(platform, settings.mdm)
        if chosen is not None:
            found[chosen] = found.get(chosen, frozenset()) | {platform}
    return found


def _channel(
    wire: Wire, settings: WorkerSettings, directory: Directory, chosen: Choice, platforms: frozenset[Platform]
) -> ComplianceChannel:
    if chosen.kind is ChannelKind.GRAPH_DEVICE:
        return graph_device.GraphDeviceChannel(wire.graph("channel"), directory=directory, platforms=platforms)
    if chosen.kind is ChannelKind.INTUNE_PARTNER:
        return intune_partner.IntunePartnerChannel(
            tenant_id=settings.tenant_id,
            graph=wire.graph("channel"),
            connect=wire.partner,
            directory=directory,
            now=wire.clock,
            platforms=platforms,
            hosts=settings.partner_hosts,
        )
    if chosen.kind is ChannelKind.MDM_RELAY and chosen.connection is not None:
        every = timedelta(minutes=settings.mdm[chosen.connection].relay_minutes)
        return mdm_relay.MdmRelayChannel(chosen.connection, every=every, directory=directory, platforms=platforms)
    raise NotReady(f"No channel {chosen.kind} is known")
