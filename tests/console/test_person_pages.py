"""Who is one person, on the pages of the console: seen, merged with a preview, unmerged; by those who may."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from finalmarket.customers import merging
from finalmarket.customers.models import BlockedIdentity, CustomerMerge, IdentityLimit, OmnichannelCustomer
from finalmarket.customers.persons import settle
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.orders.intake import take
from tests.console.reading import read, told
from tests.orders.market import Market, draft, line

CUSTOMERS = "admin:customers_omnichannelcustomer"


def come(**words: Any) -> OmnichannelCustomer:
    found = resolve(Contact(**words))
    assert found is not None
    settle()
    found.refresh_from_db()
    return found


def member(*rights: str) -> Client:
    clerk = User.objects.create_user("clara", password="open sesame 3", is_staff=True)
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(clerk)
    return client


def test_two_persons_are_compared_merged_and_unmerged(operator: Client) -> None:
    ann = come(name="Ann", email="ann@example.com", loyalty="FM1")
    bob = come(name="Bob", email="bob@example.com", loyalty="FM2")
    page = reverse("console:one_person", args=[ann.pk])
    assert "Nobody has merged or unmerged them" in read(operator, page)
    assert "Bob" in read(operator, f"{page}?with=bob@example.com")
    assert "Bob" in read(operator, f"{page}?with={bob.pk}")
    assert "Nobody else fits" in read(operator, f"{page}?with=ann@example.com")
    compared = read(operator, reverse("console:merge_preview", args=[ann.pk, bob.pk]))
    assert "different loyalty numbers: FM1 and FM2" in compared
    assert "the oldest profile that has one" in compared
    answer = operator.post(reverse("console:merge_customers", args=[ann.pk, bob.pk]), {"reason": "met"}, follow=True)
    assert "They are one person now" in told(answer)[0]
    assert OmnichannelCustomer.objects.get(pk=bob.pk).merged_into_id == ann.pk
    seen = read(operator, reverse("console:one_person", args=[bob.pk]))
    assert "olga" in seen
    assert "bob@example.com" in seen
    answer = operator.post(reverse("console:unmerge", args=[ann.pk]), {"profile": [bob.pk]}, follow=True)
    assert "two persons again" in told(answer)[0]
    assert OmnichannelCustomer.objects.get(pk=bob.pk).merged_into_id is None
    assert CustomerMerge.objects.filter(kind="join", undone_by="olga").count() == 1


def test_what_cannot_be_unmerged_is_said(operator: Client) -> None:
    ann, bob = come(email="ann@example.com"), come(email="bob@example.com")
    ann.merge(bob, actor="nils")
    address = reverse("console:unmerge", args=[ann.pk])
    assert "Choose the profiles" in told(operator.post(address, follow=True))[0]
    assert "at least one profile" in told(operator.post(address, {"profile": [ann.pk, bob.pk]}, follow=True))[0]
    answer = operator.post(reverse("console:merge_customers", args=[ann.pk, bob.pk]), follow=True)
    assert "one person already" in told(answer)[0]
    assert operator.get(reverse("console:merge_preview", args=[ann.pk, bob.pk])).status_code == 404
    assert operator.get(reverse("console:one_person", args=[bob.pk + 1000])).status_code == 404


@pytest.mark.parametrize("rights", [(), ("view_omnichannelcustomer",)])
def test_who_may_not_merge_merges_nobody(db: None, rights: tuple[str, ...]) -> None:
    ann, bob = come(email="ann@example.com"), come(email="bob@example.com")
    clerk = member(*rights)
    assert clerk.get(reverse("console:one_person", args=[ann.pk])).status_code == (200 if rights else 403)
    for name, key in (("merge_preview", "get"), ("merge_customers", "post")):
        assert getattr(clerk, key)(reverse(f"console:{name}", args=[ann.pk, bob.pk])).status_code == 403
    assert clerk.post(reverse("console:unmerge", args=[ann.pk]), {"profile": [bob.pk]}).status_code == 403
    if rights:
        assert "Merge with" not in read(clerk, reverse("console:one_person", args=[ann.pk]))
    assert not CustomerMerge.objects.exists()


def test_the_list_of_customers_shows_persons_and_finds_them_by_any_of_their_profiles(operator: Client) -> None:
    ann, bob = come(name="Ann", email="ann@example.com"), come(name="Bob", email="bob@example.com")
    come(name="Cid", email="cid@example.com")
    merging.merge(ann.pk, bob.pk, actor="olga")
    listed = reverse(f"{CUSTOMERS}_changelist")
    assert {row.pk for row in operator.get(listed).context["cl"].result_list} == set(
        OmnichannelCustomer.objects.filter(merged_into=None).values_list("pk", flat=True)
    )
    for words in ("bob@example.com", "Bob", "ann@example.com"):
        found = operator.get(listed, {"q": words}).context["cl"].result_list
        assert [row.pk for row in found] == [ann.pk], words
    assert "one of 2 profiles" in operator.get(reverse(f"{CUSTOMERS}_change", args=[ann.pk])).content.decode()


def test_an_order_leads_to_the_person_and_is_found_by_any_of_their_addresses(market: Market, operator: Client) -> None:
    ann, bob = come(name="Ann", email="ann@example.com"), come(name="Bob", email="bob@example.com")
    merging.merge(ann.pk, bob.pk, actor="olga")
    market.goods("CUP", warehouse=5)
    order = take(draft(market.web, "1", line("CUP"), email="bob@example.com"), actor="test").order
    assert order.customer_id == bob.pk
    page = operator.get(reverse("console:order", args=[order.pk])).content.decode()
    assert reverse("console:customer", args=[ann.pk]) in page
    found = operator.get(reverse("console:orders"), {"q": "ann@example.com"}).context["slice"].rows
    assert [row.pk for row in found] == [order.pk]


def test_values_are_blocked_and_limits_set_on_their_pages(operator: Client) -> None:
    ann, till = come(email="ann@example.com", account="till:1"), come(account="till:1")
    assert till.merged_into_id == ann.pk
    operator.post(
        reverse("admin:customers_blockedidentity_add"),
        {"kind": "account", "value": " till:1 ", "is_blocked": "on", "reason": "walk-in"},
    )
    assert BlockedIdentity.objects.values_list("value", "actor").get() == ("till:1", "olga")
    settle()
    assert OmnichannelCustomer.objects.filter(merged_into=None).count() == 2
    answer = operator.post(reverse("admin:customers_blockedidentity_add"), {"kind": "phone", "value": "12"})
    assert "is no phone" in answer.content.decode()
    operator.post(
        reverse("admin:customers_identitylimit_add"), {"kind": "phone", "most_persons": "2", "most_profiles": "9"}
    )
    assert IdentityLimit.objects.values_list("kind", "most_persons", "most_profiles").get() == ("phone", 2, 9)
    for name in ("customermerge", "sharedidentity", "blockedidentity", "identitylimit"):
        assert operator.get(reverse(f"admin:customers_{name}_changelist")).status_code == 200
