"""Figures hold nothing of customers."""

from finalmarket.kernel.personal import impersonal

TABLES = (impersonal("channel_analytics", "currency"),)
