"""Files in and out of the console: a worker looks at them, a person says yes, progress is seen while it goes on."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from finalmarket.access.models import Work
from finalmarket.bulk.plan import make_plan
from finalmarket.catalog.models import VariantPrice
from finalmarket.console import file_work
from finalmarket.kernel.sql import open_connection
from finalmarket.stock.models import StockPool
from tests.console.reading import read, told
from tests.console.roles import logged_in, person
from tests.orders.market import Market, open_market

pytestmark = pytest.mark.committed_database


@pytest.fixture
def market() -> Market:
    market = open_market()
    market.goods("TEA", price="4.50", warehouse=40)
    market.goods("CUP", price="9.00")
    return market


@pytest.fixture
def seller() -> Client:
    return logged_in(person("merchandiser"))


def _bring_in(client: Client, subject: str, content: str) -> Work:
    file = SimpleUploadedFile(f"{subject}.csv", content.encode())
    client.post(reverse("console:begin_work"), {"subject": subject, "channel": "", "file": file})
    work = Work.objects.latest("pk")
    file_work.carry_out(work.pk, applies=False)
    return work


def _price(sku: str) -> Decimal:
    return VariantPrice.objects.get(variant__sku=sku, currency="EUR").amount


def test_prices_change_when_a_person_has_seen_what_would_change(market: Market, seller: Client) -> None:
    work = _bring_in(seller, "prices", "sku,currency,price\nTEA,EUR,4.90\nTEE,EUR,1.00\n")
    page = read(seller, reverse("console:work", args=[work.pk]))
    assert "Apply these 1 changes" in page
    assert "TEE" in page
    assert _price("TEA") == Decimal("4.50")
    seller.post(reverse("console:apply_work", args=[work.pk]))
    file_work.carry_out(work.pk, applies=True)
    assert _price("TEA") == Decimal("4.90")
    assert "0 created, 1 changed, 0 were so already, 1 left out." in read(
        seller, reverse("console:work", args=[work.pk])
    )


def test_what_changed_meanwhile_is_shown_anew_and_not_done(market: Market, seller: Client) -> None:
    work = _bring_in(seller, "prices", "sku,currency,price\nTEA,EUR,4.90\n")
    VariantPrice.objects.filter(variant__sku="TEA").update(amount=Decimal("4.90"))
    seller.post(reverse("console:apply_work", args=[work.pk]))
    file_work.carry_out(work.pk, applies=True)
    assert "Something changed meanwhile" in read(seller, reverse("console:work", args=[work.pk]))


def test_an_order_to_apply_counts_once(market: Market, seller: Client) -> None:
    work = _bring_in(seller, "prices", "sku,currency,price\nTEA,EUR,4.90\n")
    apply = reverse("console:apply_work", args=[work.pk])
    seller.post(apply)
    assert "not waiting for you any more" in told(seller.post(apply, follow=True))[-1]


def test_a_file_that_is_no_table_says_so(market: Market, seller: Client) -> None:
    work = _bring_in(seller, "prices", "PK\x03\x04")
    work.refresh_from_db()
    assert work.state == "failed"
    assert "/tmp" not in work.told


def test_everything_is_written_into_a_file_that_can_be_brought_in_again(market: Market, seller: Client) -> None:
    seller.post(reverse("console:begin_work"), {"subject": "stock", "channel": "", "export": "1"})
    work = Work.objects.get()
    file_work.carry_out(work.pk, applies=False)
    file = seller.get(reverse("console:work_file", args=[work.pk]))
    assert file.headers["Content-Disposition"] == 'attachment; filename="stock.csv"'
    again = _bring_in(seller, "stock", file.content.decode())
    again.refresh_from_db()
    assert (again.state, again.found["counts"]["changed"], again.found["counts"]["created"]) == ("planned", 0, 0)
    assert StockPool.objects.get(variant__sku="TEA").on_hand == 40


def test_how_far_it_is_is_seen_while_it_goes_on(
    market: Market, seller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_work, "SECONDS_BETWEEN_WORDS", 0)
    seen: list[int] = []

    def watched(importer: object, path: object, *, progress: object) -> object:
        def tell(rows: int) -> None:
            progress(rows)  # type: ignore[operator]
            with open_connection() as other:
                row = other.execute("SELECT rows_done FROM works WHERE state = 'running'").fetchone()
            seen.append(row[0] if row else -1)

        return make_plan(importer, path, progress=tell)  # type: ignore[arg-type]

    monkeypatch.setattr("finalmarket.console.file_work.make_plan", watched)
    _bring_in(seller, "prices", "sku,currency,price\nTEA,EUR,4.90\nCUP,EUR,9.10\n")
    assert seen[-1] == 2


def test_files_are_forgotten_after_a_day(market: Market, seller: Client) -> None:
    work = _bring_in(seller, "prices", "sku,currency,price\nTEA,EUR,4.90\n")
    Work.objects.update(asked_at="2020-01-01T00:00Z")
    file_work.forget()
    assert not Work.objects.filter(pk=work.pk).exists()


def test_nobody_brings_in_what_is_not_theirs_to_change(market: Market) -> None:
    for role in ("support", "analyst"):
        client = logged_in(person(role))
        assert client.get(reverse("console:files")).status_code == 403
        assert client.post(reverse("console:begin_work"), {"subject": "stock", "export": "1"}).status_code == 403
