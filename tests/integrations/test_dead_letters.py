"""What was set aside: one open letter a record, tried again by one command, settled when it succeeds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from finalmarket.cli.replay import command
from finalmarket.integrations import dead_letters, jobs, payments_in, pull
from finalmarket.integrations.models import DeadLetter
from finalmarket.integrations.push import push
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.drafts import LineDraft, OrderDraft
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order, Payment
from finalmarket.sandbox.faults import Fault
from tests.integrations.stalls import Account

pytestmark = pytest.mark.committed_database


def bad_order(account: Account) -> str:
    """An order that cannot be taken, set aside."""
    with account.shop.lock:
        number = account.shop.order(("TEA", 1))
        account.shop.state["orders"][number]["currency"] = "XXQ"
    pull.pull(account.integration.pk, "orders")
    return number


def mend(account: Account, number: str) -> None:
    """The platform puts it right, and tells nobody."""
    with account.shop.lock:
        account.shop.state["orders"][number]["currency"] = "EUR"


def test_a_record_has_one_open_letter_and_its_tries_are_counted(account: Account) -> None:
    for reason in ("first", "second"):
        dead_letters.set_aside(account.integration, "orders", "O1", reason, {"raw": {"id": "O1"}})
    letter = DeadLetter.objects.get()
    assert (letter.reason, letter.attempts) == ("second", 2)
    dead_letters.drop(letter.pk, actor="ann")
    dead_letters.set_aside(account.integration, "orders", "O1", "third", {})
    assert DeadLetter.objects.filter(settled_at=None).count() == 1
    assert DeadLetter.objects.count() == 2


def test_records_without_a_name_have_a_letter_each(account: Account) -> None:
    for _ in range(2):
        dead_letters.set_aside(account.integration, "orders", "", "cannot be read", {})
    assert DeadLetter.objects.filter(settled_at=None).count() == 2


def test_a_letter_holds_whatever_the_record_held(account: Account) -> None:
    dead_letters.set_aside(account.integration, "orders", "O\x001", "bad\x00", {"raw": {"a\x00": Decimal("1.50")}})
    letter = DeadLetter.objects.get()
    assert (letter.external_id, letter.reason, letter.payload) == ("O1", "bad", {"raw": {"a": "1.50"}})


def test_a_replayed_order_is_taken_as_it_stands_now(account: Account) -> None:
    number = bad_order(account)
    mend(account, number)
    settled = dead_letters.replay(DeadLetter.objects.get().pk, actor="ann")
    assert settled.settled_at is not None
    assert Order.objects.get().external_id == number
    assert dead_letters.replay(settled.pk, actor="ann").attempts == settled.attempts  # doing it again changes nothing


def test_what_fails_again_keeps_its_letter(account: Account) -> None:
    bad_order(account)
    letter = DeadLetter.objects.get()
    with pytest.raises(UserError, match=r"failed again: .*XXQ"):
        dead_letters.replay(letter.pk, actor="ann")
    assert DeadLetter.objects.get().settled_at is None


def test_a_letter_of_what_is_gone_says_so(account: Account) -> None:
    number = bad_order(account)
    with account.shop.lock:
        del account.shop.state["orders"][number]
    with pytest.raises(UserError, match="any more"):
        dead_letters.replay(DeadLetter.objects.get().pk, actor="ann")


def test_what_only_a_person_can_settle_is_not_tried_again(account: Account) -> None:
    dead_letters.set_aside(account.integration, "erase", "C1", "a person asks to be erased", {})
    with pytest.raises(UserError, match="settle it when you have dealt with it"):
        dead_letters.replay(DeadLetter.objects.get().pk, actor="ann")
    with pytest.raises(UserError, match="no dead letter with number 99"):
        dead_letters.replay(99, actor="ann")


def test_a_refused_price_is_told_again_with_its_newest_value(account: Account) -> None:
    with account.shop.lock:
        hidden = account.shop.state["listings"].pop(account.link("TEA").external_key)
    push(account.integration.pk)
    letters = DeadLetter.objects.filter(external_id=hidden["key"], settled_at=None)
    assert {letter.stream for letter in letters} >= {"push_price"}
    with account.shop.lock:
        account.shop.state["listings"][hidden["key"]] = hidden
    for letter in letters:
        dead_letters.replay(letter.pk, actor="ann")
    push(account.integration.pk)
    assert account.shop.state["listings"][hidden["key"]]["price"] == "5.00"
    assert not DeadLetter.objects.filter(settled_at=None).exists()


def test_a_payment_is_applied_by_itself_when_its_order_comes(account: Account) -> None:
    with account.shop.lock:
        number = account.shop.add_payment(Decimal("5.00"), state="captured")
        account.shop.state["payments"][number] |= {"order": "WEB-1", "captured": "5.00"}
    pull.pull(account.integration.pk, "payments")
    jobs.retry_waiting()
    assert not Payment.objects.exists()
    line = LineDraft(sku="TEA", unit_price=Decimal("5.00"))
    take(
        OrderDraft(
            channel_id=account.channel.pk, external_id="WEB-1", currency="EUR", placed_at=clock.now(), lines=(line,)
        )
    )
    jobs.retry_waiting()
    assert Payment.objects.get().state == "captured"
    assert DeadLetter.objects.get().settled_by == "system"


@pytest.mark.parametrize("fault", [Fault.TOO_MANY, Fault.MALFORMED, Fault.STALE_READ])
def test_a_payment_goes_on_waiting_for_its_order_while_the_platform_cannot_be_asked(
    account: Account, fault: Fault
) -> None:
    account.shop.remember()
    with account.shop.lock:
        number = account.shop.add_payment(Decimal("5.00"), state="captured")
        account.shop.state["payments"][number] |= {"order": "WEB-1", "captured": "5.00"}
    pull.pull(account.integration.pk, "payments")
    line = LineDraft(sku="TEA", unit_price=Decimal("5.00"))
    take(
        OrderDraft(
            channel_id=account.channel.pk, external_id="WEB-1", currency="EUR", placed_at=clock.now(), lines=(line,)
        )
    )
    account.shop.faults.then(fault)
    jobs.retry_waiting()
    assert not Payment.objects.exists()
    assert (DeadLetter.objects.get().reason, DeadLetter.objects.get().attempts) == ("waits for order WEB-1", 2)
    jobs.retry_waiting()
    assert Payment.objects.get().state == "captured"


def test_one_command_tries_everything_again(account: Account) -> None:
    first, second = bad_order(account), bad_order(account)
    mend(account, first)
    told = CliRunner().invoke(command, ["--all"])
    assert told.exit_code == 1
    assert "1 of 2 letters settled." in told.output
    mend(account, second)
    told = CliRunner().invoke(command, ["--integration", str(account.integration.pk)])
    assert (told.exit_code, "1 of 1 letter settled." in told.output) == (0, True)
    assert Order.objects.count() == 2


def test_the_command_asks_what_to_try_again() -> None:
    told = CliRunner().invoke(command, [])
    assert isinstance(told.exception, UserError)


def waits_for(account: Account, number: str, **given: Any) -> int:
    """A letter of a payment that names an order of that number; returns its own."""
    return DeadLetter.objects.create(
        integration=account.integration, stream="payments", external_id=f"P-{number}",
        reason=f"waits for order {number}", **given,
    ).pk  # fmt: skip


def test_a_payment_is_found_when_its_order_comes_however_many_others_wait(
    account: Account, django_assert_max_num_queries: Any
) -> None:
    for number in range(110):
        waits_for(account, f"GONE-{number}")
    line = LineDraft(sku="TEA", unit_price=Decimal("5.00"))
    for name in ("WEB-1", "WEB-2"):
        wanted = OrderDraft(
            channel_id=account.channel.pk, external_id=name, currency="EUR", placed_at=clock.now(), lines=(line,)
        )
        take(wanted)
    often, first = waits_for(account, "WEB-1", attempts=7), waits_for(account, "WEB-2")
    with django_assert_max_num_queries(6):
        assert payments_in.letters_to_retry() == [first, often]
    assert payments_in.letters_to_retry(limit=1) == [first]  # what fails again and again comes last
