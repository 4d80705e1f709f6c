"""What every setting says of itself, the kinds of values, and the root of all classes of settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from ..secret_files import SecretFile, not_blank
from . import rules as rule

PREFIX = "REMEDIATION_"


@dataclass(frozen=True)
class Says:
    """What the documentation and a fault tell about one setting."""

    what: str
    by: str
    example: str


ENTRA_ADMIN = "the Entra administrator"
OPERATOR = "whoever runs this product"
MDM_ADMIN = "the MDM's administrator"
INTUNE_ADMIN = "the Intune administrator"

Https = Annotated[str, AfterValidator(rule.https_address)]
Guid = Annotated[str, AfterValidator(rule.guid)]
Text = Annotated[str, AfterValidator(rule.not_blank)]
Link = Annotated[str, AfterValidator(rule.link)]
Calls = Annotated[str, AfterValidator(rule.calls)]
Secret = Annotated[SecretStr, AfterValidator(rule.not_blank_secret)]


class Group(BaseSettings):
    """Some settings that belong together; what a process knows is made of such groups."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: object, **__: object
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The constructor reads nothing by itself; `reading.read` does, so that it can name every fault at once."""
        return (init_settings,)

    _files: Mapping[str, Path] = PrivateAttr(default_factory=dict)
    """Where secrets were read from a file: by field."""

    def file_of(self, field: str) -> Path | None:
        """Where this secret was read from, None where it did not come from a file."""
        return self._files.get(field)

    def live(self, field: str, check: Callable[[str], object] = not_blank) -> Callable[[], str]:
        """The secret as it is whenever it is asked for: a changed file is read anew."""
        given: SecretStr = getattr(self, field)
        value, path = given.get_secret_value(), self._files.get(field)
        return SecretFile(path, value, check) if path is not None else lambda: value

    def live_keys(self, *fields: str) -> Callable[[], tuple[str, ...]]:
        """Every key that is in force whenever it is asked: one alone, none, or a list, each followed like `live`."""
        ways = [self._live_list(field) for field in fields]
        return lambda: tuple(key for way in ways for key in way())

    def _live_list(self, field: str) -> Callable[[], tuple[str, ...]]:
        given: SecretStr | tuple[SecretStr, ...] | None = getattr(self, field)
        if isinstance(given, SecretStr):
            one = self.live(field, rule.strong)
            return lambda: (one(),)
        values, path = tuple(key.get_secret_value() for key in given or ()), self._files.get(field)
        if path is None:
            return lambda: values
        several = SecretFile(path, ",".join(values), lambda text: rule.strong_keys(_hidden(text)), rule.parts)
        return lambda: rule.parts(several())


def _hidden(text: str) -> tuple[SecretStr, ...]:
    return tuple(map(SecretStr, rule.parts(text)))
