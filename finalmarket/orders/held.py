"""Locks that a page of orders has taken at once: while it is worked on, its verbs need not take them again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Ids = frozenset[int]
_orders: ContextVar[Ids] = ContextVar("orders whose stock is locked", default=frozenset())
_variants: ContextVar[Ids] = ContextVar("variants whose pools are locked", default=frozenset())


@contextmanager
def holding(order_ids: Iterable[int], variant_ids: Iterable[int]) -> Iterator[None]:
    """Within it, the transaction holds the pools of these variants and the due rows of their listings, and so all that
    these orders have in stock. To be left before the transaction ends."""
    orders, variants = _orders.set(frozenset(order_ids)), _variants.set(frozenset(variant_ids))
    try:
        yield
    finally:
        _orders.reset(orders)
        _variants.reset(variants)


def are_locked(variant_ids: Iterable[int]) -> bool:
    """Whether the pools of these variants are held."""
    return _variants.get().issuperset(variant_ids)


def is_stock_locked(order_ids: Iterable[int], variant_ids: Iterable[int]) -> bool:
    """Whether all is held that these orders have in stock, and the pools of these variants too."""
    return _orders.get().issuperset(order_ids) and are_locked(variant_ids)
