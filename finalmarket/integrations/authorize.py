"""The round trip in the browser: the person is sent to the platform and comes back with a code (OAuth 2, RFC 6749).

What is needed when they come back lies in their session: a state that was told to the platform, the secret half of
PKCE (RFC 7636), and which account it is for. It is used once, and only within ten minutes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, MutableMapping
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from finalmarket.connectors.auth import new_state, new_verifier
from finalmarket.connectors.contract import Account, Authorizes, Connector
from finalmarket.connectors.errors import ConnectorError
from finalmarket.integrations import connect
from finalmarket.integrations.accounts import account_of
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.wire import wire_to
from finalmarket.kernel import clock, secrets
from finalmarket.kernel.errors import UserError

PLACE = "integration_authorizations"
GOOD_FOR = timedelta(minutes=10)
MOST_AT_ONCE = 5
Session = MutableMapping[str, Any]


def begin_authorization(
    integration: ChannelIntegration, redirect_uri: str, session: Session, entered: Mapping[str, str] | None = None
) -> str:
    """The platform's address to send the person to; they come back to `redirect_uri`.

    `entered` are secrets and settings that the round trip itself needs, such as the app's own client id and secret;
    they are kept encrypted in the session until it ends. Raises UserError for a platform that is connected otherwise.
    """
    connector = _authorizing(integration)
    state, verifier = new_state(), new_verifier()
    begun = dict(session.get(PLACE, {}))
    for old in sorted(begun, key=lambda name: begun[name]["at"])[: max(0, len(begun) - MOST_AT_ONCE + 1)]:
        del begun[old]
    begun[_digest(state)] = {
        "integration": integration.pk, "redirect_uri": redirect_uri, "at": clock.now().isoformat(),
        "verifier": secrets.encrypt(verifier),
        "entered": {name: secrets.encrypt(str(value)) for name, value in (entered or {}).items()},
    }  # fmt: skip
    session[PLACE] = begun
    with closing(_open(connector, _account(integration, entered or {}))) as there:
        return str(there.authorization_url(redirect_uri, state, verifier))


def finish_authorization(query: Mapping[str, str], session: Session, *, actor: str = "system") -> ChannelIntegration:
    """Turn what the platform sent the person back with into a connected account, and return it.

    Raises UserError when this session did not begin it, when it was finished before or begun too long ago, when the
    person said no, and when the platform does not confirm it.
    """
    begun = dict(session.get(PLACE, {}))
    kept = begun.pop(_digest(query.get("state", "")), None)
    session[PLACE] = begun  # used once, whatever comes of it
    if kept is None or clock.now() - datetime.fromisoformat(kept["at"]) > GOOD_FOR:
        raise UserError("this authorization was not begun here, or too long ago; begin anew on the integration's page")
    if query.get("error"):
        raise UserError(f"the platform did not authorize us: {query['error'][:100]}")
    integration = ChannelIntegration.objects.get(pk=kept["integration"])
    connector = _authorizing(integration)
    entered = {name: secrets.decrypt(value) for name, value in kept["entered"].items()}
    # Somebody may have connected the account since: what is kept by now goes nowhere else.
    connect.stay_in_place(integration, {"base_url": integration.base_url, **entered})
    account = _account(integration, entered)
    with closing(_open(connector, account)) as there:
        try:
            given = there.exchange(query, kept["redirect_uri"], secrets.decrypt(kept["verifier"]))
        except ConnectorError as error:
            raise UserError(f"{connector.name} does not confirm the authorization: {error.reason}") from error
    declared = {*connector.secrets, *connector.optional_secrets, *connect.RENEWED, *_setting_names(connector)}
    held = {name: value for name, value in {**account.secrets, **account.settings}.items() if name in declared}
    connect.connect(integration, {**held, **given}, actor=actor)
    return integration


def _authorizing(integration: ChannelIntegration) -> type[Connector]:
    connector = connect.platform_of(integration)
    if not issubclass(connector, Authorizes):
        raise UserError(f"{connector.name} is connected by entering its credentials, not in the browser")
    return connector


def _open(connector: type[Connector], account: Account) -> Any:
    """The connector, which both calls the platform and authorizes."""
    return connector(account, transport=wire_to(connector, account))


def _account(integration: ChannelIntegration, entered: Mapping[str, str]) -> Account:
    """The account as far as it is known: what is kept, with what was entered for this round trip."""
    known = account_of(integration)
    settings = _setting_names(connect.platform_of(integration))
    return Account(
        secrets={**known.secrets, **{name: value for name, value in entered.items() if name not in settings}},
        settings={**known.settings, **{name: value for name, value in entered.items() if name in settings}},
        base_url=integration.base_url,
    )


def _setting_names(connector: type[Connector]) -> set[str]:
    return {setting.name for setting in connector.settings}


def _digest(state: str) -> str:
    """The state as the session knows it: a look into the session does not give it away."""
    return hashlib.sha256(state.encode()).hexdigest()
