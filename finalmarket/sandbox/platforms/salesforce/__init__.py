"""Salesforce's stand-in: one org with contacts, products in a price book, and orders."""

from finalmarket.sandbox.platforms.salesforce.gate import (
    ACCOUNT,
    CLIENT_ID,
    CLIENT_SECRET,
    HOST,
    OTHER_PRODUCT,
    PRICEBOOK,
)
from finalmarket.sandbox.platforms.salesforce.org import Salesforce

__all__ = ["ACCOUNT", "CLIENT_ID", "CLIENT_SECRET", "HOST", "OTHER_PRODUCT", "PRICEBOOK", "Salesforce"]
