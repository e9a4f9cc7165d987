"""Every platform that mails: a buyer is written to once for each thing, and its audience are those who agreed."""

from __future__ import annotations

import pytest

from finalmarket.connectors.books import PushesOrders
from finalmarket.connectors.contract import PushesCustomers
from finalmarket.connectors.talk import PullsInteractions, SendsMessages
from finalmarket.customers.models import Consent
from finalmarket.integrations.models import DueNotice
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.sandbox.stand_in import StandIn
from tests.integrations.every_kind import ANN, BEN, opened_shop, platforms

pytestmark = pytest.mark.committed_database
DEEDS = 6


@pytest.mark.parametrize("platform", platforms(SendsMessages))
def test_a_buyer_is_written_to_once_for_an_order_and_once_for_its_parcel(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch) as shop:
        mailer = shop.connect(platform, "confirmations", "dispatches")
        order = shop.buy()
        shop.town.live(3)
        confirmed = list(mailer.there.mailed())
        assert len(confirmed) == 1
        shop.ship(order)
        shop.town.live(3)
        shop.town.pass_time(3600)
        shop.town.live(3)
        notices = DueNotice.objects.filter(integration=mailer.integration).order_by("id")
        assert list(notices.values_list("kind", flat=True)) == ["confirmation", "dispatch"]
        assert list(mailer.there.mailed()) == [*confirmed, notices[1].key]
        assert shop.town.complaints() == []


@pytest.mark.parametrize("platform", platforms(PushesCustomers, duty="audience"))
def test_the_audience_are_those_who_agreed_as_long_as_they_do(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch) as shop:
        mailer = shop.connect(platform, "audience")
        ann = shop.agree(ANN, "newsletter")
        shop.agree(BEN)
        shop.town.live(4)
        assert wanting(mailer.there) == {ANN}
        assert BEN not in {one.email for one in mailer.there.people().values()}
        Consent.objects.create(
            customer=ann, purpose="newsletter", is_granted=False, source="web", at=shop.town.time.now()
        )
        shop.town.live(4)
        assert wanting(mailer.there) == set()
        assert shop.town.complaints() == []


def wanting(there: object) -> set[str]:
    """The addresses to which the platform may write newsletters."""
    return {one.email for one in there.people().values() if one.wants_mail is not False}  # type: ignore[attr-defined]


@pytest.mark.parametrize("platform", platforms(PushesOrders, duty="audience"))
def test_what_those_who_agreed_buy_is_told_and_nobody_elses(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch) as shop:
        mailer = shop.connect(platform, "audience", "orders")
        shop.agree(ANN, "newsletter")
        order = shop.buy(ANN)
        shop.buy(BEN)
        shop.town.live(4)
        assert [(one.number, one.units) for one in mailer.there.kept_orders()] == [(order.number, 2)]
        assert shop.town.complaints() == []


@pytest.mark.parametrize("platform", platforms(PullsInteractions, PushesCustomers))
def test_what_people_do_with_mail_comes_in_once(platform: type[StandIn], monkeypatch: pytest.MonkeyPatch) -> None:
    with opened_shop(monkeypatch) as shop:
        mailer = shop.connect(platform, "audience", "confirmations")
        shop.agree(ANN, "newsletter")
        shop.buy(ANN)
        shop.town.live(3)
        done = [mailer.there.do_something(shop.town.world.chance) for _ in range(DEEDS)]
        shop.town.live(8)
        known = deeds_known()
        assert any(done)
        assert known > 0
        shop.town.pass_time(3600)
        shop.town.live(8)
        assert deeds_known() == known
        assert shop.town.complaints() == []


def deeds_known() -> int:
    """How much we know of what people did: interactions, and what they said of mail."""
    said = Consent.objects.exclude(source="web").count()
    return said + ChannelInteraction.objects.exclude(interaction_type="checkout_complete").count()
