"""Advice for a customer: what to do next and why, and which goods to show."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.advice.models import NextAction
from finalmarket.advice.next_action.advising import Advice, advise, shown
from finalmarket.advice.next_action.catalogue import Option
from finalmarket.api.door import channel_of, read
from finalmarket.api.v1.shapes import Filters, Key, Number, customer_or_404
from finalmarket.customers.unified import profiles_of

router = Router(tags=["customers"])
MOST_SHOWN = 20


class ActionOption(BaseModel):
    """Something that may be done for a customer now."""

    action: str
    text: str
    reasons: list[str]
    expected_value: Decimal | None = Field(description="Null where nothing is known of it")
    currency: str
    probability: float = Field(description="With which a decision made now would choose it")
    channel: int | None
    variant: int | None


class CustomerAdvice(BaseModel):
    """What to do next for a customer: the decision that stands, else what is best now, and all that may be done."""

    customer: int = Field(description="The profile that stands for the person")
    decision: int | None = Field(description="The decision that stands, if there is one")
    decided_at: AwareDatetime | None
    policy: str = Field(description="What chooses: rules, or learned")
    is_trial: bool = Field(description="Chosen by chance, to learn what it brings")
    action: str
    text: str
    reasons: list[str]
    expected_value: Decimal | None
    currency: str
    options: list[ActionOption]


class Recommended(BaseModel):
    """Goods that fit a customer and can be sold now."""

    variant: int
    sku: str
    title: str
    available: int = Field(description="Units that the channel can sell now")
    because: str | None = Field(description="SKU of what they know that speaks for it; null: it sells best")


class Recommendations(BaseModel):
    """Goods to show to a customer on a channel, the best first."""

    customer: int
    channel: int | None
    items: list[Recommended]


class RecommendationFilters(Filters):
    """On which channel, and how many."""

    channel: Number | None = Field(None, description="By default the one on which they are best spoken to")
    limit: int = Field(10, ge=1, le=MOST_SHOWN)


OPTION: dict[str, Any] = {
    "action": "cart_reminder", "text": "Remind them of their cart", "reasons": ["2 units lie in their cart"],
    "expected_value": "1.50", "currency": "EUR",
}  # fmt: skip
ADVICE = {
    "customer": 4, "decision": 81, "decided_at": "2026-05-04T12:35:00Z", "policy": "rules", "is_trial": False, **OPTION,
    "options": [{**OPTION, "probability": 0.95, "channel": 1, "variant": 7}],
}  # fmt: skip
SHOWN = {
    "customer": 4, "channel": 1,
    "items": [{"variant": 9, "sku": "POT", "title": "Tea pot", "available": 12, "because": "TEA"}],
}  # fmt: skip


@read(router, "/customers/{customer}/advice", scope="customers:read", answer=CustomerAdvice, example=ADVICE)
def get_advice(request: HttpRequest, customer: Key) -> CustomerAdvice:
    """Show what to do next for the person of a profile, why, and what it is expected to bring. Nothing is decided by
    asking."""
    found = _advised(customer)
    decided = NextAction.objects.filter(pk=found.standing).first() if found.standing else None
    chosen, reasons = shown(found, decided)
    stands = decided if decided is not None and decided.action == chosen.name else None
    return CustomerAdvice(
        customer=found.person, decision=stands.pk if stands else None, decided_at=stands.decided_at if stands else None,
        policy=stands.policy if stands else found.policy.name, is_trial=bool(stands and stands.is_trial),
        action=chosen.name, text=chosen.action.text, reasons=list(reasons), expected_value=chosen.expected_value,
        currency=chosen.currency, options=[_option(one, found) for one in found.options],
    )  # fmt: skip


@read(
    router, "/customers/{customer}/recommendations", scope="customers:read", answer=Recommendations, example=SHOWN,
    filters=RecommendationFilters,
)  # fmt: skip
def get_recommendations(request: HttpRequest, customer: Key, asked: Query[RecommendationFilters]) -> Recommendations:
    """Show goods that fit the person of a profile and that the channel can sell now, the best first."""
    channel = channel_of(request, asked.channel, "query.channel").pk if asked.channel else None
    found = _advised(customer, channel)
    known = found.known
    here = known.channel.id if known and known.channel else None
    items = []
    for pick in found.picks[: asked.limit] if known else ():
        sku, title = known.names[pick.goods]  # type: ignore[union-attr]
        because = known.names[pick.because][0] if known and pick.because else None
        units = known.can_sell(pick.goods) if known else 0
        items.append(Recommended(variant=pick.goods, sku=sku, title=title, available=units, because=because))
    return Recommendations(customer=found.person, channel=here, items=items)


def _advised(customer: int, channel: int | None = None) -> Advice:
    customer_or_404(customer)
    profile = profiles_of([customer], is_advised=False)[customer]
    person: int = profile["customer"]
    return advise({person: profile}, on=channel)[person]


def _option(one: Option, advice: Advice) -> ActionOption:
    return ActionOption(
        action=one.name, text=one.action.text, reasons=list(one.reasons), expected_value=one.expected_value,
        currency=one.currency, probability=advice.probabilities[one.name], channel=one.channel, variant=one.variant,
    )  # fmt: skip
