"""A shop that is filled for the scale is a right one, and what is measured of it is done."""

from __future__ import annotations

from typing import Any

import pytest

from finalmarket.channels.models import ChannelProduct
from finalmarket.stock.check import differences
from finalmarket.stock.models import StockPool
from tests.scale import skus
from tests.scale.curve import Point


@pytest.mark.committed_database
def test_a_shop_that_grows_is_stocked_listed_and_agrees_with_its_ledger(
    monkeypatch: pytest.MonkeyPatch, test_database: Any
) -> None:
    monkeypatch.setattr(skus, "CHANGES", 3)
    monkeypatch.setattr(skus, "PAGES", 1)
    shop = skus._open(3)
    try:
        for size in (10, 25):
            shop.grow(size)
            assert len(shop.variants) == StockPool.objects.filter(on_hand=skus.UNITS).count() == size
            assert ChannelProduct.objects.count() == 3 * size
        assert differences() == []
        assert shop.change_ms() > 0
        pages, frames = shop.page_ms()
        assert (len(pages), len(frames)) == (1, 1)
        assert skus._scan_seconds() > 0
    finally:
        test_database.clone()  # listings refer to nothing here


def test_what_was_found_is_drawn_by_channels() -> None:
    found = []
    for channels in (1, 20):
        one = skus.Found(channels)
        for name in ("reserve", "page", "change", "check", "frame", "scan", "copied", "safe_write"):
            getattr(one, name).extend(Point(size, [2.0, 4.0]) for size in (1_000, 10_000))
        found.append(one)
    plots = {plot.name: plot for plot in skus.plots(found)}
    names = [series.name for series in plots["skus_reserve"].series if not series.is_limit]
    assert names == ["1 channel", "20 channels"]
    assert [point.work for point in plots["channels_change"].series[0].points] == [1, 20]
    assert plots["skus_change"].series[-1].points[0].values == [500.0, 250.0]
