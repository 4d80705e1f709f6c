"""The stand-in's filters for devices fail open where Entra's do, by Microsoft's own table."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox.device_filter import BadRule, blocks, matches
from sandbox.things import DevicePolicy, DirectoryDevice

AT = datetime(2026, 1, 1, tzinfo=UTC)
MARK = 'device.extensionAttribute7 -eq "m"'


def device(**more: object) -> DirectoryDevice:
    own = {"extension_attributes": {"extensionAttribute7": "m"}, **more}
    return DirectoryDevice("o", "d", "Phone", "iOS", "18", "mia", AT, AT, **own)  # type: ignore[arg-type]


COMPLIANT, REGISTERED = device(is_compliant=True), device()
UNMARKED = device(is_compliant=True, extension_attributes={})


@pytest.mark.parametrize(
    ("rule", "unregistered", "registered", "unmarked", "compliant"),
    [
        (MARK, False, False, False, True),
        ('device.extensionAttribute7 -ne "x"', True, True, True, True),
        ('device.extensionAttribute7 -notIn ["x", "y"]', True, True, True, True),
        ('device.displayName -notContains "x"', True, True, True, True),
        ('device.displayName -contains "hon"', False, True, True, True),
        ('device.extensionAttribute7 -in ["m"]', False, False, False, True),
        (f"device.isCompliant -eq True -and {MARK}", False, False, False, True),
        (f"(device.isCompliant -eq True) -or ({MARK})", False, False, True, True),
    ],
)
def test_null_matches_what_is_negative(rule: str, unregistered: bool, registered: bool, unmarked: bool, compliant: bool) -> None:
    assert [matches(rule, one) for one in (None, REGISTERED, UNMARKED, COMPLIANT)] == [
        unregistered,
        registered,
        unmarked,
        compliant,
    ]


def test_who_is_blocked_by_which_mode() -> None:
    shut = DevicePolicy("lock", f"device.isCompliant -eq True -and {MARK}")
    assert [blocks(shut, one, "iOS") for one in (None, REGISTERED, UNMARKED, COMPLIANT)] == [True, True, True, False]
    open_ = DevicePolicy("lock", 'device.extensionAttribute7 -ne "m"')
    assert blocks(open_, None, "iOS") is False, "fails open"
    takes_in = DevicePolicy("lock", 'device.extensionAttribute7 -eq "x"', mode="include")
    assert blocks(takes_in, None, "iOS") is False, "and so does this"


@pytest.mark.parametrize(
    "more",
    [{"state": "disabled"}, {"platforms": ["android"]}, {"not_platforms": ["iOS"]}, {"clients": ["browser"]}, {"apps": ["other"]}],
)
def test_what_a_policy_is_not_about_it_lets_through(more: dict[str, object]) -> None:
    assert blocks(DevicePolicy("lock", MARK, **more), None, "iOS") is False  # type: ignore[arg-type]


def test_a_rule_that_entra_would_not_save() -> None:
    with pytest.raises(BadRule):
        matches("device.extensionAttribute7", COMPLIANT)
    with pytest.raises(BadRule):
        matches('device.colour -eq "red"', COMPLIANT)
