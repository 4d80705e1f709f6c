"""Tell whoever runs the product that a source of news gives no good answers: at 1, 12 and 24 hours, once each, and when it is back;
and, at once, that a person says *this wasn't me*.

Deciding and telling are two steps. The decision is a compare-and-set, so that of several workers one makes it, and it writes a row
for each way of telling; what could not be told is tried again, and never stops anything else. Texts are in English, as the command
line is. Next door: `domain/outage.py` (levels), `leases` (whose devices are at stake), `store/alarms.py` (the rows).
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from ..domain.outage import Source, sources
from ..domain.push import back_off
from ..errors import NO_CONSENT, NOT_APPROVED, NOT_SET_UP, Busy, Garbled, NotFound, Refused, RemoteError, Unreachable
from ..ports import AT_ONCE, Alarm, AlarmRows, AlarmSink, Leases, Revoked
from .leases import WITHIN

log = logging.getLogger(__name__)

TRY_AGAIN_FIRST = timedelta(minutes=1)

NOT_ME = "not_me"
_NOT_ME = (
    "At {at} the person of case {case} opened the message that was sent to their managed device, and pressed: this wasn't me. The "
    "messages of this case that could still be used are revoked, and whoever was signed in here with this account in another "
    "browser is signed out. It may be a slip. It may also be that somebody else has this account, and tries to have a device of "
    "their own let in."
    "\n\n"
    "Who can act: the helpdesk. Search for the case code there, and ask the person, on a number that you know already, whether "
    "they began this case. If they did not: have an administrator end the account's sessions in Entra, reset the password and the "
    "second factors, and look at the devices that were registered for it lately."
)
_NAMES = {
    "directory": "Microsoft's directory",
    "channel": "Microsoft's compliance service",
    "partner": "Microsoft's connection to its compliance partner",
}
_REFUSED = (
    "Who can act: an administrator. Look at the credential first: expired, revoked, consent withdrawn or a permission taken away. "
    "Once it is right again everything goes on by itself."
)
_SILENT = (
    "Who can act: whoever runs that system, or the network between. Ask whether it is down or under maintenance. It is tried again "
    "all the time, and everything goes on by itself once it answers."
)
_ODD = (
    "Who can act: whoever runs this product. The answers are not as specified, as after an update of that system or behind a proxy "
    "that puts pages of its own in between. The log names each call (`remote.call`)."
)
_OURS = "Who can act: whoever runs this product. It ran into a fault of its own: look for `wake-up failed` in the worker's log."
_NO_CONSENT = (
    "Who can act: an Entra administrator. The service app may do nothing in this tenant any more: its consent was withdrawn, or "
    "the app was deleted or disabled. Grant admin consent again. It is tried every 15 minutes, and then all goes on by itself."
)
_NOT_SET_UP = (
    "Who can act: an Intune administrator. This tenant has no partner compliance service, which is so where Intune is not set up "
    "or not licensed. It is tried every 15 minutes, and everything goes on by itself once it is there."
)
_TAKEN = (
    "Who can act: an Intune administrator. Another vendor holds the compliance-partner slot of a platform, and Microsoft takes "
    "only its word there. Intune admin center: Tenant administration, Connectors and tokens, Partner compliance management. "
    "Details: remediation partner show"
)
_MISSING = (
    "Who can act: an Intune administrator. Nobody was added as compliance partner for a platform. Intune admin center: Tenant "
    "administration, Connectors and tokens, Partner compliance management, Add compliance partner. "
    "Details: remediation partner show"
)
_NOT_ENABLED = (
    "Who can act: an Intune administrator. Intune lists us as compliance partner, and not as enabled. "
    "Details: remediation partner show"
)
_NOT_APPROVED = (
    "Who can act: an administrator in Entra. Microsoft Graph refuses to take the compliance of Windows devices from our service "
    "app: it lacks Device.ReadWrite.All with admin consent, or it is no MDM app that was approved (docs/channels.md). Once it may, "
    "everything goes on by itself."
)
_WHAT_TO_DO = {
    NOT_APPROVED: _NOT_APPROVED,
    NO_CONSENT: _NO_CONSENT,
    NOT_SET_UP: _NOT_SET_UP,
    "taken": _TAKEN,
    "missing": _MISSING,
    "not_enabled": _NOT_ENABLED,
    Refused.code: _REFUSED,
    NotFound.code: _ODD,
    Garbled.code: _ODD,
    Unreachable.code: _SILENT,
    Busy.code: _SILENT,
    "fault": _OURS,
}


def judge(rows: AlarmRows, leases: Leases, now: datetime, *, sinks: Sequence[str]) -> int:
    """How many alarms this call raised."""
    rows.watch_channel(now)
    raised = 0
    for source in sources(rows.watches()):
        alarm = _due(source, leases, now)
        if alarm is not None and rows.raise_alarm(source.leader.name, told=source.leader.alarmed, alarm=alarm, sinks=sinks):
            raised += 1
    return raised


def tell(rows: AlarmRows, sinks: Sequence[AlarmSink], now: datetime) -> int:
    """Tell what is due; returns how many were told. Told twice only after a crash between telling and writing it down."""
    by_name, told = {sink.name: sink for sink in sinks}, 0
    for due in rows.claim(now, list(by_name)):
        try:
            by_name[due.sink].tell(due.alarm)
        except Exception as error:  # whatever a sink runs into, the others are told and the worker goes on
            reason = error.code if isinstance(error, RemoteError) else type(error).__name__
            log.warning("alarm %s could not be told by %s: %s", due.alarm.id, due.sink, reason)
            rows.not_told(due, reason=reason, next_try_at=max(back_off(now, due.attempts), now + TRY_AGAIN_FIRST))
            continue
        rows.told(due, at=now)
        told += 1
    return told


def not_me_alarm(revoked: Revoked, now: datetime) -> Alarm:
    """Names nobody: a case code leads whoever may read it to the person, and mails and webhooks travel far."""
    identity = f"{NOT_ME}/{revoked.journey_id}/{now:%Y%m%dT%H%M%S.%fZ}"
    subject = f"Case {revoked.case_code}: somebody says that it was not them"
    text = _NOT_ME.format(case=revoked.case_code, at=_moment(now))
    return Alarm(identity, NOT_ME, AT_ONCE, now, subject, text)


def _due(source: Source, leases: Leases, now: datetime) -> Alarm | None:
    since, told = source.failing_since, source.leader.alarmed
    if since is None:
        return _back(source, now) if told else None
    level = source.level(now)
    if level <= told:
        return None
    name = _name(source)
    subject = f"No good answer from {name} for {level} {'hour' if level == 1 else 'hours'}"
    text = "\n\n".join([_what_happens(source, since), _what_to_do(source.reason), *_at_stake(source, leases, now)])
    return Alarm(f"{source.name}/{since:%Y%m%dT%H%M%SZ}/{level}", source.name, level, now, subject, text)


def _back(source: Source, now: datetime) -> Alarm:
    good_at = source.good_at or now
    text = f"{_name(source)} gives good answers again, since {_moment(good_at)}. Nobody has to act: what waited goes on by itself."
    identity = f"{source.name}/{good_at:%Y%m%dT%H%M%SZ}/back"
    return Alarm(identity, source.name, 0, now, f"Good answers again from {_name(source)}", text[0].upper() + text[1:])


def _name(source: Source) -> str:
    return f"the MDM connection {source.connection}" if source.connection else _NAMES.get(source.name, source.name)


def _what_happens(source: Source, since: datetime) -> str:
    last = f"The last good answer came at {_moment(source.good_at)}." if source.good_at else "There was no good answer yet."
    words = f"{_name(source)} gives no good answers since {_moment(since)} ({source.reason or 'reason unknown'}). {last}"
    return words[0].upper() + words[1:]


def _what_to_do(reason: str | None) -> str:
    return _WHAT_TO_DO.get((reason or "").partition("_")[2], _SILENT)


def _at_stake(source: Source, leases: Leases, now: datetime) -> Sequence[str]:
    if source.connection is None:
        return ["Until then changes of posture do not reach Microsoft in time. Details: remediation connections, remediation stuck"]
    counts: Mapping[str, tuple[int, ...]] = leases.ending(now, WITHIN)
    standing, *within = counts.get(source.connection, (0,) * (len(WITHIN) + 1))
    if not standing:
        return ["No device stands as compliant by what this connection said. Details: remediation connections, remediation stuck"]
    ends = ", ".join(f"{count:,} within {hours} h" for hours, count in zip(WITHIN, within, strict=True))
    stand = "device stands" if standing == 1 else "devices stand"
    return [
        f"{standing:,} {stand} as compliant by what this connection said. Without good answers their leases end: {ends}. "
        "A device whose lease ends is taken down, and its owner is blocked.",
        "If it cannot be mended in time, the leases may be extended once in this outage, to at most seven days after our last good "
        f'read of each device: remediation leases extend {source.connection} --why "…"\n'
        "Details: remediation connections, remediation leases, remediation stuck",
    ]


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
