"""Wake-ups: enqueued with the engine in the caller's own transaction, so that row and wake-up are committed together or not at all.

The other end is `worker/engine.py`, which registers every queue of `QUEUES` and the workflows under these names for ever.
"""

from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions

from ..domain.push import Lane
from .pickle_door import close_pickle_door

close_pickle_door()

LOOK_JOURNEY = "look_journey"
PUSH_LINK = "push_link"
WATCH_SOURCE = "watch_source"

# Revocations have a queue of their own (invariant I8): fifty slow grants must not hold all the slots that a revocation needs.
QUEUE_OF_LANE = {Lane.REVOKE: "revoke", Lane.PERSON: "push", Lane.SWEEP: "push"}
QUEUES = tuple(dict.fromkeys(QUEUE_OF_LANE.values()))


class DbosWakeups:
    """Implements `ports.Wakeups`. Connects to nothing by itself, so it may be made before a web server forks."""

    def __init__(self, engine: sa.Engine) -> None:
        self._client = DBOSClient(
            system_database_engine=engine,
            serializer=DBOSPortableJSONSerializer(),
            lazy=True,
            retry_connection_errors=False,
            application_name="remediation",
        )

    def enqueue(self, connection: Any, workflow: str, row_id: str, wake: int, *, lane: Lane) -> None:
        options: EnqueueOptions = {
            "workflow_name": workflow,
            "queue_name": QUEUE_OF_LANE[lane],
            "workflow_id": f"{row_id}:{wake}",
            "workflow_id_reuse_policy": "reject",  # by default an id ever used is silently ignored, and the wish lost
            "priority": int(lane) + 1,  # 1 goes first
        }
        self._client.enqueue_in_transaction(connection, options, row_id)
