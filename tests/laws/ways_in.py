"""What comes in: orders, customers and payments by pulling, and webhooks; what was set aside is tried again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from finalmarket.connectors.platforms.fake import Fake as Connector
from finalmarket.connectors.records import OrderRecord, Page
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations import dead_letters, inbox, jobs, pull
from finalmarket.integrations.models import (
    Credential,
    DeadLetter,
    ExternalId,
    IntegrationHealth,
    StreamCursor,
    WebhookDelivery,
)
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from finalmarket.sandbox.faults import Fault
from tests.laws.border_house import TOKEN, House, elsewhere
from tests.laws.sync_path import Act, Path, both, failing, later, nothing
from tests.orders.market import draft, line

# What comes in.


def three_orders(house: House) -> None:
    """Three orders are placed there: two pages of them."""
    for sku in ("TEA", "CUP", "POT"):
        house.buy((sku, 1), ("TEA", 1))


def an_order(house: House) -> None:
    """An order is placed there."""
    house.buy()


def an_order_that_cannot_be_taken(house: House) -> None:
    """An order comes in a currency that nobody knows."""
    number = house.buy()
    with house.shop.lock:
        house.shop.state["orders"][number]["currency"] = "XXQ"


def mended(house: House) -> None:
    """The platform puts its orders right, and gives all of them out."""
    with house.shop.lock:
        house.refusing.clear()
        for order in house.shop.state["orders"].values():
            order["currency"] = "EUR"


def put_right(house: House) -> None:
    """It does, and a person tries again what was set aside."""
    mended(house)
    replayed(house)


def the_beginning(house: House) -> None:
    """Nobody knows any more how far was pulled."""
    three_orders(house)
    StreamCursor.objects.filter(integration=house.number).delete()


def a_customer(house: House) -> None:
    """Somebody opens an account there, and somebody who has one is called otherwise now."""
    number = house.next()
    with house.shop.lock:
        house.shop._customer({"id": f"C{number}", "name": "Ann", "email": f"ann{number}@example.com"})
    jobs.pull(house.number, "customers")
    with house.shop.lock:
        house.shop._customer({"id": f"C{number}", "name": f"Ann the {number}th"})
        house.shop._customer({"id": f"D{number}", "name": "Ben", "email": f"ben{number}@example.com"})


def own_order(house: House, name: str = "") -> Order:
    """Somebody buys in our own shop."""
    house.sold_here["TEA"] += 1
    bought = draft(house.account.channel, name or f"WEB-{house.next()}", line("TEA", 1, "5.00"), tenders=())
    return take(bought).order


def a_payment(house: House, order: str = "") -> None:
    """A payment stands at the provider, for an order of ours."""
    name = order or own_order(house).number
    with house.shop.lock:
        number = house.shop.add_payment(Decimal("5.00"), state="captured")
        house.shop.state["payments"][number] |= {"order": name, "captured": "5.00"}


def a_payment_before_its_order(house: House) -> None:
    """A payment has come in, and its order a little later."""
    name = f"LATE-{house.next()}"
    a_payment(house, name)
    jobs.pull(house.number, "payments")
    own_order(house, name)


def waiting_payments_retried(house: House) -> None:
    """What waited for its order is applied."""
    jobs.retry_waiting()


def pulled(stream: str) -> Act:
    """A worker pulls a stream."""
    return lambda house: jobs.pull(house.number, stream)


def pulled_without_a_last_page(house: House) -> None:
    """A worker pulls orders from a platform that never says which page is the last."""
    pages = Connector.pull_orders

    def endless(self: Connector, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
        return (replace(page, is_last=False) for page in pages(self, cursor, since))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connector, "pull_orders", endless)
        jobs.pull(house.number, "orders")


def orders_looked_at_before(house: House) -> None:
    """Three orders are placed there; orders were looked at from another moment on before."""
    three_orders(house)
    before = clock.now() - timedelta(days=9)
    StreamCursor.objects.filter(stream=pull.BACKFILL).delete()
    StreamCursor.objects.create(integration=house.account.integration, stream=pull.BACKFILL, since=before)


def backfilled(house: House) -> None:
    """A worker looks at the orders of the last minutes once more."""
    jobs.backfill(house.number, (clock.now() - timedelta(minutes=5)).isoformat())


def never_heard_of(house: House) -> None:
    """Of the account nothing is known yet of how it does."""
    an_order(house)
    IntegrationHealth.objects.all().delete()


def it_was_down(house: House) -> None:
    """The platform was left alone for a while, and the while is over."""
    an_order(house)
    IntegrationHealth.objects.update(failures_in_row=3, breaker_open_until=clock.now())


def the_token_ends(house: House) -> None:
    """An order is placed on another platform, whose tokens end: the last one has."""
    other = elsewhere(house)
    with other.stand_in.lock:
        other.stand_in.shop(house.dice)
    Credential.objects.filter(integration=other.integration, name__startswith="access_token").delete()


def pulled_elsewhere(house: House) -> None:
    """A worker pulls the orders of that other account."""
    jobs.pull(elsewhere(house).integration.pk, "orders")


# Webhooks.


def a_letter(house: House) -> None:
    """An order is placed there, and the platform writes of it."""
    house.letters.clear()
    house.buy()


def forged(house: House) -> None:
    """A letter is brought to the door that the platform did not sign."""
    letter = house.letters[-1]
    inbox.receive(TOKEN, letter.url, dict(letter.headers), letter.body + b" ")


def asked_whether_we_are_here(house: House) -> None:
    """The platform asks at the door, before it signs anything, for a code to be typed in there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Connector, "question", lambda self, delivery: "type in 4711")
        inbox.receive(TOKEN, "", {}, b"")


