"""How accounts on platforms are shown by the REST API: never with what their credentials say."""

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.connectors.contract import Connector, capabilities
from finalmarket.connectors.errors import NotSupported
from finalmarket.connectors.registry import find
from finalmarket.integrations.health import Health
from finalmarket.integrations.models import ChannelIntegration, Credential, DeadLetter, DriftFinding, SyncRun

Status = Literal["new", "active", "paused", "needs_attention", "disconnected"]


class SettingOut(BaseModel):
    """A word that a platform asks for and that is no secret."""

    name: str
    label: str
    help: str
    is_required: bool
    default: str
    choices: list[str]


class PlatformOut(BaseModel):
    """A platform that can be connected, and what it needs for that."""

    slug: str
    name: str
    type: str
    api_version: str
    documentation: str
    abilities: list[str]
    secrets: list[str]
    optional_secrets: list[str]
    settings: list[SettingOut]


class PlatformsOut(BaseModel):
    """All platforms, by their slugs."""

    items: list[PlatformOut]


class Integration(BaseModel):
    """An account on a platform. What its credentials say is never shown."""

    id: int
    platform: str
    type: str
    label: str
    account_name: str = Field(description="As the platform calls it")
    channel: int | None = Field(description="Where its orders go; null for an account that belongs to no channel")
    status: Status
    status_reason: str
    health: str = Field(description="healthy, behind, failing, paused, needs attention or not connected")
    health_reason: str
    credentials: list[str] = Field(description="The names of those that are kept")
    settings: dict[str, Any]
    base_url: str = Field(description="In place of the platform's own host: a sandbox")
    pushes_from: AwareDatetime | None = Field(description="null: nothing is told to the platform yet")
    connected_at: AwareDatetime | None
    called_since: AwareDatetime | None = Field(description="null: the platform does not call us, and is asked instead")


class RunsCounted(BaseModel):
    """What the runs of some days came to."""

    days: int
    runs: int
    failed_runs: int
    seen: int
    changed: int
    failed: int
    set_aside: int = Field(description="Records that wait to be tried again")
    due: int = Field(description="Changes that the platform has yet to hear of")
    last_good_pull_at: AwareDatetime | None
    last_good_push_at: AwareDatetime | None


class AccountInFull(Integration):
    """An account with what its runs of the last 30 days came to."""

    statistics: RunsCounted


class Integrations(BaseModel):
    """A page of accounts."""

    items: list[Integration]
    next: str | None


class SyncRunOut(BaseModel):
    """One run of one stream. `outcome` is empty while it runs, then done, partly or failed."""

    id: int
    stream: str
    started_at: AwareDatetime
    ended_at: AwareDatetime | None
    outcome: str
    seen: int
    changed: int
    failed: int
    error: str


class SyncRuns(BaseModel):
    """A page of runs, the newest first."""

    items: list[SyncRunOut]
    next: str | None


class SetAside(BaseModel):
    """A record that could not be taken or sent, and why."""

    id: int
    stream: str
    external_id: str
    reason: str
    attempts: int
    at: AwareDatetime
    settled_at: AwareDatetime | None
    settled_by: str


class AllSetAside(BaseModel):
    """A page of letters, the newest first."""

    items: list[SetAside]
    next: str | None


class Drift(BaseModel):
    """A listing that showed another number than it should, and was told anew."""

    id: int
    run: int
    listing: int
    sku: str
    location: str
    told: int | None
    shown: int
    should: int
    at: AwareDatetime


class DriftReport(BaseModel):
    """A page of what drifted, the newest first."""

    items: list[Drift]
    next: str | None


class PlatformWords(BaseModel):
    """What the platform said."""

    said: str


