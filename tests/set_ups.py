"""A set-up for `build_web`: everything stands in the settings, unless a test says otherwise."""

from typing import Any

import sqlalchemy as sa

from remediation.adapters import sealing
from remediation.store.onboarding import SqlChoices
from remediation.web.set_up import SetUp

WEB_KEY = "vK8rTq2mZx5nWb7hLp4cYd9gFs3jNe6u-Ra"


def set_up(engine: sa.Engine, tenant_id: str, **more: Any) -> SetUp:
    return SetUp(SqlChoices(engine, tenant_id), sealing.seal, sealing.public_half(WEB_KEY), **more)
