"""Signed-in browsers and sign-ins under way: implements `ports.Sessions` and `ports.SignInStates`.

The database holds only hashes of session tokens, so that who reads it cannot be anybody. What is kept of a sign-in, a possession
token among it, is sealed with the key by which it is taken, of which the database holds only a hash too. Expiry is checked on use.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from joserfc import jwe
from joserfc.jwk import OctKey

from ..ports import Session
from .engine import reading, writing
from .tables import sessions, sign_in_states

LASTS, IDLE = timedelta(hours=12), timedelta(hours=2)
_USED_EVERY = timedelta(minutes=5)  # how exact `used_at` is: a page that only reads should not write each time


def alive(at: datetime, lasts: timedelta = LASTS, idle: timedelta = IDLE) -> sa.ColumnElement[bool]:
    return sa.and_(sessions.c.signed_in_at > at - lasts, sessions.c.used_at > at - idle)


class SqlSessions:
    """A session ends `lasts` after the sign-in, or when nobody used it for `idle`."""

    def __init__(
        self,
        engine: sa.Engine,
        tenant_id: str,
        *,
        lasts: timedelta = LASTS,
        idle: timedelta = IDLE,
    ) -> None:
        self._engine = engine
        self._mine = sessions.c.tenant_id == tenant_id
        self._tenant_id = tenant_id
        self._lasts = lasts
        self._idle = idle

    def begin(self, *, oid: str, name: str, roles: Sequence[str], browser: str, at: datetime) -> str:
        token = secrets.token_urlsafe(32)
        who = {"oid": oid, "name": name, "browser": browser, "roles": list(roles)}
        row = {"tenant_id": self._tenant_id, "token_hash": _hash(token), **who, "signed_in_at": at, "used_at": at}
        with writing(self._engine) as connection:
            connection.execute(sa.delete(sessions).where(self._mine, sessions.c.signed_in_at <= at - self._lasts))
            connection.execute(sa.insert(sessions).values(**row))
        return token

    def find(self, token: str, *, at: datetime) -> Session | None:
        this = sa.and_(self._mine, sessions.c.token_hash == _hash(token))
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(sessions).where(this, alive(at, self._lasts, self._idle))).one_or_none()
        if row is None:
            return None
        if row.used_at <= at - _USED_EVERY:
            with writing(self._engine) as connection:
                connection.execute(sa.update(sessions).where(this, sessions.c.used_at < at).values(used_at=at))
        return Session(oid=row.oid, name=row.name, browser=row.browser, roles=tuple(row.roles), signed_in_at=row.signed_in_at)

    def end(self, token: str, *, at: datetime) -> None:
        with writing(self._engine) as connection:
            connection.execute(sa.delete(sessions).where(self._mine, sessions.c.token_hash == _hash(token)))


class SqlSignInStates:
    """One row per sign-in under way, so that several tabs never lose one another's state."""

    def __init__(self, engine: sa.Engine, tenant_id: str) -> None:
        self._engine = engine
        self._mine = sign_in_states.c.tenant_id == tenant_id
        self._tenant_id = tenant_id

    def put(self, key: str, value: str, *, until: datetime) -> None:
        """Also sweeps: what ends as long before this one as a state lasts has ended by now."""
        over = sign_in_states.c.until <= until - timedelta(minutes=10)
        with writing(self._engine) as connection:
            connection.execute(sa.delete(sign_in_states).where(self._mine, over))
            row = {"tenant_id": self._tenant_id, "key": _hash(key), "value": seal(value, key), "until": until}
            connection.execute(sa.insert(sign_in_states).values(**row))

    def take(self, key: str, *, at: datetime) -> str | None:
        """Deleted by whoever gets it, in one statement: a second caller finds nothing."""
        this = sa.and_(self._mine, sign_in_states.c.key == _hash(key))
        taken = sa.delete(sign_in_states).where(this).returning(sign_in_states.c.value, sign_in_states.c.until)
        with writing(self._engine) as connection:
            row = connection.execute(taken).one_or_none()
        return unseal(row.value, key) if row is not None and row.until > at else None


def seal(value: str, key: str) -> str:
    return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, value.encode(), _sealing(key))


def unseal(sealed: str, key: str) -> str:
    return (jwe.decrypt_compact(sealed, _sealing(key)).plaintext or b"").decode()


def _sealing(key: str) -> OctKey:
    """Not the hash that the row holds. A plain digest is enough: `key` is one itself, of a state by chance."""
    return OctKey.import_key(hashlib.sha256(f"seals a sign-in: {key}".encode()).digest())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
