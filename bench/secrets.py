"""Planted secrets are where they belong and nowhere else, and the web process holds no power over Microsoft or an MDM.

The product as processes, the stand-in tenant on sockets, and a person who goes the whole way while remotes refuse, answer
nonsense, end tokens and change secrets, pages break, and others try her links. Then everything that came out is searched for each
secret, in plain and encoded: logs, every page with its headers, the commands' output, the metrics file, every column of the
database, the console of a helpdesk person.

* `found`: a secret where it does not belong. A state belongs into the address of the sign-in, a cookie into its own header, a
  possession token into its own page
* `in_web`: the worker's secrets in the web's environment, settings or memory, read as a core dump would be. `seen` is the control:
  the sign-in secret is found in the web's memory, and the service secret in the worker's
* `allowed`: calls to Graph, Intune and Workspace ONE that the sign-in credential may make, of `refused` and `allowed` together

`--break one_environment` starts both processes from one file of settings: `in_web`, and with it `found`, must count.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import requests
import sqlalchemy as sa
from flask import Flask

from bench.stage.company import database
from bench.stage.needles import Search, columns, environment, family
from bench.stage.planted import Planted, by_chance
from bench.stage.troubled import Size, Story
from remediation.store.engine import make_engine
from sandbox import demo
from sandbox.graph import create_graph
from sandbox.intune import create_intune
from sandbox.workspace_one import create_workspace_one

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.__main__ import Options

WORKERS_OWN = ("service client secret", "MDM client secret", "MDM password", "MDM tenant code", "alarm webhook", "access token")
CONTROLS = {"sign-in client secret in the web's memory", "service client secret in the worker's memory"}
EVERY = (
    *((service, kind) for service in ("workspace_one", "graph", "intune") for kind in ("throttle", "garbled", "html", "first_401")),
    *((service, "down") for service in ("workspace_one", "graph", "entra")),
)
FEW = (("workspace_one", "html"), ("graph", "garbled"))


def run(options: "Options", say: Callable[[str], None]) -> dict[str, Any]:
    return play(Size(FEW, alarm=False) if options.quick else Size(EVERY), options.db, options.seed, options.broken, say)


def play(size: Size, db: str, seed: int, broken: str | None, say: Callable[[str], None]) -> dict[str, Any]:
    """The secrets are by chance, whatever the seed: they are to be like nothing else in memory."""
    begun, search = time.monotonic(), Search()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = sa.make_url(database(db, folder, stack))
        if db == "postgresql":
            search.add("database password", password := by_chance())
            url = url.set(password=password)
        planted = Planted(url.render_as_string(hide_password=False), folder, search, broken)
        with planted:
            Story(planted, search, say).play(size)
            say(f"{time.monotonic() - begun:.0f} s; the story is over, now the search")
            web = _in_web(planted, search)
            rights = _rights(planted)
            _look_at_output(planted, search)
        for name in ("serve", "work"):
            search.look(f"the log of {name}", planted.log(name))
    found = sorted(search.found | web["in_web"])
    for one in found:
        say(f"  found: {one}")
    return {
        "planted": len(search.needles),
        "places": search.places,
        "found": len(found),
        "in_web": len(web["in_web"]),
        "seen": web["seen"],
        **rights,
        "seconds": round(time.monotonic() - begun),
    }


_SETTINGS = """
from pydantic import SecretStr
from remediation.settings.reading import read
from remediation.settings import WebSettings
for name, value in read(WebSettings):
    for one in value if isinstance(value, tuple) else (value,):
        print(name, one.get_secret_value() if isinstance(one, SecretStr) else one)
