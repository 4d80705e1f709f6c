"""Drives a WSGI application as if it were at the other end of an https connection: for `Remote(transport=…)`, in one process.

Next door: `remotes`, which builds the product's adapters around the sandbox with this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Change = Callable[[requests.PreparedRequest, int, bytes], bytes]


class WSGIAdapter(BaseAdapter):
    """`change` may rewrite each answer's body on its way back, given the request and the status."""

    def __init__(self, app: WSGIApplication, *, change: Change | None = None) -> None:
        super().__init__()
        self.app = app
        self.change = change
        self.requests: list[requests.PreparedRequest] = []

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        self.requests.append(request)
        try:
            chunks, status, headers = run_wsgi_app(self.app, _environ(request), buffered=True)
        except ConnectionError as closed:
            raise requests.ConnectionError(str(closed), request=request) from closed
        body = b"".join(chunks)
        code, _, reason = status.partition(" ")
        if self.change is not None:
            body = self.change(request, int(code), body)
            headers["Content-Length"] = str(len(body))
        raw = urllib3.HTTPResponse(
            body=BytesIO(body),
            headers=urllib3.HTTPHeaderDict(headers.items()),
            status=int(code),
            reason=reason,
            preload_content=False,
        )
        response = requests.Response()
        response.status_code, response.reason = int(code), reason
        response.headers = CaseInsensitiveDict(headers.items())
        response.raw, response.url, response.request = raw, str(request.url), request
        return response

    def close(self) -> None:
        """No connection was ever opened."""


def _environ(request: requests.PreparedRequest) -> dict[str, Any]:
    parts = urlsplit(str(request.url))
    body = request.body or b""
    data = body.encode() if isinstance(body, str) else body
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(parts.path).decode("latin-1"),
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(parts.port or 443),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(bytes(data)),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(data)),
        "HTTP_HOST": parts.netloc,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        if key not in ("CONTENT_LENGTH", "HOST"):
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = text
    return environ
