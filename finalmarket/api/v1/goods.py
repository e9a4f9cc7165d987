"""How goods and places are named to us, and what of them a key that is bound to channels may see and touch.

A bound key sees the locations that one of its channels sells from (all active ones, for a channel that names no
sources), and changes stock at those alone that its channels name. Everything is narrowed in SQL.
"""

from collections.abc import Collection, Sequence
from typing import Any, TypeVar

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from pydantic import Field, model_validator

from finalmarket.api.door import caller_of
from finalmarket.api.problems import Problem, fault
from finalmarket.api.v1.shapes import Number, Said
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.stock.models import ChannelSource, StockLocation

MOST_SKU_CHARACTERS = 100
Rows = TypeVar("Rows", bound=QuerySet[Any])


class Goods(Said):
    """A variant, by number or by SKU."""

    variant: Number | None = Field(None, description="The number of a variant; or say `sku`")
    sku: str = Field("", max_length=MOST_SKU_CHARACTERS, description="Its SKU; or say `variant`")

    @model_validator(mode="after")
    def _is_one(self) -> "Goods":
        if (self.variant is None) == (not self.sku):
            raise ValueError("say either variant or sku")
        return self


def variants_of(said: Sequence[Goods]) -> dict[int | str, int]:
    """Return the numbers of the variants that are named, by what they are named with; one statement, and none for
    numbers alone (whether those are there is looked at by the verb)."""
    found: dict[int | str, int] = {one.variant: one.variant for one in said if one.variant is not None}
    skus = {one.sku for one in said if one.variant is None}
    if skus:
        found.update(Variant.objects.filter(sku__in=skus).values_list("sku", "pk"))
    return found


def variant_of(said: Goods, known: dict[int | str, int] | None = None, where: str = "body") -> int:
    """Return the number of the variant that is named. Raises Problem for a SKU of nothing."""
    name = said.sku if said.variant is None else said.variant
    number = (variants_of([said]) if known is None else known).get(name)
    if number is None:
        raise fault(f"{where}.sku", f"there is no SKU {said.sku[:50]!r}", "Use one of your catalogue.")
    return number


def of_channels(request: HttpRequest, rows: Rows, field: str = "sales_channel") -> Rows:
    """Narrow rows to the channels that the caller may touch."""
    channels = caller_of(request).channels
    return rows.filter(**{f"{field}__in": sorted(channels)}) if channels else rows


def channels_seen(request: HttpRequest) -> QuerySet[SalesChannel]:
    """The channels that the caller may see."""
    return of_channels(request, SalesChannel.objects.all(), "pk")


def channel_seen(request: HttpRequest, number: int) -> SalesChannel:
    """Return the channel that an address names. Raises Problem where there is none that the caller may see."""
    found = channels_seen(request).filter(pk=number).first()
    if found is None:
        raise Problem("not-found", f"There is no sales channel {number} that this key may see.")
    return found


def listed_only(request: HttpRequest, rows: QuerySet[Variant]) -> QuerySet[Variant]:
    """Of variants, for a bound key those that are listed on one of its channels."""
    if not caller_of(request).channels:
        return rows
    return rows.filter(Exists(of_channels(request, ChannelProduct.objects.filter(variant=OuterRef("pk")))))


def locations_seen(request: HttpRequest) -> QuerySet[StockLocation]:
    """The locations that the caller may see."""
    return locations_of(caller_of(request).channels)


def locations_of(channels: Collection[int]) -> QuerySet[StockLocation]:
    """The locations that a key of these channels may see; of none of them: all."""
    rows = StockLocation.objects.all()
    if not channels:
        return rows
    named = Exists(ChannelSource.objects.filter(location=OuterRef("pk"), sales_channel__in=channels))
    if ChannelSource.objects.filter(sales_channel__in=channels).values("sales_channel").distinct().count() < len(
        channels
    ):
        return rows.filter(Q(is_active=True) | named)
    return rows.filter(named)


def location_seen(request: HttpRequest, number: int) -> StockLocation:
    """Return a location. Raises Problem where there is none that the caller may see."""
    found = locations_seen(request).filter(pk=number).first()
    if found is None:
        raise Problem("not-found", f"There is no stock location {number} that this key may see.")
    return found


def location_asked(request: HttpRequest, number: int) -> StockLocation:
    """Return the location that a list is narrowed to. Raises Problem where there is none that the caller may see."""
    try:
        return location_seen(request, number)
    except Problem as error:
        what = f"there is no stock location {number} that this key may see"
        raise fault("query.location", what, "Use the number of one that it may see.") from error


def check_locations(request: HttpRequest, numbers: Sequence[int], where: str = "body.location") -> None:
    """Refuse places at which the caller may not change stock. Raises Problem for those, and for unknown ones."""
    channels = caller_of(request).channels
    wanted = set(numbers)
    rows = StockLocation.objects.filter(pk__in=wanted)
    if channels:
        rows = rows.filter(Exists(ChannelSource.objects.filter(location=OuterRef("pk"), sales_channel__in=channels)))
    missing = wanted - set(rows.values_list("pk", flat=True))
    if not missing:
        return
    if channels:
        raise Problem(
            "not-allowed", f"{where}: no channel of this key names stock location {min(missing)} as its own source."
        )
    raise fault(where, f"there is no stock location {min(missing)}", "Use one of /api/v1/stock/locations.")
