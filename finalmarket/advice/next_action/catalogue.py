"""The actions that can be advised: when each may be done, why, and what it is worth.

What an action gains is assumed until it is learned: `gain` is how many orders more a hundred such messages bring, an
assumption stated here and nowhere else. Expected value = gain x what an order of this person is worth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from finalmarket.advice.next_action.known import Goods, Known
from finalmarket.customers.consents import BACK_IN_STOCK, NEWSLETTER

CENT = Decimal("0.01")
QUIET_AFTER, FRESH_FOR = timedelta(days=120), timedelta(days=90)
CART_RESTS_FOR, AFTER_ORDER = timedelta(hours=1), timedelta(days=3)
REVIEW_FROM, REVIEW_UNTIL = timedelta(days=5), timedelta(days=30)
LOYAL_ORDERS = 3
CARE = ("support", "return")
NO_ACTION, SERVICE_CALL = "no_action", "service_call"


@dataclass(frozen=True, slots=True)
class Found:
    """What speaks for an action with this person: reasons in words, the goods it is about, what it may bring."""

    reasons: tuple[str, ...]
    goods: Goods | None = None
    variant: int | None = None
    value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One entry of the catalogue. `purpose` is what they must agree to; "" for what is no advertising. `sells` counts
    towards fatigue and is not done while somebody waits for help."""

    name: str
    label: str
    text: str
    gain: Decimal
    find: Callable[[Known], Found | None]
    purpose: str = NEWSLETTER
    sells: bool = True


@dataclass(frozen=True, slots=True)
class Option:
    """An action that may be done for a person now, with its reasons and what it is expected to bring."""

    action: Action
    reasons: tuple[str, ...]
    expected_value: Decimal | None
    currency: str
    channel: int | None = None
    variant: int | None = None

    @property
    def name(self) -> str:
        """The action in a word."""
        return self.action.name


def options_of(known: Known) -> list[Option]:
    """Return what may be done for a person now, in the order of the catalogue; at least one: nothing, or help first.

    Nobody who was erased is advised about. Whoever waits for help is helped, and nothing else. To be written to needs
    an address, a channel that may write, the consent to that purpose there, and that they were left alone long enough.
    """
    if known.is_erased:
        return [_option(known, CATALOGUE[NO_ACTION], Found(("they were erased",)))]
    help_wanted = CATALOGUE[SERVICE_CALL].find(known)
    if help_wanted is not None:
        return [_option(known, CATALOGUE[SERVICE_CALL], help_wanted)]
    found = []
    for action in CATALOGUE.values():
        if action.sells and _may(known, action) and (speaks := action.find(known)) is not None:
            found.append(_option(known, action, speaks))
    return [*found, _option(known, CATALOGUE[NO_ACTION], Found(_why_nothing(known, bool(found))))]


def _may(known: Known, action: Action) -> bool:
    is_allowed = known.can_be_reached and not known.is_tired and known.agrees(action.purpose)
    return is_allowed and action.name not in known.dismissed


def _option(known: Known, action: Action, found: Found) -> Option:
    value = found.value if found.value is not None else known.usual_value
    expected = None if value is None else (action.gain * value).quantize(CENT)
    variant = found.goods.variant if found.goods else found.variant
    channel = known.channel.id if known.channel else None
    return Option(action, found.reasons, expected, known.currency if expected is not None else "", channel, variant)


def _help(known: Known) -> Found | None:
    for journey in known.profile.get("open_journeys", ()):
        if journey["intent"] in CARE:
            return Found((f"a {journey['intent']} journey is open since {_day(journey['started_at'])}",))
    if known.troubled_order:
        return Found((f"order {known.troubled_order} needs somebody to look at it",))
    return None


def _cart(known: Known) -> Found | None:
    lines = known.goods.get("cart", [])
    there = known.sellable("cart")
    if not there or known.now - max(line.last for line in lines) < CART_RESTS_FOR:
        return None
    units = sum(line.times for line in lines)
    left = (known.profile.get("last_journey") or {}).get("outcome") in ("cart_left", "checkout_left")
    lying = f"{units} {'unit lies' if units == 1 else 'units lie'} in their cart"
    reasons = [lying + (", which they left" if left else ""), f"{_where(known)} can sell {_some(known, there)}"]
    priced = [line for line in there if line.price is not None and line.currency == known.currency]
    value = sum((line.price * line.times for line in priced if line.price is not None), Decimal(0))
    return Found(tuple(reasons), there[0], value=value if priced else None)


def _wish(known: Known) -> Found | None:
    bought = {one.variant: one.last for one in known.goods.get("bought", ())}
    wishes = [one for one in known.sellable("wished") if bought.get(one.variant, one.last) <= one.last]
    if not wishes:
        return None
    first = wishes[-1]
    more = f" and {len(wishes) - 1} more" if len(wishes) > 1 else ""
    reasons = (f"they wish for {_name(first)}{more} since {_day(first.last)}", f"{_where(known)} can sell it now")
    return Found(reasons, first)


def _reorder(known: Known) -> Found | None:
    due = [one for one in known.habits() if known.can_sell(one.variant) > 0]
    if not due:
        return None
    first, gap = due[0], due[0].gap
    days = gap.days if gap is not None else 0
    ago = (known.now - first.last).days
    return Found((f"they bought {_name(first)} {first.times} times, every {days} days, last {ago} days ago",), first)


