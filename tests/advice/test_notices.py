"""Notices to operators: opened once, closed by themselves, unread by whom, mailed exactly once."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from django.contrib.auth.models import Permission, User
from django.core import mail

from finalmarket.advice import notices, notices_mail
from finalmarket.advice.models import Notice, NoticeMail
from finalmarket.advice.notices import NORMAL, URGENT, Found
from finalmarket.advice.notices_sources import judge, low_stock, unusual_days
from finalmarket.catalog.models import Product, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.cli.notices import command
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.operators_told import broken_integrations
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order
from finalmarket.stock.models import StockAlert, StockLocation

pytestmark = pytest.mark.django_db
MONDAY_NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


class House:
    """Things that are so, as a source would find them."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self.is_broken = False

    def look(self) -> list[Found]:
        if self.is_broken:
            raise RuntimeError("the lamp is out")
        return self.found


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch, settings: Any) -> House:
    """Only one source, and a mail server."""
    settings.MAIL_IS_SET = True
    house = House()
    monkeypatch.setattr(notices, "_sources", {})
    notices.source("roof", title="The roof", permission="stock.view_stockalert")(house.look)
    return house


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_superuser("olga", "olga@shop.example", "x")


def leak(key: str = "1", urgency: str = NORMAL) -> Found:
    return Found(key, f"Leak {key}", "It drips.", urgency)


def test_a_notice_opens_once_and_closes_when_it_is_so_no_more(house: House) -> None:
    house.found = [leak("1"), leak("2")]
    assert notices.gather() == notices.Gathered(open=2, new=2, closed=0, failed=())
    house.found = [leak("2"), leak("3")]
    assert notices.gather() == notices.Gathered(open=2, new=1, closed=1, failed=())
    assert list(Notice.objects.filter(closed_at=None).values_list("key", flat=True).order_by("key")) == ["2", "3"]


def test_what_comes_back_is_a_new_notice(house: House) -> None:
    for found in ([leak()], [], [leak()]):
        house.found = found
        notices.gather()
    assert Notice.objects.filter(key="1").count() == 2


def test_a_source_that_fails_leaves_its_notices_and_stops_no_other(house: House) -> None:
    cellar = House()
    notices.source("cellar", title="The cellar", permission="stock.view_stockalert")(cellar.look)
    house.found = [leak()]
    notices.gather()
    house.is_broken, cellar.found = True, [leak("9")]
    assert notices.gather().failed == ("roof",)
    assert Notice.objects.filter(closed_at=None).count() == 2


def test_what_one_has_read_is_unread_for_another(house: House, olga: User) -> None:
    nils = User.objects.create_superuser("nils", "nils@shop.example", "x")
    house.found = [leak("1"), leak("2")]
    notices.gather()
    assert notices.mark_read(olga, [Notice.objects.get(key="1").pk]) == 1
    assert (notices.unread_count(olga), notices.unread_count(nils)) == (1, 2)
    assert notices.mark_read(olga) == 1
    assert (notices.unread_count(olga), notices.unread_count(nils)) == (0, 2)


def test_nobody_sees_or_hears_what_they_may_not_look_at(house: House) -> None:
    clerk = User.objects.create_user("clara", "clara@shop.example", is_staff=True)
    house.found = [leak(urgency=URGENT)]
    notices.gather()
    assert notices.unread_count(clerk) == 0
    assert list(notices.notices_for(clerk)) == []
    assert notices_mail.write_urgent() == 0
    clerk.user_permissions.add(Permission.objects.get(codename="view_stockalert"))
    assert notices.unread_count(User.objects.get(pk=clerk.pk)) == 1
    assert notices_mail.write_urgent() == 1


def test_a_muted_kind_is_neither_counted_nor_mailed(house: House, olga: User) -> None:
    notices.wish(olga, "roof", mail="usual", is_muted=True)
    house.found = [leak(urgency=URGENT)]
    notices.gather()
    assert notices.unread_count(olga) == 0
    assert notices_mail.write_urgent() == notices_mail.write_digests() == 0
    with pytest.raises(UserError, match="no notices of the kind attic"):
        notices.wish(olga, "attic", mail="usual", is_muted=True)


def test_what_is_urgent_is_mailed_at_once_and_the_rest_in_one_digest(house: House, olga: User) -> None:
    house.found = [leak("1", URGENT), leak("2"), leak("3")]
    notices.gather()
    notices_mail.write_urgent()
    assert notices_mail.deliver() == (1, 0)
    assert [one.subject for one in mail.outbox] == ["[The Final Market] Leak 1"]
    assert notices_mail.write_digests() == 1
    notices_mail.deliver()
    assert mail.outbox[1].subject == "[The Final Market] 2 notices of today"
    assert "Leak 2" in mail.outbox[1].body
    assert "Leak 1" not in mail.outbox[1].body
    assert mail.outbox[1].to == ["olga@shop.example"]


