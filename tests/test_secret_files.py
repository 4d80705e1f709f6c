"""A secret in a file is read anew when the file changes; what cannot be used changes nothing, and is said."""

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from remediation import secret_files
from remediation.secret_files import SecretFile, not_blank
from remediation.settings.rules import strong

FIRST, SECOND = "first-7741-planted", "other-2208-planted"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(FIRST + "\n")
    return path


def replace(path: Path, text: str | bytes) -> None:
    """A new file under the same time, as a restored backup may have: only its number differs."""
    new, was = path.with_suffix(".new"), path.stat() if path.exists() else None
    new.write_bytes(text if isinstance(text, bytes) else text.encode())
    if was is not None:
        os.utime(new, ns=(was.st_atime_ns, was.st_mtime_ns))
    os.rename(new, path)


def test_T26_a_changed_file_is_read_anew(file: Path) -> None:
    secret = SecretFile(file, FIRST, not_blank)
    assert secret() == FIRST
    replace(file, SECOND + "\n")
    assert secret() == SECOND
    assert SECOND in secret_files.learned(), "so that the log keeps it out"


@pytest.mark.parametrize("unfit", ["", " \n", b"\xff\xfe\x00"])
def test_T26_a_file_that_cannot_be_used_changes_nothing_and_is_said_once(file: Path, unfit: str | bytes) -> None:
    secret = SecretFile(file, FIRST, not_blank)
    replace(file, unfit)
    with capture_logs() as told:
        assert [secret(), secret()] == [FIRST, FIRST]
    assert [entry["log_level"] for entry in told] == ["warning"]
    replace(file, SECOND)
    assert secret() == SECOND


def test_T26_a_file_that_is_away_for_a_moment_changes_nothing(file: Path) -> None:
    secret = SecretFile(file, FIRST, not_blank)
    file.unlink()
    assert secret() == FIRST
    replace(file, SECOND)
    assert secret() == SECOND


@pytest.mark.parametrize("weak", ["short", "change-me-change-me-change-me-change-me", "a" * 64])
def test_T26_a_weak_key_is_refused_while_running_too(file: Path, weak: str) -> None:
    good = "nK3wXv8pQz5rTm1yJd7bLf2hGc9sEa4u"
    secret = SecretFile(file, good, strong)
    replace(file, weak)
    with capture_logs() as told:
        assert secret() == good
    assert weak not in repr(told)