def _win_back(known: Known) -> Found | None:
    last = known.profile.get("last_order_at")
    if last is None or known.now - last <= QUIET_AFTER:
        return None
    orders = known.profile["total_orders"]
    after = f"{orders} {'order' if orders == 1 else 'orders'}"
    reason = f"nothing was bought for {(known.now - last).days} days, after {after}"
    return Found((reason, *_fitting(known)), variant=known.picks[0].goods if known.picks else None)


def _cross_sell(known: Known) -> Found | None:
    last = known.profile.get("last_order_at")
    picks = [one for one in known.picks if one.because is not None]
    touched = max((one.last for kind in ("bought", "looked") for one in known.goods.get(kind, ())), default=None)
    if not picks or touched is None or known.now - touched > FRESH_FOR:
        return None
    if last is not None and known.now - last < AFTER_ORDER:
        return None
    return Found(_fitting(known), variant=picks[0].goods)


def _review(known: Known) -> Found | None:
    arrived = known.arrived_at
    if arrived is None or not REVIEW_FROM <= known.now - arrived <= REVIEW_UNTIL:
        return None
    if known.reviewed_at is not None and known.reviewed_at >= arrived:
        return None
    return Found((f"their last parcel left or arrived on {_day(arrived)}", "they have not said how it was"))


def _loyalty(known: Known) -> Found | None:
    orders = known.profile.get("total_orders", 0)
    if orders < LOYAL_ORDERS or any(one["kind"] == "loyalty" for one in known.profile.get("identities", ())):
        return None
    return Found((f"they bought {orders} times and have no loyalty number",))


def _nothing(known: Known) -> Found | None:
    return Found(("nothing speaks for more",))


def _why_nothing(known: Known, is_choice: bool) -> tuple[str, ...]:
    """Say why nothing is done: what stands in the way, or that it is one choice among others."""
    if is_choice:
        return ("sometimes nothing is best",)
    if known.is_barred or (known.words and not known.agrees(NEWSLETTER)):
        return ("they may not be written to",)
    if not known.agrees(NEWSLETTER):
        return ("they have not agreed to be written to",)
    if not known.can_be_reached:
        return ("there is no address, or no channel that may write to them",)
    if known.is_tired:
        return ("they heard from us as often as is good",)
    if not known.profile.get("total_orders"):
        return ("they have not bought yet, and nothing tells what they want",)
    return ("they wait for nothing, and nothing is due",)


def _fitting(known: Known) -> tuple[str, ...]:
    """What the best pick is, and what speaks for it."""
    for one in known.picks:
        if one.because is not None:
            return (f"{_named(known, one.goods)} goes with {_named(known, one.because)}, which they know",
                    f"{_where(known)} can sell it now")  # fmt: skip
    return (f"{_named(known, known.picks[0].goods)} sells best on {_where(known)}",) if known.picks else ()


def _named(known: Known, variant: int) -> str:
    sku, title = known.names.get(variant, (str(variant), ""))
    return f"{title} ({sku})" if title else sku


def _name(goods: Goods) -> str:
    return f"{goods.title} ({goods.sku})"


def _some(known: Known, there: list[Goods]) -> str:
    short = any(known.can_sell(line.variant) < line.times for line in there)
    everything = len(there) == len(known.goods["cart"]) and not short
    return "all of it now" if everything else "a part of it now"


def _where(known: Known) -> str:
    return known.channel.name if known.channel else "no channel"


def _day(at: datetime) -> str:
    return f"{at:%d %b %Y}"


CATALOGUE: dict[str, Action] = {
    action.name: action
    for action in (
        Action(
            SERVICE_CALL, "Service call", "Solve what they wait for before anything is sold", Decimal("0.10"), _help,
            purpose="", sells=False,
        ),
        Action("cart_reminder", "Cart reminder", "Remind them of their cart", Decimal("0.05"), _cart),
        Action(
            "back_in_stock", "Back in stock", "Tell them that what they wish for is there", Decimal("0.08"), _wish,
            purpose=BACK_IN_STOCK,
        ),
        Action("reorder_reminder", "Reorder reminder", "Remind them of what they buy again", Decimal("0.06"), _reorder),
        Action("win_back", "Win back", "Ask them back with what fits them", Decimal("0.02"), _win_back),
        Action("cross_sell", "Cross-sell", "Show them what goes with their things", Decimal("0.015"), _cross_sell),
        Action("loyalty_invitation", "Loyalty invitation", "Invite them to the club", Decimal("0.01"), _loyalty),
        Action("review_request", "Review request", "Ask how it was", Decimal("0.005"), _review),
        Action(NO_ACTION, "No action", "Nothing to do", Decimal(0), _nothing, purpose="", sells=False),
    )
}  # fmt: skip
NAMES = tuple(CATALOGUE)
SELLING = tuple(action.name for action in CATALOGUE.values() if action.sells)


def best_by_rule(options: list[Option]) -> Option:
    """Return what the rules choose: the greatest gain that is assumed, in money where that is known of all; of equals
    what stands first in the catalogue."""
    if all(one.expected_value is not None for one in options):
        return max(options, key=lambda one: one.expected_value or Decimal(0))
    return max(options, key=lambda one: one.action.gain)
