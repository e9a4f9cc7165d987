"""What an erasure would take and leave, counted before it is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from finalmarket.customers.persons import members
from finalmarket.integrations.privacy.erase import UNDER_WAY
from finalmarket.integrations.privacy.lists import TABLES
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Rows by table: those that go as a whole, and those that lose what is personal in them; why the rest of these
    stays; and for how many orders that are under way the erasure would wait."""

    profiles: list[int]
    deleted: dict[str, int]
    emptied: dict[str, int]
    kept: dict[str, str]
    orders_under_way: int


def foresee(customer_id: int) -> Foreseen:
    """Count what is the person's own, in all rooms; nothing is changed. Where their words may stand besides, in what
    came from platforms say, is looked for when it is done. Raises UserError for an unknown customer."""
    profiles = members(customer_id)
    if not profiles:
        raise UserError(f"there is no customer {customer_id}")
    orders = list(Order.objects.filter(customer__in=profiles).order_by("pk").values_list("pk", flat=True))
    found = Foreseen(profiles, {}, {}, {}, 0)
    with connection.cursor() as cursor:
        for table in TABLES:
            if not table.whose or not (table.is_deleted or table.erased):
                continue
            cursor.execute(
                f"SELECT count(*) FROM {table.name} WHERE {table.whose}",  # noqa: S608
                {"profiles": profiles, "orders": orders, "first": profiles[0]},
            )
            (count,) = cursor.fetchone()
            if count:
                (found.deleted if table.is_deleted else found.emptied)[table.name] = count
                if table.kept and not table.is_deleted:
                    found.kept[table.name] = table.kept
    under_way = Order.objects.filter(customer__in=profiles, state__in=UNDER_WAY).count()
    return Foreseen(profiles, found.deleted, found.emptied, found.kept, under_way)
