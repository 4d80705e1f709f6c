"""When a credential ends, and which warning is due."""

from datetime import UTC, datetime, timedelta

import pytest

from remediation.domain.credential_ends import OVER, AppSecret, in_use, level

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def in_days(days: float) -> datetime:
    return NOON + timedelta(days=days)


@pytest.mark.parametrize(
    ("days", "due"), [(31, None), (30, 30), (7.1, 30), (7, 7), (1.1, 7), (1, 1), (0.1, 1), (0, OVER), (-3, OVER)]
)
def test_the_nearest_warning_is_due(days: float, due: int | None) -> None:
    assert level(in_days(days), NOON) == due


def test_nobody_is_warned_of_what_nobody_knows() -> None:
    assert level(None, NOON) is None


def test_which_secret_is_in_use_shows_by_its_beginning_else_the_next_to_end_is_meant() -> None:
    leftover, ours, over = AppSecret(in_days(5), "abc"), AppSecret(in_days(300), "xyz"), AppSecret(in_days(-9), "old")
    assert in_use([leftover, ours, over], "xyz", NOON) == ours.ends
    assert in_use([leftover, ours, over], "", NOON) == leftover.ends
    assert in_use([leftover, ours, over], "nobody's", NOON) == leftover.ends
    assert in_use([over], "", NOON) == over.ends, "it has ended, and that is known"
    assert in_use([], "", NOON) is None
