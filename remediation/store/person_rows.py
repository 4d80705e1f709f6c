"""Which rows are of one person, in every table: what `export` shows and `erase` takes away. `SqlPersonRows` implements
`ports.PersonRows`; the erasure itself is part of a change (`change_operating`).

Every table is either here or in `NOBODYS`; a test holds that. Rows go whole, so that a column which is added later goes with them.
The audit holds ids alone (docs/decisions/0007), and so it stays.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa

from ..domain.wishes import Kind
from . import terms
from .engine import reading
from .tables import (
    LIVING,
    access_requests,
    audit,
    cases,
    device_links,
    device_marks,
    directory_devices,
    group_members,
    impact_managed,
    impact_missing,
    impact_names,
    impact_people,
    impact_registered,
    journeys,
    managed_devices,
    notices,
    observations,
    people,
    possession_links,
    pushes,
    search_terms,
    sessions,
    set_up_wishes,
    shown_certificates,
    sign_ins,
    start_links,
    start_messages,
    turns,
    work_claims,
)

NOBODYS = {
    "audit": "ids alone: object ids of people, ids of rows, stable words; never a name, a mail address or a serial number",
    "audit_seals": "digests",
    "sign_in_states": "of a sign-in under way, before anybody is known; ends after minutes",
    "budgets": "of a remote",
    "remotes": "of a remote; of its own words those of a short list alone",
    "throttlings": "of a remote: how often it wanted fewer calls, and its own code",
    "turns": "how often somebody asked, under an object id; forgotten within hours, and by an erasure",
    "watches": "of a list that is read",
    "api_deeds": "what a program of the company's did, under its own object id, or that of whoever it did it for; gone after a day",
    "lease_extensions": "of an MDM connection",
    "impact_counts": "numbers of people, and which administrator asked",
    "start_waves": "numbers of people, and which administrator asked",
    "partner_told": "addresses of ours, ids of groups and policies, and which operator",
    "scopes": "ids and names of groups, and which administrator chose them",
    "set_up_wishes": "what an administrator asked of a remote: names of groups, counts, stable words; whoever was looked for to go "
    "first goes with an erasure",
    "arrival_tests": "which entrance, platform and kind of page; nothing of whoever arrived",
    "pilots": "ids of a link and of a connection, moments, and who started it",
    "dependents": "numbers of devices by MDM connection",
    "partner_slots": "of a platform: which vendor holds it",
    "second_lock": "an attribute and our own value in it",
    "seen_blocked": "that a device of a kind was blocked: an id of Microsoft's or what an operator wrote, and which operator",
    "message_tests": "of an MDM connection, and which operator asked",
    "appearance": "words, colours and a logo for everybody, which name nobody, and the object id of the administrator",
    "incidents": "a sentence for everybody, which names nobody, and the object id of who published it",
    "choices": "settings of the deployment, secrets sealed; who changed them stands in the audit",
    "set_up_looks": "of a remote, and what the worker was started with",
    "set_up_links": "digests, and which operator asked",
    "alarms": "texts of ours, with counts, names of connections and case codes, which lead to nobody once the case is gone",
}
SECRET = {"token_hash", "browser"}
"""What opens a session or a link, or is compared with what does: never exported."""

IMPACT = (impact_names, impact_registered, impact_managed, impact_missing, impact_people, start_messages)
"""What a policy would do to them, as it was counted, and whether they were told to begin."""

Which = sa.ColumnElement[bool]


class SqlPersonRows:
    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine, self._tenant_id = engine, tenant_id

    def held(self, oid: str) -> int:
        with reading(self._engine) as connection:
            return sum(_count(connection, table, which) for table, which in of_person(connection, self._tenant_id, oid))

    def living_links(self, oid: str) -> Sequence[str]:
        link = device_links.c
        mine = link.tenant_id == self._tenant_id, link.oid == oid, link.state.in_(LIVING)
        with reading(self._engine) as connection:
            return list(connection.execute(sa.select(link.id).where(*mine).order_by(link.id)).scalars())

    def ends_under_way(self, oid: str) -> int:
        with reading(self._engine) as connection:
            return _count(connection, device_links, under_way(self._tenant_id, oid))

    def everything(self, oid: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        found: dict[str, Sequence[Mapping[str, Any]]] = {}
        with reading(self._engine) as connection:
            of_them = of_person(connection, self._tenant_id, oid)
            for table, which in (*of_them, (audit, _told(connection, self._tenant_id, oid))):
                columns = [column for column in table.columns if column.name not in SECRET | {"tenant_id"}]
                rows = connection.execute(sa.select(*columns).where(which).order_by(*table.primary_key)).mappings()
                found[table.name] = [{name: _plain(value) for name, value in row.items()} for row in rows]
        return found


def under_way(tenant_id: str, oid: str) -> Which:
    """Links that live, or whose end Microsoft has not shown yet."""
    link = device_links.c
    same = sa.and_(pushes.c.tenant_id == link.tenant_id, pushes.c.link_id == link.id, pushes.c.next_look_at.is_not(None))
    return sa.and_(link.tenant_id == tenant_id, link.oid == oid, sa.or_(link.state.in_(LIVING), sa.exists().where(same)))


def of_person(connection: sa.Connection, tenant_id: str, oid: str, *, ever: bool = False) -> list[tuple[sa.Table, Which]]:
    """In an order that no foreign key is against. With `ever`, also what was seen of devices that somebody else has by now."""

    def mine(table: sa.Table, *which: Which) -> tuple[sa.Table, Which]:
        return table, sa.and_(table.c.tenant_id == tenant_id, *which)

    def read(table: sa.Table, *columns: str, **keys: Any) -> list[tuple[Any, ...]]:
        _, which = mine(table, *(table.c[name] == value for name, value in keys.items()))
        return [tuple(row) for row in connection.execute(sa.select(*(table.c[name] for name in columns)).where(which))]

    directory, managed = directory_devices.c, managed_devices.c
    links = read(device_links, "id", "device_id", "connection", "record_id", oid=oid)
    begun = read(journeys, "id", "browser", "possession_connection", "possession_record_id", oid=oid)
    browsers = {row[1] for row in begun} | {row[0] for row in read(sessions, "browser", oid=oid)}
    names = {str(name).lower() for row in read(people, "user_name", "mail", oid=oid) for name in row if name}
    linked, records = {row[1] for row in links}, {row[2:] for row in links} | {row[2:] for row in begun if row[2]}

    orphaned = directory.device_id.in_(linked), directory.listed_oid.is_(None), directory.owner_oid.is_(None)
    devices = mine(directory_devices, sa.or_(directory.listed_oid == oid, directory.owner_oid == oid, sa.and_(*orphaned)))
    owner = sa.or_(*(sa.func.lower(column).in_(names) for column in (managed.owner_user_name, managed.owner_mail)))
    nobodys = managed.listed_oid.is_(None), managed.owner_user_name.is_(None), managed.owner_mail.is_(None)
    of_links = sa.tuple_(managed.connection, managed.record_id).in_(records)
    phones = mine(managed_devices, sa.or_(managed.listed_oid == oid, owner, sa.and_(of_links, *nobodys)))

    subjects = {
        "person": {oid},
        "directory_device": {str(row[0]) for row in _read_keys(connection, *devices)} | (linked if ever else set()),
        "journey": {row[0] for row in begun},
        "managed_device": {"/".join(row) for row in [*_read_keys(connection, *phones), *(records if ever else ())]},
    }
    seen = (sa.and_(observations.c.subject_kind == kind, observations.c.subject_id.in_(ids)) for kind, ids in subjects.items())
    return [
        mine(notices, notices.c.link_id.in_({row[0] for row in links})),
        mine(pushes, pushes.c.link_id.in_({row[0] for row in links})),
        mine(device_links, device_links.c.oid == oid),
        mine(possession_links, possession_links.c.journey_id.in_({row[0] for row in begun})),
        mine(shown_certificates, shown_certificates.c.journey_id.in_({row[0] for row in begun})),
        mine(sign_ins, sign_ins.c.journey_id.in_({row[0] for row in begun})),
        mine(start_links, start_links.c.oid == oid),
        mine(device_marks, device_marks.c.oid == oid),
        mine(cases, cases.c.browser.in_(browsers)),
        mine(observations, sa.or_(*seen)),
        mine(access_requests, access_requests.c.oid == oid),
        mine(journeys, journeys.c.oid == oid),
        devices,
        phones,
        mine(sessions, sessions.c.oid == oid),
        mine(work_claims, work_claims.c.oid == oid),
        *(mine(table, table.c.oid == oid) for table in IMPACT),
        mine(search_terms, search_terms.c.oid == oid),
        mine(group_members, group_members.c.oid == oid),
        mine(people, people.c.oid == oid),
    ]


def erase(connection: sa.Connection, tenant_id: str, oid: str) -> dict[str, int]:
    """Rows that went, by table. A device that another's link or journey still needs keeps its row, emptied; the next look at it
    fills in what is true by then. What was deleted does not stay readable in the file's free pages either."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
    gone = {}
    for table, which in of_person(connection, tenant_id, oid, ever=True):
        gone[table.name] = _count(connection, table, which)
        if table in EMPTIED:
            for row in connection.execute(sa.select(table).where(which)).mappings().all():
                terms.forget(connection, table, row)
            keys = _read_keys(connection, table, which)
            own = [column for column in table.primary_key if column.name != "tenant_id"]
            which = sa.and_(table.c.tenant_id == tenant_id, sa.tuple_(*own).in_([tuple(row) for row in keys]))
            connection.execute(sa.update(table).where(which, _needed(table)).values(**EMPTIED[table]))
            which = sa.and_(which, ~_needed(table))
        connection.execute(sa.delete(table).where(which))
    asked = turns.c.tenant_id == tenant_id, turns.c.key.endswith(f":{oid}", autoescape=True)
    connection.execute(sa.delete(turns).where(*asked))
    wish = set_up_wishes.c
    looked_for = wish.tenant_id == tenant_id, wish.kind == Kind.ACCOUNT, wish.answer["oid"].as_string() == oid
    connection.execute(sa.delete(set_up_wishes).where(*looked_for))
    return gone


