"""What a worker that will not come back had begun is handed to the others. Its rows are woken again by any pulse within a minute
anyway (`timers`); this clears the engine's own tables, in which nobody but a worker of that name would.

https://docs.dbos.dev/python/reference/client#resume_workflows; the engine has no takeover of its own without its makers' service.
"""

from collections import defaultdict

import sqlalchemy as sa
from dbos import DBOSClient, DBOSPortableJSONSerializer

from .pickle_door import close_pickle_door

close_pickle_door()

BATCH = 500


class StillAtWork(Exception):
    """The worker of this name takes up again what was handed on: it is alive."""


def take_over(engine: sa.Engine, executor_id: str) -> int:
    """How many wake-ups were handed on. Repeated until none is left: a database that restarts meanwhile may leave some behind."""
    client = DBOSClient(system_database_engine=engine, serializer=DBOSPortableJSONSerializer(), application_name="remediation")
    handed_on: set[str] = set()
    while True:
        left = client.list_workflows(status="PENDING", executor_id=executor_id, limit=BATCH, load_input=False, load_output=False)
        if not left:
            return len(handed_on)
        by_queue: dict[str | None, list[str]] = defaultdict(list)
        for workflow in left:
            if workflow.workflow_id in handed_on:
                raise StillAtWork(executor_id)
            by_queue[workflow.queue_name].append(workflow.workflow_id)
        for queue, ids in by_queue.items():  # each goes back into its own queue: revocations keep theirs, and old ones are pruned
            client.resume_workflows(ids, queue_name=queue)
            handed_on.update(ids)
