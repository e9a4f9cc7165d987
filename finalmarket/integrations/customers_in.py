"""Customers come in: found by address, number or account, made when nobody is known by them, brought up to date."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from finalmarket.connectors.records import CustomerRecord
from finalmarket.customers import erased
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, e164, folded_email, resolve_many
from finalmarket.integrations.books import heard
from finalmarket.integrations.intake_map import account_of, source_of
from finalmarket.integrations.models import ChannelIntegration, ExternalId
from finalmarket.integrations.storing import Stored, each_alone
from finalmarket.integrations.talk.consents import NEWSLETTER, Ledger, Said
from finalmarket.integrations.talk.merges import suggest_merges
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.drafts import plain
from finalmarket.orders.versions import is_older

KIND = "customer"
OUR_PURPOSES = {"email": NEWSLETTER}
"""Purposes that platforms call otherwise than we do."""


def take_customers(integration: ChannelIntegration, records: Sequence[CustomerRecord]) -> list[Stored]:
    """Take these customers as the platform knows them; the caller is within `storing.intake`.

    A customer of the platform stays on the profile on which it arrived; another address that it has later is evidence.
    An older version changes nothing, and neither does what is said of somebody who was erased. What the platform does
    not say stays as it is; one that was deleted there stays known here (to erase a person is another matter).
    """
    names = [record.external_id for record in records]
    rows = ExternalId.objects.filter(integration=integration, kind=KIND, external_id__in=names)
    known = {row.external_id: row for row in rows}
    country = integration.sales_channel.country if integration.sales_channel else ""
    contacts = [_contact(integration, record) for record in records]
    found = resolve_many(contacts, country=country, source=source_of(integration.pk))
    people = dict(zip(names, found, strict=True)) | _where_they_arrived(known.values())
    gone = erased.among(people.values())
    there = [record for record in records if people[record.external_id] not in gone]
    ledger = Ledger({person for person in people.values() if person is not None})
    news = heard.listen(integration, [person for person in people.values() if person is not None])
    take = partial(_take, integration, known, people, country, ledger, news)
    stored = each_alone(integration, "customers", there, take)
    heard.hear(news)
    left_alone = [name for name in names if people[name] in gone]
    return stored + [Stored(name, "unchanged", "this person was erased") for name in left_alone]


def _where_they_arrived(rows: Collection[ExternalId]) -> dict[str, int | None]:
    """The profiles of customers who came before, as far as they are there."""
    profiles = {row.local_id for row in rows}
    there = set(OmnichannelCustomer.objects.filter(pk__in=profiles).values_list("pk", flat=True))
    return {row.external_id: row.local_id for row in rows if row.local_id in there}


def _contact(integration: ChannelIntegration, record: CustomerRecord) -> Contact:
    return Contact(
        name=record.name or record.address.name, email=record.email, phone=record.phone or record.address.phone,
        country=record.address.country, language=record.language,
        account=account_of(integration.pk, record.external_id),
    )  # fmt: skip


def _take(
    integration: ChannelIntegration, known: dict[str, ExternalId], people: dict[str, int | None], country: str,
    ledger: Ledger, news: heard.Listening | None, record: CustomerRecord,
) -> str:  # fmt: skip
    person = people[record.external_id]
    if person is None:
        raise UserError("the customer has neither an id nor an address that one could be known by")
    row = known.get(record.external_id)
    if row is not None and not is_older(row.version, record.version):
        return "unchanged"
    is_new = row is None
    row = row or ExternalId(integration=integration, kind=KIND, external_id=record.external_id)
    row.local_id, row.version = person, record.version
    row.save()
    known[record.external_id] = row
    changed = _bring_up_to_date(person, record, country, news)
    heard_until = news.heard_until(person) if news else None
    changed = _note_consents(integration, ledger, person, record, heard_until) or changed
    changed = suggest_merges(integration, person, record) or changed
    if is_new:
        return "created"
    return "updated" if changed else "unchanged"


def _bring_up_to_date(
    person: int, record: CustomerRecord, country: str, news: heard.Listening | None
) -> bool:  # fmt: skip
    """What the newest version says goes on the profile, unless it only repeats what the account was told; the address
    and number that a person is known by stay."""
    customer = OmnichannelCustomer.objects.select_for_update().get(pk=person)
    said = {"name": plain(record.name or record.address.name, 300), "language": plain(record.language, 12)}
    if news is not None:
        said = news.news(person, said)
    words = {
        "name": said.get("name") or customer.name,
        "language": said.get("language") or customer.language,
        "email": customer.email or folded_email(record.email),
        "phone": customer.phone or e164(record.phone or record.address.phone, record.address.country or country),
    }
    changed = [name for name, value in words.items() if getattr(customer, name) != value]
    for name in changed:
        setattr(customer, name, words[name])
    if changed:
        customer.save(update_fields=[*changed, "updated_at"])
    return bool(changed)


def _note_consents(
    integration: ChannelIntegration, ledger: Ledger, person: int, record: CustomerRecord,
    heard_until: datetime | None,
) -> bool:  # fmt: skip
    """Write what is new of what the platform shows they agreed to into the ledger, by purpose."""
    shown = {OUR_PURPOSES.get(purpose, plain(purpose, 50)): given for purpose, given in record.consents.items()}
    if record.accepts_email is not None:
        shown[NEWSLETTER] = record.accepts_email
    said = Said(integration.sales_channel_id, source_of(integration.pk), clock.now(), {"version": record.version})
    written = [
        ledger.hear(person, purpose, given, said, heard_until=heard_until)
        for purpose, given in sorted(shown.items())
        if purpose
    ]
    return any(written)
