"""Lighthouse on the pages of the journey, one after the other, on its slow phone on a slow network (its default: simulated 4G, a
processor a quarter as fast). Keys for each page: `bytes` and `requests` of a first view, `performance`, `accessibility` and
`best_practices` of 100; `below` counts the pages that miss 95, 100 and 100,
up to three looks each.

Lighthouse comes from npm, pinned by `bench/lighthouse/package-lock.json`, into `.cache/lighthouse`, at the first run; it needs Node
18 or newer and Chromium (`CHROMIUM`), and nothing else needs it. `--break unlabelled` puts a button without a name on each page,
`--break heavy` two megabytes: `below` must count.
"""

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.serving import make_server

from bench.stage.broken_pages import broken
from bench.stage.walk_in import Silent
from remediation.store.migrations import migrate
from tests.journeys.ports import free_port
from tests.web.conftest import Web

if TYPE_CHECKING:
    from bench.__main__ import Options

PINNED = Path(__file__).parent / "lighthouse"
CACHE = Path(__file__).parents[1] / ".cache" / "lighthouse"
CATEGORIES = {
    "performance": ("performance", 95),
    "accessibility": ("accessibility", 100),
    "best_practices": ("best-practices", 100),
}
PAGES: dict[str, tuple[str | None, str]] = {
    "welcome": (None, "/start"),
    "cannot_sign_in": (None, "/cannot-sign-in"),
    "what_microsoft_says": (None, "/what-microsoft-says?code=53003"),
    "looking": ("looking", "/journey"),
    "not_for_you": ("not_for_you", "/journey"),
    "enroll": ("enroll", "/journey"),
    "this_device": ("this_device_two", "/journey"),
    "message": ("this_device_sent", "/journey"),
    "possession": ("this_device_sent", "/possession/{token}"),
    "choose": ("choose", "/journey"),
    "register": ("register", "/journey"),
    "fix": ("fix", "/journey"),
    "wait": ("wait", "/journey"),
    "open": ("open", "/journey"),
    "help": ("help_loop", "/journey"),
}


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    return play(("welcome", "fix") if options.quick else tuple(PAGES), options.broken, say)


def play(names: Sequence[str], fault: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    lighthouse = installed(say)
    figures: dict[str, dict[str, int]] = {}
    for name in names:
        with _served(*PAGES[name], fault) as (address, cookie):
            figures[name] = _best(lambda: of_report(_report(lighthouse, address, cookie), say))
        say(f"  {name:20} {figures[name]}")
    return {"pages": figures, "below": sum(map(misses, figures.values()))}


def _best(look: Callable[[], dict[str, int]]) -> dict[str, int]:
    """A machine that does other things too looks like a slow page: what misses its mark is looked at up to three times."""
    looks = [look()]
    while misses(looks[-1]) and len(looks) < 3:
        looks.append(look())
    return max(looks, key=lambda page: [page[key] for key in CATEGORIES])


def misses(page: dict[str, int]) -> bool:
    return any(page[key] < least for key, (_, least) in CATEGORIES.items())


def of_report(report: dict[str, Any], say: Callable[[str], None] = lambda text: None) -> dict[str, int]:
    """What a report says of a page; each audit that costs a point is told."""
    found: dict[str, int] = {}
    requests = report["audits"]["network-requests"]["details"]["items"]
    found["bytes"], found["requests"] = sum(int(one.get("transferSize") or 0) for one in requests), len(requests)
    for key, (category, _) in CATEGORIES.items():
        whole = report["categories"][category]
        found[key] = round((whole["score"] or 0) * 100)
        for part in whole["auditRefs"]:
            audit = report["audits"][part["id"]]
            if part["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                say(f"    {category}: {audit['title']} ({audit.get('displayValue', '')})")
    return found


def installed(say: Callable[[str], None]) -> Path:
    """From the pinned list, once; a changed list is installed anew."""
    lock = "package-lock.json"
    if not (CACHE / lock).exists() or (CACHE / lock).read_bytes() != (PINNED / lock).read_bytes():
        if shutil.which("npm") is None:
            raise SystemExit("python -m bench pages needs Node 18 or newer with npm; nothing else does.")
        say("  installing Lighthouse")
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
        shutil.copy(PINNED / "package.json", CACHE)
        shutil.copy(PINNED / lock, CACHE)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        if subprocess.run(command, cwd=CACHE, check=False, capture_output=True).returncode:
            shutil.rmtree(CACHE)
            raise SystemExit("npm could not install Lighthouse. Is its registry reached from here?")
    return CACHE / "node_modules" / "lighthouse" / "cli" / "index.js"


def _report(lighthouse: Path, address: str, cookie: str | None) -> dict[str, Any]:
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    command = ["node", str(lighthouse), address, "--output=json", "--quiet", "--chrome-flags=--headless=new --no-sandbox"]
    command.append(f"--only-categories={','.join(category for category, _ in CATEGORIES.values())}")
    if cookie is not None:
        command.append("--extra-headers=" + json.dumps({"Cookie": cookie}))
    for _ in range(3):  # now and then its browser shows it nothing, and it asks to be run again itself
        done = subprocess.run(command, check=False, capture_output=True, env={**os.environ, "CHROME_PATH": chromium})
        if done.returncode == 0:
            break
    else:
        raise SystemExit(f"Lighthouse failed: {done.stderr.decode()[-500:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@contextmanager
def _served(scene: str | None, path: str, fault: str | None) -> Iterator[tuple[str, str | None]]:
    """The web app with one person brought to this page: its address, and the cookie of their session."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "pages.sqlite"
        migrate(f"sqlite:///{database}")
        port = free_port()
        web = Web(database, durable=False, public_origin=f"http://localhost:{port}")
        loader = broken(fault)
        if loader is not None:
            web.app.jinja_env.loader, web.app.jinja_env.cache = loader, None
        token, cookie = "", None
        if scene is not None:
            token = web.scene(scene).token
            kept = web.signed_in().get_cookie(web.app.config["SESSION_COOKIE_NAME"])
            assert kept is not None
            cookie = f"{kept.key}={kept.value}"
        server = make_server("127.0.0.1", port, web.app, threaded=True, request_handler=Silent)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{port}{path.format(token=token)}", cookie
        finally:
            server.shutdown()
            web.engine.dispose()
