"""What analytics knows of persons in their unified profiles: what they are worth and expected to bring, and in which
segments they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from finalmarket.analytics.lifetime_value_stored import value_of
from finalmarket.analytics.models import CustomerValue
from finalmarket.analytics.segments import keys_of
from finalmarket.kernel.money import quantize

if TYPE_CHECKING:
    from finalmarket.customers.unified import Members

HISTORIC = "historic"


def worth_of(people: Members) -> dict[int, dict[str, Any]]:
    """Return `value` (a dictionary, None for who never bought or is not counted yet) and `segments` (the keys of those
    that users made) of these persons. Where an expectation stands, `lifetime_value` and `lifetime_value_basis` are
    that of it; the amount is in `value.currency`, the merchant's. Two queries."""
    keys, values = keys_of(list(people)), value_of(list(people))
    found: dict[int, dict[str, Any]] = {}
    for person in people:
        row = values.get(person)
        found[person] = {"segments": list(keys.get(person, ())), "value": _told(row) if row else None}
        if row is not None and row.expected_value is not None:
            found[person] |= {
                "lifetime_value": quantize(row.lifetime_value, row.currency), "lifetime_value_currency": row.currency,
                "lifetime_value_basis": f"so far and expected within {_days(row)} days, {_model(row)}",
            }  # fmt: skip
    return found


def _days(row: CustomerValue) -> int:
    return row.model.horizon_days if row.model else 0


def _model(row: CustomerValue) -> str:
    return (row.model.name if row.model else "") or HISTORIC


def _told(row: CustomerValue) -> dict[str, Any]:
    amounts = {
        "so_far": row.value, "within_a_year": row.value_year, "expected": row.expected_value,
        "expected_low": row.expected_low, "expected_high": row.expected_high, "lifetime": row.lifetime_value,
    }  # fmt: skip
    return {
        "currency": row.currency, "model": _model(row), "version": row.model_id, "computed_at": row.computed_at,
        "horizon_days": _days(row), "alive": row.alive, "expected_orders": row.expected_orders,
        "recency_score": row.recency_score, "frequency_score": row.frequency_score,
        "monetary_score": row.monetary_score, "unpriced_orders": row.unpriced_orders,
        **{name: None if one is None else quantize(one, row.currency) for name, one in amounts.items()},
    }  # fmt: skip
