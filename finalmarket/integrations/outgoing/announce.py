"""Preparing events: what receivers are told, and who is to hear of it.

Nothing personal goes out: orders and customers are named by their ids, for the receiver to ask for what it may see.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from finalmarket.catalog.models import Variant
from finalmarket.channels.models import ChannelProduct
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.models import OutgoingDelivery, OutgoingEvent, WebhookEndpoint
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.kernel import clock, failpoints
from finalmarket.orders.models import Order
from finalmarket.stock import atp
from finalmarket.stock.models import StockAlert

MOST_AT_ONCE = 500
TOPICS = (
    "order.created", "order.updated", "order.paid", "order.shipped", "order.delivered", "order.cancelled",
    "order.returned", "order.refunded", "order.problem", "stock.changed", "stock.alert_opened", "stock.alert_closed",
    "customer.created", "customer.updated", "journey.started", "journey.changed", "journey.completed",
    "journey.abandoned",
)  # fmt: skip
Data = dict[str, Any]


def wants(topics: Iterable[str], topic: str) -> bool:
    """Whether one of the endpoint's topics covers this one: "order.created", "order.*" or "*"."""
    group = topic.partition(".")[0]
    return any(wanted in (topic, f"{group}.*", "*") for wanted in topics)


@failpoints.around("outgoing.prepare")
@transaction.atomic
def prepare() -> int:
    """Fill in what fresh events tell, and write down for which endpoints; return how many events were prepared.

    Within one call, the same news of the same thing is told once.
    """
    fresh = list(
        OutgoingEvent.objects.select_for_update(skip_locked=True).filter(prepared_at=None).order_by("id")[:MOST_AT_ONCE]
    )
    if not fresh:
        return 0
    endpoints = list(WebhookEndpoint.objects.filter(is_active=True).select_related("sales_channel"))
    told = {(event.topic, event.subject_id): event for event in fresh}
    data = _data(told)
    moment = clock.now()
    for event in fresh:
        event.prepared_at = moment
        if told[event.topic, event.subject_id] is event:
            event.data = data.get((event.topic, event.subject_id))
    OutgoingEvent.objects.bulk_update(fresh, ["data", "prepared_at"])
    OutgoingDelivery.objects.bulk_create(
        [
            OutgoingDelivery(endpoint=endpoint, event=event, next_try_at=moment)
            for event in fresh
            if event.data is not None
            for endpoint in endpoints
            if wants(endpoint.topics, event.topic) and _concerns(endpoint, event.data)
        ],
        ignore_conflicts=True,
    )
    return len(fresh)


def _concerns(endpoint: WebhookEndpoint, data: Data) -> bool:
    """Whether an endpoint is to hear of this: one of a channel hears of what that channel's is."""
    return endpoint.sales_channel is None or data.get("channel") == endpoint.sales_channel.slug


def _data(told: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], Data]:
    """What to tell of each (topic, subject); one that is gone meanwhile is left out."""
    by_kind: dict[str, set[int]] = defaultdict(set)
    pairs = list(told)
    for topic, subject in pairs:
        by_kind[_kind(topic)].add(subject)
    facts = {kind: TELLERS[kind](sorted(subjects)) for kind, subjects in by_kind.items() if kind in TELLERS}
    return {pair: facts[_kind(pair[0])][pair[1]] for pair in pairs if pair[1] in facts.get(_kind(pair[0]), {})}


def _kind(topic: str) -> str:
    return "alert" if topic.startswith("stock.alert") else topic.partition(".")[0]


def _orders(ids: Sequence[int]) -> dict[int, Data]:
    orders = Order.objects.filter(pk__in=ids).select_related("sales_channel").prefetch_related("lines")
    return {
        order.pk: {
            "id": order.pk, "number": order.number, "external_id": order.external_id, "source": order.source,
            "channel": order.sales_channel.slug, "state": order.state, "payment_state": order.payment_state,
            "currency": order.currency, "total": str(order.total), "refunded": str(order.refunded),
            "placed_at": order.placed_at.isoformat(), "customer_id": order.customer_id, "problem": order.problem,
            "lines": [
                {
                    "sku": line.sku, "kind": line.kind, "quantity": line.quantity,
                    "cancelled_quantity": line.cancelled_quantity, "short_quantity": line.short_quantity,
                    "unit_price": str(line.unit_price),
                }
                for line in order.lines.all()
            ],
        }
        for order in orders
    }  # fmt: skip


def _stock(ids: Sequence[int]) -> dict[int, Data]:
    skus = dict(Variant.objects.filter(pk__in=ids).values_list("pk", "sku"))
    listed = ChannelProduct.objects.filter(variant__in=ids).values_list(
        "variant_id", "sales_channel_id", "sales_channel__slug"
    )
    channels = {channel: slug for _, channel, slug in listed}
    levels = atp.levels(skus, channels)
    found: dict[int, Data] = {pk: {"id": pk, "sku": sku, "channels": []} for pk, sku in skus.items()}
    for variant, channel, slug in listed:
        level = levels[variant, channel]
        found[variant] |= {"on_hand": level.on_hand, "reserved": level.reserved, "allocated": level.allocated}
        found[variant]["channels"].append({"channel": slug, "available": level.offered, "status": level.status})
    return found


def _alerts(ids: Sequence[int]) -> dict[int, Data]:
    alerts = StockAlert.objects.filter(pk__in=ids).select_related("variant", "sales_channel", "location")
    return {
        alert.pk: {
            "id": alert.pk, "sku": alert.variant.sku, "level": alert.level, "quantity": alert.quantity,
            "threshold": alert.threshold, "channel": alert.sales_channel.slug if alert.sales_channel else None,
            "location": alert.location.code if alert.location else None, "opened_at": alert.opened_at.isoformat(),
            "closed_at": alert.closed_at.isoformat() if alert.closed_at else None,
        }
        for alert in alerts
    }  # fmt: skip


def _customers(ids: Sequence[int]) -> dict[int, Data]:
    return {
        customer.pk: {
            "id": customer.pk, "segment": customer.segment, "country": customer.country,
            "language": customer.language, "merged_into": customer.merged_into_id,
            "first_seen_at": customer.first_seen_at.isoformat(),
        }
        for customer in OmnichannelCustomer.objects.filter(pk__in=ids)
    }  # fmt: skip


def _journeys(ids: Sequence[int]) -> dict[int, Data]:
    return {
        journey.pk: {
            "id": journey.pk, "customer_id": journey.customer_id, "intent": journey.intent, "state": journey.state,
            "outcome": journey.outcome, "reason": journey.reason, "step": journey.step, "order_id": journey.order_id,
            "channel": journey.start_channel.slug, "is_recognised": journey.is_recognised, "score": journey.score,
            "value": None if journey.value is None else str(journey.value), "currency": journey.currency,
            "started_at": journey.started_at.isoformat(),
            "ended_at": journey.ended_at.isoformat() if journey.ended_at else None,
        }
        for journey in CrossChannelJourney.objects.filter(pk__in=ids).select_related("start_channel")
    }  # fmt: skip


TELLERS: Mapping[str, Callable[[Sequence[int]], dict[int, Data]]] = {
    "order": _orders,
    "stock": _stock,
    "alert": _alerts,
    "customer": _customers,
    "journey": _journeys,
}
