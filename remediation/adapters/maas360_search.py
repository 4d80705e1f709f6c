"""Searching the devices of MaaS360: a page and what follows it, every row of a search, the rows that are a person's.

Next door: `maas360` (what is made of them), `maas360_reading` (how answers are read).
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from ..domain.device import Person
from ..domain.identifiers import bare, udid_spellings
from .fields import fold, same
from .http import LARGEST_PAGE, Fields
from .maas360_reading import DEVICES, Reading, at_most, listed, need_whole, text

LEGAL_PAGES = (25, 50, 100, 200, 250)
MOST_PAGES = 100
LONGEST = 64  # of an identifier

OwnerAttribute = Literal["email", "user_name", "upn"]


class Search:
    """`attribute` is what the tenant chose to know a person by; without it mail address, then user principal name."""

    def __init__(self, reading: Reading, *, page_size: int, attribute: OwnerAttribute | None) -> None:
        if page_size not in LEGAL_PAGES:
            raise ValueError(f"{page_size} is no legal page size")
        self._reading = reading
        self._page_size = page_size
        self._attribute = attribute

    def following(self, place: tuple[str, int, int, int], count: int, got: int) -> str | None:
        """Whether `count` is of all or of the page is not public: on the first page it is seen, where it is of more than came."""
        status, number, had, total = place
        had += got
        total = count if number == 1 and count > got else total
        if got == self._page_size:
            return f"{status}.{number + 1}.{had}.{total}"
        if (count not in (had, got)) or (total and had < total and count != had):
            raise self._reading.garbled("a list that ends before its end")
        return "InActive.1.0.0" if status == "Active" else None

    def page(self, query: Mapping[str, str | int], number: int) -> tuple[Fields, list[Fields]]:
        # Milhound/maas360api devices/search.go: GET /device-apis/devices/2.0/search/customer/{billingId}; 1-based
        asked = {**query, "pageNumber": number, "pageSize": self._page_size}
        target = self._reading.path(f"{DEVICES}/2.0/search", customer=True)
        envelope, items = listed(self._reading, self._reading.get(target, asked, largest=LARGEST_PAGE), "devices", "device")
        told = need_whole(envelope, "pageNumber")
        if told > number or (told < number and items):
            # seen of compliance events: beyond the last page a lower one is told again
            if told > number:
                raise self._reading.garbled("another page than the one asked for")
            return envelope, []
        return envelope, items

    def found(self, **query: str | int) -> Iterator[Fields]:
        """Every row that this search finds, page after page; half a list is none."""
        had = total = 0
        for number in at_most(MOST_PAGES, self._reading):
            envelope, items = self.page(query, number)
            yield from items
            count = need_whole(envelope, "count")
            total = count if number == 1 and count > len(items) else total
            if self.following(("Active", number, had, total), count, len(items)) == "InActive.1.0.0":
                return
            had += len(items)

    def bearing(self, identifier: str) -> Iterator[Fields]:
        """Rows with this record id, UDID or serial number, active or not; each may come more than once. There is no filter on a
        serial number: it is part of an Apple device's record id, and otherwise every row is read and compared here."""
        wanted = bare(identifier)
        if wanted is None or len(wanted) > LONGEST:
            return
        received = identifier.strip()
        apple = f"Appl{wanted.upper()}"  # Milhound/maas360api devices/search.go: CSN is `Appl<serial>` or `android<hex>`
        asked: list[dict[str, str | int]] = [{"maas360DeviceId": word, "match": 1} for word in dict.fromkeys((received, apple))]
        asked += [{"udid": word} for word in dict.fromkeys((received, *sorted(udid_spellings(wanted))))]
        found = [row for query in asked for row in self._either(query) if _bears(row, wanted)]
        yield from found or (row for row in self._either({}) if _bears(row, wanted))

    def _either(self, query: Mapping[str, str | int]) -> Iterator[Fields]:
        for status in ("Active", "InActive"):
            yield from self.found(**{**query, "deviceStatus": status})

    def rows_of(self, person: Person) -> Iterator[Fields]:
        """The search finds as it likes; we compare whole, on what the tenant chose. There is no filter on a serial number."""
        if self._attribute is not None:
            yield from self._by(self._attribute, person)
            return
        words = list({fold(word): word for word in (person.mail, person.user_name) if word and word.strip()}.values())
        by_mail = [r for w in words for r in self.found(email=w) if any(same(text(r, "emailAddress"), each) for each in words)]
        if by_mail:
            yield from by_mail
            return
        yield from (row for row in self._by_name(person.user_name) if _is_upn(row, person.user_name))

    def _by(self, attribute: OwnerAttribute, person: Person) -> Iterator[Fields]:
        value = person.match
        if not value or not value.strip():
            return
        if attribute == "email":
            yield from (row for row in self.found(email=value) if same(text(row, "emailAddress"), value))
        elif attribute == "user_name":
            yield from (row for row in self.found(partialUsername=value, match=1) if same(text(row, "username"), value))
        else:
            yield from (row for row in self._by_name(value) if _is_upn(row, value))

    def _by_name(self, upn: str) -> Iterator[Fields]:
        """A user name may be the whole user principal name, or its first part beside its domain."""
        for word in dict.fromkeys((upn, upn.partition("@")[0])):
            if word.strip():
                yield from self.found(partialUsername=word, match=1)


def place(cursor: str | None) -> tuple[str, int, int, int]:
    status, number, had, total = (cursor or "Active.1.0.0").split(".")
    return status, int(number), int(had), int(total)


def _bears(row: Fields, wanted: str) -> bool:
    names = (text(row, name) for name in ("maas360DeviceID", "udid", "platformSerialNumber"))
    return any(bare(name) == wanted for name in names)


def _is_upn(row: Fields, upn: str) -> bool:
    name = text(row, "username")
    return same(name, upn) or same(f"{name}@{text(row, 'userDomain')}", upn)
