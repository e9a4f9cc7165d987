"""Shopify: web shops and tills (Shopify POS), by the GraphQL Admin API.

The sections in their order: entrance.py (who we are, how we are let in, what its errors mean), incoming.py (what comes
in), outgoing.py, products.py, shipping.py and customers.py (what goes out), webhooks.py; at the bottom the pure
functions in orders.py and words.py. What is sent stands in queries.graphql.
"""

from __future__ import annotations

from finalmarket.connectors.contract import (
    Authorizes,
    ErasesCustomers,
    PullsCustomers,
    PullsListings,
    PullsOrders,
    PullsStock,
    PushesCancellations,
    PushesCustomers,
    PushesFulfilments,
    PushesListings,
    PushesPrices,
    PushesRefunds,
    PushesStock,
    ReceivesWebhooks,
)
from finalmarket.connectors.platforms.shopify.customers import Customers
from finalmarket.connectors.platforms.shopify.products import Products
from finalmarket.connectors.platforms.shopify.shipping import Shipping
from finalmarket.connectors.platforms.shopify.webhooks import Webhooks


class Shopify(
    Products, Shipping, Customers, Webhooks, PullsOrders, PullsListings, PullsStock, PullsCustomers, PushesStock,
    PushesPrices, PushesListings, PushesFulfilments, PushesRefunds, PushesCancellations, PushesCustomers,
    ErasesCustomers, ReceivesWebhooks, Authorizes,
):  # fmt: skip
    """One shop. What it can do is written in its bases; how, in the files beside."""
