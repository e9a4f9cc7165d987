"""What the order book knows of a customer."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, F, Max, Min, Sum

from finalmarket.customers.persons import members

if TYPE_CHECKING:
    from finalmarket.customers.models import OmnichannelCustomer
    from finalmarket.customers.unified import Members


class OrderManager(models.Manager[Any]):
    """Orders, and the questions asked of them per person."""

    def of_person(self, customer: OmnichannelCustomer) -> models.QuerySet[Any]:
        """Return the orders of the person of `customer`, whichever of its profiles they arrived on."""
        orders: models.QuerySet[Any] = self.model._default_manager.filter(customer__in=members(customer.pk))
        return orders


@dataclass
class _Bought:
    """What one person bought: orders, spend and times by currency, orders and the newest by channel."""

    orders: int = 0
    first: datetime | None = None
    last: datetime | None = None
    spent: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    times: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    channels: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def add(self, row: dict[str, Any]) -> None:
        """Take the orders of one profile on one channel in one currency in."""
        self.orders += row["count"]
        self.first = min(self.first or row["first"], row["first"])
        self.last = max(self.last or row["last"], row["last"])
        self.spent[row["currency"]] += row["spent"]
        self.times[row["currency"]] += row["count"]
        count, newest = self.channels.get(row["sales_channel__name"], (0, row["last"]))
        self.channels[row["sales_channel__name"]] = (count + row["count"], max(newest, row["last"]))

    def told(self) -> dict[str, Any]:
        """What the unified profile says of it."""
        currencies = sorted(self.times, key=lambda one: (-self.times[one], one))
        main = currencies[0] if currencies else None
        favourite = max(self.channels, key=lambda name: (*self.channels[name], name), default=None)
        spent = self.spent[main] if main else Decimal(0)
        return {
            "total_orders": self.orders, "total_spent": spent, "currency": main,
            "spent_by_currency": {one: self.spent[one] for one in currencies}, "first_order_at": self.first,
            "last_order_at": self.last, "favorite_channel": favourite, "lifetime_value": spent,
            "lifetime_value_basis": "historic",
        }  # fmt: skip


def bought_by(people: Members) -> dict[int, dict[str, Any]]:
    """Return what these persons bought; one query.

    Spend is the total of orders that were not cancelled, less what was refunded, per currency; it is never converted.
    `total_spent` and `lifetime_value` (what they brought so far: historic) are in the currency most used. The favourite
    channel has most orders, then the most recent one.
    """
    from finalmarket.customers.unified import by_profile
    from finalmarket.orders.models import Order

    person_of = by_profile(people)
    orders = Order.objects.filter(customer__in=list(person_of)).exclude(state=Order.State.CANCELLED).order_by()
    rows = orders.values("customer", "currency", "sales_channel__name").annotate(
        count=Count("id"), first=Min("placed_at"), last=Max("placed_at"), spent=Sum(F("total") - F("refunded"))
    )
    found = {person: _Bought() for person in people}
    for row in rows:
        found[person_of[row["customer"]]].add(row)
    return {person: bought.told() for person, bought in found.items()}


def means_to_buy(people: Members) -> dict[int, dict[str, Any]]:
    """Return what lies in the open carts of these persons, and how much they wish for; a constant number of queries."""
    from finalmarket.customers.unified import by_profile
    from finalmarket.orders.models import Wishlist
    from finalmarket.orders.one_cart import carts_of, wanted_in

    wished: dict[int, set[int]] = defaultdict(set)
    person_of = by_profile(people)
    for profile, variant in Wishlist.objects.filter(customer__in=list(person_of)).values_list("customer", "variant"):
        wished[person_of[profile]].add(variant)
    found: dict[int, dict[str, Any]] = {}
    for person, carts in carts_of(people).items():
        wanted = wanted_in(carts)
        in_cart = {
            "carts": len(carts), "lines": len(wanted), "units": sum(one.quantity for one in wanted),
            "changed_at": max((one.at for one in wanted), default=None),
            "channels": sorted({one.channel for one in wanted}),
        }  # fmt: skip
        found[person] = {"open_carts": in_cart, "wishes": len(wished[person])}
    return found
