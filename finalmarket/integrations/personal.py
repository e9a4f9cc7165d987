"""What the border post keeps of people, and what becomes of it when somebody is erased.

Raw payloads, letters and error words have no owner: the words by which a person is known are looked for in them, and
what holds one is emptied as a whole.
"""

from finalmarket.kernel.personal import EMPTY_LIST, EMPTY_OBJECT, EMPTY_TEXT, Table, impersonal

OF_ORDER = "order_id = ANY (%(orders)s)"
OF_PARCEL = "fulfilment_id IN (SELECT id FROM fulfilments WHERE order_id = ANY (%(orders)s))"
OF_RECORD = """((what = 'customer' AND local_id = ANY (%(profiles)s))
                OR (what = 'order' AND local_id = ANY (%(orders)s)))"""
TOLD = """((topic LIKE 'order.%%' AND subject_id = ANY (%(orders)s))
           OR (topic LIKE 'customer.%%' AND subject_id = ANY (%(profiles)s))
           OR (topic LIKE 'journey.%%' AND subject_id IN
               (SELECT id FROM cross_channel_journeys WHERE customer_id = ANY (%(profiles)s))))"""
NAMED = """(integration_id, external_id) IN (
    SELECT integration_id, external_id FROM external_ids
    WHERE (kind = 'customer' AND local_id = ANY (%(profiles)s)) OR (kind = 'order' AND local_id = ANY (%(orders)s)))"""
OF_LETTER = ("email", "name", "subject", "text", "html")
PROOF = "That it was sent, when and about which record: so that nothing is told twice."

