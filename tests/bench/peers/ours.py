"""The Final Market as one of the systems of `make peers`: eight channels with policies, the shopper's API over HTTP.

Pressing is POST /carts/{token}/checkout with a payment for trying: promise of stock, order, payment, customer, routing
and the Idempotency-Key in one transaction. Beside it the hold alone (POST /api/v1/stock/reservations), which is what a
shop system of somebody else's asks this hub for.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from contextlib import ExitStack
from decimal import Decimal

from django.db import connection

from finalmarket.access import keys, shop_keys
from finalmarket.bench.ingest_house import House
from finalmarket.bench.market import Market, lay_out, tidy_up
from finalmarket.bench.scratch import scratch_database
from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.cli.migrate import apply_migrations
from finalmarket.orders import cart as carts
from finalmarket.stock import ledger
from finalmarket.stock.check import differences
from tests.bench.peers import goods
from tests.bench.peers.crowd import Buyer, request
from tests.bench.peers.tally import sold

SOLD = """
    SELECT variant.sku, line.quantity - line.cancelled_quantity
    FROM order_lines line JOIN variants variant ON variant.id = line.variant_id
    WHERE line.kind = 'goods' AND variant.sku = ANY(%s)"""
RESERVE = "/api/v1/stock/reservations"


class Ours:
    """Open from `open` to `close`, on a scratch database of the server that the peers use."""

    name = "ours"

    def __init__(self, callers: int) -> None:
        self.callers = callers
        self.port = 0
        self._serial = itertools.count(1)
        self._stack = ExitStack()

    def open(self) -> None:
        """Lay out channels, goods and stock, and start the web process as `finalmarket serve` does."""
        database = self._stack.enter_context(scratch_database(lambda: apply_migrations(verbosity=0)))
        self._market = lay_out(len(goods.SPREAD) + 1)
        self._variants = [*self._market.variants, *_last_units(self._market)]
        self._name_all()
        self._keys = [_shop_key(channel) for channel in self._market.channels]
        scopes = ["stock:read", "stock:write"]
        most = keys.MOST_CALLS_PER_MINUTE
        self._api_keys = [keys.create("peers", scopes, calls_per_minute=most)[1] for _ in range(self.callers)]
        tidy_up()
        house = House(database, self.callers, settings={"FINALMARKET_LOG_LEVEL": "ERROR"})  # refusals are no news
        house.open()
        self._stack.callback(house.close)
        self.port = house.port

    def carts(self, wanted: Sequence[int]) -> list[Buyer]:
        """Carts with a unit each, ready to be checked out on the channels in turn."""
        return [self._cart(number) for number in wanted]

    def holds(self, wanted: Sequence[int]) -> list[Buyer]:
        """Those who only take a hold."""
        found = []
        for number in wanted:
            turn = next(self._serial)
            channel = self._market.channels[turn % len(self._market.channels)]
            body = {"channel": channel, "lines": [{"variant": self._variants[number], "quantity": 1}]}
            key = self._api_keys[turn % len(self._api_keys)]
            headers = (("Authorization", f"Bearer {key}"), ("Idempotency-Key", f"hold-{turn}"))
            found.append(Buyer((request("POST", RESERVE, json.dumps(body).encode(), headers),)))
        return found

    def sold(self, wanted: Sequence[int]) -> dict[str, int]:
        """Units in order lines, by SKU."""
        with connection.cursor() as cursor:
            cursor.execute(SOLD, [[goods.sku(number) for number in wanted]])
            return sold(cursor.fetchall())

    def check(self) -> None:
        """Raise RuntimeError where the stock differs from its ledger."""
        if found := differences():
            raise RuntimeError(f"our stock differs from its ledger: {found[0]}")

    def close(self) -> None:
        """Stop the web process and drop the database."""
        self._stack.close()

    def _cart(self, number: int) -> Buyer:
        turn = next(self._serial)
        at = turn % len(self._market.channels)
        channel = SalesChannel(pk=self._market.channels[at])
        cart = carts.open_cart(channel, own_only=True)
        carts.add(cart.token, self._variants[number])
        body = json.dumps(
            {
                "name": " ".join(goods.NAME), "email": goods.email(turn), "pay": "test", "agreed": goods.PRICE,
                "address": {
                    "street": goods.STREET, "postcode": goods.POSTCODE, "city": goods.CITY, "country": goods.COUNTRY
                },
            }
        ).encode()  # fmt: skip
        headers = (("X-Shop-Key", self._keys[at]), ("Idempotency-Key", f"buy-{turn}"))
        return Buyer((request("POST", f"/api/shop/v1/carts/{cart.token}/checkout", body, headers),))

    def _name_all(self) -> None:
        for number, variant in enumerate(self._variants):
            Variant.objects.filter(pk=variant).update(sku=goods.sku(number))
        VariantPrice.objects.bulk_create(
            VariantPrice(variant_id=variant, currency=goods.CURRENCY, amount=Decimal(goods.PRICE))
            for variant in self._variants
        )


def _last_units(market: Market) -> list[int]:
    """Variants with one unit each, which all channels sell from the shared pool."""
    product = Product.objects.create(title="Last units", slug="last-units")
    variants = [Variant.objects.create(product=product, sku=f"LAST-{number}").pk for number in goods.LAST]
    ChannelProduct.objects.bulk_create(
        ChannelProduct(sales_channel_id=channel, variant_id=variant)
        for variant in variants
        for channel in market.channels
    )
    ledger.receive([ledger.Receipt(variant, market.location, 1) for variant in variants], actor="bench")
    return variants


def _shop_key(channel_id: int) -> str:
    """A publishable key of a channel of the bench, whose shop takes payments for trying."""
    channel = SalesChannel.objects.get(pk=channel_id)
    channel.country = goods.COUNTRY
    channel.currency = goods.CURRENCY
    channel.configuration = {**channel.configuration, "test_payments": True}
    channel.save()
    return str(shop_keys.create(channel, kind="web", calls_per_minute=shop_keys.MOST_CALLS_PER_MINUTE).key)
