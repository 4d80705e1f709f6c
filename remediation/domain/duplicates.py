"""Several entries in the directory for one device: it leaves one behind each time that it is set up anew.

Which of them is in use is known once it is linked, and before that only the person can mark one. Nothing is deleted because of
either: `repairs` has what staff may do about the others, and when. Next door: `matching`, which never guesses.
"""

from .device import DirectoryDevice
from .journey import Journey


def entries(journey: Journey) -> tuple[DirectoryDevice, ...]:
    """Of the linked device, the one in use first; empty where there is no second one, or no link."""
    link = journey.link
    linked = next((d for d in journey.directory if link is not None and d.device_id == link.device_id), None)
    if linked is None:
        return ()
    alike = (d for d in journey.directory if d is not linked and _alike(d, linked) and d.device_id not in journey.taken)
    others = sorted(alike, key=lambda d: d.registered_at or d.read_at, reverse=True)
    return (linked, *others) if others else ()


def _alike(one: DirectoryDevice, linked: DirectoryDevice) -> bool:
    return one.enabled and one.platform is linked.platform and one.name.casefold() == linked.name.casefold()
