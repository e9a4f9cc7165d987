"""Which mails that are meant to sell were sent to persons, for whoever advises to write to them: advice/next_action."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import connection

from finalmarket.customers.unified import Members, by_profile

SPAN = timedelta(days=30)
SENT = """
SELECT wish.customer_id, notice.sent_at
FROM wishlists wish CROSS JOIN channel_integrations account
JOIN due_notices notice ON notice.integration_id = account.id AND notice.kind = 'back_in_stock'
     AND notice.local_id = wish.id AND notice.state = 'sent' AND notice.sent_at > %(since)s
WHERE wish.customer_id = ANY (%(profiles)s::bigint[])
"""


def selling_mails(people: Members, now: datetime) -> dict[int, list[datetime]]:
    """Return when these persons were told, within 30 days, that what they wish for is there again; one query. What the
    contract demands (an order is confirmed, a parcel left) is not meant to sell."""
    person_of = by_profile(people)
    found: dict[int, list[datetime]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(SENT, {"profiles": list(person_of), "since": now - SPAN})
        for profile, at in cursor.fetchall():
            found[person_of[profile]].append(at)
    return found
