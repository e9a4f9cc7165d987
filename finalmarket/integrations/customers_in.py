"""Customers come in: found by address, number or account, made when nobody is known by them, brought up to date."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from finalmarket.connectors.records import CustomerRecord
from finalmarket.customers.models import Consent, OmnichannelCustomer
from finalmarket.customers.resolve import Contact, e164, folded_email, resolve_many
from finalmarket.integrations.intake_map import account_of, source_of
from finalmarket.integrations.models import ChannelIntegration, ExternalId
from finalmarket.integrations.storing import Stored, each_alone
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders.drafts import plain
from finalmarket.orders.versions import is_older

KIND = "customer"
NEWSLETTER = "newsletter"


def take_customers(integration: ChannelIntegration, records: Sequence[CustomerRecord]) -> list[Stored]:
    """Take these customers as the platform knows them; the caller is within `storing.intake`.

    An older version changes nothing. What the platform does not say stays as it is; one that was deleted there stays
    known here (a request to erase a person is another matter).
    """
    names = [record.external_id for record in records]
    rows = ExternalId.objects.filter(integration=integration, kind=KIND, external_id__in=names)
    known = {row.external_id: row for row in rows}
    country = integration.sales_channel.country if integration.sales_channel else ""
    contacts = [_contact(integration, record) for record in records]
    people = dict(zip(names, resolve_many(contacts, country=country, source=source_of(integration.pk)), strict=True))
    return each_alone(integration, "customers", records, partial(_take, integration, known, people, country))


def _contact(integration: ChannelIntegration, record: CustomerRecord) -> Contact:
    return Contact(
        name=record.name or record.address.name, email=record.email, phone=record.phone or record.address.phone,
        country=record.address.country, language=record.language,
        account=account_of(integration.pk, record.external_id),
    )  # fmt: skip


def _take(
    integration: ChannelIntegration, known: dict[str, ExternalId], people: dict[str, int | None], country: str,
    record: CustomerRecord,
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
    changed = _bring_up_to_date(person, record, country)
    changed = _note_consent(integration, person, record) or changed
    if is_new:
        return "created"
    return "updated" if changed else "unchanged"


def _bring_up_to_date(person: int, record: CustomerRecord, country: str) -> bool:
    """What the newest version says goes on the profile; the address and number that a person is known by stay."""
    customer = OmnichannelCustomer.objects.select_for_update().get(pk=person)
    words = {
        "name": plain(record.name or record.address.name, 300) or customer.name,
        "language": plain(record.language, 12) or customer.language,
        "email": customer.email or folded_email(record.email),
        "phone": customer.phone or e164(record.phone or record.address.phone, record.address.country or country),
    }
    changed = [name for name, value in words.items() if getattr(customer, name) != value]
    for name in changed:
        setattr(customer, name, words[name])
    if changed:
        customer.save(update_fields=[*changed, "updated_at"])
    return bool(changed)


def _note_consent(integration: ChannelIntegration, person: int, record: CustomerRecord) -> bool:
    """Write a consent to the newsletter, or its end, into the ledger when the last entry says otherwise."""
    if record.accepts_email is None:
        return False
    channel = integration.sales_channel
    entries = Consent.objects.filter(customer=person, purpose=NEWSLETTER, sales_channel=channel)
    last = entries.order_by("-at", "-pk").values_list("is_granted", flat=True).first()
    if last is record.accepts_email or (last is None and not record.accepts_email):
        return False
    Consent.objects.create(
        customer_id=person, purpose=NEWSLETTER, sales_channel=channel, is_granted=record.accepts_email,
        source=source_of(integration.pk), proof={"version": record.version}, at=clock.now(),
    )  # fmt: skip
    return True
