"""What to do next for a person: a plain rule over their unified profile, with its reason in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from finalmarket.kernel import clock

QUIET_AFTER = timedelta(days=120)
FOLLOW_UP_WITHIN = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do, in a word (`action`) and in words (`text`), and why (`reason`)."""

    action: str
    text: str
    reason: str


def next_best_action(profile: Mapping[str, Any]) -> NextStep:
    """Choose the first rule that holds: help before selling, what was begun before what is new; whoever said no to
    being written to is only served. Pure but for the time of day."""
    return next(step for rule in RULES if (step := rule(profile)) is not None)


def _help(profile: Mapping[str, Any]) -> NextStep | None:
    for journey in profile.get("open_journeys", ()):
        if journey["intent"] in ("support", "return"):
            reason = f"a {journey['intent']} journey is open since {journey['started_at']:%d %b %Y}"
            return NextStep("help", "Solve what they wait for before anything is sold", reason)
    return None


def _leave_alone(profile: Mapping[str, Any]) -> NextStep | None:
    bar = profile.get("consents", {}).get("mail")
    if bar is not None and not bar["is_granted"]:
        return NextStep("wait", "Do not write; be there when they come", "they may not be written to")
    return None


def _finish_cart(profile: Mapping[str, Any]) -> NextStep | None:
    cart = profile.get("open_carts") or {}
    if cart.get("units"):
        last = profile.get("last_journey") or {}
        is_left = last.get("outcome") in ("cart_left", "checkout_left")
        units = f"{cart['units']} {'unit lies' if cart['units'] == 1 else 'units lie'} in their cart"
        reason = f"{units}, which they left" if is_left else units
        return NextStep("finish_cart", "Help them finish: open the cart where they are", reason)
    return None


def _welcome_back(profile: Mapping[str, Any]) -> NextStep | None:
    last = profile.get("last_order_at")
    if last is not None and clock.now() - last > QUIET_AFTER:
        days = (clock.now() - last).days
        return NextStep("win_back", "Ask them back with what they liked", f"nothing was bought for {days} days")
    return None


def _fulfil_wish(profile: Mapping[str, Any]) -> NextStep | None:
    wishes = profile.get("wishes", 0)
    if wishes:
        things = f"{wishes} {'thing' if wishes == 1 else 'things'}"
        return NextStep("show_wishes", "Show them what they wished for", f"they wish for {things}")
    return None


def _follow_up(profile: Mapping[str, Any]) -> NextStep | None:
    last = profile.get("last_order_at")
    if last is not None and clock.now() - last <= FOLLOW_UP_WITHIN:
        return NextStep("follow_up", "Ask whether all is well", f"they bought on {last:%d %b %Y}")
    return None


def _first_order(profile: Mapping[str, Any]) -> NextStep | None:
    if not profile.get("total_orders"):
        return NextStep("first_order", "Make a first order easy", "they have not bought yet")
    return None


def _keep(profile: Mapping[str, Any]) -> NextStep | None:
    return NextStep("keep", "Nothing to do", "they bought not long ago and wait for nothing")


RULES: tuple[Callable[[Mapping[str, Any]], NextStep | None], ...] = (
    _help, _leave_alone, _finish_cart, _welcome_back, _fulfil_wish, _follow_up, _first_order, _keep,
)  # fmt: skip
