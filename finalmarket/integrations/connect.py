"""Connecting an account, and letting it go: the platform itself confirms the credentials before any of them is kept."""

from __future__ import annotations

import os
import secrets as chance
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

import structlog
from django.db import transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.connectors import registry
from finalmarket.connectors.contract import Account, Connector, ReceivesWebhooks, Setting
from finalmarket.connectors.errors import ConnectorError, NotSupported
from finalmarket.integrations.accounts import account_of, keep_secrets, open_connector
from finalmarket.integrations.budget import SharedBudget
from finalmarket.integrations.models import ChannelIntegration, Credential, IntegrationHealth
from finalmarket.integrations.wire import HOST_PLACE, wire_to
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError

PUBLIC_URL = "FINALMARKET_PUBLIC_URL"
# Where what a renewed token brings along is kept beside the declared secrets.
RENEWED = ("access_token", "refresh_token", "access_token_ends_at")
PREVIOUS = "_previous"
Status = ChannelIntegration.Status


@dataclass(frozen=True, slots=True)
class Given:
    """What a person entered, sorted into secrets, settings and the address of a sandbox."""

    secrets: dict[str, str] = field(repr=False)
    settings: dict[str, str]
    base_url: str


def open_account(platform: str, *, label: str = "", channel: SalesChannel | None = None) -> ChannelIntegration:
    """Make an account on a platform, by its slug or name, that is not connected yet. Raises UserError."""
    try:
        connector = registry.find(platform)
    except NotSupported as error:
        raise UserError(str(error)) from error
    return ChannelIntegration.objects.create(
        platform_name=connector.name, integration_type=connector.kind, account_label=label.strip()[:100],
        sales_channel=channel,
    )  # fmt: skip


def connect(integration: ChannelIntegration, credentials: Mapping[str, str], *, actor: str = "system") -> None:
    """Check the credentials by name and at the platform, keep them, and be active (see IntegrationVerbs.connect).

    What is kept already need not be entered again, as long as it goes where it went before. Where the house is known
    from outside (FINALMARKET_PUBLIC_URL), the platform is then asked to call us; if it does not, the account works all
    the same and is asked every minute instead.
    """
    connector = platform_of(integration)
    given = sort_names(connector, _with_kept(integration, credentials), integration)
    renewed: dict[str, str] = {}
    account = Account(given.secrets, given.settings, given.base_url, keep=renewed.update)
    wire = wire_to(connector, account)
    with closing(connector(account, budget=SharedBudget(integration.pk), transport=wire)) as there:
        name = _asked(there.check, connector.name)
    _keep(integration, given, {**given.secrets, **renewed}, name)
    structlog.get_logger(__name__).info("account connected", integration=integration.pk, actor=actor)
    subscribe(integration)


def _with_kept(integration: ChannelIntegration, entered: Mapping[str, str]) -> dict[str, str]:
    """What was entered, with what is kept already. Kept secrets go only where they were entered for: whoever says
    another place has to know them. Raises UserError where they were not entered anew."""
    secrets, settings = _kept(integration)
    elsewhere = moves(integration, entered) if secrets else []
    if not elsewhere:
        return {**secrets, **settings, **entered}
    wanted = set(platform_of(integration).secrets) or set(secrets)
    if missing := sorted(name for name in wanted & set(secrets) if not str(entered.get(name, "")).strip()):
        raise UserError(f"{_goes_elsewhere(integration, elsewhere)}: enter the secrets anew ({', '.join(missing)})")
    return {**settings, **entered}


def _kept(integration: ChannelIntegration) -> tuple[dict[str, str], dict[str, str]]:
    """The secrets and the settings that are kept and need not be entered again; none of an account that was let go."""
    if not integration.credentials.exists():
        return {}, {}
    connector = platform_of(integration)
    account = account_of(integration)
    declared = {*connector.secrets, *connector.optional_secrets}
    named = {setting.name for setting in connector.settings}
    secrets = {name: value for name, value in account.secrets.items() if name in declared}
    return secrets, {name: value for name, value in account.settings.items() if name in named}


