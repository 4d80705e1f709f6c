"""The rule file of the organisation's own bar (`domain/bar.py`): TOML, every fault told in words.

[least_os]
ios = "17.4"
android = "13"

[check_in]
oldest_days = 7

[encryption]
required = true

[ownership]
allowed = ["corporate", "employee"]
name = "Devices of the company or your own"

[risk]
most = 50
file = "/var/lib/remediation/risk.csv"
unlisted = "unknown"
"""

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..domain.bar import ENCRYPTION, OS, OWNERSHIP, RISK, Bar, Ownership, version
from ..domain.device import Platform


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str | None, Field(min_length=1, max_length=80)] = None


class _LeastOs(_Rule):
    ios: str | None = None
    android: str | None = None
    macos: str | None = None
    windows: str | None = None

    @field_validator("ios", "android", "macos", "windows")
    @classmethod
    def numbers(cls, value: str | None) -> str | None:
        if value is not None and (version(value) is None or not value.replace(".", "").isdigit()):
            raise ValueError('must be numbers with dots between, such as "17.4"')
        return value


class _CheckIn(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    oldest_days: Annotated[int, Field(ge=1, le=90)]


class _Encryption(_Rule):
    required: Literal[True]


class _Ownership(_Rule):
    allowed: Annotated[frozenset[Ownership], Field(min_length=1)]


class Risk(_Rule):
    """A device that the file does not list has no risk (`none`), or one that nobody knows (`unknown`)."""

    most: float
    file: Path
    unlisted: Literal["none", "unknown"]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    least_os: _LeastOs | None = None
    check_in: _CheckIn | None = None
    encryption: _Encryption | None = None
    ownership: _Ownership | None = None
    risk: Risk | None = None


def read_bar(path: str) -> tuple[Bar, Risk | None]:
    """Raises ValueError with all that is wrong, in words."""
    try:
        file = _File(**tomllib.loads(Path(path).read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is not valid TOML ({error})") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"cannot be read as a text file ({type(error).__name__})") from None
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, one['loc']))}: {_plain(one['msg'])}" for one in error.errors(include_url=False))
        raise ValueError("; ".join(wrong)) from None
    names = {OS: file.least_os, ENCRYPTION: file.encryption, OWNERSHIP: file.ownership, RISK: file.risk}
    versions = file.least_os.model_dump(exclude={"name"}, exclude_none=True) if file.least_os else {}
    bar = Bar(
        oldest_check_in=timedelta(days=file.check_in.oldest_days) if file.check_in else None,
        least_os={Platform(platform): least for platform, least in versions.items()},
        encryption=file.encryption is not None,
        ownership=file.ownership.allowed if file.ownership else frozenset(),
        most_risk=file.risk.most if file.risk else None,
        names={rule: told.name for rule, told in names.items() if told is not None and told.name is not None},
    )
    return bar, file.risk


def _plain(message: str) -> str:
    message = message.removeprefix("Value error, ").replace("Input should be", "must be")
    return message.replace("Extra inputs are not permitted", "is not a rule of ours")


def rule_file(path: str | None) -> str | None:
    """For a setting: the file as it is at the start."""
    if path is not None:
        read_bar(path)
    return path
