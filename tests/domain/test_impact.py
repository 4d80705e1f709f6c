"""What a policy would do to one person, whatever they have: each reason once for each platform, and never more than they lack."""

from collections import Counter
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediation.domain.device import ManagedKey, Platform
from remediation.domain.impact import NO_DEVICE, Managed, Missing, Reason, Registered, asked_of, counts, missing, names_of, owner
from remediation.domain.standing import Standing

IOS, ANDROID, WINDOWS = Platform.IOS, Platform.ANDROID, Platform.WINDOWS
SERVED = frozenset({IOS, ANDROID})
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def phone(number: int = 1, platform: Platform = IOS, linked_with: str | None = None) -> Managed:
    return Managed(ManagedKey("ws1", str(number)), platform, linked_with)


def entry(
    name: str = "d1", platform: Platform = IOS, *, works: bool = True, compliant: bool = False, linked: bool = False
) -> Registered:
    return Registered(name, platform, works, compliant, linked)


@pytest.mark.parametrize(
    ("managed", "registered", "lacks"),
    [
        ([], [], {(Reason.ENROLLMENT, NO_DEVICE)}),
        ([], [entry()], {(Reason.ENROLLMENT, "ios")}),
        ([], [entry(compliant=True)], set()),
        ([phone()], [], {(Reason.REGISTRATION, "ios")}),
        ([phone()], [entry(works=False)], {(Reason.REGISTRATION, "ios")}),
        ([phone()], [entry()], {(Reason.LINK, "ios")}),
        ([phone()], [entry(linked=True)], {(Reason.REGISTRATION, "ios")}),
        ([phone()], [entry(compliant=True)], set()),
        ([phone(1), phone(2)], [entry(compliant=True)], {(Reason.REGISTRATION, "ios")}),
        ([phone(1), phone(2)], [entry()], {(Reason.LINK, "ios"), (Reason.REGISTRATION, "ios")}),
        ([phone(1, linked_with="d1")], [entry(linked=True)], {(Reason.COMPLIANCE, "ios")}),
        ([phone(1, linked_with="d1")], [entry(linked=True, compliant=True)], set()),
        ([phone(1, linked_with="d9")], [], {(Reason.REGISTRATION, "ios")}),
        ([phone(1), phone(2, ANDROID)], [entry()], {(Reason.LINK, "ios"), (Reason.REGISTRATION, "android")}),
        ([phone(1, WINDOWS)], [], {(Reason.ENROLLMENT, NO_DEVICE)}),
    ],
)
def test_the_first_link_that_is_missing(
    managed: list[Managed], registered: list[Registered], lacks: set[tuple[Reason, str]]
) -> None:
    assert {(one.reason, one.platform) for one in missing(True, managed, registered, SERVED)} == lacks


def test_without_a_licence_nothing_else_is_looked_at() -> None:
    found = missing(False, [phone(), phone(2, ANDROID)], [entry()], SERVED)
    assert {(one.reason, one.platform) for one in found} == {(Reason.LICENCE, "ios"), (Reason.LICENCE, "android")}
    assert missing(False, [], [], SERVED) == (Missing(Reason.LICENCE, NO_DEVICE),)
    assert {one.reason for one in missing(None, [phone()], [entry()], SERVED)} == {Reason.LINK}, "the control: nobody could tell"


platforms = st.sampled_from([IOS, ANDROID, WINDOWS, Platform.UNKNOWN])
entries = st.lists(
    st.builds(
        Registered, st.sampled_from([f"d{n}" for n in range(6)]), platforms, st.booleans(), st.booleans(), linked=st.booleans()
    ),
    max_size=6,
    unique_by=lambda one: one.device_id,
)
records = st.lists(
    st.builds(
        Managed,
        st.builds(ManagedKey, st.just("ws1"), st.sampled_from([str(n) for n in range(6)])),
        platforms,
        st.none() | st.sampled_from([f"d{n}" for n in range(6)]),
    ),
    max_size=5,
    unique_by=lambda one: one.key,
)
licences = st.sampled_from([True, False, None])


