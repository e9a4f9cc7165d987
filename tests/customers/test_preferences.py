"""One view of what a person prefers, with a stated precedence, over all their profiles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import ChannelPreference, OmnichannelCustomer
from finalmarket.customers.persons import settle
from finalmarket.customers.preferences import set_preference, view
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def web() -> SalesChannel:
    return SalesChannel.objects.create(name="Web", channel_type="web", currency="EUR")


@pytest.fixture
def app() -> SalesChannel:
    return SalesChannel.objects.create(name="App", channel_type="store", currency="GBP")


@pytest.fixture
def ann() -> OmnichannelCustomer:
    found = resolve(Contact(email="ann@example.com", language="en", country="GB"))
    assert found is not None
    settle()
    found.refresh_from_db()
    return found


def test_here_goes_before_elsewhere_elsewhere_before_a_platform_and_that_before_the_default(
    ann: OmnichannelCustomer, web: SalesChannel, app: SalesChannel
) -> None:
    assert (ann.preferences(app)["language"], ann.preferences(app)["currency"]) == ("en", "GBP")
    set_preference(ann.pk, app.pk, "currency", "USD", source="integration:5", at=NOON + timedelta(days=9))
    assert view(ann.pk, app.pk)["currency"].why == "shown by a platform"
    set_preference(ann.pk, web.pk, "currency", "EUR", at=NOON)
    assert (view(ann.pk, app.pk)["currency"].value, view(ann.pk, app.pk)["currency"].why) == ("EUR", "said on Web")
    set_preference(ann.pk, app.pk, "currency", "CHF", at=NOON - timedelta(days=1))
    assert (view(ann.pk, app.pk)["currency"].value, view(ann.pk, app.pk)["currency"].why) == ("CHF", "said here")
    assert ann.preferences()["currency"] == "EUR"  # over all: the newest


def test_only_what_follows_a_person_follows_them(
    ann: OmnichannelCustomer, web: SalesChannel, app: SalesChannel
) -> None:
    ann.set_preference("size", "XL", web)
    ann.set_preference("layout", "dark", web)
    assert (ann.preferences(app).get("size"), ann.preferences(app).get("layout")) == ("XL", None)
    assert ann.preferences(web)["layout"] == "dark"


def test_whatever_comes_in_first_the_newer_word_stays_and_a_platforms_never_overwrites_an_explicit_one(
    ann: OmnichannelCustomer, web: SalesChannel
) -> None:
    set_preference(ann.pk, web.pk, "size", "L", at=NOON + timedelta(hours=1))
    set_preference(ann.pk, web.pk, "size", "M", at=NOON)
    set_preference(ann.pk, web.pk, "size", "S", source="integration:5", at=NOON + timedelta(days=1))
    assert ann.preferences(web)["size"] == "L"
    ann.set_preference("size", None, web)
    assert "size" not in ann.preferences(web)


def test_all_profiles_of_the_person_count_and_an_unmerge_parts_them(
    ann: OmnichannelCustomer, web: SalesChannel, app: SalesChannel
) -> None:
    twin = resolve(Contact(email="ann.b@example.com"))
    assert twin is not None
    twin.set_preference("size", "XS", app)
    ann.merge(twin, actor="olga")
    assert ann.preferences(web)["size"] == "XS"
    ann.unmerge(twin, actor="olga")
    assert "size" not in ann.preferences(web)


def test_the_language_is_told_to_those_who_keep_the_profile_and_the_newsletter_is_a_consent(
    ann: OmnichannelCustomer, web: SalesChannel
) -> None:
    ann.set_preference("language", "de", web)
    ann.refresh_from_db()
    assert ann.language == "de"
    ann.set_preference("newsletter", True, web)
    assert ann.agrees_to("newsletter", web)
    assert ann.preferences(web)["newsletter"] is True
    ann.set_preference("newsletter", False, web)
    assert not ann.agrees_to("newsletter", web)
    assert ChannelPreference.objects.get().preferences == {"language": "de"}


@pytest.mark.parametrize(("key", "value"), [("", "x"), ("k" * 51, "x"), ("size", {"a": 1}), ("size", "x" * 501)])
def test_what_is_no_preference_is_refused(ann: OmnichannelCustomer, web: SalesChannel, key: str, value: object) -> None:
    with pytest.raises(UserError):
        set_preference(ann.pk, web.pk, key, value)


@pytest.mark.parametrize("source", ["customer", "integration:5"])
def test_nobody_says_in_time_to_come_what_would_silence_all_later_words(
    ann: OmnichannelCustomer, web: SalesChannel, source: str
) -> None:
    with clock.steered(NOON):
        with pytest.raises(UserError, match="in time to come"):
            set_preference(ann.pk, web.pk, "size", "XL", source=source, at=NOON + timedelta(seconds=1))
        set_preference(ann.pk, web.pk, "size", "S", source=source, at=NOON)
    with clock.steered(NOON + timedelta(days=1)):
        set_preference(ann.pk, web.pk, "size", "M", source=source)
    assert ann.preferences(web)["size"] == "M"
