"""Integrations on outside platforms: what can be connected, how each is doing, and the verbs of an account.

Credentials are entered and never shown again: an answer names them, no more. A key that is bound to channels sees and
changes the accounts of these channels.
"""

from typing import Annotated, Literal, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field, SecretStr

from finalmarket.api.door import Done, caller_of, channel_of, read, write
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem, fault
from finalmarket.api.v1.integrations_shown import (
    ACCOUNT,
    DRIFT,
    IN_FULL,
    LETTER,
    PLATFORM,
    RUN,
    SETTLED,
    AccountInFull,
    AllSetAside,
    DriftReport,
    Integrations,
    PlatformsOut,
    PlatformWords,
    SetAside,
    Status,
    SyncRuns,
    account_shown,
    drift_shown,
    in_full,
    letter_shown,
    names_of,
    platform_shown,
    run_shown,
)
from finalmarket.api.v1.shapes import Key, Number, Paged, Said, source_of
from finalmarket.connectors.registry import real_connectors
from finalmarket.integrations import connect, dead_letters
from finalmarket.integrations.health import health_of_all
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DriftFinding, SyncRun

router = Router(tags=["integrations"])
Secret = Annotated[SecretStr, Field(max_length=10_000)]
Row = TypeVar("Row", bound=Model)
MOST_CREDENTIALS = 40


class IntegrationFilters(Paged):
    """By what accounts are narrowed."""

    channel: Number | None = None
    status: Status | None = None


class SyncRunFilters(Paged):
    """By what runs are narrowed; `outcome=failed` are the errors."""

    stream: str = Field("", max_length=30)
    outcome: Literal["done", "partly", "failed"] | None = None


class SetAsideFilters(Paged):
    """AllSetAside that wait, unless those that are settled are asked for."""

    settled: bool = False


class IntegrationOpening(Said):
    """What is said to add an account."""

    platform: str = Field(min_length=1, max_length=60, description="A platform's slug or name")
    label: str = Field("", max_length=100, description="What you call it, where there are several")
    channel: Number | None = Field(None, description="Where its orders go; a key that is bound to channels says one")


class IntegrationConnecting(Said):
    """The secrets and settings that the platform asks for, and `base_url` for a sandbox, by their names."""

    credentials: dict[str, Secret] = Field(min_length=1, max_length=MOST_CREDENTIALS)


class IntegrationPause(Said):
    """Why an account is paused."""

    reason: str = Field(min_length=1, max_length=500)


@read(router, "/platforms", scope="integrations:read", answer=PlatformsOut, example={"items": [PLATFORM]})
def list_platforms(request: HttpRequest) -> PlatformsOut:
    """List the platforms that can be connected, with the secrets and settings that each asks for."""
    return PlatformsOut(items=[platform_shown(slug, one) for slug, one in real_connectors().items()])


@read(
    router, "/integrations", scope="integrations:read", answer=Integrations, example={"items": [ACCOUNT], "next": None},
    filters=IntegrationFilters,
)  # fmt: skip
def list_integrations(request: HttpRequest, asked: Query[IntegrationFilters]) -> Integrations:
    """List the accounts on platforms, each with one honest word on how it is doing, and why."""
    rows = _own(request)
    if asked.channel is not None:
        rows = rows.filter(sales_channel=channel_of(request, asked.channel, "query.channel"))
    if asked.status is not None:
        rows = rows.filter(status=asked.status)
    found, following = page(rows, ("id",), request, asked.limit, asked.cursor)
    health, names = health_of_all(found), names_of(found)
    return Integrations(items=[account_shown(one, health[one.pk], names[one.pk]) for one in found], next=following)


@read(router, "/integrations/{integration}", scope="integrations:read", answer=AccountInFull, example=IN_FULL)
def get_integration(request: HttpRequest, integration: Key) -> AccountInFull:
    """Show an account: its health with the reason, and what its runs of the last 30 days came to."""
    return in_full(_account_or_404(request, integration))


