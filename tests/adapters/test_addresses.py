"""T24: where a call may go, whatever an address is spelled like and whatever a name leads to. A trap counts who arrives."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from remediation.adapters.addresses import may_be_called
from remediation.adapters.http import Remote, Timeouts
from remediation.errors import Garbled, Refused, RemoteError
from tests.adapters.conftest import Server

NEVER = (
    *("169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
    *("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "0.0.0.0", "::", "224.0.0.1", "ff02::1"),  # noqa: S104
    *("255.255.255.255", "240.0.0.1", "2002:a9fe:a9fe::1"),
)
OWN_NETWORK = (
    *("127.0.0.1", "127.8.9.10", "::1", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fd12:3456::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::"),
)
SHARED = ("100.64.0.1", "198.18.0.1", "192.0.2.1", "2001:db8::1")
PUBLIC = ("20.190.128.1", "2603:1026::1", "8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "172.32.0.1", "11.0.0.1")


@pytest.mark.parametrize("address", NEVER)
def test_T24_metadata_link_local_and_group_addresses_are_never_called(address: str) -> None:
    assert not may_be_called(address, private=False)
    assert not may_be_called(address, private=True)


@pytest.mark.parametrize("address", OWN_NETWORK)
def test_T24_an_own_network_is_called_only_where_the_operator_says_so(address: str) -> None:
    assert not may_be_called(address, private=False)
    assert may_be_called(address, private=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_T24_public_addresses_are_called(address: str) -> None:
    assert may_be_called(address, private=False)


@pytest.mark.parametrize("address", SHARED)
def test_T24_addresses_of_no_public_network_are_not(address: str) -> None:
    assert not may_be_called(address, private=False)


# Spellings by which other programs' parsers were led to this machine. `{port}` is the trap's.
SPELLED = (
    *("2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "0127.0.0.1", "127.0.0.01"),
    *("localhost", "LOCALHOST", "localhost.", "127.0.0.1.", "localhost.localdomain", "ip6-localhost", "0", "0x0", "00.0.0.0"),
    *("①②⑦.⓪.⓪.①", "127。0。0。1", "127．0．0．1", "１２７.0.0.1", "loc\u00adalhost", "lOcAlHoSt", "127.0.0.1%00", "127.0.0.1%2e"),
    *("user@127.0.0.1", "127.0.0.1@127.0.0.1", "127.0.0.1\\@127.0.0.1", "127.0.0.1#@127.0.0.1", "127.0.0.1?@127.0.0.1"),
)
LINKS = (
    *(f"https://{host}:{{port}}/x" for host in SPELLED),
    *(
        f"https://{host}/x"
        for host in ("[::1]:{port}", "[::ffff:127.0.0.1]:{port}", "[::ffff:7f00:1]:{port}", "[0:0:0:0:0:0:0:1]:{port}")
    ),
    *("//127.0.0.1:{port}/x", "///127.0.0.1:{port}/x", "http://127.0.0.1:{port}/x", "HTTPS://127.0.0.1:{port}/x"),
    *(
        "https:\\\\127.0.0.1:{port}\\x",
        "https:/\\127.0.0.1:{port}/x",
        "https://\t127.0.0.1:{port}/x",
        "https://127.0.0.1:{port}\n/x",
    ),
    *("ftp://127.0.0.1:{port}/x", "gopher://127.0.0.1:{port}/x", "file://127.0.0.1:{port}/x", "dict://127.0.0.1:{port}/x"),
    *("ws://127.0.0.1:{port}/", "wss://127.0.0.1:{port}/", "jar:https://127.0.0.1:{port}!/", "https://127.0.0.1:{port}:443/x"),
    *("https://127.0.0.1:{port}@/x", "https://:@127.0.0.1:{port}/x", "https://127.0.0.1%3a{port}/x", "https://127.0.0.1:{port}\\x"),
    *(
        "https://127.0.0.1:0{port}/x",
        "https://127.0.0.1: {port}/x",
        " https://127.0.0.1:{port}/x",
        "\x01https://127.0.0.1:{port}/x",
    ),
    *(
        "https://127.0.0.1:+{port}/x",
        "https://127.0.0.1:{port}.evil.example/x",
        "javascript://127.0.0.1:{port}/%0aalert(1)",
        "https://",
    ),
)


def tried(remote: Remote, target: str) -> type[RemoteError] | None:
    try:
        remote.call("GET", target, headers={"aw-tenant-code": "pl4nted"})
    except RemoteError as error:
        return type(error)
    return None


def test_T24_no_spelling_of_a_link_leads_to_another_host(server: Server, elsewhere: Server) -> None:
    assert len(LINKS) >= 60
    port = elsewhere.origin.rpartition(":")[2]
    for link in LINKS:
        target = link.replace("{port}", port)
        outcome = tried(server.remote(), target)
        assert outcome in (Garbled, Refused, None), target
        if outcome is None:  # what is no address is a path below our own base
            assert server.asked[-1].host == urlsplit(server.origin).netloc, target
    asked = len(server.asked)
    server.remote().call("GET", f"{server.origin}/v1.0/next?$skiptoken=1")
    assert len(server.asked) == asked + 1


@pytest.mark.parametrize("host", [host for host in SPELLED if host.isascii() and not set("@\\#?%") & set(host)])
def test_T24_a_name_that_leads_to_this_machine_is_not_called_unless_the_operator_named_it(server: Server, host: str) -> None:
    port = server.origin.rpartition(":")[2]
    remote = Remote("mdm", f"https://{host}:{port}", vendor_code=lambda _: None, ca=server.ca, timeouts=Timeouts(2, 0.5, 2))
    with pytest.raises(RemoteError):
        remote.call("GET", "thing", headers={"aw-tenant-code": "pl4nted"})
    assert not server.asked


def test_T24_the_same_name_is_called_where_the_operator_named_it(server: Server) -> None:
    origin = f"https://localhost:{server.origin.rpartition(':')[2]}"
    with pytest.raises(Refused, match="may not go to"):
        Remote("mdm", origin, vendor_code=lambda _: None, ca=server.ca).call("GET", "thing")
    assert not server.asked
    Remote("mdm", origin, vendor_code=lambda _: None, ca=server.ca, private=True).call("GET", "thing")
    assert len(server.asked) == 1


@contextmanager
def names_lead(answers: list[list[str]]) -> Iterator[list[str]]:
    """This process's look-ups, answered one after the other as an attacker's name server would; what was asked is noted."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def lookup(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if not name.endswith(".example"):
            return real(host, port, *args, **more)
        asked.append(name)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    socket.getaddrinfo = lookup
    try:
        yield asked
    finally:
        socket.getaddrinfo = real


