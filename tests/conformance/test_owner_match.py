"""Whose MDM user is whose: by default, by the attributes the tenant chose, and when nobody may be taken for certain."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remediation.adapters.fields import fold, same
from remediation.domain.device import Person
from remediation.errors import Refused
from remediation.ports import Owned
from sandbox.faults import Fault
from sandbox.server import SandboxConfig, create_sandbox
from sandbox.things import Person as SandboxPerson
from tests.remotes import Remotes

PAIRS = [
    ("mail", "email"),
    ("userPrincipalName", "email"),
    ("userPrincipalName", "upn"),
    ("onPremisesSamAccountName", "user_name"),
    ("employeeId", "external_id"),
    ("employeeId", "custom_attribute_1"),
    ("onPremisesSamAccountName", "custom_attribute_2"),
]
OF_MAAS360 = [("mail", "email"), ("userPrincipalName", "upn"), ("onPremisesSamAccountName", "user_name")]
AWKWARD = ["", " ", "a", "A", "ß", "ss", "SS", "ẞ", "İ", "i̇", "ı", "I", "i", "K", "k", "ſ", "s", "Å", "å", "Σ", "σ", "ς"]
AWKWARD += ["é", "e\u0301", "O'Brien", "a b", "a@x", "a%", "*", "%", "_", "a\0b", "\u202e", "x" * 2000]
ANY = st.one_of(st.text(max_size=12), st.sampled_from(AWKWARD))


def user_of(remotes: Remotes, name: str) -> SandboxPerson:
    return remotes.sandbox.world.persons[remotes.person(name).oid]


def matched(remotes: Remotes, name: str = "Mia") -> Owned:
    """As a look does it: the person as the directory has them now, then their records."""
    owned: Owned = remotes.mdm.devices_of(remotes.directory.person(remotes.person(name).oid))
    return owned


def numbers(owned: Owned) -> set[str]:
    return {device.key.record_id for device in owned.devices}


@pytest.fixture(params=PAIRS, ids=lambda pair: "-".join(pair))
def chosen(remotes: Remotes, request: pytest.FixtureRequest) -> Remotes:
    """A world in which each attribute of the pair holds the same for each person, on both sides."""
    for person in remotes.sandbox.world.persons.values():
        if person.mdm_user_id is not None:
            person.mdm_external_id, person.mdm_user_name = person.employee_id, person.sam_account_name
            person.mdm_attributes = [person.employee_id or "", person.sam_account_name or ""]
    return Remotes(remotes.sandbox, owner=request.param)


def test_the_chosen_attributes_find_each_ones_own(chosen: Remotes) -> None:
    mias, noahs = matched(chosen), matched(chosen, "Noah")
    assert numbers(mias) == {chosen.record_id}
    assert len(noahs.devices) == 1
    assert not numbers(mias) & numbers(noahs)


def test_nothing_but_the_chosen_attributes_counts(remotes: Remotes) -> None:
    """Same mail and same name on both sides, but the tenant said employeeId."""
    told = Remotes(remotes.sandbox, owner=("employeeId", "external_id"))
    assert matched(told) == Owned(())
    user_of(told, "Mia").mdm_external_id = user_of(told, "Noah").employee_id
    assert matched(told) == Owned(())


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_an_empty_value_matches_nobody(remotes: Remotes, empty: str | None) -> None:
    told = Remotes(remotes.sandbox, owner=("employeeId", "external_id"))
    for person in told.sandbox.world.persons.values():
        person.employee_id, person.mdm_external_id = empty, empty
    assert told.directory.person(told.person().oid).match is None
    assert matched(told) == Owned(())
    assert told.mdm.devices_of(replace(told.person(), match=empty)) == Owned(())


def test_without_a_choice_there_is_no_match_value(remotes: Remotes) -> None:
    assert remotes.directory.person(remotes.person().oid).match is None


def test_two_users_are_nobody_for_certain(chosen: Remotes) -> None:
    noah, mia = user_of(chosen, "Noah"), user_of(chosen, "Mia")
    noah.mail, noah.upn = mia.mail, mia.upn
    noah.mdm_external_id, noah.mdm_attributes, noah.mdm_user_name = mia.mdm_external_id, mia.mdm_attributes, mia.mdm_user_name
    assert chosen.mdm.devices_of(chosen.directory.person(mia.oid)) == Owned((), "ambiguous_owner")


def test_mail_and_upn_of_two_users_are_two_users(remotes: Remotes) -> None:
    """By default either counts; so where each of them is another user's mail address, nobody can tell."""
    person = replace(remotes.person(), user_name=remotes.person("Noah").mail or "")
    assert remotes.mdm.devices_of(person) == Owned((), "ambiguous_owner")


