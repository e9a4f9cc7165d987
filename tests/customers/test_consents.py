"""One place says whether a person agrees: their last word counts, whichever of their profiles it stands with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.customers import consents
from finalmarket.customers.models import Consent, OmnichannelCustomer
from finalmarket.customers.persons import settle
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def web() -> SalesChannel:
    return SalesChannel.objects.create(name="Web", channel_type="web")


@pytest.fixture
def app() -> SalesChannel:
    return SalesChannel.objects.create(name="App", channel_type="store")


def come(**words: Any) -> OmnichannelCustomer:
    found = resolve(Contact(**words))
    assert found is not None
    settle()
    found.refresh_from_db()
    return found


def said(person: OmnichannelCustomer, word: bool, at: datetime, channel: SalesChannel | None = None) -> Consent:
    where = channel.pk if channel else None
    return consents.say(person.pk, "newsletter", word, channel_id=where, source="test", at=at)


def test_what_nobody_was_asked_is_no_yes() -> None:
    ann = come(email="ann@example.com")
    assert not ann.agrees_to("newsletter")
    assert not ann.agrees_to("analytics")
    assert ann.agrees_to("order_confirmed")
    assert ann.agrees_to("back_in_stock")
    assert not consents.agrees(None, "back_in_stock")
    assert consents.agrees(None, "order_confirmed")


def test_the_last_word_of_any_profile_counts_and_a_withdrawal_wins_at_the_same_moment() -> None:
    ann, twin = come(email="ann@example.com"), come(email="ann.b@example.com")
    ann.merge(twin, actor="olga")
    said(ann, True, NOON)
    assert twin.agrees_to("newsletter")
    said(twin, False, NOON + timedelta(minutes=1))
    assert not ann.agrees_to("newsletter")
    said(ann, True, NOON + timedelta(minutes=1))
    assert not ann.agrees_to("newsletter")
    said(ann, True, NOON + timedelta(minutes=2))
    assert twin.agrees_to("newsletter")
    assert consents.words_of([ann.pk]) == {ann.pk: {"newsletter": True}}
    ann.unmerge(twin, actor="olga")
    assert ann.agrees_to("newsletter")
    assert not twin.agrees_to("newsletter")


def test_a_yes_on_one_channel_is_none_on_another_and_one_without_a_channel_is_for_all(
    web: SalesChannel, app: SalesChannel
) -> None:
    ann = come(email="ann@example.com")
    said(ann, True, NOON, web)
    assert (ann.agrees_to("newsletter", web), ann.agrees_to("newsletter", app)) == (True, False)
    said(ann, False, NOON + timedelta(minutes=1))
    assert (ann.agrees_to("newsletter", web), ann.agrees_to("newsletter", app)) == (False, False)
    said(ann, True, NOON + timedelta(minutes=2), app)
    assert (ann.agrees_to("newsletter", web), ann.agrees_to("newsletter", app)) == (False, True)


def test_what_is_meant_for_later_does_not_count_now() -> None:
    ann = come(email="ann@example.com")
    with pytest.raises(UserError, match="time to come"):
        said(ann, True, clock.now() + timedelta(hours=1))
    with pytest.raises(UserError, match="purpose"):
        consents.say(ann.pk, " ", True, source="test")


def test_an_address_that_is_barred_gets_not_even_what_the_contract_demands() -> None:
    ann = come(email="ann@example.com")
    assert consents.agrees(ann.pk, "shipped", email="ann@example.com")
    Consent.objects.create(
        customer=ann, purpose="mail", is_granted=False, proof={"address": consents.fingerprint("ann@example.com")}
    )
    assert not consents.agrees(ann.pk, "shipped", email="ann@example.com")
    assert consents.agrees(ann.pk, "shipped", email="ann.other@example.com")


def test_verbs_write_a_new_line_and_change_none(web: SalesChannel) -> None:
    ann = come(email="ann@example.com")
    first = ann.grant_consent("sms", web, source="till", proof={"form": 7})
    ann.withdraw_consent("sms", web, source="call")
    first.refresh_from_db()
    assert (first.is_granted, first.proof, first.source) == (True, {"form": 7}, "till")
    assert list(Consent.objects.order_by("id").values_list("is_granted", flat=True)) == [True, False]
    assert not ann.agrees_to("sms", web)
