"""The bench of the figures compares taking orders with and without what notes them, and leaves nothing switched off."""

import pytest

from finalmarket.analytics.incremental import is_marked, restate_marked
from finalmarket.analytics.models import ChannelAnalytics
from finalmarket.bench.figures import _Shop, _unnoted
from finalmarket.bench.market import lay_out
from finalmarket.catalog.models import Variant


@pytest.mark.committed_database
def test_what_is_sold_unnoted_is_counted_afterwards_and_the_next_order_is_noted_again() -> None:
    shop = _Shop(lay_out(3), list(Variant.objects.order_by("pk").values_list("sku", flat=True)))
    restate_marked()
    with _unnoted():
        shop.sell()
        assert not is_marked()
    restate_marked()
    assert _counted() == 1
    shop.sell()
    assert is_marked()
    restate_marked()
    assert _counted() == 2


def _counted() -> int:
    return sum(ChannelAnalytics.objects.values_list("orders_count", flat=True))
