"""From an integration's records to a connector that is let in, and back: secrets that the platform renewed are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import httpx2

from finalmarket.connectors import registry
from finalmarket.connectors.contract import Account, Connector
from finalmarket.connectors.errors import NOT_ASKED, RetryLater
from finalmarket.integrations.budget import SharedBudget
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.models import ChannelIntegration, Credential
from finalmarket.integrations.wire import wire_to
from finalmarket.kernel import failpoints, secrets

Encrypted = bytes | memoryview
"""A secret as it stands in its column."""
LANE = "renewing"
MOST_SECONDS = 30.0
"""So long one waits for another who renews a token; then the call is made later."""


def connector_class(integration: ChannelIntegration) -> type[Connector]:
    """The connector of the integration's platform. Raises NotSupported when there is none."""
    return registry.find(integration.platform_name)


def open_connector(
    integration: ChannelIntegration,
    transport: httpx2.BaseTransport | None = None,
    *,
    encrypted: Mapping[str, Encrypted] | None = None,
) -> Connector:
    """A connector for this account, with the newest secrets; all that are open share one budget of calls.

    The caller closes it. `transport` takes the place of the wire in tests; `encrypted` are the secrets of the account
    where the caller has read them just now. Raises NotSupported for an unknown platform, UserError when a stored secret
    cannot be read.
    """
    account, connector = account_of(integration, encrypted), connector_class(integration)
    return connector(
        account, budget=SharedBudget(integration.pk), transport=transport or wire_to(connector, account)
    )  # fmt: skip


def account_of(integration: ChannelIntegration, encrypted: Mapping[str, Encrypted] | None = None) -> Account:
    """The account's secrets, settings and address, as connectors take them; see `open_connector`."""
    return Account(
        secrets=_secrets_of(integration) if encrypted is None else _decrypted(encrypted),
        settings={name: str(value) for name, value in integration.settings.items()},
        base_url=integration.base_url,
        keep=partial(keep_renewed, integration),
        renewing=partial(renewing, integration),
    )


def _secrets_of(integration: ChannelIntegration) -> dict[str, str]:
    return _decrypted(dict(Credential.objects.filter(integration=integration).values_list("name", "encrypted")))


def _decrypted(encrypted: Mapping[str, Encrypted]) -> dict[str, str]:
    return secrets.decrypt_all({name: bytes(text).decode() for name, text in encrypted.items()})


@contextmanager
def renewing(integration: ChannelIntegration) -> Iterator[Mapping[str, str]]:
    """Within it no other worker renews the tokens of this account; gives the secrets that are kept by then, among them
    what another has renewed: a refresh token may be good once only. Raises RetryLater where somebody is at it for too
    long."""
    with lane(integration.pk, LANE, seconds=MOST_SECONDS) as held:
        if held is None:
            raise RetryLater("another worker has not ended renewing the token of this account", code=NOT_ASKED)
        yield _secrets_of(integration)


def keep_renewed(integration: ChannelIntegration, given: Mapping[str, str]) -> None:
    """Store what the platform renewed during a call; nothing for an account that was disconnected meanwhile."""
    gone = ChannelIntegration.Status.DISCONNECTED
    if not ChannelIntegration.objects.filter(pk=integration.pk, status=gone).exists():
        keep_secrets(integration, given)


@failpoints.around("accounts.keep")
def keep_secrets(integration: ChannelIntegration, given: Mapping[str, str]) -> None:
    """Store these secrets, encrypted; those of the same name are replaced, the others stay."""
    rows = [
        Credential(integration=integration, name=name, encrypted=secrets.encrypt(value).encode())
        for name, value in sorted(given.items())
    ]
    Credential.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["integration", "name"], update_fields=["encrypted", "updated_at"]
    )
