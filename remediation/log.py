"""The log: one JSON object a line on stderr, or something for the eye where stderr is a terminal. No secret gets through.

Two nets: the values of this process's own secrets, told to `set_up`, are replaced wherever they stand; and what looks like a
credential by its name is replaced though nobody told us of it. Libraries that log with `logging` pass through the same nets.
"""

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from .secret_files import learned

GONE = "[secret]"
NAMES = (
    "authorization|proxy-authorization|cookie|set-cookie|aw-tenant-code|client_secret|client_assertion|code|code_verifier|state|nonce"
    "|(?:access_|refresh_|id_|csrf_)?token|password|passwd|secret|secret_key"
)
KEY = re.compile(rf"(?:{NAMES})", re.IGNORECASE)
# name=value as in a query or form; "name": "value" as in JSON or a dict; Name: value to the end of the line as in a header.
FORM = re.compile(rf"(?<![\w-])({NAMES})=[^\s&\"'<>,;]+", re.IGNORECASE)
QUOTED = re.compile(rf"""(["'])({NAMES})\1(\s*:\s*)(["'])(?:\\.|(?!\4).)*\4""", re.IGNORECASE)
HEADER = re.compile(
    r"(?<![\w-])(authorization|proxy-authorization|cookie|set-cookie|aw-tenant-code)(\s*:\s*)[^\r\n\"']+", re.IGNORECASE
)
BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
POSSESSION = re.compile(r"(/(?:possession|message-test|set-up)/)[\w-]{16,}")  # the address is the token
JWT = re.compile(r"\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*")


class Redactor:
    """A structlog processor that goes through keys and values, however deep."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({value for value in secrets if len(value) >= 6}, key=len, reverse=True)

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {key: value if key.startswith("_") else self._clean(key, value) for key, value in event.items()}

    def _clean(self, key: str, value: Any) -> Any:
        if KEY.fullmatch(key) and key != "event":
            return GONE
        if isinstance(value, MutableMapping):
            return {self.text(str(inner)): self._clean(str(inner), item) for inner, item in value.items()}
        if isinstance(value, list | tuple | set):
            return [self._clean("", item) for item in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.text(str(value))

    def text(self, text: str) -> str:
        for secret in (*self._secrets, *learned()):
            text = text.replace(secret, GONE)
        text = POSSESSION.sub(rf"\1{GONE}", text)
        text = HEADER.sub(rf"\1\2{GONE}", text)
        text = QUOTED.sub(rf"\1\2\1\3\4{GONE}\4", text)
        text = FORM.sub(rf"\1={GONE}", text)
        return JWT.sub(GONE, BEARER.sub(rf"\1 {GONE}", text))


def set_up(process: str, secrets: Iterable[str] = ()) -> None:
    """Once per process, before anything logs."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    terminal = sys.stderr.isatty()
    # All but ASCII is escaped: a U+2028 or U+0085 in somebody's name would end the line for some readers.
    last: Processor = structlog.dev.ConsoleRenderer(colors=terminal) if terminal else structlog.processors.JSONRenderer()

    def name_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        return {"process": process, **event}

    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[name_process, structlog.stdlib.ProcessorFormatter.remove_processors_meta, Redactor(secrets), last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    # DBOS adds a console of its own unless it finds a handler; at INFO these libraries tell whole addresses.
    engine = logging.getLogger("dbos")
    engine.handlers, engine.propagate = [handler], False
    for noisy in ("urllib3", "msal", "authlib", "sqlalchemy", "alembic", "dbos"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
