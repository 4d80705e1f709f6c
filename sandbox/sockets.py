"""A WSGI application on a socket of 127.0.0.1, with keep-alive and TLS, that can hang up without an answer.

Werkzeug's development server closes every connection, and real services do not: what breaks only on a reused
connection would go unseen. Next door: `server` starts two of these; `faults` raises `ConnectionClosed`.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from werkzeug.wrappers import Response

from sandbox.faults import ConnectionClosed

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


LINGER = 1.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes; with Nagle each answer waits 40 ms
    timeout = 60
    server: Socket

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError, ssl.SSLError):
            super().handle()

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self._refuse_the_length()
            return
        environ = self._environ(self.rfile.read(int(length)))
        try:
            response = Response.from_app(self.server.app, environ, buffered=True)
        except ConnectionClosed:
            self.close_connection = True
            return
        body = response.get_data()
        self.send_response_only(response.status_code)
        for name, value in response.headers.items():
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        if response.status_code != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse_the_length(self) -> None:
        """411, and the end of this connection. What the client still sends is read away first: closing on unread bytes
        resets the connection, and the refusal would be lost on its way."""
        self.close_connection = True
        self.send_error(411)
        self.wfile.flush()
        with suppress(OSError):
            self.connection.settimeout(LINGER)
            while self.connection.recv(65_536):
                pass

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _answer

    def _environ(self, body: bytes) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if self.server.tls else "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
        }
        for name in set(self.headers.keys()) - {"Content-Type", "Content-Length"}:
            environ["HTTP_" + name.upper().replace("-", "_")] = ",".join(self.headers.get_all(name, []))
        return environ

    def log_message(self, format: str, *args: object) -> None:
        """The ledger is the log."""


class Socket(ThreadingHTTPServer):
    """One listening socket. `stop()` also hangs up on those who are still connected, so that down is down."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, app: WSGIApplication, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.app, self.tls = app, tls
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.tls is not None:
            # The handshake happens in the connection's own thread: one that never begins must not stop the others.
            connection = cast(
                "socket.socket",
                self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False),
            )
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no news; anything else is a bug of ours and says so."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=5)
