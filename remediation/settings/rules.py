"""What a setting's value must be like, one small function each. A refusal says what is wrong and never repeats the value.

Nothing here knows names of settings.
"""

import json
import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from pydantic import SecretStr

from ..domain.channel import choice
from ..domain.compliance import ADVICE
from ..domain.device import Platform
from ..domain.evidence import Level

# Deep links that a page may carry. What an administrator enters is checked against this list: `javascript:`, `data:` never pass.
INSTANCES = frozenset("12346")
"""First digits of MaaS360 billing ids whose host is public (`adapters/maas360_sign_in.py`)."""
LINK_SCHEMES = {"https", "ms-outlook", "ms-settings", "ms-device-enrollment", "companyportal", "wsonehub", "market"}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# The levels that this version can gather; a higher minimum would let nobody through.
GATHERED = (Level.FRESH, Level.POSSESSION, Level.BOUND, Level.CERTIFICATE)
NAMING = re.compile(r"(CN|SERIALNUMBER|UID|OU|DNS|URI|EMAIL|UPN)=[^{}]*\{(serial|udid|record)\}[^{}]*")
# A language is one file, so what may be chosen is read off the folder.
LANGUAGES = frozenset(
    file.stem.replace("_", "-") for file in (Path(__file__).resolve().parents[1] / "web" / "translations").glob("*.po")
)
# Microsoft's own onboarding of a compliance partner takes no more.
MOST_GROUPS = 10
# Keys that stand in somebody's example, and so in somebody's attack.
KNOWN_KEYS = re.compile(
    r"change.?me|change.?this|secret|password|default|example|insecure|0123456789|abcdefgh|qwert", re.IGNORECASE
)


class Unfit(ValueError):
    """`key` is the stable id of what is wrong, for pages in other languages; its text is for the terminal."""

    def __init__(self, key: str, words: str) -> None:
        super().__init__(words)
        self.key = key


def origin(value: str) -> str:
    parts = _parts(value)
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("must be scheme, host and port only")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must begin with https:// (http only on this machine: localhost, 127.0.0.1)")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address such as https://host")
    return value.rstrip("/")


def https_address(value: str) -> str:
    parts = _parts(value)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise Unfit("https", "must be an address that begins with https://")
    return value.rstrip("/")


def link(value: str) -> str:
    if not value.isprintable() or re.search(r"[\s\\]", value):
        raise Unfit("link", "must be one link without spaces or backslashes")
    parts = _parts(value)
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return value
    if parts.scheme not in LINK_SCHEMES or (parts.scheme == "https" and not parts.hostname):
        raise Unfit("link", f"must begin with one of: {', '.join(sorted(LINK_SCHEMES))}")
    return value


def _parts(value: str) -> SplitResult:
    parts = urlsplit(value)
    _ = parts.port  # raises ValueError where the port is no number
    return parts


