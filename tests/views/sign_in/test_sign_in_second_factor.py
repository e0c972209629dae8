"""Who has to show a second factor after the service has said who it is."""

import pytest

from models import Staff
from services import second_factor
from stores import sealing
from tests.sign_in_service import Service
from tests.views.sign_in.steps import Make, come_back, is_in


@pytest.fixture
def with_factor(an: Staff) -> Staff:
    sealed = sealing.seal("A" * 32, owner=f"second factor of {an.pk}")
    Staff.objects(pk=an.pk).update(totp_secret=sealed)
    assert second_factor.is_on(Staff.objects.get(pk=an.pk))
    return an


def test_the_second_factor_is_asked_for_here(
    browser: Make, service: Service, with_factor: Staff
) -> None:
    client = browser()
    assert come_back(client, service).location == "/login/code"
    assert not is_in(client)


def test_it_is_left_to_the_service_only_when_the_operator_says_so(
    browser: Make, service: Service, with_factor: Staff
) -> None:
    client = browser(oidc_trust_second_factor=True)
    assert come_back(client, service).location == "/"
    assert is_in(client)


@pytest.mark.parametrize("trusts", [True, False])
def test_the_duty_to_have_one_is_left_to_the_service_too(
    browser: Make, service: Service, an: Staff, trusts: bool
) -> None:
    Staff.objects(pk=an.pk).update(second_factor_required=True, must_change_password=True)
    client = browser(oidc_trust_second_factor=trusts)
    come_back(client, service)
    assert is_in(client) == trusts
    by_password = browser(oidc_trust_second_factor=trusts)
    by_password.log_in(an)
    assert not is_in(by_password), "a session by password has both duties"
