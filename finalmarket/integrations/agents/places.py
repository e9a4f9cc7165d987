"""Where the doors of agents are, as the outside reaches them."""

from __future__ import annotations

from finalmarket.integrations.connect import public_address
from finalmarket.integrations.models import AgentSession

BASE = "/acp"
UNKNOWN_HOUSE = "https://localhost"


def house() -> str:
    """The address of this house; where it is not known from outside, one that only this machine reaches."""
    return (public_address("") or UNKNOWN_HOUSE).rstrip("/")


def permalink(session: AgentSession) -> str:
    """Where a buyer sees how their order stands; whoever has the address sees it."""
    return f"{house()}{BASE}/orders/{session.token}"
