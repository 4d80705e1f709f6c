"""How many devices the directory lets each person have: asked some times a day, and kept for the pages.

Next door: `doctor_tenant` (the same for the doctor), `domain/tenant_facts.py`.
"""

from datetime import datetime, timedelta

from ..domain.onboarding import Looked
from ..domain.tenant_facts import QUOTA_LOOK
from ..errors import Refused
from ..ports import Actor, Choices, LookUp, Store, TenantFacts

ASKED_EVERY = timedelta(hours=6)


def keep(tenant: TenantFacts, choices: Choices, store: Store, *, actor: Actor, now: datetime) -> None:
    """Raises the errors of a directory that is away; one that refuses has answered."""
    known = choices.looks().get(QUOTA_LOOK)
    if known is not None and known.looked_at is not None and now - known.looked_at < ASKED_EVERY:
        return
    try:
        most = tenant.registration().quota
    except Refused:
        most = None
    with store.change(actor, "set_up.looked", about=("look", QUOTA_LOOK), at=now) as change:
        change.audit(cause=None)
        change.looked_at(Looked(QUOTA_LOOK, looked_at=now, good_at=now, detail={"most": most}))


def full(look_up: LookUp, oid: str) -> bool:
    """Whether one more device of this person would be one too many: a hint, for both were read a while ago."""
    quota = look_up.device_quota()
    return quota is not None and quota.full(look_up.registered(oid))
