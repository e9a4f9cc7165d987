"""The console is for those who are logged in and allowed; what they post is theirs."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from tests.orders.market import Market

PAGES = ["overview", "orders", "stock", "alerts", "channels", "bulk", "integrations", "api_keys", "webhooks", "merges",
         "journeys", "paths", "funnel", "abandonment", "attribution", "segments", "analytics", "figures_csv",
         "reports",
         "stock_advice", "lost_journeys", "notices"]  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_a_visitor_is_led_to_the_log_in(db: None, page: str) -> None:
    address = reverse(f"console:{page}")
    answer = Client().get(address)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{reverse('admin:login')}?next={address}"


def test_who_logs_in_without_having_asked_for_a_page_comes_to_the_overview(db: None) -> None:
    User.objects.create_user("olga", password="open sesame 1", is_staff=True)
    answer = Client().post(reverse("admin:login"), {"username": "olga", "password": "open sesame 1"})
    assert answer.headers["Location"] == reverse("console:overview")


@pytest.mark.parametrize("page", PAGES)
def test_staff_without_rights_see_no_page(newcomer: Client, page: str) -> None:
    assert newcomer.get(reverse(f"console:{page}")).status_code == 403


def test_looking_is_not_changing(market: Market) -> None:
    clerk = User.objects.create_user("clara", password="open sesame 3", is_staff=True)
    clerk.user_permissions.add(
        *Permission.objects.filter(codename__in=["view_saleschannel", "view_channelinventory", "view_stockitem"])
    )
    client = Client()
    client.force_login(clerk)
    page = client.get(reverse("console:channels"))
    assert page.status_code == 200
    assert b"/pause" not in page.content
    assert client.post(reverse("console:pause", args=[market.web.pk])).status_code == 403
    market.web.refresh_from_db()
    assert not market.web.is_paused


def test_a_post_without_its_token_is_refused(market: Market, operator: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies
    assert strict.post(reverse("console:pause", args=[market.web.pk])).status_code == 403
    market.web.refresh_from_db()
    assert not market.web.is_paused


def test_verbs_are_posted_never_fetched(market: Market, operator: Client) -> None:
    assert operator.get(reverse("console:pause", args=[market.web.pk])).status_code == 405
    assert operator.get(reverse("console:snooze")).status_code == 405


def test_a_form_leads_back_to_this_house_only(market: Market, operator: Client) -> None:
    answer = operator.post(reverse("console:pause", args=[market.web.pk]), {"next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == reverse("console:channels")