@write(
    router, "POST", "/integrations", scope="integrations:write", status=201, answer=AccountInFull, example=IN_FULL,
    body={"platform": "shopify", "channel": 1},
)  # fmt: skip
def open_integration(request: HttpRequest, told: IntegrationOpening) -> Done:
    """Add an account that is not connected yet."""
    if told.channel is None and caller_of(request).channels:
        raise fault("body.channel", "the key is bound to channels", "Name one of them.")
    channel = channel_of(request, told.channel) if told.channel is not None else None
    made = connect.open_account(told.platform, label=told.label, channel=channel)
    where = {"Location": f"/api/v1/integrations/{made.pk}"}
    return Done(f"integration {made.pk}", in_full(made), headers=where)


@write(
    router, "POST", "/integrations/{integration}/connect", scope="integrations:write", status=200, answer=AccountInFull,
    example=IN_FULL, body={"credentials": {"access_token": "…", "shop": "tea-house"}}, outside=True,
)  # fmt: skip
def connect_integration(request: HttpRequest, integration: Key, told: IntegrationConnecting) -> Done:
    """Take over the credentials of an account once the platform has confirmed them; they are never shown again. What
    is kept already need not be said again."""
    account = _account_or_404(request, integration)
    entered = {name: value.get_secret_value() for name, value in told.credentials.items()}
    account.connect(entered, actor=source_of(request))
    return _done(account)


@write(
    router, "POST", "/integrations/{integration}/test", scope="integrations:write", status=200, answer=PlatformWords,
    example={"said": "Shopify knows us as Tea House."}, outside=True,
)  # fmt: skip
def test_integration(request: HttpRequest, integration: Key) -> Done:
    """Ask the platform now whose account it is."""
    account = _account_or_404(request, integration)
    return Done(f"integration {account.pk}", PlatformWords(said=account.test_connection()))


@write(
    router, "POST", "/integrations/{integration}/sync", scope="integrations:write", status=202, answer=AccountInFull,
    example=IN_FULL,
)  # fmt: skip
def sync_integration(request: HttpRequest, integration: Key) -> Done:
    """Have a worker pull and push everything now; its runs are listed under the account."""
    account = _account_or_404(request, integration)
    account.sync_later()
    return _done(account)


@write(
    router, "POST", "/integrations/{integration}/pause", scope="integrations:write", status=200, answer=AccountInFull,
    example=IN_FULL, body={"reason": "the shop moves house"},
)  # fmt: skip
def pause_integration(request: HttpRequest, integration: Key, told: IntegrationPause) -> Done:
    """Neither pull nor push until it is resumed; webhooks are still stored."""
    account = _locked(request, integration)
    account.pause(told.reason)
    return _done(account)


@write(
    router, "POST", "/integrations/{integration}/resume", scope="integrations:write", status=200, answer=AccountInFull,
    example=IN_FULL,
)  # fmt: skip
def resume_integration(request: HttpRequest, integration: Key) -> Done:
    """Go on with an account that was paused, or needed attention; what waited goes out."""
    account = _locked(request, integration)
    account.resume()
    return _done(account)


@write(
    router, "POST", "/integrations/{integration}/start-pushing", scope="integrations:write", status=200,
    answer=AccountInFull, example=IN_FULL,
)  # fmt: skip
def start_pushing(request: HttpRequest, integration: Key) -> Done:
    """Tell the platform from now on what changes here."""
    account = _locked(request, integration)
    account.start_pushing()
    return _done(account)


@write(
    router, "POST", "/integrations/{integration}/disconnect", scope="integrations:write", status=200,
    answer=AccountInFull, example=IN_FULL,
)  # fmt: skip
def disconnect_integration(request: HttpRequest, integration: Key) -> Done:
    """Forget the secrets and tell the platform nothing more; orders, links and the trail stay."""
    account = _locked(request, integration)
    account.disconnect(actor=source_of(request))
    return _done(account)


