"""Stock holds nothing of customers: a movement names an order by its number, and who of the staff did it."""

from finalmarket.kernel.personal import impersonal

TABLES = (
    impersonal("stock_locations", "code", "name", "kind", "country", "postcode", "city", "street", "street2", "region",
               "phone"),
    impersonal("expected_receipts", "supplier", "reference", "state"),
    impersonal("transfers", "state", "reference"),
    impersonal("stock_counts", "state", "note"),
    impersonal("stock_alerts", "level"),
    impersonal("reservation", "key", "body_hash", "state"),
    impersonal("reservation_line", "state"),
    impersonal("stock_movement", "kind", "reference", "actor", "reason"),
    *(impersonal(name) for name in (
        "channel_sources", "stock_pool", "stock_item", "transfer_lines", "stock_count_lines", "channel_inventories")),
)  # fmt: skip
