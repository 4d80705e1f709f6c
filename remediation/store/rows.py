"""From rows to the domain's facts. Columns are named like the facts' own fields, so most of it is by name. No queries here."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..domain.calls import FailedCall
from ..domain.compliance import Posture, Rule
from ..domain.device import DeviceLink, DirectoryDevice, ManagedDevice, ManagedKey, Person
from ..domain.device_certificate import ShownCertificate
from ..domain.evidence import Evidence
from ..domain.journey import Journey, Look, Possession
from ..domain.push import Push
from ..domain.sign_in_proof import Pair, SignIn
from ..domain.standing import Standing

Row = sa.RowMapping


def _named(kind: type, row: Row, *, prefix: str = "") -> dict[str, Any]:
    """The fields of a dataclass that the row has columns for."""
    return {f.name: row[prefix + f.name] for f in fields(kind) if prefix + f.name in row}


def person(row: Row) -> Person:
    return Person(**_named(Person, row))


def directory_device(row: Row, *, prefix: str = "") -> DirectoryDevice:
    return DirectoryDevice(**_named(DirectoryDevice, row, prefix=prefix))


def _rule(kept: Mapping[str, Any]) -> Rule:
    says = tuple((str(language), str(text)) for language, text in kept.get("says", ()))
    return Rule(kept["name"], kept["detail"], kept["advice"], says)


def managed_device(row: Row) -> ManagedDevice:
    posture = {**_named(Posture, row), "failing": tuple(map(_rule, row["failing"]))}
    key = ManagedKey(row["connection"], row["record_id"])
    return ManagedDevice(**{**_named(ManagedDevice, row), "key": key, "posture": Posture(**posture)})


def device_link(row: Row) -> DeviceLink:
    managed = ManagedKey(row["connection"], row["record_id"])
    evidence = Evidence(**_named(Evidence, row, prefix="evidence_"))
    return DeviceLink(**_named(DeviceLink, row), managed=managed, evidence=evidence)


def push(row: Row) -> Push:
    return Push(**{**_named(Push, row), "reasons": tuple(row["reasons"]), "failed_calls": _failed_calls(row)})


def _failed_calls(row: Row) -> tuple[FailedCall, ...]:
    return tuple(FailedCall(**{**call, "at": datetime.fromisoformat(call["at"])}) for call in row["failed_calls"] or ())


def of_failed_calls(calls: Iterable[FailedCall]) -> list[dict[str, Any]]:
    return [{**asdict(call), "at": call.at.isoformat()} for call in calls]


def possession(row: Row) -> Possession | None:
    if row["possession_wanted_at"] is None:
        return None
    key = ManagedKey(row["possession_connection"], row["possession_record_id"])
    return Possession(key=key, **_named(Possession, row, prefix="possession_"))


def sign_in(row: Row) -> SignIn:
    managed = ManagedKey(row["connection"], row["record_id"])
    return SignIn(**{**_named(SignIn, row), "pair": Pair(row["device_id"], row["object_id"], managed, row["generation"])})


def shown_certificate(row: Row) -> ShownCertificate:
    return ShownCertificate(**{**_named(ShownCertificate, row), "managed": ManagedKey(row["connection"], row["record_id"])})


def standing(row: Row) -> Standing | None:
    """None until the worker has asked."""
    if row["standing_read_at"] is None:
        return None
    return Standing(**{**_named(Standing, row), "read_at": row["standing_read_at"]})


def journey(row: Row, **of_the_person: Any) -> Journey:
    """`of_the_person` holds what other tables say: person, devices, links, pushes."""
    look = Look(**{**_named(Look, row), "next_at": row["next_look_at"], "failed_calls": _failed_calls(row)})
    relay = timedelta(seconds=row["relay_seconds"]) if row["relay_seconds"] is not None else None
    named = {**_named(Journey, row), "relay": relay, "tries": tuple(row["tries"] or ())}
    return Journey(**named, look=look, possession=possession(row), standing=standing(row), **of_the_person)
