"""What the order book keeps of people, and what becomes of it when somebody is erased."""

from finalmarket.kernel.personal import EMPTY_LIST, EMPTY_OBJECT, EMPTY_TEXT, Table, impersonal

OF_ORDER = "order_id = ANY (%(orders)s)"
OF_CART = "cart_id IN (SELECT id FROM carts WHERE customer_id = ANY (%(profiles)s))"
OF_REQUEST = "(customer_id = ANY (%(profiles)s) OR order_id = ANY (%(orders)s))"
OF_MAIL = ("email", "name", "subject", "text", "reason")
BOOKS = "Amounts, tax, units, dates and references: the books, which the law has kept for years."
# Of an address the country stays, because the tax depends on it.
COUNTRY = "CASE WHEN {0} ? 'country' THEN jsonb_build_object('country', left({0} ->> 'country', 2)) ELSE '{{}}' END"

TABLES = (
    Table(
        "orders", "id = ANY (%(orders)s)",
        {"email": EMPTY_TEXT, "phone": EMPTY_TEXT, "raw": EMPTY_OBJECT, "problem": EMPTY_TEXT,
         "shipping_address": COUNTRY.format("shipping_address"), "billing_address": COUNTRY.format("billing_address")},
        none=("number", "source", "external_id", "state", "payment_state", "currency", "external_version"), kept=BOOKS,
    ),
    Table("order_lines", OF_ORDER, none=("kind", "sku", "title", "external_id"), kept=BOOKS),
    Table("payments", OF_ORDER, none=("tender", "state", "currency", "external_id"), kept=BOOKS),
    Table(
        "fulfilments", OF_ORDER, {"tracking_url": EMPTY_TEXT, "reason": EMPTY_TEXT},
        none=("state", "carrier", "tracking_number"), kept="What left the house, and by what number: goods' evidence.",
    ),
    Table("fulfilment_lines", "fulfilment_id IN (SELECT id FROM fulfilments WHERE order_id = ANY (%(orders)s))"),
    Table(
        "returns", "(customer_id = ANY (%(profiles)s) OR order_id = ANY (%(orders)s))", {"reason": EMPTY_TEXT},
        none=("key", "state"), kept=BOOKS,
    ),
    Table(
        "return_lines", "return_record_id IN (SELECT id FROM returns WHERE customer_id = ANY (%(profiles)s)"
        " OR order_id = ANY (%(orders)s))", none=("sku", "disposition"), kept=BOOKS,
    ),
    Table("refunds", OF_ORDER, {"reason": EMPTY_TEXT}, none=("key",), kept=BOOKS),
    Table("order_events", OF_ORDER, {"text": EMPTY_TEXT}, none=("kind", "key", "actor"), kept=BOOKS),
    Table("order_promises", "order_line_id IN (SELECT id FROM order_lines WHERE order_id = ANY (%(orders)s))"),
    Table(
        "pickups", OF_ORDER, {"name": EMPTY_TEXT}, none=("code", "state"), kept="Where goods were handed over.",
    ),
    Table("phone_calls", "customer_id = ANY (%(profiles)s)",
          {"number": EMPTY_TEXT, "note": EMPTY_TEXT, "cart_id": "NULL"},  # before the cart itself goes
          searched=("number", "note"), none=("direction", "agent"), kept="That there was a call, and what came of it."),
    Table("order_request_lines", "request_id IN (SELECT id FROM order_requests WHERE "
          "customer_id = ANY (%(profiles)s) OR order_id = ANY (%(orders)s))",
          {"text": EMPTY_TEXT, "named": EMPTY_TEXT}, searched=("text", "named"),
          none=("certainty", "why", "candidates"), kept="How many of what was ordered by mail."),
    Table("order_requests", OF_REQUEST, dict.fromkeys(OF_MAIL, EMPTY_TEXT) | {"warnings": EMPTY_LIST},
          searched=OF_MAIL, none=("message_id", "unproved", "state", "decided_by"),
          kept="That a mail asked for goods, so that it is not read twice."),
    Table("cart_lines", OF_CART, is_deleted=True, none=("currency",)),
    Table("carts", "customer_id = ANY (%(profiles)s)", is_deleted=True, none=("reservation_key",)),
    Table("wishlists", "customer_id = ANY (%(profiles)s)", is_deleted=True),
    Table("order_import_refusals", "", {"value": EMPTY_TEXT, "reason": "'erased'"}, searched=("value", "reason"),
          none=("column",)),
    impersonal("mail_doors", "digest", "made_by"),
    impersonal("order_imports", "fingerprint", "mapping_hash", "file_name", "state", "counts"),
    impersonal("imported_lines", "source", "external_id"),
    impersonal("postcode_points", "country", "prefix"),
    impersonal("tax_rates", "country", "tax_class"),
)  # fmt: skip
