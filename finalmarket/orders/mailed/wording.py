"""Words by which people say how many, and that they want something."""

from __future__ import annotations

import re

NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "fifty": 50, "hundred": 100,
    "a dozen": 12, "one dozen": 12, "dozen": 12, "two dozen": 24, "a couple": 2, "a pair": 2, "half a dozen": 6,
    "ein": 1, "eine": 1, "einen": 1, "einem": 1, "einer": 1, "eins": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5,
    "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "elf": 11, "zwölf": 12, "zwanzig": 20, "dreißig": 30,
    "ein dutzend": 12, "zwei dutzend": 24, "ein paar": 2, "hundert": 100,
}  # fmt: skip
ARTICLES = frozenset({"a", "an", "ein", "eine", "einen", "einem", "einer"})
"""They say one, and stand before everything else that is talked of, too."""
MOST_UNITS = 1_000_000
MOST_DIGITS = 7

UNIT = (
    r"(?:pcs?|pieces?|units?|pairs?|packs?|packets?|packages?|boxes|box|bottles?|bags?|cartons?|sets?|ea(?:ch)?|items?"
    r"|st(?:k|ck)|stück|paar|packungen|packung|päckchen|flaschen?|kisten?|kartons?|dosen?|tüten?|mal)"
)
_WORD = "|".join(sorted((re.escape(word) for word in NUMBERS), key=len, reverse=True))
COUNT = rf"(?:\d{{1,{MOST_DIGITS}}}(?![\d.,]*\d)|(?:{_WORD})\b)"
"""A number in digits (no price, no date) or as a word."""
WANTS = re.compile(
    r"\b(?:order(?:ing)?|send|ship|deliver|want|need|like|take|buy|purchase|have|get|add|reserve|book|please|pls|request"
    r"|bestell\w*|schick\w*|send\w*|liefer\w*|brauch\w*|möcht\w*|hätt\w*|nehm\w*|kauf\w*|bitte|benötig\w*)\b",
    re.IGNORECASE,
)
"""A sentence with one of these may be a wish."""
NOT_GOODS = re.compile(
    r"^(?:day|week|month|year|hour|minute|o'clock|time|euro|eur|usd|dollar|pound|percent|per cent|%|people|person"
    r"|address|invoice|order|question|quote|reply|answer|confirmation|receipt|tag|woche|monat|jahr|stunde|minute|uhr|prozent"
    r"|mal|leute|person|adresse|rechnung|frage|antwort|bestätigung|angebot|january|february|march|april|may|june|july|august"
    r"|september|october|november|december|januar|februar|märz|mai|juni|juli|oktober|dezember)(?:s|es|e|en|n)?\b",
    re.IGNORECASE,
)
"""What follows a number and is nothing to be sold: times, money, people, papers."""
ITEM_HEADS = re.compile(
    r"^(?:sku|item|items|article|product|code|part|style|artikel|artikelnummer|art\.?-?nr\.?|produkt|nummer"
    r"|item (?:no|code)|article (?:no|number)|product (?:code|name)|title|name|description"
    r"|bezeichnung|beschreibung)\.?$",
    re.IGNORECASE,
)
LABELS = re.compile(
    r"^(?:qty|quantity|menge|anzahl|phone|tel\.?|telephone|telefon|mobile|fax|zip|postcode|post code|plz"
    r"|customer.{0,12}|kunden.{0,12}|order (?:no|number|id)\.?|bestellnummer|ref\.?|reference|po|p\.o\.|total|sum"
    r"|summe|price|preis"
    r"|date|datum|page|seite|vat|ust.{0,8}|iban|account|room|floor|street|straße)$",
    re.IGNORECASE,
)
"""What stands before a number and is the name of a number."""
NAME_HEADS = re.compile(r"^(?:title|name|description|product name|bezeichnung|beschreibung)\.?$", re.IGNORECASE)
COUNT_HEADS = re.compile(
    r"^(?:qty|quantity|amount|units?|pcs|pieces|count|no|number|menge|anzahl|stück|stk)\.?$", re.IGNORECASE
)


def number_of(written: str) -> int | None:
    """Return the number that is written in digits or as a word; None for none, nothing, and more than a million.

    >>> number_of("Two"), number_of("0"), number_of("012")
    (2, None, 12)
    """
    word = " ".join(written.lower().split())
    number = int(word) if word.isascii() and word.isdigit() and len(word) <= MOST_DIGITS else NUMBERS.get(word)
    return number if number and number <= MOST_UNITS else None
