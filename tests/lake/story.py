"""A small history to write to a lake: orders, interactions, journeys and touchpoints over some days."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from finalmarket.analytics.lake.layout import Lake
from finalmarket.analytics.lake.tables import DAILY
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney, JourneyTouchpoint
from finalmarket.orders.models import Order, OrderLine
from tests.analytics import book

FIRST = datetime(2026, 3, 25, tzinfo=UTC)
WORDS = ("product_view", "add_to_cart", "checkout_start", "checkout_complete", "search")


def fill(seed: int, days: int = 8, orders: int = 50) -> list[SalesChannel]:
    """Tell it in few statements; the clocks of one of the channels change in the middle."""
    chance = random.Random(seed)
    channels = [
        book.channel("Berlin", time_zone="Europe/Berlin"),
        book.channel("Auckland", time_zone="Pacific/Auckland", currency="NZD"),
    ]
    people = [book.customer(f"Person {number}") for number in range(6)]
    people.append(book.customer("Double", merged_into=people[0]))
    numbers = range(orders)
    placed = Order.objects.bulk_create(_order(chance, number, channels, people, days) for number in numbers)
    OrderLine.objects.bulk_create(
        OrderLine(order=order, position=1, sku="S", quantity=3, unit_price=order.goods / 3, fulfilled_quantity=3)
        for order in placed
    )
    journeys = CrossChannelJourney.objects.bulk_create(
        CrossChannelJourney(
            customer=order.customer or people[0], start_channel=chance.choice(channels), intent="purchase",
            started_at=order.placed_at - timedelta(hours=3), order=chance.choice([order, None]),
        )
        for order in placed
    )  # fmt: skip
    walk(chance, journeys, channels)
    return channels


def _order(
    chance: random.Random, number: int, channels: list[SalesChannel], people: list[OmnichannelCustomer], days: int
) -> Order:
    amount = Decimal(chance.randrange(300, 9_000)) / 100
    shop = chance.choice(channels)
    return Order(
        number=f"L{number}", external_id=str(number), sales_channel=shop, currency=shop.currency, goods=amount,
        total=amount, customer=chance.choice([*people, None]),
        state=chance.choice(["fulfilled", "open", "cancelled"]),
        placed_at=FIRST + timedelta(minutes=chance.randrange(days * 24 * 60)),
    )  # fmt: skip


def walk(chance: random.Random, journeys: list[CrossChannelJourney], channels: list[SalesChannel]) -> None:
    """What was done on journeys: some touches, each an interaction too; some of them at the same moment."""
    touches = []
    for journey in journeys:
        at = journey.started_at
        for _ in range(chance.randrange(0, 7)):
            shop, word = chance.choice(channels), chance.choice(WORDS)
            touches.append(JourneyTouchpoint(journey=journey, sales_channel=shop, action=word, occurred_at=at))
            at += timedelta(minutes=chance.choice([0, 7, 400]))
        journey.state = chance.choice(["abandoned", "completed", "open"])
        journey.ended_at = None if journey.state == "open" else at
        journey.intent = chance.choice(["purchase", "browse", "support"])
    JourneyTouchpoint.objects.bulk_create(touches)
    CrossChannelJourney.objects.bulk_update(journeys, ["state", "ended_at", "intent"])
    ChannelInteraction.objects.bulk_create(
        ChannelInteraction(
            sales_channel=touch.sales_channel, customer=touch.journey.customer, interaction_type=touch.action,
            occurred_at=touch.occurred_at,
        )
        for touch in touches
    )  # fmt: skip


def interaction(shop: SalesChannel, customer: int, word: str, at: datetime) -> None:
    """Something that a customer did."""
    ChannelInteraction.objects.create(sales_channel=shop, customer_id=customer, interaction_type=word, occurred_at=at)


def in_lake(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of the lake by table, as they are compared: sorted, and each as often as it stands there."""
    lake = Lake(folder)
    columns = {
        "orders": ("id", "customer", "placed_at", "total", "refunded"),
        "order_lines": ("id", "order_id", "quantity", "total"),
        "interactions": ("id", "customer", "interaction_type", "occurred_at"),
        "journeys": ("id", "customer", "state", "started_at"),
        "touchpoints": ("id", "journey", "channel", "action", "occurred_at"),
    }
    found: dict[str, list[tuple[Any, ...]]] = {}
    for table in DAILY:
        rows = [
            tuple(row[name] for name in columns[table.name])
            for file in lake.files(table.name)
            for row in pq.read_table(file).to_pylist()
        ]
        found[table.name] = sorted(rows)
    return found


def in_books() -> dict[str, list[tuple[Any, ...]]]:
    """The same rows as the database has them."""
    lines = OrderLine.objects.values_list("id", "order_id", "quantity", "total")
    interactions = ChannelInteraction.objects.values_list("id", "customer_id", "interaction_type", "occurred_at")
    touches = JourneyTouchpoint.objects.values_list("id", "journey_id", "sales_channel_id", "action", "occurred_at")
    found: dict[str, list[tuple[Any, ...]]] = {
        "orders": list(Order.objects.values_list("id", "customer_id", "placed_at", "total", "refunded")),
        "order_lines": list(lines),
        "interactions": list(interactions),
        "journeys": list(CrossChannelJourney.objects.values_list("id", "customer_id", "state", "started_at")),
        "touchpoints": list(touches),
    }
    return {name: sorted(tuple(map(_naive, row)) for row in rows) for name, rows in found.items()}


def _naive(value: Any) -> Any:
    return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value


def unnamed(folder: Path) -> list[str]:
    """Files that lie in the lake and that no manifest names."""
    lake = Lake(folder)
    named = {file for table in DAILY for file in lake.files(table.name)}
    named |= {str(folder / part.file) for part in lake.head().whole.values()}
    return sorted({str(file) for file in folder.glob("*/**/*.parquet")} - named)
