"""Customers in the console: persons as a list, one with all that is known of them, and their cart taken over."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finalmarket.catalog.models import VariantPrice
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import Consent, OmnichannelCustomer
from finalmarket.customers.persons import settle
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.customers.suggestions import suggest
from finalmarket.orders import cart as carts
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from finalmarket.orders.wishes import wish
from tests.console.reading import read, told
from tests.orders.market import Market, draft, line


def come(**words: Any) -> OmnichannelCustomer:
    found = resolve(Contact(**words))
    assert found is not None
    settle()
    found.refresh_from_db()
    return found


def member(*rights: str) -> Client:
    clerk = User.objects.create_user("clara", password="open sesame 3", is_staff=True)
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(clerk)
    return client


def page_of(who: OmnichannelCustomer, **asked: object) -> str:
    words = "&".join(f"{name}={value}" for name, value in asked.items())
    return reverse("console:customer", args=[who.pk]) + (f"?{words}" if words else "")


def ann_of(market: Market) -> OmnichannelCustomer:
    """Ann, who bought tea on the web and at the till, where she is known by a loyalty number."""
    tea = market.goods("TEA", warehouse=50)
    market.web.add_product(market.product)
    ann = come(name="Ann Lee", email="ann@example.com", phone="+4930123456", country="DE")
    till = come(name="A. Lee", loyalty="FM7")
    take(draft(market.web, "1", line("TEA", 2), customer_id=ann.pk, number="W-77"))
    take(draft(market.till, "2", line("TEA"), customer_id=till.pk))
    ann.track_interaction(market.web, "search", query="green tea")
    Consent.objects.create(customer=ann, purpose="newsletter", is_granted=True, source="form")
    wish(ann.pk, tea.pk)
    ann.merge(till, actor="olga")
    return ann


def test_the_page_of_a_customer_tells_of_the_whole_person(market: Market, operator: Client) -> None:
    ann = ann_of(market)
    other = come(name="Anne Lee", email="anne@example.com")
    suggest(ann.pk, other.pk, source="test", evidence={"name": "alike"})
    till = OmnichannelCustomer.objects.get(name="A. Lee")
    words = read(operator, page_of(ann))
    for told_there in ("Ann Lee", "€30.00", "2 profiles", "FM7", "ann@example.com", "Anne Lee", "Newsletter yes",
                       "Order W-77", "green tea", "Things", "said by olga", "Web shop"):  # fmt: skip
        assert told_there in words, told_there
    assert read(operator, page_of(till)).replace(str(till.pk), "") == words.replace(str(till.pk), "")
    assert operator.get(page_of(ann)[:-3] + "999999/").status_code == 404


def test_the_timeline_is_narrowed_by_kind_and_channel_and_goes_on(market: Market, operator: Client) -> None:
    ann = ann_of(market)
    assert "green tea" not in read(operator, page_of(ann, kind="order"))
    assert "Order W-77" not in read(operator, page_of(ann, channel=market.till.pk))
    assert "Nothing of that kind has happened" in read(operator, page_of(ann, kind="ticket"))
    for number in range(60):
        kind = ("page_view", "search")[number % 2]
        ann.track_interaction(market.web, kind, query="teapot")
    first = operator.get(page_of(ann))
    assert len(first.context["entries"]) == 50
    rest = operator.get(page_of(ann, after=first.context["life"].later))
    assert "Order W-77" in rest.content.decode()
    assert "Newest" in rest.content.decode()


def test_who_is_new_is_told_what_will_be_there(operator: Client) -> None:
    ann = OmnichannelCustomer.objects.create(name="Ann")
    words = read(operator, page_of(ann))
    for hint in ("Nothing lies in a cart", "Nothing has happened yet", "By nothing yet but the name",
                 "What nobody said is no yes", "Nothing is wished for", "not in the middle of anything"):  # fmt: skip
        assert hint in words


def test_the_list_shows_persons_with_what_they_bought(market: Market, operator: Client) -> None:
    ann = ann_of(market)
    come(name="Bob", email="bob@example.com")
    words = read(operator, reverse("console:customers"))
    assert "2 persons" in words
    assert "A. Lee" not in words
    assert "2 profiles" in words
    for asked in ("lee", "ann@example.com", "+49 30 123456", "+4930123456", "W-77", "FM7"):
        rows = operator.get(reverse("console:customers"), {"q": asked}).context["people"]
        assert [row.person.id for row in rows] == [ann.pk], asked
        assert rows[0].bought["total_spent"] == Decimal("30.00")
    assert "Nobody matches" in read(operator, reverse("console:customers") + "?q=nobody")


def test_a_person_has_the_highest_segment_of_their_profiles_on_the_list_too(operator: Client) -> None:
    def one(name: str, segment: str, into: OmnichannelCustomer | None = None) -> OmnichannelCustomer:
        return OmnichannelCustomer.objects.create(name=name, segment=segment, merged_into=into)

    ann, bob, cid = one("Ann", "new"), one("Bob", "vip"), one("Cid", "new")
    one("Ann at the till", "vip", ann)
    one("Bob at the till", "new", bob)
    for segment, people in (("vip", [bob, ann]), ("new", [cid]), ("regular", [])):
        rows = operator.get(reverse("console:customers"), {"segment": segment}).context["people"]
        assert [row.person.id for row in rows] == [who.pk for who in people]


def test_no_customer_yet_says_how_they_come(operator: Client) -> None:
    assert "No customers yet" in read(operator, reverse("console:customers"))


def test_who_sees_figures_alone_sees_nobody_by_name(market: Market) -> None:
    ann = ann_of(market)
    ann.track_interaction(market.web, "customer_service", subject="My name is Ann")
    suggest(ann.pk, come(name="Anne Lee", email="anne@example.com").pk, source="test", evidence={"name": "alike"})
    analyst = member("view_channelanalytics", "view_mergesuggestion")
    pages = [analyst.get(address).content.decode() for address in (page_of(ann), reverse("console:customers"))]
    for page in pages:
        assert "30.00" in page
        for personal in ("Lee", "ann@example.com", "+4930123456", "FM7", "green tea", "My name", "olga", "alike"):
            assert personal not in page
    listed = reverse("console:customers")
    for asked, found in (("lee", 0), ("ann@example.com", 0), ("W-77", 1)):
        assert len(analyst.get(listed, {"q": asked}).context["people"]) == found
    assert analyst.post(reverse("console:order_cart", args=[ann.pk])).status_code == 403


def test_who_has_no_right_sees_no_customers(newcomer: Client) -> None:
    ann = OmnichannelCustomer.objects.create(name="Ann")
    assert newcomer.get(page_of(ann)).status_code == 403
    assert newcomer.get(reverse("console:customers")).status_code == 403


def basket(market: Market) -> tuple[OmnichannelCustomer, SalesChannel]:
    """Ann's cart of the web shop and a store in Zurich that has other prices."""
    tea, pot = market.goods("TEA", warehouse=2), market.goods("POT", warehouse=9)
    zurich = SalesChannel.objects.create(name="Zurich store", channel_type="store", country="CH", currency="CHF")
    for channel in (market.web, zurich):
        channel.add_product(market.product)
    VariantPrice.objects.create(variant=tea, currency="CHF", amount=Decimal("11.00"))
    ann = come(name="Ann", email="ann@example.com")
    cart = carts.open_cart(market.web, customer_id=ann.pk)
    for variant in (tea, pot):
        carts.add(cart.token, variant.pk, 3)
    return ann, zurich