def moves(integration: ChannelIntegration, entered: Mapping[str, str]) -> list[str]:
    """The names of what was entered that leads to another place than the account has: the address of a stand-in and,
    where the host is entered by a person, every setting, for a token may be asked for at an address of its own."""
    connector = platform_of(integration)
    said = {name: str(value).strip() for name, value in entered.items()}
    found = ["base_url"] if said.get("base_url", "") not in ("", integration.base_url) else []
    for one in connector.settings if HOST_PLACE in connector.base_url else ():
        kept = str(integration.settings.get(one.name) or one.default)
        found += [one.name] if (said.get(one.name, kept) or one.default) != kept else []
    return sorted(found)


def stay_in_place(integration: ChannelIntegration, entered: Mapping[str, str]) -> None:
    """To be asked before a round trip in the browser is begun, and before it is finished. Raises UserError where it
    would lead the secrets that are kept to another place; `entered` has the address of a stand-in, "" where there is to
    be none."""
    leaves = ["base_url"] if integration.base_url and not entered.get("base_url") else []
    elsewhere = sorted([*moves(integration, entered), *leaves])
    if elsewhere and integration.credentials.exists():
        raise UserError(f"{_goes_elsewhere(integration, elsewhere)}: disconnect it, and enter the secrets anew")


def _goes_elsewhere(integration: ChannelIntegration, names: Sequence[str]) -> str:
    name, other = platform_of(integration).name, ", ".join(names)
    return f"{name} would have another {other}, and the secrets that are kept go only where they were entered for"


def platform_of(integration: ChannelIntegration) -> type[Connector]:
    """The connector of the platform that the account names. Raises UserError for an unknown one, or another kind."""
    try:
        connector = registry.find(integration.platform_name)
    except NotSupported as error:
        raise UserError(str(error)) from error
    if connector.kind != integration.integration_type:
        raise UserError(
            f"{connector.name} is of the type {connector.kind!r}, not {integration.integration_type!r}; "
            f"create the integration with integration_type={connector.kind!r}"
        )
    return connector


def sort_names(connector: type[Connector], entered: Mapping[str, str], integration: ChannelIntegration) -> Given:
    """Sort what was entered by what the connector declares. Raises UserError that names what is missing or unknown, and
    never repeats what was entered."""
    values = {name: str(value).strip() for name, value in entered.items()}
    declared = {setting.name: setting for setting in connector.settings}
    secret_names = (*connector.secrets, *connector.optional_secrets, *RENEWED)
    known = {*secret_names, *declared, "base_url"}
    unknown = sorted(set(values) - known)
    missing = [name for name in connector.secrets if not values.get(name)]
    settings = {name: values.get(name) or setting.default for name, setting in declared.items()}
    missing += [name for name, setting in declared.items() if setting.is_required and not settings[name]]
    if unknown or missing:
        raise UserError(_names_wrong(connector, unknown, missing))
    _check_choices(connector, declared, settings)
    return Given(
        secrets={name: values[name] for name in secret_names if values.get(name)},
        settings={name: value for name, value in settings.items() if value},
        base_url=_stand_in(values.get("base_url") or integration.base_url),
    )


def _names_wrong(connector: type[Connector], unknown: list[str], missing: list[str]) -> str:
    parts = [f"missing: {', '.join(missing)}"] if missing else []
    parts += [f"unknown: {', '.join(unknown)}"] if unknown else []
    wanted = [*connector.secrets, *(setting.name for setting in connector.settings if setting.is_required)]
    optional = [*connector.optional_secrets, *(one.name for one in connector.settings if not one.is_required)]
    may = f" and may have {', '.join(optional)}" if optional else ""
    return f"{connector.name} cannot be connected ({'; '.join(parts)}); it needs {', '.join(wanted) or 'nothing'}{may}"


def _check_choices(connector: type[Connector], declared: Mapping[str, Setting], settings: Mapping[str, str]) -> None:
    for name, setting in declared.items():
        choices = [value for value, _ in setting.choices]
        if choices and settings[name] and settings[name] not in choices:
            raise UserError(f"{connector.name}: {name} must be one of {', '.join(choices)}")


