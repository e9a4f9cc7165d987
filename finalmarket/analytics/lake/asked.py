"""What a question to the lake is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from finalmarket.kernel.errors import UserError

USUAL_STEPS = ("product_view", "add_to_cart", "checkout_start", "checkout_complete")
MOST_STEPS = 8


@dataclass(frozen=True, slots=True)
class LakeAsked:
    """The period from `since` to `until` (both included, days where the channel is), and one channel by its number;
    what is not given is not asked for.

    `steps` and `window_days` are those of the funnel; `most` is how many paths are told; `currency` is that of the
    amounts by which customers are ranked, the channel's own or that of most orders unless given.
    """

    since: date | None = None
    until: date | None = None
    channel: int | None = None
    steps: tuple[str, ...] = USUAL_STEPS
    window_days: int | None = None
    most: int = 50
    currency: str = ""

    def __post_init__(self) -> None:
        if self.since and self.until and self.since > self.until:
            raise UserError(f"the period ends on {self.until}, before it begins on {self.since}")
        if not 1 <= len(self.steps) <= MOST_STEPS:
            raise UserError(f"a funnel has 1 to {MOST_STEPS} steps, not {len(self.steps)}")
        if self.window_days is not None and self.window_days < 1:
            raise UserError("the window of a funnel is at least one day")
