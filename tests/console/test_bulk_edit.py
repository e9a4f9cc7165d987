"""Bulk edit: what would change is seen first, and nothing else than that is done."""

import re
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from finalmarket.catalog.models import VariantPrice
from finalmarket.channels.models import ChannelProduct, DueChange
from tests.console.reading import told, words
from tests.console.roles import logged_in
from tests.orders.market import Market

BULK = "/bulk/"


@pytest.fixture
def listed(market: Market) -> Market:
    """Tea and sugar, on the web shop."""
    market.goods("TEA", price="10.00", warehouse=4)
    market.goods("SUGAR", price="2.00", warehouse=4)
    market.web.add_product(market.product)
    return market


def price(market: Market, sku: str) -> Decimal:
    return VariantPrice.objects.get(variant=market.variants[sku], currency="EUR").amount


def second_step(answer: object) -> dict[str, str]:
    """The form that the preview offers."""
    page = answer.content.decode()  # type: ignore[attr-defined]
    own = page.split('<div class="fm-page">')[-1]
    form = dict(re.findall(r'<input type="hidden" name="(kind|channel|name|seen)" value="([^"]*)"', own))
    text = re.search(r"<textarea[^>]*hidden[^>]*>\n(.*?)</textarea>", own, re.DOTALL)
    return form | {"text": text[1] if text else ""}


def test_the_preview_changes_nothing_and_the_second_step_does_what_it_said(listed: Market, operator: Client) -> None:
    table = "sku,currency,price\nTEA,EUR,11.50\nSUGAR,EUR,2.00\n"
    preview = operator.post(BULK, {"kind": "prices", "text": table})
    seen = words(preview)
    assert "nothing is changed yet" in seen
    assert "created 0" in seen and "changed 1" in seen and "so already 1" in seen
    assert "price 10 → 11.5" in re.sub(r"\.?0+(?=\s)", "", seen) or "11.5" in seen
    assert price(listed, "TEA") == Decimal("10.00")
    done = operator.post(BULK, second_step(preview), follow=True)
    assert told(done)[0].startswith("0 created, 1 changed")
    assert price(listed, "TEA") == Decimal("11.50")
    listing = ChannelProduct.objects.get(variant=listed.variants["TEA"])
    assert DueChange.objects.filter(listing=listing, what="price").exists()


def test_a_row_that_is_wrong_is_named_and_left_out(listed: Market, operator: Client) -> None:
    table = "sku,currency,price\nTEA,EUR,NaN\nCOFFEE,EUR,3.00\nSUGAR,EUR,2.50\n"
    preview = operator.post(BULK, {"kind": "prices", "text": table})
    seen = words(preview)
    assert "refused 2" in seen
    assert "COFFEE" in seen and "NaN" in seen
    operator.post(BULK, second_step(preview))
    assert (price(listed, "TEA"), price(listed, "SUGAR")) == (Decimal("10.00"), Decimal("2.50"))


def test_listings_of_one_channel_are_edited_from_a_file(listed: Market, operator: Client) -> None:
    file = SimpleUploadedFile("autumn.csv", "sku,available,title\nTEA,no,Autumn tea\n".encode("utf-8-sig"))
    preview = operator.post(BULK, {"kind": "listings", "channel": listed.web.pk, "file": file})
    assert "Autumn tea" in words(preview)
    operator.post(BULK, second_step(preview))
    listing = ChannelProduct.objects.get(variant=listed.variants["TEA"], sales_channel=listed.web)
    assert (listing.is_available, listing.title) == (False, "Autumn tea")


def test_when_the_effect_is_another_by_now_it_is_shown_again(listed: Market, operator: Client) -> None:
    preview = operator.post(BULK, {"kind": "prices", "text": "sku,currency,price\nTEA,EUR,11.50\n"})
    VariantPrice.objects.filter(variant=listed.variants["TEA"]).update(amount=Decimal("11.50"))
    again = operator.post(BULK, second_step(preview))
    assert "Something changed meanwhile" in told(again)[0]
    assert "so already 1" in words(again)


@pytest.mark.parametrize("channel", [True, False])
def test_prices_are_edited_by_those_alone_who_may_change_prices(listed: Market, channel: bool) -> None:
    form: dict[str, object] = {"kind": "prices", "text": "sku,currency,price\nTEA,EUR,0.01\n"}
    form |= {"channel": listed.web.pk} if channel else {}
    rights = ["change_channelproduct"]
    for status, right in ((400, ""), (200, "change_variantprice")):
        lister = User.objects.create_user(f"lea{status}", password="open sesame 5", is_staff=True)
        lister.user_permissions.add(*Permission.objects.filter(codename__in=[*rights, right]))
        client = logged_in(lister)
        assert client.post(BULK, form).status_code == status
        assert ('<option value="prices"' in client.get(BULK).content.decode()) is (status == 200)
    assert price(listed, "TEA") == Decimal("10.00")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"kind": "prices", "text": ""}, "Choose a file or paste a table"),
        ({"kind": "prices", "text": "sku,price\nTEA,1\n"}, "currency"),
        ({"kind": "prices", "text": "x" * 2_000_001}, "more than 2 MB"),
        ({"kind": "everything", "text": "sku\nTEA\n"}, "everything"),
        ({"kind": "prices", "text": "sku,currency,price\n", "seen": "forged"}, ""),
    ],
)
def test_what_is_no_table_is_answered_in_words(
    listed: Market, operator: Client, form: dict[str, str], said: str
) -> None:
    answer = operator.post(BULK, form)
    assert answer.status_code in (200, 400)
    assert said in words(answer)
    assert "/tmp" not in words(answer)


def test_a_file_in_another_encoding_is_refused_by_name(listed: Market, operator: Client) -> None:
    file = SimpleUploadedFile("prices.csv", "sku,currency,price,größe\nTEA,EUR,1,ü\n".encode("latin-1"))
    answer = operator.post(BULK, {"kind": "prices", "file": file})
    assert answer.status_code == 400
    assert "prices.csv" in words(answer)
    assert "/tmp" not in words(answer)


def test_a_forged_preview_is_shown_again_and_changes_nothing(listed: Market, operator: Client) -> None:
    form = {"kind": "prices", "text": "sku,currency,price\nTEA,EUR,0.01\n", "seen": "0:forged"}
    answer = operator.post(reverse("console:bulk"), form)
    assert "nothing is changed yet" in words(answer)
    assert price(listed, "TEA") == Decimal("10.00")