def test_no_notice_is_mailed_twice(house: House, olga: User) -> None:
    house.found = [leak("1", URGENT), leak("2")]
    for _ in range(3):
        notices.gather()
        notices_mail.write_urgent()
        notices_mail.write_digests()
        notices_mail.deliver()
    assert len(mail.outbox) == 2
    with clock.steered(clock.now() + timedelta(days=1)):
        assert notices_mail.write_digests() == 0


def test_wishes_decide_what_is_mailed_when(house: House, olga: User) -> None:
    house.found = [leak("1", URGENT), leak("2")]
    notices.gather()
    notices.wish(olga, "roof", mail="never", is_muted=False)
    assert notices_mail.write_urgent() == notices_mail.write_digests() == 0
    notices.wish(olga, "roof", mail="digest", is_muted=False)
    assert notices_mail.write_urgent() == 0
    notices.wish(olga, "roof", mail="at_once", is_muted=False)
    assert notices_mail.write_urgent() == 1
    assert NoticeMail.objects.get().lines.count() == 2


def test_what_the_mail_server_refuses_is_tried_again_later_and_sent_once(
    house: House, olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.found = [leak(urgency=URGENT)]
    notices.gather()
    notices_mail.write_urgent()
    with clock.steered(clock.now()) as time, monkeypatch.context() as patch:
        patch.setattr("django.core.mail.message.EmailMessage.send", _refuse)
        assert notices_mail.deliver() == (0, 1)
        assert notices_mail.deliver() == (0, 0)  # not before its time
        waiting = NoticeMail.objects.get()
        assert (waiting.attempts, waiting.state) == (1, "due")
        assert "SMTPServerDisconnected" in waiting.last_error
        patch.undo()
        time.advance(timedelta(minutes=3))
        assert notices_mail.deliver() == (1, 0)
        assert notices_mail.deliver() == (0, 0)
    assert len(mail.outbox) == 1
    assert mail.outbox[0].extra_headers["Message-ID"] == f"<notice-{waiting.pk}@localhost>"


def test_a_mail_that_nobody_takes_is_given_up(house: House, olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    house.found = [leak(urgency=URGENT)]
    notices.gather()
    notices_mail.write_urgent()
    monkeypatch.setattr("django.core.mail.message.EmailMessage.send", _refuse)
    with clock.steered(clock.now()) as time:
        for _ in range(notices_mail.MOST_ATTEMPTS + 2):
            notices_mail.deliver()
            time.advance(timedelta(hours=7))
    given_up = NoticeMail.objects.get()
    assert (given_up.state, given_up.attempts) == ("given_up", notices_mail.MOST_ATTEMPTS)


def test_a_kill_after_the_servers_yes_sends_again_under_the_same_message_id(house: House, olga: User) -> None:
    house.found = [leak(urgency=URGENT)]
    notices.gather()
    notices_mail.write_urgent()
    with failpoints.armed("notices.after_send:raise"), pytest.raises(failpoints.FailpointHit):
        notices_mail.deliver()
    notices_mail.deliver()
    assert len(mail.outbox) == 2
    assert len({one.extra_headers["Message-ID"] for one in mail.outbox}) == 1


def test_without_a_mail_server_nothing_piles_up(house: House, olga: User, settings: Any) -> None:
    settings.MAIL_IS_SET = False
    house.found = [leak(urgency=URGENT)]
    notices.gather()
    assert notices_mail.write_urgent() == notices_mail.write_digests() == 0
    assert notices.unread_count(olga) == 1


def test_a_title_with_a_line_break_makes_no_header(house: House, olga: User) -> None:
    house.found = [Found("1", "Leak\r\nBcc: all@shop.example", "x", URGENT)]
    notices.gather()
    notices_mail.write_urgent()
    assert notices_mail.deliver() == (1, 0)
    assert mail.outbox[0].subject == "[The Final Market] Leak Bcc: all@shop.example"
    assert mail.outbox[0].recipients() == ["olga@shop.example"]


def _refuse(*_: object, **__: object) -> None:
    raise smtplib.SMTPServerDisconnected("come back later")


# What the rooms find


def test_open_stock_alerts_are_told_and_oversold_ones_are_urgent() -> None:
    variant = Variant.objects.create(product=Product.objects.create(title="Tea", slug="tea"), sku="TEA")
    place = StockLocation.objects.create(code="a", name="Attic")
    StockAlert.objects.create(variant=variant, location=place, level="low", quantity=2, threshold=5)
    StockAlert.objects.create(variant=variant, level="short", quantity=3)
    other = StockLocation.objects.create(code="b", name="Barn")
    put_off = clock.now() + timedelta(days=1)
    StockAlert.objects.create(variant=variant, location=other, level="out", quantity=0, snoozed_until=put_off)
    found = list(low_stock())
    assert [(one.title, one.urgency) for one in found] == [
        ("Sold more than there is: TEA", "urgent"), ("Low stock: TEA", "normal"),
    ]  # fmt: skip
    assert found[1].text == "Tea at Attic: 2 left, alerted at 5."


def test_an_account_that_needs_a_person_is_urgent_and_a_paused_one_is_not_told() -> None:
    for status in ("needs_attention", "paused"):
        ChannelIntegration.objects.create(platform_name="fake", status=status, status_reason="token revoked")
    (found,) = broken_integrations()
    assert "needs attention" in found.title
    assert found.urgency == URGENT
    assert found.text == "Token revoked."


def place_orders(channel: SalesChannel, *per_day: tuple[int, int]) -> None:
    """So many orders so many days back, all of them at nine in the morning."""
    nine = MONDAY_NOON.replace(hour=9)
    for back, units in per_day:
        Order.objects.bulk_create(
            Order(number=f"{channel.pk}-{back}-{one}", sales_channel=channel, external_id=f"{back}-{one}",
                  currency="EUR", placed_at=nine - timedelta(days=back))
            for one in range(units)
        )  # fmt: skip


@pytest.fixture
def web() -> Iterator[SalesChannel]:
    with clock.steered(MONDAY_NOON):
        yield SalesChannel.objects.create(name="Web shop", channel_type="web", time_zone="UTC")


def test_a_silent_morning_on_a_busy_channel_is_urgent(web: SalesChannel) -> None:
    place_orders(web, *[(7 * week, 30) for week in range(1, 9)], *[(7 * week + 1, 20) for week in range(9)][:8])
    (found,) = unusual_days()
    assert found.title == "Unusually few orders on Web shop"
    assert found.urgency == URGENT
    assert "Today until now (Mon 15 Jun) 0 orders came; on the 8 Mondays before it was 30.0 on average." in found.text


def test_a_day_like_its_weekday_is_not_told_however_unlike_the_day_before_it_is(web: SalesChannel) -> None:
    place_orders(web, *[(7 * week + 1, 2) for week in range(8)], *[(7 * week, 40) for week in range(9)])
    assert list(unusual_days()) == []


def test_a_day_with_far_more_orders_than_usual_is_told_without_alarm(web: SalesChannel) -> None:
    place_orders(web, (1, 90), *[(7 * week + 1, 20 + week) for week in range(1, 8)])
    (found,) = unusual_days()
    assert (found.title, found.urgency) == ("Unusually many orders on Web shop", NORMAL)


def test_a_young_channel_has_no_normal_yet(web: SalesChannel) -> None:
    place_orders(web, *[(7 * week, 30) for week in range(1, 5)])
    assert list(unusual_days()) == []


def test_a_count_is_judged_by_how_much_the_weeks_before_scattered() -> None:
    assert judge(60, [20, 22, 19, 21, 20, 18], 0.001) is not None
    assert judge(60, [5, 70, 20, 90, 10, 55], 0.001) is None
    assert judge(0, [0, 0, 0, 0, 0, 0], 0.001) is None


def test_notices_are_listed_on_the_command_line_urgent_ones_first(house: House) -> None:
    house.found = [leak("1"), leak("2", URGENT)]
    listed = CliRunner().invoke(command, ["--look"], catch_exceptions=False)
    assert listed.output.index("Leak 2") < listed.output.index("Leak 1")
    house.found = []
    assert "Nothing to tell." in CliRunner().invoke(command, ["--look"], catch_exceptions=False).output
    told = CliRunner().invoke(command, ["--all", "--json"], catch_exceptions=False).output.splitlines()
    assert {json.loads(line)["title"] for line in told} == {"Leak 1", "Leak 2"}


def test_a_look_that_could_not_see_everything_says_so_by_its_status(house: House) -> None:
    house.found = [leak("1")]
    assert CliRunner().invoke(command, ["--look"], catch_exceptions=False).exit_code == 0
    house.is_broken = True
    listed = CliRunner().invoke(command, ["--look"])
    assert listed.exit_code == 1
    assert "could not be looked at: roof" in listed.output
    assert "Leak 1" in listed.output