@given(licences, records, entries)
def test_each_reason_comes_once_for_each_platform_however_many_devices_lack_it(
    licensed: bool | None, managed: list[Managed], registered: list[Registered]
) -> None:
    found = missing(licensed, managed, registered, SERVED)
    assert max(Counter((one.reason, one.platform) for one in found).values(), default=1) == 1
    assert {one.platform for one in found} <= {"ios", "android", NO_DEVICE}
    assert not ({one.platform for one in found} - {NO_DEVICE} and NO_DEVICE in {one.platform for one in found})
    if licensed is False:
        assert {one.reason for one in found} == {Reason.LICENCE}
    for one in found:
        if one.device is not None:
            assert one.device in {record.key for record in managed if record.platform.value == one.platform}


@given(licences, records, entries, st.randoms(use_true_random=False))
def test_the_order_of_the_lists_changes_nothing(
    licensed: bool | None, managed: list[Managed], registered: list[Registered], mix: Random
) -> None:
    before = missing(licensed, managed, registered, SERVED)
    mix.shuffle(managed)
    mix.shuffle(registered)
    assert missing(licensed, managed, registered, SERVED) == before


@given(records, entries)
def test_devices_that_nobody_serves_change_nothing(managed: list[Managed], registered: list[Registered]) -> None:
    ours = [one for one in managed if one.platform in SERVED], [one for one in registered if one.platform in SERVED]
    assert missing(True, managed, registered, SERVED) == missing(True, *ours, SERVED)


@given(records, entries)
def test_one_more_entry_that_entra_shows_compliant_never_takes_a_person_further_back(
    managed: list[Managed], registered: list[Registered]
) -> None:
    """It lets one device through, or is one of a platform of its own: who lacked nothing on a platform lacks nothing still."""
    before = {one.platform for one in missing(True, managed, registered, SERVED)}
    after = {one.platform for one in missing(True, managed, [*registered, entry("new", compliant=True)], SERVED)}
    assert after <= before


@given(st.lists(st.sampled_from([IOS, ANDROID]), min_size=1, max_size=4))
def test_whose_devices_are_all_linked_and_shown_compliant_lacks_nothing(kinds: list[Platform]) -> None:
    managed = [phone(number, kind, f"d{number}") for number, kind in enumerate(kinds)]
    registered = [entry(f"d{number}", kind, compliant=True, linked=True) for number, kind in enumerate(kinds)]
    assert missing(True, managed, registered, SERVED) == ()
    worse = [*registered[1:], entry("d0", kinds[0], linked=True)]
    assert missing(True, managed, worse, SERVED) == (Missing(Reason.COMPLIANCE, kinds[0].value, managed[0].key),)


def test_guests_and_accounts_that_are_off_are_not_counted() -> None:
    def stands(**other: bool | None) -> Standing:
        return Standing(**{"account_enabled": True, "guest": False, "licensed": None, "in_scope": None, **other}, read_at=NOON)

    assert counts(stands())
    assert counts(stands(account_enabled=None, guest=None)), "nobody could tell"
    assert not counts(stands(guest=True))
    assert not counts(stands(account_enabled=False))


KNOWN = {
    ("match", "e-17"): {"mia"},
    ("mail", "mia@contoso.example"): {"mia"},
    ("user_name", "tom@contoso.example"): {"tom"},
    ("first", "tom"): {"tom"},
    ("first", "mia"): {"mia", "other"},
}


@pytest.mark.parametrize(
    ("mail", "user", "whose"),
    [
        ("MIA@contoso.example", None, "mia"),
        ("", "Tom@Contoso.example", "tom"),
        (None, "tom", "tom"),
        (None, "mia", None),
        (None, "E-17", "mia"),
        ("mia@contoso.example", "tom", "mia"),
        (None, None, None),
        ("  ", "stranger", None),
    ],
)
def test_whose_a_record_is_by_the_names_of_its_row(mail: str | None, user: str | None, whose: str | None) -> None:
    assert owner(mail, user, KNOWN) == whose


def test_names_are_asked_for_as_they_are_kept() -> None:
    kept = names_of("Mia.Berger@Contoso.example", "MB@contoso.example", None)
    assert kept == {"mail": "mb@contoso.example", "user_name": "mia.berger@contoso.example", "first": "mia.berger"}
    assert asked_of(" mb@Contoso.example", "MIA.berger") == {"mb@contoso.example", "mia.berger"}
    assert "first" not in names_of("mia", None, "  ")
