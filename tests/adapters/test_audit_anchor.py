"""The anchors that a worker logs are read back from what a collector made of the log."""

import json
import subprocess
import sys
from datetime import UTC, datetime

from remediation.adapters.audit_anchor import anchors
from remediation.domain.seals import Anchor

WORKER = """
from datetime import UTC, datetime
from remediation import log
from remediation.adapters.audit_anchor import AnchorLog
from remediation.domain.seals import Seal
log.set_up("worker", ["a-secret"])
for seq in (7, 9):
    AnchorLog().tell("contoso", Seal(seq, 1, f"{seq}" * 64, "key", datetime(2026, 11, 21, 12, tzinfo=UTC)))
AnchorLog().tell("another", Seal(99, 1, "f" * 64, "key", datetime(2026, 11, 21, 12, tzinfo=UTC)))
"""


def test_T28_what_the_worker_logs_is_an_anchor() -> None:
    told = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, check=True).stderr
    at = datetime(2026, 11, 21, 12, tzinfo=UTC).isoformat()
    expected = [Anchor(7, "7" * 64, at), Anchor(9, "9" * 64, at)]
    assert list(anchors(told.splitlines(), "contoso")) == expected
    collected = [f"Nov 26 host remediation[1]: {line}" for line in told.splitlines()]
    assert list(anchors(["", "audit.anchor", "{", *collected, '{"event": "audit.anchor"'], "contoso")) == expected


def test_what_is_no_anchor_of_ours_is_none() -> None:
    good = {"event": "audit.anchor", "tenant": "contoso", "seq": 1, "digest": "d"}
    odd = [
        {**good, "event": "other", "text": "audit.anchor"},
        {**good, "tenant": "x"},
        {**good, "seq": "1"},
        {**good, "seq": None},
        ["audit.anchor"],
    ]
    lines = [json.dumps(one) for one in [*odd, good]]
    assert list(anchors(lines, "contoso")) == [Anchor(1, "d", "")]
