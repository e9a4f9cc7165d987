"""Alerts: one open for a variant and a place, raised, worsened, snoozed and closed."""

from datetime import timedelta

import pytest

from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.stock import alerts, ledger, shortfall, sweep
from finalmarket.stock.models import StockAlert
from finalmarket.stock.policies import set_low_stock_threshold, set_policy
from tests.stock.shelves import (
    OVER,
    hold,
    lines_of,
    new_bundle,
    new_channel,
    new_place,
    new_variant,
    open_alert,
    pool,
    promise,
    put,
    sell,
)

pytestmark = pytest.mark.django_db


def told() -> list[tuple[str, int, int | None, int | None]]:
    alerts.refresh()
    return [(a.level, a.quantity, a.sales_channel_id, a.location_id) for a in alerts.open_alerts(with_snoozed=True)]


def test_a_channel_that_names_a_threshold_is_told_when_stock_is_low_out_and_back() -> None:
    good, web, app, place = new_variant(), new_channel(), new_channel(), new_place()
    put(good, place, 10)
    set_policy(good.pk, web.pk, low_stock_threshold=3)
    assert told() == []
    order = promise(app, good, 7)
    assert told() == [("low", 3, web.pk, None)]
    rest = promise(app, good, 3)
    assert told() == [("out", 0, web.pk, None)]
    ledger.close("deallocate", [(order, 0, None), (rest, 0, None)], actor="test")
    assert told() == []
    closed = StockAlert.objects.get(variant=good)
    assert closed.closed_at is not None, "one alert lived through it all"


def test_a_shelf_that_names_a_threshold_is_watched_by_itself() -> None:
    good, web, north, south = new_variant(), new_channel(), new_place(), new_place()
    put(good, north, 10)
    put(good, south, 2)
    set_low_stock_threshold(good.pk, south.pk, 2)
    assert told() == [("low", 2, None, south.pk)]
    set_low_stock_threshold(good.pk, south.pk, None)
    assert told() == []
    hold(web, good, 12)
    assert told() == []


def test_an_ended_hold_raises_no_alarm() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    put(good, place, 5)
    set_low_stock_threshold(good.pk, place.pk, 2)
    set_policy(good.pk, web.pk, low_stock_threshold=2)
    hold(web, good, 5, seconds=OVER)
    assert told() == []


def test_a_bundle_is_out_when_a_component_is() -> None:
    cup, web, place = new_variant(), new_channel(), new_place()
    pair = new_bundle({cup: 2})
    put(cup, place, 4)
    set_policy(pair.pk, web.pk, low_stock_threshold=1)
    assert told() == []
    order = promise(web, cup, 2)
    assert [row[0] for row in told()] == ["low"]
    ledger.close("deallocate", [(order, 0, None)], actor="test")
    assert told() == []


def test_a_variant_is_looked_at_once_for_every_change() -> None:
    good, place = new_variant(), new_place()
    put(good, place, 1)
    assert pool(good).alerts_due
    assert (alerts.refresh(), alerts.refresh()) == (1, 0)
    assert not pool(good).alerts_due


def test_a_snoozed_alert_is_not_shown_until_its_moment_or_until_it_gets_worse() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    put(good, place, 2)
    set_policy(good.pk, web.pk, low_stock_threshold=3)
    alerts.refresh()
    alert = open_alert(good)
    assert alert is not None
    with clock.steered() as time:
        alerts.snooze(alert.pk, clock.now() + timedelta(hours=1))
        assert list(alerts.open_alerts()) == []
        assert list(alerts.open_alerts(with_snoozed=True)) == [alert]
        time.advance(timedelta(hours=2))
        assert list(alerts.open_alerts()) == [alert]
        alerts.snooze(alert.pk, clock.now() + timedelta(hours=1))
        promise(web, good, 2)
        alerts.refresh()
        assert [(shown.level, shown.pk) for shown in alerts.open_alerts()] == [("out", alert.pk)]


def test_nobody_snoozes_what_is_closed_or_into_the_past() -> None:
    good, place = new_variant(), new_place()
    put(good, place, 1)
    set_low_stock_threshold(good.pk, place.pk, 2)
    alerts.refresh()
    alert = open_alert(good)
    assert alert is not None
    with pytest.raises(UserError, match="until a moment to come"):
        alerts.snooze(alert.pk, clock.now() - timedelta(minutes=1))
    put(good, place, 9)
    alerts.refresh()
    with pytest.raises(UserError, match="there is no open alert"):
        alerts.snooze(alert.pk, clock.now() + timedelta(hours=1))


def test_a_short_alert_stays_until_the_last_unit_is_there() -> None:
    good, till, place = new_variant(), new_channel(), new_place()
    sell(till, good, 3)
    assert told() == [("short", 3, till.pk, None)]
    put(good, place, 2)
    assert told() == [("short", 1, till.pk, None)]
    put(good, place, 1)
    assert told() == []


def test_a_short_alert_becomes_a_low_one_where_a_threshold_says_so() -> None:
    good, till, place = new_variant(), new_channel(), new_place()
    set_policy(good.pk, till.pk, low_stock_threshold=5)
    sell(till, good, 3)
    assert told() == [("short", 3, till.pk, None)]
    put(good, place, 4)
    assert told() == [("low", 1, till.pk, None)]


def test_a_short_alert_closes_when_nobody_waits_any_more() -> None:
    good, till = new_variant(), new_channel()
    sale = sell(till, good, 3)
    assert told() == [("short", 3, till.pk, None)]
    shortfall.give_up([(sale, line.position, line.short) for line in lines_of(sale)])
    assert told() == []


def test_a_count_below_what_is_promised_alerts_for_its_place_until_it_is_met() -> None:
    good, web, place = new_variant(), new_channel(), new_place()
    put(good, place, 5)
    promise(web, good, 5)
    ledger.adjust(good.pk, place.pk, -2, reason="stolen", actor="ann")
    assert told() == [("short", 2, None, place.pk)]
    put(good, place, 2)
    assert told() == []


def test_the_worst_comes_first_in_the_list() -> None:
    web, place = new_channel(), new_place()
    low, out, short = new_variant(), new_variant(), new_variant()
    put(low, place, 2)
    for good in (low, out):
        set_policy(good.pk, web.pk, low_stock_threshold=2)
    sell(web, short, 1)
    assert sweep.refresh_alerts() == 2, "the short one was raised by the sale itself"
    assert [alert.variant_id for alert in alerts.open_alerts()] == [short.pk, out.pk, low.pk]
