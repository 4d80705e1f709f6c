"""What every room shares: one Chromium for the run, and quiet logs. Nothing of ours is patched below; time is an argument."""

import logging
import os
from collections.abc import Iterator

import pytest
import structlog
from playwright.sync_api import Browser, sync_playwright

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))  # a run's thousands of calls are no news

# Chromium speaks to nobody but the sandbox: without these it looks up its maker's hosts at every start.
QUIET_CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    """A command that runs in this process sets up its log; the tests after it have theirs."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for the run: two at once would refuse each other's event loop. Contexts keep people apart."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=QUIET_CHROMIUM)
        yield chromium
        chromium.close()
