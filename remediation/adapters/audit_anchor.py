"""The newest seal of the audit log, told to the log: whoever collects logs on another machine has an anchor there.

Whoever cuts the newest rows away can cut their seals with them, and what is left is whole; only a place that they cannot reach
knows better. `anchors` reads such lines back, out of a log with anything else in it.
"""

import json
from collections.abc import Iterable, Iterator

import structlog

from ..domain.seals import Anchor, Seal

EVENT = "audit.anchor"

log = structlog.get_logger("remediation.audit")


class AnchorLog:
    def tell(self, tenant_id: str, head: Seal) -> None:
        log.info(EVENT, tenant=tenant_id, seq=head.seq, digest=head.digest, sealed_at=head.sealed_at.isoformat(timespec="seconds"))


def anchors(lines: Iterable[str], tenant_id: str) -> Iterator[Anchor]:
    """Of this tenant. A collector may have put something before the JSON."""
    for line in lines:
        if EVENT not in line or "{" not in line:
            continue
        try:
            told = json.loads(line[line.index("{") :])
        except ValueError:
            continue
        if (
            isinstance(told, dict)
            and told.get("event") == EVENT
            and told.get("tenant") == tenant_id
            and isinstance(told.get("seq"), int)
        ):
            yield Anchor(told["seq"], str(told.get("digest")), str(told.get("sealed_at", "")))
