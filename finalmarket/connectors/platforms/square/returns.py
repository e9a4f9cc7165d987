"""Money back. It stands in an order of its own, which names the sale that it goes back to. Pure functions, no calls."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from finalmarket.connectors.platforms.square.amounts import money
from finalmarket.connectors.records import ZERO, Raw, RefundRecord

NOT_GIVEN_BACK = frozenset({"REJECTED", "FAILED"})


def is_given(refund: Raw) -> bool:
    """Whether money was really given back: a refund of an order is APPROVED then, one of a payment COMPLETED."""
    return refund.get("status") in ("APPROVED", "COMPLETED")


def refund_record(raw: Raw) -> RefundRecord:
    """A refund of an order, or of a payment: they are the same one, but a payment's is called by its payment, too."""
    paid = raw.get("payment_id") or raw.get("tender_id") or ""
    return RefundRecord(
        external_id=refund_name(raw["id"], paid), amount=money(raw["amount_money"]), reason=raw.get("reason") or ""
    )


def refund_name(refund_id: str, payment_id: str) -> str:
    """A refund's name without its payment's: `<payment>_<refund>` in the Payments API is `<refund>` in an order."""
    return refund_id.removeprefix(f"{payment_id}_") if payment_id else refund_id


def sales_of(raw: Raw) -> tuple[str, ...]:
    """The sales that a return goes back to, by id."""
    named = [one.get("source_order_id") for one in raw.get("returns") or ()]
    return tuple(dict.fromkeys(str(name) for name in named if name))


def exchanged(raw: Raw) -> Decimal:
    """What goods that were given back paid of an order: their worth, less the money that was returned."""
    if not raw.get("returns") or not raw.get("line_items"):
        return ZERO
    worth = money((raw.get("return_amounts") or {}).get("total_money"))
    paid_out = [
        money(one["amount_money"]) for one in raw.get("refunds") or () if one.get("status") not in NOT_GIVEN_BACK
    ]
    return max(ZERO, worth - sum(paid_out, ZERO))


def refunds_by_sale(raw: Raw) -> Mapping[str, tuple[RefundRecord, ...]]:
    """What a return gives back, by sale. Raises ValueError for a refund that names no sale: it belongs to none.

    Refunds name no sale themselves: where a return goes back to several, each gets the worth of its own part.
    """
    sales = sales_of(raw)
    if not sales:
        raise ValueError("money was given back without naming the sale it belongs to")
    if len(sales) > 1:
        return _worth_by_sale(raw)
    found = [refund_record(one) for one in raw.get("refunds") or () if is_given(one)]
    credit = exchanged(raw)
    if credit:
        found.append(RefundRecord(external_id=f"{raw['id']}:exchange", amount=credit, reason="exchanged"))
    return {sales[0]: tuple(found)}


def _worth_by_sale(raw: Raw) -> Mapping[str, tuple[RefundRecord, ...]]:
    found: dict[str, list[RefundRecord]] = {}
    for number, part in enumerate(raw["returns"], start=1):
        amount = money((part.get("return_amounts") or {}).get("total_money"))
        if part.get("source_order_id") and amount:
            name = f"{raw['id']}:{part.get('uid') or number}"
            found.setdefault(part["source_order_id"], []).append(RefundRecord(external_id=name, amount=amount))
    return {sale: tuple(refunds) for sale, refunds in found.items()}
