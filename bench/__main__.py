"""The door of the benches: `python -m bench NAME …`; one module each, whose `run(options, say)` returns the figures."""

import argparse
import importlib
import json
import logging
import pkgutil
import re
import signal
import sys
from dataclasses import dataclass

import structlog

import bench


@dataclass(frozen=True)
class Options:
    """`quick` ends within 45 s; `db` is `sqlite` or `postgresql`; `broken` names a seeded fault that the figure must catch."""

    quick: bool
    db: str
    seed: int
    broken: str | None


def main() -> int:
    modules = (m.name for m in pkgutil.iter_modules(bench.__path__) if not m.ispkg)
    names = sorted(name for name in modules if name not in ("__main__", "too_patient"))
    parser = argparse.ArgumentParser(prog="python -m bench", description=bench.__doc__)
    parser.add_argument("name", choices=names, help="which one")
    parser.add_argument("--quick", action="store_true", help="a short run, within 45 s")
    parser.add_argument("--db", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--break", dest="broken", metavar="FAULT", help="run with a fault seeded, to see that the figure catches it"
    )
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))  # standard output is for the figures
    module = importlib.import_module(f"bench.{given.name}")
    faults = _faults(module.__doc__ or "")
    if given.broken is not None and given.broken not in faults:
        parser.error(f"{given.name} --break takes one of: {', '.join(faults)}")
    figures = module.run(
        Options(given.quick, given.db, given.seed, given.broken), lambda text: print(text, file=sys.stderr, flush=True)
    )
    print(json.dumps({"bench": given.name, "db": given.db, "seed": given.seed, "broken": given.broken, **figures}))
    return 0


def _faults(doc: str) -> list[str]:
    """A bench tells its seeded faults where it tells what they do. One that it does not know would be caught by nothing."""
    return [fault for found in re.findall(r"--break ([a-z_|]+)", doc) for fault in found.split("|")]


if __name__ == "__main__":
    sys.exit(main())
