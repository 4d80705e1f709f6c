"""The product's database as it stands after a crowd was linked long ago: every row at rest. In bulk, so that 100,000 take
seconds."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa

from remediation.adapters import workspace_one_words
from remediation.adapters.fields import Fields
from remediation.domain.compliance import Lease, MdmWord, Verdict
from remediation.domain.device import LinkState, Platform
from remediation.domain.evidence import Level
from remediation.domain.push import Lane, message_id
from remediation.store import terms
from remediation.store.tables import device_links, directory_devices, managed_devices, people, pushes, search_terms
from sandbox import demo, workspace_one_shapes
from sandbox.crowd import Member
from sandbox.world import World

LINKS = UUID("3d3c7b0a-41c7-4b7f-9a0e-5a6f1d0c2b11")
AT_ONCE = 5000
LINKED_AGO = timedelta(days=38)


def link_of(member: Member) -> str:
    """The id of the member's link: the same in every run with the same seed."""
    return uuid5(LINKS, member.device.device_id).hex


def fill(engine: sa.Engine, world: World, members: Sequence[Member], *, next_look_at: datetime | None = None) -> None:
    """Rows for people, both sides' devices, active links and pushes: what the MDM says was read just now, told and confirmed."""
    with engine.begin() as connection:
        for start in range(0, len(members), AT_ONCE):
            rows = [_rows(world, member, next_look_at) for member in members[start : start + AT_ONCE]]
            for table in (people, directory_devices, managed_devices, device_links, pushes):
                connection.execute(sa.insert(table), list(_column(rows, table)))
            found_by = (term for row in rows for table in terms.SUBJECT for term in terms.terms_of(table, row[table.name]))
            connection.execute(sa.insert(search_terms), list(found_by))
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(
                sa.text("ANALYZE")
            )  # what autovacuum does within a minute; a plan for empty tables would be measured else


def _column(rows: Sequence[Mapping[str, Any]], table: sa.Table) -> Iterator[dict[str, Any]]:
    return (row[table.name] for row in rows)


def _rows(world: World, member: Member, next_look_at: datetime | None) -> dict[str, Any]:
    now, tenant = world.now(), {"tenant_id": world.tenant_id}
    person, device, record = member.person, member.device, member.record
    linked_at, link_id = now - LINKED_AGO, link_of(member)
    sides = {"device_id": device.device_id, "connection": "ws1", "record_id": str(record.id)}
    seen = Fields(workspace_one_shapes.device_v1(world, record), "mdm")
    generation = workspace_one_words.generation(seen)
    lease, well = Lease(), not record.failing
    until = min(now + lease.since_read, record.last_seen + lease.since_check_in)
    return {
        "people": {**tenant, "oid": person.oid, "name": person.name, "user_name": person.upn, "mail": person.mail, "read_at": now},
        "directory_devices": {
            **tenant,
            "device_id": device.device_id,
            "object_id": device.object_id,
            "name": device.name,
            "platform": Platform.IOS,
            "os_version": device.os_version,
            "enabled": True,
            "owner_oid": person.oid,
            "listed_oid": person.oid,
            "registered_at": device.registered_at,
            "compliant": device.is_compliant,
            "managed": device.is_managed,
            "read_at": now,
        },
        "managed_devices": {
            **tenant,
            "connection": "ws1",
            "record_id": str(record.id),
            "generation": generation,
            "name": record.friendly_name,
            "platform": Platform.IOS,
            "model": record.model,
            "os_version": record.os_version,
            "serial": record.serial,
            "owner_user_name": person.mdm_user_name,
            "owner_mail": person.mail,
            "udid": record.udid,
            "listed_oid": person.oid,
            "word": MdmWord.COMPLIANT if well else MdmWord.NOT_COMPLIANT,
            "enrolled": True,
            "compromised": False,
            "failing": [{"name": p.name, "detail": p.detail, "advice": demo.ADVICE.get(p.name)} for p in record.failing],
            "last_seen": record.last_seen,
            "enrolled_at": record.enrolled_on,
            "read_at": now,
        },
        "device_links": {
            **tenant,
            **sides,
            "id": link_id,
            "object_id": device.object_id,
            "generation": generation,
            "oid": person.oid,
            "platform": Platform.IOS,
            "evidence_level": Level.POSSESSION,
            "evidence_at": linked_at,
            "evidence_how": "filled in for a bench",
            "state": LinkState.ACTIVE,
            "made_at": linked_at,
        },
        "pushes": {
            **tenant,
            "link_id": link_id,
            "desired": Verdict.COMPLIANT if well else Verdict.NOT_COMPLIANT,
            **dict.fromkeys(("desired_seq", "sent_seq", "accepted_seq", "confirmed_seq"), 1),
            **dict.fromkeys(("desired_at", "sent_at", "accepted_at", "confirmed_at", "last_update_time"), linked_at),
            "reasons": [] if well else ["rules_fail"],
            "posture_read_at": now,
            "compliant_until": until if well else None,
            "message_id": message_id(world.tenant_id, link_id, 1),
            "confirmed_by": "changed",
            "observed": well,
            "observed_at": now,
            "lane": Lane.SWEEP,
            "wake": 0,
            "attempts": 0,
            "noted_at": linked_at,
            "next_look_at": next_look_at or until - timedelta(hours=1),
        },
    }
