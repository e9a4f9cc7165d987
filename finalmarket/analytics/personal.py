"""Figures hold nothing of customers."""

from finalmarket.kernel.personal import impersonal

TABLES = (
    impersonal("channel_analytics", "currency", "merchant_currency"),
    impersonal("exchange_rates", "base", "quote"),
    impersonal("merchant", "currency"),
    impersonal("analytics_changes", "kind"),
    impersonal("lake_changes", "stream"),
    impersonal("lake_state", "marks"),
)
