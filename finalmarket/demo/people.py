"""Customers: who they are, where they live, what they agreed to, and how often they buy."""

from __future__ import annotations

import itertools
import random
import unicodedata
from bisect import bisect, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from finalmarket.customers.models import ChannelPreference, Consent, CustomerIdentity, OmnichannelCustomer
from finalmarket.demo.merchant import House
from finalmarket.demo.sources import Place, chance, names, pick_weighted, places

CUSTOMERS = 640
# Who buys where: the shops at home share their customers, the others have their own.
CIRCLES = {"home": 62, "marketplace": 21, "britain": 9, "america": 8}
CIRCLE_OF = {"amazon": "marketplace", "london": "britain", "usa": "america"}
COUNTRIES = {
    "home": (("DE", 76), ("AT", 9), ("NL", 8), ("FR", 7)),
    "marketplace": (("DE", 84), ("AT", 16)),
    "britain": (("GB", 100),),
    "america": (("US", 100),),
}
LANGUAGES = {"DE": "de", "AT": "de", "NL": "nl", "FR": "fr", "GB": "en-GB", "US": "en-US"}
# Numbers that regulators set aside for films and books: nobody's telephone rings.
UNUSED_NUMBERS = {
    "DE": [f"+4930231{n:05}" for n in range(25_000, 26_000)]
    + [f"+4940669{n:05}" for n in range(69_001, 70_000)]
    + [f"+4989999{n:05}" for n in range(98_000, 99_000)],
    "FR": [f"+33639{n:06}" for n in range(980_000, 981_000)],
    "GB": [f"+447700900{n:03}" for n in range(1_000)],
    "US": [f"+1{area}55501{n:02}" for area in (212, 312, 415, 503, 512, 617, 206, 303) for n in range(100)],
}
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "o", "ı": "i", "é": "e"})


@dataclass(slots=True)
class Person:
    """A customer as the other parts of the demo see them. `weight` says how often they buy."""

    circle: str
    name: str
    email: str
    phone: str
    place: Place
    postcode: str
    street: str
    since: datetime
    weight: float
    number: int
    customer_id: int = 0

    def address(self) -> dict[str, Any]:
        """Return where their parcels go, with the keys that orders keep."""
        return {
            "name": self.name,
            "street": self.street,
            "postcode": self.postcode,
            "city": self.place.city,
            "country": self.place.country,
        }