def _stand_in(base_url: str) -> str:
    parts = urlsplit(base_url)
    if base_url and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username):
        raise UserError("base_url must be an address such as http://127.0.0.1:8700/shop, without a log-in")
    return base_url


def _asked(check: Callable[[], str], name: str) -> str:
    """Whose account it is. Every way in which a platform can say no, or nothing, becomes one sentence."""
    try:
        return str(check())
    except ConnectorError as error:
        raise UserError(f"{name} was asked and does not let us in: {error.reason}") from error


@failpoints.around("connect.keep")
@transaction.atomic
def _keep(integration: ChannelIntegration, given: Given, secrets: Mapping[str, str], name: str) -> None:
    is_same = integration.account_name == name[:200] and not moves(
        integration, {**given.settings, "base_url": given.base_url}
    )
    stays = {*secrets, *(_webhook_names(integration) if is_same else ())}
    integration.credentials.exclude(name__in=stays).delete()
    keep_secrets(integration, secrets)
    integration.settings, integration.base_url = given.settings, given.base_url
    integration.account_name = name[:200]
    integration.status, integration.status_reason = Status.ACTIVE, ""
    integration.connected_at = integration.connected_at or clock.now()
    integration.subscribed_at = None
    integration.webhook_token = integration.webhook_token or chance.token_urlsafe(32)
    integration.save()
    start_anew(integration)


def _webhook_names(integration: ChannelIntegration) -> list[str]:
    """The names of the secrets that the platform signs with: given when it was asked to call us, not entered."""
    connector = platform_of(integration)
    names = connector.webhook_secrets if issubclass(connector, ReceivesWebhooks) else ()
    return [*names, *(f"{name}{PREVIOUS}" for name in names)]


def start_anew(integration: ChannelIntegration) -> None:
    """Forget former failures: the breaker is closed, and what counts them starts at nothing."""
    IntegrationHealth.objects.update_or_create(
        integration=integration,
        defaults={"failures_in_row": 0, "breaker_open_until": None, "asked_to_wait_until": None, "last_failure": ""},
    )


def test_connection(integration: ChannelIntegration) -> str:
    """Whose account it is, in words, freshly asked. Raises UserError when it is not connected or does not answer."""
    connector = platform_of(integration)
    if not integration.credentials.exists():
        raise UserError(f"{integration} is not connected yet: enter its credentials first")
    with closing(open_connector(integration)) as there:
        name = _asked(there.check, connector.name)
    return f"{connector.name} knows us as {name}."


@failpoints.around("connect.pause")
def pause(integration: ChannelIntegration, reason: str) -> None:
    """Stop pulling and pushing, and say why."""
    if not reason.strip():
        raise UserError("say why the account is paused")
    if integration.status not in (Status.ACTIVE, Status.NEEDS_ATTENTION, Status.PAUSED):
        raise UserError(f"{integration} is not connected; there is nothing to pause")
    _set_status(integration, Status.PAUSED, reason.strip())


@failpoints.around("connect.resume")
@transaction.atomic
def resume(integration: ChannelIntegration) -> None:
    """Go on pulling and pushing; what was due meanwhile goes out now."""
    if integration.status not in (Status.PAUSED, Status.NEEDS_ATTENTION, Status.ACTIVE):
        raise UserError(f"{integration} is not connected; connect it first")
    start_anew(integration)
    _set_status(integration, Status.ACTIVE, "")


@failpoints.around("connect.stop")
def need_attention(integration: ChannelIntegration, reason: str) -> None:
    """Stop an active account until a person has looked: its credentials or rights do not suffice any more."""
    stopped = ChannelIntegration.objects.filter(pk=integration.pk, status=Status.ACTIVE).update(
        status=Status.NEEDS_ATTENTION, status_reason=reason[:500], updated_at=clock.now()
    )
    if stopped:
        integration.status, integration.status_reason = Status.NEEDS_ATTENTION, reason[:500]


