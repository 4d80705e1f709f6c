"""T30: whatever a value holds, one request names exactly one thing, or there is a clean refusal and no request."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests import Request

from remediation.adapters import graph
from remediation.adapters.http import Remote
from remediation.errors import NotFound, Refused
from remediation.ports import Owned
from sandbox.server import SandboxConfig, create_sandbox
from tests.remotes import Remotes

REMOTE = Remote("directory", "https://graph.example/v1.0", vendor_code=graph.vendor_code)
NAMES = [
    "O'Brien",
    "a' or 1 eq 1",
    "')/memberOf?$select=('",
    "%27",
    "%2e%2e",
    "#EXT#",
    "/",
    "../me",
    "..",
    ".",
    "",
    "?$expand=x",
    "&email=",
    "a\0b",
    "a\r\nX: y",
    "é\u202e\U0001f600",
    "x" * 4096,
]


@settings(deadline=None)
@given(st.one_of(st.text(st.characters(codec="utf-8"), max_size=60), st.sampled_from(NAMES)))
def test_T30_a_value_stays_one_segment(value: str) -> None:
    try:
        path = REMOTE.path("users/{}/registeredDevices", value)
    except Refused:
        return
    url = str(Request("GET", f"https://graph.example/v1.0/{path}").prepare().url)
    parts = urlsplit(url)
    head, segment, tail = parts.path.removeprefix("/v1.0/").split("/")
    assert (head, unquote(segment), tail) == ("users", value, "registeredDevices")
    assert not parts.query
    assert not parts.fragment


@settings(deadline=None)
@given(st.one_of(st.text(st.characters(codec="utf-8"), max_size=60), st.sampled_from(NAMES)))
def test_T30_a_value_stays_one_odata_string(value: str) -> None:
    try:
        path = REMOTE.path("users('{}')", value)
    except Refused:
        return
    literal = unquote(path.removeprefix("users('").removesuffix("')"))
    assert literal.replace("''", "").count("'") == 0
    assert literal.replace("''", "'") == value


@settings(deadline=None)
@given(st.one_of(st.text(max_size=60), st.sampled_from(NAMES)))
def test_T30_only_a_guid_is_a_guid_and_only_a_number_a_number(value: str) -> None:
    with pytest.raises(Refused):
        REMOTE.guid(value)
    if not (value.isascii() and value.isdigit()):
        with pytest.raises(Refused):
            REMOTE.number(value)


@pytest.fixture(scope="module")
def brien(tmp_path_factory: pytest.TempPathFactory) -> Remotes:
    """A world in which Mia is called O'Brien on both sides."""
    sandbox = create_sandbox(SandboxConfig(ca_folder=tmp_path_factory.mktemp("ca")))
    remotes = Remotes(sandbox)
    mia = sandbox.world.persons[remotes.person().oid]
    mia.upn = mia.mail = "o'brien+#%&x@contoso.example"
    mia.mdm_user_name = "o'brien&user=noah"
    return remotes


def test_T30_an_awkward_name_finds_its_own_person(brien: Remotes) -> None:
    person = brien.person()
    found = brien.graph.call("GET", brien.graph.path("users/{}", person.user_name)).fields()
    assert found.guid("id") == person.oid
    assert [d.owner_mail for d in brien.mdm.devices_of(person).devices] == [person.mail]


@pytest.mark.parametrize("name", NAMES)
def test_T30_a_foreign_name_finds_nobody(brien: Remotes, name: str) -> None:
    with pytest.raises((NotFound, Refused)):
        brien.graph.call("GET", brien.graph.path("users('{}')", name))
    with pytest.raises(Refused):
        brien.directory.person(name)
    with pytest.raises(Refused):
        brien.directory.device(name)
    with pytest.raises(Refused):
        brien.mdm.device(name)
    try:
        assert brien.mdm.devices_of(replace(brien.person(), mail=name, user_name=name or "nobody@x")) == Owned(())
    except Refused:
        assert len(name) > 1000 or not name.isprintable()
