"""What analytics keeps of people, and what becomes of it when somebody is erased. Daily figures hold none of it."""

from finalmarket.kernel.personal import Table, impersonal

MINE = "person_id = ANY (%(profiles)s)"

TABLES = (
    Table("segment_members", MINE, is_deleted=True),
    Table("segment_changes", MINE, is_deleted=True, none=("was", "becomes", "cause", "reason")),
    Table("customer_values", MINE, is_deleted=True, none=("currency",)),
    impersonal("segments", "key", "name", "rule", "marks", "created_by"),
    impersonal("value_models", "name", "currency", "learned", "cuts"),
    impersonal("channel_analytics", "currency", "merchant_currency"),
    impersonal("exchange_rates", "base", "quote"),
    impersonal("merchant", "currency", "name", "time_zone"),
    impersonal("analytics_changes", "kind"),
    impersonal("lake_changes", "stream"),
    impersonal("lake_state", "marks"),
)
