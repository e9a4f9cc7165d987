"""Who may see people by name. Others meet them by number: figures and journeys need nobody's name."""

from __future__ import annotations

from typing import Any

PEOPLE = "customers.view_omnichannelcustomer"
CHANGES_ORDERS = "orders.change_order"
OF_BUYERS = ("email", "phone", "shipping_address", "billing_address", "raw")
"""What an order says of whoever bought."""


def may_see_people(user: Any) -> bool:
    """Whether this user may see customers by name, and find them by it."""
    return bool(user.has_perm(PEOPLE))


def may_see_buyers(user: Any) -> bool:
    """Whether this user may see who bought an order: who sees people, and who hands goods over the counter."""
    return may_see_people(user) or bool(user.has_perm(CHANGES_ORDERS))
