"""Where journeys are lost, what each drop-off costs, and what the journeys that ordered did instead.

A journey that meant to buy and was given up is lost at its last step, so that each is counted once. What it cost is
what it would have brought had those who left done as those who went on from there: their number x the share of the
others that ordered x the mean value of these orders. That is a bound from above, since who leaves had often no wish to
buy; docs/advice.md says so too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from math import sqrt
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from finalmarket.advice.models import LostStep
from finalmarket.channels.models import SalesChannel
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.journeys.paths_asked import limits
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("lost_paths.sql"))
DAYS = 90
LEAST_LEFT = 5
MOST_STEPS = 100
MOST_SECONDS = 600
CONFIDENCE = 1.96
WORDS = dict(ChannelInteraction.InteractionType.choices)


@dataclass(frozen=True, slots=True)
class Lost:
    """A step at which journeys were lost, with its figures; money as text, exact."""

    sales_channel_id: int
    action: str
    came_by: int
    left: int
    ordered: int
    chance: float
    low: float
    high: float
    average_value: str
    currency: str
    lost_value: str
    lost_low: str
    lost_high: str
    instead: list[dict[str, Any]]
    reason: str


def refresh() -> int:
    """Compute the lost steps of the last DAYS days anew; return how many there are. Takes minutes on a long history.

    Raises UserError when it would take longer than MOST_SECONDS.
    """
    now = clock.now()
    span = {"since": now.date() - timedelta(days=DAYS), "until": now.date() - timedelta(days=1)}
    with limits(MOST_SECONDS), connection.cursor() as cursor:
        cursor.execute(QUERIES["lost"], span | {"least": LEAST_LEFT, "most": MOST_STEPS})
        rows = cursor.fetchall()
    names = dict(SalesChannel.objects.values_list("pk", "name"))
    steps = [asdict(_lost(row, names)) for row in rows]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(QUERIES["keep"], span | {"steps": json.dumps(steps), "now": now})
        cursor.execute(QUERIES["drop_old"], {"now": now})
    return len(steps)


def mute(step_id: int, days: int, *, actor: str) -> LostStep:
    """Do not show a lost step for some days. Raises UserError for one that is not there, or days out of range."""
    if not 1 <= days <= 365:
        raise UserError(f"a step is put off for 1 to 365 days, not {days}")
    step = LostStep.objects.filter(pk=step_id).first()
    if step is None:
        raise UserError("this step is not among the lost ones any more; look again")
    step.muted_until, step.decided_by = clock.now() + timedelta(days=days), actor[:100]
    step.save(update_fields=["muted_until", "decided_by"])
    return step


def share(part: int, whole: int) -> tuple[float, float, float]:
    """A share and its 95 % interval by Wilson (1927), which holds for few journeys too."""
    if not whole:
        return 0.0, 0.0, 1.0
    found, square = part / whole, CONFIDENCE**2 / whole
    middle = found + square / 2
    width = CONFIDENCE * sqrt(found * (1 - found) / whole + square / (4 * whole))
    return found, max((middle - width) / (1 + square), 0.0), min((middle + width) / (1 + square), 1.0)


def _lost(row: tuple[Any, ...], names: dict[int, str]) -> Lost:
    channel, action, came_by, left, ordered, currency, average, steps = row
    chance, low, high = share(ordered, came_by - left)
    value, least, most = (_worth(left, one, average) for one in (chance, low, high))
    steps = json.loads(steps) if isinstance(steps, str) else steps
    instead = [one | {"share": round(one["journeys"] / ordered, 4), "said": _said(one, names)} for one in steps]
    did = ", ".join(f"{one['said']} ({one['share']:.0%})" for one in instead)
    reason = (
        f"{left:,} of {came_by:,} journeys that came by “{_word(action)}” on {names[channel]} ended there. Of the "
        f"{came_by - left:,} that went on {chance:.1%} ordered ({low:.1%} to {high:.1%}), for {average:,.2f} "
        f"{currency} on average. Had those who left done as well: {value:,.2f} {currency} in {DAYS} days "
        f"({least:,.2f} to {most:,.2f}). Those that ordered did next: {did}."
    )
    return Lost(
        channel, action, came_by, left, ordered, chance, low, high, str(average), currency, str(value), str(least),
        str(most), instead, reason[:1000],
    )  # fmt: skip


def _worth(left: int, chance: float, average: Decimal) -> Decimal:
    return round(left * Decimal(f"{chance:.9f}") * average, 2)


def _said(step: dict[str, Any], names: dict[int, str]) -> str:
    if not step["action"]:
        return "nothing more, the order was made"
    return f"{_word(step['action'])} on {names[step['channel']]}"


def _word(action: str) -> str:
    return str(WORDS.get(action) or action.replace("_", " ").capitalize())
