"""What the doctor asks of Microsoft and of the MDMs: as little as proves the prerequisite. No record of a person is read: somebody
whom nobody knows is asked for, and *not found* is the good answer.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from ..domain import powers
from ..domain.credential_ends import OVER, App, level
from ..domain.device_policy import catches, leaves_out
from ..domain.evidence import Level
from ..domain.finding import Finding, State
from ..errors import RemoteError
from ..ports import Listing, Policies, Reachable, Relaying
from .doctor import Doctor
from .doctor_asks import answers, of_error, read, without_token

CLOCKS = timedelta(minutes=2)  # tokens of Microsoft's are taken with five minutes of difference; we say so earlier


def tokens(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """What the app may do is read from the token itself: what Microsoft granted, not what somebody meant to grant."""
    for resource, token in doctor.tokens.items():
        if not _needed(doctor, resource):
            continue  # no channel of the tenant's goes there
        try:
            roles = token.roles()
        except RemoteError as error:
            yield of_error("token", error, resource)
            continue
        yield Finding("token", State.GOOD, "given", resource)
        yield from _permissions(doctor, resource, roles)


def _needed(doctor: Doctor, resource: str) -> frozenset[str]:
    world = doctor.world
    channels, disables = {channel.kind for channel in world.channels}, world.directory_writing is not None
    return powers.needed(resource, channels, lock=world.lock is not None, disables=disables)


def _permissions(doctor: Doctor, resource: str, roles: frozenset[str] | None) -> Iterator[Finding]:
    if roles is None:
        yield Finding("permissions", State.UNKNOWN, "not_told", resource)
        return
    needed = {*_needed(doctor, resource), *(("GroupMember.Read.All",) if doctor.groups and resource == "graph" else ())}
    if resource == "graph" and doctor.bypass is not None and doctor.bypass[1] is not None:
        needed.add(doctor.bypass[1].permission)
    found = powers.judge(roles, needed, powers.OPTIONAL if resource == "graph" else ())
    if found.missing:
        yield Finding("permissions", State.BAD, "missing", resource, {"permissions": ", ".join(found.missing)})
    if found.too_many:
        yield Finding("permissions", State.BAD, "too_many", resource, {"permissions": ", ".join(found.too_many)})
    if not found.missing and not found.too_many:
        yield Finding("permissions", State.GOOD, "right", resource)
    for permission in found.lacking:
        yield Finding("permissions", State.GOOD, "without", resource, {"permission": permission})


_APPS = {App.SERVICE: "service app", App.SIGN_IN: "sign-in app"}


def credentials(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """Of a certificate of our own it is known without any remote; of a secret the directory knows, or whoever typed it."""
    if doctor.ends is None:
        return
    try:
        known = doctor.ends()
    except RemoteError as error:
        yield Finding("credential", State.UNKNOWN, "not_told", detail={"code": error.vendor_code or error.code})
        return
    for one in known:
        about = _APPS[one.app]
        due = level(one.ends, doctor.world.clock())
        if one.ends is None:
            yield Finding("credential", State.UNKNOWN, "not_known", about)
            continue
        detail = {"ends": f"{one.ends:%Y-%m-%d %H:%M} UTC", "by": one.how or ""}
        if due is None:
            yield Finding("credential", State.GOOD, "lasts", about, detail)
        else:
            yield Finding("credential", State.BAD, "over" if due == OVER else "nearly_over", about, detail)


def directory(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    asked: dict[str, Callable[[], object]] = {
        "people": lambda: doctor.world.directory.person(str(uuid4())),
        "devices": lambda: doctor.world.directory.device(str(uuid4())),
    }
    for what, ask in asked.items():
        yield without_token("directory", found, what) or answers("directory", ask, what)


def channels(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """What each serves, and what it cannot promise. Whether Graph takes a Windows device's compliance from this app, only one that
    was sent shows."""
    for channel in doctor.world.channels:
        detail = {"platforms": ", ".join(sorted(channel.platforms))}
        if isinstance(channel, Relaying):
            detail |= {"connection": channel.connection, "minutes": f"{channel.every.total_seconds() / 60:.0f}"}
        yield Finding("channel", State.GOOD, channel.kind.value, channel.kind.value, detail)
    if not doctor.world.channels:
        yield Finding("channel", State.BAD, "none")


def partner(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    for channel in doctor.world.channels:
        if isinstance(channel, Reachable):
            no_token = without_token("partner", found) or without_token("partner", found, resource="intune")
            yield no_token or answers("partner", channel.reach)


def mdm(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    for name, manager in doctor.world.managers.items():
        if not isinstance(manager, Listing):
            yield Finding("mdm", State.UNKNOWN, "no_list", name)
            continue
        try:
            page = manager.page(None, since=None)
        except RemoteError as error:
            yield of_error("mdm", error, name)
            continue
        read, unreadable = len(page.rows), len(page.unreadable)
        if unreadable > read:
            yield Finding("mdm", State.BAD, "unreadable", name, {"count": str(unreadable)})
        else:
            yield Finding("mdm", State.GOOD if read else State.UNKNOWN, "read" if read else "empty", name, {"count": str(read)})


def messages(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """Whether an MDM's account may send a message, only a message shows: `message_test`."""
    for name, test in doctor.tests.items():
        if name in doctor.silent:
            yield Finding("messages", State.GOOD if doctor.world.minimum is Level.FRESH else State.BAD, "impossible", name)
        elif test is None:
            yield Finding("messages", State.BAD, "never_tried", name)
        elif test.proven_at is not None:
            yield Finding("messages", State.GOOD, "proven", name, {"at": f"{test.proven_at:%Y-%m-%d %H:%M} UTC"})
        else:
            state = test.state(doctor.world.clock())
            why = "not_sent" if test.sent_at is None else "waiting" if state == "open" else "not_seen"
            yield Finding("messages", State.BAD, why, name, {"by": test.asked_by})


