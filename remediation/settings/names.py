"""The names of settings in the environment, which process knows which, and which of them are secrets."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from pydantic import SecretStr

from .operator import DatabaseSettings
from .says import PREFIX, Group
from .worker import WorkerSettings

CONFIG = PREFIX + "CONFIG"
MDM = PREFIX + "MDM_"
A_CONNECTION = re.compile(MDM + "([A-Z][A-Z0-9]{0,15})_[A-Z_]+")
FILE = "_file"


def environment_of(cls: type[DatabaseSettings], environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child process: of our names only those that it knows (the web's never holds the service credential)."""
    return {name: value for name, value in environ.items() if not name.startswith(PREFIX) or name == CONFIG or knows(cls, name)}


def knows(cls: type[DatabaseSettings], name: str) -> bool:
    """Whether this class reads this name of the environment. MDM connections, whose names are chosen, are the worker's."""
    return name in names_of(cls) or (issubclass(cls, WorkerSettings) and A_CONNECTION.fullmatch(name) is not None)


def names_of(cls: type[Group], prefix: str = PREFIX) -> set[str]:
    """Every environment name that this class reads, but for those of MDM connections."""
    fields = cls.model_fields.keys() - {"mdm"}
    return {env_name(field, prefix) for field in fields} | {
        env_name(field + FILE, prefix) for field in fields if is_secret(cls, field)
    }


def env_name(field: str, prefix: str = PREFIX) -> str:
    return prefix + field.upper()


def is_secret(cls: type[Group], field: str) -> bool:
    return SecretStr.__name__ in str(cls.model_fields[field].annotation)


def secrets_of(settings: Group) -> Iterator[str]:
    """The values that the log must never show."""
    for _, value in settings:
        if isinstance(value, Mapping):
            yield from (secret for one in value.values() if isinstance(one, Group) for secret in secrets_of(one))
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, SecretStr):
                yield item.get_secret_value()
                if item.get_secret_value().startswith("https://"):  # the log tells paths of calls
                    yield urlsplit(item.get_secret_value()).path
