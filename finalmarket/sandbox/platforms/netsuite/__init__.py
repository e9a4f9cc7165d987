"""NetSuite as a stand-in: one account with items at two locations, its record API and its SuiteQL."""

from finalmarket.sandbox.platforms.netsuite.ledger import NetSuite

__all__ = ["NetSuite"]
