"""Export and erasure over the REST API, and who is one person: suggested, looked at, decided."""

from __future__ import annotations

import pytest

from finalmarket.access.models import AuditEntry
from finalmarket.catalog.models import Product, Variant
from finalmarket.customers import merging, suggestions
from finalmarket.customers.models import OmnichannelCustomer, PrivacyRequest
from finalmarket.customers.persons import members
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation
from tests.api.calling import Program, problem, told
from tests.api.conftest import House, bought, open_house


def second() -> OmnichannelCustomer:
    """Somebody else."""
    found = resolve(Contact(name="A. Lee", email="lee@example.com"), source="test")
    assert found is not None
    return found


def order_of_ann(house: House) -> None:
    """Ann orders a tea on the web, and waits for it."""
    product = Product.objects.create(slug="tea", title="Tea")
    tea = Variant.objects.create(product=product, sku="TEA")
    shelf = StockLocation.objects.create(code="main", name="Main warehouse")
    ledger.receive([ledger.Receipt(tea.pk, shelf.pk, 5)], actor="test")
    bought(house.web, "W-1", "ann@example.com")


def test_an_export_holds_what_all_rooms_know_and_is_noted(house: House) -> None:
    order_of_ann(house)
    program = Program("privacy:export", "privacy:read", name="helpdesk")
    found = told(program.get(f"/customers/{house.ann.pk}/export"))
    assert found["person"]["email"] == "ann@example.com"
    assert {"orders", "customer_identities", "omnichannel_customers"} <= found["tables"].keys()
    assert PrivacyRequest.objects.get().actor == "api:helpdesk"
    line = AuditEntry.objects.get()
    assert (line.operation, line.subject) == ("export_customer", f"customer {house.ann.pk}")
    (asked,) = told(program.get("/privacy/requests", customer=house.ann.pk))["items"]
    assert (asked["kind"], asked["state"]) == ("export", "done")


def test_what_an_erasure_would_take_is_shown_and_changes_nothing(house: House) -> None:
    order_of_ann(house)
    seen = told(Program("privacy:read").get(f"/customers/{house.ann.pk}/erasure"))
    assert seen["profiles"] == [house.ann.pk]
    assert seen["emptied"]["orders"] == 1
    assert seen["kept"]["orders"]
    assert seen["deleted"]["customer_identities"] >= 1
    assert (seen["orders_under_way"], seen["is_erased"]) == (1, False)
    house.ann.refresh_from_db()
    assert (house.ann.email, house.ann.erased_at) == ("ann@example.com", None)


@pytest.mark.committed_database
def test_a_person_is_erased_when_all_their_profiles_are_named(committed_database: object) -> None:
    house, program = open_house(), Program("privacy:erase", "privacy:read")
    other = second()
    merging.merge(house.ann.pk, other.pk, actor="olga")
    home = f"/customers/{house.ann.pk}"
    problem(program.post(f"{home}/erase", {"profiles": [house.ann.pk]}), "changed", 412)
    assert OmnichannelCustomer.objects.filter(erased_at=None).count() == 2
    profiles = told(program.get(f"{home}/erasure"))["profiles"]
    done = told(program.post(f"{home}/erase", {"profiles": profiles}, token="erase"))
    assert (done["state"], sorted(done["profiles"])) == ("done", sorted([house.ann.pk, other.pk]))
    assert set(OmnichannelCustomer.objects.values_list("email", flat=True)) == {""}
    again = program.post(f"{home}/erase", {"profiles": profiles}, token="erase")
    assert told(again)["id"] == done["id"]
    assert PrivacyRequest.objects.count() == AuditEntry.objects.count() == 1


@pytest.mark.committed_database
def test_an_erasure_waits_for_orders_under_way_unless_it_is_to_be_at_once(committed_database: object) -> None:
    house, program = open_house(), Program("privacy:erase")
    order_of_ann(house)
    said = {"profiles": [house.ann.pk]}
    waits = told(program.post(f"/customers/{house.ann.pk}/erase", said))
    assert (waits["state"], waits["waits_for_orders"]) == ("waiting", 1)
    at_once = told(program.post(f"/customers/{house.ann.pk}/erase", {**said, "at_once": True}))
    assert (at_once["id"], at_once["state"]) == (waits["id"], "done")


def test_a_merge_is_looked_at_before_it_is_done(house: House) -> None:
    other = second()
    seen = told(Program("customers:read").get(f"/customers/{house.ann.pk}/merge-preview", other=other.pk))
    assert {one["name"]: one["value"] for one in seen["survivors"]}["name"] == "Ann Lee"
    assert (seen["one"]["customer"], seen["other"]["customer"]) == (house.ann.pk, other.pk)
    assert members(house.ann.pk) == [house.ann.pk]
    problem(Program("customers:read").get(f"/customers/{house.ann.pk}/merge-preview", other=house.ann.pk),
            "refused", 422)  # fmt: skip


def test_a_suggestion_is_accepted_once_and_the_two_are_one(house: House) -> None:
    other, program = second(), Program("customers:read", "customers:merge")
    suggestions.suggest(house.ann.pk, other.pk, source="desk", evidence={"name": "alike"})
    (found,) = told(program.get("/merge-suggestions"))["items"]
    accepted = told(program.post(f"/merge-suggestions/{found['id']}/accept"))
    assert (accepted["state"], accepted["decided_by"]) == ("accepted", "api:web shop")
    assert sorted(members(other.pk)) == sorted([house.ann.pk, other.pk])
    problem(program.post(f"/merge-suggestions/{found['id']}/reject", {}), "refused", 422)
    assert told(program.get("/merge-suggestions"))["items"] == []


def test_a_suggestion_that_is_rejected_leaves_two_persons(house: House) -> None:
    other, program = second(), Program("customers:read", "customers:merge")
    suggestions.suggest(house.ann.pk, other.pk, source="desk", evidence={})
    (found,) = told(program.get("/merge-suggestions"))["items"]
    told(program.post(f"/merge-suggestions/{found['id']}/reject", {"keep_apart": True}))
    assert members(house.ann.pk) == [house.ann.pk]
    assert [one["state"] for one in told(program.get("/merge-suggestions", state="rejected"))["items"]] == ["rejected"]
