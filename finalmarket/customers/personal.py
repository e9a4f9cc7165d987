"""What the customers' room keeps of people, and what becomes of it when somebody is erased."""

from finalmarket.customers.known_by import MAILBOX_SQL
from finalmarket.kernel.personal import EMPTY_OBJECT, EMPTY_TEXT, Table, impersonal

MINE = "customer_id = ANY (%(profiles)s)"
EITHER = "(first_id = ANY (%(profiles)s) OR second_id = ANY (%(profiles)s))"
MAILED_TO = " IN (SELECT value FROM customer_identities WHERE kind = 'email' AND customer_id = ANY (%(profiles)s))"

TABLES = (
    Table(
        "omnichannel_customers", "id = ANY (%(profiles)s)",
        {"name": EMPTY_TEXT, "email": EMPTY_TEXT, "phone": EMPTY_TEXT, "language": EMPTY_TEXT,
         "attributes": EMPTY_OBJECT, "user_id": "NULL"},
        none=("country", "segment"),
        kept="A number without a name, so that figures count the same buyers as before; the country, for tax.",
    ),
    Table("shared_identities",
          "(kind, value) IN (SELECT kind, value FROM customer_identities WHERE customer_id = ANY (%(profiles)s))",
          is_deleted=True, none=("kind", "value")),
    Table(
        "sign_in_codes", MAILBOX_SQL.format("address") + MAILED_TO,
        is_deleted=True, none=("address", "digest", "encrypted"),
    ),
    Table("customer_identities", MINE, is_deleted=True, none=("kind", "value", "source", "evidence")),
    Table("channel_preferences", MINE, is_deleted=True, none=("preferences", "said")),
    Table(
        "consents", MINE, {"proof": EMPTY_OBJECT, "source": EMPTY_TEXT}, none=("purpose",),
        kept="Purpose, yes or no, and moment, under a number without a name: that what was sent was agreed to.",
    ),
    Table(
        "customer_merges", EITHER, {"reason": EMPTY_TEXT}, searched=("reason",),
        none=("kind", "actor", "source", "undone_by"),
        kept="Which numbers are one buyer, and who of the staff said so.",
    ),
    Table("merge_suggestions", EITHER, is_deleted=True, none=("source", "evidence", "state", "decided_by")),
    Table(
        "blocked_identities", "", {"reason": EMPTY_TEXT}, searched=("reason",), none=("kind", "value", "actor"),
        kept="What the operator says of a value that is nobody's own, such as the address of a reception.",
    ),
    Table("person_marks", MINE),
    Table("person_changes", "customer_id = ANY (%(profiles)s)", none=("cause",)),
    Table(
        "privacy_requests", "person_id = ANY (%(profiles)s)",
        none=("kind", "state", "actor", "source", "outcome", "profiles"),
        kept="Who asked for an export or an erasure, when, and how many rows it took: the proof that it was done.",
    ),
    Table(
        "erased_identities", MINE, none=("digest",),
        kept="Digests under the secret of this installation, for three years: what comes late is known by them.",
    ),
    Table("shopper_sessions", MINE, is_deleted=True, none=("digest",)),
    impersonal("identity_limits", "kind"),
    impersonal("person_followers", "name"),
)  # fmt: skip
"""In the order in which they are erased: what is needed to find other rows goes last."""
