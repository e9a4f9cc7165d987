"""The stand-in of Zendesk Support: tickets, users, webhooks. The gate lies beside it."""

from finalmarket.sandbox.platforms.zendesk.desk import Zendesk
from finalmarket.sandbox.platforms.zendesk.gate import API_TOKEN, CLIENT_ID, CLIENT_SECRET, EMAIL

__all__ = ["API_TOKEN", "CLIENT_ID", "CLIENT_SECRET", "EMAIL", "Zendesk"]
