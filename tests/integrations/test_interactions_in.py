"""What people do with mail, and where platforms watch them, comes in once and says what it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from finalmarket.connectors.talk import InteractionRecord
from finalmarket.customers import consents
from finalmarket.customers.models import Consent, OmnichannelCustomer
from finalmarket.customers.persons import members
from finalmarket.integrations import dead_letters, inbox, pull
from finalmarket.integrations.models import DeadLetter, ExternalId, WebhookDelivery
from finalmarket.integrations.storing import Stored, intake
from finalmarket.integrations.talk import interactions_in
from finalmarket.integrations.talk.interactions_in import take_interactions
from finalmarket.journeys import record
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.kernel import failpoints
from finalmarket.sandbox.webhooks import Letter, Sender
from tests.integrations.bureau import ANN, Bureau, opened_bureau

pytestmark = pytest.mark.committed_database
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def bureau(committed_database: object) -> Iterator[Bureau]:
    with opened_bureau() as found:
        yield found


def take(bureau: Bureau, *records: InteractionRecord) -> list[Stored]:
    """Take these in one page."""
    with intake(bureau.integration, "interactions"):
        return take_interactions(bureau.integration, records)


def seen(kind: str = "email_open", number: str = "1", **given: Any) -> InteractionRecord:
    return InteractionRecord(**{"external_id": number, "kind": kind, "at": NOON, "email": ANN, **given})


def newsletter() -> list[bool]:
    return list(Consent.objects.filter(purpose="newsletter").order_by("id").values_list("is_granted", flat=True))


def test_opens_and_clicks_of_our_mail_become_interactions_of_the_reader_once(bureau: Bureau) -> None:
    bureau.give("confirmations")
    order = bureau.buy()
    bureau.tell()
    (mail,) = bureau.mails()
    bureau.office.open_mail(mail["id"])
    bureau.office.click_mail(mail["id"], "https://shop.example/cup")
    assert bureau.pull("interactions").changed_count == 2
    bureau.pull("interactions")
    done = ChannelInteraction.objects.filter(customer=order.customer_id).order_by("id")
    assert list(done.values_list("interaction_type", flat=True)) == ["email_open", "email_click"]
    assert done[1].context["url"] == "https://shop.example/cup"


def test_a_mail_names_its_reader_where_the_platform_does_not(bureau: Bureau) -> None:
    bureau.give("confirmations")
    order = bureau.buy()
    bureau.tell()
    take(bureau, seen(email="", message_key=bureau.mails()[0]["reference"]))
    assert ChannelInteraction.objects.get().customer_id == order.customer_id


def test_somebody_unknown_is_made_and_known_by_account_from_then_on(bureau: Bureau) -> None:
    take(bureau, seen("page_view", "1", email="new@example.com", customer_id="C9"))
    take(bureau, seen("page_view", "2", email="", customer_id="C9"))
    person = OmnichannelCustomer.objects.get(email="new@example.com")
    assert ChannelInteraction.objects.filter(customer__in=members(person.pk)).count() == 2


@pytest.mark.parametrize(
    ("told", "ours"),
    [("email_open", "email_open"), ("page_view", "page_view"), ("product_view", "product_view"), ("search", "search"),
     ("add_to_cart", "add_to_cart"), ("checkout_start", "checkout_start"), ("purchase", "checkout_complete"),
     ("social_engagement", "social_engagement")],
)  # fmt: skip
def test_the_platforms_words_become_ours(bureau: Bureau, told: str, ours: str) -> None:
    take(bureau, seen(told))
    assert ChannelInteraction.objects.get().interaction_type == ours


@pytest.mark.parametrize("kind", ["unknown", "email_delivered", "danced"])
def test_what_is_no_word_of_ours_changes_nothing_and_stops_nothing(bureau: Bureau, kind: str) -> None:
    stored = take(bureau, seen(kind), seen("email_open", "2"))
    assert [one.outcome for one in stored] == ["unchanged", "created"]
    assert DeadLetter.objects.count() == 0


def test_what_nobody_is_named_for_is_left_alone(bureau: Bureau) -> None:
    assert take(bureau, seen(email=""))[0].outcome == "unchanged"
    assert ChannelInteraction.objects.count() == 0


def test_the_same_thing_twice_in_a_page_or_over_pages_counts_once(bureau: Bureau) -> None:
    take(bureau, seen(), seen())
    take(bureau, seen(), seen("unsubscribe", "2"), seen("unsubscribe", "2"))
    take(bureau, seen("unsubscribe", "2"))
    assert ChannelInteraction.objects.count() == 1
    assert newsletter() == [False]


def test_a_name_of_any_length_is_one_name(bureau: Bureau) -> None:
    long = "x" * 400
    take(bureau, seen(number=long), seen("unsubscribe", long + "y"))
    take(bureau, seen(number=long), seen("unsubscribe", long + "y"))
    assert ChannelInteraction.objects.count() == 1
    assert newsletter() == [False]


def test_it_stays_one_when_the_account_gets_a_channel_later(bureau: Bureau) -> None:
    take(bureau, seen())
    bureau.integration.sales_channel = bureau.market.web
    bureau.integration.save()
    take(bureau, seen())
    assert ChannelInteraction.objects.count() == 1


def test_a_channel_is_made_once_for_an_account_without_one(bureau: Bureau) -> None:
    bureau.integration.integration_type = "email"
    take(bureau, seen())
    take(bureau, seen(number="2"))
    (channel,) = {one.sales_channel for one in ChannelInteraction.objects.all()}
    assert channel.channel_type == "email"


def test_the_accounts_own_channel_is_taken_where_it_has_one(bureau: Bureau) -> None:
    bureau.integration.sales_channel = bureau.market.web
    take(bureau, seen())
    assert ChannelInteraction.objects.get().sales_channel == bureau.market.web


def test_leaving_the_list_withdraws_on_every_channel_with_proof(bureau: Bureau) -> None:
    bureau.buy()
    Consent.objects.create(
        customer=bureau.person(), purpose="newsletter", sales_channel=bureau.market.web, is_granted=True,
        at=NOON - timedelta(days=1),
    )  # fmt: skip
    bureau.office.leave_list(ANN)
    bureau.pull("interactions")
    entries = Consent.objects.filter(purpose="newsletter", is_granted=False)
    assert {entry.sales_channel for entry in entries} == {None, bureau.market.web}
    assert all(entry.proof["what"] == "unsubscribe" and entry.source == f"integration:{bureau.integration.pk}"
               for entry in entries)  # fmt: skip


def test_joining_the_list_is_a_consent_of_its_own_moment(bureau: Bureau) -> None:
    take(bureau, seen("subscribe"))
    entry = Consent.objects.get()
    assert (entry.is_granted, entry.at) == (True, NOON)


def test_news_that_comes_late_does_not_undo_what_was_said_after_it(bureau: Bureau) -> None:
    take(bureau, seen("subscribe", "2", at=NOON + timedelta(days=2)))
    take(bureau, seen("unsubscribe", "1", at=NOON + timedelta(days=1)))
    last = Consent.objects.filter(purpose="newsletter").order_by("-at", "-id").first()
    assert last is not None
    assert last.is_granted


@pytest.mark.parametrize("kind", ["email_bounce", "email_complaint"])
def test_bounces_and_complaints_end_the_newsletter_and_all_mail(bureau: Bureau, kind: str) -> None:
    take(bureau, seen(kind))
    assert newsletter() == [False]
    (entry,) = Consent.objects.filter(purpose="mail")
    assert (entry.is_granted, entry.proof["what"]) == (False, kind)
    assert ANN not in str(entry.proof)


def test_webhooks_bring_interactions_along_without_asking_back(bureau: Bureau) -> None:
    letters: list[Letter] = []

    class Kept(Sender):
        def send(self, letter: Letter) -> None:
            letters.append(letter)

    bureau.office.sender = Kept(bureau.office.world, bureau.office.slug)
    bureau.office.state["hooks"].append({"url": "https://us.example/hooks/bureau/", "secret": "s" * 32})
    from finalmarket.integrations.accounts import keep_secrets

    keep_secrets(bureau.integration, {"webhook_secret": "s" * 32})
    bureau.office.interact("mail_opened", email=ANN)
    bureau.office.interact("danced", email=ANN)
    for letter in letters:
        assert inbox.receive("bureau", letter.url, dict(letter.headers), letter.body) == inbox.TAKEN
    inbox.work(bureau.integration.pk)
    assert ChannelInteraction.objects.get().interaction_type == "email_open"
    outcomes = list(WebhookDelivery.objects.order_by("id").values_list("outcome", flat=True))
    assert outcomes[0].endswith("created")
    assert outcomes[1].endswith("unchanged")
    bureau.pull("interactions")
    assert ChannelInteraction.objects.count() == 1


@pytest.mark.parametrize("place", ["pull.after_page", "pull.before_commit", "pull.after_commit"])
def test_a_worker_that_breaks_off_counts_nothing_twice(bureau: Bureau, place: str) -> None:
    bureau.office.interact("mail_opened", email=ANN)
    bureau.office.leave_list(ANN)
    with failpoints.armed(f"{place}:raise"), pytest.raises(failpoints.FailpointHit):
        pull.pull(bureau.integration.pk, "interactions")
    bureau.pull("interactions")
    assert ChannelInteraction.objects.count() == 1
    assert newsletter() == [False]


def test_one_that_cannot_be_taken_is_set_aside_and_taken_later(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = record.storable

    def tired(context: dict[str, Any]) -> dict[str, Any]:
        if context.get("sku") == "bad":
            raise ValueError("too much of it")
        return whole(context)

    monkeypatch.setattr(interactions_in, "storable", tired)
    stored = take(bureau, seen("unsubscribe", "0"), seen(number="1", sku="bad"), seen(number="2"))
    assert [one.outcome for one in stored] == ["created", "failed", "created"]
    assert newsletter() == [False]
    monkeypatch.undo()
    letter = DeadLetter.objects.get(stream="interactions")
    dead_letters.replay(letter.pk, actor="olga")
    assert ChannelInteraction.objects.count() == 2
    letter.refresh_from_db()
    assert letter.settled_by == "olga"


def test_a_page_of_many_takes_as_many_questions_as_a_page_of_few(bureau: Bureau) -> None:
    def questions(start: int, many: int) -> int:
        records = [replace(seen(number=f"{start + one}"), email=f"p{start + one}@example.com") for one in range(many)]
        with CaptureQueriesContext(connection) as captured:
            take(bureau, *records)
        return len(captured)

    questions(0, 1)
    assert questions(100, 5) == questions(200, 60)


def test_what_was_noted_of_consents_is_kept_by_name_only(bureau: Bureau) -> None:
    take(bureau, seen("unsubscribe", "7"))
    row = ExternalId.objects.get(kind="interaction")
    assert row.external_id == "7"


def test_a_yes_that_comes_late_does_not_undo_the_no_that_was_said_after_it(bureau: Bureau) -> None:
    take(bureau, seen("unsubscribe", "1"))
    take(bureau, seen("unsubscribe", "2", at=NOON + timedelta(minutes=70)))
    take(bureau, seen("subscribe", "3", at=NOON + timedelta(minutes=65)))
    assert newsletter() == [False, False, True]
    assert not consents.agrees(bureau.person().pk, "newsletter")
