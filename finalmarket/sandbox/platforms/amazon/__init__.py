"""Amazon: a seller's account behind the Selling Partner API and Login with Amazon, under one address.

The operations lie in files beside this one: account (letting in, refusing), notices, listings, feeds, orders.
"""

from __future__ import annotations

from finalmarket.sandbox.platforms.amazon import orders


class Amazon(orders.Orders):
    """One seller. Listings are the merchant's own (MFN) or Amazon's to send (FBA)."""

    slug = "amazon"
