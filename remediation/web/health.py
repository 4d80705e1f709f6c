"""For whoever watches this process: it answers, and which version it is. No data, no database."""

from importlib.metadata import PackageNotFoundError, version

from flask import Blueprint

from .guards import anyone

pages = Blueprint("health", __name__)


@pages.get("/health")
@anyone
def health() -> dict[str, str]:
    return {"status": "ok", "version": _version()}


def _version() -> str:
    try:
        return version("remediation")
    except PackageNotFoundError:  # run from a source tree that nobody installed
        return "source"
