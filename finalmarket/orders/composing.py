"""From a draft to rows: SKUs matched, lines priced, parts summed. Reads the database, writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q

from finalmarket.catalog.models import Variant, VariantPrice
from finalmarket.channels.models import ListingPrice, SalesChannel
from finalmarket.kernel.money import quantize
from finalmarket.orders.amounts import Parts, line_total, parts_of, tax_of, with_total
from finalmarket.orders.drafts import InvalidDraft, LineDraft, OrderDraft, plain
from finalmarket.orders.models import OrderLine

HAPPENED_TYPES = ("marketplace", "store")
Variants = Mapping[str | int, Variant]
"""Variants by their id and by their SKU."""


@dataclass(slots=True)
class Composed:
    """What the draft comes to: lines without an order yet, parts that sum to the total, and what is wrong with it."""

    lines: list[OrderLine]
    parts: Parts
    problems: list[str] = field(default_factory=list)


def has_happened(draft: OrderDraft, channel: SalesChannel) -> bool:
    """Say whether the sale is a fact that cannot be refused."""
    if draft.happened is not None:
        return draft.happened
    return draft.handed_over or draft.source != "channel" or channel.channel_type in HAPPENED_TYPES


def compose(draft: OrderDraft, channel: SalesChannel, variants: Variants | None = None) -> Composed:
    """Match and price the lines of a checked draft; `variants` are those of `variants_of`, read now if not given.

    What is wrong with a sale that already happened becomes a problem of the order; for our own doors it raises
    InvalidDraft: an unknown or inactive SKU, a channel that is archived, a currency without prices, a total that is
    not the sum of its parts, payments above it.
    """
    happened = has_happened(draft, channel)
    known = variants_of(draft.lines) if variants is None else variants
    lines = [_line(draft, position, line, known) for position, line in enumerate(draft.lines, start=1)]
    parts = parts_of(lines, tip=draft.tip, tax=draft.tax, tax_included=draft.tax_included, currency=draft.currency)
    difference = Decimal(0)
    if draft.total is not None:
        parts, difference = with_total(parts, quantize(draft.total, draft.currency), len(lines), draft.currency)
    faults = _faults(draft, channel, lines, parts, difference, happened)
    if faults and not happened:
        raise InvalidDraft(f"{draft}: {'; '.join(faults)}")
    if difference:
        lines.append(_difference_line(len(lines) + 1, difference))
    return Composed(lines, parts, [fault for fault in faults if not fault.startswith("unknown SKU")])


def variants_of(lines: Iterable[LineDraft]) -> Variants:
    """Return the variants that the goods name, by id and by SKU; one query for all the lines of many drafts."""
    goods = [line for line in lines if line.kind == "goods"]
    ids = {line.variant_id for line in goods if line.variant_id is not None}
    skus = {line.sku.strip() for line in goods if line.variant_id is None}
    found: dict[str | int, Variant] = {}
    for variant in Variant.objects.filter(Q(pk__in=ids) | Q(sku__in=skus)).select_related("product"):
        found[variant.pk] = variant
        found[variant.sku] = variant
    return found


def _line(draft: OrderDraft, position: int, line: LineDraft, variants: Variants) -> OrderLine:
    variant = None
    if line.kind == "goods":
        variant = variants.get(line.variant_id if line.variant_id is not None else line.sku.strip())
        if variant is None and line.variant_id is not None:
            raise InvalidDraft(f"{draft}, line {position}: there is no variant with id {line.variant_id}")
    made = OrderLine(
        position=position,
        kind=line.kind,
        variant=variant,
        sku=plain(line.sku, 100) or (variant.sku if variant else ""),
        title=plain(line.title, 500) or (plain(variant.label, 500) if variant else ""),
        external_id=plain(line.external_id, 200),
        quantity=line.quantity,
        cancelled_quantity=line.cancelled_quantity if line.kind == "goods" else 0,
        unit_price=line.unit_price,
        discount=line.discount,
        tax_rate=line.tax_rate,
    )
    made.total = line_total(made)
    if line.tax is not None:
        made.tax = line.tax
    elif line.tax_rate is not None:
        made.tax = tax_of(made.total, line.tax_rate, included=draft.tax_included)
    return made


def _faults(
    draft: OrderDraft, channel: SalesChannel, lines: Sequence[OrderLine], parts: Parts, difference: Decimal,
    happened: bool,
) -> list[str]:  # fmt: skip
    faults = []
    unknown = [line.sku for line in lines if line.kind == "goods" and line.variant_id is None]
    if unknown:
        faults.append(f"unknown SKU: {', '.join(unknown)}")
    if channel.status == SalesChannel.Status.ARCHIVED:
        faults.append(f"the channel {channel.name} is archived")
    inactive = [line.sku for line in lines if line.variant is not None and not line.variant.is_active]
    if inactive and not happened:
        faults.append(f"no longer sold: {', '.join(inactive)}")
    if draft.currency != channel.currency and not happened:
        faults += _without_price(draft, channel, lines)
    if parts.total < 0:
        raise InvalidDraft(f"{draft}: the total {parts.total} is below zero; discounts exceed what was ordered")
    if difference:
        faults.append(f"the total {parts.total} given is not the sum {parts.total - difference} of its parts")
    paid = sum((tender.amount for tender in draft.tenders if tender.state in ("authorised", "captured")), Decimal(0))
    if paid > parts.total:
        faults.append(f"payments of {paid} are more than the total {parts.total}")
    return faults


def _without_price(draft: OrderDraft, channel: SalesChannel, lines: Sequence[OrderLine]) -> list[str]:
    """A channel sells in another currency than its own only what has a price in it; nothing is converted."""
    sold = {line.variant_id: line.sku for line in lines if line.variant_id is not None}
    own = ListingPrice.objects.filter(listing__sales_channel=channel, currency=draft.currency)
    priced = set(own.filter(listing__variant__in=sold).values_list("listing__variant_id", flat=True))
    general = VariantPrice.objects.filter(variant__in=sold, currency=draft.currency)
    priced |= set(general.values_list("variant_id", flat=True))
    missing = sorted(sku for variant_id, sku in sold.items() if variant_id not in priced)
    if not missing:
        return []
    return [f"{channel.name} sells in {channel.currency} and has no price in {draft.currency} for {', '.join(missing)}"]


def _difference_line(position: int, difference: Decimal) -> OrderLine:
    return OrderLine(
        position=position,
        kind=OrderLine.Kind.ADJUSTMENT,
        title="Difference to the total given",
        quantity=1,
        unit_price=difference,
        total=difference,
    )
