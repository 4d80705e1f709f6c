"""The people and things that the domain's tests speak of, at one fixed noon."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from remediation.domain.compliance import MdmWord, Posture, Verdict
from remediation.domain.device import DeviceLink, DirectoryDevice, LinkState, ManagedDevice, ManagedKey, Person, Platform
from remediation.domain.evidence import Evidence, Level
from remediation.domain.journey import Journey, Look, Possession
from remediation.domain.push import Push

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MIA = Person(oid="mia", name="Mia Berger", user_name="mia.berger@contoso.example")
KEY = ManagedKey("ws1", "1042")


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


HEALTHY = Posture(word=MdmWord.COMPLIANT, enrolled=True, compromised=False, failing=(), last_seen=NOON - minutes(5), read_at=NOON)
MANAGED_PHONE = ManagedDevice(
    key=KEY,
    generation="g1",
    name="mia iPhone",
    platform=Platform.IOS,
    model="iPhone 13 (128 GB Midnight)",
    os_version="17.4.1",
    serial="F2LXK0ABCD12",
    owner_user_name="mia",
    owner_mail="mia.berger@contoso.example",
    posture=HEALTHY,
    enrolled_at=NOON - minutes(90),
)
REGISTERED_PHONE = DirectoryDevice(
    device_id="d1",
    object_id="o1",
    name="Mia's iPhone",
    platform=Platform.IOS,
    os_version="17.4.1",
    model=None,
    enabled=True,
    owner_oid="mia",
    registered_at=NOON - minutes(3),
    compliant=None,
    managed=None,
    read_at=NOON,
)
PROOF = Possession(
    key=KEY,
    wanted_at=NOON,
    sent_at=NOON,
    expires_at=NOON + minutes(10),
    proven_at=NOON + minutes(1),
    proven_generation="g1",
)
LINK = DeviceLink(
    id="l1",
    device_id="d1",
    object_id="o1",
    managed=KEY,
    generation="g1",
    oid="mia",
    platform=Platform.IOS,
    evidence=Evidence(Level.POSSESSION, NOON + minutes(1), "tapped"),
    state=LinkState.ACTIVE,
    made_at=NOON + minutes(1),
)
OPENED = Push(
    link_id="l1",
    desired=Verdict.COMPLIANT,
    desired_seq=1,
    desired_at=NOON + minutes(1),
    posture_read_at=NOON + minutes(1),
    compliant_until=NOON + timedelta(hours=72),
    sent_seq=1,
    sent_at=NOON + minutes(2),
    accepted_seq=1,
    accepted_at=NOON + minutes(3),
    confirmed_seq=1,
    confirmed_at=NOON + minutes(4),
    confirmed_by="changed",
    observed=True,
    observed_at=NOON + minutes(4),
)
ARRIVED = Journey(
    id="j1",
    case_code="K7M-2QX",
    person=MIA,
    platform=Platform.IOS,
    started_at=NOON,
    expires_at=NOON + timedelta(hours=24),
    look=Look(wanted_at=NOON, done_at=NOON, directory_read_at=NOON, mdm_read_at=NOON),
    managed=(MANAGED_PHONE,),
    directory=(REGISTERED_PHONE,),
)
LINKED = replace(ARRIVED, possession=PROOF, links=(LINK,), pushes=(OPENED,))
