"""Stripe's words and lists, without a call: amounts, states, versions, forms, windows of time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.platforms.stripe import lists, words
from finalmarket.connectors.records import Address, CustomerContent
from finalmarket.sandbox.platforms.stripe import Stripe as StandIn
from finalmarket.sandbox.world import World
from tests.connectors.descriptions import vendor_apis

# Stripe's own examples.


def _example(kind: str) -> Any:
    return json.loads((vendor_apis() / "stripe" / "fixtures3.json").read_text())["resources"][kind]


def test_stripes_own_example_of_a_payment_is_read() -> None:
    payment = words.payment_record(_example("payment_intent"))
    assert (payment.external_id, payment.amount, payment.currency) == (
        "pi_1PgafyB7WZ01zgkWSjxsAJo3", Decimal("10.99"), "USD",
    )  # fmt: skip
    assert (payment.state, payment.captured, payment.refunds) == ("failed", Decimal(0), ())


def test_stripes_own_example_of_a_charge_is_a_payment_that_waits_to_be_captured() -> None:
    payment = words.payment_record(_example("charge"))
    assert (payment.external_id, payment.amount, payment.state) == (
        "ch_1PgafuB7WZ01zgkWXYmPNZs8", Decimal("1.00"), "authorised",
    )  # fmt: skip


def test_stripes_own_example_of_a_refund_is_read() -> None:
    refund = words.refund_record(_example("refund"))
    assert (refund.external_id, refund.amount, refund.reason) == ("re_1Pgc72B7WZ01zgkWqPvrRrPE", Decimal("1.00"), "")


def test_stripes_own_example_of_a_dispute_disputes_its_charge() -> None:
    charge = {**_example("charge"), "captured": True, "amount_captured": 100, "disputed": True}
    assert words.payment_record(charge, [_example("dispute")]).state == "disputed"


def test_stripes_own_example_of_a_customer_is_read() -> None:
    customer = words.customer_record(_example("customer"), "1")
    assert (customer.external_id, customer.name, customer.email) == ("cus_QXg1o8vcGmoR32", "", "")
    assert customer.address == Address()
    assert customer.accepts_email is None


def test_stripes_own_example_of_an_event_concerns_nobody_here() -> None:
    event = _example("event")
    assert words.concern_of(event) == ("unknown", "")
    assert words.payment_of(event) == words.customer_of(event) == ""


# Amounts.

COUNTED = [
    ("eur", 1099, "10.99"), ("jpy", 500, "500"), ("kwd", 5120, "5.120"), ("huf", 1045, "10.45"),
    ("twd", 1045, "10.45"), ("isk", 500, "5.00"), ("ugx", 500, "5.00"), ("mga", 5, "5"),
]  # fmt: skip


@pytest.mark.parametrize(("currency", "minor", "amount"), COUNTED)
def test_amounts_are_counted_as_stripe_counts_them(currency: str, minor: int, amount: str) -> None:
    assert str(words.amount_of(minor, currency)) == amount
    assert words.minor_of(Decimal(amount), currency.upper()) == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("5.124", "KWD"), ("5.50", "ISK"), ("0.50", "UGX"), ("10.999", "EUR"), ("1.5", "JPY"), ("0", "EUR"), ("-1", "EUR"),
     ("1", "XXX")],
)  # fmt: skip
def test_an_amount_that_stripe_does_not_take_is_refused_before_it_is_sent(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=currency if currency != "JPY" else "JPY"):
        words.minor_of(Decimal(amount), currency)


# States and versions.

EXPAND = {"latest_charge", "latest_charge.refunds"}


def _stand_in() -> StandIn:
    world = World()
    world.clock.stand_still()
    return StandIn(world)


def _record(there: StandIn, name: str) -> Any:
    intent = there.one("payment_intents", name)
    disputes = there.disputes_of(intent["latest_charge"]) if intent["latest_charge"] else []
    return words.payment_record(there.show_intent(intent, EXPAND), disputes)


def _life_of_a_payment(there: StandIn) -> list[Any]:
    """Everything that may happen to one payment, within one second; its record after each step."""
    name = there.begin(10_000, capture=False)
    steps = [_record(there, name)]
    refunds: list[str] = []
    for step in (
        lambda: there.decline(name),
        lambda: there.confirm(name),
        lambda: there.capture(name, 8_000),
        lambda: refunds.append(there.give_back(name, 3_000)["id"]),
        lambda: refunds.append(there.give_back(name, 1_000)["id"]),
        lambda: there.fail_refund(refunds[0]),
        lambda: there.dispute(name),
        lambda: there.settle_dispute(next(iter(there.state["disputes"])), "lost"),
        lambda: there.settle_dispute(next(iter(there.state["disputes"])), "won"),
    ):
        step()
        steps.append(_record(there, name))
    return steps


def test_every_step_of_a_payment_has_a_later_version_even_within_one_second() -> None:
    versions = [record.version for record in _life_of_a_payment(_stand_in())]
    assert versions == sorted(set(versions))


def test_every_step_of_a_payment_has_its_state() -> None:
    states = [record.state for record in _life_of_a_payment(_stand_in())]
    assert states == [
        "pending", "failed", "authorised", "captured", "captured", "captured", "captured", "disputed", "disputed",
        "captured",
    ]  # fmt: skip


def test_what_a_part_capture_lets_go_is_no_refund_and_a_refund_that_failed_no_longer_counts() -> None:
    *_, captured, first, second, failed, _, _, _ = _life_of_a_payment(_stand_in())
    assert (captured.amount, captured.captured, captured.refunds) == (Decimal("100.00"), Decimal("80.00"), ())
    assert [str(refund.amount) for refund in first.refunds] == ["30.00"]
    assert sorted(str(refund.amount) for refund in second.refunds) == ["10.00", "30.00"]
    assert [str(refund.amount) for refund in failed.refunds] == ["10.00"]
    assert (second.failed_refunds, failed.failed_refunds) == ((), (first.refunds[0].external_id,))


def test_a_payment_that_is_given_back_whole_is_refunded_and_one_let_go_is_voided() -> None:
    there = _stand_in()
    paid, held, lapsed = there.pay(5_000), there.pay(5_000, capture=False), there.pay(5_000, capture=False)
    there.give_back(paid, 2_000)
    there.give_back(paid)
    there.cancel(held)
    there.expire(lapsed)
    assert [_record(there, name).state for name in (paid, held, lapsed)] == ["refunded", "voided", "voided"]


@pytest.mark.parametrize(
    ("status", "state"),
    [("warning_needs_response", "disputed"), ("under_review", "disputed"), ("lost", "disputed"), ("won", "captured"),
     ("warning_closed", "captured"), ("prevented", "captured")],
)  # fmt: skip
def test_a_dispute_stands_until_it_is_won_or_closed(status: str, state: str) -> None:
    there = _stand_in()
    name = there.pay(5_000)
    there.dispute(name, status=status)
    assert _record(there, name).state == state


def test_a_dispute_of_an_unknown_kind_stands_and_says_so() -> None:
    there = _stand_in()
    name = there.pay(5_000)
    there.dispute(name, status="arbitration")
    assert (_record(there, name).state, _record(there, name).unknown) == ("disputed", ("arbitration",))


def test_a_payment_whose_refunds_are_not_told_is_not_guessed() -> None:
    there = _stand_in()
    name = there.pay(5_000)
    there.give_back(name, 1_000)
    intent = there.one("payment_intents", name)
    for told in (intent, there.show_intent(intent, {"latest_charge"})):
        with pytest.raises(ValueError, match="refunds"):
            words.payment_record(told)


def test_the_order_is_found_in_the_metadata_field_that_the_shop_uses_or_in_the_payment_details() -> None:
    intent = _stand_in_intent()
    assert words.payment_record({**intent, "metadata": {"order_id": "A1"}}).order_id == "A1"
    assert words.payment_record({**intent, "metadata": {"shop_order": "A2"}}, order_field="shop_order").order_id == "A2"
    assert words.payment_record({**intent, "payment_details": {"order_reference": "A3"}}).order_id == "A3"


def _stand_in_intent() -> dict[str, Any]:
    there = _stand_in()
    return there.one("payment_intents", there.begin(1_000))


# Customers and forms.


def test_what_we_do_not_know_of_a_customer_is_not_told() -> None:
    content = CustomerContent(key="c-1", name="Ada", address=Address(city="Berlin", country="DE"))
    assert words.form_fields(words.customer_fields(content)) == {
        "name": "Ada", "address[city]": "Berlin", "address[country]": "DE",
    }  # fmt: skip


def test_a_phone_number_is_told_as_long_as_stripe_takes_it() -> None:
    written = CustomerContent(key="c-1", phone="+49 (0) 30 / 1234 - 5678 90")
    assert words.customer_fields(written)["phone"] == "+49030123456" + "7890"
    with pytest.raises(ValueError, match="phone"):
        words.customer_fields(CustomerContent(key="c-1", phone="1" * 21))


def test_forms_are_written_with_brackets() -> None:
    nested = {
        "created": {"gte": 5, "lt": None},
        "expand": ["a", "b"],
        "disabled": False,
        "email": "",
        "metadata": {"k": "v"},
    }
    assert words.form_fields(nested) == {
        "created[gte]": "5", "expand[0]": "a", "expand[1]": "b", "disabled": "false", "email": "", "metadata[k]": "v",
    }  # fmt: skip


def test_a_key_goes_as_it_is_where_stripe_takes_it_and_as_a_digest_where_not() -> None:
    assert words.tag_of("refund:17.a-b_c") == "refund:17.a-b_c"
    odd = [words.tag_of(key) for key in ("x" * 300, "it's", "späti", "", "a b")]
    assert len(set(odd)) == len(odd)
    assert all(len(tag) == 64 and tag.isalnum() for tag in odd)


# Lists.


class _List:
    """A list at Stripe, in memory: newest first, a few at a time."""

    def __init__(self, moments: Sequence[int]) -> None:
        made: list[dict[str, Any]] = [
            {"id": f"x_{number}", "created": moment} for number, moment in enumerate(sorted(moments))
        ]
        self.items = made[::-1]

    def ask(self, query: Mapping[str, Any]) -> Any:
        chosen = query["created"]
        start_at, end_at = chosen["gte"] or 0, chosen["lt"]
        inside = [
            item for item in self.items if start_at <= item["created"] and (not end_at or item["created"] < end_at)
        ]
        names = [item["id"] for item in inside]
        start = names.index(query["starting_after"]) + 1 if query["starting_after"] else 0
        return {"data": inside[start : start + 3], "has_more": start + 3 < len(inside)}


@settings(max_examples=150)
@given(st.lists(st.integers(min_value=0, max_value=5_000), max_size=60), st.integers(min_value=0, max_value=6_000))
def test_windows_of_time_bring_everything_once_and_oldest_first(moments: list[int], now: int) -> None:
    there = _List(moments)
    with mock.patch.object(lists, "ITEMS_A_WINDOW", 5):
        read = list(lists.windows(there.ask, 0, now))
    assert [item for items, _ in read for item in items] == there.items[::-1]
    assert [is_last for _, is_last in read] == [False] * (len(read) - 1) + [True]
    busiest = max((moments.count(moment) for moment in moments), default=0)
    assert all(len(items) <= max(5 + 3, busiest) for items, _ in read), "a page more than wanted, or all of one second"


def test_a_list_that_never_ends_is_noticed() -> None:
    with pytest.raises(Unintelligible):
        lists.read_list(lambda query: {"data": [{"id": "x", "created": 1}], "has_more": True})


@pytest.mark.parametrize("page", [{}, None, {"data": None}, {"data": [{"id": "x"}]}, {"data": [3]}])
def test_a_page_of_another_shape_is_unintelligible(page: Any) -> None:
    with pytest.raises(Unintelligible):
        lists.items_of(page)


@pytest.mark.parametrize("cursor", ['{"at": "soon"}', '{"at": null}', "[]", "nonsense"])
def test_a_foreign_cursor_is_unintelligible(cursor: str) -> None:
    with pytest.raises(Unintelligible):
        lists.find_place(cursor, None, 1_000)


def test_of_several_events_of_a_customer_in_one_second_the_last_counts_and_says_how_many() -> None:
    events = [
        {"id": f"evt_{number}", "created": moment, "about": who}
        for number, (moment, who) in enumerate([(1, "a"), (2, "a"), (2, "b"), (2, "a"), (3, "")])
    ]
    changes = lists.changes_in(events, lambda event: str(event["about"]))
    assert [(change.subject, change.event["id"], change.count) for change in changes] == [
        ("b", "evt_2", 1), ("a", "evt_3", 2),
    ]  # fmt: skip


def test_a_customer_that_is_read_older_than_its_latest_event_counts_as_that_event_left_it() -> None:
    stale = {"id": "cus_1", "object": "customer", "name": "Ada", "created": 10}
    changed = {"created": 20, "type": "customer.updated", "data": {"object": {**stale, "name": "Ada Lovelace"}}}
    seen = words.customer_among(stale, [changed], are_all=True, now=100)
    assert (seen.name, seen.version) == ("Ada Lovelace", words.customer_version(20, 1))
    gone = words.customer_among(stale, [{**changed, "type": "customer.deleted"}], are_all=True, now=100)
    assert gone.is_deleted
