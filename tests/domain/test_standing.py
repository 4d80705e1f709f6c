"""Whom this is not for, and that an answer nobody gave keeps no one out."""

from dataclasses import replace

import pytest

from remediation.domain.standing import Standing, not_for_you
from tests.people import NOON

FINE = Standing(account_enabled=True, guest=False, licensed=True, in_scope=True, read_at=NOON)


def test_the_control_a_licensed_member_in_scope_may_go_on() -> None:
    assert not_for_you(FINE) is None


def test_what_nobody_told_keeps_no_one_out() -> None:
    assert not_for_you(Standing(None, None, None, None, NOON)) is None


@pytest.mark.parametrize(
    ("standing", "why"),
    [
        (replace(FINE, account_enabled=False), "account_disabled"),
        (replace(FINE, guest=True), "guest"),
        (replace(FINE, in_scope=False), "not_in_group"),
        (replace(FINE, licensed=False), "no_licence"),
        (replace(FINE, guest=True, licensed=False), "guest"),
    ],
)
def test_each_reason_is_told_by_its_own_name(standing: Standing, why: str) -> None:
    assert not_for_you(standing) == why
