"""HubSpot's stand-in: one account with contacts, orders, deals, line items, tickets and notes."""

from finalmarket.sandbox.platforms.hubspot.crm import HubSpot
from finalmarket.sandbox.platforms.hubspot.gate import (
    APP_ID,
    CLIENT_ID,
    CLIENT_SECRET,
    DEVELOPER_KEY,
    PORTAL,
    PRIVATE_TOKEN,
)

__all__ = ["APP_ID", "CLIENT_ID", "CLIENT_SECRET", "DEVELOPER_KEY", "PORTAL", "PRIVATE_TOKEN", "HubSpot"]
