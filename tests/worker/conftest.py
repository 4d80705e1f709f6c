"""Databases as the store's tests make them: fresh for each test, of both kinds."""

from tests.store.conftest import postgresql_copy, sqlite_copy, url

__all__ = ["postgresql_copy", "sqlite_copy", "url"]
