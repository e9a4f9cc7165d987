"""An account that sells already: its listings become ours, before anything of ours is told to it.

First `look_through` links what names one of our variants, and lists everything else. A person confirms guesses, ignores
what shall stay alone, or makes products of it. `dry_run` shows what telling would change; `start_pushing` begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from finalmarket.catalog.models import Product, Variant, VariantPrice
from finalmarket.channels.models import ChannelProduct, ListingPrice, SalesChannel
from finalmarket.connectors.contract import Connector, PullsListings, PullsStock
from finalmarket.connectors.errors import ConnectorError
from finalmarket.connectors.records import ListingRecord, ListingRef, Page
from finalmarket.integrations import breaker, runs
from finalmarket.integrations.accounts import open_connector
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.links import link_listing
from finalmarket.integrations.matching import Match, guess, named
from finalmarket.integrations.models import (
    ChannelIntegration,
    ItemLink,
    ListingLink,
    PlaceMapping,
    SyncRun,
    UnlinkedListing,
)
from finalmarket.integrations.storing import intake
from finalmarket.integrations.syncing import refuse_unless_active
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.orders.drafts import plain
from finalmarket.stock.models import ChannelInventory

STREAM = "listings"
State = UnlinkedListing.State


@dataclass(slots=True)
class Found:
    """What a look came to: listings seen, linked by SKU and by barcode, guessed, and those without a guess."""

    seen: int = 0
    by_sku: int = 0
    by_barcode: int = 0
    guessed: int = 0
    unknown: int = 0


def look_through(integration: ChannelIntegration) -> Found:
    """Go through all that the account sells; link what names one of our variants, and list the rest with a guess.

    It may be done again at any time: what is linked or ignored stays so. What an account without a sales channel holds
    are items, not listings (master/items.py). Raises UserError if the account is not active, cannot be looked through,
    or if the platform fails; what was found until then is kept.
    """
    refuse_unless_active(integration)
    if integration.sales_channel is None:
        from finalmarket.integrations.master import items  # which lists what it cannot link as we do

        return items.look_through(integration)
    with lane(integration.pk, f"pull {STREAM}") as held, closing(open_connector(integration)) as there:
        if held is None:
            raise UserError(f"{integration} is being looked through at this moment")
        if not isinstance(there, PullsListings):
            raise UserError(f"{there.name} cannot be asked what it sells; link by SKU when its orders come")
        run, found = runs.begin(integration, STREAM), Found()
        try:
            for page in there.pull_listings(""):
                _take_page(integration, there, page, found, run)
        except ConnectorError as error:
            breaker.note_failure(integration, error)
            runs.end(run, "failed", error.reason)
            raise UserError(f"{there.name} could not be looked through to the end: {error.reason}") from error
        runs.end(run, "done")
    return found


def channel_of(integration: ChannelIntegration) -> SalesChannel:
    """The channel whose listings the account tells. Raises UserError for an account of no channel."""
    if integration.sales_channel is None:
        raise UserError(f"{integration} has no sales channel: say first which channel its listings belong to")
    return integration.sales_channel


def _take_page(
    integration: ChannelIntegration, there: Any, page: Page[ListingRecord], found: Found, run: SyncRun
) -> None:
    known = set(
        ListingLink.objects.filter(
            integration=integration, external_key__in=[record.ref.key for record in page.records]
        ).values_list("external_key", flat=True)
    )
    fresh = [record for record in page.records if record.ref.key not in known]
    shown = shown_by(there, [record.ref for record in fresh])
    with intake(integration, STREAM):
        matches, doubts = named(without_ignored(integration, fresh))
        for record in fresh:
            match = matches.get(record.ref.key)
            doubt = doubts.get(record.ref.key, "")
            if match is not None:
                doubt = _link(integration, record, match, found)
            if match is None or doubt:
                list_unlinked(integration, record, doubt, shown.get(record.ref.key), found)
        found.seen += len(page.records)
        run.seen_count, run.changed_count = found.seen, found.by_sku + found.by_barcode
        run.save()
        failpoints.hit("adopt.before_commit")
    failpoints.hit("adopt.after_commit")


def without_ignored(integration: ChannelIntegration, records: Sequence[ListingRecord]) -> list[ListingRecord]:
    """Those of these listings that nobody said to leave alone: a variant whose name fits is no reason
    to link them."""
    seen = UnlinkedListing.objects.filter(integration=integration, state=State.IGNORED)
    keys = [record.ref.key for record in records]
    ignored = set(seen.filter(external_key__in=keys).values_list("external_key", flat=True))
    return [record for record in records if record.ref.key not in ignored]


def shown_by(there: Connector, refs: Sequence[ListingRef], location: str = "") -> dict[str, int]:
    """What the platform shows of these listings, by key; nothing where it cannot be asked."""
    shown: dict[str, int] = {}
    if not isinstance(there, PullsStock):
        return shown
    for start in range(0, len(refs), there.stock_read_limit):
        for record in there.pull_stock(refs[start : start + there.stock_read_limit], location):
            shown[record.key] = shown.get(record.key, 0) + record.quantity
    return shown


def _link(integration: ChannelIntegration, record: ListingRecord, match: Match, found: Found) -> str:
    """Link by name; return why it cannot be ("" when it was)."""
    variant = Variant.objects.select_related("product").get(pk=match.variant_id)
    try:
        _link_variant(integration, variant, record.ref, by=match.by, price=(record.price, record.currency))
    except UserError as error:
        return str(error)
    found.by_sku += match.by == "SKU"
    found.by_barcode += match.by == "barcode"
    UnlinkedListing.objects.filter(integration=integration, external_key=record.ref.key).update(state=State.LINKED)
    return ""


@transaction.atomic
def _link_variant(
    integration: ChannelIntegration, variant: Variant, ref: ListingRef, *, by: str, price: tuple[Decimal | None, str]
) -> ListingLink | ItemLink:
    """List the variant on the account's channel, if it is not, and link it. Raises UserError when either is taken."""
    if integration.sales_channel is None:
        from finalmarket.integrations.master import items

        return items.link(integration, variant, ref, by=by)
    channel = channel_of(integration)
    other = ListingLink.objects.filter(listing__sales_channel=channel, listing__variant=variant).first()
    if other is not None and other.external_key != ref.key:
        raise UserError(f"{variant.sku} is linked to {other.external_key} already")
    listing, is_new = ChannelProduct.objects.get_or_create(sales_channel=channel, variant=variant)
    if is_new:
        ChannelInventory.objects.get_or_create(sales_channel=channel, variant=variant)
        amount, currency = price
        if amount is not None and currency == channel.currency and variant.price_in(currency) is None:
            ListingPrice.objects.create(listing=listing, currency=currency, amount=amount)
    return link_listing(integration, listing, ref, location=location_of(integration), linked_by=by)


