"""Which addresses a call may go to. A name is looked up once, and the connection goes to the very address that was judged: a name
that answers differently a moment later (DNS rebinding) leads nowhere else. TLS still asks for the certificate of the name.

An address that the operator wrote as such is its own permission; a name that leads into a private network needs to be named in
`REMEDIATION_PRIVATE_HOSTS`. Addresses that no MDM lives at (link-local, metadata services) are never called.
"""

import ipaddress
import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NameResolutionError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# The clouds' own services for a machine, which hand out its credentials; those outside the link-local ranges.
METADATA = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")))
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is really called


class AddressRefused(Exception):
    """No address of this host may be called. Neither an `OSError` nor urllib3's: it must not look like a network that is away."""


def may_be_called(text: str, *, private: bool) -> bool:
    address = _meant(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_loopback:  # Python calls ::1 reserved as well
        return private
    if address in METADATA or address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
        return False
    return address.is_global or (private and address.is_private)


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


class _Connection(HTTPSConnection):
    private = False

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            found = socket.getaddrinfo(name, self.port, type=socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(self.host, self, error) from error  # type: ignore[arg-type]
        addresses = dict.fromkeys(str(one[4][0]) for one in found)
        allowed = [address for address in addresses if may_be_called(address, private=self.private)]
        if not allowed:
            raise AddressRefused
        try:
            return self._first_that_answers(allowed)
        finally:
            self._dns_host = name  # TLS asks for this name's certificate

    def _first_that_answers(self, allowed: list[str]) -> socket.socket:
        for address in allowed[:-1]:
            self._dns_host = address
            try:
                return super()._new_conn()
            except (HTTPError, OSError):
                continue
        self._dns_host = allowed[-1]
        return super()._new_conn()


class _PrivateToo(_Connection):
    private = True


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection


class _PoolPrivateToo(HTTPSConnectionPool):
    ConnectionCls = _PrivateToo


class PinnedAdapter(HTTPAdapter):
    """Nothing is tried again. `private`: the host may be in a private network, or this machine."""

    def __init__(self, *, private: bool) -> None:
        self._private = private
        super().__init__(max_retries=0, pool_maxsize=20)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"https": _PoolPrivateToo if self._private else _Pool}
