"""How many calls one look makes for a person with one phone: remotes are paid by the call, and the first answer waits for them."""

from __future__ import annotations

from collections import Counter

from remediation.domain.device import Platform
from tests.remotes import Remotes


def look(remotes: Remotes) -> Counter[str]:
    """The reads of one look, by the end of their path; pages of one list are one, since the sandbox's are of two."""
    begun = len(remotes.sandbox.ledger.since(0))
    person = remotes.directory.person(remotes.person().oid)
    remotes.directory.standing(person.oid)
    remotes.directory.devices_of(person.oid)
    assert len(remotes.mdm.devices_of(person).devices) == 1
    return Counter(entry.path.rpartition("/")[2] for entry in remotes.sandbox.ledger.since(0)[begun:])


def test_the_first_look_and_the_next(remotes: Remotes) -> None:
    told = Remotes(remotes.sandbox, groups=(next(iter(remotes.sandbox.world.groups)),))
    oid, number = told.person().oid, str(told.record.id)
    tokens = {"openid-configuration": 1, "token": 2}
    standing = {"licenseDetails": 1, "checkMemberGroups": 1}
    each_time = {oid: 1, "microsoft.graph.device": 2, "search": 2, number: 1, "compliance": 1}
    assert look(told) == tokens | standing | each_time
    assert look(told) == each_time


def test_a_message_needs_no_further_read(remotes: Remotes) -> None:
    look(remotes)
    begun = len(remotes.sandbox.ledger.since(0))
    remotes.mdm.message(str(remotes.record.id), "Hello")
    assert [entry.path.rpartition("/")[2] for entry in remotes.sandbox.ledger.since(0)[begun:]] == ["push"]


def test_an_unenrolled_record_is_not_asked_why(remotes: Remotes) -> None:
    """Its list row may say otherwise for a while."""
    assert remotes.mdm.device(str(remotes.record.id)).platform is Platform.IOS
    begun = len(remotes.sandbox.ledger.since(0))
    remotes.record.enrollment_status = "Unenrolled"
    assert remotes.mdm.devices_of(remotes.person()).devices == ()
    ends = [entry.path.rpartition("/")[2] for entry in remotes.sandbox.ledger.since(0)[begun:]]
    assert ends == ["search", "search"]
