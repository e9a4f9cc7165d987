"""How long journeys wait can be set, and what cannot be read is said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import override_settings

from finalmarket.journeys.intent import LANES, RULES, STEPS
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.journeys.record import VALUE_SCORES
from finalmarket.journeys.spans import DEFAULTS, read, spans
from finalmarket.kernel.errors import UserError


def test_each_intent_has_its_spans_its_lane_and_a_rule() -> None:
    intents = {intent for intent, _ in CrossChannelJourney.Intent.choices}
    assert set(STEPS) == set(VALUE_SCORES)
    assert set(DEFAULTS.by_intent) == set(LANES) == {rule.intent for rule in RULES} == intents


@override_settings(JOURNEYS="purchase=10d, purchase.pause=45m,longest=12h")
def test_what_is_set_changes_and_the_rest_stays() -> None:
    found = spans()
    assert found.by_intent["purchase"].time_out == timedelta(days=10)
    assert found.by_intent["purchase"].pause == timedelta(minutes=45)
    assert found.longest == timedelta(hours=12)
    assert found.by_intent["browse"] == DEFAULTS.by_intent["browse"]


@pytest.mark.parametrize("text", ["purchase", "purchase=0d", "buying=3d", "longest.pause=3d", "purchase=3 days"])
def test_what_cannot_be_read_is_quoted(text: str) -> None:
    with pytest.raises(UserError, match="FINALMARKET_JOURNEYS"):
        read(text)
