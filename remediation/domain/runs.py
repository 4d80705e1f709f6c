"""Each piece of news that Microsoft had to be told of a link: desired when, sent, confirmed, or overtaken by the next.

Next door: `told` (what this is read from), `ways`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .told import DESIRED, Deed, KnownLink, Told


@dataclass(frozen=True)
class Run:
    """`down` where a device that stood as compliant had to be taken down: such news travels with the revocations. `resync` where
    Microsoft asked to be told once more, which nobody waits for."""

    link_id: str
    compliant: bool
    down: bool
    desired_at: datetime
    reasons: tuple[str, ...] = ()
    sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    overtaken: bool = False
    ended: bool = False
    resync: bool = False

    @property
    def lane(self) -> str:
        return "revocation" if self.down else "resync" if self.resync else "person"

    @property
    def took(self) -> timedelta | None:
        return None if self.confirmed_at is None else self.confirmed_at - self.desired_at

    @property
    def waited(self) -> timedelta | None:
        """For Microsoft, since it was sent."""
        return None if self.confirmed_at is None or self.sent_at is None else self.confirmed_at - self.sent_at


def runs(told: Told) -> list[Run]:
    """Of the news that became desired in this period."""
    return [run for deeds in told.by_link.values() for run in of_one(deeds) if run.desired_at in told.period]


def of_one(deeds: Sequence[Deed]) -> Iterator[Run]:
    """The same news told again, after a failure, is the same run: the device waits since it was first desired."""
    run: Run | None = None
    for deed in deeds:
        verdict, ended = deed.detail.get("verdict"), deed.why == "link.ended"
        if (deed.why in DESIRED and isinstance(verdict, str)) or (ended and run is not None):
            compliant, again = verdict == "compliant" and not ended, deed.why in ("push.failed", "push.not_applied")
            if again and run is not None and run.compliant == compliant and run.confirmed_at is None:
                continue
            down = ended or (
                not compliant
                and (deed.why in ("drift.repaired", "drift.seen", "mark.repaired") or (run is not None and run.compliant))
            )
            if run is not None:
                yield replace(run, overtaken=run.confirmed_at is None)
            run = Run(deed.about_id, compliant, down, deed.at, _reasons(deed), ended=ended, resync=deed.why == "push.resync")
        elif run is not None and deed.why == "push.sent":
            run = replace(run, sent_at=run.sent_at or deed.at)
        elif run is not None and deed.why == "push.confirmed" and (not run.compliant or deed.detail.get("shown") is True):
            run = replace(run, confirmed_at=run.confirmed_at or deed.at)
    if run is not None:
        yield run


def unfounded(told: Told) -> Iterator[Deed]:
    """Where *compliant* was sent of a link in this period though the last that was decided of it does not say so."""
    for deeds in told.by_link.values():
        compliant = False
        for deed in deeds:
            if deed.why in DESIRED and "verdict" in deed.detail:
                compliant = deed.detail["verdict"] == "compliant"
            elif deed.why == "link.ended":
                compliant = False
            elif deed.why == "push.sent" and deed.detail.get("compliant") is True and not compliant and deed.at in told.period:
                yield deed


def chosen(found: Sequence[Run], links: Mapping[str, KnownLink], platform: str | None, connection: str | None) -> list[Run]:
    """Links that are no longer known belong to no platform and no connection."""
    return [run for run in found if fits(links.get(run.link_id), platform, connection)]


def fits(link: KnownLink | None, platform: str | None, connection: str | None) -> bool:
    if link is None:
        return platform is None and connection is None
    return platform in (None, link.platform.value) and connection in (None, link.connection)


def _reasons(deed: Deed) -> tuple[str, ...]:
    told = deed.detail.get("reasons")
    return tuple(reason for reason in told if isinstance(reason, str)) if isinstance(told, list) else ()
