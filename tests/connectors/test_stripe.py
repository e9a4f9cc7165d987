"""Stripe, connector and stand-in, over HTTP; every exchange is judged by the published description."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest

from finalmarket.connectors.errors import (
    NotSupported,
    Rejected,
    RetryLater,
)
from finalmarket.connectors.records import Address, CustomerContent, PaymentRecord, RefundNotice
from finalmarket.sandbox.faults import Fault, Faults
from tests.connectors.cases.stripe import case
from tests.connectors.conformance.stage import Stage, staged

HUB = "https://hub.example/hooks/token-1"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def _pull(stage: Stage, cursor: str = "", since: datetime | None = None) -> tuple[dict[str, PaymentRecord], str]:
    """The payments that come in, the last of each, and the cursor to go on from."""
    pages = list(stage.connector.pull_payments(cursor, since))
    assert [bad for page in pages for bad in page.unreadable] == []
    return {record.external_id: record for page in pages for record in page.records}, pages[-1].cursor


def _refund(payment_id: str, amount: str = "10.00", *, key: str = "refund-1", **told: Any) -> RefundNotice:
    notice = RefundNotice(key=key, order_id="A1", payment_id=payment_id, amount=Decimal(amount), currency="EUR")
    return replace(notice, **told)


def _sent(stage: Stage, method: str, path: str) -> dict[str, str]:
    """The form of the last such request."""
    bodies = [one.request_body for one in stage.watched.exchanges if (one.method, one.path) == (method, path)]
    return {name: values[-1] for name, values in parse_qs(bodies[-1].decode(), keep_blank_values=True).items()}


# What comes in.


def test_after_the_first_time_only_what_changed_comes_in(stage: Stage) -> None:
    untouched, refunded, disputed, held, failed = (
        stage.stand_in.pay(5_000), stage.stand_in.pay(5_000), stage.stand_in.pay(5_000),
        stage.stand_in.pay(5_000, capture=False), stage.stand_in.begin(5_000),
    )  # fmt: skip
    first, cursor = _pull(stage)
    assert set(first) == {untouched, refunded, disputed, held, failed}
    stage.time.advance(timedelta(hours=1))
    stage.stand_in.give_back(refunded)
    stage.stand_in.dispute(disputed)
    stage.stand_in.expire(held)
    stage.stand_in.decline(failed)
    changed, cursor = _pull(stage, cursor)
    assert changed.pop(untouched) == first[untouched], "the last minutes are read again"
    assert {name: record.state for name, record in changed.items()} == {
        refunded: "refunded", disputed: "disputed", held: "voided", failed: "failed",
    }  # fmt: skip
    assert all(changed[name].version > first[name].version for name in changed)
    stage.time.advance(timedelta(hours=1))
    _, cursor = _pull(stage, cursor)
    assert _pull(stage, cursor)[0] == {}


def test_a_payment_tells_its_order_its_buyer_and_its_refunds(stage: Stage) -> None:
    customer = stage.stand_in.sign_up({"name": "Ada"})["id"]
    name = stage.stand_in.pay(9_999, "usd", order_id="A-17", customer=customer, email="ada@example.com")
    refund = stage.stand_in.give_back(name, 999, reason="requested_by_customer")
    payment = stage.connector.pull_payment(name)
    assert (payment.amount, payment.captured, payment.currency) == (Decimal("99.99"), Decimal("99.99"), "USD")
    assert (payment.order_id, payment.customer_id, payment.email) == ("A-17", customer, "ada@example.com")
    (told,) = payment.refunds
    assert (told.external_id, told.amount, told.reason) == (refund["id"], Decimal("9.99"), "requested_by_customer")


def test_all_refunds_are_told_even_where_the_charge_shows_only_ten(stage: Stage) -> None:
    name = stage.stand_in.pay(5_000)
    for _ in range(12):
        stage.stand_in.give_back(name, 100)
    payment = stage.connector.pull_payment(name)
    assert [refund.amount for refund in payment.refunds] == [Decimal("1.00")] * 12
    assert _pull(stage)[0][name] == payment


def test_fresh_payments_are_asked_for_by_the_hundred_and_old_ones_one_by_one(stage: Stage) -> None:
    old = stage.stand_in.pay(5_000)
    _, cursor = _pull(stage)
    stage.time.advance(timedelta(days=3))
    fresh = {stage.stand_in.pay(1_000 + number) for number in range(60)}
    stage.stand_in.give_back(old, 1_000)
    before = stage.watched.operations.copy()
    changed, _ = _pull(stage, cursor)
    assert set(changed) == fresh | {old}
    assert stage.watched.operations - before == {
        "GET /v1/events": 2, "GET /v1/payment_intents": 1, "GET /v1/payment_intents/{intent}": 1,
    }  # fmt: skip


def test_an_event_that_shows_up_minutes_late_is_not_missed(stage: Stage) -> None:
    stage.stand_in.pay(5_000)
    _, cursor = _pull(stage)
    stage.time.advance(timedelta(minutes=2))
    stage.stand_in.pay(5_000)
    _, cursor = _pull(stage, cursor)
    late = stage.stand_in.pay(7_000, at=stage.world.clock.now() - timedelta(minutes=1))
    assert late in _pull(stage, cursor)[0]


def test_a_payment_that_a_page_left_out_comes_in_with_the_next_pull(stage: Stage) -> None:
    names = {stage.stand_in.pay(1_000 + number) for number in range(5)}
    stage.stand_in.faults.then(Fault.MISSING_PAGE)
    first, cursor = _pull(stage)
    assert len(first) == 4
    assert set(first) | set(_pull(stage, cursor)[0]) == names


def test_after_a_month_of_silence_everything_is_read_again(stage: Stage) -> None:
    changed_meanwhile, untouched = stage.stand_in.pay(5_000), stage.stand_in.pay(5_000)
    customer = stage.stand_in.sign_up({"name": "Ada"})["id"]
    _, payments = _pull(stage)
    (page,) = stage.connector.pull_customers("", None)
    stage.time.advance(timedelta(days=2))
    stage.stand_in.give_back(changed_meanwhile)
    stage.stand_in.change_customer(customer, {"name": "Ada Lovelace"})
    stage.time.advance(timedelta(days=40))
    again, _ = _pull(stage, payments)
    assert (again[changed_meanwhile].state, again[untouched].state) == ("refunded", "captured")
    (later,) = stage.connector.pull_customers(page.cursor, None)
    (record,) = later.records
    assert record.name == "Ada Lovelace"
    assert record.version > page.records[0].version


def test_what_changed_since_a_moment_comes_in_though_it_was_made_before(stage: Stage) -> None:
    old = stage.stand_in.pay(5_000)
    stage.time.advance(timedelta(days=80))
    since = stage.world.clock.now() - timedelta(days=50)
    stage.stand_in.give_back(old, 1_000)
    stage.time.advance(timedelta(days=10))
    listed, cursor = _pull(stage, since=since)
    assert listed == {}
    assert [refund.amount for refund in _pull(stage, cursor)[0][old].refunds] == [Decimal("10.00")]


def test_a_charge_without_an_intent_comes_in_when_it_changes_and_by_its_id(stage: Stage) -> None:
    _, cursor = _pull(stage)
    held = stage.stand_in.charge_without_intent(3_000, capture=False)
    assert _pull(stage, cursor)[0][held].state == "authorised"
    assert stage.connector.capture_payment(held, Decimal("20.00"), "EUR", "c-1").captured == Decimal("20.00")
    stage.connector.push_refund(_refund(held, "5.00"))
    payment = stage.connector.pull_payment(held)
    assert (payment.state, [refund.amount for refund in payment.refunds]) == ("captured", [Decimal("5.00")])


def test_a_charge_of_an_intent_is_answered_with_its_payment(stage: Stage) -> None:
    name = stage.stand_in.pay(5_000)
    charge = stage.stand_in.one("payment_intents", name)["latest_charge"]
    assert stage.connector.pull_payment(charge).external_id == name


def test_a_payment_that_cannot_be_read_is_set_aside_and_the_others_stand() -> None:
    with staged(replace(case(), describe=None)) as stage:
        good, bad = stage.stand_in.pay(5_000), stage.stand_in.pay(5_000)
        stage.stand_in.one("payment_intents", bad)["currency"] = "doubloons"
        (page,) = stage.connector.pull_payments("", None)
        assert [record.external_id for record in page.records] == [good]
        assert [(one.external_id, one.raw["currency"]) for one in page.unreadable] == [(bad, "doubloons")]


def test_customers_come_in_with_their_latest_change_and_their_deletion(stage: Stage) -> None:
    ada, bob = (stage.stand_in.sign_up({"name": name})["id"] for name in ("Ada", "Bob"))
    (page,) = stage.connector.pull_customers("", None)
    known = {record.external_id: record for record in page.records}
    stage.time.advance(timedelta(hours=1))
    for name in ("Ada L.", "Ada Lovelace"):  # both within one second
        stage.stand_in.change_customer(ada, {"name": name, "preferred_locales": ["de"]})
    stage.stand_in.delete_customer(bob)
    (page,) = stage.connector.pull_customers(page.cursor, None)
    changed = {record.external_id: record for record in page.records}
    assert (changed[ada].name, changed[ada].language, changed[ada].is_deleted) == ("Ada Lovelace", "de", False)
    assert changed[bob].is_deleted
    assert stage.connector.pull_customer(bob).is_deleted
    assert all(changed[name].version > known[name].version for name in (ada, bob))
    assert stage.connector.pull_customer(ada).version == changed[ada].version


# What goes out.


def test_a_refund_says_why_where_stripe_has_a_word_for_it_and_whose_it_is(stage: Stage) -> None:
    name = stage.stand_in.pay(5_000)
    told = stage.connector.push_refund(_refund(name, "12.34", reason="Return"))
    assert _sent(stage, "POST", "/v1/refunds") == {
        "payment_intent": name, "amount": "1234", "reason": "requested_by_customer",
        "metadata[finalmarket_key]": "refund-1", "metadata[order_id]": "A1",
    }  # fmt: skip
    assert stage.stand_in.paid()[name]["refunded"] == 1_234
    assert told in stage.stand_in.state["refunds"]
    stage.connector.push_refund(_refund(name, key="refund-2", reason="the wrong shade of blue"))
    assert "reason" not in _sent(stage, "POST", "/v1/refunds")


def test_a_refund_asked_for_again_after_stripe_forgot_the_key_happens_once(stage: Stage) -> None:
    name = stage.stand_in.pay(5_000)
    told = stage.connector.push_refund(_refund(name))
    stage.time.advance(timedelta(days=2))
    assert stage.connector.push_refund(_refund(name)) == told
    assert stage.stand_in.paid()[name]["refunded"] == 1_000


def test_a_refund_that_the_look_at_the_payment_does_not_show_yet_happens_once() -> None:
    with staged(case(), faults=Faults()) as stage:
        name = stage.stand_in.pay(5_000)
        stage.stand_in.remember()
        told = stage.connector.push_refund(_refund(name))
        stage.stand_in.faults.then(Fault.STALE_READ)
        assert stage.connector.push_refund(_refund(name)) == told
        assert stage.stand_in.faults.met == 1
        assert stage.stand_in.paid()[name]["refunded"] == 1_000


def test_what_stripe_did_but_answers_with_a_failure_for_a_day_is_found_out_by_looking() -> None:
    """Within that day the key brings the same failure again, whatever happened."""
    with staged(case(), faults=Faults()) as stage:
        stage.stand_in.keeps_failures = True
        paid, held, dropped = stage.stand_in.pay(5_000), *(stage.stand_in.pay(900, capture=False) for _ in "12")
        content = CustomerContent(key="c-1", name="Ada", email="ada@example.com")
        for act in (
            lambda: stage.connector.push_refund(_refund(paid)),
            lambda: stage.connector.capture_payment(held, Decimal("9.00"), "EUR", "k-1"),
            lambda: stage.connector.cancel_payment(dropped, "k-2"),
            lambda: stage.connector.push_customer(content),
        ):
            stage.stand_in.faults.then(Fault.ERROR_AFTER)
            with pytest.raises(RetryLater):
                act()  # type: ignore[no-untyped-call]
            assert act()  # type: ignore[no-untyped-call]
        facts = stage.stand_in.paid()
        assert (facts[paid]["refunded"], facts[held]["captured"], facts[dropped]["status"]) == (1_000, 900, "canceled")
        assert len(stage.stand_in.state["customers"]) == 1


def test_money_is_never_moved_in_another_currency_or_in_parts_that_stripe_does_not_know(stage: Stage) -> None:
    name, held = stage.stand_in.pay(5_000, "usd"), stage.stand_in.pay(5_000, "jpy", capture=False)
    before = stage.effects()
    for notice in (_refund(name), _refund(name, "1.005", currency="USD"), _refund(name, "-1", currency="USD")):
        with pytest.raises(Rejected) as caught:
            stage.connector.push_refund(notice)
        assert caught.value.key == notice.key
    with pytest.raises(Rejected):
        stage.connector.capture_payment(held, Decimal("10.50"), "JPY", "k-1")
    assert stage.effects() == before
    assert stage.connector.capture_payment(held, Decimal(4_000), "JPY", "k-2").captured == Decimal(4_000)
    assert stage.stand_in.paid()[held]["captured"] == 4_000


def test_a_refund_that_stripe_refuses_says_which_and_why(stage: Stage) -> None:
    returned, disputed, small, bounced = (stage.stand_in.pay(5_000) for _ in range(4))
    stage.stand_in.give_back(returned)
    stage.stand_in.dispute(disputed)
    reasons = {}
    for name, amount in ((returned, "1"), (disputed, "1"), (small, "50.01"), ("pi_of_nobody", "1")):
        with pytest.raises(Rejected) as caught:
            stage.connector.push_refund(_refund(name, amount, key=f"r-{name}"))
        assert caught.value.key == f"r-{name}"
        reasons[name] = caught.value.code
    assert reasons == {
        returned: "charge_already_refunded", disputed: "charge_disputed", small: "invalid_request_error",
        "pi_of_nobody": "resource_missing",
    }  # fmt: skip
    told = stage.connector.push_refund(_refund(bounced, key="r-5"))
    stage.stand_in.fail_refund(told)
    with pytest.raises(Rejected, match="lost_or_stolen_card"):
        stage.connector.push_refund(_refund(bounced, key="r-5"))


def test_a_held_amount_is_taken_in_part_and_the_rest_let_go(stage: Stage) -> None:
    name = stage.stand_in.pay(5_000, capture=False)
    payment = stage.connector.capture_payment(name, Decimal("30.00"), "EUR", "k-1")
    assert (payment.state, payment.amount, payment.captured) == ("captured", Decimal("50.00"), Decimal("30.00"))
    assert payment.refunds == ()
    assert _sent(stage, "POST", f"/v1/payment_intents/{name}/capture")["amount_to_capture"] == "3000"


def test_what_was_taken_stays_so_though_less_is_wanted_now(stage: Stage) -> None:
    name = stage.stand_in.pay(5_000, capture=False)
    stage.connector.capture_payment(name, Decimal("30.00"), "EUR", "k-1")
    assert stage.connector.capture_payment(name, Decimal("20.00"), "EUR", "k-1").captured == Decimal("30.00")
    assert stage.effects()["capture"] == 1


def test_less_may_be_taken_under_a_key_whose_first_try_came_to_nothing(stage: Stage) -> None:
    name = stage.stand_in.pay(5_000, capture=False)
    with pytest.raises(Rejected):
        stage.connector.capture_payment(name, Decimal("60.00"), "EUR", "k-1")
    assert stage.connector.capture_payment(name, Decimal("30.00"), "EUR", "k-1").captured == Decimal("30.00")


def test_what_cannot_be_taken_or_let_go_is_rejected(stage: Stage) -> None:
    name, taken = stage.stand_in.pay(5_000, capture=False), stage.stand_in.pay(5_000)
    with pytest.raises(Rejected) as caught:
        stage.connector.capture_payment(name, Decimal("50.01"), "EUR", "k-1")
    assert caught.value.code == "amount_too_large"
    with pytest.raises(Rejected) as caught:
        stage.connector.cancel_payment(taken, "k-2")
    assert (caught.value.code, caught.value.key) == ("payment_intent_unexpected_state", "k-2")
    bare = stage.stand_in.charge_without_intent(900, capture=False)
    with pytest.raises(NotSupported):
        stage.connector.cancel_payment(bare, "k-3")


def test_a_customer_is_made_with_all_we_know_and_changed_in_what_we_know(stage: Stage) -> None:
    address = Address(street="Hauptstr. 1", street2="Hof", postcode="10115", city="Berlin", country="DE")
    content = CustomerContent(
        key="c-1", name="Ada", email="ada@example.com", phone="+49301234", language="de", address=address
    )
    name = stage.connector.push_customer(content)
    assert stage.connector.push_customer(
        CustomerContent(key="c-2", external_id=name, name="Ada Lovelace")
    ) == name  # fmt: skip
    customer = stage.connector.pull_customer(name)
    assert (customer.name, customer.email, customer.phone) == ("Ada Lovelace", "ada@example.com", "+49301234")
    assert (customer.language, replace(customer.address, name="")) == ("de", address)
    assert stage.stand_in.one("customers", name)["metadata"] == {"finalmarket_key": "c-1"}
    with pytest.raises(Rejected):
        stage.connector.push_customer(CustomerContent(key="c-3", external_id="cus_of_nobody", name="Bob"))


def test_every_post_carries_a_key_and_the_version_is_pinned(stage: Stage) -> None:
    stage.connector.push_refund(_refund(stage.stand_in.pay(5_000)))
    stage.connector.cancel_payment(stage.stand_in.pay(900, capture=False), "k-1")
    stage.connector.push_customer(CustomerContent(key="c-1", name="Ada"))
    stage.connector.subscribe(HUB)
    posts = [one.request_headers for one in stage.watched.exchanges if one.method == "POST"]
    assert len(posts) == 4
    assert all(headers["idempotency-key"] for headers in posts)
    assert {one.request_headers["stripe-version"] for one in stage.watched.exchanges} == {"2026-05-27.dahlia"}


def test_a_key_with_another_request_is_refused(stage: Stage) -> None:
    post = {"headers": {"Idempotency-Key": "k-1"}, "repeatable": True}
    made = stage.connector.http.call("POST", "/v1/customers", form={"name": "Ada"}, **post)
    again = stage.connector.http.call("POST", "/v1/customers", form={"name": "Ada"}, **post)
    assert (again.data, again.headers["idempotent-replayed"]) == (made.data, "true")
    with pytest.raises(Rejected) as caught:
        stage.connector.http.call("POST", "/v1/customers", form={"name": "Bob"}, **post)
    assert caught.value.code == "idempotency_error"
