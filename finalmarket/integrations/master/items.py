"""The items of a platform that sells nothing itself: each becomes known as one of our variants, or is listed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from django.db import transaction

from finalmarket.catalog.models import Variant
from finalmarket.connectors.contract import PullsListings
from finalmarket.connectors.errors import ConnectorError
from finalmarket.connectors.records import ListingRecord, ListingRef
from finalmarket.integrations import adopt, breaker, runs
from finalmarket.integrations.accounts import open_connector
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.matching import Match, named
from finalmarket.integrations.models import ChannelIntegration, ItemLink, SyncRun, UnlinkedListing
from finalmarket.integrations.storing import intake
from finalmarket.kernel import failpoints
from finalmarket.kernel.errors import UserError


def look_through(integration: ChannelIntegration) -> adopt.Found:
    """Go through all items; link what names one of our variants, and list the rest with a guess.

    It may be done again at any time: what is linked or ignored stays so. Raises UserError if the account cannot be
    looked through, or if the platform fails; what was found until then is kept.
    """
    with lane(integration.pk, f"pull {adopt.STREAM}") as held, closing(open_connector(integration)) as there:
        if held is None:
            raise UserError(f"{integration} is being looked through at this moment")
        if not isinstance(there, PullsListings):
            raise UserError(f"{there.name} cannot be asked for its items")
        run, found = runs.begin(integration, adopt.STREAM), adopt.Found()
        try:
            for page in there.pull_listings(""):
                _take(integration, page.records, found, run)
        except ConnectorError as error:
            breaker.note_failure(integration, error)
            runs.end(run, "failed", error.reason)
            raise UserError(f"{there.name} could not be looked through to the end: {error.reason}") from error
        runs.end(run, "done")
    return found


def _take(integration: ChannelIntegration, records: Sequence[ListingRecord], found: adopt.Found, run: SyncRun) -> None:
    """One page, in one transaction."""
    keys = [record.ref.key for record in records]
    with failpoints.around("items.page"), intake(integration, adopt.STREAM):
        known = set(
            ItemLink.objects.filter(integration=integration, external_key__in=keys).values_list(
                "external_key", flat=True
            )
        )
        fresh = [record for record in records if record.ref.key not in known]
        matches, doubts = named(adopt.without_ignored(integration, fresh))
        taken = _taken(integration, matches)
        linked: list[ListingRecord] = []
        for record in fresh:
            match = matches.get(record.ref.key)
            other = taken.get(match.variant_id) if match else None
            if match is None or other is not None:
                doubt = doubts.get(record.ref.key, "") if other is None else f"its variant is the item {other} already"
                adopt.list_unlinked(integration, record, doubt, None, found)
                continue
            taken[match.variant_id] = record.ref.key
            linked.append(record)
            found.by_sku += match.by == "SKU"
            found.by_barcode += match.by == "barcode"
        _write(integration, linked, matches)
        found.seen += len(records)
        run.seen_count, run.changed_count = found.seen, found.by_sku + found.by_barcode
        run.save()


def _taken(integration: ChannelIntegration, matches: dict[str, Match]) -> dict[int, str]:
    """The items that these variants are already."""
    variants = {match.variant_id for match in matches.values()}
    rows = ItemLink.objects.filter(integration=integration, variant_id__in=variants)
    return dict(rows.values_list("variant_id", "external_key"))


def _write(integration: ChannelIntegration, records: Sequence[ListingRecord], matches: dict[str, Match]) -> None:
    ItemLink.objects.bulk_create(
        ItemLink(
            integration=integration, variant_id=matches[record.ref.key].variant_id, external_key=record.ref.key,
            external_sku=record.ref.sku[:200], ids=dict(record.ref.ids), linked_by=matches[record.ref.key].by,
        )
        for record in records
    )  # fmt: skip
    UnlinkedListing.objects.filter(
        integration=integration, external_key__in=[record.ref.key for record in records]
    ).update(state=UnlinkedListing.State.LINKED)


@transaction.atomic
def link(integration: ChannelIntegration, variant: Variant, ref: ListingRef, *, by: str) -> ItemLink:
    """Say that an item is this variant. Raises UserError when the variant is another item already."""
    other = ItemLink.objects.filter(integration=integration, variant=variant).exclude(external_key=ref.key).first()
    if other is not None:
        raise UserError(f"{variant.sku} is the item {other.external_key} already")
    made: ItemLink
    made, _ = ItemLink.objects.update_or_create(
        integration=integration, external_key=ref.key,
        defaults={"variant": variant, "external_sku": ref.sku[:200], "ids": dict(ref.ids), "linked_by": by},
    )  # fmt: skip
    return made


def ref_of(link: ItemLink) -> ListingRef:
    """What the platform calls an item."""
    return ListingRef(key=link.external_key, sku=link.external_sku, ids=link.ids)
