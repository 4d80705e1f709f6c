"""Tell the people behind a number of the impact preview to begin, in waves: a message on the managed device, or a mail.

The message is a way to begin and no evidence. A person is told at most once for each time that an administrator asked, whatever
crashes: what was handed over and whose end nobody saw is *not known*, and not sent again. Next door: `impact` (the numbers),
`tell_owner` (messages that may come twice).
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from ..domain.impact import TOLD_TO_BEGIN, Reason
from ..domain.push import Lane
from ..errors import ImpactRefused, NotFound, Refused, RemoteError
from ..ports import Actor, DeviceManager, Messaging, OwnerMail, Store, in_lane
from ..ports.impact import StartMessage
from .tell_owner import DEVICE, MAIL, Words

WAYS = (DEVICE, MAIL)
AT_ONCE = 20  # of one beat
LARGEST, LONGEST = 5000, timedelta(days=7)
A_BREATH = timedelta(seconds=30)
TOO_MANY = 429


@dataclass(frozen=True)
class Beginning:
    """How people are told to begin."""

    managers: Mapping[str, DeviceManager]
    mail: OwnerMail | None
    words: Callable[[], Words]


@dataclass(frozen=True)
class WaveAsked:
    """What an administrator picks. `platform` is a platform's word or `none`."""

    count_id: str
    reason: str
    platform: str
    way: str
    size: int
    pause: timedelta

    @property
    def fault(self) -> str | None:
        """What is wrong with it, as a stable id."""
        if self.reason not in {reason.value for reason in TOLD_TO_BEGIN}:
            return "reason"
        if self.way not in WAYS or (self.way == DEVICE and self.reason == Reason.ENROLLMENT):
            return "way"
        if not 1 <= self.size <= LARGEST:
            return "size"
        return None if timedelta() <= self.pause <= LONGEST else "pause"


def begin_wave(store: Store, asked: WaveAsked, *, actor: Actor, now: datetime, because: str | None = None) -> tuple[str, int]:
    """Its id, and how many people it tells. Raises ImpactRefused."""
    if asked.fault is not None:
        raise ImpactRefused(asked.fault)
    wave_id = token_hex(8)
    with store.change(actor, "wave.asked", about=("wave", wave_id), at=now) as change:
        people = change.begin_wave(
            wave_id,
            count_id=asked.count_id,
            reason=asked.reason,
            platform=asked.platform,
            way=asked.way,
            size=asked.size,
            pause=asked.pause,
            asked_by=actor.id,
        )
        told = {**asdict(asked), "pause": int(asked.pause.total_seconds()), "people": people}
        change.audit(**told, **({"because": because} if because else {}))
    return wave_id, people


def stop_wave(store: Store, wave_id: str, *, actor: Actor, now: datetime, because: str | None = None) -> None:
    """From now on nobody further is told. Raises ImpactRefused where it is over."""
    with store.change(actor, "wave.stopped", about=("wave", wave_id), at=now) as change:
        change.audit(**({"because": because} if because else {}))
        change.stop_wave(wave_id, ended_by=actor.id)


def send_on(store: Store, beginning: Beginning, *, actor: Actor, clock: Callable[[], datetime]) -> int:
    """One beat: the next people of the wave that is due. How many were told."""
    told = 0
    with in_lane(Lane.SWEEP):
        for _ in range(AT_ONCE):
            message = store.claim_start_message(clock())
            if message is None:
                return told
            try:
                _tell(message, beginning)
            except RemoteError as error:
                if not _not_told(store, message, error, actor, clock):
                    return told
                continue
            _ended(store, message, "sent", None, actor, clock())
            told += 1
    return told


def _not_told(store: Store, message: StartMessage, error: RemoteError, actor: Actor, clock: Callable[[], datetime]) -> bool:
    """Whether the next one may be tried at once. Only what never left, or was not taken for want of room, is tried again."""
    reason, wait = f"{error.remote}_{error.why}", max(A_BREATH, timedelta(seconds=error.retry_after or 0))
    if not error.called or error.status == TOO_MANY:
        store.put_back(message, until=clock() + wait, reason=reason)
        return False
    failed = isinstance(error, NotFound | Refused)
    _ended(store, message, "failed" if failed else "unknown", reason, actor, clock())
    return failed


def _ended(store: Store, message: StartMessage, state: str, reason: str | None, actor: Actor, now: datetime) -> None:
    about = ("person", message.oid)
    with store.change(actor, f"start_message.{state}", about=about, at=now) as change:
        change.audit(wave=message.wave_id, number=message.number, way=message.way, **({"error": reason} if reason else {}))
        change.message_ended(message, state=state, reason=reason)


def _tell(message: StartMessage, beginning: Beginning) -> None:
    words = beginning.words()
    if message.way == MAIL:
        if beginning.mail is None or not message.mail:
            raise Refused("no mail server, or no address", remote="mail")
        identity = f"start/{message.wave_id}/{message.oid}"
        beginning.mail.send(message.mail, words.subject, words.text, identity=identity, at=message.at)
        return
    manager = beginning.managers.get(message.managed.connection) if message.managed is not None else None
    if message.managed is None or not isinstance(manager, Messaging):
        raise Refused("this MDM shows no messages", remote="mdm")
    manager.message(message.managed.record_id, words.text)
