"""Orders come in once, whole, and in whatever order the news arrives."""

from dataclasses import replace
from decimal import Decimal

import pytest

from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.persons import members, settle
from finalmarket.kernel.errors import UserError
from finalmarket.orders import fulfilment, intake, jobs, payments
from finalmarket.orders.drafts import Address, LineDraft, OutOfStock, RefundDraft, TenderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, Payment
from finalmarket.stock import ledger
from tests.orders.market import Market, at, draft, goods_line, line, on_hand, parcels, promised, together


def test_an_order_promises_its_goods_and_waits_in_a_parcel(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5)
    taken = take(draft(market.web, "1", line("TEA", 2)))
    assert (taken.outcome, taken.problem) == ("created", "")
    assert at(tea, market.warehouse) == (5, 2)
    assert [parcel.location for parcel in parcels(taken.order)] == [market.warehouse]
    assert taken.order.number.startswith("W-")


def test_the_same_order_again_changes_nothing(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5)
    first = take(draft(market.web, "1", line("TEA", 2)))
    again = take(draft(market.web, "1", line("TEA", 2)))
    assert (again.outcome, again.order.pk) == ("unchanged", first.order.pk)
    assert promised(tea) == 2
    assert Payment.objects.count() == 1


def test_one_number_on_two_accounts_is_two_orders(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    first = take(draft(market.bazaar, "1", line("TEA"), source="account-a"))
    second = take(draft(market.bazaar, "1", line("TEA"), source="account-b"))
    assert first.order.pk != second.order.pk


def test_our_own_door_is_refused_what_is_not_there_and_nothing_is_stored(market: Market) -> None:
    tea = market.goods("TEA", warehouse=1)
    with pytest.raises(OutOfStock, match=r"TEA: 2 wanted, 1 available"):
        take(draft(market.web, "1", line("TEA", 2)))
    assert Order.objects.count() == 0
    assert OmnichannelCustomer.objects.count() == 0
    assert promised(tea) == 0


def test_two_lines_of_one_order_never_share_the_last_unit(market: Market) -> None:
    market.goods("TEA", warehouse=1)
    with pytest.raises(OutOfStock):
        take(draft(market.web, "1", line("TEA"), line("TEA")))


def test_a_sale_that_happened_is_taken_with_what_is_there_and_says_what_is_short(market: Market) -> None:
    tea = market.goods("TEA", warehouse=1)
    taken = take(draft(market.bazaar, "1", line("TEA", 3)))
    assert taken.outcome == "created"
    assert taken.problem == "short: 2 x TEA"
    assert goods_line(taken.order).short_quantity == 2
    assert promised(tea) == 1


def test_what_was_short_is_promised_when_goods_arrive_and_routed_when_looked_at(market: Market) -> None:
    tea = market.goods("TEA", warehouse=1)
    order = take(draft(market.bazaar, "1", line("TEA", 3))).order
    market.receive(tea, 10, market.north)
    assert intake.waiting_orders() == [order.pk]
    taken = intake.retry(order.pk, actor="ann")
    assert (taken.outcome, taken.problem) == ("updated", "")
    assert promised(tea) == 3
    assert sum(part.quantity for parcel in parcels(order) for part in parcel.lines.all()) == 3
    assert intake.waiting_orders() == []


def test_the_worker_brings_orders_in_step_with_what_arrived_and_what_a_count_took(market: Market) -> None:
    tea = market.goods("TEA", warehouse=1)
    short = take(draft(market.bazaar, "1", line("TEA", 2))).order
    market.receive(tea, 1, market.north)
    jobs.bring_in_step()
    assert {parcel.location.code for parcel in parcels(short)} == {"warehouse", "north"}
    ledger.set_on_hand(tea.pk, market.north.pk, 0, reason="counted", actor="ann")
    jobs.bring_in_step()
    short.refresh_from_db()
    assert ({parcel.location.code for parcel in parcels(short)}, short.problem) == ({"warehouse"}, "short: 1 x TEA")


def test_a_short_order_that_is_cancelled_claims_nothing_of_later_goods(market: Market) -> None:
    tea = market.goods("TEA", warehouse=1)
    order = take(draft(market.bazaar, "1", line("TEA", 3))).order
    intake.cancel_external(market.bazaar, "1")
    market.receive(tea, 10, market.north)
    order.refresh_from_db()
    assert (order.state, order.problem) == ("cancelled", "")
    assert (on_hand(tea), promised(tea)) == (11, 0)


def test_an_unknown_sku_of_a_marketplace_is_kept_with_its_reason_and_settled_later(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    taken = take(draft(market.bazaar, "1", line("TEA"), line("POT", price="20.00")))
    assert taken.problem == "unknown SKU: POT"
    pot = market.goods("POT", warehouse=3)
    assert intake.retry(taken.order.pk, actor="ann").problem == ""
    assert promised(pot) == 1


def test_an_unknown_sku_at_our_own_door_is_refused(market: Market) -> None:
    with pytest.raises(UserError, match="unknown SKU: POT"):
        take(draft(market.web, "1", line("POT")))


def test_a_newer_version_changes_stock_by_the_difference(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=9), market.goods("POT", warehouse=9)
    take(draft(market.bazaar, "1", line("TEA", 2), line("POT", 3), external_version="1"))
    more = take(draft(market.bazaar, "1", line("TEA", 5), line("POT", 1), external_version="2"))
    assert more.outcome == "updated"
    assert (promised(tea), promised(pot)) == (5, 1)
    assert more.order.total == Decimal("60.00")
    late = take(draft(market.bazaar, "1", line("TEA", 2), line("POT", 3), external_version="1"))
    assert late.outcome == "unchanged"
    assert (promised(tea), promised(pot)) == (5, 1)


def test_an_update_that_comes_before_its_order_is_not_undone_by_it(market: Market) -> None:
    tea = market.goods("TEA", warehouse=9)
    take(draft(market.bazaar, "1", line("TEA", 4), external_version="2026-05-04T12:00:00Z"))
    taken = take(draft(market.bazaar, "1", line("TEA", 2), external_version="2026-05-04T13:59:59+02:00"))
    assert taken.outcome == "unchanged"
    assert promised(tea) == 4


def test_a_cancellation_that_comes_before_its_order_keeps_it_cancelled(market: Market) -> None:
    tea = market.goods("TEA", warehouse=9)
    stub = intake.cancel_external(market.bazaar, "1", external_version="2")
    assert stub.outcome == "cancelled"
    taken = take(draft(market.bazaar, "1", line("TEA", 4), external_version="1"))
    assert (taken.outcome, taken.order.state) == ("cancelled", "cancelled")
    assert taken.order.total == Decimal("40.00")
    assert promised(tea) == 0
    assert taken.order.payment_state == "refunded"


def test_a_line_that_the_channel_drops_is_cancelled_and_a_new_one_promised(market: Market) -> None:
    tea, pot = market.goods("TEA", warehouse=9), market.goods("POT", warehouse=9)
    take(draft(market.bazaar, "1", line("TEA", 2, external_id="a"), external_version="1"))
    taken = take(draft(market.bazaar, "1", line("POT", 1, external_id="b"), external_version="2"))
    assert (promised(tea), promised(pot)) == (0, 1)
    assert taken.order.state == "open"


def test_the_echo_of_our_own_cancellation_is_not_taken_off_twice(market: Market) -> None:
    from finalmarket.orders import aftersales

    tea = market.goods("TEA", warehouse=9)
    order = take(draft(market.bazaar, "1", line("TEA", 3), external_version="1")).order
    aftersales.cancel_units(order.pk, {goods_line(order).pk: 1}, key="c", reason="asked for it", actor="ann")
    assert promised(tea) == 2
    take(draft(market.bazaar, "1", line("TEA", 2), external_version="2"))
    assert promised(tea) == 2


def test_units_that_left_cannot_be_taken_off_by_the_channel(market: Market) -> None:
    tea = market.goods("TEA", warehouse=9)
    order = take(draft(market.bazaar, "1", line("TEA", 3), external_version="1")).order
    fulfilment.ship(parcels(order)[0].pk, actor="ann")
    taken = take(draft(market.bazaar, "1", line("TEA", 1), external_version="2"))
    assert taken.problem == "the channel took units off that had left: TEA"
    assert on_hand(tea) == 6
    assert goods_line(order).fulfilled_quantity == 3


def test_a_sale_at_the_till_leaves_the_shelf_of_its_store_at_once(market: Market) -> None:
    tea = market.goods("TEA", warehouse=5, north=5)
    taken = take(draft(market.till, "1", line("TEA", 2), handed_over=True, location_id=market.north.pk))
    assert taken.order.state == "fulfilled"
    assert at(tea, market.north) == (3, 0)
    assert at(tea, market.warehouse) == (5, 0)


def test_the_parts_sum_to_the_total_and_only_the_total_is_rounded(market: Market) -> None:
    market.goods("PIN", warehouse=1000)
    lines = (
        line("PIN", 333, "0.001"),
        line("PIN", 5, "1.0049"),
        LineDraft(kind="shipping", unit_price=Decimal("4.90")),
        LineDraft(kind="discount", discount=Decimal("0.50")),
    )
    order = take(draft(market.web, "1", *lines, tenders=(), tip=Decimal("1.00"))).order
    assert order.total == Decimal("10.76")  # 0.333 + 5.0245 + 4.90 - 0.50 + 1.00 = 10.7575
    assert order.goods - order.discount + order.shipping + order.fees + order.tip == order.total


def test_tax_is_added_or_included_as_the_door_says(market: Market) -> None:
    market.goods("TEA", warehouse=9)
    taxed = line("TEA", 1, "100.00", tax_rate=Decimal("0.19"))
    added = take(draft(market.web, "1", taxed, tenders=(), tax_included=False)).order
    included = take(draft(market.web, "2", taxed, tenders=())).order
    assert (added.total, added.tax) == (Decimal("119.00"), Decimal("19.00"))
    assert (included.total, included.tax) == (Decimal("100.00"), Decimal("15.97"))


def test_a_total_of_a_platform_that_is_not_its_parts_is_kept_and_said(market: Market) -> None:
    market.goods("TEA", warehouse=9)
    taken = take(draft(market.bazaar, "1", line("TEA", 2), total=Decimal("18.50"), tenders=()))
    assert taken.order.total == Decimal("18.50")
    assert "the total 18.50 given is not the sum 20.00 of its parts" in taken.problem
    with pytest.raises(UserError, match="not the sum"):
        take(draft(market.web, "1", line("TEA", 2), total=Decimal("18.50"), tenders=()))


def test_one_cent_of_rounding_by_the_platform_is_no_problem(market: Market) -> None:
    market.goods("TEA", warehouse=9)
    taken = take(draft(market.bazaar, "1", line("TEA", 3, "3.333"), total=Decimal("9.99"), tenders=()))
    assert (taken.order.total, taken.problem) == (Decimal("9.99"), "")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lines": (line("TEA", 1, "NaN"),)}, "line 1: unit_price NaN is not an amount"),
        ({"lines": (line("TEA"), line("TEA", 1, "-1"))}, "line 2: unit_price -1 is below zero"),
        ({"lines": (line("TEA", -3),)}, "line 1: quantity -3 is not a whole number"),
        ({"lines": (line("TEA", 1, discount=Decimal(11)),)}, "more than the line costs"),
        ({"lines": ()}, "has no lines"),
        ({"currency": "EUX"}, "EUX"),
        ({"currency": "USD"}, "no price in USD for TEA"),
        ({"external_id": " "}, "external_id must have 1 to 200 characters"),
        ({"channel_id": 0}, "no sales channel with id 0"),
        ({"total": Decimal("Infinity")}, "total Infinity is not an amount"),
        ({"tenders": (TenderDraft("card", Decimal("10.01")),)}, "payments of 10.01 are more than the total 10.00"),
        ({"lines": (LineDraft(sku="TEA", unit_price=0.1),)}, "unit_price must be a Decimal"),  # type: ignore[arg-type]
    ],
)
def test_a_draft_that_is_wrong_is_refused_with_its_place(market: Market, change: dict[str, object], says: str) -> None:
    market.goods("TEA", warehouse=5)
    with pytest.raises(UserError, match=says.replace("(", r"\(")):
        take(replace(draft(market.web, "1", line("TEA")), **change))  # type: ignore[arg-type]
    assert Order.objects.count() == 0


