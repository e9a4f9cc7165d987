"""The imports and exports there are, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from finalmarket.bulk import customers, exchange_rates, listings, prices, products, stock
from finalmarket.bulk.plan import Importer


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to bring in and out: what it is, how its importer is made, and which options that takes."""

    name: str
    help: str
    importer: Callable[..., Importer]
    options: tuple[str, ...] = ()


SUBJECTS = (
    Subject("products", "products and their variants: one row is one SKU", products.Products),
    Subject(
        "prices",
        "prices of variants, or with --channel of its listings",
        prices.importer,
        ("channel",),
    ),
    Subject("stock", "units on hand by SKU and location", stock.StockLevels, ("create_locations",)),
    Subject("customers", "customers with their identities, preferences and consents", customers.Customers),
    Subject("listings", "what each channel sells, when and at which price", listings.importer, ("channel",)),
    Subject("rates", "exchange rates by date", exchange_rates.ExchangeRates),
)
