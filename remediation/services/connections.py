"""How every remote is, for staff and for whoever runs the product. Nothing is asked of any: what the worker met is read.

Next door: `domain/health` (the judgement), `doctor` (which does ask), `alarms` (which tells by itself).
"""

from collections.abc import Sequence
from datetime import datetime

from ..domain.health import Health, judge
from ..ports import Connections


def connections(rows: Connections, now: datetime) -> Sequence[Health]:
    return judge(rows.connections(now), now)
