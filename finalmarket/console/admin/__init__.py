"""Pages of single records, one file a room. Django finds them here by the name of this package."""

from finalmarket.console.admin import (
    access,
    accounts,
    analytics,
    books,
    catalog,
    channels,
    customers,
    desk,
    integrations,
    journeys,
    orders,
    persons,
    stock,
    supply,
    talk,
    tracking,
)

__all__ = [
    "access",
    "accounts",
    "analytics",
    "books",
    "catalog",
    "channels",
    "customers",
    "desk",
    "integrations",
    "journeys",
    "orders",
    "persons",
    "stock",
    "supply",
    "talk",
    "tracking",
]
