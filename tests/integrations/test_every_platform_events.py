"""Every platform that counts events: what those who agreed buy is counted once, of others nothing leaves the house."""

from __future__ import annotations

import pytest

from finalmarket.connectors.talk import PullsFigures, SendsEvents
from finalmarket.integrations.models import DueEvent, OutsideFigure
from finalmarket.integrations.telling import key_of
from finalmarket.sandbox.stand_in import StandIn
from tests.integrations.every_kind import ANN, BEN, PRICE, opened_shop, platforms

pytestmark = pytest.mark.committed_database


@pytest.mark.parametrize("platform", platforms(SendsEvents))
def test_a_purchase_is_counted_once_if_its_buyer_agreed(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch) as shop:
        counter = shop.connect(platform, "events")
        shop.agree(ANN, "analytics", "ads")
        shop.agree(BEN)
        order = shop.buy(ANN)
        shop.buy(BEN)
        shop.town.live(3)
        shop.town.pass_time(3600)
        shop.town.live(3)
        assert list(counter.there.counted_events()) == [key_of(counter.integration, "purchase", order.pk)]
        withheld = DueEvent.objects.filter(integration=counter.integration, state="withheld")
        assert list(withheld.values_list("kind", "last_error")) == [("purchase", "no consent to analytics")]
        assert ANN not in str(counter.there.state["events"])
        assert shop.town.complaints() == []


@pytest.mark.parametrize("platform", platforms(SendsEvents, PullsFigures))
def test_what_was_counted_there_can_be_held_against_ours(
    platform: type[StandIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_shop(monkeypatch) as shop:
        counter = shop.connect(platform, "events", "figures")
        shop.agree(ANN, "analytics")
        shop.buy(ANN, units=2)
        shop.town.live(3)
        shop.town.pass_time(3600)
        shop.town.live(2)
        figures = OutsideFigure.objects.filter(integration=counter.integration)
        assert [(one.purchases, one.revenue, one.currency) for one in figures] == [(1, 2 * PRICE, "EUR")]
