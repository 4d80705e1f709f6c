"""Lists of Fleet's hosts: a page and what follows it, every host that a search finds, and whose a host is.

Next door: `fleet` (what is made of them), `fleet_posture` (its words).
"""

from collections.abc import Collection, Iterator, Mapping

from ..errors import Garbled
from .fields import fold
from .http import LARGEST_PAGE, Fields, Remote

MOST_PAGES = 100

# Who says whose a host is: fleetdm/fleet server/fleet/hosts.go DeviceMapping…, docs/REST API/rest-api.md Get human-device mapping.
# `mdm_idp_accounts` is whoever signed in with the identity provider at enrollment, or whom an administrator named in its place;
# `google_chrome_profiles` whoever signed in to a browser there; `custom` whatever a caller of the API, or of the device's own API,
# wrote. The last two prove nothing by themselves.
SIGNED_IN = "mdm_idp_accounts"
SOURCES = (SIGNED_IN, "google_chrome_profiles", "custom")


class Hosts:
    """Reads of one connection. `sources` are those of the mapping that count."""

    def __init__(self, remote: Remote, *, page_size: int, sources: Collection[str]) -> None:
        self._remote = remote
        self._page_size = page_size
        self._sources = frozenset(sources)

    def one(self, number: int) -> Fields:
        # docs/REST API/rest-api.md: GET /api/v1/fleet/hosts/:id
        query = {"exclude_software": "true"}
        host = self._remote.call("GET", self._remote.path("hosts/{}", number), query=query).fields().within("host")
        if host.need_number("id") != number:
            raise host.garbled("id")
        return host

    def holders_of(self, number: int) -> tuple[str, ...]:
        # docs/REST API/rest-api.md: GET /api/v1/fleet/hosts/:id/device_mapping
        answer = self._remote.call("GET", self._remote.path("hosts/{}/device_mapping", number)).fields()
        if answer.need_number("host_id") != number or not answer.has("device_mapping"):
            raise answer.garbled("device_mapping")
        return self.holders(answer)

    def holders(self, of: Fields) -> tuple[str, ...]:
        """Mail addresses, each once, in a steady order; those of sources that do not count are left out. A list may lack some
        (fleetdm/fleet#45014)."""
        if of.raw("device_mapping") is None:
            return ()
        found = (one.need_text("email") for one in of.items("device_mapping") if one.need_text("source") in self._sources)
        return tuple(sorted({fold(mail): mail for mail in found if mail.strip()}.values(), key=fold))

    def page(self, number: int, query: Mapping[str, str]) -> list[Fields]:
        # docs/REST API/rest-api.md: GET /api/v1/fleet/hosts; 0-based
        order: dict[str, str | int] = {"page": number, "per_page": self._page_size, "order_key": "id", "order_direction": "asc"}
        rows = list(self._remote.call("GET", "hosts", query={**order, **query}, largest=LARGEST_PAGE).fields().items("hosts"))
        if len(rows) > self._page_size:
            raise self.garbled("more hosts than were asked for")
        return rows

    def is_last(self, rows: Collection[Fields]) -> bool:
        """A list does not tell how long it is: a page that is not full is its last one."""
        return len(rows) < self._page_size

    def count(self) -> int:
        # docs/REST API/rest-api.md: GET /api/v1/fleet/hosts/count
        return self._remote.call("GET", "hosts/count").fields().need_number("count")

    def found(self, word: str) -> Iterator[Fields]:
        """Every host that this word finds: in its name, serial number, UUID, address, or in the mail addresses of its people."""
        for number in range(MOST_PAGES):
            rows = self.page(number, {"query": word, "device_mapping": "true"})
            yield from rows
            if self.is_last(rows):
                return
        raise self.garbled("pages without end")

    def garbled(self, what: str) -> Garbled:
        return Garbled(what, remote=self._remote.name)


def place(cursor: str | None) -> tuple[int, int, int]:
    """Of the whole list: the page, how many hosts came before it, and the last one's number."""
    page, had, last = (cursor or "0.0.0").split(".")
    return int(page), int(had), int(last)
