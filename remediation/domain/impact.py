"""What a policy about compliant devices would do to people: for each, the first link of the chain that each of their devices lacks.

Pure, like all of the domain. Next door: `services/impact` (reads the lists), `steps` (one person's own journey, which decides).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from .device import ManagedKey, Platform
from .identifiers import fold
from .standing import Standing


class Reason(StrEnum):
    """In the order of the chain."""

    LICENCE = "licence"
    ENROLLMENT = "enrollment"
    REGISTRATION = "registration"
    LINK = "link"
    COMPLIANCE = "compliance"


NO_DEVICE = "none"
"""In the place of a platform: nobody knows of a device of theirs."""
TOLD_TO_BEGIN = (Reason.ENROLLMENT, Reason.REGISTRATION, Reason.LINK, Reason.COMPLIANCE)
"""What people can do something about. A licence is the administrator's to give."""


@dataclass(frozen=True)
class Managed:
    """An enrolled record; `device_id` is the directory device that a link of ours joins it with, None where none does."""

    key: ManagedKey
    platform: Platform
    device_id: str | None = None


@dataclass(frozen=True)
class Registered:
    """A directory device; `works` where its entry is enabled, `linked` where a link of ours holds it, be it somebody else's."""

    device_id: str
    platform: Platform
    works: bool
    compliant: bool
    linked: bool = False


@dataclass(frozen=True)
class Missing:
    """`platform` is a platform's word or `none`; `device` the managed device that lacks it, where there is one."""

    reason: Reason
    platform: str
    device: ManagedKey | None = None


def counts(standing: Standing) -> bool:
    """Guests and accounts that are switched off sign in nowhere here, policy or not."""
    return standing.account_enabled is not False and standing.guest is not True


def missing(
    licensed: bool | None, managed: Collection[Managed], registered: Collection[Registered], served: Collection[Platform]
) -> tuple[Missing, ...]:
    """Each reason once for each platform, however many devices lack it; nothing where every device of theirs gets through. Devices
    of a platform that no channel serves are not looked at. That nobody could tell a licence keeps nobody out."""
    ours = sorted((one for one in managed if one.platform in served), key=lambda one: one.key)
    theirs = [one for one in registered if one.platform in served and one.works]
    platforms = sorted({one.platform for one in ours} | {one.platform for one in theirs})
    if licensed is False:
        return tuple(Missing(Reason.LICENCE, platform) for platform in platforms or (NO_DEVICE,))
    if not platforms:
        return (Missing(Reason.ENROLLMENT, NO_DEVICE),)
    found: dict[tuple[Reason, str], Missing] = {}
    for platform in platforms:
        of_it = [one for one in ours if one.platform is platform]
        entries = [one for one in theirs if one.platform is platform]
        for lack in _of_platform(platform, of_it, entries):
            found.setdefault((lack.reason, lack.platform), lack)
    return tuple(found.values())


def _of_platform(platform: Platform, managed: Sequence[Managed], entries: Sequence[Registered]) -> Iterator[Missing]:
    """An entry that Entra shows compliant by itself lets one device through; any other may be that of an unlinked one."""
    by_id = {entry.device_id: entry for entry in entries}
    for one in managed:
        if one.device_id is None:
            continue
        entry = by_id.get(one.device_id)
        if entry is None:
            yield Missing(Reason.REGISTRATION, platform, one.key)
        elif not entry.compliant:
            yield Missing(Reason.COMPLIANCE, platform, one.key)
    mine = {one.device_id for one in managed}
    free = [entry for entry in entries if not entry.linked and entry.device_id not in mine]
    through, candidates = sum(entry.compliant for entry in free), sum(not entry.compliant for entry in free)
    unlinked = [one for one in managed if one.device_id is None][through:]
    for number, one in enumerate(unlinked):
        yield Missing(Reason.LINK if number < candidates else Reason.REGISTRATION, platform, one.key)
    if not managed and candidates:
        yield Missing(Reason.ENROLLMENT, platform)


def names_of(user_name: str, mail: str | None, match: str | None) -> Mapping[str, str]:
    """By which a person is known in an MDM's list: the kind of each name, in the order in which they decide, and the name."""
    first, _, rest = user_name.partition("@")
    given = {"match": match, "mail": mail, "user_name": user_name, "first": first if rest else None}
    return {kind: fold(name.strip()) for kind, name in given.items() if name and name.strip()}


def asked_of(owner_mail: str | None, owner_user_name: str | None) -> frozenset[str]:
    """The names of a record's owner, as `names_of` has those of people."""
    return frozenset(fold(name.strip()) for name in (owner_mail, owner_user_name) if name and name.strip())


def owner(owner_mail: str | None, owner_user_name: str | None, known: Mapping[tuple[str, str], Collection[str]]) -> str | None:
    """Whose record it is; `known` are the people by kind and name. Two people with one name are nobody for certain, and the list
    tells less of an owner than a direct look asks: this is for counting, never for a link."""
    mail, user = (fold((name or "").strip()) for name in (owner_mail, owner_user_name))
    for kind, names in (("match", (mail, user)), ("mail", (mail,)), ("user_name", (mail, user)), ("first", (user,))):
        found = {oid for name in names if name for oid in known.get((kind, name), ())}
        if found:
            return found.pop() if len(found) == 1 else None
    return None
