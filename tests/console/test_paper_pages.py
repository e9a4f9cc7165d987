"""Transfers and stock takes, written by hand or scanner on their pages; parcels that are sent in parts."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from finalmarket.orders.intake import take
from finalmarket.stock.models import StockCount, Transfer
from tests.console.reading import read, told
from tests.console.roles import logged_in, person
from tests.orders.market import Market, at, draft, line, parcels


def _draft(client: Client, market: Market, lines: str) -> Transfer | None:
    form = {"source": market.warehouse.pk, "destination": market.north.pk, "reference": "window", "lines": lines}
    client.post(reverse("console:draft_transfer"), form)
    return Transfer.objects.first()


def _do(client: Client, paper: Transfer | StockCount, verb: str, **given: object) -> list[str]:
    name = "change_transfer" if isinstance(paper, Transfer) else "change_count"
    return told(client.post(reverse(f"console:{name}", args=[paper.pk, verb]), given, follow=True))


def test_goods_go_from_the_warehouse_to_the_store_in_two_parts(market: Market, operator: Client) -> None:
    tea = market.goods("TEA", warehouse=20)
    cup = market.goods("CUP", warehouse=5)
    sent = _draft(operator, market, "TEA 12\ncup;2")
    assert sent is not None
    _do(operator, sent, "send")
    assert (at(tea, market.warehouse)[0], at(tea, market.north)[0]) == (8, 0)
    part = {f"arrived-{tea.pk}": 10, f"arrived-{cup.pk}": 2}
    assert _do(operator, sent, "receive", **part) == ["12 units are on the shelf. The rest is still on its way."]
    _do(operator, sent, "close", reason="fell off the van")
    sent.refresh_from_db()
    assert (sent.state, at(tea, market.north)[0]) == ("received", 10)
    assert "−2" in read(operator, reverse("console:transfer", args=[sent.pk]))


def test_what_arrived_is_put_on_the_shelf_once_however_often_a_page_is_sent(market: Market, operator: Client) -> None:
    tea = market.goods("TEA", warehouse=20)
    sent = _draft(operator, market, "TEA 12")
    assert sent is not None
    _do(operator, sent, "send")
    page = {f"arrived-{tea.pk}": 5, f"seen-{tea.pk}": 0}
    assert _do(operator, sent, "receive", **page) == ["5 units are on the shelf. The rest is still on its way."]
    other = logged_in(person("store_staff", market.north.pk))
    for client in (operator, other):
        (refusal,) = _do(client, sent, "receive", **page)
        assert refusal == f"Part of transfer {sent.pk} was received meanwhile; look at it again."
    assert at(tea, market.north)[0] == 5
    shown = operator.get(reverse("console:transfer", args=[sent.pk])).content.decode()
    assert f'name="seen-{tea.pk}" value="5"' in shown
    _do(operator, sent, "receive", **page | {f"seen-{tea.pk}": 5})
    assert at(tea, market.north)[0] == 10


def test_what_cannot_be_understood_is_named_line_by_line_and_what_was_typed_stays(
    market: Market, operator: Client
) -> None:
    market.goods("TEA", warehouse=20)
    form = {"source": market.warehouse.pk, "destination": market.north.pk, "lines": "TEA 3\nTEE 4\nTEA many"}
    page = operator.post(reverse("console:draft_transfer"), form)
    assert page.status_code == 400
    assert "'TEE 4': no such SKU or barcode 'TEA many': no number of units" in told(page)[0]
    assert "TEE 4" in page.content.decode()
    assert not Transfer.objects.exists()


def test_a_scanner_that_beeps_each_piece_counts_them_together(market: Market, operator: Client) -> None:
    tea = market.goods("TEA", north=5)
    operator.post(reverse("console:start_count"), {"location": market.north.pk, "note": "all"})
    taken = StockCount.objects.get()
    _do(operator, taken, "record", lines="TEA\nTEA\nTEA\n")
    page = read(operator, reverse("console:count", args=[taken.pk]))
    assert "What applying it would change" in page
    assert at(tea, market.north)[0] == 5
    assert _do(operator, taken, "apply") == ["The books say what was counted: 1 SKU differed."]
    assert at(tea, market.north)[0] == 3


def test_a_store_receives_what_is_sent_to_it_and_sends_nothing_of_others(market: Market, operator: Client) -> None:
    tea = market.goods("TEA", warehouse=20)
    sent = _draft(operator, market, "TEA 3")
    assert sent is not None
    clerk, stranger = logged_in(person("store_staff", market.north.pk)), market.south.pk
    address = reverse("console:change_transfer", args=[sent.pk, "send"])
    assert clerk.post(address).status_code == 403
    _do(operator, sent, "send")
    _do(clerk, sent, "receive", **{f"arrived-{tea.pk}": 3})
    assert at(tea, market.north)[0] == 3
    form = {"source": market.warehouse.pk, "destination": stranger, "lines": "TEA 1"}
    assert clerk.post(reverse("console:draft_transfer"), form).status_code == 403
    assert clerk.post(reverse("console:start_count"), {"location": stranger}).status_code == 403


def test_a_parcel_is_sent_in_parts(market: Market, operator: Client) -> None:
    market.goods("TEA", price="4.50", warehouse=20)
    order = take(draft(market.web, "one", line("TEA", 5, "4.50"))).order
    (parcel,) = parcels(order)
    packed = parcel.lines.get()
    form = {"part": parcel.pk, "carrier": "DHL", f"part-{packed.pk}": 2}
    operator.post(reverse("console:order_verb", args=[order.pk, "ship"]), form)
    order.refresh_from_db()
    (rest,) = parcels(order)
    assert (order.state, rest.lines.get().quantity) == ("partly_fulfilled", 3)
