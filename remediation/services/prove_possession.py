"""The page behind a possession link: what it shows, what its button does, and *this wasn't me*.

Opening a link uses nothing up, since scanners open links; its button does, after sign-in as the same person.
"""

import hashlib
from datetime import datetime

from ..ports import Actor, PossessionLinkFacts, Store
from .alarms import not_me_alarm


def token_hash(token: str) -> str:
    """What the database holds instead of the token. Tokens have 256 random bits, so a plain digest is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def see_link(store: Store, token: str, now: datetime) -> PossessionLinkFacts | None:
    """What can be said about a link before anybody uses it; None where we never made such a link."""
    return store.possession_link(token_hash(token), now)


def prove(store: Store, token: str, *, oid: str, browser: str, now: datetime) -> str:
    """Use the link up and store the evidence, as one. Returns the journey's id; raises PossessionRefused."""
    with store.change(Actor("person", oid), "possession.proven", about=("person", oid), at=now) as change:
        journey_id = change.prove_possession(token_hash(token), oid=oid, browser=browser)
        change.audit(journey=journey_id)
    return journey_id


def not_me(store: Store, token: str, *, oid: str, browser: str, now: datetime) -> None:
    """The person did not ask for this, so somebody else may be signed in as them: the journey's open links are revoked, the person
    is signed out in every other browser, the one that began the journey among them, the audit row tells the helpdesk, and whoever
    runs the product hears of it. Saying it again alarms nobody again."""
    with store.change(Actor("person", oid), "possession.not_me", about=("person", oid), at=now) as change:
        revoked = change.revoke_possession(token_hash(token), oid=oid)
        change.audit(journey=revoked.journey_id, ended=change.end_sessions(oid, but_browser=browser))
        if revoked.links:
            change.raise_alarm(not_me_alarm(revoked, now))
