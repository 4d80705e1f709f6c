"""A mail server of one kind of manners on 127.0.0.1: STARTTLS, one account, and refusals on request. It keeps what it was given."""

from __future__ import annotations

import base64
import socketserver
import ssl
import threading
from contextlib import suppress
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import cast


class MailServerForTests(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, tls: ssl.SSLContext, *, starttls: bool = True, account: tuple[str, str] | None = None) -> None:
        self.tls, self.starttls, self.account = tls, starttls, account
        self.mails: list[Message] = []
        self.encrypted: list[bool] = []
        self.refuse_recipients = False
        super().__init__(("127.0.0.1", 0), _Conversation)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, as one does that does not trust the certificate, is no news."""

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Conversation(socketserver.StreamRequestHandler):
    encrypted = authenticated = False

    def handle(self) -> None:
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            if not getattr(self, f"on_{verb.lower()}", self.unknown)(rest):
                return

    def say(self, line: str) -> bool:
        self.wfile.write(line.encode() + b"\r\n")
        return True

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        self.connection.close()

    @property
    def house(self) -> MailServerForTests:
        return cast("MailServerForTests", self.server)

    def unknown(self, _rest: str) -> bool:
        return self.say("502 what?")

    def on_ehlo(self, _rest: str) -> bool:
        self.say("250-house")
        if self.house.starttls and not self.encrypted:
            self.say("250-STARTTLS")
        if self.house.account:
            self.say("250-AUTH PLAIN")
        return self.say("250 8BITMIME")

    def on_starttls(self, _rest: str) -> bool:
        self.say("220 go on")
        self.connection = self.house.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.encrypted = True
        return True

    def on_auth(self, rest: str) -> bool:
        given = tuple(base64.b64decode(rest.removeprefix("PLAIN ")).decode().split("\0")[1:])
        self.authenticated = given == self.house.account
        return self.say("235 welcome" if self.authenticated else "535 no")

    def on_mail(self, _rest: str) -> bool:
        wanted = self.house.account is not None and not self.authenticated
        return self.say("530 who are you?" if wanted else "250 ok")

    def on_rcpt(self, _rest: str) -> bool:
        return self.say("550 nobody of that name" if self.house.refuse_recipients else "250 ok")

    def on_rset(self, _rest: str) -> bool:
        return self.say("250 ok")

    def on_data(self, _rest: str) -> bool:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        self.house.mails.append(message_from_bytes(b"".join(lines), policy=default))
        self.house.encrypted.append(self.encrypted)
        return self.say("250 kept")

    def on_quit(self, _rest: str) -> bool:
        self.say("221 bye")
        return False
