"""Where the MDM's maker carries compliance to Microsoft: does it know the registered device at all, and when is it its turn?

Only a registration that began in the MDM's own app tells the MDM the Azure device id. No MDM tells us whether it has one. Entra
does: there the maker's first word makes the device *managed*, whichever word it is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .device import DirectoryDevice, LinkState
from .journey import Journey


@dataclass(frozen=True)
class Relay:
    """How it stands for a linked device. `known`: the maker has told of it at least once; `since`: from when we count its turn,
    None where the person has yet to begin in the MDM's app; `by`: its turn has come then at the latest; `missed`: that is past, and
    Entra shows nothing of it."""

    known: bool
    since: datetime | None
    by: datetime
    missed: bool

    @property
    def begins_in_app(self) -> bool:
        """*Registered, but the MDM does not know*, as far as anybody can see."""
        return not self.known and (self.since is None or self.missed)


def known_to_mdm(device: DirectoryDevice) -> bool:
    return device.managed is True or device.compliant is not None


def relay_of(journey: Journey, now: datetime) -> Relay | None:
    """None where the maker does not carry, and before the link."""
    link, every = journey.link, journey.relay
    if every is None or link is None or link.state is not LinkState.ACTIVE:
        return None
    device = next((d for d in journey.directory if d.device_id == link.device_id), None)
    known = device is not None and known_to_mdm(device)
    since = _news_since(journey) if known else _begun_at(journey, device)
    by = (since or now) + every
    return Relay(known, since, by, missed=since is not None and now >= by)


def _news_since(journey: Journey) -> datetime | None:
    """What the MDM says differs from what Entra shows since then."""
    push, link = journey.push, journey.link
    return push.desired_at if push is not None and push.desired_at is not None else link.made_at if link is not None else None


def _begun_at(journey: Journey, device: DirectoryDevice | None) -> datetime | None:
    """The person said that they registered in the app, or registered since the page told them to begin there."""
    registered = device.registered_at if device is not None else None
    told = registered if registered is not None and registered > journey.started_at else None
    return max((at for at in (journey.in_app_at, told) if at is not None), default=None)


def look_every(every: timedelta) -> timedelta:
    """How often Entra is asked meanwhile: some fifteen times in a cycle, but not more than twice a minute."""
    return min(max(every / 15, timedelta(seconds=30)), timedelta(minutes=15))
