"""Settings: people are invited, given a role, bound to stores, put off; the rules stand on one page."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from finalmarket.access import roles
from finalmarket.analytics.models import Merchant
from finalmarket.channels.models import SalesChannel
from finalmarket.kernel.errors import UserError
from tests.console.reading import read, told
from tests.console.roles import logged_in, person
from tests.orders.market import Market


def _invite(owner: Client, **given: object) -> str:
    form = {"name": "sam", "email": "sam@example.com", "role": "store_staff", **given}
    return str(owner.post(reverse("console:invite_user"), form, follow=True).content.decode())


def test_who_is_invited_chooses_a_password_by_a_link_that_works_once(market: Market, operator: Client) -> None:
    page = _invite(operator, place=market.north.pk)
    link = re.search(r"<code>http://testserver(/welcome/[^<]+)</code>", page)
    assert link is not None
    guest = Client()
    form = guest.get(link[1], follow=True)
    chosen = {"new_password1": "nine lives of a cat", "new_password2": "nine lives of a cat"}
    assert guest.post(form.redirect_chain[-1][0], chosen).headers["Location"] == reverse("admin:login")
    assert guest.login(username="sam", password="nine lives of a cat")
    assert "of no use any more" in Client().get(link[1], follow=True).content.decode()


def test_the_link_is_shown_to_nobody_a_second_time(market: Market, operator: Client) -> None:
    assert "/welcome/" in _invite(operator, role="support")
    assert "/welcome/" not in operator.get(reverse("console:users")).content.decode()


def test_store_staff_without_a_store_are_refused(market: Market, operator: Client) -> None:
    answer = operator.post(reverse("console:invite_user"), {"name": "sam", "role": "store_staff"}, follow=True)
    assert told(answer) == ["Store staff work at one store at least; choose which."]
    assert not User.objects.filter(username="sam").exists()


def test_store_staff_see_the_stock_and_the_orders_of_their_store_alone(market: Market) -> None:
    from finalmarket.orders.intake import take
    from tests.orders.market import draft, line

    market.goods("TEA", price="4.50", warehouse=40)
    market.goods("CAKE", price="9.00", north=5)
    here = take(draft(market.web, "here", line("CAKE", 1, "9.00"))).order
    there = take(draft(market.web, "there", line("TEA", 1, "4.50"))).order
    clerk = logged_in(person("store_staff", market.north.pk))
    orders, stock = read(clerk, reverse("console:orders")), read(clerk, reverse("console:stock"))
    assert here.number in orders
    assert there.number not in orders
    assert ("CAKE" in stock, "TEA" in stock) == (True, False)
    assert clerk.get(reverse("console:order", args=[there.pk])).status_code == 404
    assert clerk.get(reverse("console:sku", args=[market.variants["TEA"].pk])).status_code == 404
    assert market.warehouse.name not in read(clerk, reverse("console:sku", args=[market.variants["CAKE"].pk]))


def test_store_staff_book_stock_at_their_store_alone(market: Market) -> None:
    market.goods("CAKE", price="9.00", north=5, warehouse=5)
    clerk, cake = logged_in(person("store_staff", market.north.pk)), market.variants["CAKE"]
    change = {"what": "adjust", "quantity": "-1", "reason": "fell down", "seen": 10**9}
    for place in (market.north, market.warehouse):
        clerk.post(reverse("console:change_stock", args=[cake.pk]), {**change, "location": place.pk})
    left = dict(cake.stock_items.values_list("location", "on_hand"))
    assert left == {market.north.pk: 4, market.warehouse.pk: 5}


def test_who_is_let_go_is_out_with_the_next_step(market: Market, operator: Client) -> None:
    support = person("support")
    client = logged_in(support)
    assert client.get(reverse("console:orders")).status_code == 200
    operator.post(reverse("console:change_user", args=[support.pk, "let-go"]))
    assert client.get(reverse("console:orders")).status_code == 302


def test_one_owner_makes_another_give_way_and_the_last_one_stays(market: Market, operator: Client) -> None:
    second = person("owner")
    other, olga = logged_in(second), User.objects.get(username="olga")
    other.post(reverse("console:change_user", args=[olga.pk, "role"]), {"role": "support"})
    assert not roles.is_owner(User.objects.get(pk=olga.pk))
    with pytest.raises(UserError, match="the only owner"):
        roles.assign(second, "support")
    answer = other.post(reverse("console:change_user", args=[second.pk, "let-go"]), follow=True)
    assert "That is yourself: let another owner do it." in told(answer)


def test_nobody_but_an_owner_makes_people_or_keys(market: Market) -> None:
    for role in ("merchandiser", "support", "analyst"):
        client = logged_in(person(role))
        assert client.post(reverse("console:invite_user"), {"name": "x", "role": "owner"}).status_code == 403
        assert client.get(reverse("console:api_keys")).status_code == 403


def test_a_new_channel_begins_as_the_merchant_counts(market: Market, operator: Client) -> None:
    facts = {"name": "Tea & Co", "currency": "sek", "time_zone": "Europe/Stockholm"}
    operator.post(reverse("console:change_merchant"), facts)
    assert Merchant.objects.values("name", "currency", "time_zone").get() == {**facts, "currency": "SEK"}
    form = operator.get(reverse("admin:channels_saleschannel_add")).context["adminform"].form
    assert (form["currency"].value(), form["time_zone"].value()) == ("SEK", "Europe/Stockholm")


def test_a_currency_that_there_is_not_is_refused(market: Market, operator: Client) -> None:
    answer = operator.post(reverse("console:change_merchant"), {"currency": "XYQ", "time_zone": "UTC"}, follow=True)
    assert "Unknown currency" in told(answer)[0]
    assert not Merchant.objects.exists()


def test_every_rule_says_what_it_is_now(market: Market, operator: Client) -> None:
    SalesChannel.objects.filter(pk=market.web.pk).update(configuration={"hold_minutes": 30})
    page = read(operator, reverse("console:list_rules"))
    assert "15 minutes; 1 channel says otherwise" in page
    assert "over after 30 days without a touch" in page


def test_tracking_keys_of_all_channels_stand_on_one_page(market: Market, operator: Client) -> None:
    page = read(operator, reverse("console:tracking_keys"))
    assert market.web.name in page
    assert "of programs" in read(operator, reverse("console:settings"))
