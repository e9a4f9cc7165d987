"""The shop and its goods: what it is called and takes, categories, products, and where they lie."""

from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router
from pydantic import BaseModel, Field

from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.shop.door import Shopper, read, shopper_of
from finalmarket.api.v1.shapes import Number, Paged
from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.contract import StartsPayments
from finalmarket.customers.sign_in import can_mail
from finalmarket.integrations.desk.asking import accounts_that
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.journeys.models import WriteKey
from finalmarket.orders import collecting, shopping
from finalmarket.stock import shelf
from finalmarket.stock.models import StockLocation

router = Router(tags=["catalogue"])
Slug = Annotated[str, Path(max_length=255)]
MOST_STORES = 50


class Store(BaseModel):
    """A store where orders of the shop can be collected."""

    id: int
    name: str
    street: str
    postcode: str
    city: str


class Shop(BaseModel):
    """What a page has to know of its shop."""

    name: str
    currency: str
    country: str
    ways_to_pay: list[str] = Field(description="test (no money moves), page (a payment platform's own), store")
    delivery_fee: Decimal = Field(description="Of sending the goods")
    free_delivery_from: Decimal | None
    stores: list[Store]
    can_sign_in: bool
    idle_seconds: int = Field(description="After so long without a touch a kiosk forgets its shopper")
    tracking_key: str = Field(description="Write key of the tracking API; empty where nothing is tracked")
    device: str = Field(description="What this kiosk is called; empty elsewhere")
    device_store: int | None = Field(description="The store in which this kiosk stands")


class CategoryShown(BaseModel):
    """A category in which something is sold; `parent` is the one above."""

    id: int
    name: str
    slug: str
    parent: int | None


class Categories(BaseModel):
    """All of them."""

    items: list[CategoryShown]


class Image(BaseModel):
    """A picture of a product."""

    url: str
    alt: str


class ProductCard(BaseModel):
    """A product in a list."""

    slug: str
    title: str
    brand: str
    image: Image | None
    price: Decimal = Field(description="Of the cheapest variant")
    has_one_price: bool
    currency: str
    availability: str = Field(description="in_stock, few or out")


class Products(BaseModel):
    """One page of products; `next` is the cursor of the one after it."""

    items: list[ProductCard]
    next: str | None


class VariantShown(BaseModel):
    """One variant, that can be put into a cart."""

    variant: int
    sku: str
    title: str
    options: dict[str, str]
    price: Decimal
    availability: str = Field(description="in_stock, few or out")
    here: str | None = Field(description="The same at the store of this kiosk; null elsewhere")


class ProductShown(ProductCard):
    """A product with all that the shop sells of it."""

    description: str
    images: list[Image]
    variants: list[VariantShown]


class StoreAvailability(Store):
    """Whether a variant lies in a store, free to be collected."""

    availability: str = Field(description="in_stock, few or out")


class Stores(BaseModel):
    """The stores where a variant can be collected."""

    items: list[StoreAvailability]


class ProductFilters(Paged):
    """What products are narrowed by."""

    q: str = Field("", max_length=200, description="Words that are all in title, brand or the whole SKU")
    category: Number | None = Field(None, description="With the categories below it")


STORE = {"id": 2, "name": "Store Berlin", "street": "Kastanienallee 1", "postcode": "10435", "city": "Berlin"}
SHOP: dict[str, Any] = {
    "name": "Web shop", "currency": "EUR", "country": "DE", "ways_to_pay": ["test", "store"], "delivery_fee": "4.90",
    "free_delivery_from": "50", "stores": [STORE], "can_sign_in": True, "idle_seconds": 90, "tracking_key": "wk_...",
    "device": "", "device_store": None,
}  # fmt: skip
CATEGORY = {"id": 1, "name": "Tea", "slug": "tea", "parent": None}
CARD: dict[str, Any] = {
    "slug": "tea", "title": "Tea", "brand": "Leaf", "image": None, "price": "4.50", "has_one_price": True,
    "currency": "EUR", "availability": "in_stock",
}  # fmt: skip
CHOICE: dict[str, Any] = {
    "variant": 7, "sku": "TEA-100", "title": "100 g", "options": {"Weight": "100 g"}, "price": "4.50",
    "availability": "in_stock", "here": None,
}  # fmt: skip
PRODUCT = {**CARD, "description": "Black tea.", "images": [], "variants": [CHOICE]}


