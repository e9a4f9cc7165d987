"""The way to platforms whose address a person has entered: a stand-in, or a system of one's own (ERP). It leads
outside, or into networks that the operator of the house has named; never to whatever else can be reached from this
machine."""

from __future__ import annotations

import httpx2
from django.conf import settings

from finalmarket.connectors.contract import Account, Connector
from finalmarket.connectors.http import LIMITS, trusted
from finalmarket.integrations.outgoing.guard import Allowed, GuardedTransport
from finalmarket.kernel.errors import UserError

VARIABLE = "FINALMARKET_PLATFORM_NETWORKS"
LOOPBACK = "127.0.0.0/8,::1/128"
HOST_PLACE = "{host}"
"""How a connector says that its host is entered by a person; in the others at most a part of a name is, which the
platform owns."""


class GuardedWire(GuardedTransport):
    """A guarded way whose refusals are what connectors know: a platform that cannot be reached."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Resolve, check, pin, send. Raises httpx2.ConnectError for what may not be called."""
        try:
            return super().handle_request(request)
        except UserError as error:
            raise httpx2.ConnectError(str(error), request=request) from error


def wire_to(connector: type[Connector], account: Account) -> httpx2.BaseTransport | None:
    """The guarded way to an account at an entered address; None for the platform's own, which is known."""
    if not account.base_url and HOST_PLACE not in connector.base_url:
        return None
    return GuardedWire(httpx2.HTTPTransport(verify=trusted(), limits=LIMITS), allowed=allowed())


def allowed() -> Allowed:
    """What may be called besides the public net: networks named in FINALMARKET_PLATFORM_NETWORKS, and, in a house that
    nobody but this machine can come into, this machine (a sandbox)."""
    return Allowed(VARIABLE, LOOPBACK if settings.IS_OF_THIS_MACHINE else "")
