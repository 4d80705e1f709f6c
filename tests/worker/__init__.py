"""The engine for real: DBOS in a process of its own, on SQLite and on PostgreSQL, killed in the middle."""
