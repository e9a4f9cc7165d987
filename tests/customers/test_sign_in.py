"""Shoppers sign in by a code that was mailed to them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from finalmarket.channels.models import SalesChannel
from finalmarket.customers import persons, sign_in
from finalmarket.customers.models import OmnichannelCustomer, ShopperSession, SignInCode
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

pytestmark = pytest.mark.django_db
ANN = "ann@example.com"


@pytest.fixture(autouse=True)
def _mail_server(settings: Any) -> None:
    settings.MAIL_IS_SET = True


@pytest.fixture
def web() -> SalesChannel:
    """A web shop."""
    return SalesChannel.objects.create(name="Web", channel_type="web", country="DE")


def _mailed(web: SalesChannel, address: str = ANN) -> str:
    """Ask for a code and read the mail."""
    sign_in.ask_for_code(web, address)
    newest = SignInCode.objects.order_by("-pk")[0]
    sign_in.mail_code(newest.pk)
    assert mail.outbox[-1].to == [newest.address]
    found = re.search(r"\b\d{6}\b", str(mail.outbox[-1].body))
    assert found is not None
    return found[0]


def test_the_code_of_the_mail_opens_a_session_once(web: SalesChannel) -> None:
    code = _mailed(web, "Ann@Example.com")
    session, token = sign_in.redeem(web, ANN, f" {code[:3]} {code[3:]}")
    assert session.customer.email == ANN
    found = sign_in.who(web, token)
    assert found is not None and found.customer == session.customer
    with pytest.raises(UserError, match="not right"):
        sign_in.redeem(web, ANN, code)


def test_neither_code_nor_token_can_be_read_in_the_database(web: SalesChannel) -> None:
    code = _mailed(web)
    row = SignInCode.objects.get()
    assert row.encrypted is None and code not in row.digest
    _, token = sign_in.redeem(web, ANN, code)
    assert not ShopperSession.objects.filter(digest__contains=token[3:20]).exists()


def test_what_was_done_on_the_device_before_is_theirs(web: SalesChannel) -> None:
    visitor = resolve(Contact(device="channel-1:abc"), source="web")
    assert visitor is not None
    session, _ = sign_in.redeem(web, ANN, _mailed(web), device="channel-1:abc")
    persons.settle()
    visitor.refresh_from_db()
    known = OmnichannelCustomer.objects.get(pk=session.customer_id)
    assert (visitor.merged_into_id or visitor.pk) == (known.merged_into_id or known.pk)


def test_five_wrong_codes_and_the_right_one_is_of_no_use(web: SalesChannel) -> None:
    code = _mailed(web)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(5):
        with pytest.raises(UserError):
            sign_in.redeem(web, ANN, wrong)
    with pytest.raises(UserError):
        sign_in.redeem(web, ANN, code)
    assert not ShopperSession.objects.exists()


def test_an_address_has_five_codes_an_hour(web: SalesChannel) -> None:
    with clock.steered() as time:
        for _ in range(5):
            sign_in.ask_for_code(web, ANN)
        with pytest.raises(sign_in.TooManyCodes):
            sign_in.ask_for_code(web, ANN)
        sign_in.ask_for_code(web, "ben@example.com")
        time.advance(timedelta(hours=1, seconds=1))
        sign_in.ask_for_code(web, ANN)


def test_codes_and_sessions_end(web: SalesChannel) -> None:
    with clock.steered() as time:
        code = _mailed(web)
        time.advance(timedelta(minutes=10, seconds=1))
        with pytest.raises(UserError):
            sign_in.redeem(web, ANN, code)
        _, token = sign_in.redeem(web, ANN, _mailed(web))
        time.advance(timedelta(days=90, seconds=1))
        assert sign_in.who(web, token) is None
        assert sign_in.tidy() == 3


def test_a_token_is_of_one_channel_and_ends_with_signing_out(web: SalesChannel) -> None:
    app = SalesChannel.objects.create(name="App", channel_type="mobile", country="DE")
    session, token = sign_in.redeem(web, ANN, _mailed(web))
    assert sign_in.who(app, token) is None
    sign_in.sign_out(session)
    assert sign_in.who(web, token) is None


@pytest.mark.parametrize("address", ["", "ann", "reception@example.com", "a@b@c"])
def test_what_is_nobodys_own_address_gets_no_code(web: SalesChannel, address: str) -> None:
    with pytest.raises(UserError):
        sign_in.ask_for_code(web, address)
    assert not SignInCode.objects.exists()


def test_a_house_without_a_mail_server_says_so_and_a_shop_for_trying_writes_files(
    web: SalesChannel, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    settings.MAIL_IS_SET = False
    with pytest.raises(UserError, match="FINALMARKET_MAIL_HOST"):
        sign_in.ask_for_code(web, ANN)
    monkeypatch.setenv("FINALMARKET_DATA", str(tmp_path))
    web.configuration = {"test_payments": True}
    sign_in.ask_for_code(web, ANN)
    web.save()
    sign_in.mail_code(SignInCode.objects.get().pk)
    (file,) = (tmp_path / "mail").iterdir()
    assert "is the code with which you sign in at Web" in file.read_text()
