"""Alarms by mail, through a server that encrypts (STARTTLS, or TLS from the first byte), or one on this machine that need not."""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path

from ..errors import Refused, Unreachable
from ..ports import Alarm

REMOTE = "mail"


@dataclass(frozen=True)
class MailServer:
    """`security` is `starttls`, `tls` or `none`; `timeout` in seconds, for each answer."""

    host: str
    port: int
    security: str
    user: str | None = None
    password: str | None = None
    ca: Path | None = None
    timeout: float = 20


class AlarmMail:
    name = "mail"

    def __init__(self, server: MailServer, *, sender: str, to: Sequence[str]) -> None:
        self._server, self._sender, self._to = server, sender, to

    def tell(self, alarm: Alarm) -> None:
        message = self._message(alarm)
        try:
            with self._connected() as smtp:
                smtp.send_message(message)
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused) as refused:
            raise Refused("the mail server refused", remote=REMOTE) from refused
        except (smtplib.SMTPException, OSError) as broken:  # an SSLError is an OSError
            raise Unreachable("the mail server did not take it", remote=REMOTE) from broken

    def _connected(self) -> smtplib.SMTP:
        server, context = self._server, ssl.create_default_context(cafile=self._server.ca)
        if server.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout, context=context)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
        try:
            if server.security == "starttls":
                smtp.starttls(context=context)
            if server.user is not None:
                smtp.login(server.user, server.password or "")
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _message(self, alarm: Alarm) -> EmailMessage:
        """The Message-ID is made from the alarm's, so that one told again after a crash is the same mail to whoever sorts by it."""
        message = EmailMessage()
        message["From"], message["To"] = self._sender, ", ".join(self._to)
        message["Subject"] = f"[Remediation] {alarm.subject}"
        message["Date"] = format_datetime(alarm.at)
        domain = self._sender.rpartition("@")[2] or "localhost"
        message["Message-ID"] = f"<{sha256(alarm.id.encode()).hexdigest()[:32]}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in answer
        message.set_content(alarm.text)
        return message
