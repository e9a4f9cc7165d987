"""Letters that a person has sent: a link to pay, word that goods lie ready, an answer to a mail; each once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.customers import consents
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.integrations.connect import PUBLIC_URL
from finalmarket.integrations.desk import pages
from finalmarket.integrations.models import ChannelIntegration, OwnLetter
from finalmarket.integrations.talk import letters
from finalmarket.kernel.errors import UserError
from finalmarket.orders import collecting
from finalmarket.orders.mailed.message import read
from finalmarket.orders.mailed.requests import take_in
from tests.integrations.bureau import ANN, Bureau, opened_bureau
from tests.orders.mailed.letters import letter

pytestmark = pytest.mark.committed_database


@pytest.fixture
def bureau(committed_database: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bureau]:
    monkeypatch.setenv(PUBLIC_URL, "https://house.example")
    with opened_bureau() as found:
        yield found


def test_a_link_to_pay_is_mailed_once_in_the_words_of_the_shop(bureau: Bureau) -> None:
    order = bureau.buy(units=2, tenders=())
    page = pages.start_payment(order.pk, bureau.integration, actor="cora")
    for _ in range(2):
        letters.send_payment_link(page.pk, actor="cora")
    for minutes in (0, 1, 30):
        bureau.tell(minutes)
    (mail,) = bureau.mails()
    assert (mail["purpose"], mail["to"]) == ("payment_link", ANN)
    assert mail["subject"] == f"Pay for your order {order.number}"
    assert page.approve_url in mail["text"]
    assert "€20.00" in mail["text"]


def test_whoever_waits_for_goods_is_told_where_they_lie_and_by_what_code(bureau: Bureau) -> None:
    order = bureau.buy()
    pickup = collecting.arrange(order, bureau.market.warehouse, "Ann", actor="nora")
    collecting.make_ready(pickup.pk, actor="nora")
    for _ in range(2):
        letters.tell_ready(pickup, actor="nora")
    bureau.tell()
    (mail,) = bureau.mails()
    assert pickup.code in mail["text"]
    assert "Warehouse" in mail["text"]


def test_a_mail_is_answered_once_by_each_form_and_never_to_a_sender_who_is_not_proved(bureau: Bureau) -> None:
    channel = SalesChannel.objects.create(name="Mail", channel_type="email")
    asked, _ = take_in(channel, read(letter("3 x CUP")))
    for _ in range(2):
        letters.reply(asked.pk, subject="Re: An order", text="We have <b>two</b>.", key="form-1", actor="mia")
    bureau.tell()
    (mail,) = bureau.mails()
    assert (mail["to"], mail["text"], mail["html"]) == (ANN, "We have <b>two</b>.", "")
    failed = (("Authentication-Results", "mx; dmarc=fail"),)
    forged, _ = take_in(channel, read(letter("3 x CUP", number="2", headers=failed)))
    with pytest.raises(UserError, match="not proved"):
        letters.reply(forged.pk, subject="Re", text="hello", key="form-2", actor="mia")


def test_nothing_is_written_to_an_address_that_is_barred_nor_without_an_account(bureau: Bureau) -> None:
    channel = SalesChannel.objects.create(name="Mail", channel_type="email")
    asked, _ = take_in(channel, read(letter("3 x CUP")))
    ann = bureau.buy().customer
    assert isinstance(ann, OmnichannelCustomer)
    consents.say(ann.pk, consents.MAIL, False, source="bounce")
    letters.reply(asked.pk, subject="Re", text="hello", key="form-1", actor="mia")
    bureau.tell()
    assert bureau.mails() == []
    ChannelIntegration.objects.update(status="paused")
    with pytest.raises(UserError, match="no account sends mails"):
        letters.reply(asked.pk, subject="Re", text="hello", key="form-2", actor="mia")
    assert OwnLetter.objects.count() == 1
