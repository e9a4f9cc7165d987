"""Platforms that know somebody who is erased here are told to erase them, too.

What they call the person is written down, encrypted, before it is forgotten here, and in the same transaction as the
notice that tells it. It is dropped once they were told. Where an account cannot be told, a person is asked to: also
where it got the person's name with an order, a parcel, a ticket or a mail and has no customer that one could name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from django.db import connection

from finalmarket.connectors.contract import ErasesCustomers
from finalmarket.connectors.errors import ConnectorError, NeedsAttention, Rejected
from finalmarket.integrations.duties import does
from finalmarket.integrations.models import ChannelIntegration, DueNotice, NameElsewhere
from finalmarket.integrations.notice_words import NOTHING, Notice
from finalmarket.kernel import failpoints
from finalmarket.kernel.secrets import decrypt, encrypt

DUTY = "erasures"
FORBIDDEN = 403
CONNECTED = (
    ChannelIntegration.Status.ACTIVE, ChannelIntegration.Status.PAUSED, ChannelIntegration.Status.NEEDS_ATTENTION,
)  # fmt: skip
NAMES = """
SELECT integration_id, external_id FROM external_ids WHERE kind = 'customer' AND local_id = ANY (%(profiles)s)
UNION SELECT integration_id, external_id FROM due_records
WHERE what = 'customer' AND external_id <> '' AND local_id = ANY (%(profiles)s)
UNION SELECT account.id, substr(said.value, length(account.space) + 1)
FROM customer_identities said
JOIN (SELECT id, format('integration:%%s:', id) AS space FROM channel_integrations) account
    ON starts_with(said.value, account.space)
WHERE said.kind = 'account' AND said.customer_id = ANY (%(profiles)s)
ORDER BY 1, 2
"""
GIVEN = """
SELECT integration_id FROM due_records
WHERE (what = 'customer' AND local_id = ANY (%(profiles)s) OR what = 'order' AND local_id = ANY (%(orders)s))
  AND (is_doubtful OR attempts > 0 OR digest <> '' OR external_id <> '')
UNION SELECT integration_id FROM shipping_labels
WHERE state <> 'failed' AND fulfilment_id IN (SELECT id FROM fulfilments WHERE order_id = ANY (%(orders)s))
UNION SELECT integration_id FROM tickets WHERE external_id <> '' AND order_id = ANY (%(orders)s)
UNION SELECT integration_id FROM due_notices
WHERE (state IN ('sent', 'doubtful') OR state = 'due' AND attempts > 0) AND (
    kind = 'confirmation' AND local_id = ANY (%(orders)s)
    OR kind = 'dispatch' AND local_id IN (SELECT id FROM fulfilments WHERE order_id = ANY (%(orders)s))
    OR kind = 'ticket' AND local_id IN (SELECT id FROM tickets WHERE order_id = ANY (%(orders)s))
    OR kind = 'letter' AND local_id IN (SELECT id FROM own_letters WHERE order_id = ANY (%(orders)s)
        OR request_id IN (SELECT id FROM order_requests WHERE customer_id = ANY (%(profiles)s)))
    OR kind = 'back_in_stock' AND local_id IN (SELECT id FROM wishlists WHERE customer_id = ANY (%(profiles)s)))
"""
"""The accounts that were told of the person, or may have been: what is in doubt counts."""
DROP = """
DELETE FROM names_elsewhere name
WHERE NOT EXISTS (SELECT FROM due_notices
                  WHERE kind = 'erasure' AND local_id = name.id AND state IN ('due', 'doubtful'))
  AND NOT EXISTS (SELECT FROM dead_letters WHERE integration_id = name.integration_id AND stream = 'notice_erasure'
                  AND external_id = 'erasure-' || name.id AND settled_at IS NULL)
"""


def tell_later(profiles: Sequence[int], orders: Sequence[int]) -> dict[str, list[str]]:
    """Have every account that knows the person, and that can erase them, told to. Return who is told (`told`), and whom
    a person has to tell (`known_at`). To be called in the transaction that erases, before the names are gone."""
    values = {"profiles": list(profiles), "orders": list(orders)}
    with connection.cursor() as cursor:
        cursor.execute(NAMES, values)
        names: list[tuple[int, str]] = cursor.fetchall()
        cursor.execute(GIVEN, values)
        given: list[int] = [integration_id for (integration_id,) in cursor.fetchall()]
    accounts = ChannelIntegration.objects.in_bulk({*given, *(integration_id for integration_id, _ in names)})
    telling = [(accounts[number], name) for number, name in names if is_told(accounts[number])]
    _tell_soon(telling)
    told = {account.pk for account, _ in telling}
    by_hand = {account.platform_name for account in accounts.values() if account.pk not in told}
    return {"told": sorted({account.platform_name for account, _ in telling}), "known_at": sorted(by_hand)}


def tell_of_late_name(account: ChannelIntegration, name: str) -> None:
    """Have an account erase somebody to whom it has just given that name: they were erased while it was told of them.
    Where it cannot be told, it stands in the request already. Within the caller's transaction."""
    if name and is_told(account):
        _tell_soon([(account, name)])


def _tell_soon(telling: Sequence[tuple[ChannelIntegration, str]]) -> None:
    rows = NameElsewhere.objects.bulk_create(
        [NameElsewhere(integration=account, encrypted=encrypt(name)) for account, name in telling]
    )
    DueNotice.objects.bulk_create(
        [
            DueNotice(
                integration_id=row.integration_id, kind=DueNotice.Kind.ERASURE, local_id=row.pk, key=f"erasure-{row.pk}"
            )
            for row in rows
        ]
    )


def is_told(account: ChannelIntegration) -> bool:
    """Whether an account is told of erasures: it is connected, is told things at all, and has the duty."""
    return account.status in CONNECTED and account.push_from is not None and does(account, DUTY)


class Erasures:
    """Notices that somebody is to be erased; `local_id` is the row with what the account calls them. Asked twice, it
    happens once: so a notice that is in doubt is just told again."""

    capability: ClassVar[type] = ErasesCustomers

    def find(self, connector: Any, notice: Notice) -> str | None:
        return None if _row(notice) else NOTHING

    def tell(self, connector: Any, notice: Notice) -> str:
        row = _row(notice)
        if row is None:
            return NOTHING
        name = decrypt(row.encrypted)
        try:
            connector.erase_customer(name)
        except NeedsAttention as error:
            if error.status != FORBIDDEN:
                raise _nameless(error, name) from None
            raise Rejected(f"the account may not erase customers there: {_nameless(error, name)}") from None
        except ConnectorError as error:
            raise _nameless(error, name) from None
        failpoints.hit("privacy.told")
        row.delete()
        return NOTHING

    def shows(self, connector: Any, notice: Notice) -> bool:
        return True


def _row(notice: Notice) -> NameElsewhere | None:
    return NameElsewhere.objects.filter(pk=notice.row.local_id).first()


def _nameless(error: ConnectorError, name: str) -> ConnectorError:
    """The error, without what it says of who was meant."""
    for written in (name, quote(name, safe="")):
        error.reason = error.reason.replace(written, "(somebody)")
    error.args = (error.reason, *error.args[1:])
    return error


def tidy() -> int:
    """Drop what accounts call people whose notices were refused, and whose letters somebody has closed; return how
    many were dropped."""
    with connection.cursor() as cursor:
        cursor.execute(DROP)
        return int(cursor.rowcount)
