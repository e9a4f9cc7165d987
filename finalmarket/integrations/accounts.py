"""From an integration's records to a connector that is let in, and back: secrets that the platform renewed are kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import httpx2

from finalmarket.connectors import registry
from finalmarket.connectors.contract import Account, Connector
from finalmarket.integrations.budget import SharedBudget
from finalmarket.integrations.models import ChannelIntegration, Credential
from finalmarket.integrations.wire import wire_to
from finalmarket.kernel import failpoints, secrets

Encrypted = bytes | memoryview
"""A secret as it stands in its column."""


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
    if encrypted is None:
        encrypted = dict(Credential.objects.filter(integration=integration).values_list("name", "encrypted"))
    return Account(
        secrets=secrets.decrypt_all({name: bytes(text).decode() for name, text in encrypted.items()}),
        settings={name: str(value) for name, value in integration.settings.items()},
        base_url=integration.base_url,
        keep=partial(keep_renewed, integration),
    )


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
