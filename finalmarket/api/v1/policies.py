"""What a channel may sell of a variant, and what is kept out of every promise: policies, safety stock, alerts' limits.

Each decision stands in the ledger with who took it and why.
"""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel, Field

from finalmarket.api.door import Done, check_match, read, write
from finalmarket.api.problems import Problem
from finalmarket.api.v1.goods import channel_seen, check_locations
from finalmarket.api.v1.shapes import Key, Number, Said, source_of
from finalmarket.api.v1.stock import LEVEL, Level, level_of
from finalmarket.catalog.models import Variant
from finalmarket.stock import ledger
from finalmarket.stock.models import ChannelInventory
from finalmarket.stock.policies import set_low_stock_threshold, set_policy, set_safety
from finalmarket.stock.refusals import MOST_UNITS

router = Router(tags=["stock"])
Some = Annotated[int, Field(ge=0, le=MOST_UNITS)]
FIELDS = (
    "uses_pool", "fence_quantity", "fence_left", "cap", "percent", "buffer", "lends", "borrows", "allows_backorder",
    "incoming_horizon_days", "low_stock_threshold", "used",
)  # fmt: skip


class Policy(BaseModel):
    """How much of a variant a channel may sell."""

    variant: int
    channel: int
    uses_pool: bool = Field(description="Off: it sells its ring fence only")
    fence_quantity: int = Field(description="The allotment of its ring fence")
    fence_left: int
    cap: int | None = Field(description="Most open units; null: no limit")
    percent: int | None = Field(description="Most open units, as a share of what is on hand")
    buffer: int = Field(description="Units withheld from this channel alone")
    lends: bool
    borrows: bool
    allows_backorder: bool
    incoming_horizon_days: int = Field(description="It sells what is expected within so many days")
    low_stock_threshold: int | None = Field(description="null: not watched")
    used: int = Field(description="Its open units now")


class PolicyChange(Said):
    """What is said to change a policy: what is left out stays; null takes a cap, percentage or threshold away."""

    uses_pool: bool | None = None
    fence_quantity: Some | None = None
    cap: Some | None = None
    percent: int | None = Field(None, ge=0, le=100)
    buffer: Some | None = None
    lends: bool | None = None
    borrows: bool | None = None
    allows_backorder: bool | None = None
    incoming_horizon_days: int | None = Field(None, ge=0, le=3_650)
    low_stock_threshold: Some | None = None
    reason: str = Field("", max_length=150)

    def said(self) -> dict[str, Any]:
        """What was said of the policy."""
        given = self.model_dump(exclude_unset=True, exclude={"reason"})
        may_be_null = ("cap", "percent", "low_stock_threshold")
        return {name: value for name, value in given.items() if value is not None or name in may_be_null}


class Keeping(Said):
    """What is kept at a location, and when to warn."""

    location: Number
    safety: Some | None = Field(None, description="Units that are never promised")
    low_stock_threshold: Some | None = Field(None, description="Warn at so many free units; null: never")
    reason: str = Field("", max_length=150)


POLICY: dict[str, Any] = {
    "variant": 7, "channel": 1, "uses_pool": True, "fence_quantity": 0, "fence_left": 0, "cap": None, "percent": None,
    "buffer": 5, "lends": False, "borrows": False, "allows_backorder": False, "incoming_horizon_days": 0,
    "low_stock_threshold": None, "used": 3,
}  # fmt: skip


@read(router, "/stock/levels/{variant}/policies/{channel}", scope="stock:read", answer=Policy, example=POLICY)
def get_policy(request: HttpRequest, variant: Key, channel: Key) -> Policy:
    """Show how much of a variant a channel may sell. Where nothing was decided, all that the pool allows."""
    channel_seen(request, channel)
    return _shown(_policy(variant, channel))


@write(
    router, "PATCH", "/stock/levels/{variant}/policies/{channel}", scope="stock:write", status=200, answer=Policy,
    example=POLICY, body={"buffer": 5, "reason": "returns are slow"}, matches=True,
)  # fmt: skip
def change_policy(request: HttpRequest, variant: Key, channel: Key, told: PolicyChange) -> Done:
    """Change how much of a variant a channel may sell."""
    channel_seen(request, channel)
    ledger.lock([variant])
    check_match(request, _shown(_policy(variant, channel)))
    set_policy(variant, channel, actor=source_of(request), reason=told.reason, **told.said())
    return Done(f"policy of variant {variant} on channel {channel}", _shown(_policy(variant, channel)))


@write(
    router, "PUT", "/stock/levels/{variant}/keeping", scope="stock:write", status=200, answer=Level, example=LEVEL,
    body={"location": 1, "safety": 3}, matches=True,
)  # fmt: skip
def keep_stock(request: HttpRequest, variant: Key, told: Keeping) -> Done:
    """Keep units of a variant at a location out of every promise, and say at how many free units to warn."""
    check_locations(request, [told.location])
    ledger.lock([variant])
    check_match(request, level_of(request, variant))
    if "safety" in told.model_fields_set and told.safety is not None:
        set_safety(variant, told.location, told.safety, actor=source_of(request), reason=told.reason)
    if "low_stock_threshold" in told.model_fields_set:
        set_low_stock_threshold(variant, told.location, told.low_stock_threshold)
    return Done(f"variant {variant} at location {told.location}", level_of(request, variant))


def _policy(variant: int, channel: int) -> ChannelInventory:
    found = ChannelInventory.objects.filter(variant_id=variant, sales_channel_id=channel).first()
    if found is not None:
        return found  # type: ignore[no-any-return]
    if not Variant.objects.filter(pk=variant).exists():
        raise Problem("not-found", f"There is no variant {variant}.")
    return ChannelInventory(variant_id=variant, sales_channel_id=channel)


def _shown(row: ChannelInventory) -> Policy:
    numbers = {"variant": row.variant_id, "channel": row.sales_channel_id}
    return Policy.model_validate({**numbers, **{name: getattr(row, name) for name in FIELDS}})
