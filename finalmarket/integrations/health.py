"""How an account is doing: one honest word, and why. Asked for many accounts at once by the same few queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Min, Q, Sum

from finalmarket.connectors import registry
from finalmarket.connectors.contract import (
    Connector,
    PullsOrders,
    PushesListings,
    PushesPrices,
    PushesStock,
    ReceivesWebhooks,
)
from finalmarket.connectors.errors import NotSupported
from finalmarket.integrations.connect import PUBLIC_URL
from finalmarket.integrations.models import (
    ChannelIntegration,
    DeadLetter,
    IntegrationHealth,
    StreamCursor,
    SyncRun,
    WebhookDelivery,
)
from finalmarket.kernel import clock
from finalmarket.kernel.plural import plural

HEALTHY, BEHIND, FAILING = "healthy", "behind", "failing"
PAUSED, NEEDS_ATTENTION, NOT_CONNECTED = "paused", "needs attention", "not connected"
PUSH_LAG = timedelta(minutes=5)
PULL_LAG = timedelta(minutes=10)
WEBHOOK_LAG = timedelta(minutes=5)
NO_WORKER = "; does a worker run?"
FAILURES = 3
FEWEST_RUNS = 4
Status = ChannelIntegration.Status


@dataclass(frozen=True, slots=True)
class Health:
    """`word` is healthy, behind, failing, paused, needs attention or not connected; `reason` says why in a sentence."""

    word: str
    reason: str

    def __str__(self) -> str:
        return f"{self.word}: {self.reason}"


@dataclass(frozen=True, slots=True)
class SyncStatistics:
    """What the runs of some days came to. `set_aside` are letters that are open now, `due` changes not told yet."""

    days: int
    runs: int
    failed_runs: int
    seen: int
    changed: int
    failed: int
    set_aside: int
    due: int
    last_good_pull_at: datetime | None
    last_good_push_at: datetime | None


@dataclass(slots=True)
class _Facts:
    """What is known of one account."""

    pulse: IntegrationHealth = field(default_factory=IntegrationHealth)
    due_count: int = 0
    due_since: datetime | None = None
    pulled_at: datetime | None = None
    webhook_waits_since: datetime | None = None
    runs: int = 0
    failed_runs: int = 0
    letters: int = 0


def health_of(integration: ChannelIntegration) -> Health:
    """How one account is doing."""
    return health_of_all([integration])[integration.pk]


def health_of_all(integrations: Sequence[ChannelIntegration]) -> dict[int, Health]:
    """How these accounts are doing, by id; six queries for all of them."""
    facts = _facts([integration.pk for integration in integrations])
    return {integration.pk: _judge(integration, facts[integration.pk]) for integration in integrations}


def sync_statistics(integration: ChannelIntegration, days: int = 30) -> SyncStatistics:
    """What the runs of the last `days` came to."""
    runs = SyncRun.objects.filter(integration=integration, started_at__gt=clock.days_ago(days))
    found: dict[str, Any] = runs.aggregate(
        runs=Count("pk"), failed_runs=Count("pk", filter=Q(outcome="failed")), seen=Sum("seen_count", default=0),
        changed=Sum("changed_count", default=0), failed=Sum("failed_count", default=0),
    )  # fmt: skip
    pulse = IntegrationHealth.objects.filter(integration=integration).first() or IntegrationHealth()
    return SyncStatistics(
        days=days, set_aside=DeadLetter.objects.filter(integration=integration, settled_at=None).count(),
        due=_due([integration.pk]).get(integration.pk, (0, None))[0], last_good_pull_at=pulse.last_good_pull_at,
        last_good_push_at=pulse.last_good_push_at, **found,
    )  # fmt: skip


def _facts(ids: Sequence[int]) -> dict[int, _Facts]:
    facts = {pk: _Facts() for pk in ids}
    for pulse in IntegrationHealth.objects.filter(integration__in=ids):
        facts[pulse.integration_id].pulse = pulse
    for pk, (count, since) in _due(ids).items():
        facts[pk].due_count, facts[pk].due_since = count, since
    cursors = StreamCursor.objects.filter(integration__in=ids, stream="orders")
    for pk, at in cursors.values_list("integration_id", "pulled_at"):
        facts[pk].pulled_at = at
    waiting = WebhookDelivery.objects.filter(integration__in=ids, handled_at=None)
    for pk, at in waiting.values("integration_id").annotate(at=Min("received_at")).values_list("integration_id", "at"):
        facts[pk].webhook_waits_since = at
    for pk, runs, failed in _runs(ids):
        facts[pk].runs, facts[pk].failed_runs = runs, failed
    letters = DeadLetter.objects.filter(integration__in=ids, settled_at=None).values("integration_id")
    for pk, count in letters.annotate(open=Count("pk")).values_list("integration_id", "open"):
        facts[pk].letters = count
    return facts


DUE_SQL = """
    SELECT integration_id, sum(changes)::bigint, min(since) FROM (
        SELECT integration_id, count(*) AS changes, min(due_since) AS since FROM due_changes
        WHERE integration_id = ANY (%(accounts)s) AND version > settled_version GROUP BY 1
        UNION ALL
        SELECT integration_id, count(*), min(next_try_at) FROM due_records
        WHERE integration_id = ANY (%(accounts)s) AND version > settled_version GROUP BY 1
        UNION ALL
        SELECT integration_id, count(*), min(found_at) FROM due_events
        WHERE integration_id = ANY (%(accounts)s) AND state IN ('due', 'doubtful') GROUP BY 1
    ) waiting GROUP BY 1"""


def _due(ids: Iterable[int]) -> Mapping[int, tuple[int, datetime | None]]:
    """How many changes, records and events are due, and since when the oldest of them."""
    with connection.cursor() as cursor:
        cursor.execute(DUE_SQL, {"accounts": list(ids)})
        return {pk: (count, since) for pk, count, since in cursor.fetchall()}


def _runs(ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """Runs of the last day, and how many of them failed."""
    day = SyncRun.objects.filter(integration__in=ids, started_at__gt=clock.days_ago(1)).exclude(outcome="")
    counted = day.values("integration_id").annotate(runs=Count("pk"), failed=Count("pk", filter=Q(outcome="failed")))
    return list(counted.values_list("integration_id", "runs", "failed"))


def _judge(integration: ChannelIntegration, facts: _Facts) -> Health:
    try:
        connector = registry.find(integration.platform_name)
    except NotSupported as error:
        return Health(NOT_CONNECTED if integration.status == Status.NEW else NEEDS_ATTENTION, str(error))
    return (
        _by_status(integration)
        or _failing(facts)
        or _behind(integration, facts, connector)
        or Health(HEALTHY, _good_words(integration, facts, connector))
    )


def _by_status(integration: ChannelIntegration) -> Health | None:
    said = integration.status_reason
    return {
        Status.NEW: Health(NOT_CONNECTED, "no credentials were entered yet"),
        Status.DISCONNECTED: Health(NOT_CONNECTED, "it was disconnected"),
        Status.NEEDS_ATTENTION: Health(NEEDS_ATTENTION, said or "the platform does not let us in any more"),
        Status.PAUSED: Health(PAUSED, said or "no reason was given"),
    }.get(Status(integration.status))


def _failing(facts: _Facts) -> Health | None:
    pulse, now = facts.pulse, clock.now()
    if pulse.failures_in_row >= FAILURES:
        again = pulse.breaker_open_until
        when = f"; tried again in {in_words(again - now)}" if again and again > now else ""
        failures = plural(pulse.failures_in_row, "failure")
        return Health(FAILING, f"{failures} in a row, the last: {pulse.last_failure}{when}")
    if facts.runs >= FEWEST_RUNS and facts.failed_runs * 2 > facts.runs:
        return Health(FAILING, f"{facts.failed_runs} of {facts.runs} runs of the last day failed: {pulse.last_failure}")
    return None


def _behind(integration: ChannelIntegration, facts: _Facts, connector: type[Connector]) -> Health | None:
    now = clock.now()
    is_pushing = integration.push_from is not None and integration.push_from <= now
    if (
        is_pushing
        and facts.due_since is not None
        and now - max(facts.due_since, integration.push_from or now) > PUSH_LAG
    ):
        waiting = plural(facts.due_count, "change waits", "changes wait")
        waited = in_words(now - facts.due_since)
        return Health(BEHIND, f"{waiting} to be told, the oldest for {waited}{_asked_to_wait(facts)}")
    if facts.webhook_waits_since is not None and now - facts.webhook_waits_since > WEBHOOK_LAG:
        waited = in_words(now - facts.webhook_waits_since)
        return Health(BEHIND, f"a webhook waits for {waited}{_asked_to_wait(facts) or NO_WORKER}")
    last = facts.pulled_at or integration.connected_at
    if issubclass(connector, PullsOrders) and last is not None and now - last > PULL_LAG:
        return Health(BEHIND, f"orders were last pulled {in_words(now - last)} ago{_asked_to_wait(facts)}")
    return None


def _asked_to_wait(facts: _Facts) -> str:
    pulse = facts.pulse
    if pulse.breaker_open_until is not None and pulse.breaker_open_until > clock.now():
        return "; the platform asked us to wait"
    return f"; the last failure was: {pulse.last_failure}" if pulse.failures_in_row else ""


def _good_words(integration: ChannelIntegration, facts: _Facts, connector: type[Connector]) -> str:
    words = []
    if facts.pulled_at is not None:
        words.append(f"orders pulled {in_words(clock.now() - facts.pulled_at)} ago")
    if facts.pulse.last_good_push_at is not None:
        words.append(f"last told {in_words(clock.now() - facts.pulse.last_good_push_at)} ago")
    if integration.push_from is None and issubclass(connector, PushesStock | PushesPrices | PushesListings):
        words.append("nothing is told yet: pushing has not begun")
    if issubclass(connector, ReceivesWebhooks) and integration.subscribed_at is None:
        words.append(f"asked every minute: the platform does not call us (is {PUBLIC_URL} set?)")
    if facts.pulse.refused_webhook_count:
        refused = plural(facts.pulse.refused_webhook_count, "webhook was", "webhooks were")
        words.append(f"{refused} refused: {facts.pulse.last_refused_webhook}")
    elif facts.pulse.last_refused_webhook:
        words.append(facts.pulse.last_refused_webhook)  # what the platform asks before webhooks can be proved
    if facts.letters:
        words.append(f"{plural(facts.letters, 'record is', 'records are')} set aside")
    return "; ".join(words) or "connected; nothing has happened yet"


def in_words(span: timedelta) -> str:
    """A span of time, by its largest unit."""
    seconds = max(0, int(span.total_seconds()))
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
