"""A process that asks one budget so many times and prints how often it was let in: `python -m tests.store.a_caller URL TIMES`."""

import sys
from datetime import UTC, datetime

from remediation.domain.budget import Admitted, Limit, Limits
from remediation.domain.push import Lane
from remediation.store.budgets import SqlBudgets
from remediation.store.engine import make_engine
from tests.store.scenes import TENANT

LIMIT = {"directory": Limits(Limit(rate=0.001, burst=50))}


def main(url: str, times: int) -> None:
    budgets = SqlBudgets(make_engine(url), TENANT, clock=lambda: datetime.now(UTC), limits=LIMIT)
    answers = [budgets.enter("directory", Lane.SWEEP, writes=False) for _ in range(times)]
    print(sum(isinstance(answer, Admitted) for answer in answers))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
