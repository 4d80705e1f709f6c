"""A story with what a tenant's set-up asks of the worker, as `set_up_wiring` puts it together."""

from functools import partial
from typing import Any

from remediation.adapters.access_policies import GraphPolicies
from remediation.adapters.compliance_partners import GraphCompliancePartners
from remediation.adapters.directory_groups import GraphGroups
from remediation.adapters.graph import GraphDirectory
from remediation.domain.device import Platform
from remediation.domain.wishes import Wish
from remediation.ports import Actor
from remediation.services.answer_wishes import Asking, answer_wishes
from remediation.services.provision_partner import Wanted
from remediation.services.scope import standing
from sandbox.slots import ALL_USERS
from sandbox.things import Group
from tests.stories import ORIGIN, Story

ADMIN = Actor("person", "adam")
PLATFORMS = (Platform.ANDROID, Platform.IOS, Platform.MACOS)


def with_set_up(story: Story, *, by_setting: tuple[str, ...] = (), tenant: bool = True) -> Story:
    def chosen() -> tuple[str, ...]:
        return standing(story.store, by_setting).ids

    def wanted() -> Wanted:
        https = ORIGIN.replace("http://localhost:8000", "https://return.example")
        return Wanted(f"{https}/enrollment", f"{https}/remediation", PLATFORMS, chosen(), ALL_USERS)

    asking = Asking(
        groups=GraphGroups(story.remotes.graph),
        policies=GraphPolicies(story.remotes.graph),
        wanted=wanted,
        tenant=story.remotes.channel.tenant if tenant else None,
    )
    directory: Any = GraphDirectory(story.remotes.graph, now=story.world.clock, groups=chosen)
    story.with_world(
        directory=directory,
        answer_wishes=partial(answer_wishes, asking=asking),
        partners=GraphCompliancePartners(story.remotes.graph),
        partner_name=story.sandbox.world.partner.name,
    )
    return story


def group(story: Story, name: str, *people: str, **more: Any) -> Group:
    """Another group of the directory."""
    world = story.sandbox.world
    made = Group(world.new_id(), name, "", {story.remotes.person(one).oid for one in people}, **more)
    world.groups[made.id] = made
    return made


def of_name(story: Story, name: str) -> Group:
    return next(one for one in story.sandbox.world.groups.values() if one.name == name)


def answered(story: Story, wish_id: str) -> Wish:
    story.tick()
    wish = story.store.wish(wish_id)
    assert wish is not None
    assert wish.done_at is not None, "nobody answered"
    return wish