def test_a_cart_is_opened_on_another_channel_and_taken_over_there(market: Market, operator: Client) -> None:
    ann, zurich = basket(market)
    words = read(operator, page_of(ann, cart=zurich.pk))
    for said in ("as Zurich store has it now", "cost 10 EUR on Web shop, is sold for 11 CHF here", "only 2 left",
                 "has no price in CHF on Zurich store", "Order it on Zurich store"):  # fmt: skip
        assert said in words
    tea = market.variants["TEA"].pk
    form = {"form_key": "k1", "channel": zurich.pk, f"units-{tea}": 2, f"price-{tea}": "11.0000"}
    address = reverse("console:order_cart", args=[ann.pk])
    for _ in range(2):
        answer = operator.post(address, form, follow=True)
        assert "of Zurich store now" in told(answer)[0]
    order = Order.objects.get()
    assert (order.customer_id, order.currency, order.goods) == (ann.pk, "CHF", Decimal("22.00"))
    left = read(operator, page_of(ann)).split("Timeline")[0].split("Cart")[-1]
    assert "is sold out 1 €10.00" in left  # of the three that were wanted


@pytest.mark.parametrize(
    ("given", "said"),
    [({"form_key": ""}, "not complete"), ({"channel": "0"}, "not complete"), ({"price": "9.99"}, "cost 22.00 CHF now"),
     ({"price": "x"}, "not complete"), ({"units": "7"}, "changed the cart meanwhile"), ({"units": "-1"}, "no whole"),
     ({"units": "0"}, "Nothing of the cart was chosen")],
)  # fmt: skip
def test_a_form_that_does_not_fit_orders_nothing(
    market: Market, operator: Client, given: dict[str, str], said: str
) -> None:
    ann, zurich = basket(market)
    tea = market.variants["TEA"].pk
    form = {
        "form_key": given.get("form_key", "k"), "channel": given.get("channel", str(zurich.pk)),
        f"units-{tea}": given.get("units", "2"), f"price-{tea}": given.get("price", "11.00"),
    }  # fmt: skip
    answer = operator.post(reverse("console:order_cart", args=[ann.pk]), form, follow=True)
    assert said in told(answer)[0]
    assert not Order.objects.exists()


def test_both_pages_ask_as_often_for_many_as_for_few(market: Market, operator: Client) -> None:
    ann = ann_of(market)
    counts = []
    for number in range(2):
        for step in range(5 * (number + 1)):
            come(name=f"P{number}{step}", email=f"p{number}{step}@example.com")
            take(draft(market.web, f"{number}-{step}", line("TEA"), customer_id=ann.pk))
            ann.start_journey(market.web, "browse")
            carts.add(carts.open_cart(market.web, customer_id=ann.pk).token, market.variants["TEA"].pk)
        with CaptureQueriesContext(connection) as asked:
            operator.get(page_of(ann))
            operator.get(reverse("console:customers"))
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 60
