"""What platforms pass on: that a person wants to be erased, or to see what is kept; that an account's copies must go.

A wish to be erased is carried out by the worker. What a person wants to see is made ready for somebody of the staff,
who sends it. Where the platform names nobody, it means all that came through an account that has ended.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from finalmarket.customers.models import CustomerIdentity, PrivacyRequest
from finalmarket.customers.persons import members
from finalmarket.integrations.intake_map import account_of, source_of
from finalmarket.integrations.models import ChannelIntegration, ExternalId
from finalmarket.integrations.privacy.erase import ask, waits_for
from finalmarket.kernel.jobs import enqueue

JOB = "integrations.privacy"
NOBODY = "nobody is known here by that name: nothing is kept of them"
CLEARED = (
    "UPDATE orders SET raw = '{}' WHERE source = %(source)s AND raw <> '{}'",
    """UPDATE webhook_deliveries SET body = ''::bytea, headers = '{}', url = '', outcome = 'cleared with the account',
       handled_at = coalesce(handled_at, now()) WHERE integration_id = %(integration)s AND id <> ALL (%(asking)s)""",
    """UPDATE dead_letters SET payload = '{}', reason = 'cleared with the account', external_id = '',
       settled_at = coalesce(settled_at, now()), settled_by = 'erasure' WHERE integration_id = %(integration)s""",
)


def erase(integration: ChannelIntegration, external_id: str, topic: str) -> str:
    """Have whom the account knows by that name erased; return what becomes of it, in words."""
    person = _person(integration, external_id)
    if person is None:
        return NOBODY
    request = ask(person, actor=f"platform:{integration.platform_name}", source=f"{source_of(integration.pk)} {topic}")
    enqueue(JOB, queueing_lock=JOB)
    orders = waits_for(request)
    return f"erasure {request.pk}: " + (f"waits for {orders}" if orders else "under way")


def show(integration: ChannelIntegration, external_id: str, topic: str) -> str:
    """Put before a person that somebody wants to see what is kept of them; return what becomes of it, in words."""
    person = _person(integration, external_id)
    if person is None:
        return NOBODY
    profiles, source = members(person), f"{source_of(integration.pk)} {topic}"[:100]
    request, _ = PrivacyRequest.objects.get_or_create(
        kind=PrivacyRequest.Kind.EXPORT, state=PrivacyRequest.State.READY, person_id=profiles[0], source=source,
        defaults={"profiles": profiles, "actor": f"platform:{integration.platform_name}"[:100]},
    )  # fmt: skip
    return f"export {request.pk}: to be sent by a person"


@transaction.atomic
def clear(integration: ChannelIntegration, asking: list[int]) -> str:
    """Empty the copies of what an ended account showed: raw orders, webhooks, letters. The books stay. `asking` are the
    deliveries that are worked on right now."""
    values: dict[str, Any] = {"integration": integration.pk, "source": source_of(integration.pk), "asking": asking}
    with connection.cursor() as cursor:
        for statement in CLEARED:
            cursor.execute(statement, values)
    return "the copies of what this account showed are gone"


def _person(integration: ChannelIntegration, external_id: str) -> int | None:
    if not external_id:
        return None
    named = ExternalId.objects.filter(integration=integration, kind="customer", external_id=external_id[:200])
    found: int | None = named.values_list("local_id", flat=True).first()
    if found is not None and members(found):
        return found
    seen = CustomerIdentity.objects.filter(kind="account", value=account_of(integration.pk, external_id))
    carrier: int | None = seen.order_by("-is_anchor", "customer_id").values_list("customer_id", flat=True).first()
    return carrier
