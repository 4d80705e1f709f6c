"""When the credentials of both app registrations end: found out, kept for the pages, and told by an alarm 30, 7 and 1 days before.

A certificate of our own says it by itself; of a secret the directory knows it, or else whoever typed it. Next door:
`domain/credential_ends.py`, `doctor_remotes` (the same for the doctor).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..domain.credential_ends import LOOK, OVER, App, Ends, How, in_use, level
from ..domain.onboarding import Looked
from ..errors import NotFound, Refused
from ..ports import AT_ONCE, Actor, Alarm, AppSecrets, Store

LOOKED_EVERY = timedelta(hours=6)
SOURCE = "credential"
_WHOSE = {App.SERVICE: "the service app", App.SIGN_IN: "the sign-in app"}
_LOST = {
    App.SERVICE: "Then nothing is read, linked or pushed any more: what Microsoft was told stays until its lease ends here.",
    App.SIGN_IN: "Then nobody can sign in here any more, neither people nor staff. Linked devices go on.",
}
_TEXT = (
    "The credential of {whose} ends at {at} ({how}).\n\n{lost}\n\n"
    "Who can act: an Application Administrator. Make another one in Entra, and give it to this product: /onboarding/credential, or "
    "the setting it came from. It is told 30, 7 and 1 days before."
)


@dataclass(frozen=True)
class Known:
    """What is known here. `apps`: client ids; `certificate`: when our own ends, None where a secret is used; `hint`: what the
    service app's secret begins with; `typed`: what an administrator said."""

    apps: Mapping[App, str]
    certificate: Callable[[], datetime | None]
    hint: Callable[[], str]
    typed: Mapping[App, datetime] = field(default_factory=dict)


def find(known: Known, directory: AppSecrets, now: datetime) -> Sequence[Ends]:
    """Raises the errors of a remote that is away; one that refuses, or has no such app, leaves what was typed."""
    return [_of(app, known, directory, now) for app in App]


def _of(app: App, known: Known, directory: AppSecrets, now: datetime) -> Ends:
    own = known.certificate() if app is App.SERVICE else None
    if own is not None:
        return Ends(app, own, How.CERTIFICATE)
    client_id = known.apps.get(app)
    try:
        secrets = directory.secrets(client_id) if client_id else ()
    except (Refused, NotFound):  # not granted, or the app is of another tenant
        secrets = ()
    ends = in_use(secrets, known.hint() if app is App.SERVICE else "", now)
    if ends is not None:
        return Ends(app, ends, How.DIRECTORY)
    typed = known.typed.get(app)
    return Ends(app, typed, How.TYPED) if typed is not None else Ends(app)


def keep(found: Sequence[Ends], store: Store, *, actor: Actor, now: datetime) -> None:
    """For the pages, with the alarms that are due: each has an id of its own, so that it is raised once."""
    with store.change(actor, "set_up.looked", about=("look", LOOK), at=now) as change:
        change.audit(cause=None)
        change.looked_at(Looked(LOOK, looked_at=now, good_at=now, detail=plain(found)))
        for one in found:
            due = level(one.ends, now)
            if due is not None:
                change.raise_alarm(alarm(one, due, now))


def plain(found: Sequence[Ends]) -> Mapping[str, Mapping[str, str]]:
    return {one.app.value: {"ends": one.ends.isoformat(), "how": one.how.value} for one in found if one.ends and one.how}


def alarm(one: Ends, days: int, now: datetime) -> Alarm:
    ends = one.ends or now
    when = "has ended" if days == OVER else f"ends within {days} day{'s' if days > 1 else ''}"
    how = {How.CERTIFICATE: "by the certificate", How.DIRECTORY: "by the directory", How.TYPED: "as typed"}[one.how or How.TYPED]
    text = _TEXT.format(whose=_WHOSE[one.app], at=f"{ends:%Y-%m-%d %H:%M} UTC", how=how, lost=_LOST[one.app])
    name = f"{SOURCE}/{one.app.value}/{ends:%Y%m%dT%H%M}/{days}"
    return Alarm(name, SOURCE, AT_ONCE, now, f"The credential of {_WHOSE[one.app]} {when}", text)
