"""The store's promises, each kept on SQLite and on a real PostgreSQL."""