def test_an_archived_channel_sells_nothing_of_ours_but_keeps_what_a_platform_sold(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    for channel in (market.web, market.bazaar):
        channel.status = "archived"
        channel.save()
    with pytest.raises(UserError, match="archived"):
        take(draft(market.web, "1", line("TEA")))
    assert "archived" in take(draft(market.bazaar, "1", line("TEA"))).problem


def test_what_a_platform_sold_of_an_archived_product_is_an_order_like_any_other(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    market.product.status = "archived"
    market.product.save()
    taken = take(draft(market.bazaar, "1", line("TEA", 2)))
    assert (taken.outcome, taken.problem) == ("created", "")
    assert promised(market.variants["TEA"]) == 2


def test_text_that_no_database_holds_is_cleaned(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    taken = take(draft(market.bazaar, "1", line("TEA", title="a\x00b"), raw={"note": "x\x00y", "n": float("nan")}))
    assert taken.order.raw == {"note": "xy", "n": "nan"}
    assert goods_line(taken.order).title == "ab"


def test_the_customer_is_found_again_by_address_or_number(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    first = take(draft(market.web, "1", line("TEA"), email="Ann@Example.com", phone="030 901820", name="Ann")).order
    second = take(draft(market.bazaar, "2", line("TEA"), phone="+49 30 901820")).order
    nobody = take(draft(market.bazaar, "3", line("TEA"), email="not an address")).order
    settle()
    assert first.customer_id is not None
    assert members(first.customer_id) == [first.customer_id, second.customer_id]
    assert nobody.customer_id is None


def test_a_loyalty_card_at_the_till_is_the_person_of_the_web_shop(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    first = take(draft(market.web, "1", line("TEA"), email="ann@example.com", loyalty="FM1", device="d1")).order
    second = take(draft(market.till, "2", line("TEA"), loyalty="FM1", payment_fingerprint="fp_1")).order
    third = take(draft(market.till, "3", line("TEA"), payment_fingerprint="fp_1")).order
    settle()
    assert first.customer_id is not None
    assert members(first.customer_id) == [first.customer_id, second.customer_id, third.customer_id]


def test_a_refund_of_the_platform_is_booked_once(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    wanted = draft(market.bazaar, "1", line("TEA", 2), refunds=(RefundDraft("r1", Decimal("5.00")),))
    take(wanted)
    order = take(replace(wanted, external_version="2")).order
    assert order.refunded == Decimal("5.00")
    assert order.payment_state == "partly_refunded"


def test_a_refund_of_the_platform_is_booked_on_what_was_paid_there_alone(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    wanted = draft(market.bazaar, "1", line("TEA", 2), tenders=(TenderDraft("platform", Decimal("10.00")),))
    order = take(wanted).order
    payments.receive(order.pk, tender="gift_card", amount=Decimal("10.00"), external_id="G1", actor="ann")
    more_than_that = (RefundDraft("r1", Decimal("4.00")), RefundDraft("r2", Decimal("8.00")))
    taken = take(replace(wanted, refunds=more_than_that, external_version="2"))
    given = dict(Payment.objects.values_list("tender", "refunded"))
    assert given == {"platform": Decimal("10.00"), "gift_card": Decimal(0)}
    assert taken.order.refunded == Decimal("10.00")
    assert "the channel refunded 8.00, 6.00 was left to refund" in taken.problem


def test_addresses_are_kept_without_empty_fields(market: Market) -> None:
    market.goods("TEA", warehouse=5)
    to = Address(name="Ann", city="Berlin", country="DE")
    order = take(draft(market.web, "1", line("TEA"), shipping_address=to)).order
    assert order.shipping_address == {"name": "Ann", "city": "Berlin", "country": "DE"}


@pytest.mark.committed_database
@pytest.mark.parametrize("number", ["", "K-1"], ids=["numbered by us", "numbered by the door"])
def test_sixteen_at_once_take_one_order_once(busy_market: Market, number: str) -> None:
    tea = busy_market.goods("TEA", warehouse=50)
    same = draft(busy_market.bazaar, "1", line("TEA", 3), email="ann@example.com", phone="+4930901820", number=number)
    taken = together(lambda _: take(same), 16)
    outcomes = sorted(one.outcome if isinstance(one, intake.Taken) else repr(one) for one in taken)
    assert outcomes == ["created"] + ["unchanged"] * 15
    assert promised(tea) == 3
    assert (Order.objects.count(), Payment.objects.count(), OmnichannelCustomer.objects.count()) == (1, 1, 1)


@pytest.mark.committed_database
def test_thirty_two_buyers_of_ten_units_get_ten(busy_market: Market) -> None:
    tea = busy_market.goods("TEA", warehouse=4, north=6)
    taken = together(lambda n: take(draft(busy_market.web, str(n), line("TEA"))), 32)
    assert sum(isinstance(one, intake.Taken) for one in taken) == 10
    assert sum(isinstance(one, OutOfStock) for one in taken) == 22
    assert promised(tea) == 10


@pytest.mark.committed_database
def test_orders_with_lines_in_any_order_never_lock_each_other_out(busy_market: Market) -> None:
    skus = [f"SKU-{n}" for n in range(6)]
    for sku in skus:
        busy_market.goods(sku, warehouse=100, north=100)

    def buy_and_change(n: int) -> str:
        mine = skus[n % 6 :] + skus[: n % 6]
        first = take(draft(busy_market.bazaar, str(n), *[line(sku, 2) for sku in mine], external_version="1"))
        take(draft(busy_market.bazaar, str(n), *[line(sku, 1) for sku in reversed(mine)], external_version="2"))
        return first.outcome

    assert together(buy_and_change, 24) == ["created"] * 24
