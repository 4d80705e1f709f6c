"""A real nginx on the shipped example (`docs/nginx.conf`), and a TLS client with a certificate, a wrong name or any header.

Only addresses, ports and files of the example are exchanged for the test's. Never a skip: without nginx, a sentence says so.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import trustme
from werkzeug.serving import WSGIRequestHandler, make_server

EXAMPLE = Path(__file__).parents[1] / "docs" / "nginx.conf"
PAGES, DEVICES = "return.contoso.example", "device.contoso.example"
MISSING = "The tests need nginx: install it (apt-get install nginx-light), or set NGINX to its path."


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def leads_to(self) -> str:
        return str(self.headers["Location"])


@dataclass
class Nginx:
    port: int
    folder: Path
    ca: trustme.CA

    def client(self, certificate: tuple[str, str] | None = None) -> Client:
        """`certificate` and its key in PEM."""
        context = ssl.create_default_context()
        self.ca.configure_trust(context)
        if certificate is not None:
            path = Path(tempfile.mkstemp(suffix=".pem", dir=self.folder)[1])
            path.write_text("".join(certificate))
            context.load_cert_chain(path)
        return Client(self.port, context)


@dataclass
class Client:
    """Keeps cookies for each host name, as browsers do."""

    port: int
    context: ssl.SSLContext
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)

    def get(self, url: str, **more: Any) -> Answer:
        return self.request("GET", url, **more)

    def post(self, url: str, data: dict[str, str], **more: Any) -> Answer:
        return self.request("POST", url, data=data, **more)

    def request(
        self, method: str, url: str, *, data: dict[str, str] | None = None, headers: dict[str, str] | None = None, sni: str = ""
    ) -> Answer:
        parts = urlsplit(url)
        host = str(parts.hostname)
        jar = self.cookies.setdefault(host, {})
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        with self.context.wrap_socket(plain, server_hostname=sni or host) as wire:
            connection = http.client.HTTPConnection(host, timeout=10)
            connection.sock = wire
            sent = {
                "Host": host,
                **({"Cookie": "; ".join(f"{k}={v}" for k, v in jar.items())} if jar else {}),
                **(headers or {}),
            }
            body = urlencode(data) if data is not None else None
            if body is not None:
                sent["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request(method, f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", body, sent)
            answer = connection.getresponse()
            text = answer.read().decode()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            jar[name] = value
        return Answer(answer.status, answer.headers, text)


@contextmanager
def running_nginx(app: Callable[..., Any], *, device_ca: Path, secret: str) -> Iterator[Nginx]:
    program = shutil.which(os.environ.get("NGINX", "nginx")) or shutil.which("/usr/sbin/nginx")
    if program is None:
        raise RuntimeError(MISSING)
    folder, ca = Path(tempfile.mkdtemp(prefix="remediation-nginx-")), trustme.CA()
    behind = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    port = _free_port()
    (folder / "nginx.conf").write_text(_whole(folder, port, behind.server_port, ca, device_ca, secret))
    process = subprocess.Popen(
        [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")], stderr=subprocess.PIPE
    )
    try:
        _wait_for(port, process, folder)
        yield Nginx(port, folder, ca)
    finally:
        process.terminate()
        process.communicate(timeout=10)
        behind.shutdown()
        behind.server_close()
        shutil.rmtree(folder, ignore_errors=True)


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        pass


def _whole(folder: Path, port: int, behind: int, ca: trustme.CA, device_ca: Path, secret: str) -> str:
    """The example with our ports and files, within the http block that it is written for."""
    example = EXAMPLE.read_text()
    for host in (PAGES, DEVICES):
        issued = ca.issue_cert(host)
        issued.cert_chain_pems[0].write_to_path(str(folder / f"{host}.pem"))
        issued.private_key_pem.write_to_path(str(folder / f"{host}.key"))
    (folder / "hop-secret.conf").write_text(f'proxy_set_header X-Device-Certificate-Hop "{secret}";\n')
    exchanged = {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "127.0.0.1:8000": f"127.0.0.1:{behind}",
        "/etc/nginx/": f"{folder}/",
        "/etc/remediation/mdm-ca.pem": str(device_ca),
        "/etc/remediation/nginx-hop-secret.conf": str(folder / "hop-secret.conf"),
    }
    for ours, theirs in exchanged.items():
        assert ours in example, ours
        example = example.replace(ours, theirs)
    assert not re.findall(r"/etc/\S+", re.sub(r"#.*", "", example)), "every file of the example is the test's own"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    user = "user root;\n" if os.geteuid() == 0 else ""
    head = f"{user}daemon off;\nworker_processes 1;\npid {folder}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n"
    return f"{head}{places}{example}\n}}\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    said = (folder / "error.log").read_text() if (folder / "error.log").exists() else ""
    raise RuntimeError(f"nginx did not start: {said}")
