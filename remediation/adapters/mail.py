"""Mail, through a server that encrypts (STARTTLS, or TLS from the first byte), or one on this machine that need not.

`AlarmMail` tells whoever runs the product, `OwnerMail` a person what happened to their device.
"""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
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

    def send(self, message: EmailMessage) -> None:
        """What failed before a word of the message was said is told apart: it can be tried again, and comes no second time."""
        said = False
        try:
            with self._connected() as smtp:
                said = True
                smtp.send_message(message)
        except (smtplib.SMTPAuthenticationError, smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused) as refused:
            raise Refused("the mail server refused", remote=REMOTE, called=said) from refused
        except (smtplib.SMTPException, OSError) as broken:  # an SSLError is an OSError
            raise Unreachable("the mail server did not take it", remote=REMOTE, called=said) from broken

    def _connected(self) -> smtplib.SMTP:
        context = ssl.create_default_context(cafile=self.ca)
        if self.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=context)
        else:
            smtp = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        try:
            if self.security == "starttls":
                smtp.starttls(context=context)
            if self.user is not None:
                smtp.login(self.user, self.password or "")
        except BaseException:
            smtp.close()
            raise
        return smtp


class AlarmMail:
    name = "mail"

    def __init__(self, server: MailServer, *, sender: str, to: Sequence[str]) -> None:
        self._server, self._sender, self._to = server, sender, to

    def tell(self, alarm: Alarm) -> None:
        subject = f"[Remediation] {alarm.subject}"
        self._server.send(_message(self._sender, self._to, subject, alarm.text, identity=alarm.id, at=alarm.at))


class OwnerMail:
    """`ports.OwnerMail`."""

    def __init__(self, server: MailServer, *, sender: str) -> None:
        self._server, self._sender = server, sender

    def send(self, to: str, subject: str, text: str, *, identity: str, at: datetime) -> None:
        self._server.send(_message(self._sender, [to], subject, text, identity=identity, at=at))


def _message(sender: str, to: Sequence[str], subject: str, text: str, *, identity: str, at: datetime) -> EmailMessage:
    """The Message-ID is made from what is told, so that one sent again after a crash is the same mail to whoever sorts by it."""
    message = EmailMessage()
    message["From"], message["To"] = sender, ", ".join(to)
    message["Subject"] = subject
    message["Date"] = format_datetime(at)
    domain = sender.rpartition("@")[2] or "localhost"
    message["Message-ID"] = f"<{sha256(identity.encode()).hexdigest()[:32]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in answer
    message.set_content(text)
    return message
