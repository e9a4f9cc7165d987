"""Customers from a file: normalised, found again, never merged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finalmarket.bulk import customers
from finalmarket.bulk.export import export
from finalmarket.bulk.plan import Counts
from finalmarket.bulk.row import Row
from finalmarket.bulk.tables import rows
from finalmarket.channels.models import SalesChannel
from finalmarket.customers import consents, preferences
from finalmarket.customers.models import Consent, CustomerIdentity, OmnichannelCustomer
from finalmarket.integrations.privacy import erase
from finalmarket.kernel import clock

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


def exported(folder: Path) -> dict[int, Row]:
    """What an export writes, by customer; imported again it changes nothing."""
    path = folder / "customers.csv"
    export(customers.Customers(), path)
    with customers.plan(path) as plan:
        assert (list(plan.refusals()), plan.changes()) == ([], [])
    return {int(row["customer"]): row for row in rows(path)}


def ann_and_her_other_profile() -> tuple[OmnichannelCustomer, OmnichannelCustomer]:
    """A device stands for the person, because it came first; what is known of her came later."""
    device = OmnichannelCustomer.objects.create(country="PT", attributes={"size": "M"})
    CustomerIdentity.objects.create(customer=device, kind="device", value="web:phone", is_anchor=True)
    ann = OmnichannelCustomer.objects.create(
        name="Ann Lee", email="ann.lee@example.com", phone="+4930765432", country="DE", language="de",
        attributes={"size": "L", "height": 170}, merged_into=device,
    )  # fmt: skip
    CustomerIdentity.objects.create(customer=ann, kind="email", value=ann.email, is_anchor=True)
    return device, ann


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


def test_a_no_in_a_file_ends_what_was_agreed_to_since_on_a_channel_or_another_profile(
    house: None, web: SalesChannel
) -> None:
    device, ann = ann_and_her_other_profile()
    row = {"email": ann.email, "consents": "newsletter=no"}
    for profile, channel_id in ((device, web.pk), (ann, None)):
        consents.say(device.pk, "newsletter", False, source="list", at=clock.days_ago(9))
        consents.say(profile.pk, "newsletter", True, channel_id=channel_id, source="shop", at=clock.days_ago(8))
        assert consents.agrees(ann.pk, "newsletter", web.pk)
        assert take(customers, row) == Counts(changed=1)
        assert not consents.agrees(ann.pk, "newsletter", web.pk)
        assert take(customers, row) == Counts(unchanged=1)
        Consent.objects.all().delete()


def test_a_no_in_a_file_is_heard_though_a_no_on_another_channel_came_last(web: SalesChannel) -> None:
    till = SalesChannel.objects.create(name="Till", channel_type="store")
    take(customers, {"email": "ann@example.com"})
    ann = OmnichannelCustomer.objects.get()
    for days, is_granted, channel in ((9, False, None), (8, True, web), (7, False, till)):
        channel_id = channel.pk if channel else None
        consents.say(ann.pk, "newsletter", is_granted, channel_id=channel_id, source="shop", at=clock.days_ago(days))
    assert take(customers, {"email": "ann@example.com", "consents": "newsletter=no"}) == Counts(changed=1)
    assert not consents.agrees(ann.pk, "newsletter", web.pk)


def test_an_export_says_yes_only_to_what_holds_on_all_channels(web: SalesChannel, tmp_path: Path) -> None:
    device, ann = ann_and_her_other_profile()
    said = [
        ("withdrawn there", 9, True, None), ("withdrawn there", 8, False, web),
        ("agreed there", 9, True, web),
        ("agreed again", 9, True, None), ("agreed again", 8, False, web), ("agreed again", 7, True, web),
    ]  # fmt: skip
    for purpose, days, is_granted, channel in said:
        channel_id = channel.pk if channel else None
        consents.say(ann.pk, purpose, is_granted, channel_id=channel_id, source="shop", at=clock.days_ago(days))
    consents.say(device.pk, "withdrawn", True, source="shop", at=clock.days_ago(9))
    consents.say(ann.pk, "withdrawn", False, source="shop", at=clock.days_ago(8))
    assert exported(tmp_path)[device.pk]["consents"] == "withdrawn=no; agreed again=yes"


def test_an_export_has_persons_as_they_are_shown(web: SalesChannel, tmp_path: Path) -> None:
    device, ann = ann_and_her_other_profile()
    for profile, value, days in ((device, "old", 9), (ann, "new", 8)):
        preferences.set_preference(profile.pk, web.pk, "layout", value, at=clock.days_ago(days))
    row = exported(tmp_path).pop(device.pk)
    fields = ("name", "email", "phone", "country", "language")
    assert [row[name] for name in fields] == ["Ann Lee", "ann.lee@example.com", "+4930765432", "PT", "de"]
    assert [row[name] for name in fields] == [getattr(device.person(), name) for name in fields]
    assert json.loads(row["attributes"]) == {"size": "M", "height": 170} == device.person().attributes
    assert json.loads(row["preferences"]) == {"web-shop": {"layout": "new"}}
    assert device.preferences(web)["layout"] == "new"


def test_what_a_file_prefers_counts_whatever_another_profile_of_the_person_said_before(web: SalesChannel) -> None:
    device, ann = ann_and_her_other_profile()
    preferences.set_preference(device.pk, web.pk, "layout", "old", at=clock.days_ago(9))
    preferences.set_preference(ann.pk, web.pk, "layout", "new", at=clock.days_ago(8))
    row = {"customer": device.pk, "preferences": '{"web-shop": {"layout": "old"}}'}
    assert take(customers, row) == Counts(changed=1)
    assert device.preferences(web)["layout"] == "old"
    assert take(customers, row) == Counts(unchanged=1)


def test_an_export_leaves_out_who_was_erased(house: None, tmp_path: Path) -> None:
    ann = OmnichannelCustomer.objects.get(email="ann@example.com")
    erase.erase(ann.pk, actor="olga", at_once=True)
    assert [row["name"] for row in exported(tmp_path).values()] == ["Nobody"]