def location_of(integration: ChannelIntegration) -> str:
    """The platform's location of the stock, where exactly one is mapped to one of ours; "" leaves it to it."""
    mapped = PlaceMapping.objects.filter(integration=integration, stock_location__isnull=False).exclude(place="")
    places = list(mapped.values_list("place", flat=True)[:2])
    return places[0] if len(places) == 1 else ""


def list_unlinked(
    integration: ChannelIntegration, record: ListingRecord, doubt: str, shown: int | None, found: Found
) -> None:
    """Keep what is no listing of ours, with what it says of itself and our best guess; what a person decided stays."""
    best = guess(record)
    found.guessed += best is not None
    found.unknown += best is None
    reasons = [doubt] if doubt else []
    UnlinkedListing.objects.update_or_create(
        integration=integration, external_key=record.ref.key,
        defaults={
            "external_sku": plain(record.ref.sku, 200), "ids": dict(record.ref.ids), "title": plain(record.title, 500),
            "description": plain(record.description, 20_000), "barcode": plain(record.barcode, 50),
            "attributes": dict(record.attributes), "price": record.price, "currency": record.currency[:3],
            "shown_quantity": shown, "suggested_variant_id": best.variant_id if best else None,
            "score": Decimal(str(best.score.value)) if best else None,
            "reasons": reasons + (list(best.score.reasons) if best else []),
        },
    )  # fmt: skip


