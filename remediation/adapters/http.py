"""The manners of every remote call: where it may go, how long it may take, what counts as an answer, which error it becomes.

An adapter is given one `Remote` per address and reads answers through `Fields`. Nothing here retries, follows a redirect or sleeps;
only a rejected credential is renewed, once. Next door: `gate` (whether a call may leave now), `fields`, the adapters, and `errors`
with the five ways to fail.
"""

import json
import re
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlsplit
from uuid import uuid4

import requests
import structlog
import urllib3
from requests.adapters import BaseAdapter

from ..domain.health import Cause
from ..domain.push import Lane
from ..errors import NO_CONSENT, Busy, Garbled, NotFound, Refused, RemoteError, Unreachable
from ..ports import lane_now
from .addresses import AddressRefused, PinnedAdapter, is_address
from .causes import UNKNOWN, Causes, cause_of, plain_words
from .fields import GUID, Fields
from .gate import Gate, Passage
from .http_headers import date_of, retry_after

__all__ = ["Answer", "Credential", "Fields", "Remote", "Timeouts"]

LARGEST_BODY = 2_000_000
LARGEST_PAGE = 8_000_000  # 500 records of Workspace ONE at two to five kilobytes each, depending on the tenant's policies
LONGEST_VALUE = 1024  # of an id or a search word; names of 4 KB exist, but nobody is found by one
_CODE = re.compile(r"[\w.:-]{1,64}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

log = structlog.get_logger("remediation.remote")


class Credential(Protocol):
    """What opens a remote: an app's token, or a fixed header."""

    def headers(self) -> Mapping[str, str]: ...

    def renew(self, rejected: Mapping[str, str]) -> bool:
        """These headers were answered 401: whether others can be had. `headers` then gives the new ones."""


@dataclass(frozen=True)
class Timeouts:
    """Seconds: to connect, between two pieces of an answer, and for the answer as a whole."""

    connect: float = 5
    read: float = 30
    total: float = 60


@dataclass(frozen=True)
class Answer:
    """A good answer. `body` is the parsed JSON, None where nothing was sent; the ids are as in `RemoteError`."""

    remote: str
    status: int
    body: Any
    client_request_id: str = ""
    request_id: str | None = None

    def fields(self) -> Fields:
        return Fields(self.body, self.remote)


class Remote:
    """One address of one remote. `name` is what errors call it; `vendor_code` reads the vendor's own code from its error body.

    `private`: its name may lead into a private network (`addresses`). `gate` is passed by every call; without one, calls are not
    counted. `quota` reads from an answer's headers for how many seconds the remote should be left alone, None for not at all;
    `lane_headers` says the lane in the vendor's own words. `causes` tells what the vendor's codes mean; `inside` finds the code of
    a refusal in an answer that is good by its status, None or 0 for none.
    `no_consent` says after a 403 for how many seconds every call would be refused, since the credential itself may do nothing here;
    None where it is this call's own trouble.
    """

    def __init__(
        self,
        name: str,
        base: str,
        *,
        vendor_code: Callable[[Any], object],
        credential: Credential | None = None,
        ca: Path | None = None,
        private: bool = False,
        timeouts: Timeouts | None = None,
        transport: BaseAdapter | None = None,
        gate: Gate | None = None,
        quota: Callable[[Mapping[str, str]], float | None] = lambda headers: None,
        lane_headers: Callable[[Lane], Mapping[str, str]] = lambda lane: {},
        causes: Causes = UNKNOWN,
        inside: Callable[[Any], object] = lambda body: None,
        no_consent: Callable[[], float | None] = lambda: None,
    ) -> None:
        parts = urlsplit(base)
        if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"{name}: not a plain https address")
        self.name = name
        self.host = _host(base) or ""
        self.origin = f"https://{parts.netloc}"
        self._path = parts.path.rstrip("/")
        self._vendor_code = vendor_code
        self._credential = credential
        self._timeouts = timeouts or Timeouts()
        self._session = _session(ca, transport or PinnedAdapter(private=private or is_address(parts.hostname)))
        self._gate = gate
        self._quota = quota
        self._lane_headers = lane_headers
        self._causes = causes
        self._inside = inside
        self._no_consent = no_consent
        self._told: tuple[datetime, float] | None = None

    # what a request is made of

    def guid(self, value: str) -> str:
        if not GUID.fullmatch(value.lower()):
            raise Refused("not a GUID", remote=self.name)
        return value.lower()

    def number(self, value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", value):
            raise Refused("not a number", remote=self.name)
        return int(value)

    def path(self, template: str, *values: str | int) -> str:
        """Fill each `{}` with one value, percent-encoded whole; inside apostrophes it is an OData string whose own are doubled."""
        filled, *rest = template.split("{}")
        for value, piece in zip(values, rest, strict=True):
            text = self._harmless(str(value))
            if text in ("", ".", ".."):
                raise Refused("not a name", remote=self.name)
            filled += quote(text.replace("'", "''") if filled.endswith("'") else text, safe="") + piece
        return filled

    def _harmless(self, text: str) -> str:
        if len(text) > LONGEST_VALUE or _CONTROL.search(text):
            raise Refused("a value that nothing can be called by", remote=self.name)
        return text

    def _address(self, target: str) -> str:
        """Below our base; a link that the remote gave must stay on its host, since a token goes with it."""
        if "://" not in target.partition("?")[0] and not target.startswith("//"):
            return f"{self.origin}{self._path}/{target.lstrip('/')}" if target else f"{self.origin}{self._path}"
        if _host(target) != self.host:
            raise Garbled("a link to another host", remote=self.name)
        parts = urlsplit(target)  # put together anew on our own origin: no two parsers can differ about the host
        return f"{self.origin}{parts.path}" + (f"?{parts.query}" if parts.query else "")

    def clock(self) -> datetime | None:
        """The remote's own time now, by its last answer's `Date` (RFC 9110 6.6.1); None while it has told none."""
        if self._told is None:
            return None
        at, then = self._told
        return at + timedelta(seconds=time.monotonic() - then)

    # the call

    def call(
        self,
        method: str,
        target: str,
        *,
        query: Mapping[str, str | int] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        renew: bool = True,
        largest: int = LARGEST_BODY,
        may_be_refused: bool = False,
    ) -> Answer:
        """One answer of at most `largest` bytes, or one of the five errors. A rejected credential is renewed once, unless `renew`
        forbids. `may_be_refused` where the permission for it is the tenant's to give or not."""
        address = self._address(target)
        asked = {name: self._harmless(str(value)) for name, value in (query or {}).items()}
        request = requests.Request(method, address, params=asked, json=json, data=form)
        signed = self._credential.headers() if self._credential else {}
        try:
            return self._once(request, {**(headers or {}), **signed}, largest, may_be_refused)
        except Refused as refused:
            if refused.status != 401 or not renew or self._credential is None or not self._credential.renew(signed):
                raise
        return self._once(request, {**(headers or {}), **self._credential.headers()}, largest, may_be_refused)

    def _once(self, request: requests.Request, headers: Mapping[str, str], largest: int, may_be_refused: bool) -> Answer:
        with self._through_the_gate(writes=request.method != "GET") as passage:
            passage.may_be_refused = may_be_refused
            return self._ask(request, headers, passage, largest)

    def _through_the_gate(self, *, writes: bool) -> AbstractContextManager[Passage]:
        return nullcontext(Passage()) if self._gate is None else self._gate.passing(self.name, writes=writes)

    def _ask(self, request: requests.Request, headers: Mapping[str, str], passage: Passage, largest: int) -> Answer:
        ours, started = str(uuid4()), time.monotonic()
        lane = self._lane_headers(lane_now())
        request.headers = {"Accept": "application/json", **headers, **lane, "client-request-id": ours}
        seen = _Seen()
        error: RemoteError | None = None
        try:
            answer = self._sort(seen, self._exchange(request, seen, largest))
            return replace(answer, client_request_id=ours, request_id=seen.request_id)
        except RemoteError as caught:
            error = caught.of_call(ours, seen.request_id)
            error.words = seen.words
            error.cause = cause_of(error, self._causes, page=seen.page, odd=seen.odd)
            if error.status == 403 and (seconds := self._no_consent()) is not None:
                error.named, error.retry_after, passage.refused_for = NO_CONSENT, seconds, seconds
            raise
        finally:
            passage.page, passage.closes_for = seen.page, self._quota(seen.headers)
            log.info(
                "remote.call",
                remote=self.name,
                method=request.method,
                host=self.host,
                path=urlsplit(str(request.url)).path,
                status=seen.status,
                outcome=error.code if error else "ok",
                vendor_code=error.vendor_code if error else None,
                client_request_id=ours,
                request_id=seen.request_id,
                ms=round((time.monotonic() - started) * 1000),
            )

    def _exchange(self, request: requests.Request, seen: "_Seen", largest: int) -> bytes:
        timeout = (self._timeouts.connect, self._timeouts.read)
        ends = time.monotonic() + self._timeouts.total
        try:
            prepared = self._session.prepare_request(request)
            # `send` does not look at the environment, but neither at the session's `verify`: it has to be given
            with self._session.send(
                prepared, timeout=timeout, allow_redirects=False, stream=True, verify=self._session.verify
            ) as response:
                seen.status, seen.headers = response.status_code, response.headers
                date = date_of(response.headers.get("Date", ""))
                self._told = (date, time.monotonic()) if date is not None else self._told
                return self._read(response, ends, largest, seen)
        except AddressRefused as refused:
            raise Refused("an address that calls may not go to", remote=self.name) from refused
        except requests.Timeout as timed_out:
            raise Unreachable("no answer in time", remote=self.name) from timed_out
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as broken:
            raise Unreachable(_why(broken), remote=self.name, status=seen.status) from broken

    def _read(self, response: requests.Response, ends: float, largest: int, seen: "_Seen") -> bytes:
        body = b""
        try:
            while piece := response.raw.read1(65_536, decode_content=True):
                body += piece
                if len(body) > largest:
                    seen.odd = Cause.LARGE
                    raise Garbled("too large an answer", remote=self.name, status=response.status_code)
                if time.monotonic() > ends:
                    raise Unreachable("too slow an answer", remote=self.name, status=response.status_code)
        except urllib3.exceptions.DecodeError as odd:
            seen.odd = Cause.HALF
            raise Garbled("an answer packed wrongly", remote=self.name, status=response.status_code) from odd
        return body

    def _sort(self, seen: "_Seen", body: bytes) -> Answer:
        """The one place where an answer becomes an answer or one of the five errors."""
        status = seen.status or 0
        if 200 <= status < 300:
            return self._good(seen, status, self._parse(seen, body) if body else None)
        code = self._code(seen, body)
        if status in (429, 503):
            raise Busy("busy", remote=self.name, status=status, vendor_code=code, retry_after=retry_after(seen.headers))
        kind: type[RemoteError]
        if status >= 500 or status == 408:
            kind, what = Unreachable, "the remote failed"
        elif status in (404, 410):
            # a proxy or a wrong path answers 404 as well, and that is not the vendor saying that the thing is gone
            kind, what = (NotFound, "not found") if code else (Garbled, "404, but not in the vendor's form")
        elif status >= 400:
            kind, what = Refused, "refused"
        else:
            kind, what = Garbled, "neither an answer nor an error"
        asked = retry_after(seen.headers) if kind is Unreachable else None  # a 504 may carry one: graph-docs concepts/throttling.md
        raise kind(f"{what} ({status})", remote=self.name, status=status, vendor_code=code, retry_after=asked)

    def _good(self, seen: "_Seen", status: int, body: Any) -> Answer:
        code = self._text_of(self._inside, body)
        if code not in (None, "0"):
            seen.words = plain_words(body)
            raise Refused("refused inside a good answer", remote=self.name, status=status, vendor_code=code)
        return Answer(self.name, status, body)

    def _parse(self, seen: "_Seen", body: bytes) -> Any:
        media = seen.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media != "application/json" and not re.fullmatch(r"application/[\w.-]+\+json", media):
            seen.page = True
            raise Garbled("not JSON by its content type", remote=self.name, status=seen.status)
        try:
            return json.loads(body, object_pairs_hook=_once_each, parse_constant=_no_such_number)
        except (ValueError, RecursionError) as odd:
            seen.odd = Cause.HALF
            raise Garbled("not JSON", remote=self.name, status=seen.status) from odd

    def _code(self, seen: "_Seen", body: bytes) -> str | None:
        try:
            parsed = self._parse(seen, body)
        except Garbled:
            return None
        seen.words = plain_words(parsed)
        return self._text_of(self._vendor_code, parsed)

    @staticmethod
    def _text_of(read: Callable[[Any], object], body: Any) -> str | None:
        try:
            code = read(body)
        except (Garbled, AttributeError, LookupError, TypeError):
            return None
        text = str(code) if isinstance(code, str | int) and not isinstance(code, bool) else ""
        return text if _CODE.fullmatch(text) else None


class _Seen:
    """What came back before anything could fail: for the log line and the gate."""

    status: int | None = None
    page: bool = False
    odd: Cause | None = None
    words: str = ""
    headers: Mapping[str, str] = {}  # replaced, never written to

    @property
    def request_id(self) -> str | None:
        found = (self.headers.get(name) for name in ("request-id", "x-ms-request-id", "x-correlation-id"))
        return next((value[:64] for value in found if value), None)


def _session(ca: Path | None, transport: BaseAdapter) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, CA bundle or .netrc from the environment (CVE-2024-47081)
    session.verify = str(ca) if ca else True
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"User-Agent": "remediation", "Accept-Encoding": "identity"})
    session.adapters.clear()  # plain http has no way out
    session.mount("https://", transport)
    return session


def _host(url: str) -> str | None:
    """`host:port`, None for whatever is not a plain https address."""
    try:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc or "\\" in parts.netloc:
            return None
        return f"{parts.hostname}:{parts.port or 443}"
    except ValueError:
        return None


def _why(broken: BaseException) -> str:
    """The reason without the address, which holds a query."""
    cause: BaseException | None = broken
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return "TLS failed" if isinstance(broken, requests.exceptions.SSLError) else "the connection failed"


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")  # two readers would see two different answers
    return found


def _no_such_number(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
