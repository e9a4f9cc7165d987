"""Figures that stand in the database, asked for when somebody looks: by one statement, on a connection of its own, that
gives up after two seconds. A house whose books cannot be read says so (finalmarket_books_up 0) and tells the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import structlog
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from finalmarket.kernel.errors import UserError
from finalmarket.kernel.sql import Queries, open_impatiently

QUERIES = Queries(Path(__file__).with_name("books.sql"))
PATIENCE_SECONDS = 2
MOST_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Figure:
    """How a figure of the books is called outside, what it is, and what its parts are told apart by."""

    name: str
    words: str
    labels: tuple[str, ...] = ()


FIGURES: Mapping[str, Figure] = {
    "integration_waiting": Figure(
        "finalmarket_integration_waiting", "What waits for an account, by lane.", ("integration", "lane")
    ),
    "integration_oldest": Figure(
        "finalmarket_integration_oldest_seconds", "Age of the oldest that waits, by lane.", ("integration", "lane")
    ),
    "breaker_open": Figure(
        "finalmarket_integration_breaker_open", "1 while the platform is left alone.", ("integration",)
    ),
    "failures_in_row": Figure("finalmarket_integration_failures_in_row", "Failures since it last worked.",
                              ("integration",)),
    "needs_attention": Figure("finalmarket_integration_needs_attention", "1 where a person is asked for.",
                              ("integration",)),
    "pulled_ago": Figure("finalmarket_integration_pulled_ago_seconds", "Since a stream was pulled to its end.",
                         ("integration", "stream")),
    "dead_letters": Figure("finalmarket_dead_letters", "Records set aside, not settled yet.", ("integration",)),
    "jobs_waiting": Figure("finalmarket_jobs_waiting", "Jobs whose time has come.", ("queue",)),
    "jobs_oldest": Figure("finalmarket_jobs_oldest_seconds", "Age of the oldest of them.", ("queue",)),
    "jobs_failed": Figure("finalmarket_jobs_failed_last_hour", "Jobs that failed for good within an hour."),
    "workers": Figure("finalmarket_workers", "Workers that gave a sign of life within a minute."),
    "heartbeat_ago": Figure("finalmarket_worker_heartbeat_ago_seconds", "Since the last sign of life of any worker."),
    "holds": Figure("finalmarket_stock_holds", "Lines of holds that are open."),
    "short": Figure("finalmarket_stock_short_lines", "Promised lines of which units are not there."),
    "rollup_lag": Figure("finalmarket_rollup_lag_seconds", "Age of the oldest change that the figures lack."),
    "set_aside": Figure("finalmarket_ingest_set_aside_last_hour", "Events set aside within an hour."),
    "connections": Figure("finalmarket_database_connections", "Connections to this database.", ("state",)),
    "most_connections": Figure("finalmarket_database_connections_most", "As many as the server takes in all."),
    "database_bytes": Figure("finalmarket_database_bytes", "Size of this database."),
}  # fmt: skip


class Books(Collector):
    """Asks the books when the metrics are asked for."""

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked when the collector is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every figure of the books, and whether they could be read."""
        up = GaugeMetricFamily("finalmarket_books_up", "1 where the figures of the database could be read.")
        try:
            rows = ask()
        except (psycopg.Error, UserError) as error:
            structlog.get_logger(__name__).warning("the books cannot be read", reason=type(error).__name__)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        families = {key: GaugeMetricFamily(one.name, one.words, labels=one.labels) for key, one in FIGURES.items()}
        for key, labels, value in rows:
            families[key].add_metric(labels, value)
        yield from families.values()


def ask() -> list[tuple[str, list[str], float]]:
    """Every figure with its labels. Raises psycopg.Error or UserError where the database does not answer in time."""
    with open_impatiently("finalmarket metrics", PATIENCE_SECONDS) as connection:
        return connection.execute(QUERIES["all"], {"most": MOST_COUNTED}).fetchall()