def test_one_user_found_twice_is_one_user(remotes: Remotes) -> None:
    mia = remotes.person()
    part = (mia.mail or "").removeprefix("mia.")  # the search finds her by that too, and by the whole
    user_of(remotes, "Hanna").mail = part
    owned = remotes.mdm.devices_of(replace(mia, mail=(mia.mail or "").upper(), user_name=mia.user_name))
    assert numbers(owned) == {str(remotes.record.id)}


class TestMaas360:
    @pytest.fixture
    def vendor(self) -> str:
        return "maas360"

    def test_by_default_mail_or_user_principal_name_count_and_two_users_are_nobody(self, remotes: Remotes) -> None:
        assert numbers(matched(remotes)) == {remotes.record_id}
        person = replace(remotes.person(), user_name=remotes.person("Noah").mail or "")
        assert remotes.mdm.devices_of(person) == Owned((), "ambiguous_owner")

    @pytest.mark.parametrize("pair", OF_MAAS360, ids="-".join)
    def test_the_chosen_attributes_find_each_ones_own(self, remotes: Remotes, pair: tuple[str, str]) -> None:
        for name in ("Mia", "Noah"):
            user = user_of(remotes, name)
            user.mdm_user_name = user.sam_account_name if pair[1] == "user_name" else user.upn.partition("@")[0]
        told = Remotes(remotes.sandbox, owner=pair)
        mias, noahs = matched(told), matched(told, "Noah")
        assert (numbers(mias), len(noahs.devices)) == ({told.record_id}, 1)
        assert not numbers(mias) & numbers(noahs)

    def test_one_user_name_in_two_domains_is_nobody_for_certain(self, remotes: Remotes) -> None:
        mia, noah = user_of(remotes, "Mia"), user_of(remotes, "Noah")
        mia.mdm_user_name = noah.mdm_user_name = mia.sam_account_name
        noah.upn = "noah@fabrikam.example"
        told = Remotes(remotes.sandbox, owner=("onPremisesSamAccountName", "user_name"))
        assert matched(told) == Owned((), "ambiguous_owner")

    @pytest.mark.parametrize("field", ["emailAddress", "username"])
    def test_what_the_search_finds_by_itself_is_compared_by_us(self, remotes: Remotes, field: str) -> None:
        """However loosely it looks: another one's row is not hers."""
        told = remotes.sandbox.world.persons[remotes.person("Noah").oid]

        def another(request: Any, status: int, body: bytes) -> bytes:
            if "/search/customer/" not in str(request.url) or status != 200:
                return body
            page = json.loads(body)
            if isinstance(found := page["devices"].get("device"), dict):
                found |= {"emailAddress": told.mail, "username": told.mdm_user_name}
            return json.dumps(page).encode()

        pair = {"emailAddress": (None, None), "username": ("onPremisesSamAccountName", "user_name")}[field]
        user_of(remotes, "Mia").mdm_user_name = user_of(remotes, "Mia").sam_account_name
        assert matched(Remotes(remotes.sandbox, owner=pair)).devices
        assert matched(Remotes(remotes.sandbox, owner=pair, change=another)) == Owned(())

    def test_a_part_of_a_name_is_nobody(self, remotes: Remotes) -> None:
        person = replace(remotes.person(), mail="mi", user_name="mi@contoso.example")
        assert remotes.mdm.devices_of(person) == Owned(())

    @pytest.mark.parametrize("name", ["staging", "STAGING"])
    def test_a_staging_account_is_nobodys_own(self, remotes: Remotes, name: str) -> None:
        user_of(remotes, "Mia").mdm_user_name = name
        assert matched(remotes) == Owned((), "shared_user")

    def test_a_shared_record_alone_is_said_and_is_another_generation(self, remotes: Remotes) -> None:
        before = remotes.mdm.device(remotes.record_id).generation
        remotes.record.ownership = "S"
        assert matched(remotes) == Owned((), "shared_user")
        assert remotes.mdm.device(remotes.record_id).generation != before

    def test_handed_to_another_user_it_is_another_generation(self, remotes: Remotes) -> None:
        before = remotes.mdm.device(remotes.record_id).generation
        remotes.record.person_oid = remotes.person("Noah").oid
        assert remotes.mdm.device(remotes.record_id).generation != before

    @pytest.mark.parametrize("name", [*AWKWARD, "mia.berger@contoso.example ", "ｍia.berger@contoso.example"])
    def test_an_awkward_name_finds_nobody_elses_records(self, remotes: Remotes, name: str) -> None:
        person = replace(remotes.person("Hanna"), mail=name, user_name=name)
        try:
            assert remotes.mdm.devices_of(person) == Owned(())
        except Refused:
            assert len(name) > 1000 or any(not letter.isprintable() for letter in name)


