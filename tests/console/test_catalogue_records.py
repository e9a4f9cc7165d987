"""Products and variants are kept on their pages of records; a bundle is made in one go, of what lies on shelves."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from finalmarket.catalog.models import BundleComponent, Variant
from tests.console.roles import logged_in, person
from tests.orders.market import Market


def posted(client: Client, market: Market, sku: str, components: dict[str, int], variant: Variant | None = None) -> Any:
    """The form of a variant, sent with these components."""
    told = {
        "product": market.variants["TEA"].product_id, "sku": sku, "option_values": "{}", "tax_class": "standard",
        "is_active": "on", "prices-TOTAL_FORMS": 0, "prices-INITIAL_FORMS": 0,
        "components-TOTAL_FORMS": len(components), "components-INITIAL_FORMS": 0,
    }  # fmt: skip
    for place, (part, quantity) in enumerate(components.items()):
        told |= {f"components-{place}-component": market.variants[part].pk, f"components-{place}-quantity": quantity}
    where = "add" if variant is None else "change"
    return client.post(reverse(f"admin:catalog_variant_{where}", args=[variant.pk] if variant else []), told)


def goods(market: Market) -> Client:
    market.goods("TEA", price="4.50", warehouse=9)
    market.goods("CUP", price="2.50")
    return logged_in(person("owner"))


def test_a_bundle_is_made_together_with_its_components(market: Market) -> None:
    client = goods(market)
    assert posted(client, market, "SET", {"TEA": 1, "CUP": 2}).status_code == 302
    parts = BundleComponent.objects.filter(bundle__sku="SET").values_list("component__sku", "quantity")
    assert sorted(parts) == [("CUP", 2), ("TEA", 1)]


def test_a_bundle_of_bundles_is_refused_in_words(market: Market) -> None:
    client = goods(market)
    posted(client, market, "SET", {"TEA": 1})
    market.variants["SET"] = Variant.objects.get(sku="SET")
    answer = posted(client, market, "BOX", {"SET": 1})
    assert "SET is a bundle itself; name its components instead." in answer.content.decode()
    assert not Variant.objects.filter(sku="BOX").exists()


def test_what_lies_on_a_shelf_is_made_no_bundle(market: Market) -> None:
    client = goods(market)
    answer = posted(client, market, "TEA", {"CUP": 2}, market.variants["TEA"])
    assert "TEA has 9 units on hand; a bundle has no stock of its own." in answer.content.decode()
    assert not BundleComponent.objects.exists()
