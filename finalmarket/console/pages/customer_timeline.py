"""How what happened with a person is told on their page: a title, words, a link, and how it looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse

from finalmarket.channels.models import SalesChannel
from finalmarket.integrations.timeline import Entry
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney

KIND_WORDS = {
    "order": "Orders", "payment": "Payments", "refund": "Money given back", "parcel": "Parcels", "return": "Returns",
    "interaction": "What they did", "journey": "Journeys", "ticket": "Tickets", "mail": "Mails to them",
    "consent": "Consents", "wish": "Wishes", "merge": "Merges",
}  # fmt: skip
PERSONAL = frozenset({"refund", "parcel", "parcel_arrived", "return", "interaction", "ticket", "merge"})
"""Kinds whose words a person may have written, or that name somebody."""
ICONS = {
    "order": "receipt_long", "payment": "payments", "refund": "undo", "parcel": "local_shipping",
    "return": "assignment_return", "interaction": "touch_app", "journey": "route", "ticket": "support_agent",
    "mail": "mail", "consent": "verified_user", "wish": "favorite", "merge": "join_inner",
}  # fmt: skip
TITLES = {
    "payment": "Payment", "refund": "Money given back", "parcel": "Parcel left", "parcel_arrived": "Parcel arrived",
    "return": "Return", "ticket": "Ticket", "wish": "Wished for",
}  # fmt: skip
MAILS = {"confirmation": "Mail: order confirmed", "dispatch": "Mail: parcel left", "back_in_stock": "Mail: back again"}
ACTIONS = dict(ChannelInteraction.InteractionType.choices)
INTENTS = dict(CrossChannelJourney.Intent.choices)


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of the timeline as it is written on the page."""

    entry: Entry
    title: str
    words: str
    state: str
    icon: str
    channel: SalesChannel | None
    amount: Decimal | None
    page: str
    needs: str


def told(entry: Entry, channels: Mapping[int, SalesChannel], sees_people: bool) -> Told:
    """Put an entry into words; without what is personal for whoever sees no people."""
    title, words, state = _words(entry)
    page, needs = _page(entry)
    return Told(
        entry, title, words if sees_people or entry.kind not in PERSONAL else "", state, ICONS[entry.group],
        channels.get(entry.channel_id or 0), entry.amount, page, needs,
    )  # fmt: skip


def _words(entry: Entry) -> tuple[str, str, str]:
    """Title, words and a state that is shown as a pill."""
    if entry.kind == "order":
        return f"Order {entry.words}", "", entry.what
    if entry.kind == "interaction":
        return str(ACTIONS.get(entry.what, entry.what)), entry.words if entry.times == 1 else "", ""
    if entry.kind == "journey":
        return f"{INTENTS.get(entry.words, entry.words)} journey began", "", ""
    if entry.kind == "journey_ended":
        intent, _, outcome = entry.words.partition(" ")
        return f"{INTENTS.get(intent, intent)} journey ended", outcome.replace("_", " "), entry.what
    if entry.kind == "mail":
        return MAILS.get(entry.what, "Mail"), entry.words, ""
    if entry.kind == "consent":
        return f"Consent {entry.what}", entry.words.replace("_", " "), ""
    if entry.kind == "merge":
        return _of_merge(entry)
    return TITLES[entry.kind], entry.words, entry.what if entry.kind in ("payment", "return") else ""


def _of_merge(entry: Entry) -> tuple[str, str, str]:
    profile, _, who = entry.words.partition(" ")
    title = f"Profile {profile} is a person of its own" if entry.what == "parted" else f"Profile {profile} joined"
    return title, f"said by {who}" if who else "by evidence", ""


def _page(entry: Entry) -> tuple[str, str]:
    """Where more of it is seen, and the right that it takes."""
    if entry.kind in ("journey", "journey_ended"):
        return reverse("console:journey", args=[entry.id]), "journeys.view_crosschanneljourney"
    if entry.order_id is not None:
        return reverse("console:order", args=[entry.order_id]), "orders.view_order"
    return "", ""
