"""`SqlPrunedRows` implements `ports.PrunedRows`: old rows deleted in small transactions, so that nobody waits behind them."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from ..domain.access import State
from ..domain.device import LinkState
from ..domain.reach import MEMBERS_LAST
from ..domain.wishes import BRIEF
from . import terms
from .by_key import delete_each, update_each
from .engine import reading, writing
from .sessions import IDLE, LASTS
from .tables import (
    LIVING,
    access_requests,
    alarms,
    api_deeds,
    audit,
    cases,
    device_links,
    device_marks,
    directory_devices,
    group_members,
    impact_counts,
    impact_managed,
    impact_missing,
    impact_names,
    impact_people,
    impact_registered,
    incidents,
    journeys,
    managed_devices,
    notices,
    observations,
    people,
    possession_links,
    pushes,
    sessions,
    set_up_wishes,
    shown_certificates,
    sign_in_states,
    sign_ins,
    start_links,
    start_messages,
    start_waves,
    throttlings,
    turns,
    work_claims,
)

BATCH = 500
DEEDS_LAST = timedelta(days=1)  # for so long a program may ask again under the same key
BY_KEY = {"connection": "connection", "record_id": "record_id"}
_CLOCKS = timedelta(hours=1)  # by which a web host's clock may be behind ours


class SqlPrunedRows:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def last_done(self, why: str) -> datetime | None:
        about = audit.c.about_kind == "tenant", audit.c.about_id == self._tenant_id
        last = sa.select(sa.func.max(audit.c.at)).where(audit.c.tenant_id == self._tenant_id, *about, audit.c.why == why)
        with reading(self._engine) as connection:
            found: datetime | None = connection.execute(last).scalar_one()
        return found

    def ended_sessions(self, now: datetime) -> int:
        now -= _CLOCKS
        session = sessions.c
        ended = sa.or_(session.signed_in_at <= now - LASTS, session.used_at <= now - IDLE)
        gone = self._delete(sessions, ended) + self._delete(sign_in_states, sign_in_states.c.until <= now)
        self._delete(turns, turns.c.full_at <= now)
        self._delete(work_claims, work_claims.c.until <= now)
        self._delete(api_deeds, api_deeds.c.at <= now - DEEDS_LAST)
        self._delete(group_members, group_members.c.listed_at <= now - MEMBERS_LAST)
        return gone

    def older_than(self, before: datetime) -> Mapping[str, int]:
        return {table.name: self._delete(table, old) for table, old in self._old(before)}

    def _old(self, before: datetime) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
        """In an order that no foreign key is against: messages, certificates and sign-ins before their journeys."""
        ended = journeys.c.expires_at <= before
        for table in (possession_links, shown_certificates, sign_ins):
            theirs = sa.and_(journeys.c.tenant_id == table.c.tenant_id, journeys.c.id == table.c.journey_id)
            yield table, sa.exists().where(theirs, ended)
        yield journeys, ended
        yield cases, cases.c.opened_at <= before
        yield from _impact(before)
        yield start_links, start_links.c.expires_at <= before
        yield alarms, alarms.c.at <= before
        yield incidents, incidents.c.until <= before
        over = access_requests.c.state.in_((State.ENDED, State.DENIED, State.FAILED, State.LAPSED, State.ASKED, State.FIRST))
        yield access_requests, sa.and_(access_requests.c.asked_at <= before, over)
        yield set_up_wishes, sa.and_(set_up_wishes.c.kind.in_(BRIEF), set_up_wishes.c.asked_at <= before)

    def mend_terms(self) -> int:
        with writing(self._engine) as connection:
            return terms.fill_missing(connection, self._tenant_id)

    def links_ended(self, before: datetime) -> Mapping[str, int]:
        gone: dict[str, int] = {}
        for table, old in self._ended(before):
            gone[table.name] = gone.get(table.name, 0) + self._delete(table, old)
        return gone

    def _ended(self, before: datetime) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
        """A link whose end Microsoft has not taken yet stays, however old. What was told of a device goes with its last link: times
        told go on growing (I11), since all that is left to outdo is the clock of so many days ago."""
        of_push = _same(device_links, pushes, id="link_id")
        done = device_links.c.state == LinkState.ENDED, device_links.c.ended_at <= before
        yield notices, sa.exists().where(_same(device_links, notices, id="link_id"), *done)
        yield pushes, sa.and_(pushes.c.next_look_at.is_(None), sa.exists().where(of_push, *done))
        yield device_links, sa.and_(*done, ~sa.exists().where(of_push))
        yield observations, observations.c.at <= before
        yield directory_devices, sa.and_(self._nobodys(directory_devices), _unlinked_directory_device())
        yield device_marks, ~sa.exists().where(_same(device_marks, directory_devices, device_id="device_id"))
        yield managed_devices, sa.and_(self._nobodys(managed_devices), _unlinked_managed_device())
        visits = (
            _same(people, table, oid="oid")
            for table in (journeys, device_links, sessions, start_links, device_marks, access_requests)
        )
        listed = (_same(people, table, oid="listed_oid") for table in (directory_devices, managed_devices))
        needed = (sa.exists().where(of_them) for of_them in (*visits, *listed))
        yield people, sa.and_(people.c.read_at <= before, *(~one for one in needed))

    def throttlings(self, before: datetime) -> int:
        return self._delete(throttlings, throttlings.c.day <= before - timedelta(days=1))

    def released(self) -> int:
        """Nothing is compared with them any more: an earlier enrollment, an event and a certificate are told by the records of
        living links and of lists. Whoever enrolls the device again brings them back."""
        living = sa.exists().where(_same(managed_devices, device_links, **BY_KEY), device_links.c.state.in_(LIVING))
        named = sa.or_(managed_devices.c.serial.is_not(None), managed_devices.c.udid.is_not(None))
        which = managed_devices.c.tenant_id == self._tenant_id, managed_devices.c.gone_at.is_not(None), named, ~living
        without, cleared = {"serial": None, "udid": None}, 0
        while True:
            with writing(self._engine) as connection:
                found = connection.execute(sa.select(managed_devices).where(*which).limit(BATCH).with_for_update()).mappings().all()
                for row in found:
                    terms.keep(connection, managed_devices, row, {**row, **without})
                update_each(connection, managed_devices, found, **without)
            cleared += len(found)
            if len(found) < BATCH:
                return cleared

    def _nobodys(self, devices: sa.Table) -> sa.ColumnElement[bool]:
        """In the list of nobody who has a journey or a link."""
        visits = (
            sa.exists().where(table.c.tenant_id == devices.c.tenant_id, table.c.oid == devices.c.listed_oid)
            for table in (journeys, device_links)
        )
        return sa.and_(*(~visit for visit in visits))

    def _delete(self, table: sa.Table, old: sa.ColumnElement[bool]) -> int:
        keys, gone = list(table.primary_key), 0
        owner = [table.c[terms.OWNER[table]]] if table in terms.OWNER else []
        chosen = sa.select(*dict.fromkeys([*keys, *owner])).where(table.c.tenant_id == self._tenant_id, old).limit(BATCH)
        while True:
            with writing(self._engine) as connection:
                found = connection.execute(chosen).mappings().all()
                for row in found if owner else ():
                    terms.forget(connection, table, row)
                delete_each(connection, table, found)
            gone += len(found)
            if len(found) < BATCH:
                return gone


def _impact(before: datetime) -> Iterator[tuple[sa.Table, sa.ColumnElement[bool]]]:
    """What a policy would do to people, with the people; and whom an administrator had told to begin."""
    for table in (impact_names, impact_registered, impact_managed, impact_missing, impact_people):
        of_it = impact_counts.c.tenant_id == table.c.tenant_id, impact_counts.c.id == table.c.count_id
        yield table, sa.exists().where(*of_it, impact_counts.c.asked_at <= before)
    yield impact_counts, impact_counts.c.asked_at <= before
    ended = start_waves.c.ended_at <= before
    of_wave = start_waves.c.tenant_id == start_messages.c.tenant_id, start_waves.c.id == start_messages.c.wave_id
    yield start_messages, sa.exists().where(*of_wave, ended)
    yield start_waves, ended


def _same(ours: sa.Table, theirs: sa.Table, **columns: str) -> sa.ColumnElement[bool]:
    return sa.and_(ours.c.tenant_id == theirs.c.tenant_id, *(ours.c[a] == theirs.c[b] for a, b in columns.items()))


def _unlinked_directory_device() -> sa.ColumnElement[bool]:
    return sa.and_(
        *(~sa.exists().where(_same(directory_devices, table, device_id="device_id")) for table in (device_links, sign_ins))
    )


def _unlinked_managed_device() -> sa.ColumnElement[bool]:
    asked = {"connection": "possession_connection", "record_id": "possession_record_id"}
    named = (
        (device_links, BY_KEY),
        (possession_links, BY_KEY),
        (sign_ins, BY_KEY),
        (shown_certificates, BY_KEY),
        (journeys, asked),
    )
    return sa.and_(*(~sa.exists().where(_same(managed_devices, table, **keys)) for table, keys in named))