@failpoints.around("connect.let_go")
@transaction.atomic
def disconnect(integration: ChannelIntegration, *, actor: str = "system") -> None:
    """Forget the secrets. Webhooks that still come find no door; the links stay, and nothing is told any more."""
    integration.credentials.all().delete()
    integration.webhook_token, integration.subscribed_at, integration.push_from = "", None, None
    _set_status(integration, Status.DISCONNECTED, "")
    structlog.get_logger(__name__).info("account disconnected", integration=integration.pk, actor=actor)


def _set_status(integration: ChannelIntegration, status: ChannelIntegration.Status, reason: str) -> None:
    integration.status, integration.status_reason = status, reason[:500]
    integration.save()


def hook_address(integration: ChannelIntegration) -> str:
    """Where the platform is to call us; "" while it cannot reach this house."""
    has_door = integration.webhook_token and is_reached_from(integration)
    return public_address(f"/hooks/{integration.webhook_token}/") if has_door else ""


def public_address(path: str) -> str:
    """The path as the outside knows it; "" while nobody outside can reach this house."""
    public = os.environ.get(PUBLIC_URL, "").strip().rstrip("/")
    return f"{public}{path}" if public else ""


def is_reached_from(integration: ChannelIntegration) -> bool:
    """Whether the platform, and who comes from it, finds this house. An address of this machine, which is what
    `finalmarket serve` says where the keeper says nothing, is found by stand-ins on this machine alone."""
    public = public_address("/")
    return bool(public) and (not _is_of_this_machine(public) or _is_of_this_machine(integration.base_url))


def _is_of_this_machine(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost" or host.endswith(".localhost")


def subscribe(integration: ChannelIntegration) -> str:
    """Ask the platform to call us; return "" or why it does not. Failing is no error: the account is asked instead."""
    address = hook_address(integration)
    if not address or not issubclass(platform_of(integration), ReceivesWebhooks):
        return "" if address else f"nobody outside can reach this house: set {PUBLIC_URL}"
    there = open_connector(integration)
    try:
        assert isinstance(there, ReceivesWebhooks)  # noqa: S101  asked above
        given = there.subscribe(address)
    except ConnectorError as error:
        structlog.get_logger(__name__).warning(
            "the platform takes no subscription", integration=integration.pk, reason=error.reason
        )
        return error.reason
    finally:
        there.close()
    with failpoints.around("connect.subscribe"), transaction.atomic():
        keep_secrets(integration, {**given, **_former(integration, given)})
        integration.subscribed_at = clock.now()
        integration.save(update_fields=["subscribed_at", "updated_at"])
    return ""


def rotate_webhook_secret(integration: ChannelIntegration, secret: str = "") -> None:
    """Take another secret for webhooks, keep the former one beside it; both are good until the next rotation.

    Without `secret` the platform is asked to subscribe us anew. Raises UserError where no new secret comes of it.
    """
    connector = platform_of(integration)
    if not issubclass(connector, ReceivesWebhooks) or not connector.webhook_secrets:
        raise UserError(f"{connector.name} signs no webhooks with a secret of ours")
    name = connector.webhook_secrets[0]
    before = _secrets_of(integration)
    if not secret:
        refused = subscribe(integration)
        secret = _secrets_of(integration).get(name, "")
        if refused or secret == before.get(name):
            raise UserError(f"{connector.name} gave no new secret{f': {refused}' if refused else '; enter one'}")
        return
    given = {name: secret}
    keep_secrets(integration, {**given, **_former(integration, given)})


def _former(integration: ChannelIntegration, given: Mapping[str, str]) -> dict[str, str]:
    """The secrets for webhooks that these take the place of, under the names by which they stay good: what was signed
    with them is still on its way."""
    connector, before = platform_of(integration), _secrets_of(integration)
    names = connector.webhook_secrets if issubclass(connector, ReceivesWebhooks) else ()
    replaced = [name for name in names if name in given and before.get(name, given[name]) != given[name]]
    return {f"{name}{PREVIOUS}": before[name] for name in replaced}


def _secrets_of(integration: ChannelIntegration) -> Mapping[str, str]:
    return account_of(integration).secrets


def credential_names(integration: ChannelIntegration) -> list[str]:
    """The names of the secrets that are kept; what they say is never shown."""
    return list(Credential.objects.filter(integration=integration).order_by("name").values_list("name", flat=True))
