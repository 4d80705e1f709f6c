"""The product's services around a company in this process: real adapters and store, no engine and no socket; the clock is moved.

Next door: `company`, `crew` (workers as processes).
"""

from datetime import timedelta
from typing import Any

from bench.stage.company import Company
from remediation.domain.compliance import Lease
from remediation.domain.evidence import Level
from remediation.domain.push import Lane
from remediation.services.world import World
from remediation.store.store import SqlStore
from tests.remotes import Remotes


class Unheard:
    """There is no engine here: whoever marks a row brings it to rest."""

    def enqueue(self, connection: Any, workflow: str, row_id: str, wake: int, *, lane: Lane) -> None:
        """Nothing."""


def world_of(company: Company, store: SqlStore) -> World:
    remotes = Remotes(company.sandbox)
    assert remotes.transport is not None
    remotes.transport.requests = _Forgotten()
    return World(
        store=store,
        directory=remotes.directory,
        managers={"ws1": remotes.mdm},
        channels=[remotes.channel],
        clock=company.world.now,
        minimum=Level.POSSESSION,
        lease=Lease(),
        recheck=timedelta(days=1),
        executor="racer",
        possession_url=str,
        message_text=lambda url, case: url + case,
        roster=remotes.roster,
    )


class _Forgotten(list[Any]):
    def append(self, item: Any) -> None:
        """A hundred thousand requests would be kept else."""
