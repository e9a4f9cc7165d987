"""Figures hold nothing of customers."""

from finalmarket.kernel.personal import impersonal

TABLES = (
    impersonal("channel_analytics", "currency"),
    impersonal("lake_changes", "stream"),
    impersonal("lake_state", "marks"),
)
