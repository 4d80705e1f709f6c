"""Alarms as JSON to an https address: `text` is the whole of it, which Slack, Mattermost and many relays show as it comes.

The address often is the secret itself, so that it goes through `http.Remote` like every call and stands in no log.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from ..errors import Garbled
from ..ports import Alarm
from .http import Remote


class AlarmWebhook:
    name = "webhook"

    def __init__(self, remote: Remote, query: Mapping[str, str]) -> None:
        self._remote, self._query = remote, query

    def tell(self, alarm: Alarm) -> None:
        body = {
            "id": alarm.id,
            "source": alarm.source,
            "level_hours": alarm.hours,
            "at": alarm.at.isoformat(),
            "subject": alarm.subject,
            "text": f"{alarm.subject}\n\n{alarm.text}",
        }
        try:
            self._remote.call("POST", "", json=body, query=self._query)
        except Garbled as odd:
            if odd.status is None or not 200 <= odd.status < 300:
                raise  # a taker says `ok` in whatever form it likes


def address(url: str) -> tuple[str, dict[str, str]]:
    """What `Remote` takes, and the query, which some takers want their key in."""
    parts = urlsplit(url)
    return f"https://{parts.netloc}{parts.path}", dict(parse_qsl(parts.query))


def no_vendor_code(_body: object) -> None:
    """The errors of an unknown taker are told by their status alone."""
