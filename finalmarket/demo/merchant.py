"""The house of the merchant: places with stock, sales channels, taxes, postcodes, and accounts not yet connected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finalmarket.analytics.models import ExchangeRate
from finalmarket.channels.models import SalesChannel
from finalmarket.demo.sources import places
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.orders.models import PostcodePoint, TaxRate
from finalmarket.stock.models import ChannelSource, StockLocation

EXCHANGE_RATES = {"GBP": "1.16", "USD": "0.89"}
OPENING = {"Mon-Fri": "10:00-19:00", "Sat": "10:00-18:00"}

# key: name, type, currency, country, time zone, sources by rank, configuration
CHANNELS: dict[str, tuple[str, str, str, str, str, tuple[str, ...], dict[str, Any]]] = {
    "web": (
        "Web shop", "web", "EUR", "DE", "Europe/Berlin", ("hamburg", "berlin"),
        {"domain": "shop.example.com", "order_prefix": "W-", "hold_minutes": 30, "languages": ["de", "en"]},
    ),
    "app": (
        "Mobile app", "mobile", "EUR", "DE", "Europe/Berlin", ("hamburg", "berlin"),
        {"bundle_id": "com.example.finalmarket", "platforms": ["ios", "android"], "order_prefix": "A-"},
    ),
    "amazon": (
        "Amazon Marketplace", "marketplace", "EUR", "DE", "Europe/Berlin", ("hamburg",),
        {"marketplace_id": "EXAMPLE-DE", "order_prefix": "M-"},
    ),
    "instagram": (
        "Instagram shop", "social", "EUR", "DE", "Europe/Berlin", ("hamburg", "berlin"),
        {"page_id": "thefinalmarket.example", "order_prefix": "I-"},
    ),
    "berlin": (
        "Store Berlin", "store", "EUR", "DE", "Europe/Berlin", ("berlin",),
        {"address": "Kastanienallee 1, 10435 Berlin", "opening_hours": OPENING, "tills": 2, "order_prefix": "B-"},
    ),
    "london": (
        "Store London", "store", "GBP", "GB", "Europe/London", ("london",),
        {"address": "1 Example Street, London E2", "opening_hours": OPENING, "tills": 1, "order_prefix": "L-"},
    ),
    "phone": (
        "Phone orders", "phone", "EUR", "DE", "Europe/Berlin", ("hamburg", "berlin"),
        {"number": "+494066969000", "opening_hours": {"Mon-Fri": "09:00-17:00"}, "order_prefix": "P-"},
    ),
    "kiosk": (
        "Kiosk at the garden show", "kiosk", "EUR", "DE", "Europe/Berlin", ("berlin", "hamburg"),
        {"location": "Store Berlin", "idle_seconds": 90, "order_prefix": "K-"},
    ),
    "usa": (
        "Web shop USA", "web", "USD", "US", "America/New_York", ("newark",),
        {"domain": "us.shop.example.com", "order_prefix": "U-", "hold_minutes": 30, "languages": ["en"]},
    ),
}  # fmt: skip

# code: name, kind, country, postcode, city, latitude, longitude, rank, hands over, orders a day
LOCATIONS: dict[str, tuple[str, str, str, str, str, float, float, int, bool, int | None]] = {
    "hamburg": ("Warehouse Hamburg", "warehouse", "DE", "21107", "Hamburg", 53.5, 10.0, 10, False, None),
    "berlin": ("Store Berlin", "store", "DE", "10435", "Berlin", 52.54, 13.41, 20, True, 25),
    "london": ("Store London", "store", "GB", "E2 7JD", "London", 51.53, -0.07, 30, True, 10),
    "newark": ("Fulfilment partner Newark", "partner", "US", "07114", "Newark", 40.71, -74.17, 40, False, None),
}

RATES = {
    "DE": {"standard": "0.19", "food": "0.07", "plants": "0.07"},
    "AT": {"standard": "0.20", "food": "0.10", "plants": "0.13"},
    "NL": {"standard": "0.21", "food": "0.09", "plants": "0.09"},
    "FR": {"standard": "0.20", "food": "0.055", "plants": "0.10"},
    "GB": {"standard": "0.20", "food": "0", "plants": "0.20"},
    "US": {"standard": "0.08", "food": "0", "plants": "0.08"},
}

ACCOUNTS = (
    ("Amazon", ChannelIntegration.IntegrationType.MARKETPLACE, "amazon", "Seller account Germany"),
    ("Shopify", ChannelIntegration.IntegrationType.POS, "web", "Shop of the house"),
    ("Instagram", ChannelIntegration.IntegrationType.SOCIAL, "instagram", "Messages and comments"),
    ("Square", ChannelIntegration.IntegrationType.POS, "berlin", "Tills in Berlin"),
    ("Stripe", ChannelIntegration.IntegrationType.PAYMENT, None, "Card payments"),
    ("ShipStation", ChannelIntegration.IntegrationType.SHIPPING, None, "Warehouse Hamburg"),
)


@dataclass(frozen=True, slots=True)
class House:
    """The channels by key and the ids of the locations by code."""

    channels: dict[str, SalesChannel]
    locations: dict[str, int]
    rates: dict[str, dict[str, Decimal]]

    def id_of(self, key: str) -> int:
        """Return the id of a channel."""
        return self.channels[key].pk


def build() -> House:
    """Write channels, locations, sources, taxes, postcodes and accounts; return what the other parts need of them.

    The accounts are records that say "Not connected", and that is what they are.
    """
    locations = {code: _location(code).pk for code in LOCATIONS}
    channels = {key: _channel(key) for key in CHANNELS}
    ChannelSource.objects.bulk_create(
        ChannelSource(sales_channel=channel, location_id=locations[code], rank=10 * rank)
        for key, channel in channels.items()
        for rank, code in enumerate(CHANNELS[key][5], start=1)
    )
    PostcodePoint.objects.bulk_create(
        PostcodePoint(country=place.country, prefix=place.prefix, latitude=place.latitude, longitude=place.longitude)
        for place in places()
    )
    rates = {country: {name: Decimal(rate) for name, rate in by_class.items()} for country, by_class in RATES.items()}
    TaxRate.objects.bulk_create(
        TaxRate(country=country, tax_class=tax_class, rate=rate)
        for country, by_class in rates.items()
        for tax_class, rate in by_class.items()
    )
    ChannelIntegration.objects.bulk_create(
        ChannelIntegration(
            platform_name=platform,
            integration_type=kind,
            sales_channel=channels[key] if key else None,
            account_label=label,
        )
        for platform, kind, key, label in ACCOUNTS
    )
    return House(channels, locations, rates)


def tell_rates(now: datetime) -> None:
    """Say what other currencies are worth in the merchant's, from before the first order on."""
    since = (now - timedelta(days=400)).date()
    ExchangeRate.objects.bulk_create(
        ExchangeRate(base=currency, quote="EUR", date=since, rate=Decimal(rate))
        for currency, rate in EXCHANGE_RATES.items()
    )


def _location(code: str) -> StockLocation:
    name, kind, country, postcode, city, latitude, longitude, priority, hands_over, per_day = LOCATIONS[code]
    return StockLocation.objects.create(
        code=code,
        name=name,
        kind=kind,
        country=country,
        postcode=postcode,
        city=city,
        latitude=latitude,
        longitude=longitude,
        priority=priority,
        can_hand_over=hands_over,
        orders_per_day=per_day,
    )


def _channel(key: str) -> SalesChannel:
    name, kind, currency, country, time_zone, _, configuration = CHANNELS[key]
    channel = SalesChannel(
        name=name,
        channel_type=kind,
        currency=currency,
        country=country,
        time_zone=time_zone,
        configuration=configuration,
    )
    channel.clean()
    channel.save()
    return channel