class TestFleet:
    """By the mail addresses of a host's people, and by the sources of those."""

    @pytest.fixture
    def vendor(self) -> str:
        return "fleet"

    def test_by_default_mail_or_user_principal_name_count_and_two_people_are_nobody(self, remotes: Remotes) -> None:
        assert numbers(matched(remotes)) == {remotes.record_id}
        person = replace(remotes.person(), user_name=user_of(remotes, "Noah").upn)
        assert remotes.mdm.devices_of(person) == Owned((), "ambiguous_owner")

    def test_the_chosen_attribute_alone_finds_each_ones_own(self, remotes: Remotes) -> None:
        told = Remotes(remotes.sandbox, owner=("userPrincipalName", "email"))
        mias, noahs = matched(told), matched(told, "Noah")
        assert (numbers(mias), len(noahs.devices)) == ({told.record_id}, 1)
        assert not numbers(mias) & numbers(noahs)
        user_of(told, "Mia").upn = "mia@elsewhere.example"  # her old mail address is still there
        assert told.mdm.devices_of(replace(told.person(), match=None)) == Owned(())

    @pytest.mark.parametrize("source", ["google_chrome_profiles", "custom"])
    def test_whoever_signed_in_to_a_browser_there_does_not_own_it(self, remotes: Remotes, source: str) -> None:
        noahs = user_of(remotes, "Noah").upn
        remotes.record.also_mapped = [(noahs, source)]
        assert numbers(matched(remotes)) == {remotes.record_id}, "and does not take it from its owner"
        assert remotes.record_id not in numbers(matched(remotes, "Noah"))
        asked = remotes.make_fleet(sources=("mdm_idp_accounts", source))
        assert asked.devices_of(remotes.person()) == Owned((), "shared_user"), "unless the administrator says that it counts"

    def test_a_host_of_two_people_is_nobodys_own_and_another_generation(self, remotes: Remotes) -> None:
        before = remotes.mdm.device(remotes.record_id).generation
        remotes.record.also_mapped = [(user_of(remotes, "Noah").upn, "mdm_idp_accounts")]
        assert matched(remotes) == Owned((), "shared_user")
        assert remotes.mdm.device(remotes.record_id).generation != before

    @pytest.mark.parametrize("name", ["mia.berger@contoso.example", "MIA.BERGER"])
    def test_a_staging_account_is_nobodys_own(self, remotes: Remotes, name: str) -> None:
        assert user_of(remotes, "Mia").upn == "mia.berger@contoso.example"
        assert remotes.make_fleet(shared_users=(name,)).devices_of(remotes.person()) == Owned((), "shared_user")

    def test_handed_to_another_person_it_is_another_generation(self, remotes: Remotes) -> None:
        before = remotes.mdm.device(remotes.record_id).generation
        remotes.record.person_oid = remotes.person("Noah").oid
        assert remotes.mdm.device(remotes.record_id).generation != before

    def test_a_list_that_lacks_who_signed_in_hides_nothing(self, remotes: Remotes) -> None:
        remotes.sandbox.faults.add(Fault("fleet", "unmapped"))
        assert numbers(matched(remotes)) == {remotes.record_id}

    def test_what_the_search_finds_by_its_name_is_not_hers(self, remotes: Remotes) -> None:
        noahs = next(r for r in remotes.sandbox.world.records.values() if r.person_oid == remotes.person("Noah").oid)
        noahs.reported_name = remotes.person().user_name
        assert numbers(matched(remotes)) == {remotes.record_id}

    @pytest.mark.parametrize("name", [*AWKWARD, "mia.berger@contoso.example ", "ｍia.berger@contoso.example"])
    def test_an_awkward_name_finds_nobody_elses_records(self, remotes: Remotes, name: str) -> None:
        person = replace(remotes.person("Hanna"), mail=name, user_name=name)
        try:
            assert remotes.mdm.devices_of(person) == Owned(())
        except Refused:
            assert len(name) > 1000 or any(not letter.isprintable() for letter in name)


@pytest.mark.parametrize("scenario", ["shared_user", "ambiguous_owner"])
def test_the_stories_for_the_helpdesk(remotes: Remotes, scenario: str) -> None:
    remotes.sandbox.begin(scenario)
    assert matched(Remotes(remotes.sandbox)) == Owned((), scenario)


@pytest.mark.parametrize("name", ["staging", "Staging", "STAGING"])
def test_a_staging_account_is_nobodys_own(remotes: Remotes, name: str) -> None:
    user_of(remotes, "Mia").mdm_user_name = name
    assert matched(remotes) == Owned((), "shared_user")


