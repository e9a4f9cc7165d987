"""An account that sells already becomes ours: linked by name, guessed by looks, listed otherwise, and told nothing
before we say so."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.connectors.errors import NOT_ASKED, RetryLater
from finalmarket.connectors.platforms.fake import Fake
from finalmarket.integrations import adopt, before_pushing
from finalmarket.integrations.models import ChannelIntegration, ItemLink, ListingLink, SyncRun, UnlinkedListing
from finalmarket.integrations.push import push
from finalmarket.integrations.scoring import Described, score
from finalmarket.kernel.errors import UserError
from finalmarket.orders.jobs import bring_in_step
from finalmarket.orders.models import Order
from finalmarket.sandbox.faults import Fault
from finalmarket.stock.models import StockItem, StockMovement
from tests.integrations.conftest import Shop
from tests.integrations.stalls import Account, connect

pytestmark = pytest.mark.committed_database


@pytest.fixture
def seller(committed_database: object, shop: Shop) -> Account:
    """An account that is connected and has nothing linked."""
    account = connect(shop.stand_in, shop.address, skus=())
    account.integration.push_from = None
    account.integration.save()
    return account


@pytest.fixture
def variant() -> Callable[..., Variant]:
    """Put a variant into the catalogue."""

    def make(sku: str, title: str, *, barcode: str = "", brand: str = "", **options: str) -> Variant:
        product, _ = Product.objects.get_or_create(slug=sku.lower(), defaults={"title": title, "brand": brand})
        return Variant.objects.create(product=product, sku=sku, barcode=barcode, option_values=options)

    return make


def sells(seller: Account, sku: str, title: str, *, barcode: str = "", quantity: int = 4) -> str:
    """The account sells it there."""
    with seller.shop.lock:
        return seller.shop.add_listing(sku, title, Decimal("9.50"), quantity, barcode=barcode)


def test_listings_are_linked_by_sku_then_by_barcode(seller: Account, variant: Callable[..., Variant]) -> None:
    cup, pot = variant("CUP-1", "Cup"), variant("POT-1", "Pot", barcode="4006381333931")
    cup_key = sells(seller, "CUP-1", "Whatever")
    pot_key = sells(seller, "their-own", "Something", barcode="04006381333931")
    found = adopt.look_through(seller.integration)
    assert (found.seen, found.by_sku, found.by_barcode, found.unknown) == (2, 1, 1, 0)
    links = {link.external_key: link for link in ListingLink.objects.select_related("listing")}
    assert links[cup_key].listing.variant == cup
    assert links[pot_key].listing.variant == pot
    assert {link.linked_by for link in links.values()} == {"SKU", "barcode"}
    assert links[cup_key].listing.price() == Decimal("9.50")  # it had no price here: the platform's stands
    assert SyncRun.objects.get(stream="listings").outcome == "done"


def test_what_stays_unlinked_is_listed_with_a_guess_and_its_reasons(
    seller: Account, variant: Callable[..., Variant]
) -> None:
    mug = variant("MUG-RED", "Stoneware mug", brand="House")
    variant("LAMP-1", "Desk lamp")
    sells(seller, "X-1", "Stone-ware Mug, 300 ml, handmade")
    sells(seller, "X-2", "Completely different thing")
    found = adopt.look_through(seller.integration)
    assert (found.guessed, found.unknown) == (1, 1)
    guessed, unknown = adopt.open_listings(seller.integration)
    guessed, unknown = sorted((guessed, unknown), key=lambda one: one.external_sku)
    assert guessed.suggested_variant == mug
    assert guessed.score is not None and guessed.score > Decimal("0.45")
    assert guessed.reasons[0].startswith("titles agree by")
    assert (unknown.suggested_variant, unknown.score, unknown.shown_quantity) == (None, None, 4)
    assert ListingLink.objects.count() == 0


def test_a_person_confirms_a_guess_or_says_otherwise(seller: Account, variant: Callable[..., Variant]) -> None:
    mug, other = variant("MUG", "Stoneware mug"), variant("MUG-BIG", "Big stoneware mug")
    first, second = sells(seller, "X-1", "Stoneware mug"), sells(seller, "X-2", "Big mug of stoneware")
    adopt.look_through(seller.integration)
    by_key = {one.external_key: one for one in UnlinkedListing.objects.all()}
    adopt.link(by_key[first].pk, actor="ann")
    adopt.link(by_key[second].pk, other, actor="ann")
    links = dict(ListingLink.objects.values_list("external_key", "listing__variant_id"))
    assert links == {first: mug.pk, second: other.pk}
    assert not list(adopt.open_listings(seller.integration))
    assert adopt.look_through(seller.integration).unknown == 0  # looked through again, all of it stays


def test_what_is_ignored_stays_so_though_a_variant_of_its_name_is_made(
    seller: Account, variant: Callable[..., Variant]
) -> None:
    sells(seller, "X-1", "Old stock")
    adopt.look_through(seller.integration)
    adopt.ignore(UnlinkedListing.objects.get().pk)
    variant("X-1", "Old stock")
    adopt.look_through(seller.integration)
    assert UnlinkedListing.objects.get().state == "ignored"
    assert not ListingLink.objects.exists()


def test_two_listings_of_one_sku_are_not_both_linked(seller: Account, variant: Callable[..., Variant]) -> None:
    cup = variant("CUP-1", "Cup")
    first = sells(seller, "CUP-1", "Cup")
    sells(seller, "CUP-1", "Cup, second listing")
    adopt.look_through(seller.integration)
    left = UnlinkedListing.objects.get()
    assert left.reasons[0] == f"CUP-1 is linked to {first} already"
    with pytest.raises(UserError, match=f"linked to {first} already"):
        adopt.link(left.pk, cup, actor="ann")


def test_a_sku_and_a_barcode_that_name_different_variants_are_left_to_a_person(
    seller: Account, variant: Callable[..., Variant]
) -> None:
    variant("CUP-1", "Cup")
    variant("POT-1", "Pot", barcode="4006381333931")
    sells(seller, "CUP-1", "Cup or pot", barcode="4006381333931")
    adopt.look_through(seller.integration)
    assert "name different variants" in UnlinkedListing.objects.get().reasons[0]
    assert ListingLink.objects.count() == 0


def test_an_unlinked_listing_becomes_a_product_here(seller: Account) -> None:
    key = sells(seller, "NEW-1", "Garden chair, green", barcode="4006381333931")
    adopt.look_through(seller.integration)
    made = adopt.create_product_from(UnlinkedListing.objects.get().pk, actor="ann")
    assert (made.sku, made.barcode, made.product.title) == ("NEW-1", "4006381333931", "Garden chair, green")
    assert made.price_in("EUR") == Decimal("9.50")
    assert ListingLink.objects.get().external_key == key
    assert UnlinkedListing.objects.get().state == "linked"
    with pytest.raises(UserError, match="linked already"):
        adopt.create_product_from(UnlinkedListing.objects.get().pk, actor="ann")


def test_nothing_is_told_before_pushing_begins_and_a_dry_run_shows_what_would_change(
    seller: Account, variant: Callable[..., Variant]
) -> None:
    cup = variant("CUP-1", "Cup")
    VariantPrice.objects.create(variant=cup, currency="EUR", amount=Decimal("8.00"))
    sells(seller, "CUP-1", "Cup", quantity=4)
    adopt.look_through(seller.integration)
    push(seller.integration.pk)
    assert seller.effects("stock") == []
    changes = {(one.sku, one.what): (one.there, one.to_be) for one in before_pushing.dry_run(seller.integration)}
    assert changes == {("CUP-1", "stock"): ("4", "0"), ("CUP-1", "price"): ("9.50", "8.00")}
    assert seller.effects("stock") == []
    seller.integration.start_pushing()
    push(seller.integration.pk)
    assert [effect["quantity"] for effect in seller.effects("stock")] == [0]
    assert before_pushing.dry_run(seller.refreshed()) == []


def test_one_account_gives_the_opening_stock_once(seller: Account, variant: Callable[..., Variant]) -> None:
    cup = variant("CUP-1", "Cup")
    sells(seller, "CUP-1", "Cup", quantity=10)
    adopt.look_through(seller.integration)
    with seller.shop.lock:
        seller.shop.order(("CUP-1", 3))  # shown: 7; three still lie on the shelf for the shopper
    units = seller.integration.take_opening_stock(seller.place, actor="ann")
    assert units == 10
    item = StockItem.objects.get(variant=cup, location=seller.place)
    assert (item.on_hand, item.allocated) == (10, 3)
    bring_in_step()
    assert Order.objects.get().problem == ""
    received = StockMovement.objects.get(kind="receive")
    assert (received.reason, received.reference) == ("opening stock", f"opening:{seller.integration.pk}")
    with pytest.raises(UserError, match="has moved at Warehouse before"):
        seller.integration.take_opening_stock(seller.place, actor="ann")


def test_no_opening_stock_is_taken_while_our_own_used_up_calls_keep_the_newest_orders_away(
    seller: Account, variant: Callable[..., Variant], monkeypatch: pytest.MonkeyPatch
) -> None:
    cup = variant("CUP-1", "Cup")
    sells(seller, "CUP-1", "Cup", quantity=10)
    adopt.look_through(seller.integration)
    with seller.shop.lock:
        seller.shop.order(("CUP-1", 3))
    used_up = RetryLater("used up", retry_after=170.0, code=NOT_ASKED)
    with monkeypatch.context() as patch:
        patch.setattr(Fake, "pull_orders", lambda *_: (_ for _ in ()).throw(used_up))
        with pytest.raises(UserError, match=r"are not known.*try again in a few minutes"):
            seller.integration.take_opening_stock(seller.place, actor="ann")
    assert not StockMovement.objects.exists()
    assert seller.integration.take_opening_stock(seller.place, actor="ann") == 10
    assert StockItem.objects.get(variant=cup, location=seller.place).on_hand == 10


def test_a_look_that_the_platform_breaks_off_keeps_what_it_found(
    seller: Account, variant: Callable[..., Variant]
) -> None:
    for number in range(60):
        variant(f"S-{number}", f"Thing {number}")
        sells(seller, f"S-{number}", f"Thing {number}")
    seller.shop.faults.then(Fault.SLOW_DRIP, Fault.SLOW_DRIP, Fault.CURSOR_EXPIRED)  # the last by the second page
    with pytest.raises(UserError, match="could not be looked through to the end"):
        adopt.look_through(seller.integration)
    assert ListingLink.objects.count() == 50
    assert adopt.look_through(seller.integration).by_sku == 10


def test_what_an_account_of_no_channel_holds_are_items_and_no_listings(
    seller: Account, variant: Callable[..., Variant]
) -> None:
    cup = variant("CUP-1", "Cup")
    sells(seller, "CUP-1", "Cup")
    ChannelIntegration.objects.update(sales_channel=None)
    assert adopt.look_through(seller.refreshed()).by_sku == 1
    assert (ItemLink.objects.get().variant, ListingLink.objects.exists()) == (cup, False)


def test_a_variant_is_listed_on_the_accounts_own_channel(seller: Account, variant: Callable[..., Variant]) -> None:
    cup = variant("CUP-1", "Cup")
    SalesChannel.objects.create(name="Web shop", channel_type="web").add_product(cup.product)
    sells(seller, "CUP-1", "Cup")
    adopt.look_through(seller.integration)
    assert ListingLink.objects.get().listing == ChannelProduct.objects.get(sales_channel=seller.channel, variant=cup)


@pytest.mark.parametrize(
    ("there", "ours", "other"),
    [
        ("Trail running shoe men blue 42", "Men's trail running shoe", "Women's road running shirt"),
        ("Kaffeebecher Steingut weiß", "Kaffeebecher aus Steingut, weiß", "Teekanne Porzellan weiß"),
        ("USB-C cable 2 m black", "Cable USB-C, 2 m", "HDMI cable 2 m"),
    ],
)
def test_the_right_variant_scores_above_a_similar_one(there: str, ours: str, other: str) -> None:
    right, wrong = score(Described(there), Described(ours)), score(Described(there), Described(other))
    assert right.value > wrong.value + 0.1
    assert right.value >= 0.45


def test_another_size_speaks_against_a_variant() -> None:
    there = Described("Shirt", options={"Size": "M"})
    small = score(there, Described("Shirt", options={"Size": "S"}))
    medium = score(there, Described("Shirt", options={"Size": "M"}))
    assert medium.value == 1.0
    assert small.value < 0.6
    assert "Size S is another there" in small.reasons
