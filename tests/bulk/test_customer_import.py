"""Customers from a file: normalised, found again, never merged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from finalmarket.bulk import customers
from finalmarket.bulk.plan import Counts
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import Consent, CustomerIdentity, OmnichannelCustomer
from finalmarket.integrations.privacy import erase

pytestmark = pytest.mark.django_db


def take(module: Any, *given: dict[str, Any], **options: Any) -> Counts:
    """Plan rows of one import and store them."""
    with module.plan(given, **options) as plan:
        assert list(plan.refusals()) == []
        counts: Counts = plan.apply()
    return counts


def refusals(module: Any, *given: dict[str, Any], **options: Any) -> list[tuple[int, str, str]]:
    with module.plan(given, **options) as plan:
        return [(line, problem.column, problem.reason) for line, problem in plan.refusals()]


def test_customers_are_normalised_and_found_again_by_what_they_are_known_by(web: SalesChannel) -> None:
    row = {
        "name": "Ann", "email": " Ann@Example.COM ", "phone": "030 123456", "country": "de", "accounts": "web:2; app:1",
        "consents": "newsletter=yes", "preferences": '{"web-shop": {"newsletter": "weekly"}}',
    }  # fmt: skip
    assert take(customers, row) == Counts(created=1)
    ann = OmnichannelCustomer.objects.get()
    assert (ann.email, ann.phone, ann.country) == ("ann@example.com", "+4930123456", "DE")
    assert set(ann.identities.values_list("kind", "value")) == {
        ("email", "ann@example.com"), ("phone", "+4930123456"), ("account", "web:2"), ("account", "app:1"),
    }  # fmt: skip
    assert ann.channel_preferences.get().preferences == {"newsletter": "weekly"}
    assert take(customers, row) == Counts(unchanged=1)
    assert take(customers, {"phone": "+49 30 123456", "name": "Ann B."}) == Counts(changed=1)
    assert OmnichannelCustomer.objects.get().name == "Ann B."


def test_consents_are_a_ledger_that_only_grows_by_what_differs(house: None) -> None:
    before = Consent.objects.count()
    row = {"email": "ann@example.com", "consents": "newsletter=no; sms=no"}
    assert take(customers, row) == Counts(changed=1)
    assert Consent.objects.count() == before + 1
    assert take(customers, row) == Counts(unchanged=1)


def test_identities_and_preferences_that_a_row_does_not_name_stay(house: None) -> None:
    till = SalesChannel.objects.create(name="Till", channel_type="store")
    ann = OmnichannelCustomer.objects.get(email="ann@example.com")
    row = {"email": "ann@example.com", "accounts": "new:1", "preferences": json.dumps({"till": {"bag": False}})}
    take(customers, row)
    assert ann.identities.filter(kind="account").count() == 3
    assert ann.channel_preferences.count() == 2
    assert ann.channel_preferences.get(sales_channel=till).preferences == {"bag": False}


def test_nobody_is_merged_or_renamed_by_a_file(house: None) -> None:
    take(customers, {"email": "ben@example.com", "phone": "+4930654321"})
    ann, ben = (OmnichannelCustomer.objects.get(email=f"{name}@example.com").pk for name in ("ann", "ben"))
    assert refusals(customers, {"email": "ann@example.com", "phone": "+4930654321"})[0][2].endswith(
        "merge them first, or mend the row"
    )
    assert (
        "has another e-mail address" in refusals(customers, {"email": "new@example.com", "phone": "+4930654321"})[0][2]
    )
    take(customers, {"customer": ben, "email": "new@example.com"})
    assert OmnichannelCustomer.objects.get(pk=ben).email == "new@example.com"
    assert CustomerIdentity.objects.filter(customer=ben, kind="email").count() == 2
    assert ann != ben


def test_two_rows_never_claim_one_identity(web: SalesChannel) -> None:
    rows = [
        {"email": "a@example.com", "accounts": "x:1"},
        {"email": "b@example.com", "accounts": "x:1"},
        {"email": "c@example.com", "name": "C"},
        {"email": "C@example.com", "name": "D"},
        {"email": "e@example.com"},
    ]
    assert [line for line, _, _ in refusals(customers, *rows)] == [1, 2, 3, 4]


def test_a_customer_who_was_merged_is_found_as_the_person_they_are_now(house: None) -> None:
    ann = OmnichannelCustomer.objects.get(email="ann@example.com")
    old = OmnichannelCustomer.objects.create(email="old@example.com", merged_into=ann)
    CustomerIdentity.objects.create(customer=old, kind="email", value="old@example.com")
    take(customers, {"customer": old.pk, "name": "Ann O."})
    assert OmnichannelCustomer.objects.get(pk=ann.pk).name == "Ann O."
    assert OmnichannelCustomer.objects.get(pk=old.pk).name == ""


def test_a_file_does_not_bring_back_who_was_erased(house: None) -> None:
    ann = OmnichannelCustomer.objects.get(email="ann@example.com")
    erase.erase(ann.pk, actor="olga", at_once=True)
    said = refusals(customers, {"email": "ANN@example.com", "name": "Ann"}, {"customer": ann.pk, "name": "Ann"})
    assert [(line, reason) for line, _, reason in said] == [
        (1, "is of somebody who was erased; they come back by what they do"), (2, "this customer was erased"),
    ]  # fmt: skip
    ann.refresh_from_db()
    assert (ann.name, ann.email) == ("", "")


def test_a_file_does_not_bring_back_who_was_erased_by_the_phone_number_alone(house: None) -> None:
    ann = OmnichannelCustomer.objects.get(email="ann@example.com")
    ben = OmnichannelCustomer.objects.create(name="Ben")
    erase.erase(ann.pk, actor="olga", at_once=True)
    said = refusals(customers, {"name": "Ann", "phone": "030 123456", "country": "DE"})
    assert said == [(1, "phone", "is of somebody who was erased; they come back by what they do")]
    take(customers, {"customer": ben.pk, "phone": "+4930123456"})
    assert OmnichannelCustomer.objects.get(phone="+4930123456") == ben
