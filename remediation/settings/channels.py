"""How compliance reaches Microsoft, by platform: the tenant's choice, checked at the start against what each channel can serve."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from ..domain.channel import NONE, RELAYED, SERVES, ChannelKind, Choice, choice
from ..domain.device import Platform
from . import rules as rule
from .says import ENTRA_ADMIN, Group, Says

PLATFORMS = (Platform.IOS, Platform.ANDROID, Platform.MACOS, Platform.WINDOWS)
NAMES = {Platform.IOS: "iOS", Platform.ANDROID: "Android", Platform.MACOS: "macOS", Platform.WINDOWS: "Windows"}
Word = Annotated[str, AfterValidator(rule.channel)]


class ChannelSettings(Group):
    """docs/channels.md helps to choose."""

    channel_ios: Annotated[
        Word,
        Says(
            "Which channel carries the compliance of iPhones and iPads to Microsoft (docs/channels.md): `intune_partner` (we do, "
            "as compliance partner), `mdm_relay:<connection>` (that MDM's maker does, and we guide and watch) or `none`",
            ENTRA_ADMIN,
            "mdm_relay:ws1",
        ),
    ] = ChannelKind.INTUNE_PARTNER
    channel_android: Annotated[Word, Says("The same for Android", ENTRA_ADMIN, "mdm_relay:maas")] = ChannelKind.INTUNE_PARTNER
    channel_macos: Annotated[Word, Says("The same for Macs", ENTRA_ADMIN, "none")] = ChannelKind.INTUNE_PARTNER
    channel_windows: Annotated[
        Word,
        Says(
            "For Windows: `graph_device` (we do, through Microsoft Graph, as an MDM app that Microsoft or an administrator "
            "approved), `mdm_relay:<connection>` or `none`. Never `graph_device` where the MDM reports Windows itself",
            ENTRA_ADMIN,
            "graph_device",
        ),
    ] = NONE

    second_lock_attribute: Annotated[
        int | None,
        Field(ge=1, le=15),
        Says(
            "Where an MDM's maker carries: which extension attribute (1 to 15) of the directory's devices bears our mark, without "
            "which a further Conditional Access policy blocks a device (docs/channels.md). One that nobody uses: all apps of the "
            "tenant share the fifteen",
            ENTRA_ADMIN,
            "7",
        ),
    ] = None
    second_lock_platforms: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(rule.split),
        AfterValidator(rule.platforms),
        Says("On which platforms; all that an MDM's maker carries where it is left out", ENTRA_ADMIN, "ios,android"),
    ] = ()

    def locked(self) -> frozenset[Platform]:
        """The platforms of the second lock; none where there is none."""
        if self.second_lock_attribute is None:
            return frozenset()
        return frozenset(map(Platform, self.second_lock_platforms)) or frozenset(relayed(self))

    def chosen(self, platform: Platform, connections: Mapping[str, Any]) -> Choice | None:
        return choice(str(getattr(self, _field(platform))), connections)


def relayed(settings: ChannelSettings) -> Iterator[Platform]:
    for platform in PLATFORMS:
        if _word(getattr(settings, _field(platform))) == ChannelKind.MDM_RELAY:
            yield platform


def _word(chosen: object) -> str:
    return str(chosen).strip().lower().partition(":")[0]


def lock_unsuited(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The second lock only where somebody else tells Microsoft: elsewhere *compliant* waits for us by itself."""
    named = values.get("second_lock_platforms", ())
    platforms = rule.parts(named) if isinstance(named, str) else tuple(named)
    if values.get("second_lock_attribute") is None:
        if platforms:
            yield "second_lock_platforms", "goes with REMEDIATION_SECOND_LOCK_ATTRIBUTE, which is not set."
        return
    carried = {
        platform.value
        for platform in PLATFORMS
        if _word(values.get(_field(platform), ChannelSettings.model_fields[_field(platform)].default)) == ChannelKind.MDM_RELAY
    }
    if not carried:
        yield "second_lock_attribute", "is set, and no platform's channel is mdm_relay: elsewhere we carry, and it is of no use."
    elif wrong := [name for name in platforms if name.lower() not in carried and name.lower() in {*PLATFORMS}]:
        names = ", ".join(wrong)
        yield "second_lock_platforms", f"names {names}, whose channel is not mdm_relay: there *compliant* waits for us already."


def _field(platform: Platform) -> str:
    return f"channel_{platform.value}"


def unsuited(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The field and what is wrong with it, for each choice that cannot serve its platform. What is no word of ours the field's own
    rule tells."""
    connections = values["mdm"]
    for platform in PLATFORMS:
        field = _field(platform)
        word = str(values.get(field, ChannelSettings.model_fields[field].default))
        try:
            chosen = choice(rule.channel(word), connections)
        except ValueError:
            continue
        wrong = _wrong(chosen, platform, connections) if chosen is not None else None
        if wrong is not None:
            yield field, wrong


def _wrong(chosen: Choice, platform: Platform, connections: Mapping[str, Any]) -> str | None:
    if chosen.kind is not ChannelKind.MDM_RELAY:
        return None if platform in SERVES[chosen.kind] else _serves(f"is {chosen.kind}, which", SERVES[chosen.kind], platform)
    named = ", ".join(f"mdm_relay:{name}" for name in sorted(connections))
    if chosen.connection is None:
        return f"is mdm_relay and does not say which MDM's maker carries. Intune takes one partner for a platform: {named}."
    if chosen.connection not in connections:
        return f"names an MDM connection that is not there. There is: {named or 'none'}."
    kind = connections[chosen.connection].kind
    if not RELAYED[kind]:
        return f"is mdm_relay, and how the maker of {chosen.connection} ({kind}) carries is not known to this version."
    what = f"is mdm_relay, and the maker of {chosen.connection} ({kind})"
    return None if platform in RELAYED[kind] else _serves(what, RELAYED[kind], platform)


def _serves(what: str, platforms: frozenset[Platform], platform: Platform) -> str:
    names = ", ".join(NAMES[one] for one in PLATFORMS if one in platforms)
    return f"{what} serves {names} alone, and not {NAMES[platform]}. See docs/channels.md."