@pytest.mark.parametrize("name", ["staging2", "my staging", "stag", "ſtaging"])
def test_what_only_looks_like_it_is_not(remotes: Remotes, name: str) -> None:
    user_of(remotes, "Mia").mdm_user_name = name
    assert matched(remotes).problem is None


class TestSharedRecords:
    def test_alone_it_is_said(self, remotes: Remotes) -> None:
        remotes.record.ownership = "S"
        assert matched(remotes) == Owned((), "shared_user")

    def test_beside_ones_own_it_is_left_out(self, remotes: Remotes) -> None:
        world = remotes.sandbox.world
        number = max(world.records) + 1
        world.records[number] = replace(remotes.record, id=number, uuid=world.new_id(), ownership="S")
        owned = matched(remotes)
        assert (numbers(owned), owned.problem) == ({str(remotes.record.id)}, None)

    def test_once_shared_it_is_another_generation(self, remotes: Remotes) -> None:
        before = remotes.mdm.device(str(remotes.record.id)).generation
        remotes.record.ownership = "S"
        assert remotes.mdm.device(str(remotes.record.id)).generation != before


def test_handed_to_another_user_it_is_another_generation(remotes: Remotes) -> None:
    before = remotes.mdm.device(str(remotes.record.id)).generation
    remotes.record.person_oid = remotes.person("Noah").oid
    assert remotes.mdm.device(str(remotes.record.id)).generation != before
    user_of(remotes, "Noah").mdm_user_name = "renamed"
    renamed = remotes.mdm.device(str(remotes.record.id)).generation
    user_of(remotes, "Noah").mdm_user_name = "again"
    assert remotes.mdm.device(str(remotes.record.id)).generation == renamed, "a new name is not a new holder"


def test_a_record_handed_on_between_list_and_look_is_not_theirs(remotes: Remotes) -> None:
    """Search rows are older than records: what the record says counts."""
    noah = user_of(remotes, "Noah")

    def stale(request: Any, _: int, body: bytes) -> bytes:
        if "/devices/search" in str(request.url):
            remotes.record.person_oid = noah.oid
        return body

    assert matched(Remotes(remotes.sandbox, change=stale)) == Owned(())


# awkward values, by the thousand


@settings(deadline=None)
@given(ANY, ANY)
def test_values_are_the_same_only_letter_by_letter(one: str, other: str) -> None:
    if not same(one, other):
        return
    assert one.strip()
    assert "\ufffd" not in one
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert a == b or (a.lower() == b.lower() and a.upper() == b.upper() and a.isascii() == b.isascii())
        assert unicodedata.category(a)[0] == unicodedata.category(b)[0]


@settings(deadline=None)
@given(ANY)
def test_a_value_is_the_same_as_itself_in_capitals_where_these_can_be_undone(value: str) -> None:
    assert same(value, value) is (bool(value.strip()) and "\ufffd" not in value)
    assert fold(fold(value)) == fold(value)
    if value.isascii() and value.strip():
        assert same(value.upper(), value.lower())


def test_no_two_small_letters_become_one() -> None:
    every = [chr(number) for number in range(0x110000) if not 0xD800 <= number < 0xE000]
    folded: dict[str, set[str]] = {}
    for letter in every:
        folded.setdefault(fold(letter), set()).add(letter)
    together = [letters for letters in folded.values() if len(letters) > 1]
    assert len(together) > 1000
    assert all(len(letters) == 2 for letters in together)
    assert not any(letter.isascii() != other.isascii() for letter, other in map(sorted, together))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Remotes:
    return Remotes(create_sandbox(SandboxConfig(ca_folder=tmp_path_factory.mktemp("ca"))), owner=("employeeId", "external_id"))


@settings(deadline=None, max_examples=60)
@given(ANY, ANY)
def test_only_the_persons_own_value_finds_their_records(world: Remotes, ours: str, theirs: str) -> None:
    user_of(world, "Mia").mdm_external_id = user_of(world, "Mia").employee_id = theirs
    person: Person = replace(world.person(), match=ours if ours != theirs else world.directory.person(world.person().oid).match)
    found = world.mdm.devices_of(person)
    assert bool(found.devices) is (same(ours, theirs) and "\0" not in ours)
    assert not numbers(found) - {str(world.record.id)}


@settings(deadline=None, max_examples=60)
@given(ANY)
def test_an_awkward_name_finds_nobody_elses_records(world: Remotes, name: str) -> None:
    """The words of the search too: by default they are the person's own names."""
    person = replace(world.person("Hanna"), mail=name, user_name=name)
    by_default = Remotes(world.sandbox)
    try:
        assert by_default.mdm.devices_of(person) == Owned(()) or name in ("",)
    except Refused:
        assert len(name) > 1000 or any(not letter.isprintable() for letter in name)
