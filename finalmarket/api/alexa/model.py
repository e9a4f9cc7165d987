"""The interaction model of a skill, as the developer console takes it: what people say, and what it is about. Goods are
the channel's listings, stores the places with a counter from which it sells."""

from __future__ import annotations

import re
from typing import Any

from finalmarket.api.alexa.words import SPOKEN
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError
from finalmarket.orders.enquiries import stores_of
from finalmarket.stock.models import StockLocation

MOST_GOODS, MOST_STORES = 1_000, 200
MOST_VALUE_CHARACTERS = 140
INVOCATION = re.compile(r"[a-zäöüß][a-zäöüß'. ]{1,49}")
BUILT_IN = ("Yes", "No", "Help", "Stop", "Cancel", "NavigateHome", "Fallback")
SAMPLES: dict[str, dict[str, list[str]]] = {
    "en": {
        "StockIntent": [
            "is {product} in stock", "do you have {product}", "is {product} available", "have you got {product}",
            "is {product} in stock at {store}", "is {product} in stock in {store}", "does {store} have {product}",
            "do you have {product} at {store}", "how much is {product}", "what does {product} cost",
            "check stock of {product}", "is something in stock",
        ],
        "OrderStatusIntent": [
            "where is my order", "where is order {number}", "what about my order", "what about order {number}",
            "track my order", "track order {number}", "has my order been sent", "when does my order arrive",
        ],
        "ReorderIntent": [
            "order my usual", "my usual please", "order the usual", "order my usual {product}", "reorder",
            "reorder {product}", "order {product} again", "order {count} {product} again", "buy {product} again",
        ],
    },
    "de": {
        "StockIntent": [
            "ist {product} auf lager", "habt ihr {product}", "ist {product} verfügbar", "gibt es {product}",
            "ist {product} in {store} auf lager", "hat {store} {product}", "gibt es {product} in {store}",
            "was kostet {product}", "wie viel kostet {product}", "ist etwas auf lager",
        ],
        "OrderStatusIntent": [
            "wo ist meine bestellung", "wo ist bestellung {number}", "was ist mit meiner bestellung",
            "was ist mit bestellung {number}", "wann kommt meine bestellung",
        ],
        "ReorderIntent": [
            "bestelle das übliche", "das übliche bitte", "bestelle das übliche {product}",
            "bestelle {product} noch einmal", "bestelle {count} {product} noch einmal", "kaufe {product} noch einmal",
        ],
    },
}  # fmt: skip
SLOTS = {
    "StockIntent": {"product": "FM_GOODS", "store": "FM_STORE"},
    "OrderStatusIntent": {"number": "AMAZON.NUMBER"},
    "ReorderIntent": {"product": "FM_GOODS", "count": "AMAZON.NUMBER"},
}
ELICITS = "Elicit.StockIntent.product"


def interaction_model(channel: SalesChannel, language: str, invocation: str) -> dict[str, Any]:
    """Return the model for one language, with at most 1,000 goods and 200 stores. Raises UserError for a language that
    the skill does not speak, and for a name that no skill can be called by."""
    if language not in SAMPLES:
        raise UserError(f"the skill speaks {' and '.join(sorted(SAMPLES))}, not {language[:20]!r}")
    name = " ".join(invocation.casefold().split())
    if not INVOCATION.fullmatch(name) or " " not in name:
        raise UserError("a skill is called by two or more words of small letters, such as: final market")
    intents = [{"name": f"AMAZON.{one}Intent", "samples": []} for one in BUILT_IN]
    return {
        "interactionModel": {
            "languageModel": {
                "invocationName": name,
                "intents": [*intents, *(_intent(one, language) for one in SLOTS)],
                "types": [
                    {"name": "FM_GOODS", "values": _goods(channel)}, {"name": "FM_STORE", "values": _stores(channel)},
                ],
            },
            "dialog": {"delegationStrategy": "SKILL_RESPONSE", "intents": [_asking()]},
            "prompts": [
                {
                    "id": ELICITS,
                    "variations": [{"type": "PlainText", "value": SPOKEN[language]["which_goods"]}],
                }
            ],
        }
    }  # fmt: skip


def _intent(name: str, language: str) -> dict[str, Any]:
    slots = [{"name": slot, "type": kind} for slot, kind in SLOTS[name].items()]
    return {"name": name, "slots": slots, "samples": SAMPLES[language][name]}


def _asking() -> dict[str, Any]:
    """What lets the skill ask for the goods itself (Dialog.ElicitSlot)."""
    return {
        "name": "StockIntent", "confirmationRequired": False, "prompts": {},
        "slots": [
            {
                "name": slot, "type": kind, "confirmationRequired": False, "elicitationRequired": slot == "product",
                "prompts": {"elicitation": ELICITS} if slot == "product" else {},
            }
            for slot, kind in SLOTS["StockIntent"].items()
        ],
    }  # fmt: skip


def _goods(channel: SalesChannel) -> list[dict[str, Any]]:
    listings = channel.listings.filter(Variant.on_sale("variant__"), is_available=True)
    listings = listings.select_related("variant__product")
    found: dict[str, dict[str, Any]] = {}
    for listing in listings.order_by("id")[:MOST_GOODS]:
        variant = listing.variant
        spoken = _spoken(f"{listing.title or variant.product.title} {variant.title}")
        if spoken:
            synonyms = [one for one in (_spoken(variant.sku),) if one and one != spoken]
            named = {"value": spoken, "synonyms": synonyms}
            found.setdefault(spoken.casefold(), {"id": str(variant.pk), "name": named})
    return list(found.values()) or [{"name": {"value": "nothing"}}]


def _stores(channel: SalesChannel) -> list[dict[str, Any]]:
    places = stores_of(channel).order_by("priority", "id")[:MOST_STORES]
    named = [{"id": one.code, "name": {"value": _spoken(one.name), "synonyms": _also(one)}} for one in places]
    return [one for one in named if one["name"]["value"]] or [{"name": {"value": "store"}}]  # type: ignore[index]


def _also(place: StockLocation) -> list[str]:
    return [_spoken(place.city)] if _spoken(place.city) else []


def _spoken(text: str) -> str:
    """Without what nobody speaks: signs become blanks."""
    plain = re.sub(r"[^\w'&.-]+", " ", text.replace("_", " "))
    return " ".join(plain.split())[:MOST_VALUE_CHARACTERS].strip()
