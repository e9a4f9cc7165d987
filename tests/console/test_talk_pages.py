"""Talk from the console: what an account is for, a ticket from an order, customers who may be one person."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finalmarket.customers.models import CustomerMerge, MergeSuggestion, OmnichannelCustomer
from finalmarket.customers.suggestions import suggest
from finalmarket.integrations import duties
from finalmarket.integrations.models import ChannelIntegration, DueNotice, MailText, Ticket
from finalmarket.kernel import clock
from finalmarket.orders.intake import take
from finalmarket.orders.models import Order
from tests.console.reading import read, told
from tests.orders.market import Market, draft, line


@pytest.fixture
def account(db: None) -> ChannelIntegration:
    """An account that is able to do all sorts of things."""
    return ChannelIntegration.objects.create(
        platform_name="practice_office", integration_type="chat", account_label="Desk", status="active",
        push_from=clock.now(),
    )  # fmt: skip


@pytest.fixture
def order(market: Market) -> Order:
    """An order of our web shop."""
    market.goods("CUP", warehouse=5)
    return take(draft(market.web, "w1", line("CUP", 1), email="ann@example.com")).order


def member(*rights: str) -> Client:
    """Somebody with these rights only, logged in."""
    user = User.objects.create_user("sue", password="open sesame 4", is_staff=True)
    user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
    client = Client()
    client.force_login(user)
    return client


def _open(client: Client, order: Order, **given: str) -> list[str]:
    form = {"subject": "Broken", "text": "In two parts", "priority": "high", "form_key": "k1", **given}
    answer = client.post(reverse("console:open_ticket", args=[order.pk]), form, follow=True)
    assert answer.status_code == 200
    return told(answer)


def test_the_page_shows_what_the_account_is_for_and_keeps_what_is_ticked(
    operator: Client, account: ChannelIntegration
) -> None:
    address = reverse("console:integration", args=[account.pk])
    page = operator.get(address).content.decode()
    assert 'value="tickets" checked' in page
    assert 'value="confirmations">' in page
    change = reverse("console:change_integration", args=[account.pk, "duties"])
    answer = operator.post(change, {"duty": ["confirmations"]}, follow=True)
    assert "Mails: order confirmed" in told(answer)[0]
    account.refresh_from_db()
    assert duties.does(account, "confirmations")
    assert not duties.does(account, "tickets")
    assert 'value="confirmations" checked' in operator.get(address).content.decode()


def test_a_duty_that_it_is_not_able_to_do_is_refused_in_words(operator: Client, account: ChannelIntegration) -> None:
    change = reverse("console:change_integration", args=[account.pk, "duties"])
    assert "is not able to do that" in told(operator.post(change, {"duty": ["fly"]}, follow=True))[0]


def test_who_may_only_look_sees_duties_and_changes_none(account: ChannelIntegration) -> None:
    clerk = member("view_channelintegration")
    page = read(clerk, reverse("console:integration", args=[account.pk]))
    assert "Opens tickets" in page
    change = reverse("console:change_integration", args=[account.pk, "duties"])
    assert clerk.post(change, {"duty": []}).status_code == 403


def test_own_words_are_written_in_the_console_and_checked(operator: Client, account: ChannelIntegration) -> None:
    address = reverse("admin:integrations_mailtext_add")
    form = {"integration": account.pk, "purpose": "shipped", "language": "DE", "subject": "Los!", "text": "{nummer}"}
    refused = operator.post(address, form)
    assert "Nothing is filled in for nummer" in refused.content.decode()
    operator.post(address, {**form, "text": "{number}"})
    assert MailText.objects.get().language == "de"


def test_support_opens_a_ticket_from_an_order_once(order: Order, account: ChannelIntegration) -> None:
    support = member("view_order", "view_ticket", "add_ticket")
    assert "Open a ticket" in read(support, reverse("console:order", args=[order.pk]))
    assert "A ticket is opened" in _open(support, order)[0]
    _open(support, order)
    ticket = Ticket.objects.get()
    assert (ticket.order, ticket.subject, ticket.priority, ticket.actor) == (order, "Broken", "high", "sue")
    assert DueNotice.objects.get(kind="ticket").state == "due"
    assert "waits" in read(support, reverse("console:order", args=[order.pk]))


def test_a_ticket_that_was_refused_says_why(order: Order, account: ChannelIntegration) -> None:
    support = member("view_order", "view_ticket", "add_ticket")
    _open(support, order)
    DueNotice.objects.update(state="refused", last_error="the desk is closed")
    page = read(support, reverse("console:order", args=[order.pk]))
    assert "not opened" in page
    assert "the desk is closed" in page


def test_who_may_not_see_tickets_reads_none_on_the_page_of_an_order(order: Order, account: ChannelIntegration) -> None:
    Ticket.objects.create(integration=account, order=order, key="k1", subject="Broken", text="In two parts")
    assert "Broken" not in read(member("view_order", "change_order"), reverse("console:order", args=[order.pk]))


def test_who_may_not_open_tickets_opens_none(order: Order, account: ChannelIntegration) -> None:
    clerk = member("view_order", "change_order")
    assert "Open a ticket" not in read(clerk, reverse("console:order", args=[order.pk]))
    assert clerk.post(reverse("console:open_ticket", args=[order.pk]), {}).status_code == 403
    assert Ticket.objects.count() == 0


def test_who_may_not_see_orders_opens_no_ticket_about_one(order: Order, account: ChannelIntegration) -> None:
    assert member("add_ticket").post(reverse("console:open_ticket", args=[order.pk]), {}).status_code == 403


@pytest.mark.parametrize(
    ("given", "words"), [({"subject": " "}, "needs a subject"), ({"form_key": ""}, "not complete")]
)
def test_what_is_missing_is_said(
    operator: Client, order: Order, account: ChannelIntegration, given: dict[str, str], words: str
) -> None:
    assert words in _open(operator, order, **given)[0]
    assert Ticket.objects.count() == 0


def pair(first: str = "Ann", second: str = "Anna") -> MergeSuggestion:
    one, other = (OmnichannelCustomer.objects.create(name=name) for name in (first, second))
    suggest(one.pk, other.pk, source="integration:7", evidence={"kept": "C1", "merged": "C2"})
    return MergeSuggestion.objects.latest("pk")


def test_who_may_be_one_person_is_decided_by_somebody(operator: Client) -> None:
    one, other, last = pair(), pair("Bob", "Bert"), pair("Cid", "Cyd")
    listed = read(operator, reverse("console:merges"))
    assert "Anna" in listed
    assert "kept: C1, merged: C2" in listed
    answer = operator.post(reverse("console:decide_merge", args=[one.pk, "accept"]), follow=True)
    assert "They are one person now" in told(answer)[0]
    answer = operator.post(reverse("console:decide_merge", args=[other.pk, "reject"]), follow=True)
    assert "Better evidence may still join them" in told(answer)[0]
    answer = operator.post(reverse("console:decide_merge", args=[last.pk, "keep-apart"]), follow=True)
    assert "no evidence joins them" in told(answer)[0]
    one.refresh_from_db()
    assert (one.state, one.decided_by) == ("accepted", "olga")
    assert "Nobody holds two customers for one" in read(operator, reverse("console:merges"))
    assert [row.pk for row in OmnichannelCustomer.objects.exclude(merged_into=None)] == [one.second_id]
    parted = CustomerMerge.objects.filter(kind="part", actor="olga").values_list("first", "second", "source")
    assert list(parted) == [(last.first_id, last.second_id, f"suggestion:{last.pk}")]


def test_a_scored_suggestion_shows_its_score_and_its_reason(operator: Client) -> None:
    one = pair()
    reason = "same birth date; surname differs in one letter"
    group = "one of 3 who may be one person"
    MergeSuggestion.objects.filter(pk=one.pk).update(score="0.973", evidence={"because": reason, "group": group})
    listed = read(operator, reverse("console:merges"))
    assert all(word in listed for word in ("Score", "0.973", reason, group))
    assert "because:" not in listed


def test_a_decision_that_was_made_otherwise_is_said(operator: Client) -> None:
    one = pair()
    operator.post(reverse("console:decide_merge", args=[one.pk, "reject"]))
    answer = operator.post(reverse("console:decide_merge", args=[one.pk, "accept"]), follow=True)
    assert "decided already by olga" in told(answer)[-1]


def test_who_may_only_look_decides_nothing(db: None) -> None:
    one, clerk = pair(), member("view_mergesuggestion")
    assert "One person" not in read(clerk, reverse("console:merges")).split("Since")[-1]
    assert clerk.post(reverse("console:decide_merge", args=[one.pk, "accept"])).status_code == 403


def test_who_may_decide_of_suggestions_merges_nobody_without_the_right_to(db: None) -> None:
    one, clerk = pair(), member("view_mergesuggestion", "change_mergesuggestion")
    for verb in ("accept", "keep-apart"):
        assert clerk.post(reverse("console:decide_merge", args=[one.pk, verb])).status_code == 403
    assert clerk.post(reverse("console:decide_merge", args=[one.pk, "reject"])).status_code == 302
    one.refresh_from_db()
    assert one.state == "rejected"


def test_many_pairs_take_as_many_questions_as_few(operator: Client) -> None:

    def questions() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(reverse("console:merges")).status_code == 200
        return len(captured)

    pair()
    few = questions()
    for number in range(10):
        pair(f"A{number}", f"B{number}")
    assert questions() == few
