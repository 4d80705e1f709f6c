"""Templates with a seeded fault, in front of the product's own."""

from __future__ import annotations

from collections.abc import Callable

from jinja2 import BaseLoader, Environment, FileSystemLoader

from remediation.web import HOUSE

FAULTS: dict[str, tuple[str, str, str]] = {
    "mute": ("parts.html", '<button class="action {{ kind }}" id="send">{{ words }}</button>', ""),
    "no_code": ("parts.html", '<p class="big-code"><code>{{ code }}</code></p>', ""),
    "unlabelled": ("layout.html", '<main id="main" tabindex="-1">', '<main id="main" tabindex="-1"><button></button>'),
    "heavy": ("layout.html", "</head>", "<!--" + "0123456789 " * 200_000 + "--></head>"),
}


def broken(fault: str | None) -> BaseLoader | None:
    return _Loader(*FAULTS[fault]) if fault in FAULTS else None


class _Loader(FileSystemLoader):
    def __init__(self, name: str, old: str, new: str) -> None:
        super().__init__(HOUSE / "templates")
        self._fault = (name, old, new)

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, path, fresh = super().get_source(environment, template)
        name, old, new = self._fault
        if template == name:
            assert old in source, f"{name} no longer holds what is to be broken"
            source = source.replace(old, new)
        return source, path, fresh