ACCOUNT: dict[str, Any] = {
    "id": 3, "platform": "Shopify", "type": "marketplace", "label": "", "account_name": "Tea House", "channel": 1,
    "status": "active", "status_reason": "", "health": "healthy", "health_reason": "orders pulled 40 seconds ago",
    "credentials": ["access_token"], "settings": {"shop": "tea-house"}, "base_url": "",
    "pushes_from": "2026-05-04T12:00:00Z", "connected_at": "2026-05-04T11:00:00Z", "called_since": None,
}  # fmt: skip
IN_FULL: dict[str, Any] = {
    **ACCOUNT,
    "statistics": {
        "days": 30, "runs": 812, "failed_runs": 1, "seen": 4021, "changed": 377, "failed": 2, "set_aside": 2, "due": 0,
        "last_good_pull_at": "2026-05-05T12:00:00Z", "last_good_push_at": "2026-05-05T11:59:00Z",
    },
}  # fmt: skip
PLATFORM = {
    "slug": "shopify", "name": "Shopify", "type": "marketplace", "api_version": "2026-01",
    "documentation": "https://shopify.dev/docs/api", "abilities": ["PullsOrders"], "secrets": ["access_token"],
    "optional_secrets": [],
    "settings": [{"name": "shop", "label": "Shop", "help": "", "is_required": True, "default": "", "choices": []}],
}  # fmt: skip
RUN = {
    "id": 71, "stream": "orders", "started_at": "2026-05-05T12:00:00Z", "ended_at": "2026-05-05T12:00:02Z",
    "outcome": "failed", "seen": 0, "changed": 0, "failed": 0, "error": "the platform does not answer",
}  # fmt: skip
LETTER = {
    "id": 5, "stream": "orders", "external_id": "5001", "reason": "a currency that nobody knows", "attempts": 2,
    "at": "2026-05-05T12:00:00Z", "settled_at": None, "settled_by": "",
}  # fmt: skip
SETTLED = {**LETTER, "settled_at": "2026-05-05T13:00:00Z", "settled_by": "api:ops"}
DRIFT = {
    "id": 9, "run": 71, "listing": 12, "sku": "TEA-100", "location": "", "told": 7, "shown": 9, "should": 7,
    "at": "2026-05-05T12:00:00Z",
}  # fmt: skip


def names_of(accounts: list[ChannelIntegration]) -> dict[int, list[str]]:
    """Return the names of the secrets that are kept, by account."""
    found: dict[int, list[str]] = {one.pk: [] for one in accounts}
    kept = Credential.objects.filter(integration__in=accounts).order_by("name")
    for account, name in kept.values_list("integration_id", "name"):
        found[account].append(name)
    return found


def in_full(account: ChannelIntegration) -> AccountInFull:
    """Return an account with its figures of 30 days."""
    shown = account_shown(account, account.health(), names_of([account])[account.pk])
    statistics = RunsCounted.model_validate(account.sync_statistics(30), from_attributes=True)
    return AccountInFull(**shown.model_dump(), statistics=statistics)


def account_shown(account: ChannelIntegration, health: Health, names: list[str]) -> Integration:
    """Return an account as lists show it."""
    return Integration(
        id=account.pk, platform=_platform_name(account), type=account.integration_type, label=account.account_label,
        account_name=account.account_name, channel=account.sales_channel_id,
        status=account.status, status_reason=account.status_reason,  # type: ignore[arg-type]
        health=health.word, health_reason=health.reason, credentials=names, settings=account.settings,
        base_url=account.base_url, pushes_from=account.push_from, connected_at=account.connected_at,
        called_since=account.subscribed_at,
    )  # fmt: skip


def _platform_name(account: ChannelIntegration) -> str:
    try:
        return find(account.platform_name).name
    except NotSupported:
        return account.platform_name


def platform_shown(slug: str, connector: type[Connector]) -> PlatformOut:
    """Return a platform with what it asks for."""
    settings = [
        SettingOut(
            name=one.name, label=one.label, help=one.help, is_required=one.is_required, default=one.default,
            choices=[value for value, _ in one.choices],
        )
        for one in connector.settings
    ]  # fmt: skip
    return PlatformOut(
        slug=slug, name=connector.name, type=connector.kind, api_version=connector.api_version,
        documentation=connector.docs, abilities=list(capabilities(connector)), secrets=list(connector.secrets),
        optional_secrets=list(connector.optional_secrets), settings=settings,
    )  # fmt: skip


def run_shown(run: SyncRun) -> SyncRunOut:
    """Return a run."""
    return SyncRunOut(
        id=run.pk, stream=run.stream, started_at=run.started_at, ended_at=run.ended_at, outcome=run.outcome,
        seen=run.seen_count, changed=run.changed_count, failed=run.failed_count, error=run.error,
    )  # fmt: skip


def letter_shown(letter: DeadLetter) -> SetAside:
    """Return a letter."""
    return SetAside(
        id=letter.pk, stream=letter.stream, external_id=letter.external_id, reason=letter.reason,
        attempts=letter.attempts, at=letter.at, settled_at=letter.settled_at, settled_by=letter.settled_by,
    )  # fmt: skip


def drift_shown(found: DriftFinding) -> Drift:
    """Return what drifted."""
    return Drift(
        id=found.pk, run=found.run_id, listing=found.listing_id, sku=found.listing.variant.sku,
        location=found.location, told=found.told, shown=found.shown, should=found.should, at=found.at,
    )  # fmt: skip
