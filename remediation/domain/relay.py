"""Where the MDM's maker carries compliance to Microsoft: does it know the registered device at all, and when is it its turn?

Only a registration that began in the MDM's own app tells the MDM the Azure device id. No MDM tells us whether it has one. Entra
does: there the maker's first word makes the device *managed*, whichever word it is.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .device import DirectoryDevice


@dataclass(frozen=True)
class Turn:
    """When the maker carries next, at the latest, counted from the last thing that the person did. `over` where that moment has
    gone and Entra shows nothing of the maker's."""

    by: datetime
    over: bool


def known_to_mdm(device: DirectoryDevice) -> bool:
    return device.managed is True or device.compliant is not None


def turn(since: datetime, every: timedelta, now: datetime) -> Turn:
    first = since + every
    if now < first:
        return Turn(first, over=False)
    return Turn(now + every, over=True)


def look_every(every: timedelta) -> timedelta:
    """How often Entra is asked meanwhile: some fifteen times in a cycle, but not more than twice a minute."""
    return min(max(every / 15, timedelta(seconds=30)), timedelta(minutes=15))
