"""What somebody is about, recognised from what they do, with the reason in words.

A person has at most one recognised journey at a time in each of three lanes: shopping (browse, research, purchase),
care (support, return) and review. Within a lane the intent changes as evidence grows; between lanes nothing is shared:
who asks about a parcel while filling a cart is on two journeys.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from finalmarket.journeys.facts import Touch


class Lane(StrEnum):
    """What cannot be two things at once."""

    SHOPPING = "shopping"
    CARE = "care"
    REVIEW = "review"


LANES = {
    "browse": Lane.SHOPPING, "research": Lane.SHOPPING, "purchase": Lane.SHOPPING,
    "support": Lane.CARE, "return": Lane.CARE, "review": Lane.REVIEW,
}  # fmt: skip
PASSIVE = frozenset({"email_open", "cart_abandonment"})
"""These join a journey, but neither begin one nor keep it open: mail programs open mails by themselves, and that a cart
was left is for us to find out."""
ECHOES = frozenset({"checkout_complete", "page_view"})
"""What follows the end of a journey within the session gap as its echo: the page that thanks for the order."""
STEPS = (
    "email_open", "page_view", "social_engagement", "email_click", "store_visit", "search", "product_view",
    "wishlist_add", "phone_call", "customer_service", "remove_from_cart", "cart_abandonment", "add_to_cart",
    "checkout_start", "checkout_complete", "review_submit",
)  # fmt: skip
"""From the first look to the end: the furthest one that was reached is where an abandoned journey was left."""
STEP_PLACES = {kind: place for place, kind in enumerate(STEPS)}
OF_RETURNS = re.compile(r"\b(?:returns?|refunds?|exchanges?|rma|send(?:ing)? back|retouren?|widerruf|umtausch)\b")
OF_SUPPORT = re.compile(
    r"\b(?:support|help|contact(?![ -]lens)|faqs?|complain\w*|claims?|warranty|tracking|hilfe|kontakt|reklamation)\b"
)
OF_REVIEWS = re.compile(r"\b(?:reviews?|rate|ratings?|feedback|bewert\w*)\b")
ENOUGH_VIEWS = 3


@dataclass(slots=True)
class Evidence:
    """What speaks for an intent, added up."""

    counts: Counter[str] = field(default_factory=Counter)
    in_cart: int = 0
    visits_of_goods: dict[str, set[int]] = field(default_factory=dict)
    speaks_of_returning: bool = False
    order: str = ""
    is_returned: bool = False

    def add(self, touch: Touch, visit: int) -> None:
        """Take another interaction into account."""
        self.counts[touch.kind] += 1
        if touch.kind == "add_to_cart":
            self.in_cart += 1
        elif touch.kind == "remove_from_cart":
            self.in_cart = max(0, self.in_cart - 1)
        elif touch.kind == "product_view":
            self.visits_of_goods.setdefault(touch.sku, set()).add(visit)
        if OF_RETURNS.search(touch.words):
            self.speaks_of_returning = True

    @property
    def goods_viewed(self) -> int:
        """Different goods that were looked at; views that do not say of what count one each."""
        return len(self.visits_of_goods.keys() - {""}) + (self.counts["product_view"] if self._is_nameless else 0)

    @property
    def came_back(self) -> bool:
        """Whether goods were looked at in more than one visit."""
        return len(set().union(*self.visits_of_goods.values())) > 1 if self.visits_of_goods else False

    @property
    def _is_nameless(self) -> bool:
        return self.visits_of_goods.keys() == {""}

    @property
    def step(self) -> str:
        """The furthest step; what was taken out of the cart again is not in it."""
        reached = [kind for kind in self.counts if kind != "add_to_cart" or self.in_cart]
        return max(reached, key=STEP_PLACES.__getitem__, default="")


class Rule(NamedTuple):
    """An intent, and what has to be said for it; an empty text means that it does not apply."""

    lane: Lane
    intent: str
    says: Callable[[Evidence], str]


RULES = (
    Rule(Lane.SHOPPING, "purchase", lambda seen: f"order {seen.order} was placed" if seen.order else ""),
    Rule(Lane.SHOPPING, "purchase", lambda seen: "the checkout was begun" if seen.counts["checkout_start"] else ""),
    Rule(Lane.SHOPPING, "purchase", lambda seen: "there is something in the cart" if seen.in_cart else ""),
    Rule(Lane.SHOPPING, "research", lambda seen: "something was in the cart" if seen.counts["add_to_cart"] else ""),
    Rule(Lane.SHOPPING, "research", lambda seen: "something was wished for" if seen.counts["wishlist_add"] else ""),
    Rule(Lane.SHOPPING, "research", lambda seen: "they asked by phone" if seen.counts["phone_call"] else ""),
    Rule(Lane.SHOPPING, "research", lambda seen: "they came back to look again" if seen.came_back else ""),
    Rule(
        Lane.SHOPPING,
        "research",
        lambda seen: f"they looked at {seen.goods_viewed} products" if seen.goods_viewed >= ENOUGH_VIEWS else "",
    ),
    Rule(
        Lane.SHOPPING,
        "research",
        lambda seen: "they searched and looked at something" if seen.counts["search"] and seen.goods_viewed else "",
    ),
    Rule(Lane.SHOPPING, "browse", lambda _: "they looked around"),
    Rule(Lane.CARE, "return", lambda seen: "a return was booked" if seen.is_returned else ""),
    Rule(Lane.CARE, "return", lambda seen: "they spoke of giving goods back" if seen.speaks_of_returning else ""),
    Rule(Lane.CARE, "support", lambda seen: "they asked for help" if seen.counts["customer_service"] else ""),
    Rule(Lane.CARE, "support", lambda seen: "they called" if seen.counts["phone_call"] else ""),
    Rule(Lane.CARE, "support", lambda _: "they looked for help"),
    Rule(Lane.REVIEW, "review", lambda seen: "a review was sent" if seen.counts["review_submit"] else ""),
    Rule(Lane.REVIEW, "review", lambda _: "they followed an invitation to review"),
)
"""The first that applies within a journey's lane decides. What the browser says of an order that our books do not know
(`checkout_complete`) speaks for nothing."""
RULES_OF = {lane: tuple(rule for rule in RULES if rule.lane == lane) for lane in Lane}


def recognise(lane: Lane, seen: Evidence) -> tuple[str, str]:
    """The intent that the evidence speaks for, and why."""
    for rule in RULES_OF[lane]:
        reason = rule.says(seen)
        if reason:
            return rule.intent, reason
    raise AssertionError(f"the last rule of {lane} always applies")


def lane_of(touch: Touch, is_under_way: Callable[[Lane], bool]) -> Lane:
    """The lane of an interaction; `is_under_way` says whether a journey is, in a lane. Words about help or returns mean
    a question about the purchase while one is under way and no case is."""
    kind, words = touch.kind, touch.words
    if kind == "review_submit" or (kind == "email_click" and OF_REVIEWS.search(words)):
        return Lane.REVIEW
    if kind == "customer_service":
        return Lane.CARE
    is_about_care = bool(OF_RETURNS.search(words) or OF_SUPPORT.search(words))
    if kind == "phone_call":
        if is_about_care or (not touch.sku and is_under_way(Lane.CARE)):
            return Lane.CARE
        return Lane.SHOPPING if touch.sku or is_under_way(Lane.SHOPPING) else Lane.CARE
    if kind in ("page_view", "search", "store_visit", "email_click") and is_about_care:
        return Lane.SHOPPING if is_under_way(Lane.SHOPPING) and not is_under_way(Lane.CARE) else Lane.CARE
    return Lane.SHOPPING
