"""What has to be there before orders come in: channels, the location, products, opening stock. One transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db import connection

from finalmarket.bulk.naming import channel_named
from finalmarket.bulk.orders_mapping import ChannelRule, OrderMapping
from finalmarket.bulk.orders_survey import Survey
from finalmarket.bulk.plan import make_plan
from finalmarket.bulk.prices import VariantPrices
from finalmarket.bulk.products import Products
from finalmarket.catalog.models import BundleComponent
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError
from finalmarket.stock import ledger
from finalmarket.stock.models import StockLocation

ACTOR = "import"
AT_ONCE = 1_000


@dataclass(slots=True)
class House:
    """What the lines of the file refer to."""

    channels: dict[str, SalesChannel]
    location_id: int
    folds_case: bool
    created: dict[str, int] = field(default_factory=dict)


def find_channels(
    mapping: OrderMapping, names: Iterable[str], default: str, *, create: bool
) -> dict[str, SalesChannel]:
    """Return the channels by the names that the file gives them; missing ones are made where the mapping says so.

    Raises UserError when the default or the channel of a rule is missing; one that only lines name is left out, and
    so are, without `create` (a preview), those to be made.
    """
    rules = {rule.channel: rule for rule in mapping.rules}
    found: dict[str, SalesChannel] = {}
    for name in dict.fromkeys([default, *names]):
        try:
            found[name] = channel_named(name)
        except UserError:
            is_ours = name in rules or name == default
            if is_ours and not mapping.get("channels", "create"):
                raise
            if is_ours and create:
                found[name] = _make_channel(name, rules.get(name), mapping)
    for name, channel in found.items():
        wanted = mapping.get("values", "currency")
        if wanted and channel.currency != wanted:
            raise UserError(
                f"the orders are in {wanted} ({mapping.where}, [values] currency), and the channel {name} sells in"
                f" {channel.currency}; name another channel, or another currency"
            )
    return found


def _make_channel(name: str, rule: ChannelRule | None, mapping: OrderMapping) -> SalesChannel:
    return SalesChannel.objects.create(
        name=name,
        channel_type=rule.channel_type if rule else "web",
        currency=(rule.currency if rule else "") or mapping.get("values", "currency") or "EUR",
        country=rule.country if rule else "",
        time_zone=(rule.time_zone if rule else "") or mapping.get("dates", "time_zone"),
    )


def find_location(mapping: OrderMapping, code: str | None, *, create: bool) -> StockLocation | None:
    """Return the location that the goods leave from: the one asked for, the mapping's, else the first active one.

    Raises UserError when there is none; without `create` (a preview) one that is to be made is None.
    """
    wanted = code or mapping.get("stock", "location")
    if not wanted:
        first = StockLocation.objects.filter(is_active=True).order_by("priority", "id").first()
        if first is None:
            raise UserError("there is no stock location; name one in the mapping: [stock] location and create = true")
        return first
    found = StockLocation.objects.filter(code=wanted).first()
    if found is None and (code or not mapping.get("stock", "create")):
        known = ", ".join(StockLocation.objects.order_by("code").values_list("code", flat=True)[:20]) or "none yet"
        raise UserError(f"there is no stock location {wanted!r}; the locations are: {known}")
    if found is None and create:
        return StockLocation.objects.create(code=wanted, name=mapping.get("stock", "name") or wanted)
    return found


def find_variants(skus: Sequence[str], *, folds_case: bool) -> dict[str, int]:
    """Return the ids of the variants with these SKUs; with `folds_case` upper and lower case are the same."""
    same = "lower(variant.sku) = lower(asked.sku)" if folds_case else "variant.sku = asked.sku"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT asked.sku, min(variant.id) FROM unnest(%s::text[]) asked(sku) JOIN variants variant ON {same}"  # noqa: S608
            " GROUP BY 1",
            [list(skus)],
        )
        return dict(cursor.fetchall())


def unknown_skus(survey: Survey, *, folds_case: bool) -> list[str]:
    """Return the SKUs of goods in the file that the catalogue does not have."""
    names = list(survey.skus)
    known: dict[str, int] = {}
    for start in range(0, len(names), AT_ONCE):
        known |= find_variants(names[start : start + AT_ONCE], folds_case=folds_case)
    return [sku for sku in names if sku not in known]


def make_products(survey: Survey, skus: Sequence[str], channel_currency: str) -> int:
    """Make a product with one variant and, where the file tells one, a price for each of `skus`; return how many."""
    if not skus:
        return 0
    notes = {sku: survey.skus[sku] for sku in skus}
    products = make_plan(Products(), ({"sku": sku, "title": note.title or sku} for sku, note in notes.items()))
    made = products.apply().created
    products.close()
    price_products(
        {"sku": sku, "currency": note.currency or channel_currency, "price": note.price}
        for sku, note in notes.items()
        if note.price is not None
    )
    return made


def price_products(rows: Iterable[dict[str, Any]]) -> None:
    """Store the prices of `rows`; a file that tells none, samples and gifts alone, has none to store."""
    told = list(rows)
    if told:
        prices = make_plan(VariantPrices(), told)
        prices.apply()
        prices.close()


def receive_opening_stock(survey: Survey, house: House, file_name: str) -> int:
    """Receive as many units of each SKU as the file takes off the shelf; return the units.

    The ledger keeps when it was booked; the reason says for which day. Returns of the file come on top.
    """
    units: dict[int, int] = defaultdict(int)
    names = iter([sku for sku, note in survey.skus.items() if note.units > 0])
    while chunk := list(islice(names, AT_ONCE)):
        for sku, variant_id in find_variants(chunk, folds_case=house.folds_case).items():
            units[variant_id] += survey.skus[sku].units
    units = _by_component(units)
    day = f"{survey.first_at:%Y-%m-%d}" if survey.first_at else "the first order"
    reason, reference = f"opening stock before {day}", f"import:{file_name}"[:100]
    receipts = iter(
        [
            ledger.Receipt(variant_id, house.location_id, quantity, reason, reference)
            for variant_id, quantity in sorted(units.items())
        ]
    )
    ledger.lock(units)
    while received := list(islice(receipts, AT_ONCE)):
        ledger.receive(received, actor=ACTOR)
    return sum(units.values())


def _by_component(units: Mapping[int, int]) -> dict[int, int]:
    """The units with those of bundles turned into units of their components."""
    recipes: dict[int, list[tuple[int, int]]] = defaultdict(list)
    rows = BundleComponent.objects.filter(bundle_id__in=list(units)).values_list(
        "bundle_id", "component_id", "quantity"
    )
    for bundle, component, quantity in rows:
        recipes[bundle].append((component, quantity))
    whole: dict[int, int] = defaultdict(int)
    for variant_id, quantity in units.items():
        for component, each in recipes.get(variant_id) or [(variant_id, 1)]:
            whole[component] += each * quantity
    return whole