def guid(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise Unfit("guid", "must be a GUID, as the Entra admin center shows it") from None


def groups(values: tuple[str, ...]) -> tuple[str, ...]:
    found = _guids(values)
    if len(found) > MOST_GROUPS:
        raise ValueError(f"must name at most {MOST_GROUPS} groups (put more people into one group, or leave it out for all users)")
    return found


def company_parts(values: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """By the end of an app role: `de` of `Helpdesk.Read.de`. Entra's values of app roles know no spaces."""
    for name, named in values.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", name):
            raise ValueError("must name each part with letters, digits, - or _, at most 32")
        if not named:
            raise ValueError(f"must name one group or more for {name}")
    return {name: _guids(named) for name, named in values.items()}


def split_each(value: object) -> object:
    value = table(value)
    return {name: split(one) for name, one in value.items()} if isinstance(value, dict) else value


def guids(values: tuple[str, ...]) -> tuple[str, ...]:
    return _guids(values)


def listen(value: str | None) -> str | None:
    """A port alone is one of this machine's own."""
    return bind(f"127.0.0.1:{value}" if value is not None and value.isdigit() else value)


def plans(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values:
        raise ValueError("must name one service plan or more, or be left out")
    return _guids(values)


def _guids(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(guid(value) for value in values))


def not_blank(value: str) -> str:
    if not value.strip():
        raise Unfit("blank", "must not be blank")
    return value.strip()


def not_blank_secret(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().strip():
        raise Unfit("blank", "must not be blank")
    return value


def strong_key(value: SecretStr) -> SecretStr:
    strong(value.get_secret_value())
    return value


def strong(key: str) -> None:
    if len(key) < 32:
        raise ValueError("must have 32 characters or more")
    if KNOWN_KEYS.search(key) or len(set(key)) < 10:
        raise ValueError("looks like an example or a pattern; make one by chance")


def strong_keys(values: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    return tuple(strong_key(value) for value in values)


def split(value: object) -> object:
    return parts(value) if isinstance(value, str) else value


def parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def table(value: object) -> object:
    """In the environment a table is written as JSON."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("must be a JSON object in the environment, or a table in the settings file") from None


def advice(entries: dict[str, str | dict[str, str]]) -> dict[str, str | dict[str, str]]:
    for name, told in entries.items():
        if isinstance(told, str) and told not in ADVICE:
            raise ValueError(f"gives {name!r} an advice that we have no words for; ours are: {', '.join(sorted(ADVICE))}")
        if isinstance(told, dict) and not (told and told.keys() <= LANGUAGES and all(map(_is_readable, told.values()))):
            known = ", ".join(sorted(LANGUAGES))
            raise ValueError(f"must give {name!r} 1 to 500 letters in one of these languages or more: {known}")
    return entries


def language(value: str) -> str:
    if value not in LANGUAGES:
        raise Unfit("language", f"must be one of: {', '.join(sorted(LANGUAGES))}")
    return value


def _is_readable(text: str) -> bool:
    return 0 < len(text.strip()) <= 500


def hosts(values: tuple[str, ...]) -> tuple[str, ...]:
    if not values or not all(re.fullmatch(r"\.?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?", value) for value in values):
        raise ValueError("must be host names in small letters, or .suffixes of such, with commas between")
    return values


def host_names(values: tuple[str, ...]) -> tuple[str, ...]:
    if not all(re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", value) for value in values):
        raise ValueError("must be host names in small letters, with commas between, without ports")
    return values


def level(value: object) -> object:
    """`possession` is what people write; the number behind it is nobody's business."""
    if isinstance(value, Level):
        return value
    gathered = {level.name.lower(): level for level in GATHERED}
    chosen = gathered.get(str(value).strip().lower())
    if chosen is None:
        raise Unfit("level", f"must be one of: {', '.join(gathered)} (this version can gather no stronger evidence)")
    return chosen


def channel(value: str) -> str:
    word = value.strip().lower()
    try:
        choice(word)
    except ValueError:
        raise Unfit("channel", "must be one of: intune_partner, graph_device, mdm_relay:<MDM connection>, none") from None
    return word


def platforms(values: tuple[str, ...]) -> tuple[str, ...]:
    words = tuple(dict.fromkeys(value.lower() for value in values))
    known = [platform.value for platform in Platform if platform is not Platform.UNKNOWN]
    if not set(words) <= set(known):
        raise Unfit("platforms", f"must be some of: {', '.join(known)}, with commas between")
    return words


def calls(value: str) -> str:
    """`100/20`: never more than a hundred calls in any twenty seconds."""
    most, _, seconds = value.partition("/")
    if not re.fullmatch(r"[0-9]{1,7}", most) or not re.fullmatch(r"[0-9]{1,5}", seconds) or int(most) < 4 or int(seconds) < 1:
        raise ValueError("must be calls/seconds, such as 100/20, and at least 4 calls")
    return value


def bind(value: str | None) -> str | None:
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError("must be host:port")
    return value


def webhook(value: SecretStr | None) -> SecretStr | None:
    """May carry its key in the query, as some takers want it."""
    if value is not None:
        parts = _parts(value.get_secret_value())
        if parts.scheme != "https" or not parts.hostname or parts.fragment or parts.username is not None:
            raise ValueError("must be an address that begins with https://")
    return value


def mail_address(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[^\s@<>,;\"]+@[^\s@<>,;\"]+", value):
        raise ValueError("must be a mail address such as it@contoso.example")
    return value


def mail_addresses(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        mail_address(value)
    return values


def database(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    scheme = url.partition("://")[0]
    if scheme == "sqlite":
        if url in ("sqlite://", "sqlite:///") or ":memory:" in url:
            raise ValueError("must name a file: two processes share it")
    elif scheme != "postgresql":
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return value


def naming(value: str | None) -> str | None:
    """`CN={serial}`: a field of the certificate, and around one attribute of the record what else stands there."""
    if value is not None and not NAMING.fullmatch(value):
        raise ValueError(
            "must be a field (CN, SERIALNUMBER, UID, OU, DNS, URI, EMAIL or UPN), =, and a text with {serial}, {udid} or {record}"
        )
    return value


def second_origin(value: str | None) -> str | None:
    if value is not None and not value.startswith("https://"):
        raise ValueError("must begin with https://")
    return None if value is None else origin(value)


def optional_key(value: SecretStr | None) -> SecretStr | None:
    return None if value is None else strong_key(value)


def billing_id(value: str) -> str:
    if not re.fullmatch(r"[0-9]{4,20}", value):
        raise Unfit("billing_id", "is not a billing id: digits only.")
    return value


def maas360_attribute(value: str) -> str:
    """IBM documentation, "Managing device attributes": these characters are not allowed in names."""
    if not value.strip() or re.search(r"[.<>\\\"']", value) or len(value) > 100:
        raise Unfit("attribute", "is not a name of a custom attribute: none of . < > \\ \" ' may be in it.")
    return value
