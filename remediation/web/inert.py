"""A page that does nothing: its forms lead nowhere, its buttons cannot be pressed, and its links are shown as links without leading
anywhere. All the rest of it is left as it is, letter by letter.
"""

from html.parser import HTMLParser

KEPT = "data-kept"
"""An element with this attribute keeps its address: the way out of a preview, and the other languages."""
NO_FORM = {"action", "method"}
NO_LINK = {"href", "target"}
CONTROLS = {"button", "input", "select", "textarea"}
WATCHED = {"data-watch", "data-etag"}


def inert(page: str) -> str:
    writer = _Writer()
    writer.feed(page)
    writer.close()
    return "".join(writer.written)


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.written: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text, given = self.get_starttag_text() or "", dict(attrs)
        if tag == "form":
            text = _without(tag, attrs, NO_FORM)
        elif tag == "input" and given.get("type") == "hidden":
            text = ""  # the token of the forms, and handles
        elif tag in CONTROLS and "disabled" not in given:
            text = _without(tag, [*attrs, ("disabled", None)], {"formaction"})
        elif tag == "a" and KEPT not in given and not (given.get("href") or "").startswith("#"):
            text = _without(tag, [*attrs, ("role", "link"), ("aria-disabled", "true")], NO_LINK)
        elif given.keys() & WATCHED:
            text = _without(tag, attrs, WATCHED)
        self.written.append(text)

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag: str) -> None:
        self.written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.written.append(data)

    def handle_entityref(self, name: str) -> None:
        self.written.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.written.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self.written.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.written.append(f"<!{decl}>")


def _without(tag: str, attrs: list[tuple[str, str | None]], names: set[str]) -> str:
    kept = (f" {name}" if value is None else f' {name}="{_escaped(value)}"' for name, value in attrs if name not in names)
    return f"<{tag}{''.join(kept)}>"


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
