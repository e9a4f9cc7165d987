"""Journeys in the console: the list, one of them, paths, funnels, abandonment, attribution."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finalmarket.channels.models import SalesChannel
from finalmarket.console.sankey import draw
from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.journeys.paths import Flow
from finalmarket.kernel import clock
from tests.console.reading import read, words
from tests.journeys.walks import channels, order, walk

PAGES = ("journeys", "paths", "funnel", "abandonment", "attribution")


@pytest.fixture
def ann(db: None) -> OmnichannelCustomer:
    return OmnichannelCustomer.objects.create(name="Ann")


@pytest.fixture
def shop(ann: OmnichannelCustomer) -> list[SalesChannel]:
    """Two journeys of yesterday: one to an order in the store, one that left its cart."""
    web, store = channels("Web shop", "Corner store")
    began = clock.now() - timedelta(days=1)
    bought = order(store, "48.50", customer=ann, placed_at=began + timedelta(hours=3))
    walk(
        ann, [(web, "product_view", 0), (web, "add_to_cart", 4), (store, "checkout_complete", 180)], order=bought,
        began=began,
    )  # fmt: skip
    walk(ann, [(web, "product_view", 0), (web, "add_to_cart", 2)], began=began)
    return [web, store]


def address(page: str, **asked: object) -> str:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    return f"{reverse(f'console:{page}')}?{query}"


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_house_teaches(operator: Client, page: str) -> None:
    told = read(operator, address(page))
    assert re.search("No journeys|No order to attribute", told)
    assert len(told) > 150


@pytest.mark.parametrize("page", PAGES)
def test_staff_without_rights_see_none_of_it(newcomer: Client, page: str) -> None:
    assert newcomer.get(address(page)).status_code == 403


def test_revenue_is_for_those_who_may_see_orders(shop: list[SalesChannel]) -> None:
    user = User.objects.create_user("jo", password="open sesame 5", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_crosschanneljourney"))
    client = Client()
    client.force_login(user)
    assert client.get(address("attribution")).status_code == 403
    page = client.get(address("journeys"))
    assert reverse("console:attribution") not in page.content.decode()
    key = CrossChannelJourney.objects.exclude(order=None).get().pk
    assert "48.50" not in read(client, reverse("console:journey", args=[key]))


def test_who_may_see_no_people_meets_them_by_number(shop: list[SalesChannel], ann: OmnichannelCustomer) -> None:
    user = User.objects.create_user("jo", password="open sesame 5", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_crosschanneljourney"))
    client = Client()
    client.force_login(user)
    key = CrossChannelJourney.objects.exclude(order=None).get().pk
    pages = [address("journeys"), reverse("console:journey", args=[key]), address("funnel_persons", reached=1)]
    for page in pages:
        told = read(client, page)
        assert f"Customer {ann.pk}" in told, page
        assert "Ann" not in told, page
    assert read(client, address("journeys", q="Nobody")).count(f"Customer {ann.pk}") == 2


def test_journeys_are_listed_with_what_came_of_them(operator: Client, shop: list[SalesChannel]) -> None:
    told = read(operator, address("journeys"))
    assert "2 journeys, newest first" in told
    assert "Completed N-1" in told
    assert "3 h 0 min" in told or "3 h" in told
    assert "Abandoned" in told


@pytest.mark.parametrize(
    ("asked", "count"),
    [({"state": "abandoned"}, 1), ({"intent": "support"}, 0), ({"q": "ann"}, 2), ({"q": "nobody"}, 0),
     ({"since": "2099-01-01"}, 0)],
)  # fmt: skip
def test_journeys_are_narrowed_by_the_address(
    operator: Client, shop: list[SalesChannel], asked: dict[str, str], count: int
) -> None:
    assert len(operator.get(address("journeys", **asked)).context["slice"].rows) == count


def test_a_channel_finds_the_journeys_that_touch_it(operator: Client, shop: list[SalesChannel]) -> None:
    web, store = shop
    assert len(operator.get(address("journeys", channel=web.pk)).context["slice"].rows) == 2
    assert len(operator.get(address("journeys", channel=store.pk)).context["slice"].rows) == 1


def test_a_person_is_found_by_what_any_of_their_profiles_is_known_by(
    operator: Client, shop: list[SalesChannel], ann: OmnichannelCustomer
) -> None:
    other = OmnichannelCustomer.objects.create(name="A. N.", merged_into=ann)
    CustomerIdentity.objects.create(customer=other, kind="email", value="an@example.com")
    walk(other, [(shop[0], "page_view", 0)])
    assert len(operator.get(address("journeys", q="an@example.com")).context["slice"].rows) == 3


def test_one_journey_shows_its_steps_and_why_we_think_so(operator: Client, shop: list[SalesChannel]) -> None:
    one = CrossChannelJourney.objects.exclude(order=None).get()
    CrossChannelJourney.objects.filter(pk=one.pk).update(reason="a cart was filled")
    told = read(operator, reverse("console:journey", args=[one.pk]))
    assert "Because a cart was filled" in told
    assert "+ 4 min Web shop Put in the cart" in told
    assert "Corner store changed channel Checkout completed" in told
    assert "N-1" in told
    assert operator.get(reverse("console:journey", args=[one.pk + 99])).status_code == 404


def test_paths_are_drawn_and_stand_in_a_table_beside(operator: Client, shop: list[SalesChannel]) -> None:
    page = operator.get(address("paths"))
    told = words(page)
    assert "2 journeys of 1 persons: 1 led to an order, 0 were done without one, 1 were abandoned" in told
    assert "Web shop → Corner store 1 1 1 100.0 %" in told
    assert 'role="img"' in page.content.decode()
    assert "1 Web shop Corner store 1" in told  # of the table that holds what is drawn
    assert "Half within" in told


def test_a_funnel_is_put_together_in_the_address(operator: Client, shop: list[SalesChannel]) -> None:
    web, store = shop
    usual = read(operator, address("funnel"))
    assert "1. Product view" in usual
    asked = {"step1": "product_view", "step2": "checkout_complete", "at2": store.pk, "days": 1}
    told = read(operator, address("funnel", **asked))
    assert "2. Checkout completed on Corner store 1 100.0 % 100.0 % 0 3 h" in told
    missed = read(operator, address("funnel", **(asked | {"at2": web.pk})))
    assert "2. Checkout completed on Web shop 0 0.0 % 0.0 % 1" in missed
    apart = read(operator, address("funnel", step1="product_view", one_journey="on"))
    assert "1. Product view 1 2 100.0 %" in apart


def test_abandonment_names_channel_and_step(operator: Client, shop: list[SalesChannel]) -> None:
    assert "Web shop Put in the cart 2 1 50.0 %" in read(operator, address("abandonment"))


def test_attribution_stands_side_by_side_and_sums_to_the_revenue(operator: Client, shop: list[SalesChannel]) -> None:
    told = read(operator, address("attribution"))
    assert "€48.50 net revenue of 1 orders" in told
    assert told.count("€48.50") == 1 + 7 + 2  # the sum, the foot of every model, and the two that give all to one
    for model in ("First touch", "Last touch", "Linear", "Time decay", "Position", "Markov", "Shapley"):
        assert model in told


def test_what_cannot_be_understood_is_said(operator: Client, shop: list[SalesChannel]) -> None:
    assert "before it begins" in operator.get(address("paths", since="2026-05-02", until="2026-05-01")).content.decode()
    assert operator.get(address("funnel", step1="nonsense", days="x", channel="7' OR 1=1")).status_code == 200
    assert operator.get(address("attribution", currency="XXX", half_life="-1", order="99")).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_many_journeys_take_as_many_questions_as_few(
    operator: Client, shop: list[SalesChannel], ann: OmnichannelCustomer, page: str
) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(address(page)).status_code == 200
        return len(captured)

    few = questions()
    for number in range(30):
        customer = OmnichannelCustomer.objects.create(name=f"C{number}", merged_into=ann if number % 3 else None)
        bought = order(shop[1], customer=customer, placed_at=clock.now()) if number % 2 else None
        steps = [(shop[step % 2], "page_view", step) for step in range(number % 7 + 1)]
        walk(customer, steps, order=bought, began=clock.now() - timedelta(hours=number))
    assert questions() == few <= 40


# The drawing.


def test_bars_and_bands_are_as_high_as_their_journeys() -> None:
    flows = [Flow(1, 1, 2, "on", 30), Flow(1, 1, None, "abandoned", 10), Flow(2, 2, None, "ordered", 30)]
    drawn = draw(flows, {1: "Web", 2: "Store"}, 5)
    bars = {node.label: node for node in drawn.nodes}
    assert {label: node.journeys for label, node in bars.items()} == {"Web": 40, "Store": 30, "Left": 10, "Ordered": 30}
    assert bars["Web"].height / bars["Store"].height == pytest.approx(4 / 3)
    assert sum(link.thickness for link in drawn.links if link.source is bars["Web"]) == pytest.approx(
        bars["Web"].height
    )
    assert max(node.y + node.height for node in drawn.nodes) <= drawn.height


def test_rare_channels_share_a_bar() -> None:
    flows = [Flow(1, channel, None, "open", 100 - channel) for channel in range(12)]
    drawn = draw(flows, {channel: f"C{channel}" for channel in range(12)}, 3)
    assert [node.label for node in drawn.nodes].count("Other channels") == 1
    assert sum(node.journeys for node in drawn.nodes if not node.is_end) == sum(flow.journeys for flow in flows)


def test_what_goes_beyond_the_last_step_drawn_goes_on() -> None:
    flows = [Flow(1, 1, 2, "on", 5), Flow(2, 2, 1, "on", 5), Flow(3, 1, None, "ordered", 5)]
    drawn = draw(flows, {1: "Web", 2: "App"}, 2)
    assert [node.label for node in drawn.nodes] == ["Web", "App", "Goes on"]


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw([], {}, 5).nodes == []
