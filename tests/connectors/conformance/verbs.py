"""What goes out: once is once, however often the news of it is lost on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from finalmarket.connectors.contract import (
    ErasesCustomers,
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
from finalmarket.connectors.errors import (
    ConnectorError,
    NeedsAttention,
    NotSupported,
    OutcomeUnknown,
    Rejected,
    RetryLater,
    Unintelligible,
)
from finalmarket.connectors.records import Address, CustomerContent, PriceLevel, StockLevel
from finalmarket.sandbox.faults import Fault
from tests.connectors.cases import Case
from tests.connectors.conformance.stage import (
    CHECKS,
    IS_PROOF,
    Check,
    NthCall,
    Stage,
    always,
    in_this_dose,
    needed,
    on_a_double,
    staged,
)

# Nothing happened, or it happened and the news of it was lost: the caller cannot tell them apart.
FAULTS = (
    Fault.TOO_MANY, Fault.TOO_MANY_WAIT, Fault.ERROR_BEFORE, Fault.RESET_BEFORE, Fault.TOKEN_EXPIRED,
    Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT, Fault.TRUNCATED, Fault.MALFORMED, Fault.SLOW_DRIP,
)  # fmt: skip
MOST_WRITES = 5  # of one verb that are spoiled each in turn; further ones are more of the same
Call = Callable[[], object]
Truth = Callable[[], Any]


@dataclass(frozen=True)
class Act:
    """Something to be done, under the same key every time, and the truth about what came of it. `ask` is what a caller
    asks after an unknown outcome: whether it is there (None: looks at the truth itself; `may_repeat` where the contract
    lets one repeat it unasked)."""

    call: Call
    truth: Truth
    ask: Call | None = None


@dataclass(frozen=True)
class Verb:
    """One way to change something. `prepare` seeds what it needs and says what to do. `is_keyed` says that the contract
    promises one effect for the same call made twice, `is_named` that what was made has a name in any case, `is_asked`
    that a caller can ask for it after an unknown outcome; `is_for` says for which platforms once is once."""

    name: str
    capability: type
    prepare: Callable[[Stage], Act]
    is_keyed: bool = True
    is_named: bool = False
    is_asked: bool = False
    is_for: Callable[[Case], bool] = lambda case: True


FALSE_DIGITS = re.compile(rb"\d\.\d{6,}[1-9]")  # as of 3.3000000000000003; 3.30000000 is exact


def went_out_exact(stage: Stage) -> None:
    """Nothing that was sent holds what binary fractions leave behind."""
    for exchange in stage.watched.exchanges:
        assert not FALSE_DIGITS.search(exchange.request_body), "an amount went out in binary fractions"


def may_repeat() -> bool:
    """Asked of what may be done again without asking: it is not known to be there."""
    return False


def effects_from_here(stage: Stage) -> Truth:
    """What really changed from here on, by name."""
    before = stage.effects()
    return lambda: tuple(sorted((stage.effects() - before).items()))


def _stock(stage: Stage) -> Act:
    (ref,) = needed(stage.case.seed_listings, "seed_listings")(stage.stand_in, 1)
    truth = needed(stage.case.stock_of, "stock_of")

    def call() -> None:
        known = truth(stage.stand_in, ref)  # what the caller last saw there
        level = StockLevel(ref=ref, quantity=7, key="stock-key-1", location=stage.case.location, shown=known)
        none_refused(stage.connector.push_stock([level]))

    return Act(call, lambda: truth(stage.stand_in, ref))


def _price(stage: Stage) -> Act:
    (ref,) = needed(stage.case.seed_listings, "seed_listings")(stage.stand_in, 1)
    truth = needed(stage.case.price_of, "price_of")
    level = PriceLevel(ref=ref, amount=Decimal("12.50"), currency=stage.case.currency, key="price-key-1")
    return Act(lambda: none_refused(stage.connector.push_prices([level])), lambda: truth(stage.stand_in, ref))


def none_refused(refused: Any) -> None:
    assert list(refused) == [], "a record is refused for what is a failure of the wire or the platform"


def _listing(stage: Stage) -> Act:
    (content,) = needed(stage.case.new_listings, "new_listings")(stage.stand_in, 1)

    def truth() -> int:
        if not issubclass(stage.case.connector, PullsListings):
            return list(stage.stand_in.listings()).count(content.ref.sku)
        found = [record.ref for page in stage.connector.pull_listings("") for record in page.records]
        return sum(ref.sku == content.ref.sku for ref in found)

    return Act(lambda: _none_refused_of(stage.connector.push_listings([content])), truth)


def _none_refused_of(named: Any) -> None:
    assert not any(isinstance(each, Exception) for each in named), named


def _fulfilment(stage: Stage) -> Act:
    notice = needed(stage.case.fulfilment, "fulfilment")(stage.stand_in)
    return Act(lambda: stage.connector.push_fulfilment(notice), effects_from_here(stage))


def _refund(stage: Stage) -> Act:
    notice = needed(stage.case.refund, "refund")(stage.stand_in)
    return Act(lambda: stage.connector.push_refund(notice), effects_from_here(stage))


def _cancellation(stage: Stage) -> Act:
    order = needed(stage.case.cancellable_order, "cancellable_order")(stage.stand_in)
    return Act(
        lambda: stage.connector.push_cancellation(order, "the buyer changed their mind", "c-1"),
        effects_from_here(stage),
    )


ADA = CustomerContent(
    key="customer-key-1", name="Ada Lovelace", email="ada.lovelace@example.org", accepts_email=True,
    address=Address(name="Ada Lovelace", street="Hauptstr. 1", postcode="10115", city="Berlin", country="DE"),
)  # fmt: skip


def _customer(stage: Stage) -> Act:
    content = stage.case.customer(stage.stand_in) if stage.case.customer else ADA

    def truth() -> int:
        stage.time.advance(stage.case.shown_after)
        pages = stage.connector.pull_customers("", None)
        return sum(record.email == content.email for page in pages for record in page.records)

    is_pulled = issubclass(stage.case.connector, PullsCustomers)
    return Act(lambda: stage.connector.push_customer(content), truth if is_pulled else effects_from_here(stage))


def somebody(stage: Stage) -> str:
    """A customer whom the platform knows because we told of them; what it calls them."""
    content = stage.case.customer(stage.stand_in) if stage.case.customer else ADA
    name = str(stage.connector.push_customer(content))
    stage.time.advance(stage.case.shown_after + timedelta(minutes=1))
    return name


def _erasure(stage: Stage) -> Act:
    name = somebody(stage)
    return Act(lambda: stage.connector.erase_customer(name), effects_from_here(stage))


def _capture(stage: Stage) -> Act:
    held = needed(stage.case.authorised_payment, "authorised_payment")(stage.stand_in)
    return Act(
        lambda: stage.connector.capture_payment(held.payment_id, held.amount, held.currency, "capture-key-1"),
        effects_from_here(stage),
    )


def _void(stage: Stage) -> Act:
    held = needed(stage.case.authorised_payment, "authorised_payment")(stage.stand_in)
    return Act(lambda: stage.connector.cancel_payment(held.payment_id, "void-key-1"), effects_from_here(stage))


def _subscription(stage: Stage) -> Act:
    standing = stage.case.subscriptions
    truth = effects_from_here(stage) if standing is None else lambda: standing(stage.stand_in)
    return Act(lambda: stage.connector.subscribe("https://hub.example/hooks/token-1"), truth)


VERBS = (
    Verb("push_stock", PushesStock, _stock),
    Verb("push_prices", PushesPrices, _price),
    # A new listing is named by the platform: told twice without its name it may be two, so the caller asks in between.
    Verb("push_listings", PushesListings, _listing, is_keyed=False),
    Verb("push_fulfilment", PushesFulfilments, _fulfilment),
    Verb("push_refund", PushesRefunds, _refund),
    Verb("push_cancellation", PushesCancellations, _cancellation),
    Verb("push_customer", PushesCustomers, _customer),
    Verb("erase_customer", ErasesCustomers, _erasure),
    Verb("capture_payment", TakesPayments, _capture),
    Verb("cancel_payment", TakesPayments, _void),
    Verb("subscribe", ReceivesWebhooks, _subscription, is_for=lambda case: not case.subscribes_by_hand),
)


def done(case: Case, verb: Verb) -> Any:
    """What comes of it when nothing goes wrong."""
    with staged(case) as stage:
        act = verb.prepare(stage)
        before = act.truth()
        act.call()
        after = act.truth()
        assert after != before, f"{verb.name} changes nothing that the stand-in writes down"
        return after


def done_twice_it_counts_once(case: Case, verb: Verb) -> None:
    if not verb.is_for(case):
        return
    once = done(case, verb)
    with staged(case) as stage:
        act = verb.prepare(stage)
        act.call()
        stage.time.advance(timedelta(minutes=1))
        with suppress(Rejected):  # a platform may refuse what is done already
            act.call()
        assert act.truth() == once


def lost_news_of_a_write_never_doubles_it(case: Case, verb: Verb) -> None:
    if not verb.is_for(case):
        return
    once = done(case, verb)
    for fault in in_this_dose(FAULTS, case, verb.name):
        for nth in range(1, MOST_WRITES):
            if not IS_PROOF and nth > 1 and (FAULTS.index(fault) + nth) % 3:
                continue
            faults = NthCall(fault, nth, writes=True, waits=True)
            with staged(case, faults=faults) as stage:
                act = verb.prepare(stage)
                nothing = act.truth()
                what = f"{verb.name}, {fault.name} on write {nth}"
                faults.begin()
                is_known = _call_until_it_is_done(stage, act, once, fault, what)
                # Where nobody can tell whether it was done, it is not repeated, and so was done once or not at all.
                assert act.truth() == once or (not is_known and act.truth() == nothing), what
            if not faults.met:
                break


def _call_until_it_is_done(stage: Stage, act: Act, once: Any, fault: Fault, what: str) -> bool:
    """What a caller does: again where nothing happened; where the outcome is unknown, only after asking. Whether it
    then knows that it is done."""
    for _ in range(3):
        try:
            act.call()
        except RetryLater:
            stage.time.advance(timedelta(seconds=5))
        except OutcomeUnknown:
            stage.time.advance(timedelta(seconds=5))
            try:
                if act.ask() if act.ask else act.truth() == once:
                    return True
            except NotSupported:
                return False
        except Unintelligible:
            assert fault is Fault.MALFORMED, what
        except NeedsAttention:
            assert fault is Fault.TOKEN_EXPIRED, what
        else:
            return True
    raise AssertionError(f"{what}: does not get through")


def what_was_done_out_of_sight_is_found_by_asking(case: Case, verb: Verb) -> None:
    once = done(case, verb)
    for fault in (Fault.RESET_AFTER, Fault.RESET_BEFORE, Fault.ERROR_AFTER):
        for nth in range(1, MOST_WRITES):
            faults = NthCall(fault, nth, writes=True, waits=True)
            with staged(case, faults=faults) as stage:
                act = verb.prepare(stage)
                assert act.ask is not None
                faults.begin()
                with suppress(OutcomeUnknown, RetryLater):
                    act.call()
                with suppress(NotSupported):  # then a person decides
                    assert bool(act.ask()) is (act.truth() == once), f"{verb.name}, {fault.name} on write {nth}"
            if not faults.met:
                break


def what_is_applied_but_not_told_is_never_called_rejected(case: Case, verb: Verb) -> None:
    """A failure of the platform is no fault of the record: nothing may be set aside for it."""
    if not verb.is_for(case):
        return
    for fault in (Fault.ERROR_AFTER, Fault.ERROR_BEFORE):
        faults = NthCall(fault, 1, writes=True, waits=True)
        with staged(case, faults=faults) as stage:
            act = verb.prepare(stage)
            asked = len(stage.watched.exchanges)
            faults.begin()
            try:
                act.call()
            except (RetryLater, OutcomeUnknown):
                pass
            else:  # it may have asked again by itself, and so know
                assert faults.met == 0 or len(stage.watched.exchanges) > asked + 1, f"{verb.name} hides {fault.name}"


SHAPES = (
    b"{}",
    b"[]",
    b"null",
    b'"a text"',
    b"17",
    b"",
    b'{"id": null}',
    b'{"id": {}, "data": []}',
    b'{"errors": [1]}',
)


def an_answer_of_another_shape_to_a_write_is_an_error_of_ours(case: Case, verb: Verb) -> None:
    for body in SHAPES:
        with staged(case) as stage:
            act = verb.prepare(stage)
            there, stage.connector = stage.connector, on_a_double(case, always(200, body))
            try:
                name = act.call()
            except ConnectorError:
                pass
            else:
                name = getattr(name, "external_id", getattr(name, "label_id", name))
                assert name or not verb.is_named, f"{verb.name} takes {body!r} for a success, and has no name for it"
            finally:
                stage.connector = there


def register_shapes(*verbs: Verb) -> None:
    """Look also at how these verbs read answers that the platform should never give."""
    rule = an_answer_of_another_shape_to_a_write_is_an_error_of_ours
    for verb in verbs:
        CHECKS.append(Check(f"{rule.__name__}-{verb.name}", (verb.capability,), partial(rule, verb=verb)))


def register(*verbs: Verb) -> None:
    """Make the rules checks of these verbs."""
    for rule in (
        done_twice_it_counts_once,
        lost_news_of_a_write_never_doubles_it,
        what_is_applied_but_not_told_is_never_called_rejected,
    ):
        for verb in verbs:
            if verb.is_keyed or rule is not done_twice_it_counts_once:
                CHECKS.append(Check(f"{rule.__name__}-{verb.name}", (verb.capability,), partial(rule, verb=verb)))
    asked = what_was_done_out_of_sight_is_found_by_asking
    for verb in verbs:
        if verb.is_asked:
            CHECKS.append(Check(f"{asked.__name__}-{verb.name}", (verb.capability,), partial(asked, verb=verb)))


register(*VERBS)
