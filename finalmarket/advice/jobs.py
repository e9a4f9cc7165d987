"""Advice keeps up by itself: what to do next is decided every hour, what came of it is learned from every night."""

from finalmarket.advice import replenishment_jobs as stock  # noqa: F401  the jobs of stock, journeys and notices
from finalmarket.advice.next_action.decisions import decide_due
from finalmarket.advice.next_action.decisions import settle as settle_decisions
from finalmarket.advice.next_action.learning import judge, learn
from finalmarket.advice.recommending.refresh import refresh
from finalmarket.kernel.jobs import job


@job("advice.decide", cron="35 * * * *")
def decide() -> None:
    """Decide what to do next for those who are due."""
    decide_due()


@job("advice.settle", cron="5 * * * *")
def settle() -> None:
    """Put down to decisions whose time is over what came of them."""
    settle_decisions()


@job("advice.learn", cron="50 3 * * *")
def learn_and_judge() -> None:
    """Learn from what was settled, and say whether that is to be trusted."""
    if learn():
        judge()


@job("advice.recommend", cron="15 3,9,15,21 * * *")
def recommend() -> None:
    """Compute anew what goes with what, and what sells best."""
    refresh()
