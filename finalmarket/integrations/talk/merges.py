"""Customers that a platform made one are suggested as one person here; nothing is joined without a person looking."""

from __future__ import annotations

from finalmarket.connectors.records import CustomerRecord
from finalmarket.customers.models import CustomerIdentity
from finalmarket.customers.suggestions import suggest
from finalmarket.integrations.intake_map import account_of, source_of
from finalmarket.integrations.models import ChannelIntegration, ExternalId


def suggest_merges(integration: ChannelIntegration, person: int, record: CustomerRecord) -> bool:
    """Suggest those whom the platform merged into this customer, as far as we know them; return whether any is new."""
    if not record.merged_ids:
        return False
    rows = ExternalId.objects.filter(integration=integration, kind="customer", external_id__in=record.merged_ids)
    others: set[tuple[str, int]] = set(rows.values_list("external_id", "local_id"))
    accounts = {account_of(integration.pk, name): name for name in record.merged_ids}
    known = CustomerIdentity.objects.filter(kind=CustomerIdentity.Kind.ACCOUNT, value__in=accounts)
    others |= {(accounts[value], other) for value, other in known.values_list("value", "customer_id")}
    source = source_of(integration.pk)
    new = [
        suggest(person, other, source=source, evidence={"kept": record.external_id, "merged": name})
        for name, other in sorted(others)
        if other != person
    ]
    return any(new)