def test_T24_rebinding_a_name_is_looked_up_once_and_what_was_judged_is_what_is_called(server: Server) -> None:
    """First a public address, then this machine: a program that looks twice judges the first and calls the second."""
    port = server.origin.rpartition(":")[2]
    remote = Remote("mdm", f"https://mdm.example:{port}", vendor_code=lambda _: None, ca=server.ca, timeouts=Timeouts(0.3, 0.3, 1))
    with names_lead([["192.0.2.1"], ["127.0.0.1"]]) as asked, pytest.raises(Refused):
        remote.call("GET", "thing")
    assert len(asked) == 1
    with names_lead([["8.8.8.8"], ["127.0.0.1"]]) as asked, pytest.raises(RemoteError):
        remote.call("GET", "thing")  # nobody answers there, or not for that name
    assert len(asked) == 1
    assert not server.asked


def test_T24_of_several_addresses_only_the_allowed_ones_are_called(server: Server) -> None:
    port = server.origin.rpartition(":")[2]
    remote = Remote("mdm", f"https://mdm.example:{port}", vendor_code=lambda _: None, ca=server.ca, timeouts=Timeouts(0.3, 0.3, 1))
    with names_lead([["127.0.0.1", "169.254.169.254", "::1"]]), pytest.raises(Refused, match="may not go to"):
        remote.call("GET", "thing")
    assert not server.asked


def test_T24_tls_still_asks_for_the_certificate_of_the_name(server: Server) -> None:
    """Reached through its address, judged by its name: the server's certificate is for 127.0.0.1 and localhost only."""
    port = server.origin.rpartition(":")[2]
    remote = Remote("mdm", f"https://mdm.example:{port}", vendor_code=lambda _: None, ca=server.ca, private=True)
    with names_lead([["127.0.0.1"]]), pytest.raises(RemoteError, match="TLS"):
        remote.call("GET", "thing")
    assert not server.asked


def test_T24_each_of_several_addresses_is_called_as_it_was_judged(server: Server) -> None:
    """Where the first does not answer, the next is tried, and the name is not looked up for that again."""
    port = server.origin.rpartition(":")[2]
    remote = Remote("mdm", f"https://mdm.example:{port}", vendor_code=lambda _: None, ca=server.ca, private=True)
    with names_lead([["127.0.0.2", "127.0.0.3"], ["127.0.0.1"]]) as asked, pytest.raises(RemoteError):
        remote.call("GET", "thing")
    assert len(asked) == 1
    assert not server.asked
    with names_lead([["127.0.0.2", "127.0.0.1"]]), pytest.raises(RemoteError, match="TLS"):
        remote.call("GET", "thing")  # the second answers, for another name