def letters_of_all_kinds(house: House) -> None:
    """In the inbox lie an order, a payment, a number, a listing, an order that is gone, and what nobody knows."""
    house.letters.clear()
    house.buy()
    a_payment(house)
    with house.shop.lock:
        for topic in ("stock.changed", "listing.changed", "never.heard.of"):
            house.shop._call(topic, "L1")
        house.shop._call("order.changed", "gone")
    house.deliver()


def a_letter_of_what_is_locked(house: House) -> None:
    """The platform writes of an order and then does not give it out."""
    house.letters.clear()
    house.refusing.add(house.buy())
    house.deliver()


def the_twelfth_try(house: House) -> None:
    """A letter has failed many times, and fails once more."""
    a_letter(house)
    house.deliver()
    WebhookDelivery.objects.filter(handled_at=None).update(attempts=inbox_tries())
    failing(Fault.ERROR_BEFORE)(house)


def inbox_tries() -> int:
    """How often a letter is tried."""
    from finalmarket.integrations.hints import MOST_ATTEMPTS

    return MOST_ATTEMPTS


def somebody_asks_to_be_erased(house: House) -> None:
    """The platform writes that a customer whom we know from there wants to be forgotten."""
    name = f"C{house.next()}"
    person = OmnichannelCustomer.objects.create(name="Somebody Shy")
    ExternalId.objects.create(integration_id=house.number, kind="customer", external_id=name, local_id=person.pk)
    house.forgotten.add(person.pk)
    house.letters.clear()
    with house.shop.lock:
        house.shop._call("customer.gone", name)
    house.deliver()


def we_were_removed(house: House) -> None:
    """The platform writes that the merchant took our app out."""
    house.letters.clear()
    with house.shop.lock:
        house.shop._call("shop.left", "main")
    house.deliver()


def letters_worked(house: House) -> None:
    """A worker works on the inbox."""
    jobs.work_inbox(house.number)


# What a person does afterwards.


def resumed(house: House) -> None:
    """A person has looked, and lets the account go on."""
    house.shop.faults.stop()
    house.account.refreshed().resume()


def replayed(house: House) -> None:
    """A person tries again all that can be tried again."""
    for letter in DeadLetter.objects.filter(settled_at=None).order_by("pk"):
        try:
            dead_letters.replay(letter.pk, actor="ann")
        except UserError:
            continue


STORING = "pull.before_commit pull.after_commit"
"""What every stream is cut at; the first at all else too."""

WHAT_COMES_IN: Mapping[str, tuple[Path, ...]] = {
    "pulling": (
        Path("orders are pulled from the beginning", STORING, the_beginning, pulled("orders")),
        Path("orders are pulled", "pull runs http budget breaker", three_orders, pulled("orders")),
        Path("orders are pulled without a last page", "pull.before_end pull.after_end", three_orders,
             pulled_without_a_last_page),
    ),
    "pulling in trouble": (
        Path("orders that cannot be taken are pulled", "dead_letters pull.after_page", an_order_that_cannot_be_taken,
             pulled("orders"), put_right),
        Path("orders are pulled from a platform that fails", "breaker runs",
             both(an_order, failing(Fault.ERROR_BEFORE)), pulled("orders")),
        Path("orders are pulled from a platform that does not let us in", "breaker connect",
             both(an_order, failing(Fault.TOKEN_EXPIRED, Fault.TOKEN_EXPIRED)), pulled("orders"), resumed),
        Path("orders are pulled from a platform that was never asked", "breaker", never_heard_of, pulled("orders")),
        Path("orders are pulled from a platform that was down", "breaker", it_was_down, pulled("orders")),
        Path("orders are pulled with a new token", "auth accounts", the_token_ends, pulled_elsewhere),
        Path("orders are looked at once more", f"pull.before_look_back pull.after_look_back {STORING}",
             orders_looked_at_before, backfilled, backfilled),
        Path("customers are pulled", STORING, a_customer, pulled("customers")),
        Path("payments are pulled", STORING, a_payment, pulled("payments")),
        Path("payments that waited are applied", "dead_letters http", a_payment_before_its_order,
             waiting_payments_retried),
    ),
    "webhooks": (
        Path("a webhook comes in", "inbox jobs", a_letter, House.deliver, House.deliver),
        Path("a forgery is refused", "inbox", a_letter, forged),
        Path("a platform asks whether we are here", "inbox", nothing, asked_whether_we_are_here),
        Path("webhooks are worked on", "inbox http", letters_of_all_kinds, letters_worked),
        Path("webhooks are worked on while the platform fails", "inbox.before_settle inbox.after_settle breaker",
             both(letters_of_all_kinds, failing(Fault.ERROR_BEFORE)), letters_worked),
        Path("a webhook of what is not given out is worked on", "inbox.before_settle dead_letters",
             a_letter_of_what_is_locked, letters_worked, put_right),
        Path("a webhook is given up", "inbox.before_settle inbox.after_settle dead_letters", the_twelfth_try,
             letters_worked),
        Path("a request to be erased is taken", "inbox.before_note inbox.after_note", somebody_asks_to_be_erased,
             letters_worked),
        Path("an account that removed us is stopped", "inbox.before_note inbox.after_note connect", we_were_removed,
             letters_worked, later(both(letters_worked, resumed))),
    ),
}  # fmt: skip
