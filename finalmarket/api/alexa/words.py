"""What the skill says, by language: English, and German where the device speaks it. Amounts and days are written as the
device's region writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency

from finalmarket.kernel.clock import day_in
from finalmarket.kernel.money import quantize

MOST_SPEECH_CHARACTERS = 8_000
FALLBACK = "en"

ENGLISH: Mapping[str, str] = {
    "welcome": "Welcome to {shop}. You can ask whether something is in stock, where your order is, or say: order my "
    "usual. What would you like?",
    "help": "You can say: is green tea in stock? Is it at a store, such as North? Where is my order? Or: order my "
    "usual. What would you like?",
    "what": "What would you like?",
    "fallback": "I did not get that. You can ask for stock, for your order, or for your usual.",
    "bye": "Goodbye.",
    "trouble": "Sorry, something went wrong here. Please try it again in a moment.",
    "which_goods": "Which article would you like to know about?",
    "unknown_goods": "I know nothing called {said} here.",
    "which_of": "I know {names}. Which one do you mean?",
    "in_stock": "Yes, {name} is in stock. It costs {price}.",
    "few_left": "Yes, {name} is in stock, but only {left} are left. It costs {price}.",
    "one_left": "Yes, {name} is in stock, but there is only one left. It costs {price}.",
    "not_in_stock": "Sorry, {name} is not in stock at the moment.",
    "not_sold": "Sorry, {name} cannot be bought here at the moment.",
    "unknown_place": "I know no store called {said}.",
    "at_place": "Yes, {place} has {name}.",
    "few_at_place": "Yes, {place} has {left} of {name}.",
    "one_at_place": "Yes, {place} has one of {name}.",
    "not_at_place": "Sorry, {place} has no {name} at the moment.",
    "link_first": "For that I have to know who you are. Please link your account: I have sent a card to your Alexa "
    "app.",
    "no_orders": "I find no order of yours.",
    "no_such_order": "I find no order {number} of yours.",
    "order_waits": "Your order {number} of {day}, with {goods}, is being prepared.",
    "order_partly": "Of your order {number} of {day}, {shipped} of {units} articles are on their way.",
    "order_shipped": "Your order {number} of {day}, with {goods}, is on its way{carrier}.",
    "order_delivered": "Your order {number}, with {goods}, was delivered on {delivered}.",
    "order_cancelled": "Your order {number} of {day} is cancelled.",
    "by_carrier": " with {carrier}",
    "and_more": "{first} and {more} more",
    "no_usual": "You have not bought that here before, so there is no usual.",
    "no_address": "I do not know where to send it. Please order once in the shop, and then it is your usual.",
    "offer": "Your usual is {units} times {name}, for {price} together{delivery}, sent to {where}. Shall I order it?",
    "offer_one": "Your usual is {name}, for {price}{delivery}, sent to {where}. Shall I order it?",
    "with_delivery": " with delivery",
    "offer_again": "Please say yes or no. Shall I order {name}, for {price}?",
    "ordered": "Done. I have ordered {name}. Your order number is {number}. It is not paid yet; the shop asks you for "
    "the payment.",
    "price_changed": "The price has changed since I told you, so I have ordered nothing. Ask for your usual again.",
    "sold_out": "Sorry, {name} is not there any more, so I have ordered nothing.",
    "not_ordered": "All right, I have ordered nothing.",
    "nothing_asked": "There is nothing to say yes or no to. What would you like?",
    "your_address": "your address",
    "joined": "{first} and {last}",
}
GERMAN: Mapping[str, str] = {
    "welcome": "Willkommen bei {shop}. Du kannst fragen, ob etwas auf Lager ist, wo deine Bestellung ist, oder sagen: "
    "bestelle das Übliche. Was möchtest du?",
    "help": "Du kannst sagen: ist grüner Tee auf Lager? Gibt es ihn in einer Filiale, etwa Nord? Wo ist meine "
    "Bestellung? Oder: bestelle das Übliche. Was möchtest du?",
    "what": "Was möchtest du?",
    "fallback": "Das habe ich nicht verstanden. Du kannst nach dem Bestand, deiner Bestellung oder dem Üblichen "
    "fragen.",
    "bye": "Auf Wiederhören.",
    "trouble": "Da ist bei uns etwas schiefgegangen. Bitte versuche es gleich noch einmal.",
    "which_goods": "Um welchen Artikel geht es?",
    "unknown_goods": "Ich kenne hier nichts, was {said} heißt.",
    "which_of": "Ich kenne {names}. Was davon meinst du?",
    "in_stock": "Ja, {name} ist auf Lager und kostet {price}.",
    "few_left": "Ja, {name} ist auf Lager, aber es sind nur noch {left} da. Der Preis ist {price}.",
    "one_left": "Ja, {name} ist auf Lager, aber nur noch einmal. Der Preis ist {price}.",
    "not_in_stock": "{name} ist zurzeit leider nicht auf Lager.",
    "not_sold": "{name} kann man hier zurzeit leider nicht kaufen.",
    "unknown_place": "Ich kenne keine Filiale, die {said} heißt.",
    "at_place": "Ja, {place} hat {name}.",
    "few_at_place": "Ja, {place} hat {left} Stück von {name}.",
    "one_at_place": "Ja, {place} hat ein Stück von {name}.",
    "not_at_place": "{place} hat zurzeit leider kein Stück von {name}.",
    "link_first": "Dafür muss ich wissen, wer du bist. Bitte verknüpfe dein Konto: die Karte dazu ist in deiner "
    "Alexa-App.",
    "no_orders": "Ich finde keine Bestellung von dir.",
    "no_such_order": "Ich finde keine Bestellung {number} von dir.",
    "order_waits": "Deine Bestellung {number} vom {day}, mit {goods}, wird vorbereitet.",
    "order_partly": "Von deiner Bestellung {number} vom {day} sind {shipped} von {units} Artikeln unterwegs.",
    "order_shipped": "Deine Bestellung {number} vom {day}, mit {goods}, ist unterwegs{carrier}.",
    "order_delivered": "Deine Bestellung {number}, mit {goods}, wurde am {delivered} zugestellt.",
    "order_cancelled": "Deine Bestellung {number} vom {day} ist storniert.",
    "by_carrier": " mit {carrier}",
    "and_more": "{first} und {more} weiteren",
    "no_usual": "Das hast du hier noch nicht gekauft, deshalb gibt es nichts Übliches.",
    "no_address": "Ich weiß nicht, wohin ich es schicken soll. Bestelle es bitte einmal im Laden, dann ist es das "
    "Übliche.",
    "offer": "Das Übliche ist {units} mal {name}, zusammen für {price}{delivery}, nach {where}. Soll ich es bestellen?",
    "offer_one": "Das Übliche ist {name}, für {price}{delivery}, nach {where}. Soll ich es bestellen?",
    "with_delivery": " mit Versand",
    "offer_again": "Bitte sage ja oder nein. Soll ich {name} für {price} bestellen?",
    "ordered": "Erledigt. Ich habe {name} bestellt, mit der Nummer {number}. Bezahlt ist es noch nicht; der Laden "
    "meldet sich deswegen.",
    "price_changed": "Der Preis hat sich inzwischen geändert, deshalb habe ich nichts bestellt. Frage noch einmal "
    "nach dem Üblichen.",
    "sold_out": "{name} ist leider nicht mehr da, deshalb habe ich nichts bestellt.",
    "not_ordered": "Gut, ich habe nichts bestellt.",
    "nothing_asked": "Da ist gerade nichts, wozu du ja oder nein sagen kannst. Was möchtest du?",
    "your_address": "deine Adresse",
    "joined": "{first} und {last}",
}
SPOKEN: Mapping[str, Mapping[str, str]] = {"en": ENGLISH, "de": GERMAN}


@dataclass(frozen=True, slots=True)
class Tongue:
    """How to speak on a device: its language as far as we have words in it, else English."""

    language: str
    locale: str

    def say(self, name: str, /, **values: object) -> str:
        """The sentence of that name, never longer than a device speaks."""
        return SPOKEN[self.language][name].format(**values)[:MOST_SPEECH_CHARACTERS]

    def money(self, amount: Decimal, currency: str) -> str:
        """An amount as the region writes it."""
        return str(format_currency(quantize(amount, currency), currency, locale=self.locale))

    def day(self, at: datetime, time_zone: str) -> str:
        """A day as the region writes it, in the time zone of the shop."""
        return str(format_date(day_in(time_zone, at), "d MMMM", locale=self.locale))

    def listed(self, names: list[str]) -> str:
        """Names as a sentence lists them."""
        if len(names) < 2:
            return "".join(names)
        return self.say("joined", first=", ".join(names[:-1]), last=names[-1])


def tongue(locale: str) -> Tongue:
    """How to speak where the device says `locale`, such as en-GB; one that we have no words in is spoken to in
    English, with the amounts of its region left out."""
    plain = locale.replace("-", "_")
    language = plain.partition("_")[0]
    if language not in SPOKEN:
        return Tongue(FALLBACK, "en_US")
    try:
        return Tongue(language, str(Locale.parse(plain)))
    except (UnknownLocaleError, ValueError):
        return Tongue(language, language)
