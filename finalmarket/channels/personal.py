"""Channels and listings hold nothing of customers; an error that a platform told of a listing may name one."""

from finalmarket.kernel.personal import EMPTY_TEXT, Table, impersonal

TABLES = (
    impersonal("sales_channels", "name", "slug", "channel_type", "status", "pause_reason", "configuration", "currency",
               "country", "time_zone"),
    Table("channel_products", "", {"sync_error": EMPTY_TEXT}, searched=("sync_error",),
          none=("title", "description", "attributes", "sync_state")),
    impersonal("listing_prices", "currency"),
    Table("due_changes", "", {"last_error": EMPTY_TEXT}, searched=("last_error",), none=("what",)),
)  # fmt: skip
