"""The database of one deployment: SQLAlchemy tables and queries on SQLite or PostgreSQL. Implements the store's ports.

Read `tables`, `engine`, then `store` (reads) and `change` (the one write transaction). `observations`, `due` and `timers` are the
worker's; `wakeups` is the door to the engine; `migrations` brings a database up to date.
"""

from .engine import make_engine
from .migrations import migrate
from .sessions import SqlSessions, SqlSignInStates
from .store import SqlStore
from .wakeups import DbosWakeups

__all__ = ["DbosWakeups", "SqlSessions", "SqlSignInStates", "SqlStore", "make_engine", "migrate"]