@failpoints.around("adopt.link")
@transaction.atomic
def link(unlinked_id: int, variant: Variant | None = None, *, actor: str) -> ListingLink | ItemLink:
    """Say that a listing is this variant (by default the suggested one). Raises UserError when there is none, and when
    the variant or the listing is linked to another."""
    unlinked = _locked(unlinked_id)
    chosen = variant or unlinked.suggested_variant
    if chosen is None:
        raise UserError(f"{unlinked} has no suggestion; say which variant it is")
    price = (unlinked.price, unlinked.currency)
    made = _link_variant(unlinked.integration, chosen, _ref(unlinked), by=actor, price=price)
    _set_state(unlinked, State.LINKED)
    return made


@failpoints.around("adopt.ignore")
@transaction.atomic
def ignore(unlinked_id: int) -> UnlinkedListing:
    """Leave a listing alone: it is not ours to tell."""
    unlinked = _locked(unlinked_id)
    if unlinked.state == State.LINKED:
        raise UserError(f"{unlinked} is linked; unlink it first")
    return _set_state(unlinked, State.IGNORED)


@failpoints.around("adopt.create")
@transaction.atomic
def create_product_from(unlinked_id: int, *, actor: str) -> Variant:
    """Make a product of a listing that we do not have yet, with its SKU, price and words, and link it.

    Raises UserError when the SKU is one of ours, or the listing is linked.
    """
    unlinked = _locked(unlinked_id)
    if unlinked.state == State.LINKED:
        raise UserError(f"{unlinked} is linked already")
    sku = plain(unlinked.external_sku or unlinked.external_key, 100)
    if Variant.objects.filter(sku=sku).exists():
        raise UserError(f"there is a variant with the SKU {sku}; link the listing to it instead")
    title = " ".join(unlinked.title.split()) or sku
    slug = f"{slugify(title)[:200]}-{slugify(sku)[:40]}".strip("-") or f"listing-{unlinked.pk}"
    if Product.objects.filter(slug=slug).exists():
        slug = f"{slug[:230]}-{unlinked.pk}"
    product = Product.objects.create(
        title=title, slug=slug, description=unlinked.description,
        brand=plain(str(unlinked.attributes.get("brand", "")), 200), attributes=unlinked.attributes,
    )  # fmt: skip
    variant = Variant.objects.create(product=product, sku=sku, barcode=unlinked.barcode)
    if unlinked.price is not None and unlinked.currency:
        VariantPrice.objects.create(variant=variant, currency=unlinked.currency, amount=unlinked.price)
    _link_variant(unlinked.integration, variant, _ref(unlinked), by=actor, price=(None, ""))
    _set_state(unlinked, State.LINKED)
    return variant


@failpoints.around("adopt.start")
def start_pushing(integration: ChannelIntegration) -> None:
    """From this moment on the platform is told what changes here, beginning with what differs now."""
    refuse_unless_active(integration)
    integration.push_from = integration.push_from or clock.now()
    integration.save(update_fields=["push_from", "updated_at"])


def open_listings(integration: ChannelIntegration) -> Iterable[UnlinkedListing]:
    """What stands on the platform and is neither linked nor ignored, the best guesses first."""
    waiting = UnlinkedListing.objects.filter(integration=integration, state=State.OPEN)
    return waiting.select_related("suggested_variant__product").order_by("-score", "pk")


def _locked(unlinked_id: int) -> UnlinkedListing:
    rows = UnlinkedListing.objects.select_for_update(of=("self",)).select_related(
        "integration__sales_channel", "suggested_variant"
    )
    unlinked: UnlinkedListing | None = rows.filter(pk=unlinked_id).first()
    if unlinked is None:
        raise UserError(f"there is no unlinked listing with number {unlinked_id}")
    return unlinked


def _set_state(unlinked: UnlinkedListing, state: UnlinkedListing.State) -> UnlinkedListing:
    unlinked.state = state
    unlinked.save(update_fields=["state"])
    return unlinked


def _ref(unlinked: UnlinkedListing) -> ListingRef:
    return ListingRef(key=unlinked.external_key, sku=unlinked.external_sku, ids=unlinked.ids)
