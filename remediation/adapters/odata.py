"""Lists as Microsoft Graph gives them: OData v4, a page and the address of the next."""

from collections.abc import Iterator

from ..errors import Garbled
from .http import Fields, Remote

MOST_PAGES = 20


def items(remote: Remote, page: Fields, *, most_pages: int = MOST_PAGES) -> Iterator[Fields]:
    """Of this page and of all that follow it."""
    # graph-docs concepts/paging.md
    for _ in range(most_pages):
        yield from page.items("value")
        link = page.text("@odata.nextLink")
        if link is None:
            return
        page = remote.call("GET", link).fields()
    raise Garbled("pages without end", remote=remote.name)
