"""Which directory device is this managed device? Explained, and never guessed.

A difference of platform or of model family refuses; agreement proves nothing. Two candidates are a question for a person.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .device import DirectoryDevice, ManagedDevice, Platform
from .identifiers import identifier

WHY_NOT = ("names_nothing", "not_owned_by_person", "disabled", "other_platform", "other_model", "linked_elsewhere")
SAME_ARRIVAL = timedelta(days=1)  # Microsoft's apps ask to register before anybody enrolls; a phone of last year did neither today


@dataclass(frozen=True)
class Refusal:
    """Why a directory device cannot be this managed device; `why` is one of `WHY_NOT`."""

    device_id: str
    why: str


@dataclass(frozen=True)
class Match:
    """`chosen` only where nothing is left to decide. `how` explains it to helpdesk and audit. `settled`: the helpdesk chose among
    several, and Entra itself has to name the one before anything is pushed."""

    chosen: DirectoryDevice | None
    candidates: tuple[DirectoryDevice, ...]
    refused: tuple[Refusal, ...]
    how: str
    settled: bool = False


def match(
    managed: ManagedDevice,
    devices: Sequence[DirectoryDevice],
    *,
    oid: str,
    proof_sent_at: datetime,
    taken: Collection[str] = (),
    others: bool = False,
    only_new: bool = False,
    settled: str | None = None,
) -> Match:
    """Match a managed device, whose holder proved possession, with the person's directory devices. `only_new`: nobody proved
    anything, and `proof_sent_at` is when the journey began; one device that appeared since is all there is to go by.

    `devices` come from the person's own list, where the owner may not have been read yet (None); `services/link_device.py` reads it
    before it links. `taken` holds the device ids that another managed device is actively linked with; `others` says that the person
    holds a further managed device of this platform that has no link yet. `settled` is the one that staff chose among several: it
    settles which one is meant, and no doubt about it. Newest candidate first.
    """
    devices = sorted(devices, key=_newest_first)
    refused = tuple(Refusal(d.device_id, why) for d in devices if (why := _refusal(managed, d, oid, taken)))
    out = {r.device_id for r in refused}
    candidates = tuple(d for d in devices if d.device_id not in out)
    appeared = [d for d in candidates if d.registered_at is not None and d.registered_at > proof_sent_at]
    if only_new:
        return _only_new(managed, appeared, candidates, refused, others=others)
    if len(appeared) == 1:
        return Match(appeared[0], candidates, refused, "the only device registered after the link was sent")
    meant = next((d for d in candidates if d.device_id == settled), None)
    if len(candidates) > 1 and meant is not None:
        doubt = _doubt(managed, meant, others=others)
        chosen = meant if doubt is None else None
        return Match(chosen, candidates, refused, doubt or "the one of several that the helpdesk says it is", chosen is not None)
    if len(candidates) > 1:
        return Match(None, candidates, refused, "several registered devices could be this one")
    if not candidates:
        return Match(None, candidates, refused, "no registered device can be this one")
    doubt = _doubt(managed, candidates[0], others=others)
    chosen = candidates[0] if doubt is None else None
    return Match(chosen, candidates, refused, doubt or "the only registered device that can be this one")


def _only_new(
    managed: ManagedDevice,
    appeared: Sequence[DirectoryDevice],
    candidates: tuple[DirectoryDevice, ...],
    refused: tuple[Refusal, ...],
    *,
    others: bool,
) -> Match:
    if len(appeared) != 1:
        how = "several devices were registered since" if appeared else "no device was registered since"
        return Match(None, candidates, refused, how)
    doubt = _doubt(managed, appeared[0], others=others)
    return Match(appeared[0] if doubt is None else None, candidates, refused, doubt or "the only device registered since")


def _doubt(managed: ManagedDevice, device: DirectoryDevice, *, others: bool) -> str | None:
    """Why even the only candidate may be another phone: one that was replaced, or one that nobody manages. Registering anew settles
    it. Without this, somebody whose new registration is not listed yet would be linked with the phone before it.
    """
    if others:
        return "another managed device of this person waits for a link too"
    if device.registered_at is None or managed.enrolled_at is None:
        return "when it was registered, or this device enrolled, is not known"
    if device.registered_at < managed.enrolled_at - SAME_ARRIVAL:
        return "it was registered long before this device was enrolled"
    theirs, ours = _version(device.os_version), _version(managed.os_version)
    if theirs and ours and theirs > ours:
        return "it runs a newer system than this device does"
    return None


def _version(text: str | None) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text or "")[:3])


def _newest_first(device: DirectoryDevice) -> tuple[float, str, str]:
    """A whole order, so that nothing depends on the one in which a remote lists."""
    registered = -device.registered_at.timestamp() if device.registered_at else 0.0
    return registered, device.device_id, device.object_id


def _refusal(managed: ManagedDevice, device: DirectoryDevice, oid: str, taken: Collection[str]) -> str | None:
    if identifier(device.device_id) is None:
        return "names_nothing"
    if device.owner_oid is not None and device.owner_oid != oid:
        return "not_owned_by_person"
    if not device.enabled:
        return "disabled"
    if device.platform is not managed.platform:
        return "other_platform"
    ours, theirs = _family(device.model), _family(managed.model)
    if ours and theirs and ours != theirs:
        return "other_model"
    if device.device_id in taken:
        return "linked_elsewhere"
    return None


def _family(model: str | None) -> str | None:
    """`iPhone` of `iPhone 13 (128 GB Midnight)` and of `iPhone14,5`: marketing names and identifiers agree no further than that."""
    found = re.match(r"[^\W\d_]+", (model or "").strip())
    return found.group().casefold() if found else None


def one_per_device(records: Sequence[ManagedDevice]) -> tuple[ManagedDevice, ...]:
    """The MDM's records without the leftovers of earlier enrollments: of those with one serial, the enrolled one seen last. Where
    that does not decide, all of them stay, and which is meant is a question for a person.

    Serials repeat where a device was enrolled anew (AirWatch field reports; demisto/content VMwareWorkspaceONEUEM). One that names
    nothing makes no two records one device, and neither does one that two platforms share: makers number for themselves.
    """
    of_device: dict[tuple[str, Platform], list[ManagedDevice]] = {}
    for record in records:
        name = identifier(record.serial) or f"{record.key.connection}/{record.key.record_id}"
        of_device.setdefault((name, record.platform), []).append(record)
    return tuple(record for same in of_device.values() for record in same if _rank(record) == max(map(_rank, same)))


def _rank(record: ManagedDevice) -> tuple[bool, float]:
    seen = record.posture.last_seen
    return record.posture.enrolled is True, seen.timestamp() if seen else 0.0
