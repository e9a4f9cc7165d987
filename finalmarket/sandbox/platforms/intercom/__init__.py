"""The stand-in of Intercom: conversations, tickets, contacts. The gate lies beside it."""

from finalmarket.sandbox.platforms.intercom.gate import CLIENT_ID, CLIENT_SECRET, TOKEN
from finalmarket.sandbox.platforms.intercom.inbox import Intercom

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "TOKEN", "Intercom"]