@read(router, "/shop", answer=Shop, example=SHOP)
def get_shop(request: HttpRequest) -> Shop:
    """Say what the shop is called, what it takes, and where its goods can be collected."""
    shopper = shopper_of(request)
    channel, device = shopper.channel, shopper.device
    key = WriteKey.objects.filter(sales_channel=channel, ends_at=None).order_by("-id").first()
    free_from = channel.configuration.get("free_delivery_from")
    return Shop(
        name=channel.name, currency=channel.currency, country=channel.country, ways_to_pay=ways_to_pay(shopper),
        delivery_fee=Decimal(str(channel.configuration.get("delivery_fee", "0"))),
        free_delivery_from=None if free_from is None else Decimal(str(free_from)),
        stores=[Store(**_store(one.location)) for one in collecting.offers(channel, {})[:MOST_STORES]],
        can_sign_in=can_mail(channel), idle_seconds=int(channel.configuration.get("idle_seconds", 90)),
        tracking_key=key.key if key else "", device=device.name if device else "",
        device_store=device.location_id if device else None,
    )  # fmt: skip


def ways_to_pay(shopper: Shopper) -> list[str]:
    """The ways in which an order of this shop can be paid."""
    ways = ["test"] if shopping.allows_test_payments(shopper.channel) else []
    ways += ["page"] if till_of(shopper.channel) is not None else []
    return [*ways, "store"]


def till_of(channel: SalesChannel) -> ChannelIntegration | None:
    """The connected account on whose page buyers of this channel pay: its own before one of the whole house."""
    (found,) = accounts_that(StartsPayments)
    mine = [one for one in found if one.sales_channel_id in (channel.pk, None)]
    return min(mine, key=lambda one: (one.sales_channel_id is None, one.pk), default=None)


def _store(place: StockLocation) -> dict[str, Any]:
    return {name: getattr(place, name) for name in ("name", "street", "postcode", "city")} | {"id": place.pk}


@read(router, "/categories", answer=Categories, example={"items": [CATEGORY]})
def list_categories(request: HttpRequest) -> Categories:
    """List the categories in which the shop sells something."""
    found = shelf.categories_of(shopper_of(request).channel)
    return Categories(
        items=[CategoryShown(id=one.pk, name=one.name, slug=one.slug, parent=one.parent_id) for one in found]
    )


@read(router, "/products", answer=Products, example={"items": [CARD], "next": None}, filters=ProductFilters)
def list_products(request: HttpRequest, asked: Query[ProductFilters]) -> Products:
    """List the products that the shop sells now, or search among them."""
    channel = shopper_of(request).channel
    rows, after = page(
        shelf.products_of(channel, text=asked.q, category=asked.category), ("id",), request, asked.limit, asked.cursor
    )
    items = [ProductCard(**_card(one, channel)) for one in shelf.goods(channel, rows)]
    return Products(items=items, next=after)


def _card(one: shelf.Goods, channel: SalesChannel) -> dict[str, Any]:
    image = Image(url=one.images[0][0], alt=one.images[0][1]) if one.images else None
    return {
        "slug": one.product.slug, "title": one.title, "brand": one.product.brand, "image": image,
        "price": one.cheapest, "has_one_price": one.has_one_price, "currency": channel.currency,
        "availability": one.availability,
    }  # fmt: skip


@read(router, "/products/{slug}", answer=ProductShown, example=PRODUCT)
def get_product(request: HttpRequest, slug: Slug) -> ProductShown:
    """Show a product with the variants that the shop sells of it now."""
    shopper = shopper_of(request)
    found = shelf.goods(shopper.channel, list(shelf.products_of(shopper.channel).filter(slug=slug)))
    if not found:
        raise Problem("not-found", f"The shop does not sell {slug[:60]!r} now.", "Look for it in the list of products.")
    (one,) = found
    variants = [choice.variant_id for choice in one.choices]
    place = shopper.device.location_id if shopper.device else None
    here = shelf.words_at([place], variants) if place is not None else {}
    return ProductShown(
        **_card(one, shopper.channel), description=one.description,
        images=[Image(url=url, alt=alt) for url, alt in one.images],
        variants=[
            VariantShown(
                variant=choice.variant_id, sku=choice.sku, title=choice.title, options=dict(choice.options),
                price=choice.price, availability=choice.availability, here=here.get((place or 0, choice.variant_id)),
            )
            for choice in one.choices
        ],
    )  # fmt: skip


@read(router, "/variants/{variant}/stores", answer=Stores, example={"items": [{**STORE, "availability": "few"}]})
def list_stores(request: HttpRequest, variant: Annotated[int, Path(ge=1, le=2**63 - 1)]) -> Stores:
    """Say in which stores a variant that the shop sells lies, free to be collected."""
    channel = shopper_of(request).channel
    if not shelf.variants_of(channel).filter(pk=variant).exists():
        raise Problem("not-found", f"The shop does not sell variant {variant} now.", "Look for it in its product.")
    stores = [one.location for one in collecting.offers(channel, {})[:MOST_STORES]]
    words = shelf.words_at([one.pk for one in stores], [variant])
    return Stores(items=[StoreAvailability(**_store(one), availability=words[one.pk, variant]) for one in stores])
