"""Which channels the worker is made of: those that a platform's setting names, and no other remote is ever asked."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from remediation.domain.channel import ChannelKind
from remediation.domain.device import Platform
from remediation.ports import Relaying
from remediation.services.world import World
from remediation.store.engine import make_engine
from remediation.wiring import build_budgets, build_world
from tests.services.test_budgets import settings_for
from tests.stories import Story
from tests.wsgi_adapter import WSGIAdapter

Tell = Callable[..., Story]
NONE = dict.fromkeys(("channel_ios", "channel_android", "channel_macos", "channel_windows"), "none")


def built(story: Story, **channels: str) -> World:
    settings = settings_for(story.sandbox, **{**NONE, **channels})
    budgets = build_budgets(settings, make_engine(story.url, durable=False), clock=story.world.clock)
    return build_world(settings, story.store, budgets, transport=WSGIAdapter(story.sandbox.api), clock=story.world.clock)


def kinds(world: World) -> dict[Platform, ChannelKind]:
    served = {platform: world.channel(platform) for platform in Platform}
    return {platform: channel.kind for platform, channel in served.items() if channel is not None}


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ({}, {}),
        ({"channel_windows": "graph_device"}, {Platform.WINDOWS: ChannelKind.GRAPH_DEVICE}),
        ({"channel_macos": "intune_partner"}, {Platform.MACOS: ChannelKind.INTUNE_PARTNER}),
        (
            {"channel_ios": "mdm_relay", "channel_android": "intune_partner", "channel_windows": "mdm_relay:ws1"},
            {
                Platform.IOS: ChannelKind.MDM_RELAY,
                Platform.ANDROID: ChannelKind.INTUNE_PARTNER,
                Platform.WINDOWS: ChannelKind.MDM_RELAY,
            },
        ),
    ],
)
def test_each_platform_has_the_channel_that_was_chosen(
    tell: Tell, channels: dict[str, str], expected: dict[Platform, ChannelKind]
) -> None:
    world = built(tell("already_fine"), **channels)
    assert kinds(world) == expected
    assert len(world.channels) == len(set(expected.values()))


def test_the_makers_turn_is_that_of_its_connection(tell: Tell) -> None:
    world = built(tell("already_fine"), channel_ios="mdm_relay")
    (channel,) = world.channels
    assert isinstance(channel, Relaying)
    assert (channel.connection, channel.every) == ("ws1", timedelta(minutes=15))
    assert world.channel(Platform.IOS, "ws1") is channel
    assert world.channel(Platform.IOS, "maas") is None, "its devices are no business of this maker's"
    assert world.channel(Platform.ANDROID, "ws1") is None
