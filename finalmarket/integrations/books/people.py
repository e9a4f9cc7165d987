"""People as platforms that keep books are to know them: read for many at once, by their canonical profiles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from finalmarket.analytics.segments import keys_of
from finalmarket.connectors.records import Address, CustomerContent
from finalmarket.customers.consents import NEWSLETTER, words_of
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.integrations.telling import from_json
from finalmarket.kernel.money import quantize
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).with_name("contents.sql"))
EMAIL = "email"
ADDRESS = tuple(field.name for field in fields(Address))
Row = tuple[Any, ...]


def rows(query: str, **values: Any) -> list[Row]:
    """The rows of a query of contents.sql."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES[query], values)
        return list(cursor.fetchall())


def contents_of(integration: ChannelIntegration, people: Sequence[int]) -> dict[int, CustomerContent]:
    """What the account is to know of these people: five queries, however many there are. The key is left empty."""
    consents, spending, names = words_of(people), _spending(people), names_of(integration, people)
    made = keys_of(people)
    found = {}
    for person, name, email, phone, language, segment, shipping, billing in rows("people", people=list(people)):
        address = address_of(billing) if any(from_json(billing or {}).values()) else address_of(shipping)
        said = dict(consents.get(person, {}))
        content = CustomerContent(
            key="", external_id=names.get(person, ""), name=name or address.name, email=email, phone=phone,
            language=language, address=address, accepts_email=said.get(NEWSLETTER),
            segments=(segment, *made.get(person, ())),
            consents={EMAIL if purpose == NEWSLETTER else purpose: given for purpose, given in sorted(said.items())},
        )  # fmt: skip
        found[person] = _with_spending(content, spending.get(person, []))
    return found


def withdrawn(content: CustomerContent) -> CustomerContent:
    """All that a mailing platform still has to know of somebody who does not want its mail any more."""
    return CustomerContent(
        key=content.key, external_id=content.external_id, email=content.email, accepts_email=False,
        consents={EMAIL: False},
    )  # fmt: skip


def names_of(integration: ChannelIntegration, people: Iterable[int]) -> dict[int, str]:
    """What the account calls these people, where it knows them; one query."""
    return dict(rows("names", integration=integration.pk, people=list(people)))


def address_of(stored: Any) -> Address:
    """An address as an order keeps it."""
    given = from_json(stored or {})
    return Address(**{name: str(given.get(name) or "") for name in ADDRESS})


def _spending(people: Sequence[int]) -> Mapping[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for person, *facts in rows("spending", people=list(people)):
        found[person].append(tuple(facts))
    return found


def _with_spending(content: CustomerContent, spending: Sequence[Row]) -> CustomerContent:
    """With what they bought: all orders counted, the amount in the currency of most of them."""
    if not spending:
        return content
    currency, _, spent, _ = spending[0]
    return replace(
        content, order_count=sum(count for _, count, _, _ in spending), currency=currency,
        spent=quantize(Decimal(spent), currency), last_order_at=max(last for *_, last in spending),
    )  # fmt: skip
