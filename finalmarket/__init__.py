"""The Final Market, omnichannel: one stock, one order book, one view of each customer."""

__version__ = "0.1.0"
