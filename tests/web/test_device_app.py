"""Pages name the app of the MDM that holds the device: Hub by default, another one where the administrator says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup

from remediation.domain.device import ManagedDevice, ManagedKey, Platform
from tests.people import MANAGED_PHONE, MIA
from tests.proven import messages_arrive
from tests.web.conftest import Web
from tests.web.scenes import Scene
from tests.web.test_texts import ENGLISH

IN_MAAS360 = replace(MANAGED_PHONE, key=ManagedKey("maas", "ApplF2LX0001"))


def words(web: Web) -> str:
    browser = web.signed_in()
    return " ".join(BeautifulSoup(browser.get("/journey").text, "html.parser").get_text(" ").split())


def holding(web: Web, phone: ManagedDevice) -> Scene:
    """Mia has this one device, and a message to it is on its way."""
    messages_arrive(web.engine, web.store.tenant_id, phone.key.connection)
    scene = web.begun(platform=phone.platform)
    web.store.observe_managed(phone.key.connection, MIA.oid, [phone], at=web.clock())
    return scene.looked().message_sent()


@pytest.mark.parametrize(("phone", "named"), [(MANAGED_PHONE, "Hub"), (IN_MAAS360, "MaaS360")])
def test_the_message_is_looked_for_in_the_app_of_its_own_mdm(database: Path, phone: ManagedDevice, named: str) -> None:
    web = Web(database, device_apps={"maas": "MaaS360"})
    holding(web, phone)
    shown = words(web)
    assert f"Look for a notification from {named}, your company" in shown
    assert {"Hub": "MaaS360", "MaaS360": "Hub"}[named] not in shown


@pytest.mark.parametrize(("more", "named"), [({}, "MaaS360"), ({"device_app": "Work apps"}, "Work apps")])
def test_an_mdm_that_was_typed_on_the_pages_has_its_makers_app(database: Path, more: dict[str, str], named: str) -> None:
    web = Web(database, set_up={"kinds": {"maas": "maas360"}}, **more)
    web.begun().looked()
    assert f"management app, {named}." in words(web), "before any device is in hand"
    holding(web, IN_MAAS360)
    assert f"Look for a notification from {named}, your company" in words(web)


def test_where_nothing_is_managed_yet_the_one_for_enrolling_is_named(database: Path) -> None:
    web = Web(database, device_app="MaaS360 & <friends> 100%")
    web.begun().looked()
    shown = words(web)
    assert "management app, MaaS360 & <friends> 100%." in shown
    assert "Hub" not in shown


@pytest.mark.parametrize(("phone", "linked"), [(MANAGED_PHONE, True), (IN_MAAS360, False)])
def test_only_a_mac_of_workspace_one_gets_a_link_into_hub(database: Path, phone: ManagedDevice, linked: bool) -> None:
    web = Web(database, device_apps={"maas": "MaaS360"})
    holding(web, replace(phone, platform=Platform.MACOS)).proven().looked()
    page = BeautifulSoup(web.signed_in().get("/journey").text, "html.parser")
    assert page.h1 is not None
    assert ENGLISH["register.heading"] in page.h1.get_text()
    assert ("wsonehub" in {urlsplit(str(a.get("href"))).scheme for a in page.find_all("a")}) is linked
