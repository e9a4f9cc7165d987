"""Stock advice, lost journeys and notices in the console."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finalmarket.advice import notices
from finalmarket.advice.models import LostStep, Notice, NoticeWish, StockAdvice, SupplyTerm
from finalmarket.advice.notices import URGENT
from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel import clock
from finalmarket.stock.models import ExpectedReceipt, StockLocation, Transfer
from tests.console.reading import read, told, words

pytestmark = pytest.mark.django_db
ADVICE, LOST, NOTICES = (f"console:{name}" for name in ("stock_advice", "lost_journeys", "notices"))


@pytest.fixture
def places(db: None) -> tuple[StockLocation, StockLocation]:
    place = StockLocation.objects.create
    return place(code="hamburg", name="Hamburg"), place(code="berlin", name="Berlin", kind="store")


def goods(sku: str) -> Variant:
    product, _ = Product.objects.get_or_create(title="Things", slug="things")
    return Variant.objects.create(product=product, sku=sku)


def advised(kind: str, variant: Variant, location: StockLocation, **given: Any) -> StockAdvice:
    given.setdefault("numbers", {"free": 3, "lead_days": 14, "supplier": ""})
    return StockAdvice.objects.create(
        kind=kind, variant=variant, location=location, quantity=12, worth=Decimal("120.00"), currency="EUR", rank=120,
        reason="Hamburg has 3 free; at 2.0 a day that lasts 2 days.", computed_at=clock.now(), **given,
    )  # fmt: skip


def clerk(*permissions: str) -> Client:
    user = User.objects.create_user("clara", password="x", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_an_empty_house_teaches_where_advice_comes_from(operator: Client) -> None:
    assert "Nothing was computed yet." in read(operator, reverse(ADVICE))
    assert "point a tracking SDK at this house" in read(operator, reverse(LOST))
    assert "All is well." in read(operator, reverse(NOTICES))


def test_advice_stands_with_its_reason_and_its_numbers(operator: Client, places: tuple[StockLocation, ...]) -> None:
    advised("reorder", goods("TEA"), places[0])
    advised("transfer", goods("JAM"), places[1], source=places[0])
    seen = read(operator, reverse(ADVICE))
    assert "Order: 1 · Transfer: 1" in seen
    assert "TEA Things 12 Hamburg €120.00 Hamburg has 3 free; at 2.0 a day that lasts 2 days." in seen
    assert "lead time, days 14" in seen
    assert "Hamburg → Berlin" in seen
    assert "JAM" not in read(operator, reverse(ADVICE) + "?kind=reorder")
    assert "No advice matches." in read(operator, reverse(ADVICE) + "?q=hat")


def test_accepting_makes_the_papers(operator: Client, places: tuple[StockLocation, ...]) -> None:
    order, transfer = advised("reorder", goods("TEA"), places[0]), advised(
        "transfer", goods("JAM"), places[1], source=places[0]
    )  # fmt: skip
    answer = operator.post(
        reverse("console:decide_advice", args=["accept"]), {"advice": [order.pk, transfer.pk]}, follow=True
    )
    assert told(answer) == ["2 accepted. 1 draft transfers, 1 expected receipts."]
    assert ExpectedReceipt.objects.get().quantity == 12
    assert Transfer.objects.get().state == "draft"
    order.refresh_from_db()
    assert order.decided_by == "olga"


def test_who_may_decide_on_advice_but_not_on_stock_cannot_have_goods_sent(places: tuple[StockLocation, ...]) -> None:
    transfer = advised("transfer", goods("JAM"), places[1], source=places[0])
    client = clerk("view_stockadvice", "change_stockadvice")
    answer = client.post(reverse("console:decide_advice", args=["accept"]), {"advice": [transfer.pk]})
    assert answer.status_code == 403
    assert not Transfer.objects.exists()
    answer = client.post(
        reverse("console:decide_advice", args=["dismiss"]), {"advice": [transfer.pk], "days": "30"}, follow=True
    )
    assert told(answer) == ["1 dismissed; the same is not advised again for a month."]


@pytest.mark.parametrize("given", [{}, {"advice": ["x"]}, {"advice": ["999999999"]}])
def test_nothing_sensible_chosen_says_so_and_does_nothing(operator: Client, given: dict[str, list[str]]) -> None:
    answer = operator.post(reverse("console:decide_advice", args=["accept"]), given, follow=True)
    assert answer.status_code == 200
    assert len(told(answer)) == 1


def test_advice_is_computed_on_demand_by_a_worker_once(operator: Client) -> None:
    address = reverse("console:decide_advice", args=["compute"])
    assert told(operator.post(address, follow=True)) == ["A worker computes it now; look again in a minute."]
    assert told(operator.post(address, follow=True)) == ["It is about to be computed already."]


def lose(channel: SalesChannel, action: str, value: str) -> LostStep:
    today = clock.now().date()
    return LostStep.objects.create(
        sales_channel=channel, action=action, since=today, until=today, came_by=100, left=40, ordered=30, chance=0.5,
        low=0.4, high=0.6, average_value=Decimal("50"), currency="EUR", lost_value=Decimal(value),
        lost_low=Decimal(value) * Decimal("0.8"), lost_high=Decimal(value) * Decimal("1.2"), computed_at=clock.now(),
        instead=[{"said": "Checkout started on Web shop", "share": 0.7}], reason="because",
    )  # fmt: skip


def test_lost_journeys_show_what_each_drop_off_costs_and_are_put_off(operator: Client) -> None:
    web = SalesChannel.objects.create(name="Web shop", channel_type="web")
    cart, _ = lose(web, "add_to_cart", "1000.00"), lose(web, "product_view", "500.00")
    seen = read(operator, reverse(LOST))
    assert "What each drop-off costs €1,500.00" in seen
    assert (
        "Web shop Put in the cart 100 40 50.0 % 40.0 % – 60.0 % €50.00 €1,000.00 €800.00 – €1,200.00 "
        "Checkout started on Web shop (70.0 %)" in seen
    )
    operator.post(reverse("console:mute_lost", args=[cart.pk]))
    seen = read(operator, reverse(LOST))
    assert "Put in the cart" not in seen
    assert "1 step is put off." in seen


def test_lost_journeys_are_computed_on_demand(operator: Client) -> None:
    assert "A worker computes it now" in told(operator.post(reverse("console:compute_lost"), follow=True))[0]


def notice(key: str, kind: str = "low_stock", **given: Any) -> Notice:
    now = clock.now()
    return Notice.objects.create(
        kind=kind, key=key, text="2 left.", opened_at=now, changed_at=now,
        **{"urgency": "normal", "title": f"Low stock: {key}", **given},
    )  # fmt: skip


def test_the_bell_counts_what_is_unread_and_reading_silences_it(operator: Client) -> None:
    first, _ = notice("TEA"), notice("JAM", urgency=URGENT)
    page = operator.get(reverse(NOTICES))
    assert b'class="fm-unread">2<' in page.content
    assert "Low stock: TEA Unread 2 left." in words(page)
    operator.post(reverse("console:read_notices"), {"notice": [first.pk, "x"]})
    assert b'class="fm-unread">1<' in operator.get(reverse("console:stock")).content
    assert "TEA" not in read(operator, reverse(NOTICES) + "?state=unread")
    answer = operator.post(reverse("console:read_notices"), {"all": "1"}, follow=True)
    assert told(answer) == ["1 notice is read."]
    assert b"fm-unread" not in operator.get(reverse(NOTICES)).content


def test_a_notice_leads_to_what_it_is_about(operator: Client) -> None:
    tea = goods("TEA")
    notice("TEA", about=f"variant:{tea.pk}")
    assert reverse("console:sku", args=[tea.pk]).encode() in operator.get(reverse(NOTICES)).content


def test_somebody_sees_the_kinds_of_notices_they_have_rights_for() -> None:
    notice("TEA")
    notice("5", kind="integration", title="Amazon is failing")
    client = clerk("view_stockalert")
    seen = read(client, reverse(NOTICES))
    assert "Low stock: TEA" in seen
    assert "Amazon" not in seen
    assert client.post(reverse("console:wish_notices", args=["integration"]), {"mail": "never"}).status_code == 403
    assert client.post(reverse("console:wish_notices", args=["attic"]), {"mail": "never"}).status_code == 404


def test_a_kind_is_muted_by_its_user_alone(operator: Client) -> None:
    notice("TEA")
    address = reverse("console:wish_notices", args=["low_stock"])
    answer = operator.post(address, {"mail": "digest", "muted": "1"}, follow=True)
    assert told(answer) == ["Low stock: muted."]
    assert b"fm-unread" not in answer.content
    kept = NoticeWish.objects.get()
    assert (kept.mail, kept.is_muted) == ("digest", True)
    assert notices.unread_count(User.objects.create_superuser("nils")) == 1
    assert "Notices are mailed" in told(operator.post(address, {"mail": "by pigeon"}, follow=True))[0]


def test_many_rows_take_as_many_queries_as_few(operator: Client, places: tuple[StockLocation, ...]) -> None:
    web = SalesChannel.objects.create(name="Web shop", channel_type="web")

    def fill(number: int) -> None:
        variant = goods(f"SKU-{number}")
        advised("transfer", variant, places[1], source=places[0])
        notice(variant.sku)
        lose(web, f"step_{number}", "10.00")

    def asked_for() -> list[int]:
        counts = []
        for name in (ADVICE, LOST, NOTICES):
            with CaptureQueriesContext(connection) as captured:
                assert operator.get(reverse(name)).status_code == 200
            counts.append(len(captured))
        return counts

    fill(0)
    few = asked_for()
    for number in range(1, 30):
        fill(number)
    assert asked_for() == few
    assert max(few) <= 20


def test_closed_notices_are_kept_apart(operator: Client) -> None:
    notice("TEA", closed_at=clock.now() - timedelta(hours=1))
    assert "TEA" not in read(operator, reverse(NOTICES))
    assert "TEA" in read(operator, reverse(NOTICES) + "?state=closed")


def test_supply_terms_are_entered_and_forecasts_are_only_looked_at(
    operator: Client, places: tuple[StockLocation, ...]
) -> None:
    given = {"supplier": "Nord", "location": places[0].pk, "lead_time_days": 30, "review_days": 7, "order_days": 28}
    operator.post(reverse("admin:advice_supplyterm_add"), {**given, "service_level": "0.9"})
    assert SupplyTerm.objects.get().lead_time_days == 30
    assert "Nord Hamburg: 30 days" in read(operator, reverse("admin:advice_supplyterm_changelist"))
    assert operator.get(reverse("admin:advice_demandforecast_changelist") + "?q=TEA").status_code == 200
    assert operator.get(reverse("admin:advice_demandforecast_add")).status_code == 403