EMPTIED: Mapping[sa.Table, Mapping[str, Any]] = {
    directory_devices: {"name": "", **dict.fromkeys(("os_version", "model", "owner_oid", "listed_oid"))},
    managed_devices: {
        "name": "",
        "failing": [],
        **dict.fromkeys(("model", "os_version", "serial", "udid", "owner_user_name", "owner_mail", "listed_oid")),
    },
}


def _needed(devices: sa.Table) -> Which:
    """By a row of somebody else: those of the person went before."""
    by_id = {table: {"device_id": "device_id"} for table in (device_links, sign_ins)}
    by_key = {"connection": "connection", "record_id": "record_id"}
    asked = {"connection": "possession_connection", "record_id": "possession_record_id"}
    tables = (
        by_id
        if devices is directory_devices
        else {device_links: by_key, possession_links: by_key, sign_ins: by_key, shown_certificates: by_key, journeys: asked}
    )
    return sa.or_(
        *(
            sa.exists().where(
                table.c.tenant_id == devices.c.tenant_id, *(table.c[theirs] == devices.c[ours] for ours, theirs in keys.items())
            )
            for table, keys in tables.items()
        )
    )


def _told(connection: sa.Connection, tenant_id: str, oid: str) -> Which:
    """Audit rows by them, about them, or about what is theirs."""
    row = audit.c
    which = [sa.and_(row.actor_kind.in_(("person", "helpdesk")), row.actor_id == oid)]
    which.append(sa.and_(row.about_kind.in_(("person", "helpdesk")), row.about_id == oid))
    for kind, table, key in (("journey", journeys, journeys.c.id), ("link", device_links, device_links.c.id)):
        ids = connection.execute(sa.select(key).where(table.c.tenant_id == tenant_id, table.c.oid == oid)).scalars().all()
        which.append(sa.and_(row.about_kind == kind, row.about_id.in_(ids)))
    return sa.and_(row.tenant_id == tenant_id, sa.or_(*which))


def _read_keys(connection: sa.Connection, table: sa.Table, which: Which) -> Sequence[Any]:
    own = [column for column in table.primary_key if column.name != "tenant_id"]
    return connection.execute(sa.select(*own).where(which)).all()


def _count(connection: sa.Connection, table: sa.Table, which: Which) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table).where(which)).scalar_one())


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value if isinstance(value.value, str) else value.name.lower()
    return value
