"""What Entra says when it refuses: AADSTS number, OAuth error, and the body around them.

Body fields: entra-docs identity-platform/v2-oauth2-auth-code-flow.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any


class EntraError(Exception):
    def __init__(self, number: int, error: str, text: str) -> None:
        super().__init__(text)
        self.number, self.error, self.text = number, error, text

    @property
    def status(self) -> int:
        return 401 if self.error in ("invalid_client", "unauthorized_client") else 400

    def description(self, now: datetime, correlation_id: str | None = None) -> str:
        return (
            f"AADSTS{self.number}: {self.text} Trace ID: {uuid.uuid4()} "
            f"Correlation ID: {correlation_id or uuid.uuid4()} Timestamp: {now:%Y-%m-%d %H:%M:%SZ}"
        )

    def body(self, now: datetime, correlation_id: str | None) -> dict[str, Any]:
        correlation_id = correlation_id or str(uuid.uuid4())
        return {
            "error": self.error,
            "error_description": self.description(now, correlation_id),
            "error_codes": [self.number],
            "timestamp": f"{now:%Y-%m-%d %H:%M:%SZ}",
            "trace_id": str(uuid.uuid4()),
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
