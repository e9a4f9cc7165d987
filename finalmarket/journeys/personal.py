"""What journeys and the tracking API keep of people, and what becomes of it when somebody is erased."""

from finalmarket.kernel.personal import EMPTY_OBJECT, EMPTY_TEXT, Table, impersonal

MINE = "customer_id = ANY (%(profiles)s)"
OF_JOURNEY = "journey_id IN (SELECT id FROM cross_channel_journeys WHERE customer_id = ANY (%(profiles)s))"
FIGURES = "What was done where and when, under a number without a name: paths, funnels and figures stay as they were."

TABLES = (
    Table("journey_touchpoints", OF_JOURNEY, {"data": EMPTY_OBJECT}, none=("action",), kept=FIGURES),
    Table(
        "channel_interactions", MINE, {"context": EMPTY_OBJECT, "message_id": EMPTY_TEXT}, none=("interaction_type",),
        kept=FIGURES,
    ),
    Table(
        "cross_channel_journeys", MINE,
        {"reason": EMPTY_TEXT, "outcome": "CASE WHEN outcome ~ '^[a-z_]*$' THEN outcome ELSE '' END"},
        none=("intent", "state", "step", "currency"), kept=FIGURES,
    ),
    Table("journey_marks", MINE, is_deleted=True),
    Table("journey_changes", MINE, is_deleted=True),
    Table(
        "events_set_aside", "", {"payload": EMPTY_OBJECT, "reason": "'erased'", "message_id": EMPTY_TEXT},
        searched=("payload", "reason", "message_id"), none=("dialect",),
    ),
    impersonal("interaction_keys"),
    impersonal("message_digests_timed"),
    impersonal("write_keys", "key", "space", "created_by"),
    impersonal("event_names", "name", "becomes"),
)  # fmt: skip