def sign_in_log(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    """Optional: what it is for is told with it."""
    log, now = doctor.world.sign_in_log, doctor.world.clock()
    if log is None:
        return
    nobody = str(uuid4())
    read_it = read("sign_in_log", lambda: log.devices(nobody, oid=nobody, app_id=nobody, since=now, until=now), found)
    if not isinstance(read_it, Finding):
        yield Finding("sign_in_log", State.GOOD, "readable")
    elif read_it.why == "not_readable":
        yield replace(read_it, state=State.GOOD)  # it is an ability, and that it is not there is known
    else:
        yield read_it


def policy(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    """Whoever is caught by the policy that blocks Outlook must be able to sign in here all the same."""
    if doctor.sign_in_app is None:
        yield without_token("policy", found) or Finding("policy", State.UNKNOWN, "which_app")
        return
    yield from policies_about(doctor.policies, doctor.sign_in_app, found)


def policies_about(policies: Policies, sign_in_app: str, found: Sequence[Finding] = ()) -> Iterator[Finding]:
    known = read("policy", policies.policies, found)
    if isinstance(known, Finding):
        yield known
        return
    caught = [(one.name, catches(one, sign_in_app)) for one in known]
    for why, state, says in (("caught", State.BAD, True), ("unclear", State.UNKNOWN, None)):
        names = [name for name, catching in caught if catching is says]
        if names:
            yield Finding("policy", state, why, detail={"policies": ", ".join(names)})
    if all(catching is False for _, catching in caught):
        yield Finding("policy", State.GOOD, "excluded", detail={"count": str(len(known))})


def temporary_access(doctor: Doctor, found: Sequence[Finding]) -> Iterator[Finding]:
    """Its group is to be left out of the policy about devices, and of no other; and Microsoft must take the question."""
    if doctor.bypass is None:
        return
    group, microsoft = doctor.bypass
    known = read("temporary_access", doctor.policies.policies, found)
    if isinstance(known, Finding):
        yield known
        if known.why == "no_token":
            return
    else:
        asks, others = leaves_out(known, group)
        for why, names in (("still_asked", asks), ("left_out_elsewhere", others)):
            if names:
                yield Finding("temporary_access", State.BAD, why, detail={"policies": ", ".join(names)})
        if not asks and not others:
            yield Finding("temporary_access", State.GOOD, "left_out")
    if microsoft is not None:
        yield answers("temporary_access", lambda: microsoft.shown(str(uuid4())), microsoft.called)


def clocks(doctor: Doctor, _: Sequence[Finding]) -> Iterator[Finding]:
    """By what the answers so far said of their time."""
    seen = doctor.clocks.ahead(doctor.world.clock())
    if not seen:
        yield Finding("clock", State.UNKNOWN, "no_answer")
    for host, ahead in sorted(seen.items()):
        wrong = abs(ahead) > CLOCKS
        detail = {"seconds": f"{abs(ahead).total_seconds():.0f}"}
        if wrong:
            yield Finding("clock", State.BAD, "ahead" if ahead > timedelta(0) else "behind", host, detail)
        else:
            yield Finding("clock", State.GOOD, "agrees", host, detail)
