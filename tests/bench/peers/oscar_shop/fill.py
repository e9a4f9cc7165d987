"""Fills the shop of django-oscar, then makes baskets for whoever asks.

    python -m oscar_shop.fill

First line on standard input: {"stock": {SKU: units}, "price", "currency", "address": {...}}. Each further line:
{"wanted": [SKU, ...], "emails": [...]}. Each is answered by a line of JSON after "peer:"; baskets by the cookies of
their buyers, who stand before the last page of the checkout: basket, e-mail address, shipping address and method are
all there.
"""

import json
import os
import sys
from decimal import Decimal
from typing import Any

import django
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.signing import Signer
from django.http import HttpRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oscar_shop.settings")


class Filler:
    """Knows what was filled in."""

    def __init__(self, told: dict[str, Any]) -> None:
        from oscar.core.loading import get_class, get_model  # type: ignore[import-not-found]

        self.basket = get_model("basket", "Basket")
        self.line = get_model("basket", "Line")
        self.checkout_data = get_class("checkout.utils", "CheckoutSessionData")
        self.strategy = get_class("partner.strategy", "Selector")().strategy()
        self.told = told
        where = told["address"]
        self.where = {name: where[name] for name in ("first_name", "last_name", "postcode")}
        self.where |= {"line1": where["street"], "line4": where["city"], "country_id": where["country"]}
        self._fill()

    def _fill(self) -> None:
        from oscar.core.loading import get_model

        country = self.told["address"]["country"]
        get_model("address", "Country").objects.create(
            iso_3166_1_a2=country, printable_name=country, is_shipping_country=True
        )
        kind = get_model("catalogue", "ProductClass").objects.create(
            name="Goods", track_stock=True, requires_shipping=True
        )
        partner = get_model("partner", "Partner").objects.create(name="Warehouse")
        product, stock = get_model("catalogue", "Product"), get_model("partner", "StockRecord")
        self.stock = {}
        for sku, units in self.told["stock"].items():
            one = product.objects.create(title=sku, upc=sku, product_class=kind, structure="standalone")
            self.stock[sku] = stock.objects.create(
                product=one, partner=partner, partner_sku=sku, num_in_stock=units,
                price=Decimal(self.told["price"]), price_currency=self.told["currency"],
            )  # fmt: skip

    def buyers(self, wanted: list[str], emails: list[str]) -> list[dict[str, str]]:
        """The cookies of buyers, one for each SKU that is wanted."""
        return [self._buyer(sku, email) for sku, email in zip(wanted, emails, strict=True)]

    def _buyer(self, sku: str, email: str) -> dict[str, str]:
        basket = self.basket.objects.create()
        basket.strategy = self.strategy
        basket.add_product(self.stock[sku].product, quantity=1)
        request = HttpRequest()
        request.session = SessionStore()
        data = self.checkout_data(request)
        data.set_guest_email(email)
        data.ship_to_new_address(self.where)
        data.use_shipping_method("free-shipping")
        request.session.save()
        return {
            settings.SESSION_COOKIE_NAME: str(request.session.session_key),
            str(getattr(settings, "OSCAR_BASKET_COOKIE_OPEN")): Signer().sign(basket.id),  # noqa: B009  not Django's
        }


def main() -> None:
    """Fill, then answer line by line until the end of input."""
    django.setup()
    filler = Filler(json.loads(sys.stdin.readline()))
    _say({"filled": len(filler.stock)})
    for line in sys.stdin:
        _say(filler.buyers(**json.loads(line)))


def _say(answer: Any) -> None:
    sys.stdout.write(f"peer:{json.dumps(answer)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