@read(
    router, "/integrations/{integration}/runs", scope="integrations:read", answer=SyncRuns,
    example={"items": [RUN], "next": None}, filters=SyncRunFilters,
)  # fmt: skip
def list_runs(request: HttpRequest, integration: Key, asked: Query[SyncRunFilters]) -> SyncRuns:
    """List the runs of an account; those that failed with what went wrong."""
    rows = SyncRun.objects.filter(integration=_account_or_404(request, integration))
    if asked.stream:
        rows = rows.filter(stream=asked.stream)
    if asked.outcome is not None:
        rows = rows.filter(outcome=asked.outcome)
    found, following = page(rows, ("-id",), request, asked.limit, asked.cursor)
    return SyncRuns(items=[run_shown(one) for one in found], next=following)


@read(
    router, "/integrations/{integration}/letters", scope="integrations:read", answer=AllSetAside,
    example={"items": [LETTER], "next": None}, filters=SetAsideFilters,
)  # fmt: skip
def list_letters(request: HttpRequest, integration: Key, asked: Query[SetAsideFilters]) -> AllSetAside:
    """List the records that could not be taken or sent, with the reason."""
    rows = DeadLetter.objects.filter(
        integration=_account_or_404(request, integration), settled_at__isnull=not asked.settled
    )
    found, following = page(rows, ("-id",), request, asked.limit, asked.cursor)
    return AllSetAside(items=[letter_shown(one) for one in found], next=following)


@write(
    router, "POST", "/integrations/{integration}/letters/{letter}/replay", scope="integrations:write", status=200,
    answer=SetAside, example=SETTLED, outside=True,
)  # fmt: skip
def replay_letter(request: HttpRequest, integration: Key, letter: Key) -> Done:
    """Try a record again, as the platform holds it now; the letter is settled when it is taken."""
    one = _letter_or_404(request, integration, letter)
    settled = dead_letters.replay(one.pk, actor=source_of(request))
    return Done(f"letter {one.pk}", letter_shown(settled))


@write(
    router, "POST", "/integrations/{integration}/letters/{letter}/drop", scope="integrations:write", status=200,
    answer=SetAside, example=SETTLED,
)  # fmt: skip
def drop_letter(request: HttpRequest, integration: Key, letter: Key) -> Done:
    """Close a letter without trying again: somebody has dealt with it."""
    one = _letter_or_404(request, integration, letter)
    return Done(f"letter {one.pk}", letter_shown(dead_letters.drop(one.pk, actor=source_of(request))))


@read(
    router, "/integrations/{integration}/drift", scope="integrations:read", answer=DriftReport,
    example={"items": [DRIFT], "next": None}, filters=Paged,
)  # fmt: skip
def report_drift(request: HttpRequest, integration: Key, asked: Query[Paged]) -> DriftReport:
    """List the listings that showed another number than they should, with what was told, shown and right."""
    rows = DriftFinding.objects.filter(integration=_account_or_404(request, integration))
    found, following = page(
        rows.select_related("listing__variant"), ("-id",), request, asked.limit, asked.cursor
    )  # fmt: skip
    return DriftReport(items=[drift_shown(one) for one in found], next=following)


# What is looked up, and how it is shown.


def _own(request: HttpRequest) -> QuerySet[ChannelIntegration]:
    """The accounts that the caller may see."""
    channels = caller_of(request).channels
    rows = ChannelIntegration.objects.all()
    return rows.filter(sales_channel__in=channels) if channels else rows


def _account_or_404(request: HttpRequest, number: int) -> ChannelIntegration:
    return _one(_own(request), number, "integration")


def _locked(request: HttpRequest, number: int) -> ChannelIntegration:
    """The account, for the rest of the transaction ours: its verbs write all of it."""
    return _one(_own(request).select_for_update(of=("self",)), number, "integration")


def _letter_or_404(request: HttpRequest, integration: int, number: int) -> DeadLetter:
    account = _account_or_404(request, integration)
    return _one(DeadLetter.objects.filter(integration=account), number, "letter")


def _one(rows: QuerySet[Row], number: int, what: str) -> Row:
    found = rows.filter(pk=number).first()
    if found is None:
        raise Problem("not-found", f"There is no {what} {number}.")
    return found


def _done(account: ChannelIntegration) -> Done:
    return Done(f"integration {account.pk}", in_full(account))