class Crowd:
    """The customers of one circle in the order in which they came, to draw buyers from."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = sorted(people, key=lambda person: person.since)
        self._arrivals = [person.since for person in self.people]
        self._sums = list(itertools.accumulate(person.weight for person in self.people))

    def draw(self, dice: random.Random, at: datetime) -> Person | None:
        """Return one who was a customer at that moment, by how often they buy; None before the first came."""
        known = bisect_right(self._arrivals, at)
        return self.people[bisect(self._sums, dice.random() * self._sums[known - 1], 0, known - 1)] if known else None


def build(house: House, seed: int, scale: float, now: datetime) -> dict[str, Crowd]:
    """Write the customers with their identities, preferences and consents; return the crowds by circle."""
    dice = chance(seed, "people")
    numbers = {country: iter(range_) for country, range_ in UNUSED_NUMBERS.items()}
    people: list[Person] = []
    for circle, share in CIRCLES.items():
        count = max(10, round(CUSTOMERS * scale * share / 100))
        people += [_person(dice, circle, len(people) + n, numbers, now) for n in range(count)]
    created = OmnichannelCustomer.objects.bulk_create(_customer(person) for person in people)
    for person, customer in zip(people, created, strict=True):
        person.customer_id = customer.pk
    CustomerIdentity.objects.bulk_create(itertools.chain.from_iterable(_identities(dice, person) for person in people))
    ChannelPreference.objects.bulk_create(
        itertools.chain.from_iterable(_preferences(dice, house, person) for person in people)
    )
    Consent.objects.bulk_create(itertools.chain.from_iterable(_consents(dice, house, person, now) for person in people))
    return {circle: Crowd([person for person in people if person.circle == circle]) for circle in CIRCLES}


def _person(dice: random.Random, circle: str, number: int, numbers: dict[str, Iterator[str]], now: datetime) -> Person:
    country = pick_weighted(dice, COUNTRIES[circle])
    there = [place for place in places() if place.country == country and place.weight]
    place = dice.choices(there, [place.weight for place in there])[0]
    known = names()[country]
    given, family = dice.choice(known.given), dice.choice(known.family)
    house_number = dice.randrange(1, 140)
    street = dice.choice(known.streets)
    abroad = country in ("FR", "GB", "US")
    days_ago = 365 + dice.randrange(700) if dice.random() < 0.45 else dice.randrange(365)
    return Person(
        circle=circle,
        name=f"{given} {family}",
        email=_email(dice, circle, f"{given}.{family}", number),
        phone=next(numbers.get(country, iter(())), "") if dice.random() < 0.7 else "",
        place=place,
        postcode=_postcode(dice, place),
        street=f"{house_number} {street}" if abroad else f"{street} {house_number}",
        since=now - timedelta(days=days_ago, minutes=dice.randrange(1440)),
        weight=dice.gammavariate(0.9, 1.0) + 0.05,
        number=number,
    )


def _email(dice: random.Random, circle: str, name: str, number: int) -> str:
    if circle == "marketplace":  # marketplaces hide the address behind one of their own
        return f"{dice.getrandbits(50):010x}.{number}@marketplace.example.net"
    plain = unicodedata.normalize("NFKD", name.lower().translate(UMLAUTS)).encode("ascii", "ignore").decode()
    return f"{plain.replace(' ', '').replace(chr(39), '')}{number}@{dice.choice(['example.com', 'example.org'])}"


def _postcode(dice: random.Random, place: Place) -> str:
    """Fill the prefix up to a postcode of the form that the country has."""
    digits = "".join(str(dice.randrange(10)) for _ in range(5))
    letters = "".join(dice.choice("ABDEFGHJLNPQRSTUWXYZ") for _ in range(2))
    if place.country == "GB":
        return f"{place.prefix}{1 + int(digits[0])} {digits[1]}{letters}"
    if place.country == "NL":
        return f"{place.prefix}{digits[:2]} {letters}"
    length = 4 if place.country == "AT" else 5
    return (place.prefix + digits)[:length]


def _customer(person: Person) -> OmnichannelCustomer:
    return OmnichannelCustomer(
        name=person.name,
        email=person.email,
        phone=person.phone,
        country=person.place.country,
        language=LANGUAGES[person.place.country],
        first_seen_at=person.since,
        attributes={"city": person.place.city},
    )


def _identities(dice: random.Random, person: Person) -> Iterator[CustomerIdentity]:
    source = "amazon-marketplace" if person.circle == "marketplace" else "web-shop"
    yield CustomerIdentity(
        customer_id=person.customer_id, kind="email", value=person.email, source=source, is_anchor=True
    )
    if person.phone:
        yield CustomerIdentity(customer_id=person.customer_id, kind="phone", value=person.phone, source=source)
    if person.circle != "marketplace" and dice.random() < 0.3:
        card = f"FM{700_000 + person.number:08}"
        yield CustomerIdentity(customer_id=person.customer_id, kind="loyalty", value=card, source="store")


def _preferences(dice: random.Random, house: House, person: Person) -> Iterator[ChannelPreference]:
    if person.circle == "marketplace" or dice.random() < 0.35:
        return
    homes = {"home": ("web", "app", "berlin"), "britain": ("london",), "america": ("usa",)}
    chosen = homes[person.circle]
    for key in dice.sample(chosen, dice.randint(1, min(2, len(chosen)))):
        yield ChannelPreference(
            customer_id=person.customer_id,
            sales_channel=house.channels[key],
            preferences={
                "language": LANGUAGES[person.place.country],
                "newsletter": dice.choice(["weekly", "monthly", "never"]),
                "delivery": "collect" if key in ("berlin", "london") else dice.choice(["home", "parcel shop"]),
            },
        )


def _consents(dice: random.Random, house: House, person: Person, now: datetime) -> Iterator[Consent]:
    """Most agree to something when they come; some think better of it later."""
    if person.circle == "marketplace":
        return
    key = {"home": "web", "britain": "london", "america": "usa"}[person.circle]
    for purpose, chance_of_yes in (("newsletter", 0.55), ("personalisation", 0.4)):
        granted = dice.random() < chance_of_yes
        yield Consent(
            customer_id=person.customer_id, purpose=purpose, sales_channel=house.channels[key], is_granted=granted,
            source="sign-up form", proof={"form": "sign-up", "version": 3}, at=person.since,
        )  # fmt: skip
        later = person.since + timedelta(days=dice.randrange(20, 300))
        if granted and dice.random() < 0.12 and later < now:
            yield Consent(
                customer_id=person.customer_id, purpose=purpose, sales_channel=house.channels[key], is_granted=False,
                source="link in an e-mail", proof={"link": "unsubscribe"}, at=later,
            )  # fmt: skip
