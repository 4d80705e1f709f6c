"""`SqlLookUp` implements `ports.LookUp`: what the helpdesk reads. The audit row of a look-up is written by the service."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ..domain.device import Person
from ..ports import Actor, CaseFound, Event, PersonFound, StuckRow
from . import rows
from .engine import reading
from .sessions import alive
from .tables import (
    audit,
    cases,
    device_links,
    directory_devices,
    journeys,
    managed_devices,
    observations,
    people,
    sessions,
    watches,
)

_WORD_BEGINS = ("", " ", "-", ".", "_", "@", "'", "’", "(")
_ABOUT_LOOKING = "look_up.%"  # who looked stands in the audit, and would drown what happened


class SqlLookUp:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine = engine
        self._tenant_id = tenant_id

    def case(self, code: str) -> CaseFound | None:
        found = self._cases(journeys.c.case_code == code)
        if found:
            return found[0]
        row = self._all(sa.select(cases).where(self._mine(cases), cases.c.case_code == code))
        return None if not row else CaseFound(**{k: row[0][k] for k in ("case_code", "platform", "entrance", "opened_at")})

    def people(self, words: Sequence[str], *, limit: int) -> Sequence[PersonFound]:
        theirs = journeys.c.tenant_id == people.c.tenant_id, journeys.c.oid == people.c.oid
        last = sa.select(sa.func.max(journeys.c.started_at)).where(*theirs).scalar_subquery().label("last_case_at")
        matching = (_begins_a_word(word) for word in words)
        statement = sa.select(people, last).where(self._mine(people), *matching)
        found = self._all(statement.order_by(sa.func.lower(people.c.name), people.c.oid).limit(limit))
        return [PersonFound(rows.person(row), row["last_case_at"]) for row in found]

    def person(self, oid: str) -> Person | None:
        found = self._all(sa.select(people).where(self._mine(people), people.c.oid == oid))
        return rows.person(found[0]) if found else None

    def cases_of(self, oid: str) -> Sequence[CaseFound]:
        return self._cases(journeys.c.oid == oid)

    def timeline(self, oid: str, *, limit: int) -> Sequence[Event]:
        """Rows of the person, of their journeys and links (ended ones too), and of every device listed as theirs or linked."""
        done = (
            sa.select(audit)
            .where(self._mine(audit), sa.or_(*self._of_the_person(audit.c.about_kind, audit.c.about_id, oid)))
            .where(audit.c.why.not_like(_ABOUT_LOOKING))
            .order_by(audit.c.at.desc(), audit.c.id.desc())
        )
        seen = (
            sa.select(observations)
            .where(
                self._mine(observations),
                sa.or_(*self._of_the_person(observations.c.subject_kind, observations.c.subject_id, oid)),
            )
            .order_by(observations.c.at.desc(), observations.c.id.desc())
        )
        with reading(self._engine) as connection:
            events = [_done(row) for row in connection.execute(done.limit(limit)).mappings()]
            events += [_seen(row) for row in connection.execute(seen.limit(limit)).mappings()]
        # The sort is stable, so rows of one moment keep the order in which they were written.
        return sorted(events, key=lambda event: event.at, reverse=True)[:limit]

    def said_not_me(self, oid: str) -> datetime | None:
        said = audit.c.about_kind == "person", audit.c.about_id == oid, audit.c.why == "possession.not_me"
        with reading(self._engine) as connection:
            at: datetime | None = connection.execute(
                sa.select(sa.func.max(audit.c.at)).where(self._mine(audit), *said)
            ).scalar_one()
        return at

    def signed_in(self, oid: str, now: datetime) -> Sequence[datetime]:
        theirs = sa.select(sessions.c.signed_in_at).where(self._mine(sessions), sessions.c.oid == oid, alive(now))
        with reading(self._engine) as connection:
            return connection.execute(theirs.order_by(sessions.c.signed_in_at.desc())).scalars().all()

    def failing(self) -> Sequence[StuckRow]:
        watch = watches.c
        failing = self._all(sa.select(watches).where(self._mine(watches), watch.failing_since.is_not(None)).order_by(watch.name))
        return [
            StuckRow(
                *("watch", row["name"], "", row["name"], row["reason"] or "waiting", row["failing_since"], row["next_look_at"]),
                row["attempts"],
            )
            for row in failing
        ]

    def _of_the_person(self, kind: sa.Column[str], key: sa.Column[str], oid: str) -> Iterable[sa.ColumnElement[bool]]:
        directory, managed, link = directory_devices.c, managed_devices.c, device_links.c
        listed = sa.select(managed.connection + "/" + managed.record_id).where(
            self._mine(managed_devices), managed.listed_oid == oid
        )
        record = sa.select(link.connection + "/" + link.record_id).where(self._mine(device_links), link.oid == oid)
        own = {
            "journey": [sa.select(journeys.c.id).where(self._mine(journeys), journeys.c.oid == oid)],
            "link": [sa.select(link.id).where(self._mine(device_links), link.oid == oid)],
            "directory_device": [
                sa.select(directory.device_id).where(self._mine(directory_devices), directory.listed_oid == oid),
                sa.select(link.device_id).where(self._mine(device_links), link.oid == oid),
            ],
            "managed_device": [listed, record],
        }
        yield sa.and_(kind == "person", key == oid)
        for name, ids in own.items():
            yield from (sa.and_(kind == name, key.in_(some)) for some in ids)

    def _cases(self, condition: sa.ColumnElement[bool]) -> Sequence[CaseFound]:
        mine = sa.select(journeys).where(self._mine(journeys), condition)
        found = self._all(mine.order_by(journeys.c.started_at.desc(), journeys.c.id))
        return [
            CaseFound(row["case_code"], row["platform"], row["entrance"], row["started_at"], row["id"], row["oid"]) for row in found
        ]

    def _mine(self, table: sa.Table) -> sa.ColumnElement[bool]:
        return table.c.tenant_id == self._tenant_id

    def _all(self, statement: sa.Select[Any]) -> Sequence[sa.RowMapping]:
        with reading(self._engine) as connection:
            return connection.execute(statement).mappings().all()


def _begins_a_word(word: str) -> sa.ColumnElement[bool]:
    """SQLite folds the case of ASCII letters only, so a word is asked for in the three ways that people write names."""
    spellings = {word} if word.isascii() else {word.lower(), word.upper(), word.title()}
    return sa.or_(
        *(
            column.istartswith(spelling, autoescape=True) if not before else column.icontains(before + spelling, autoescape=True)
            for column in (people.c.name, people.c.user_name, people.c.mail)
            for spelling in spellings
            for before in _WORD_BEGINS
        )
    )


def _done(row: sa.RowMapping) -> Event:
    actor = Actor(row["actor_kind"], row["actor_id"])
    return Event(row["at"], row["why"], actor, (row["about_kind"], row["about_id"]), row["detail"])


def _seen(row: sa.RowMapping) -> Event:
    kind = row["subject_kind"]
    return Event(row["at"], f"{kind}.{row['what']}", None, (kind, row["subject_id"]), {"old": row["old"], "new": row["new"]})
