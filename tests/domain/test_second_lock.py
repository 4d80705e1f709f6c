"""The second lock by tables: the rule that is pasted, rules that fail open, marks that are not as they should be, and *go*."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from remediation.domain.compliance import Verdict
from remediation.domain.device import LinkState, Mark, Platform
from remediation.domain.device_policy import AccessPolicy, catches
from remediation.domain.lock_policy import Term, about_our_mark, faults, read_rule
from remediation.domain.push import Push
from remediation.domain.second_lock import (
    SETTLES,
    Astray,
    SecondLock,
    SeenBlocked,
    SignInRecord,
    astray,
    missing_before_go,
    shows_blocked,
)
from tests.people import LINK, NOON

LOCK = SecondLock(7, "remediation-5a1e0c7d", NOON, NOON)
IOS = [Platform.IOS]


def policy(rule: str = LOCK.rule, /, **changed: Any) -> AccessPolicy:
    good = AccessPolicy(
        "Second lock", True, frozenset({"block"}), True, frozenset({"Office365"}), frozenset(), mode="exclude", rule=rule
    )
    return replace(good, **changed)


def test_the_rule_to_paste_is_read_as_what_it_says_and_has_no_fault() -> None:
    assert LOCK.rule == 'device.isCompliant -eq True -and device.extensionAttribute7 -eq "remediation-5a1e0c7d"'
    rule = read_rule(LOCK.rule)
    assert rule is not None
    assert rule.terms == (Term("iscompliant", "eq", "True"), Term("extensionattribute7", "eq", LOCK.value))
    assert faults(policy(), LOCK, IOS) == ()
    assert faults(policy(f"(device.extensionAttribute7 -eq '{LOCK.value}') -and (device.isCompliant -eq True)"), LOCK, IOS) == ()


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (f'device.isCompliant -eq True -and device.extensionAttribute7 -ne "{LOCK.value}"', "negative"),
        ('device.isCompliant -eq True -and device.extensionAttribute7 -notIn ["x"]', "negative"),
        (f'{LOCK.rule} -and device.displayName -notStartsWith "x"', "negative"),
        (f'device.isCompliant -eq True -or device.extensionAttribute7 -eq "{LOCK.value}"', "any_of"),
        ('device.isCompliant -eq True -and device.extensionAttribute7 -startsWith "remediation"', "loose"),
        ('device.isCompliant -eq True -and device.extensionAttribute7 -contains "5a1e"', "loose"),
        (f'{LOCK.rule} -and device.model -eq "iPhone"', "claimed"),
        (f'device.extensionAttribute7 -eq "{LOCK.value}"', "mark_alone"),
        ('device.isCompliant -eq True -and device.extensionAttribute7 -eq "somebody else"', "other_value"),
        ("device.isCompliant -eq True -and device.extensionAttribute7", "unreadable"),
        ('device.isCompliant -like True -and device.extensionAttribute7 -eq "x"', "operator"),
    ],
)
def test_a_rule_that_fails_open_is_named(rule: str, fault: str) -> None:
    assert about_our_mark(policy(rule), LOCK)
    assert fault in faults(policy(rule), LOCK, IOS)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"enforced": False}, "not_on"),
        ({"controls": frozenset({"mfa"})}, "does_not_block"),
        ({"mode": "include"}, "includes"),
        ({"platforms": frozenset({"android"})}, "platforms"),
        ({"not_platforms": frozenset({"iOS"})}, "platforms"),
        ({"clients": frozenset({"browser"})}, "clients"),
        ({"included": frozenset({"All"})}, "every_app"),
    ],
)
def test_a_policy_that_leaves_somebody_out_is_named(changed: dict[str, object], fault: str) -> None:
    assert faults(policy(**changed), LOCK, IOS) == (fault,)
    fine = {"platforms": frozenset({"iOS", "android"}), "clients": frozenset({"browser", "mobileAppsAndDesktopClients"})}
    assert faults(policy(**fine), LOCK, IOS) == ()


def test_a_policy_of_another_attribute_is_none_of_ours() -> None:
    assert not about_our_mark(policy('device.extensionAttribute1 -eq "SAW"'), LOCK)
    assert not about_our_mark(replace(policy(), rule=None, mode=None), LOCK)


def test_our_sign_in_has_to_be_left_out_of_a_block_by_filter_too() -> None:
    every = policy(included=frozenset({"All"}))
    assert catches(every, "our-app") is True
    assert catches(replace(every, excluded=frozenset({"our-app"})), "our-app") is False
    assert catches(policy(), "our-app") is False
    assert catches(replace(every, rule=None, mode=None), "our-app") is False, "a plain block is another matter"


TOLD = Push(
    LINK.id, Verdict.COMPLIANT, 3, sent_seq=3, accepted_seq=3, accepted_at=NOON - 2 * SETTLES, confirmed_seq=3, confirmed_at=NOON
)
DOWN = replace(TOLD, desired=Verdict.NOT_COMPLIANT)


@pytest.mark.parametrize(
    ("push", "mark", "found"),
    [
        (TOLD, Mark.OURS, None),
        (TOLD, None, Astray("missing", False)),
        (TOLD, Mark.OTHER, Astray("other", True)),
        (DOWN, None, None),
        (DOWN, Mark.OURS, Astray("ours", True)),
        (DOWN, Mark.OTHER, Astray("other", True)),
        (Push(LINK.id), Mark.OURS, Astray("ours", True)),
        (Push(LINK.id), None, None),
        (replace(TOLD, accepted_at=NOON), None, None),  # one replica may still show what stood before
        (replace(DOWN, accepted_at=NOON), Mark.OURS, Astray("ours", False)),  # taken away again, and nobody blamed
        (replace(TOLD, sent_seq=2, accepted_seq=2, confirmed_seq=2), None, None),  # on its way
        (replace(DOWN, sent_seq=3, accepted_seq=2, confirmed_seq=2), Mark.OURS, None),
        (replace(TOLD, sent_seq=0, accepted_seq=0, accepted_at=None), None, Astray("missing", False)),  # from before the lock
    ],
)
def test_what_is_wrong_with_a_mark(push: Push, mark: Mark | None, found: Astray | None) -> None:
    assert astray(LINK, push, mark, NOON) == found


def test_a_link_that_ended_bears_none_whatever_was_desired() -> None:
    ended = replace(LINK, state=LinkState.ENDED)
    assert astray(ended, TOLD, Mark.OURS, NOON) == Astray("ours", True)
    assert astray(ended, TOLD, None, NOON) is None


def seen(kind: str, at: timedelta = timedelta()) -> SeenBlocked:
    return SeenBlocked(kind, "confirmed", "the page said no", NOON + at, "root")


@pytest.mark.parametrize(
    ("lock", "what", "missing"),
    [
        (None, [], ("no_lock",)),
        (replace(LOCK, prepared_at=None), [seen("unregistered"), seen("unmarked")], ("not_prepared",)),
        (LOCK, [], ("unregistered_not_seen_blocked", "unmarked_not_seen_blocked")),
        (LOCK, [seen("unregistered")], ("unmarked_not_seen_blocked",)),
        (LOCK, [seen("unregistered", -timedelta(days=1)), seen("unmarked")], ("unregistered_not_seen_blocked",)),
        (LOCK, [seen("unregistered"), seen("unmarked")], ()),
    ],
)
def test_go_waits_until_both_were_seen_blocked(lock: SecondLock | None, what: list[SeenBlocked], missing: tuple[str, ...]) -> None:
    assert missing_before_go(lock, what) == missing


RECORD = SignInRecord("r1", NOON, 53003, "d1", True, ("Second lock",), policies_told=True)


@pytest.mark.parametrize(
    ("record", "mark", "shows"),
    [
        (RECORD, None, "unmarked"),
        (replace(RECORD, device_id=None, compliant=False), None, "unregistered"),
        (replace(RECORD, error_code=0), None, "not_blocked"),
        (replace(RECORD, error_code=530003), None, "not_blocked"),
        (replace(RECORD, policies_told=False, blocking=()), None, "policies_not_told"),
        (replace(RECORD, blocking=("Require two steps",)), None, "another_policy"),
        (replace(RECORD, compliant=False), None, "not_compliant"),
        (RECORD, Mark.OURS, "marked"),
        (RECORD, Mark.OTHER, "marked"),
    ],
)
def test_what_a_line_of_the_sign_in_log_shows(record: SignInRecord, mark: Mark | None, shows: str) -> None:
    assert shows_blocked(record, ["Second lock"], mark) == shows
