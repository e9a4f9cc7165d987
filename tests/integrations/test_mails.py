"""People are written to about their own orders and wishes: once, in their language, and only where they may be."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors.errors import NotSupported
from finalmarket.connectors.platforms.practice_office import PracticeOffice as Connector
from finalmarket.customers.models import Consent, OmnichannelCustomer
from finalmarket.integrations import duties, jobs, notices
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DueNotice, IntegrationHealth, MailText
from finalmarket.integrations.sent_mails import selling_mails
from finalmarket.integrations.talk import finding, mail_words, mails
from finalmarket.integrations.timeline import timeline
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders.aftersales import cancel
from finalmarket.orders.models import Order, Wishlist
from finalmarket.sandbox.faults import Fault
from tests.integrations.bureau import ANN, Bureau, opened_bureau

pytestmark = pytest.mark.committed_database


@pytest.fixture
def bureau(committed_database: object) -> Iterator[Bureau]:
    with opened_bureau() as found:
        yield found


def test_an_order_is_confirmed_once_with_what_was_bought(bureau: Bureau) -> None:
    bureau.give("confirmations")
    order = bureau.buy(units=2)
    for minutes in (0, 1, 30):
        bureau.tell(minutes)
    (mail,) = bureau.mails()
    assert mail["purpose"] == "order_confirmed"
    assert mail["subject"] == f"Your order {order.number} at Web shop"
    assert "2 x Cup, white" in mail["text"]
    assert "€20.00" in mail["text"]
    assert bureau.states("confirmation") == ["sent"]


def test_a_mail_names_the_day_on_which_it_was_bought_where_the_shop_is(bureau: Bureau) -> None:
    bureau.give("confirmations")
    SalesChannel.objects.filter(pk=bureau.market.web.pk).update(time_zone="America/Los_Angeles")
    order = bureau.buy()
    Order.objects.filter(pk=order.pk).update(placed_at=datetime(2027, 1, 1, 1, tzinfo=UTC))
    bureau.tell()
    (mail,) = bureau.mails()
    assert "December 31, 2026" in mail["text"]


def test_a_parcel_that_left_is_told_once_with_its_tracking(bureau: Bureau) -> None:
    bureau.give("dispatches")
    order = bureau.buy()
    bureau.ship(order, tracking_url="https://parcels.example/JJD0001")
    for minutes in (0, 1, 30):
        bureau.tell(minutes)
    (mail,) = bureau.mails()
    assert mail["purpose"] == "shipped"
    assert "JJD0001" in mail["text"]
    assert 'href="https://parcels.example/JJD0001"' in mail["html"]


def test_nobody_is_written_to_about_what_happened_before_the_duty_was_switched_on(bureau: Bureau) -> None:
    before = bureau.buy()
    bureau.ship(before)
    with clock.steered(clock.now() + timedelta(minutes=2)):
        bureau.give("confirmations", "dispatches")
    bureau.tell(5)
    assert bureau.mails() == []


def test_without_the_duty_nobody_is_written_to(bureau: Bureau) -> None:
    bureau.buy()
    bureau.tell()
    assert bureau.mails() == []
    assert bureau.states() == []


def test_a_duty_that_is_switched_off_again_ends_what_waits(bureau: Bureau) -> None:
    bureau.give("confirmations")
    bureau.buy()
    notices.find(timedelta(hours=1))
    bureau.give()
    bureau.tell()
    assert bureau.mails() == []


def test_two_accounts_with_the_same_duty_write_one_mail(bureau: Bureau) -> None:
    other = ChannelIntegration.objects.create(
        platform_name=bureau.office.slug, integration_type="erp", account_label="Second", status="active",
        base_url=bureau.integration.base_url, push_from=clock.now(), duties={"confirmations": True},
    )  # fmt: skip
    bureau.give("confirmations")
    bureau.buy()
    bureau.tell()
    notices.tell(other.pk)
    assert len(bureau.mails()) == 1


def test_a_marketplace_that_forbids_own_mails_is_left_out(bureau: Bureau) -> None:
    bureau.give("confirmations", "dispatches")
    bureau.market.bazaar.configuration = {"own_mails": False}
    bureau.market.bazaar.full_clean()
    bureau.market.bazaar.save()
    bureau.ship(bureau.buy(channel=bureau.market.bazaar))
    bureau.tell()
    assert bureau.mails() == []


def test_what_is_forbidden_after_it_was_found_is_not_sent(bureau: Bureau) -> None:
    bureau.give("confirmations")
    bureau.buy()
    notices.find(timedelta(hours=1))
    bureau.market.web.configuration = {**bureau.market.web.configuration, "own_mails": False}
    bureau.market.web.save()
    bureau.tell()
    assert bureau.mails() == []


def test_goods_that_the_buyer_took_along_are_no_parcel(bureau: Bureau) -> None:
    bureau.give("dispatches")
    bureau.buy(channel=bureau.market.till, handed_over=True, location_id=bureau.market.warehouse.pk)
    bureau.tell()
    assert bureau.mails() == []


def test_an_order_that_was_called_off_meanwhile_is_not_confirmed(bureau: Bureau) -> None:
    bureau.give("confirmations")
    order = bureau.buy()
    notices.find(timedelta(hours=1))
    cancel(order.pk, reason="changed her mind", actor="ann")
    bureau.tell()
    assert bureau.mails() == []


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT, Fault.TRUNCATED])
def test_after_an_answer_that_got_lost_it_is_asked_for_and_not_sent_twice(bureau: Bureau, fault: Fault) -> None:
    bureau.give("confirmations")
    bureau.buy()
    bureau.office.faults.then(fault)
    bureau.tell()
    assert bureau.states("confirmation") == ["doubtful"]
    bureau.tell(30)
    assert len(bureau.mails()) == 1
    assert bureau.states("confirmation") == ["sent"]


@pytest.mark.parametrize(
    "place",
    ["talk.before_find", "talk.after_find", "notices.after_claim", "notices.before_send", "notices.after_send",
     "notices.within_settle", "notices.after_settle"],
)  # fmt: skip
def test_a_worker_that_breaks_off_writes_nothing_twice_and_forgets_nothing(bureau: Bureau, place: str) -> None:
    bureau.give("confirmations")
    bureau.buy()
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        bureau.tell()
    bureau.tell(30)
    assert len(bureau.mails()) == 1
    assert bureau.states("confirmation") == ["sent"]


def test_where_it_cannot_be_asked_a_person_decides_whether_it_is_sent_again(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_be_asked(self: Connector, key: str) -> str | None:
        raise NotSupported("messages cannot be looked up there")

    monkeypatch.setattr(Connector, "find_message", cannot_be_asked)
    bureau.give("confirmations")
    bureau.buy()
    bureau.office.faults.then(Fault.ERROR_AFTER)
    bureau.tell()
    bureau.tell(30)
    assert len(bureau.mails()) == 1
    letter = DeadLetter.objects.get(stream="notice_confirmation")
    assert "cannot be looked up" in letter.reason
    notices.replay(bureau.integration, letter)
    bureau.tell(31)
    assert len(bureau.mails()) == 2


def test_who_bounced_or_complained_is_not_written_to_again(bureau: Bureau) -> None:
    bureau.give("confirmations", "dispatches")
    order = bureau.buy()
    bureau.tell()
    (mail,) = bureau.mails()
    bureau.office.bounce_mail(mail["id"])
    bureau.pull("interactions")
    bureau.ship(order)
    bureau.tell(1)
    assert len(bureau.mails()) == 1


def test_a_mail_that_may_not_be_sent_is_withheld_and_on_no_timeline(bureau: Bureau) -> None:
    bureau.give("confirmations", "dispatches")
    order = bureau.buy()
    bureau.tell()
    (mail,) = bureau.mails()
    bureau.office.bounce_mail(mail["id"])
    bureau.pull("interactions")
    bureau.ship(order)
    for minutes in (1, 30):
        bureau.tell(minutes)
    assert (bureau.states("confirmation"), bureau.states("dispatch")) == (["sent"], ["withheld"])
    assert [entry.what for entry in timeline(bureau.person().pk, kinds=["mail"]).entries] == ["confirmation"]


def test_another_address_of_somebody_whose_first_one_bounced_is_written_to(bureau: Bureau) -> None:
    bureau.give("confirmations")
    bureau.buy()
    bureau.tell()
    bureau.office.bounce_mail(bureau.mails()[0]["id"])
    bureau.pull("interactions")
    bureau.buy("ann@elsewhere.example")
    bureau.tell(1)
    assert len(bureau.mails("ann@elsewhere.example")) == 1


def test_a_complaint_ends_all_mail_to_the_person(bureau: Bureau) -> None:
    bureau.give("confirmations")
    bureau.buy(phone="+493012345678")
    bureau.tell()
    bureau.office.interact("mail_complaint", email=ANN)
    bureau.pull("interactions")
    ann = bureau.person()
    ann.identities.create(kind="email", value="ann@elsewhere.example")
    bureau.buy("ann@elsewhere.example")
    bureau.tell(1)
    assert bureau.mails("ann@elsewhere.example") == []


def test_it_is_written_in_the_language_of_the_person(bureau: Bureau) -> None:
    bureau.give("confirmations")
    bureau.buy(language="de-AT", name="Anna")
    bureau.tell()
    (mail,) = bureau.mails()
    assert mail["subject"].startswith("Ihre Bestellung")
    assert mail["text"].startswith("Guten Tag Anna,")
    assert "10,00" in mail["text"]
    assert mail["language"] == "de-AT"


def test_a_language_that_we_do_not_speak_is_answered_in_english(bureau: Bureau) -> None:
    bureau.give("confirmations")
    bureau.buy(language="fi")
    bureau.tell()
    assert bureau.mails()[0]["subject"].startswith("Your order")


def test_what_a_customer_calls_themselves_is_no_part_of_the_page(bureau: Bureau) -> None:
    bureau.give("confirmations")
    bureau.buy(name='<script>alert("x")</script>')
    bureau.tell()
    (mail,) = bureau.mails()
    assert "<script>" not in mail["html"]
    assert "&lt;script&gt;" in mail["html"]
    assert '<script>alert("x")</script>' in mail["text"]


@pytest.mark.parametrize("address", ["https://[x", "javascript:alert(1)"])
def test_an_address_to_track_a_parcel_at_that_is_none_is_left_out(bureau: Bureau, address: str) -> None:
    bureau.give("dispatches")
    bureau.ship(bureau.buy(), tracking_url=address)
    bureau.tell()
    (mail,) = bureau.mails()
    assert "JJD0001" in mail["text"]
    assert address not in mail["text"] + mail["html"]


def test_a_mail_that_cannot_be_written_is_set_aside_and_holds_up_no_other(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot_be_written(*given: Any, **words: Any) -> str:
        raise ValueError("no such day")

    monkeypatch.setattr(mails, "format_date", cannot_be_written)  # a confirmation names the day, a dispatch does not
    bureau.give("confirmations", "dispatches")
    bureau.ship(bureau.buy())
    bureau.tell()
    assert (bureau.states("confirmation"), bureau.states("dispatch")) == (["refused"], ["sent"])
    assert DeadLetter.objects.get().reason == "the mail cannot be written: ValueError: no such day"
    assert not IntegrationHealth.objects.filter(integration=bureau.integration, failures_in_row__gt=0).exists()


def test_own_words_and_a_template_go_before_ours(bureau: Bureau) -> None:
    bureau.give("confirmations", "dispatches")
    MailText.objects.create(
        integration=bureau.integration, purpose="order_confirmed", subject="Hurra: {number}", text="Danke, {name}!"
    )
    MailText.objects.create(integration=bureau.integration, purpose="shipped", template="d-17")
    order = bureau.buy(name="Anna")
    bureau.ship(order)
    bureau.tell()
    by_purpose = {mail["purpose"]: mail for mail in bureau.mails()}
    assert by_purpose["order_confirmed"]["subject"] == f"Hurra: {order.number}"
    assert by_purpose["order_confirmed"]["text"] == "Danke, Anna!"
    assert by_purpose["shipped"]["template"] == "d-17"
    assert by_purpose["shipped"]["values"]["tracking_number"] == "JJD0001"


def test_a_line_that_would_name_nothing_is_left_out(bureau: Bureau) -> None:
    bureau.give("dispatches")
    bureau.ship(bureau.buy(), carrier="", tracking_number="")
    bureau.tell()
    (mail,) = bureau.mails()
    assert "Tracking number" not in mail["text"]
    assert "href" not in mail["html"]


@pytest.mark.parametrize("purpose", mail_words.NAMES)
@pytest.mark.parametrize("language", ["en", "de"])
def test_our_own_words_name_only_what_is_filled_in(purpose: str, language: str) -> None:
    words = mail_words.ours(purpose, language)
    assert mail_words.names_in(words.subject, words.text, words.html) <= set(mail_words.NAMES[purpose])


# Wishes.


def wish(bureau: Bureau, email: str = ANN, **given: Any) -> Wishlist:
    """Somebody wishes for a pot, of which there is none."""
    bureau.market.goods("POT") if "POT" not in bureau.market.variants else None
    bureau.market.web.add_product(bureau.market.product)
    person, _ = OmnichannelCustomer.objects.get_or_create(email=email, defaults={"name": "Ann"})
    return Wishlist.objects.create(
        customer=person, variant=bureau.market.variants["POT"], sales_channel=bureau.market.web,
        added_at=clock.now(), **given,
    )  # fmt: skip


def arrive(bureau: Bureau, units: int = 3) -> None:
    """Pots arrive."""
    bureau.market.receive(bureau.market.variants["POT"], units, bureau.market.warehouse)


def test_who_wished_for_what_was_sold_out_hears_once_that_it_is_there_again(bureau: Bureau) -> None:
    bureau.give("back_in_stock")
    wish(bureau)
    jobs.wake()
    bureau.tell()
    assert bureau.mails() == []
    arrive(bureau)
    for minutes in (0, 1, 2):
        jobs.wake()
        bureau.tell(minutes)
    (mail,) = bureau.mails()
    assert mail["subject"] == "Things is there again"
    assert mail["purpose"] == "back_in_stock"


@pytest.mark.parametrize(("agrees", "mails_that_sell"), [(True, 1), (False, 0)])
def test_only_a_mail_that_went_out_counts_as_one_that_was_to_sell(
    bureau: Bureau, agrees: bool, mails_that_sell: int
) -> None:
    bureau.give("back_in_stock")
    wished = wish(bureau)
    finding.look_at_wishes()
    arrive(bureau)
    finding.look_at_wishes()
    finding.find(timedelta(hours=1))
    Consent.objects.create(customer=wished.customer, purpose="back_in_stock", is_granted=agrees)
    notices.tell(bureau.integration.pk)
    person = wished.customer_id
    told = selling_mails({person: [person]}, clock.now())
    assert (len(told.get(person, [])), len(bureau.mails())) == (mails_that_sell, mails_that_sell)


def test_who_wished_for_it_on_two_devices_hears_once(bureau: Bureau) -> None:
    bureau.give("back_in_stock")
    first, second = wish(bureau), wish(bureau, "ann@example.org")
    first.customer.merge(second.customer, actor="olga")
    jobs.wake()
    bureau.tell()
    arrive(bureau)
    for minutes in (0, 1, 2):
        jobs.wake()
        bureau.tell(minutes)
    assert len(bureau.mails()) == 1


def test_who_wishes_for_what_is_there_is_not_written_to(bureau: Bureau) -> None:
    bureau.give("back_in_stock")
    bureau.market.goods("POT")
    arrive(bureau)
    wish(bureau)
    for _ in range(3):
        finding.look_at_wishes()
        bureau.tell()
    assert bureau.mails() == []


@pytest.mark.parametrize("what", ["taken back", "refused", "duty off", "sold out again"])
def test_a_wish_that_holds_no_more_when_the_mail_is_sent_is_not_written_about(bureau: Bureau, what: str) -> None:
    bureau.give("back_in_stock")
    wished = wish(bureau)
    finding.look_at_wishes()
    arrive(bureau)
    finding.look_at_wishes()
    assert finding.find(timedelta(hours=1)) == 1
    if what == "taken back":
        wished.delete()
    elif what == "refused":
        Consent.objects.create(customer=wished.customer, purpose="back_in_stock", is_granted=False)
    elif what == "duty off":
        bureau.give()
    else:
        bureau.buy("bob@example.com", units=1)
        from finalmarket.stock import ledger

        ledger.adjust(wished.variant_id, bureau.market.warehouse.pk, -3, reason="counted", actor="test")
    notices.tell(bureau.integration.pk)
    assert bureau.mails() == []


def test_what_was_sold_out_again_before_anybody_was_told_is_told_the_next_time(bureau: Bureau) -> None:
    from finalmarket.stock import ledger

    bureau.give("back_in_stock")
    wished = wish(bureau)
    finding.look_at_wishes()
    arrive(bureau)
    finding.look_at_wishes()
    finding.find(timedelta(hours=1))
    ledger.adjust(wished.variant_id, bureau.market.warehouse.pk, -3, reason="counted", actor="test")
    notices.tell(bureau.integration.pk)
    finding.look_at_wishes()
    assert DueNotice.objects.filter(kind="back_in_stock").count() == 0
    arrive(bureau)
    finding.look_at_wishes()
    bureau.tell()
    assert len(bureau.mails()) == 1


def test_a_channel_that_was_paused_for_a_while_is_no_news(bureau: Bureau) -> None:
    bureau.give("back_in_stock")
    bureau.market.goods("POT")
    arrive(bureau)
    wish(bureau)
    finding.look_at_wishes()
    bureau.market.web.pause("stock take")
    finding.look_at_wishes()
    bureau.market.web.resume()
    finding.look_at_wishes()
    bureau.tell()
    assert bureau.mails() == []


# What an account is for.


def test_a_duty_that_the_platform_cannot_do_is_refused(bureau: Bureau) -> None:
    with pytest.raises(UserError, match="is not able"):
        duties.switch(bureau.integration, ["never_heard_of"], actor="olga")


def test_duties_that_stay_keep_the_moment_since_when(bureau: Bureau) -> None:
    bureau.give("confirmations")
    first = duties.since(bureau.integration, "confirmations")
    with clock.steered(clock.now() + timedelta(hours=1)):
        bureau.give("confirmations", "dispatches")
        assert duties.since(bureau.integration, "confirmations") == first