"""


def _in_web(stage: Planted, search: Search) -> dict[str, Any]:
    there: set[str] = set()
    web, seen = stage.children["serve"].pid, set[str]()
    for pid in family(web):
        search.places += 1
        there |= {f"{name} in the web's environment" for name in search.inside(environment(pid), WORKERS_OWN)}
        remembered = search.look_in_memory("the web's memory", pid, (*WORKERS_OWN, "sign-in client secret"))
        there |= {f"{name} in the web's memory" for name in remembered & set(WORKERS_OWN)}
        seen |= {"sign-in client secret in the web's memory"} if "sign-in client secret" in remembered else set()
    kept = environment(web).decode().split("\0")
    its_own = dict(line.split("=", 1) for line in kept if "=" in line)
    done = subprocess.run([sys.executable, "-c", _SETTINGS], env=its_own, cwd=demo.REPOSITORY, capture_output=True, check=True)
    search.places += 1
    there |= {f"{name} in the web's settings" for name in search.inside(done.stdout, WORKERS_OWN)}
    if search.inside(done.stdout, ["sign-in client secret"]):
        seen.add("sign-in client secret in the web's settings")
    for pid in family(stage.children["work"].pid):
        found = search.look_in_memory("the worker's memory", pid, ("service client secret", "MDM password"))
        seen |= {f"{name} in the worker's memory" for name in found}
    if not seen >= CONTROLS:
        raise AssertionError(f"the search is blind: it saw only {sorted(seen)}")
    return {"in_web": there, "seen": sorted(seen)}


def _look_at_output(stage: Planted, search: Search) -> None:
    metrics, until = stage.folder / "metrics.prom", time.monotonic() + 60
    while not metrics.exists() and time.monotonic() < until:  # it is written each half minute
        time.sleep(0.5)
    search.look("the metrics file", metrics.read_bytes())
    engine = make_engine(stage.url)
    for name, values in columns(engine):
        search.look(f"the column {name}", values)
    engine.dispose()
    parsed = sa.make_url(stage.url)
    if parsed.get_backend_name() == "sqlite":  # what was deleted may stand in it still
        for path in sorted(Path(str(parsed.database)).parent.glob(f"{Path(str(parsed.database)).name}*")):
            search.look(f"the file {path.suffix}", path.read_bytes())


def _rights(stage: Planted) -> dict[str, Any]:
    """Every route of the stand-in's Graph, Intune and Workspace ONE, called with what the web has. One call with what the worker
    has, as a control, works."""
    sandbox, world = stage.sandbox, stage.sandbox.world
    session = requests.Session()
    session.trust_env, session.verify = False, str(sandbox.keys.ca_pem)
    own = world.apps["sign-in"]

    def token(app: Any, scope: str) -> str:
        form = {"grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.secret, "scope": scope}
        answer = session.post(f"{sandbox.api_url}/{world.tenant_id}/oauth2/v2.0/token", data=form, timeout=30)
        return str(answer.json().get("access_token", ""))

    graph, intune = "https://graph.microsoft.com/.default", "https://api.manage.microsoft.com//.default"
    bearer = {"graph": token(own, graph), "intune": token(own, intune), "": token(own, graph)}
    login = {"grant_type": "client_credentials", "client_id": own.client_id, "client_secret": own.secret}
    at_mdm = session.post(f"{sandbox.api_url}/ws1auth/connect/token", data=login, timeout=30)
    codes = [at_mdm.status_code]
    apps = {"graph": create_graph(sandbox), "intune": create_intune(sandbox), "": create_workspace_one(sandbox)}
    for prefix, app in apps.items():
        for method, path in _calls(app, stage):
            ways: list[dict[str, Any]] = [
                {"headers": {"Authorization": f"Bearer {bearer[prefix]}"}},
                {"auth": (own.client_id, own.secret)},
            ]
            for way in ways:
                address = f"{sandbox.api_url}{'/' + prefix if prefix else ''}{path}"
                codes.append(session.request(method, address, json={}, timeout=30, **way).status_code)
    works = session.get(
        f"{sandbox.api_url}/graph/v1.0/users/{stage.mia.person_oid}",
        headers={"Authorization": f"Bearer {token(world.apps['service'], graph)}"},
        timeout=30,
    )
    if works.status_code != 200:
        raise AssertionError(f"the control is refused too: {works.status_code} {works.text[:300]}")
    return {"refused": sum(code >= 400 for code in codes), "allowed": sum(code < 400 for code in codes)}


def _calls(app: Flask, stage: Planted) -> "Iterator[tuple[str, str]]":
    phone = stage.mia
    values = {
        "key": phone.person_oid,
        "number": phone.record_id,
        "object_id": "x",
        "device_id": "x",
        "cast": "microsoft.graph.device",
    }
    urls = app.url_map.bind("")
    for rule in app.url_map.iter_rules():
        chosen = {name: values.get(name, stage.sandbox.world.tenant_id) for name in rule.arguments}
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, urls.build(rule.endpoint, chosen, method=method)
