"""Which of Workspace ONE's enrollment users is a person; and how its answers are asked for and its lists read whole.

Next door: `workspace_one` (their devices), `workspace_one_sign_in` (how it lets us in).
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Literal

from ..domain.device import Person
from ..errors import Garbled
from .fields import fold, same
from .http import LARGEST_BODY, Fields, Remote

PAGE = 500  # the default of the vendor; whether more is taken is not public
MOST_PAGES = 100

OwnerAttribute = Literal[
    "email",
    "user_name",
    "upn",
    "external_id",
    "custom_attribute_1",
    "custom_attribute_2",
    "custom_attribute_3",
    "custom_attribute_4",
    "custom_attribute_5",
]

# Where a user of the search carries the attribute: mrpaws/awtest system/v1 users_v1_api. The UPN is not among them.
IN_SEARCH: Mapping[str, str] = {
    "email": "Email",
    "user_name": "UserName",
    "external_id": "ExternalId",
    **{f"custom_attribute_{number}": f"CustomAttribute{number}" for number in range(1, 6)},
}


def accept(version: int) -> dict[str, str]:
    """Each call pins its version, since an unpinned one is answered as the server likes (graph-airwatch recording.har)."""
    return {"Accept": f"application/json;version={version}"}


class Reading:
    """GETs of one connection. 204 without a body is nothing, and a list is whole or Garbled."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote

    def get(
        self, target: str, *, version: int, query: Mapping[str, str | int] | None = None, largest: int = LARGEST_BODY
    ) -> Fields | None:
        answer = self._remote.call("GET", target, query=query, headers=accept(version), largest=largest)
        return None if answer.status == 204 and answer.body is None else answer.fields()

    def garbled(self, what: str) -> Garbled:
        return Garbled(what, remote=self._remote.name)

    def pages(self, target: str, query: Mapping[str, str], name: str) -> Iterator[Fields]:
        """0-based pages until `Total` is reached; 204 means none (graph-airwatch recording.har)."""
        had = 0
        for number in range(MOST_PAGES):
            page = self.get(target, version=1, query={**query, "page": number, "pagesize": PAGE})
            if page is None:
                if had:
                    raise Garbled("a list that ends before its end", remote=self._remote.name)
                return
            count, total = len(list(page.items(name))), page.need_number("Total")
            had += count
            if (count == 0 and had < total) or page.need_number("Page") != number:
                raise Garbled("a list that ends before its end", remote=self._remote.name)
            yield page
            if had >= total:
                return
        raise Garbled("pages without end", remote=self._remote.name)


class Users:
    """Finds a person's users. The search finds by parts of a word, and only by name and mail; we compare whole, on what the tenant
    chose.

    Without `attribute` a user is the person's whose mail address is the person's mail address or UPN; where there is none, the one
    whose user name is the UPN, or is its first part while the user's own UPN agrees. With it, only `Person.match` counts, and
    mail address and UPN merely serve the search.
    """

    def __init__(self, remote: Remote, reading: Reading, *, attribute: OwnerAttribute | None, shared: Collection[str]) -> None:
        self._remote = remote
        self._reading = reading
        self._attribute = attribute
        self._shared = {fold(name) for name in shared}

    def of(self, person: Person) -> list[Fields]:
        """Every user who is this person: more than one is nobody for certain."""
        found = self._by_default(person) if self._attribute is None else self._by(self._attribute, person)
        return list({user.within("Id").need_number("Value"): user for user in found}.values())

    def is_shared(self, user: Fields) -> bool:
        return fold(user.need_text("UserName")) in self._shared

    def _by_default(self, person: Person) -> Iterator[Fields]:
        words = _different(person.mail, person.user_name)
        by_mail = [user for word in words for user in self._search(email=word) if any(same(user.text("Email"), w) for w in words)]
        if by_mail:
            yield from by_mail
            return
        first_part = _first_part(person.user_name)
        for user in self._search(username=first_part) if first_part else ():
            name = user.text("UserName")
            if same(name, person.user_name) or (same(name, first_part) and same(self._upn(user), person.user_name)):
                yield user

    def _by(self, attribute: OwnerAttribute, person: Person) -> Iterator[Fields]:
        value = person.match
        if not value or not value.strip():
            return
        read: Callable[[Fields], str | None] = self._upn
        if attribute in IN_SEARCH:
            field = IN_SEARCH[attribute]
            read = lambda user: user.text(field)  # noqa: E731
        for user in self._candidates(attribute, value, person):
            if same(read(user), value):
                yield user

    def _candidates(self, attribute: OwnerAttribute, value: str, person: Person) -> Iterator[Fields]:
        if attribute == "email":
            return self._search(email=value)
        if attribute == "user_name":
            return self._search(username=value)
        return self._by_names(person)

    def _by_names(self, person: Person) -> Iterator[Fields]:
        """No search goes by the other attributes, so whoever bears one of the person's names is asked; parts of names are not."""
        names, first_part = _different(person.mail, person.user_name), _first_part(person.user_name)
        for word in names:
            yield from (user for user in self._search(email=word) if same(user.text("Email"), word))
        for user in self._search(username=first_part) if first_part else ():
            if any(same(user.text("UserName"), name) for name in (first_part, person.user_name)):
                yield user

    def _search(self, **words: str) -> Iterator[Fields]:
        # mrpaws/awtest system/v1 users_v1_api: GET /system/users/search
        for page in self._reading.pages("system/users/search", words, "Users"):
            yield from page.items("Users")

    def _upn(self, user: Fields) -> str | None:
        # mrpaws/awtest system/v2 ReadEnrollmentUserV2Model: GET /system/users/{uuid}
        found = self._reading.get(self._remote.path("system/users/{}", user.guid("Uuid")), version=2)
        return found.text("userPrincipalName") if found else None


def _different(*words: str | None) -> list[str]:
    """In their order, each once, whatever its letters' size."""
    return list({fold(word): word for word in words if word and word.strip()}.values())


def _first_part(upn: str) -> str:
    return upn.partition("@")[0].strip()
