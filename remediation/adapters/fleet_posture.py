"""Fleet's words, each table with its source, and what they say together. A word that a table lacks is unknown, never good.

Computers are judged by their policies, which osquery runs there. On iPhone, iPad and Android Fleet runs none (fleetdm/fleet#34131,
#43582): all that it knows is whether each configuration profile arrived, and whether that is enough is the administrator's to say.
Next door: `fleet` (what is asked), `fleet_hosts` (lists of hosts).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ..domain.bar import Facts, Ownership
from ..domain.compliance import MdmWord, Posture, Rule
from ..domain.device import Platform
from .fields import fold
from .http import Fields

# `platform`: fleetdm/fleet server/fleet/hosts.go PlatformFromHost, docs/REST API/rest-api.md; any Linux is no platform of ours
PLATFORMS = {
    "ios": Platform.IOS,
    "ipados": Platform.IOS,
    "darwin": Platform.MACOS,
    "windows": Platform.WINDOWS,
    "android": Platform.ANDROID,
}
COMPUTERS = frozenset({Platform.MACOS, Platform.WINDOWS})

# `mdm.enrollment_status`: server/fleet/hosts.go HostMDM.EnrollmentStatus; *personal*: what Fleet's own scripts for personal devices
# compare with. *Pending* is assigned to Fleet by Apple and not enrolled.
ENROLLED = {"On (automatic)": True, "On (manual)": True, "On (personal)": True, "Pending": False, "Off": False}
OWNERSHIP = {"On (automatic)": Ownership.CORPORATE, "On (personal)": Ownership.EMPLOYEE}
# A host may be in Fleet for osquery alone and in another MDM: server/fleet/hosts.go WellKnownMDMFleet
FLEET = "fleet"

# `policies[].response`: docs/REST API/rest-api.md, Get host; empty where the policy has not run yet
RESPONSES: Mapping[str | None, MdmWord] = {"pass": MdmWord.COMPLIANT, "fail": MdmWord.NOT_COMPLIANT, "": MdmWord.PENDING}
# `mdm.profiles[].status`: schema table mdm_delivery_status. One on its way out says nothing good either.
DELIVERED: Mapping[str | None, MdmWord] = {
    "verified": MdmWord.COMPLIANT,
    "failed": MdmWord.NOT_COMPLIANT,
    "verifying": MdmWord.PENDING,
    "pending": MdmWord.PENDING,
}
# `os_version` is a name before a number: docs/REST API/rest-api.md. The organisation's bar compares numbers.
_VERSION = {
    Platform.IOS: re.compile(r"(?:iOS|iPadOS) (\d[\d.]*)"),
    Platform.MACOS: re.compile(r"macOS (\d[\d.]*)"),
    Platform.ANDROID: re.compile(r"Android (\d[\d.]*)"),
    Platform.WINDOWS: re.compile(r"\bWindows\b.*\b(10\.0\.\d+(?:\.\d+)*)"),
}
_APPLE_IDENTIFIER = re.compile(r"[A-Za-z]+\d+,\d+")
# server.NeverTimestamp stands where nothing was reported yet: server/chart/internal/mysql
_NEVER = datetime(2000, 1, 2, tzinfo=UTC)
_FROM_BEST = (MdmWord.COMPLIANT, MdmWord.PENDING, MdmWord.UNKNOWN, MdmWord.NOT_COMPLIANT)
# Rules are told in the words of whoever wrote the policy; in which language is not known
WRITTEN_IN = "und"


@dataclass(frozen=True)
class Meaning:
    """What the administrator says that Fleet's answers mean here. `integrity` are folded names of policies that a device which was
    tampered with fails; `unchecked` the platforms where nobody looks for that, knowingly; `profiles`: a phone or tablet is good by
    its profiles alone."""

    integrity: frozenset[str] = frozenset()
    unchecked: frozenset[Platform] = frozenset()
    profiles: bool = False


def platform(host: Fields) -> Platform:
    return PLATFORMS.get(host.text("platform") or "", Platform.UNKNOWN)


def model(host: Fields) -> str | None:
    """A Mac is named by an identifier (`Mac14,2`), which is of no family that a directory speaks of: it would refuse the pair."""
    found = host.text("hardware_model") or None
    return None if found and platform(host) is Platform.MACOS and _APPLE_IDENTIFIER.fullmatch(found) else found


def os_version(host: Fields) -> str | None:
    told = host.text("os_version") or ""
    pattern = _VERSION.get(platform(host))
    found = pattern.search(told) if pattern is not None else None
    return found[1] if found is not None else told or None


def moment(host: Fields, key: str) -> datetime | None:
    at = host.moment(key)
    return at if at is not None and at >= _NEVER else None


def last_seen(host: Fields) -> datetime | None:
    """When the device last reported what it is judged by: being online says nothing of policies that have not run since."""
    return moment(host, "policy_updated_at" if platform(host) in COMPUTERS else "detail_updated_at")


def reported_since(host: Fields, since: datetime) -> bool:
    told = (moment(host, key) for key in ("seen_time", "detail_updated_at", "policy_updated_at", "last_enrolled_at"))
    return any(at is not None and at >= since for at in told)


def enrolled(host: Fields) -> bool | None:
    """In this MDM: a host whose MDM is another one is not enrolled here. What the list leaves out is None there."""
    mdm = host.within("mdm")
    word, name = mdm.text("enrollment_status"), mdm.text("name")
    known = ENROLLED.get(word) if word is not None else None
    if known is not True:
        return known
    if name and fold(name.strip()) != FLEET:
        return False
    going = mdm.text("pending_action") == "wipe" or mdm.text("device_status") not in (None, "unlocked", "locked")
    return None if not name or going or mdm.flag("connected_to_fleet") is False else True


def facts(host: Fields) -> Facts:
    """What the record says beside its posture; whether the disk is encrypted only a single read tells."""
    word = host.within("mdm").text("enrollment_status")
    return Facts(host.flag("disk_encryption_enabled"), OWNERSHIP.get(word or ""))


def posture(host: Fields, meaning: Meaning, read_at: datetime) -> Posture:
    policies = _listed(host, "policies")
    judged, failing = (
        _by_policies(host, policies) if platform(host) in COMPUTERS else _by_profiles(host.within("mdm"), meaning.profiles)
    )
    return Posture(
        word=judged,
        enrolled=enrolled(host),
        compromised=_compromised(host, policies or [], meaning),
        failing=failing,
        last_seen=last_seen(host),
        read_at=read_at,
    )


def of_row(told: Posture) -> Posture:
    """A row of a list does not say which rules fail."""
    return replace(told, failing=())


def _listed(of: Fields, key: str) -> list[Fields] | None:
    """None where it is not told: a host without any is another answer."""
    return None if of.raw(key) is None else list(of.items(key))


def _by_policies(host: Fields, policies: list[Fields] | None) -> tuple[MdmWord, tuple[Rule, ...]]:
    """Good is what has policies, each of which passed, and whose own count of failing ones agrees: a list that lost one on its way
    is no proof."""
    if not policies:
        return MdmWord.UNKNOWN, ()
    word = _worst(RESPONSES.get(_word(policy, "response"), MdmWord.UNKNOWN) for policy in policies)
    failing = tuple(_rule(policy, "resolution") for policy in policies if _word(policy, "response") == "fail")
    counted = host.within("issues").number("failing_policies_count") if host.raw("issues") is not None else None
    return (MdmWord.UNKNOWN if word is MdmWord.COMPLIANT and counted != 0 else word), failing


def _by_profiles(mdm: Fields, enough: bool) -> tuple[MdmWord, tuple[Rule, ...]]:
    profiles = _listed(mdm, "profiles")
    if not enough or not profiles:
        return MdmWord.UNKNOWN, ()
    words = [DELIVERED.get(_word(profile, "status"), MdmWord.UNKNOWN) for profile in profiles]
    leaving = [_word(profile, "operation_type") != "install" for profile in profiles]
    judged = (MdmWord.PENDING if out and word is MdmWord.COMPLIANT else word for word, out in zip(words, leaving, strict=True))
    failing = tuple(_rule(profile, "detail") for profile in profiles if _word(profile, "status") == "failed")
    return _worst(judged), failing


def _compromised(host: Fields, policies: list[Fields], meaning: Meaning) -> bool | None:
    """Fleet looks for no jailbreak by itself: a policy of the administrator's does, or nobody."""
    told = [_word(policy, "response") for policy in policies if fold(policy.text("name") or "") in meaning.integrity]
    if "fail" in told:
        return True
    if told:
        return False if all(response == "pass" for response in told) else None
    return False if platform(host) in meaning.unchecked else None


def _rule(of: Fields, words: str) -> Rule:
    text = (of.text(words) or "").strip()
    return Rule(of.text("name") or "", text, None, ((WRITTEN_IN, text),) if text else ())


def _word(of: Fields, key: str) -> str | None:
    value = of.raw(key)
    return value if isinstance(value, str) else None


def _worst(words: Iterable[MdmWord]) -> MdmWord:
    return max(words, key=_FROM_BEST.index)
