"""Many people for the helpdesk to look for: one by the product's own rows, all others after them.

Next door: `copies` (the rows of the others), `fill` (a crowd that is linked and nothing else).
"""

import random
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from bench.stage import copies
from bench.stage.fill import fill, link_of
from remediation.domain.device import Platform
from remediation.domain.push import message_id
from remediation.store.engine import make_engine
from remediation.store.tables import audit, journeys, observations
from sandbox import crowd
from sandbox.crowd import Member
from sandbox.world import World

GIVEN = (
    "Anna",
    "Bruno",
    "Chiara",
    "David",
    "Elif",
    "Finn",
    "Greta",
    "Hugo",
    "Ida",
    "Jonas",
    "Karla",
    "Leon",
    "Mia",
    "Noah",
    "Paul",
)
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnrstvwz" for vowel in "aeo"]
AGO = timedelta(days=39)


def populate(url: str, world: World, links: int, chance: random.Random, say: Callable[[str], None]) -> None:
    engine = make_engine(url, durable=False)
    [member] = crowd.gather(world, 1)
    code = copies.codes(chance)
    first = _of(member, next(code), world.new_id())
    fill(engine, world, [member])
    _lived(engine, world, member, first)
    engine.dispose()
    numbers = range(1, links)
    others = (_somebody(number, links, int(first["record_id"]), next(code), chance) for number in numbers)
    copies.copy(url, first, world.tenant_id, others, say)


def _of(member: Member, code: str, journey: str) -> dict[str, str]:
    person, device, record = member.person, member.device, member.record
    link_id = link_of(member)
    return {
        "oid": person.oid,
        "name": person.name,
        "upn": person.upn,
        "mail": person.mail or "",
        "mdm_user": person.mdm_user_name or "",
        "device_id": device.device_id,
        "object_id": device.object_id,
        "device": device.name,
        "record_id": str(record.id),
        "serial": record.serial,
        "udid": record.udid,
        "link": link_id,
        "message": message_id(person.tenant_id, link_id, 1),
        "code": code,
        "journey": journey,
    }


def _somebody(number: int, of: int, first_record: int, code: str, chance: random.Random) -> dict[str, str]:
    """As people are called: given names are shared by many, family names by few. Object ids go up, from anywhere to anywhere."""
    family = "".join(chance.choice(SYLLABLES) for _ in range(4)).title()
    name, record = f"{chance.choice(GIVEN)} {family}", first_record + number
    oid = copies.new_id(chance, ((number << 64) // of) << 64)
    ids = (copies.new_id(chance) for _ in range(5))
    return {
        "oid": oid,
        "name": name,
        "upn": f"person.{record}@contoso.example",
        "mdm_user": f"person.{record}",
        "mail": f"{name.replace(' ', '.').lower()}.{record}@contoso.example",
        "device": f"{name}’s iPhone",
        "record_id": str(record),
        "serial": f"F2L{record:09}",
        "udid": f"00008110-{chance.getrandbits(64):016X}",
        "code": code,
        **dict(zip(("device_id", "object_id", "link", "message", "journey"), ids, strict=True)),
    }


def _lived(engine: sa.Engine, world: World, member: Member, who: dict[str, str]) -> None:
    """A case, long over, and what was written down of it."""
    begun, tenant = world.now() - AGO, {"tenant_id": world.tenant_id}
    times = {"started_at": begun, "expires_at": begun + timedelta(days=1), "done_at": begun + timedelta(minutes=9)}
    of_case = {"id": who["journey"], "case_code": who["code"], "oid": who["oid"], "platform": Platform.IOS}
    case = {**tenant, **of_case, **times, "browser": "b", "entrance": "start", "attempts": 0, "wake": 0}
    told = {**tenant, "at": begun, "actor_kind": "worker", "actor_id": "w", "detail": {}}
    done = [{**told, "why": "journey.started", "about_kind": "journey", "about_id": who["journey"]}]
    done += [{**told, "why": why, "about_kind": "link", "about_id": who["link"]} for why in ("link.made", "push.sent")]
    noted = {**tenant, "at": begun, "subject_kind": "directory_device", "subject_id": member.device.device_id}
    seen = [{**noted, "what": what, "old": None, "new": new} for what, new in {"name": "iPhone", "compliant": True}.items()]
    with engine.begin() as connection:
        for table, rows in ((journeys, [case]), (audit, done), (observations, seen)):
            connection.execute(sa.insert(table), rows)
