"""One journey with everything that its step is derived from, as one snapshot.

Read more often than anything else (each page, each look), so its statements are made once: making them anew cost more than asking
them.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from ..domain.device import LinkState
from ..domain.journey import Journey
from . import rows
from .message_tests import arrives
from .tables import LIVING, device_links, directory_devices, journeys, managed_devices, people, pushes, shown_certificates, sign_ins


def columns_of(table: sa.Table, *more: sa.Table) -> sa.Select[Any]:
    """All of this table's; of `more` only the columns with names of their own."""
    columns = {c.name: c for t in (*more, table) for c in t.c}
    return sa.select(*columns.values()).select_from(table)


def same(ours: sa.Table, theirs: sa.Table, **columns: str) -> sa.ColumnElement[bool]:
    """Rows that belong together, within one tenant."""
    return sa.and_(ours.c.tenant_id == theirs.c.tenant_id, *(ours.c[a] == theirs.c[b] for a, b in columns.items()))


def of_tenant(table: sa.Table, *more: sa.Table) -> sa.Select[Any]:
    """For statements made once; `tenant_id` is given when they are asked."""
    return columns_of(table, *more).where(table.c.tenant_id == sa.bindparam("tenant_id"))


def _of_journey(table: sa.Table) -> sa.Select[Any]:
    return of_tenant(table).where(table.c.journey_id == sa.bindparam("journey_id")).order_by(table.c.returned_at)


def _listed(devices: sa.Table) -> sa.Select[Any]:
    """What the last whole look listed of this person's, on this platform. Unordered: for the order of the primary key SQLite would
    go through all devices there are."""
    theirs = devices.c.listed_oid == sa.bindparam("oid"), devices.c.platform == sa.bindparam("platform")
    return of_tenant(devices).where(*theirs, devices.c.gone_at.is_(None))


_JOURNEY = (
    of_tenant(journeys, people).join(people, same(journeys, people, oid="oid")).where(journeys.c.id == sa.bindparam("journey_id"))
)
_MANAGED, _DIRECTORY = _listed(managed_devices).add_columns(arrives()), _listed(directory_devices)
_MINE = device_links.c.tenant_id == sa.bindparam("tenant_id")
_LINKS = (
    # the person's own, and anybody's that hold one of these directory devices; each with its push. Two lists of ids, since of two
    # conditions joined by *or* SQLite reads all links
    of_tenant(device_links, pushes)
    .join(pushes, same(device_links, pushes, id="link_id"))
    .where(
        device_links.c.id.in_(
            sa.union(
                sa.select(device_links.c.id).where(_MINE, device_links.c.oid == sa.bindparam("oid")),
                sa.select(device_links.c.id).where(_MINE, device_links.c.device_id.in_(sa.bindparam("device_ids", expanding=True))),
            )
        ),
        device_links.c.state.in_(LIVING),
    )
)
_SIGN_INS = _of_journey(sign_ins)
_CERTIFICATES = _of_journey(shown_certificates).where(shown_certificates.c.returned_at.is_not(None))


def read(connection: sa.Connection, tenant_id: str, journey_id: str, *, fresh: bool = False) -> Journey | None:
    def all_of(statement: sa.Select[Any], **values: object) -> Sequence[sa.RowMapping]:
        return connection.execute(statement, {"tenant_id": tenant_id, **values}).mappings().all()

    found = all_of(_JOURNEY, journey_id=journey_id)
    if not found:
        return None
    row = found[0]
    whose = {"oid": row["oid"], "platform": row["platform"]}
    listed = sorted(all_of(_MANAGED, **whose), key=lambda r: (r["connection"], r["record_id"]))
    directory = sorted((rows.directory_device(r) for r in all_of(_DIRECTORY, **whose)), key=lambda d: d.device_id)
    links = sorted(all_of(_LINKS, oid=row["oid"], device_ids=[d.device_id for d in directory]), key=lambda r: r["made_at"])
    own = [r for r in links if r["oid"] == row["oid"] and r["platform"] is row["platform"]]
    journey = rows.journey(
        row,
        person=rows.person(row),
        managed=tuple(rows.managed_device(r) for r in listed),
        unproven=frozenset(r["connection"] for r in listed if not r["arrives"]),
        fresh=fresh,
        directory=tuple(directory),
        links=tuple(rows.device_link(r) for r in own),
        pushes=tuple(rows.push(r) for r in own),
        sign_ins=tuple(rows.sign_in(r) for r in all_of(_SIGN_INS, journey_id=journey_id)),
        certificates=tuple(rows.shown_certificate(r) for r in all_of(_CERTIFICATES, journey_id=journey_id)),
    )
    in_hand = journey.in_hand.key if journey.in_hand else None
    active = [rows.device_link(r) for r in links if r["state"] is LinkState.ACTIVE]
    return replace(journey, taken=frozenset(k.device_id for k in active if k.managed != in_hand))