TABLES = (
    Table(
        "webhook_deliveries", "",
        {"body": "''::bytea", "headers": EMPTY_OBJECT, "url": EMPTY_TEXT, "outcome": "'erased'",
         "handled_at": "coalesce(handled_at, now())", "next_try_at": "NULL"},
        searched=("body", "headers", "url", "outcome"), none=("event_id", "topic"),
        kept="That it came, and when: a webhook that comes twice is known.",
    ),
    Table(
        "dead_letters", NAMED,
        {"payload": EMPTY_OBJECT, "reason": "'erased'", "external_id": EMPTY_TEXT,
         "settled_at": "coalesce(settled_at, now())", "settled_by": "'erasure'"},
        searched=("payload", "reason", "external_id"), none=("stream",), kept="That a record could not be taken.",
    ),
    Table("tickets", OF_ORDER, {"subject": EMPTY_TEXT, "text": EMPTY_TEXT}, searched=("subject", "text"),
          none=("key", "external_id", "priority", "actor", "noted_digest"), kept=PROOF),
    Table("shipping_labels", OF_PARCEL,
          {"tracking_url": EMPTY_TEXT, "label_url": EMPTY_TEXT, "tracking_steps": EMPTY_LIST, "last_error": EMPTY_TEXT},
          none=("key", "label_id", "carrier", "service", "rate_id", "tracking_number", "currency", "state",
                "tracking_state", "tracking_version", "actor"),
          kept="What was paid for which parcel."),
    Table("payment_pages", OF_ORDER, {"approve_url": EMPTY_TEXT, "back_url": EMPTY_TEXT, "last_error": EMPTY_TEXT},
          none=("key", "token", "external_id", "currency", "state"), kept="What was paid, and where."),
    Table("due_records", OF_RECORD,
          {"last_error": EMPTY_TEXT, "digest": EMPTY_TEXT, "echoes": EMPTY_OBJECT, "settled_version": "version",
           "external_id": "CASE what WHEN 'customer' THEN '' ELSE external_id END"},
          searched=("last_error",), none=("what", "line_ids"), kept=PROOF),
    Table("external_ids", "kind = 'customer' AND local_id = ANY (%(profiles)s)", is_deleted=True,
          none=("kind", "external_id", "version")),
    Table("external_ids", "kind = 'order' AND local_id = ANY (%(orders)s)", none=("kind", "external_id", "version"),
          kept="What platforms call an order: it is in the books exactly once, whatever comes late."),
    Table("outgoing_events", TOLD,
          {"data": "CASE WHEN data IS NULL THEN NULL ELSE jsonb_build_object('id', subject_id) END"},
          searched=("data",), none=("topic",), kept=PROOF),
    Table("outgoing_deliveries", "", {"last_error": EMPTY_TEXT}, searched=("last_error",), none=("state",)),
    Table("due_notices", "", {"last_error": EMPTY_TEXT}, searched=("last_error",),
          none=("kind", "key", "state", "external_id"), kept=PROOF),
    Table("names_elsewhere", none=("encrypted",), kept="What an account calls somebody, until it was told."),
    Table("due_events", "", {"last_error": EMPTY_TEXT}, searched=("last_error",), none=("kind", "key", "state"),
          kept=PROOF),
    Table("push_records", "", {"reason": EMPTY_TEXT}, searched=("reason",), none=("what", "value", "outcome")),
    Table("sync_runs", "", {"error": EMPTY_TEXT}, searched=("error",), none=("stream", "outcome")),
    Table("integration_health", "", {"last_failure": EMPTY_TEXT, "last_refused_webhook": EMPTY_TEXT},
          searched=("last_failure", "last_refused_webhook")),
    Table("channel_integrations", "", {"status_reason": EMPTY_TEXT}, searched=("status_reason",),
          none=("platform_name", "integration_type", "account_label", "status", "account_name", "settings", "duties",
                "base_url", "webhook_token")),
    Table("voice_links", "customer_id = ANY (%(profiles)s)", is_deleted=True,
          none=("user_digest", "redirect_url", "code_digest", "code_challenge", "code_challenge_method",
                "access_digest", "refresh_digest")),
    Table("voice_link_codes", "customer_id = ANY (%(profiles)s)", {"address": EMPTY_TEXT}, is_deleted=True,
          none=("digest", "encrypted")),
    Table(
        "agent_sessions", "cart_id IN (SELECT id FROM carts WHERE order_id = ANY (%(orders)s))",
        {"buyer": EMPTY_OBJECT, "details": EMPTY_OBJECT, "notes": EMPTY_TEXT, "attribution": EMPTY_OBJECT},
        searched=("buyer", "details", "notes", "attribution"),
        none=("kind", "state", "key_name", "option", "locale", "encrypted", "completing_call", "trouble"),
        kept="That an assistant had something in hand, and what became of it.",
    ),
    Table("chat_talks", "customer_id = ANY (%(profiles)s)", {"address": EMPTY_TEXT, "offer": EMPTY_OBJECT},
          searched=("address",), is_deleted=True, none=("conversation",)),
    Table("chat_answers", "", {"question": EMPTY_TEXT, "answer": EMPTY_TEXT, "last_error": EMPTY_TEXT},
          searched=("question", "answer", "last_error"), none=("conversation", "message", "author", "state"),
          kept="That a message was answered: so that it is not answered twice."),
    impersonal("agent_doors", "request_secret", "links"),
    impersonal("voice_skills", "token", "client_id", "secret_digest", "redirect_urls"),
    impersonal("stream_cursors", "stream", "cursor"),
    impersonal("credentials", "name", "encrypted"),
    impersonal("rate_budgets", "bucket"),
    impersonal("master_counts"),
    impersonal("outside_figures", "source", "currency"),
    impersonal("place_mappings", "place"),
    impersonal("listing_links", "external_key", "external_sku", "ids", "location", "told_places", "linked_by"),
    impersonal("item_links", "external_key", "external_sku", "ids", "linked_by"),
    impersonal("unlinked_listings", "external_key", "external_sku", "ids", "title", "description", "barcode",
               "attributes", "currency", "state", "reasons"),
    impersonal("drift_findings", "location"),
    impersonal("webhook_endpoints", "url", "dialect", "description", "topics", "secret", "previous_secret",
               "disabled_reason"),
    Table("own_letters", "(order_id = ANY (%(orders)s) OR request_id IN (SELECT id FROM order_requests"
          " WHERE customer_id = ANY (%(profiles)s)))", dict.fromkeys(OF_LETTER, EMPTY_TEXT), searched=OF_LETTER,
          none=("kind", "key", "language", "actor"), kept="That a letter was sent."),
    impersonal("mail_texts", "purpose", "language", "template", "subject", "text", "html"),
    impersonal("wished_stock"),
)  # fmt: skip
