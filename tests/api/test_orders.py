"""Orders over the REST API: placed once, whoever asks how often, and carried to their end by calls alone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from finalmarket.access.models import AuditEntry
from finalmarket.catalog.models import VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.orders.models import Order, OrderEvent
from finalmarket.stock.models import StockItem
from tests.api.calling import Program, problem, told
from tests.api.conftest import House, open_house
from tests.orders.market import broken_laws, somebody_else
from tests.patience import PATIENCE_SECONDS
from tests.stock.shelves import new_place, new_variant, put


class Shop:
    """A house that sells tea for five euro, of which ten lie in the north and four in the south."""

    def __init__(self, house: House) -> None:
        self.web, self.till, self.ann = house.web, house.till, house.ann
        self.tea, self.cup = new_variant("TEA-100"), new_variant("CUP-1")
        self.north, self.south = new_place("north", priority=1), new_place("south", priority=2)
        put(self.tea, self.north, 10)
        put(self.tea, self.south, 4)
        put(self.cup, self.south, 5)
        for variant in (self.tea, self.cup):
            VariantPrice.objects.create(variant=variant, currency="EUR", amount=Decimal("5.00"))
            self.web.add_product(variant.product)
        self.program = Program("orders:read", "orders:write")

    def said(self, quantity: int = 2, channel: SalesChannel | None = None, **more: Any) -> dict[str, Any]:
        """An order of tea."""
        return {
            "channel": (channel or self.web).pk, "email": "ann@example.com", "lines": [
                {"sku": "TEA-100", "quantity": quantity}
            ], **more,
        }  # fmt: skip

    def placed(self, quantity: int = 2, **more: Any) -> dict[str, Any]:
        """An order of tea that was placed, paid in full by card."""
        paid = [{"tender": "card", "amount": f"{5 * quantity}.00", "external_id": "pi_1"}]
        order: dict[str, Any] = told(
            self.program.post("/orders", self.said(quantity, **{"payments": paid, **more})), 201
        )
        return order


@pytest.fixture
def shop(house: House) -> Shop:
    return Shop(house)


@pytest.fixture(autouse=True)
def _books_agree(request: pytest.FixtureRequest) -> Any:
    yield
    if "shop" in request.fixturenames:
        assert broken_laws() == []


def test_an_order_is_placed_with_stock_payment_and_customer_and_goods_cost_what_the_listing_says(shop: Shop) -> None:
    address = {"name": "Ann Lee", "street": "Main Street 1", "city": "Berlin", "country": "DE", "latitude": 52.5}
    answer = shop.program.post(
        "/orders",
        shop.said(3, shipping_address=address, payments=[{"tender": "card", "amount": "15.00", "external_id": "pi_1"}]),
    )
    order = told(answer, 201)
    assert answer.headers["Location"] == f"/api/v1/orders/{order['id']}"
    assert (order["state"], order["payment_state"], order["total"]) == ("open", "paid", "15.0000")
    assert order["customer"] == shop.ann.pk
    assert order["shipping_address"]["city"] == "Berlin"
    assert [(one["location"], one["lines"][0]["quantity"]) for one in order["parcels"]] == [(shop.north.pk, 3)]
    assert shop.tea.stock_pool.allocated == 3
    assert told(shop.program.get(f"/orders/{order['id']}")) == order


def test_said_again_by_its_name_it_is_the_same_order_brought_up_to_date(shop: Shop) -> None:
    first = shop.placed(2, external_id="cart-81", payments=[])
    again = told(shop.program.post("/orders", shop.said(2, external_id="cart-81", placed_at=first["placed_at"])), 200)
    assert again["id"] == first["id"]
    more = told(shop.program.post("/orders", shop.said(5, external_id="cart-81", external_version="2")), 200)
    assert more["lines"][0]["quantity"] == 5
    older = told(shop.program.post("/orders", shop.said(1, external_id="cart-81", external_version="1")), 200)
    assert older["lines"][0]["quantity"] == 5
    assert Order.objects.count() == 1


def test_an_order_that_is_said_again_without_a_day_stays_on_its_own(shop: Shop) -> None:
    yesterday = clock.now() - timedelta(days=1)
    with clock.steered(yesterday):
        first = shop.placed(2, external_id="cart-81")
    again = told(shop.program.post("/orders", shop.said(3, external_id="cart-81")), 200)
    assert (again["id"], again["placed_at"]) == (first["id"], first["placed_at"])
    earlier = shop.said(3, external_id="cart-81", placed_at=(yesterday - timedelta(days=7)).isoformat())
    assert told(shop.program.post("/orders", earlier), 200)["placed_at"] < first["placed_at"]


def test_a_reservation_of_other_goods_is_no_part_of_an_order(shop: Shop) -> None:
    keeper = Program("stock:read", "stock:write")
    wish = {"channel": shop.web.pk, "lines": [{"sku": "TEA-100", "quantity": 1}, {"sku": "CUP-1", "quantity": 1}]}
    held = told(keeper.post("/stock/reservations", wish), 201)["id"]
    said = problem(shop.program.post("/orders", shop.said(1, reservation=held)), "refused", 422)
    assert "holds other goods" in said["detail"]
    lines = [{"sku": "CUP-1", "quantity": 1}, {"sku": "TEA-100", "quantity": 1}]  # in whatever order
    told(shop.program.post("/orders", {**shop.said(reservation=held), "lines": lines}), 201)
    assert told(keeper.get(f"/stock/reservations/{held}"))["state"] == "confirmed"


def test_without_a_name_the_idempotency_key_is_one(shop: Shop) -> None:
    first, second = (shop.program.post("/orders", shop.said(), token="buy-1") for _ in range(2))
    assert first.content == second.content
    assert Order.objects.count() == 1
    assert AuditEntry.objects.filter(operation="place_order").count() == 1


def test_what_does_not_fit_is_refused_unless_it_has_happened(shop: Shop) -> None:
    problem(shop.program.post("/orders", shop.said(15)), "not-enough", 409)
    assert Order.objects.count() == 0
    taken = told(shop.program.post("/orders", shop.said(15, happened=True)), 201)
    assert taken["problem"].startswith("short: 1 x TEA-100")


@pytest.mark.parametrize(
    ("change", "kind", "where"),
    [
        ({"channel": 10**9}, "invalid", "body.channel"),
        ({"customer": 10**9}, "invalid", "body.customer"),
        ({"reservation": 10**9}, "invalid", "body.reservation"),
        ({"location": 10**9}, "invalid", "body.location"),
        ({"lines": []}, "invalid", "body.lines"),
        ({"lines": [{"quantity": 1}]}, "invalid", "body.lines.0"),
        ({"lines": [{"sku": "NONE", "unit_price": "1"}]}, "refused", None),
        ({"total": "99.00"}, "refused", None),
        ({"currency": "USD"}, "refused", None),
        ({"payments": [{"tender": "card", "amount": "99.00"}]}, "refused", None),
    ],
)
def test_an_order_that_cannot_be_is_refused_with_what_is_wrong(
    shop: Shop, change: dict[str, Any], kind: str, where: str | None
) -> None:
    said = problem(shop.program.post("/orders", {**shop.said(), **change}), kind, 422)
    if where:
        assert said["errors"][0]["where"] == where
    assert Order.objects.count() == 0


def test_an_order_takes_a_reservation_over(shop: Shop) -> None:
    keeper = Program("stock:read", "stock:write")
    wish = {"channel": shop.web.pk, "lines": [{"sku": "TEA-100", "quantity": 14}]}
    held = told(keeper.post("/stock/reservations", wish), 201)["id"]
    problem(shop.program.post("/orders", shop.said(1)), "not-enough", 409)
    told(shop.program.post("/orders", shop.said(14, reservation=held)), 201)
    assert told(keeper.get(f"/stock/reservations/{held}"))["state"] == "confirmed"


def test_an_order_takes_over_what_was_reserved_and_confirmed_and_another_order_does_not(shop: Shop) -> None:
    keeper = Program("stock:read", "stock:write")
    wish = {"channel": shop.web.pk, "lines": [{"sku": "TEA-100", "quantity": 14}]}
    held = told(keeper.post("/stock/reservations", wish), 201)["id"]
    told(keeper.post(f"/stock/reservations/{held}/confirm", {"reference": "cart 81"}))
    told(shop.program.post("/orders", shop.said(14, reservation=held)), 201)
    problem(shop.program.post("/orders", shop.said(1, reservation=held)), "not-enough", 409)
    assert broken_laws() == []


@pytest.mark.parametrize("confirmed", [False, True])
def test_an_order_served_by_one_place_takes_nothing_that_is_reserved_elsewhere(shop: Shop, confirmed: bool) -> None:
    keeper = Program("stock:read", "stock:write")
    wish = {"channel": shop.web.pk, "location": shop.north.pk, "lines": [{"sku": "TEA-100", "quantity": 4}]}
    held = told(keeper.post("/stock/reservations", wish), 201)["id"]
    if confirmed:
        told(keeper.post(f"/stock/reservations/{held}/confirm"))
    told(shop.program.post("/orders", shop.said(4, reservation=held, location=shop.south.pk, handed_over=True)), 201)
    rows = StockItem.objects.filter(variant=shop.tea).order_by("location__code")
    assert list(rows.values_list("on_hand", "reserved", "allocated")) == [(10, 0, 0), (0, 0, 0)]
    assert broken_laws() == []


@pytest.mark.committed_database
@pytest.mark.parametrize("end", ["release", "fulfil"])
def test_units_that_an_order_takes_over_are_not_let_go_beside_it(end: str) -> None:
    shop, keeper = Shop(open_house()), Program("stock:read", "stock:write")
    wish = {"channel": shop.web.pk, "lines": [{"sku": "TEA-100", "quantity": 14}]}
    held = told(keeper.post("/stock/reservations", wish), 201)["id"]
    with somebody_else() as begin:
        with transaction.atomic():
            order = told(shop.program.post("/orders", shop.said(14, reservation=held)), 201)
            ending = begin(lambda: keeper.post(f"/stock/reservations/{held}/{end}", {}))
        said = problem(ending.result(PATIENCE_SECONDS), "refused", 422)
    assert f"belongs to order {order['id']}" in said["detail"]
    assert broken_laws() == []


def test_of_many_orders_what_is_refused_spoils_nothing_else(shop: Shop) -> None:
    items = [shop.said(5, external_id="a"), shop.said(50, external_id="b"), shop.said(5, external_id="c"),
             shop.said(5, external_id="a")]  # fmt: skip
    answer = told(shop.program.post("/orders/bulk", {"items": items}))["items"]
    assert [one["outcome"] for one in answer[:3]] == ["created", "refused", "created"]
    assert answer[3]["order"] == answer[0]["order"]
    assert "not taken" in answer[1]["problem"]["detail"]
    assert Order.objects.count() == 2


# To the end.


def test_no_location_has_it_all_and_so_the_order_is_split_shipped_and_delivered(shop: Shop) -> None:
    order = shop.placed(12)
    path = f"/orders/{order['id']}"
    parcels = told(shop.program.get(f"{path}/parcels"))["items"]
    assert sorted(one["location"] for one in parcels) == [shop.north.pk, shop.south.pk]
    for parcel in parcels:
        step = f"{path}/parcels/{parcel['id']}"
        told(shop.program.post(f"{step}/label", {"carrier": "DHL", "tracking_number": "00340"}))
        told(shop.program.post(f"{step}/ship", {}))
        ended = told(shop.program.post(f"{step}/deliver", {}))
    assert ended["state"] == "fulfilled"
    assert {one["state"] for one in ended["parcels"]} == {"delivered"}
    assert shop.tea.stock_pool.on_hand == 2


def test_a_part_of_a_parcel_leaves_and_the_rest_waits_in_another(shop: Shop) -> None:
    order = shop.placed(6)
    (parcel,) = order["parcels"]
    part = {"carrier": "DHL", "lines": [{"line": parcel["lines"][0]["id"], "quantity": 4}]}
    shipped = told(shop.program.post(f"/orders/{order['id']}/parcels/{parcel['id']}/ship", part))
    assert shipped["state"] == "partly_fulfilled"
    assert [(one["state"], one["lines"][0]["quantity"]) for one in shipped["parcels"]] == [
        ("shipped", 4),
        ("pending", 2),
    ]


def test_what_a_location_does_not_find_is_routed_to_another(shop: Shop) -> None:
    order = shop.placed(3)
    (parcel,) = order["parcels"]
    rejected = told(shop.program.post(f"/orders/{order['id']}/parcels/{parcel['id']}/reject", {"reason": "not_found"}))
    assert [(one["location"], one["state"]) for one in rejected["parcels"]] == [
        (shop.north.pk, "rejected"), (shop.south.pk, "pending"),
    ]  # fmt: skip
    assert shop.tea.stock_pool.on_hand == 11


def test_units_are_cancelled_once_and_their_money_is_given_back(shop: Shop) -> None:
    order = shop.placed(4)
    path, line = f"/orders/{order['id']}", order["lines"][0]["id"]
    body = {"lines": [{"line": line, "quantity": 1}], "reason": "one is enough"}
    for _ in range(2):
        cancelled = told(shop.program.post(f"{path}/cancel", body, token="off"))
    assert (cancelled["lines"][0]["cancelled_quantity"], cancelled["refunded"]) == (1, "5.0000")
    whole = told(shop.program.post(f"{path}/cancel", {"reason": "changed my mind"}))
    assert (whole["state"], whole["refunded"]) == ("cancelled", "20.0000")
    assert shop.tea.stock_pool.allocated == 0


def test_goods_come_back_announced_and_received_as_they_came(shop: Shop) -> None:
    order = shop.placed(4)
    path, line = f"/orders/{order['id']}", order["lines"][0]["id"]
    told(shop.program.post(f"{path}/parcels/{order['parcels'][0]['id']}/ship", {}))
    announced = told(
        shop.program.post(f"{path}/returns", {"lines": [{"line": line, "quantity": 2}], "reason": "bitter"}), 201
    )
    (record,) = announced["returns"]
    arrived = {"lines": [{"line": record["lines"][0]["id"], "quantity": 1, "disposition": "damaged"}]}
    received = told(shop.program.post(f"{path}/returns/{record['id']}/receive", arrived))
    assert (received["returns"][0]["state"], received["refunded"]) == ("received", "5.0000")
    assert shop.tea.stock_pool.on_hand == 10
    problem(shop.program.post(f"{path}/returns/{record['id']}/cancel"), "refused", 422)
    counter = {"lines": [{"line": line, "quantity": 1}], "reason": "bitter", "received": True}
    told(shop.program.post(f"{path}/returns", counter), 201)
    assert type(shop.tea.stock_pool).objects.get(pk=shop.tea.pk).on_hand == 11


def test_goods_are_exchanged_and_what_came_back_pays_for_what_is_sent(shop: Shop) -> None:
    order = shop.placed(2)
    path, line = f"/orders/{order['id']}", order["lines"][0]["id"]
    told(shop.program.post(f"{path}/parcels/{order['parcels'][0]['id']}/ship", {}))
    body = {"lines": [{"line": line, "quantity": 1}], "reason": "too small", "received": True,
            "instead": [{"sku": "CUP-1", "quantity": 1}]}  # fmt: skip
    record = told(shop.program.post(f"{path}/exchanges", body), 201)["returns"][0]
    instead = told(shop.program.get(f"/orders/{record['exchange_order']}"))
    assert (instead["payment_state"], instead["lines"][0]["sku"]) == ("paid", "CUP-1")


def test_money_is_authorised_taken_and_given_back_never_more_than_came_in(shop: Shop) -> None:
    order = told(shop.program.post("/orders", shop.said(4)), 201)
    path = f"/orders/{order['id']}"
    paid = told(shop.program.post(f"{path}/payments", {"tender": "card", "amount": "20", "state": "authorised"}), 201)
    problem(shop.program.post(f"{path}/payments", {"tender": "cash", "amount": "1"}), "refused", 422)
    payment = paid["payments"][0]["id"]
    assert told(shop.program.post(f"{path}/payments/{payment}/capture", {}))["payment_state"] == "paid"
    problem(shop.program.post(f"{path}/payments/{payment}/void"), "refused", 422)
    for _ in range(2):
        back = told(shop.program.post(f"{path}/refunds", {"amount": "3", "reason": "late"}, token="late"), 201)
    assert (back["refunded"], back["payment_state"]) == ("3.0000", "partly_refunded")
    problem(shop.program.post(f"{path}/refunds", {"amount": "18", "reason": "late"}), "refused", 422)


def test_goods_that_arrive_late_are_routed_when_it_is_looked_at_again(shop: Shop) -> None:
    taken = told(shop.program.post("/orders", shop.said(15, happened=True)), 201)
    put(shop.tea, shop.south, 1)
    routed = told(shop.program.post(f"/orders/{taken['id']}/route"))
    assert routed["problem"] == ""
    assert sum(line["quantity"] for one in routed["parcels"] for line in one["lines"]) == 15


def test_a_note_stands_in_the_history(shop: Shop) -> None:
    order = shop.placed()
    told(shop.program.post(f"/orders/{order['id']}/notes", {"text": "Leave it with the neighbour"}), 201)
    pages = [one for page in shop.program.pages(f"/orders/{order['id']}/history", limit=2) for one in page]
    assert "taken" in {one["kind"] for one in pages}
    assert (pages[-1]["kind"], pages[-1]["text"]) == ("note", "Leave it with the neighbour")
    assert OrderEvent.objects.filter(kind="note").get().actor == "api:web shop"


def test_a_problem_is_settled_by_who_says_how(shop: Shop) -> None:
    taken = told(shop.program.post("/orders", shop.said(2, total="99.00", happened=True)), 201)
    assert "99" in taken["problem"]
    assert told(shop.program.get("/orders", has_problem="true"))["items"]
    settled = told(shop.program.post(f"/orders/{taken['id']}/settle", {"reason": "called the customer"}))
    assert settled["problem"] == ""


def test_who_acts_on_what_is_gone_is_told_so(shop: Shop) -> None:
    order = shop.placed(2)
    path = f"/orders/{order['id']}"
    seen = shop.program.get(path).headers["ETag"]
    told(shop.program.post(f"{path}/parcels/{order['parcels'][0]['id']}/ship", {}, If_Match=seen))
    problem(shop.program.post(f"{path}/cancel", {"reason": "late"}, If_Match=seen), "changed", 412)


def test_parts_of_another_order_are_not_found_under_this_one(shop: Shop) -> None:
    first, second = shop.placed(1), shop.placed(1, payments=[])
    path = f"/orders/{second['id']}"
    for step in (
        f"{path}/parcels/{first['parcels'][0]['id']}/ship", f"{path}/payments/{first['payments'][0]['id']}/void",
        f"{path}/returns/1/cancel",
    ):  # fmt: skip
        problem(shop.program.post(step), "not-found", 404)


# Finding them.


def test_orders_are_found_by_what_is_known_of_them(shop: Shop) -> None:
    first = shop.placed(1, external_id="a")
    second = told(shop.program.post("/orders", shop.said(1, email="lee@example.com", external_id="b")), 201)

    def found(**asked: Any) -> list[int]:
        return [one["id"] for one in told(shop.program.get("/orders", **asked))["items"]]

    assert found() == [second["id"], first["id"]]
    assert found(number=first["number"]) == [first["id"]]
    assert found(channel=shop.web.pk, external_id="b") == [second["id"]]
    assert found(email="lee@example.com") == [second["id"]]
    assert found(customer=shop.ann.pk) == [first["id"]]
    assert found(payment_state="unpaid") == [second["id"]]
    assert found(variant=shop.tea.pk) == [second["id"], first["id"]]
    assert found(variant=shop.cup.pk) == found(state="cancelled") == found(until=first["placed_at"]) == []
    assert found(since=(clock.now() - timedelta(hours=1)).isoformat()) == [second["id"], first["id"]]
    said = problem(shop.program.get("/orders", external_id="a"), "invalid", 422)
    assert said["errors"][0]["where"] == "query.external_id"


def test_a_page_of_orders_costs_the_same_number_of_questions_however_long(shop: Shop) -> None:
    def questions(limit: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            told(shop.program.get("/orders", limit=limit))
        return len(asked)

    shop.placed(1)
    few = questions(5)
    for _ in range(4):
        shop.placed(1)
    assert questions(5) == few


def test_a_key_of_some_channels_sees_and_changes_theirs_alone_newest_first(shop: Shop) -> None:
    third = SalesChannel.objects.create(name="Third", channel_type="web", country="DE")
    price = [{"sku": "TEA-100", "unit_price": "5.00"}]
    orders = [
        told(shop.program.post("/orders", shop.said(1, channel=channel, lines=price)), 201)["id"]
        for channel in (shop.web, shop.till, third, shop.till, shop.web, third)
    ]
    mine = Program("orders:read", "orders:write", channels=[shop.till.pk, third.pk])
    seen = [one["id"] for page in mine.pages("/orders", limit=1) for one in page]
    assert seen == [orders[5], orders[3], orders[2], orders[1]]
    assert [one["id"] for one in told(mine.get("/orders", limit=3))["items"]] == seen[:3]
    problem(mine.get("/orders", channel=shop.web.pk), "not-allowed", 403)
    for path in ("", "/history", "/parcels"):
        problem(mine.get(f"/orders/{orders[0]}{path}"), "not-found", 404)
    problem(mine.post(f"/orders/{orders[0]}/cancel", {"reason": "mine"}), "not-found", 404)
    problem(mine.post("/orders", shop.said(1)), "not-allowed", 403)


def test_a_key_of_some_channels_orders_by_number_for_whom_these_have_met(shop: Shop) -> None:
    mine = Program("orders:write", channels=[shop.till.pk])
    body = shop.said(1, channel=shop.till, lines=[{"sku": "TEA-100", "unit_price": "5.00"}])
    strange, nobody = ({**body, "customer": number} for number in (shop.ann.pk, 10**9))
    for one in (strange, nobody):
        said = problem(mine.post("/orders", one), "not-allowed", 403)
        assert "body.customer" in said["detail"]
    assert not Order.objects.exists()
    told(mine.post("/orders", body), 201)  # by what they say of themselves
    assert told(mine.post("/orders", strange), 201)["customer"] == shop.ann.pk


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "orders_newest"),
        ({"state": "open"}, "orders_"),
        ({"payment_state": "unpaid"}, "orders_"),
        ({"since": "2020-01-01T00:00:00Z"}, "orders_newest"),
    ],
)
def test_a_page_of_orders_is_entered_by_an_index_and_not_sorted(shop: Shop, asked: dict[str, str], index: str) -> None:
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):  # of so few rows nobody can say which is best
            cursor.execute(f"SET LOCAL enable_{way} = off")
        with CaptureQueriesContext(connection) as queries:
            told(shop.program.get("/orders", **asked))
        (page,) = [one["sql"] for one in queries if 'FROM "orders"' in one["sql"] and "LIMIT 51" in one["sql"]]
        cursor.execute(f"EXPLAIN {page}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert f"Index Scan using {index}" in plan
    assert "Sort" not in plan
