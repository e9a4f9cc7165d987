"""Whom the channels of a bound key have met: who did something there, ordered there, began a journey there, or has a
cart there.

Such a key names by number only these, or it could make itself known to anybody by counting numbers, and follow what
they do on other channels. Whom its channels meet now it knows by a contact.
"""

from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest

from finalmarket.api.door import caller_of
from finalmarket.api.problems import Problem
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney
from finalmarket.orders.models import Cart, Order

BY_CONTACT = "Say by what you know the customer: an e-mail address, a phone number or an id."


def unmet(request: HttpRequest, numbers: Collection[int]) -> set[int]:
    """Return those of these customers whom the caller may not name by number; none for a key of all channels. At most
    three statements."""
    channels = caller_of(request).channels
    if not channels or not numbers:
        return set()
    asked = OmnichannelCustomer.objects.filter(pk__in=set(numbers)).values_list("pk", "merged_into_id")
    person_of = {profile: merged_into or profile for profile, merged_into in asked}
    persons = set(person_of.values())
    others = OmnichannelCustomer.objects.filter(merged_into__in=persons).values_list("pk", "merged_into_id")
    person_by_profile = {**{person: person for person in persons}, **dict(others)}
    mine = Q(customer=OuterRef("pk"))
    seen = OmnichannelCustomer.objects.filter(
        Exists(ChannelInteraction.objects.filter(mine, sales_channel__in=channels))
        | Exists(Order.objects.filter(mine, sales_channel__in=channels))
        | Exists(CrossChannelJourney.objects.filter(mine, start_channel__in=channels))
        | Exists(Cart.objects.filter(mine, sales_channel__in=channels)),
        pk__in=list(person_by_profile),
    )
    met = {person_by_profile[profile] for profile in seen.values_list("pk", flat=True)}
    return {number for number in numbers if person_of.get(number) not in met}


def check_is_met(request: HttpRequest, number: int | None, where: str = "body.customer") -> None:
    """Refuse a number that the caller may not name a customer by. Raises Problem."""
    if number is not None and unmet(request, [number]):
        what = f"{where}: the channels of the key have not met customer {number}."
        raise Problem("not-allowed", what, BY_CONTACT)
