"""The form of an MDM connection asks for whatever that kind cannot do without."""

import pytest
from bs4 import BeautifulSoup

from remediation.settings.mdm import KINDS
from remediation.web.onboarding_mdm import FIELDS
from tests.web.conftest import Web
from tests.web.set_up_scenes import admin


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_needs_what_its_form_does_not_ask_for(kind: str) -> None:
    needed = {name for name, field in KINDS[kind].model_fields.items() if field.is_required()} - {"kind"}
    ways = {name for way in KINDS[kind].ways for name in way}
    assert needed | ways | {"url"} <= set(FIELDS[kind])


def test_an_account_whose_host_is_not_public_is_asked_for_it_beside_the_field(web: Web) -> None:
    adam, page = admin(web), "/onboarding/mdm/connection/maas"
    typed = {"app_id": "com.30012345.api", "user": "api@contoso.example", "kind": "maas360"}
    for billing_id, status in (("90012345", "true"), ("30012345", None)):  # the second is the control
        form = {"csrf_token": adam.csrf(), **typed, "billing_id": billing_id}
        shown = BeautifulSoup(adam.post(page, data=form).text, "html.parser")
        field = shown.find(id="REMEDIATION_MDM_MAAS_URL")
        assert (field.get("aria-invalid") if field is not None else None) == status, billing_id
