"""What the order book knows of a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Count, F, Max, Min, Sum

from finalmarket.customers.models import ChannelPreference, CustomerIdentity
from finalmarket.customers.persons import members
from finalmarket.customers.survivorship import shown

if TYPE_CHECKING:
    from finalmarket.customers.models import OmnichannelCustomer


class OrderManager(models.Manager[Any]):
    """Orders, and the questions asked of them per person."""

    def of_person(self, customer: OmnichannelCustomer) -> models.QuerySet[Any]:
        """Return the orders of the person of `customer`, whichever of its profiles they arrived on."""
        orders: models.QuerySet[Any] = self.model._default_manager.filter(customer__in=members(customer.pk))
        return orders

    def profile_of(self, customer: OmnichannelCustomer) -> dict[str, Any]:
        """Return the unified profile: `total_orders`, `total_spent` (by currency), first and last order, favourite
        channel (most orders, then most recent), segment, identities and preferences by channel.

        Spend is the total of orders that were not cancelled, less what was refunded, per currency; it is never
        converted. `total_spent` is the amount in the currency most used. All of it is about the person: every profile
        of one and the same person has the same unified profile.
        """
        person = shown(customer.pk)
        orders = self.of_person(customer).exclude(state="cancelled")
        facts = orders.aggregate(total=Count("id"), first=Min("placed_at"), last=Max("placed_at"))
        spent = list(
            orders.values("currency")
            .annotate(amount=Sum(F("total") - F("refunded")), times=Count("id"))
            .order_by("-times", "currency")
        )
        channels = orders.values("sales_channel__name").annotate(times=Count("id"), newest=Max("placed_at"))
        favourite = channels.order_by("-times", "-newest").first()
        return {
            "customer": person.id,
            "profiles": list(person.profiles),
            "name": str(person),
            "total_orders": facts["total"],
            "total_spent": spent[0]["amount"] if spent else 0,
            "currency": spent[0]["currency"] if spent else None,
            "spent_by_currency": {row["currency"]: row["amount"] for row in spent},
            "first_order_at": facts["first"],
            "last_order_at": facts["last"],
            "favorite_channel": favourite["sales_channel__name"] if favourite else None,
            "customer_segment": person.segment,
            "identities": list(
                CustomerIdentity.objects.filter(customer__in=person.profiles)
                .values("kind", "value")
                .distinct()
                .order_by("kind", "value")
            ),
            "preferences": {
                row.sales_channel.name: row.preferences
                for row in ChannelPreference.objects.filter(customer__in=person.profiles)
                .select_related("sales_channel")
                .order_by("updated_at", "pk")  # of two profiles on one channel the newer word counts
            },
        }
