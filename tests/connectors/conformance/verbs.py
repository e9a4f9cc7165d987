"""What goes out: once is once, however often the news of it is lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from finalmarket.connectors.contract import (
    PullsCustomers,
    PullsListings,
    PushesCancellations,
    PushesCustomers,
    PushesFulfilments,
    PushesListings,
    PushesPrices,
    PushesRefunds,
    PushesStock,
    ReceivesWebhooks,
    TakesPayments,
)
from finalmarket.connectors.errors import NeedsAttention, OutcomeUnknown, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.records import Address, CustomerContent, PriceLevel, StockLevel
from finalmarket.sandbox.faults import Fault
from tests.connectors.cases import Case
from tests.connectors.conformance.stage import CHECKS, Check, NthCall, Stage, needed, staged

# Nothing happened, or it happened and the news of it was lost: the caller cannot tell them apart.
FAULTS = (
    Fault.TOO_MANY, Fault.TOO_MANY_WAIT, Fault.ERROR_BEFORE, Fault.RESET_BEFORE, Fault.TOKEN_EXPIRED,
    Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT, Fault.TRUNCATED, Fault.MALFORMED, Fault.SLOW_DRIP,
)  # fmt: skip
MOST_WRITES = 5  # of one verb that are spoiled each in turn; further ones are more of the same
Call = Callable[[], object]
Truth = Callable[[], Any]


@dataclass(frozen=True)
class Verb:
    """One way to change something. `prepare` seeds what it needs, and gives the call (under the same key every time)
    and the truth about what came of it."""

    name: str
    capability: type
    prepare: Callable[[Stage], tuple[Call, Truth]]


def _effects(stage: Stage) -> Truth:
    """What really changed from here on, by name."""
    before = stage.effects()
    return lambda: tuple(sorted((stage.effects() - before).items()))


def _stock(stage: Stage) -> tuple[Call, Truth]:
    (ref,) = needed(stage.case.seed_listings, "seed_listings")(stage.stand_in, 1)
    truth = needed(stage.case.stock_of, "stock_of")

    def call() -> None:
        known = truth(stage.stand_in, ref)  # what the caller last saw there
        level = StockLevel(ref=ref, quantity=7, key="stock-key-1", location=stage.case.location, shown=known)
        _none_refused(stage.connector.push_stock([level]))

    return call, lambda: truth(stage.stand_in, ref)


def _price(stage: Stage) -> tuple[Call, Truth]:
    (ref,) = needed(stage.case.seed_listings, "seed_listings")(stage.stand_in, 1)
    truth = needed(stage.case.price_of, "price_of")
    level = PriceLevel(ref=ref, amount=Decimal("12.50"), currency=stage.case.currency, key="price-key-1")
    return lambda: _none_refused(stage.connector.push_prices([level])), lambda: truth(stage.stand_in, ref)


def _none_refused(refused: Any) -> None:
    assert list(refused) == [], "a record is refused for what is a failure of the wire or the platform"


def _listing(stage: Stage) -> tuple[Call, Truth]:
    (content,) = needed(stage.case.new_listings, "new_listings")(stage.stand_in, 1)

    def truth() -> int:
        if not issubclass(stage.case.connector, PullsListings):
            return list(stage.stand_in.listings()).count(content.ref.sku)
        found = [record.ref for page in stage.connector.pull_listings("") for record in page.records]
        return sum(ref.sku == content.ref.sku for ref in found)

    return lambda: _none_refused_of(stage.connector.push_listings([content])), truth


def _none_refused_of(named: Any) -> None:
    assert not any(isinstance(each, Exception) for each in named), named


def _fulfilment(stage: Stage) -> tuple[Call, Truth]:
    notice = needed(stage.case.fulfilment, "fulfilment")(stage.stand_in)
    return lambda: stage.connector.push_fulfilment(notice), _effects(stage)


def _refund(stage: Stage) -> tuple[Call, Truth]:
    notice = needed(stage.case.refund, "refund")(stage.stand_in)
    return lambda: stage.connector.push_refund(notice), _effects(stage)


def _cancellation(stage: Stage) -> tuple[Call, Truth]:
    order = needed(stage.case.cancellable_order, "cancellable_order")(stage.stand_in)
    return lambda: stage.connector.push_cancellation(order, "the buyer changed their mind", "c-1"), _effects(stage)


def _customer(stage: Stage) -> tuple[Call, Truth]:
    content = CustomerContent(
        key="customer-key-1", name="Ada Lovelace", email="ada.lovelace@example.org", accepts_email=True,
        address=Address(
            name="Ada Lovelace", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE"
        ),
    )  # fmt: skip

    def truth() -> int:
        pages = stage.connector.pull_customers("", None)
        return sum(record.email == content.email for page in pages for record in page.records)

    is_pulled = issubclass(stage.case.connector, PullsCustomers)
    return lambda: stage.connector.push_customer(content), truth if is_pulled else _effects(stage)


def _capture(stage: Stage) -> tuple[Call, Truth]:
    held = needed(stage.case.authorised_payment, "authorised_payment")(stage.stand_in)
    return (
        lambda: stage.connector.capture_payment(held.payment_id, held.amount, held.currency, "capture-key-1"),
        _effects(stage),
    )


def _void(stage: Stage) -> tuple[Call, Truth]:
    held = needed(stage.case.authorised_payment, "authorised_payment")(stage.stand_in)
    return lambda: stage.connector.cancel_payment(held.payment_id, "void-key-1"), _effects(stage)


def _subscription(stage: Stage) -> tuple[Call, Truth]:
    return lambda: stage.connector.subscribe("https://hub.example.org/hooks/token-1"), _effects(stage)


VERBS = (
    Verb("push_stock", PushesStock, _stock),
    Verb("push_prices", PushesPrices, _price),
    Verb("push_listings", PushesListings, _listing),
    Verb("push_fulfilment", PushesFulfilments, _fulfilment),
    Verb("push_refund", PushesRefunds, _refund),
    Verb("push_cancellation", PushesCancellations, _cancellation),
    Verb("push_customer", PushesCustomers, _customer),
    Verb("capture_payment", TakesPayments, _capture),
    Verb("cancel_payment", TakesPayments, _void),
    Verb("subscribe", ReceivesWebhooks, _subscription),
)


def _clean(case: Case, verb: Verb) -> Any:
    """What comes of it when nothing goes wrong."""
    with staged(case) as stage:
        call, truth = verb.prepare(stage)
        before = truth()
        call()
        after = truth()
        assert after != before, f"{verb.name} changes nothing that the stand-in writes down"
        return after


def done_twice_it_counts_once(case: Case, verb: Verb) -> None:
    once = _clean(case, verb)
    with staged(case) as stage:
        call, truth = verb.prepare(stage)
        call()
        stage.time.advance(timedelta(minutes=1))
        with suppress(Rejected):  # a platform may refuse what is done already
            call()
        assert truth() == once


def lost_news_of_a_write_never_doubles_it(case: Case, verb: Verb) -> None:
    once = _clean(case, verb)
    for fault in FAULTS:
        for nth in range(1, MOST_WRITES):
            faults = NthCall(fault, nth, writes=True)
            with staged(case, faults=faults) as stage:
                call, truth = verb.prepare(stage)
                what = f"{verb.name}, {fault.name} on write {nth}"
                _call_until_it_is_done(stage, call, partial(_equals, truth, once), fault, what)
                assert truth() == once, what
            if not faults.met:
                break


def _equals(truth: Truth, once: Any) -> bool:
    return bool(truth() == once)


def _call_until_it_is_done(stage: Stage, call: Call, is_done: Callable[[], bool], fault: Fault, what: str) -> None:
    """What a caller does: again where nothing happened; where the outcome is unknown, only after asking."""
    for _ in range(3):
        try:
            call()
        except RetryLater:
            stage.time.advance(timedelta(seconds=5))
        except OutcomeUnknown:
            stage.time.advance(timedelta(seconds=5))
            if is_done():
                return
        except Unintelligible:
            assert fault is Fault.MALFORMED, what
        except NeedsAttention:
            assert fault is Fault.TOKEN_EXPIRED, what
        else:
            return
    raise AssertionError(f"{what}: does not get through")


def what_is_applied_but_not_told_is_never_called_rejected(case: Case, verb: Verb) -> None:
    """A failure of the platform is no fault of the record: nothing may be set aside for it."""
    for fault in (Fault.ERROR_AFTER, Fault.ERROR_BEFORE):
        with staged(case, faults=NthCall(fault, 1, writes=True)) as stage:
            call, _ = verb.prepare(stage)
            try:
                call()
            except (RetryLater, OutcomeUnknown):
                pass
            else:
                assert stage.stand_in.faults.met == 0 or _is_told_again(stage), f"{verb.name} hides {fault.name}"


def _is_told_again(stage: Stage) -> bool:
    """Whether the connector asked again by itself, and so knows."""
    return len(stage.watched.exchanges) > 1


# A new listing is named by the platform: told twice without its name, it may be two, so the caller asks in between.
TOLD_TWICE = tuple(verb for verb in VERBS if verb.name != "push_listings")
for _rule, _verbs in (
    (done_twice_it_counts_once, TOLD_TWICE),
    (lost_news_of_a_write_never_doubles_it, VERBS),
    (what_is_applied_but_not_told_is_never_called_rejected, VERBS),
):
    for _verb in _verbs:
        CHECKS.append(Check(f"{_rule.__name__}-{_verb.name}", (_verb.capability,), partial(_rule, verb=_verb)))
