"""The suite can fail: books, carriers and payment pages that break the contract in one place each are found out, each
by the right check. That the practice office keeps it as it is, test_conformance.py shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.books import OrderNames
from finalmarket.connectors.errors import ConnectorError, Rejected
from finalmarket.connectors.records import PaymentRecord, PaymentStart
from finalmarket.connectors.shipping import Label, TrackingRecord
from tests.connectors.cases import case_of
from tests.connectors.mutants import (
    Mutant,
    again_and_again,
    around,
    blaming_the_record,
    content_with_anything,
    declaring,
    never,
    on_a_platform,
    renamed,
    renamed_each,
)
from tests.connectors.test_conformance_bites import FOUND_OUT, check_called

OFFICE = "practice_office"
NO_LABEL = Label(label_id="B1", carrier="?", service="?", tracking_number="?", state="voided")
NO_PARCEL = TrackingRecord(tracking_number="?", carrier="?", version="1", state="label_made")
NO_PAYMENT = PaymentRecord(external_id="P1", version="1", amount=Decimal(1), currency="EUR", state="authorised")

# Books.


def summed_in_floats(real: Any, content: Any) -> Any:
    total = sum(float(line.unit_price) * line.quantity for line in content.lines)
    return real(replace(content, total=Decimal(total)))


def newly_named_when_changed(real: Any, content: Any) -> Any:
    return real(replace(content, number=f"{content.number}-{content.key}"))


def lines_by_place(real: Any, content: Any) -> Any:
    named = real(content)
    return replace(named, lines={line: place for place, line in enumerate(named.lines)})


def lines_of_its_own(real: Any, content: Any) -> Any:
    named = real(content)
    return replace(named, lines={**named.lines, "a line of nobody": "L1"})


def stopped_at_the_bad_one(real: Any, notices: Sequence[Any]) -> Any:
    for notice in notices:
        refused = real([notice])
        if refused:
            return refused
    return []


def without_keys(real: Any, records: Any) -> Any:
    return [Rejected(refused.reason) for refused in real(records)]


def in_silence(real: Any, records: Any) -> Any:
    real(records)
    return []


def posting_nothing(real: Any, records: Any) -> Any:
    if not records:
        real.args[0].http.call("POST", "/v1/movements", json={"movements": []})
    return real(records)


def without_limits(real: Any, told: Any, most: int, take: Any) -> Any:
    return real(told, 1_000_000, take)


def telling_its_token(real: Any, *arguments: Any) -> Any:
    try:
        return real(*arguments)
    except ConnectorError as error:
        raise Rejected(f"{error.reason} with {real.args[0].account.secrets['token']}") from None


BOOKS = (
    Mutant("takes in an order again", "done_twice_it_counts_once-push_order", around("push_order", renamed("number"))),
    Mutant("tells an order again blindly", "lost_news_of_a_write_never_doubles_it-push_order",
           around("push_order", lambda real, content: again_and_again(lambda: renamed("number")(real, content)))),
    Mutant("blames the order", "what_is_applied_but_not_told_is_never_called_rejected-push_order",
           around("push_order", blaming_the_record)),
    Mutant("does not find its order", "what_was_done_out_of_sight_is_found_by_asking-push_order",
           around("find_order", never)),
    Mutant("needs no name of an order", "an_answer_of_another_shape_to_a_write_is_an_error_of_ours-push_order",
           around("push_order", content_with_anything(OrderNames(external_id="")))),
    Mutant("tells its token with an order", "no_secret_is_in_what_a_write_says-push_order",
           around("push_order", telling_its_token)),
    Mutant("finds any order", "an_order_that_was_told_is_found_by_its_number_and_no_other_is",
           around("find_order", lambda real, number: real(number) or OrderNames(external_id="O1"))),
    Mutant("names lines of nobody", "an_order_that_was_told_is_found_by_its_number_and_no_other_is",
           around("push_order", lines_of_its_own)),
    Mutant("calls all orders one", "two_orders_are_two",
           around("push_order", lambda real, content: replace(real(content), external_id="O1"))),
    Mutant("makes a changed order anew", "an_order_that_has_changed_is_told_again_and_keeps_its_name",
           around("push_order", newly_named_when_changed)),
    Mutant("sums in floats", "the_amounts_of_an_order_go_out_exact", around("push_order", summed_in_floats)),
    Mutant("names lines by numbers", "what_books_call_an_order_is_text", around("push_order", lines_by_place)),
    Mutant("posts again", "done_twice_it_counts_once-push_movements", around("push_movements", renamed_each("key"))),
    Mutant("posts again blindly", "lost_news_of_a_write_never_doubles_it-push_movements",
           around("push_movements", renamed_each("key"))),
    Mutant("batches too many movements", "a_full_batch_of_movements_is_posted", declaring(movement_batch_limit=21)),
    Mutant("a platform without limits", "more_movements_than_the_limit_are_never_taken_in_one_call",
           on_a_platform("_each", without_limits)),
    Mutant("posts nothing by a call", "no_movements_are_posted_without_a_call",
           around("push_movements", posting_nothing)),
    Mutant("stops at the bad movement", "a_movement_that_is_refused_comes_back_by_its_key_and_the_others_stand",
           around("push_movements", stopped_at_the_bad_one)),
    Mutant("forgets whose refusal it is", "a_movement_that_is_refused_comes_back_by_its_key_and_the_others_stand",
           around("push_movements", without_keys)),
    Mutant("hides a refused movement", "a_movement_that_is_refused_comes_back_by_its_key_and_the_others_stand",
           around("push_movements", in_silence)),
)  # fmt: skip

# Carriers.


def buying_by_asking(real: Any, shipment: Any) -> Any:
    rates = real(shipment)
    real.args[0].buy_label(replace(shipment, key=f"{shipment.key}-asked"), rates[0])
    return rates


def refusing_the_second_time(real: Any, label_id: str) -> Any:
    (office,) = real.args
    if label_id in office.__dict__.setdefault("voided", set()):
        raise Rejected("it is voided already")
    office.voided.add(label_id)
    return real(label_id)


def forgotten_words(real: Any, *names: str) -> Any:
    found = real(*names)
    return found and replace(found, unknown=())


CARRIERS = (
    Mutant("buys by asking", "asking_what_it_costs_buys_nothing", around("get_rates", buying_by_asking)),
    Mutant("puts the dearest first", "rates_are_whole_and_the_cheapest_comes_first",
           around("get_rates", lambda real, shipment: list(reversed(real(shipment))))),
    Mutant("reckons rates in floats", "what_a_label_costs_is_exact",
           around("get_rates", lambda real, shipment: [
               replace(rate, amount=Decimal(float(rate.amount))) for rate in real(shipment)])),
    Mutant("buys again", "done_twice_it_counts_once-buy_label", around("buy_label", renamed("key"))),
    Mutant("buys again blindly", "lost_news_of_a_write_never_doubles_it-buy_label",
           around("buy_label", lambda real, shipment, rate: again_and_again(
               lambda: renamed("key")(real, shipment, rate)))),
    Mutant("does not find its label", "what_was_done_out_of_sight_is_found_by_asking-buy_label",
           around("find_label", never)),
    Mutant("blames the shipment", "what_is_applied_but_not_told_is_never_called_rejected-buy_label",
           around("buy_label", blaming_the_record)),
    Mutant("tells its token with a label", "no_secret_is_in_what_a_write_says-buy_label",
           around("buy_label", telling_its_token)),
    Mutant("finds any label", "a_label_is_bought_once_under_its_key_and_found_by_it",
           around("find_label", lambda real, key: real(key) or NO_LABEL)),
    Mutant("forgets the price", "a_label_is_bought_once_under_its_key_and_found_by_it",
           around("buy_label", lambda real, *given: replace(real(*given), amount=Decimal(0)))),
    Mutant("calls all labels one", "two_labels_are_two",
           around("buy_label", lambda real, *given: replace(real(*given), label_id="B1"))),
    Mutant("refuses to void again", "a_label_that_is_given_back_stays_so",
           around("void_label", refusing_the_second_time)),
    Mutant("says it voided", "a_label_that_is_not_there_cannot_be_given_back",
           around("void_label", content_with_anything(NO_LABEL))),
    Mutant("loses its own parcel", "a_parcel_is_followed_by_its_label_and_its_number", around("track", never)),
    Mutant("knows every parcel", "a_parcel_that_nobody_knows_is_none",
           around("track", lambda real, *names: real(*names) or NO_PARCEL)),
    Mutant("forgets new words", "a_word_that_no_documentation_knows_survives_in_where_a_parcel_is",
           around("track", forgotten_words)),
)  # fmt: skip

# Payment pages.

COUNT = iter(range(1, 1_000))


def saying_yes_itself(real: Any, payment_id: str, key: str) -> Any:
    try:
        return real(payment_id, key)
    except Rejected:
        return replace(NO_PAYMENT, external_id=payment_id)


def said_no_once(real: Any, payment_id: str, key: str) -> Any:
    """Remember a refusal for ever."""
    (office,) = real.args
    if payment_id in office.__dict__.setdefault("refused", set()):
        raise Rejected("refused before")
    try:
        return real(payment_id, key)
    except Rejected:
        office.refused.add(payment_id)
        raise


CHECKOUT = (
    Mutant("starts once more", "done_twice_it_counts_once-start_payment", around("start_payment", renamed("key"))),
    Mutant("starts once more on trouble", "lost_news_of_a_write_never_doubles_it-start_payment",
           around("start_payment", renamed("key"))),
    Mutant("blames the payment", "what_is_applied_but_not_told_is_never_called_rejected-finish_payment",
           around("finish_payment", blaming_the_record)),
    Mutant("needs no name of a payment", "an_answer_of_another_shape_to_a_write_is_an_error_of_ours-start_payment",
           around("start_payment", content_with_anything(PaymentStart(external_id="", approve_url="")))),
    Mutant("tells its token with a payment", "no_secret_is_in_what_a_write_says-start_payment",
           around("start_payment", telling_its_token)),
    Mutant("calls one payment two", "a_payment_that_is_started_twice_is_one",
           around("start_payment", renamed("key"))),
    Mutant("says yes itself", "without_the_buyers_yes_no_payment_is_finished",
           around("finish_payment", saying_yes_itself)),
    Mutant("remembers the no", "without_the_buyers_yes_no_payment_is_finished",
           around("finish_payment", said_no_once)),
    Mutant("takes what is only reserved", "what_the_buyer_said_yes_to_is_reserved_or_taken_as_was_asked_for",
           around("start_payment", lambda real, asked: real(replace(asked, is_authorise_only=False)))),
    Mutant("asks for another amount", "what_the_buyer_said_yes_to_is_reserved_or_taken_as_was_asked_for",
           around("start_payment", lambda real, asked: real(replace(asked, amount=asked.amount + 1)))),
    Mutant("says it is open when asked again", "a_payment_that_is_finished_twice_is_taken_once",
           around("finish_payment", lambda real, *given: replace(real(*given), captured=Decimal(next(COUNT))))),
    Mutant("finishes what never began", "a_payment_that_was_never_started_cannot_be_finished",
           around("finish_payment", content_with_anything(NO_PAYMENT))),
    Mutant("calls a payment otherwise", "a_finished_payment_is_found_in_the_stream",
           around("finish_payment", lambda real, *given: replace(real(*given), external_id="P0"))),
)  # fmt: skip
MUTANTS = (*BOOKS, *CARRIERS, *CHECKOUT)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "_"))
def test_an_office_that_breaks_the_contract_is_found_out(mutant: Mutant) -> None:
    broken = mutant.case(OFFICE)
    with pytest.raises(FOUND_OUT):
        check_called(mutant.check).run(broken)


@pytest.mark.parametrize(
    ("field", "check"),
    [
        ("order_content", "two_orders_are_two"),
        ("movements", "a_full_batch_of_movements_is_posted"),
        ("shipment", "two_labels_are_two"),
        ("seed_unknown_parcel", "a_word_that_no_documentation_knows_survives_in_where_a_parcel_is"),
        ("payment_request", "a_payment_that_is_started_twice_is_one"),
        ("approve", "without_the_buyers_yes_no_payment_is_finished"),
    ],
)
def test_what_a_case_leaves_out_of_the_office_is_named(field: str, check: str) -> None:
    bare: dict[str, Any] = {field: None}
    with pytest.raises(AssertionError, match=f"the case leaves out `{field}`"):
        check_called(check).run(replace(case_of(OFFICE), **bare))


def test_an_office_that_changes_nothing_is_found_out() -> None:
    mute = on_a_platform("effect", never)(case_of(OFFICE))
    with pytest.raises(AssertionError, match="changes nothing"):
        check_called("done_twice_it_counts_once-push_order").run(mute)
