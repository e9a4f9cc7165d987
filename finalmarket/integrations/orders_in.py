"""Orders come in: each exactly once, whoever brings the news, on the channel and from the location that it belongs to.

A page is taken in one transaction. Locks are taken for all of its orders at once, and in the order of every verb: rows
of orders, identities of customers, pools of stock. So a page never waits in a circle with a shopper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import connection

from finalmarket.catalog.models import Variant
from finalmarket.channels.due import mark_due
from finalmarket.connectors.records import OrderRecord
from finalmarket.customers.resolve import Contact, resolve_many
from finalmarket.integrations import refund_echo, shipments
from finalmarket.integrations.intake_map import Seat, account_of, is_past, order_draft, source_of, with_customer
from finalmarket.integrations.models import ChannelIntegration, ExternalId, ListingLink, PlaceMapping
from finalmarket.integrations.notice_queries import happened, hear
from finalmarket.integrations.storing import FAILED, Stored, each_alone
from finalmarket.kernel.errors import UserError
from finalmarket.orders.composing import Variants, variants_of
from finalmarket.orders.drafts import OrderDraft, check, plain_data
from finalmarket.orders.held import holding
from finalmarket.orders.history import note
from finalmarket.orders.intake import Taken, bring_up_to_date, take
from finalmarket.orders.known import Known
from finalmarket.orders.models import Order
from finalmarket.orders.newcomers import is_plain, take_together
from finalmarket.orders.promises import lock_stock_of

KIND = "order"
ACTOR = "integration"


@dataclass(slots=True)
class Lookups:
    """What the orders of a page need to know, read once for all of them."""

    integration: ChannelIntegration
    places: dict[str, PlaceMapping]
    known: dict[str, tuple[int, int]]  # order and channel, by the platform's name of the order
    variants: dict[str, int]
    echoes: dict[str, set[str]]
    countries: dict[int, str] = field(default_factory=dict)

    def known_among(self, records: Sequence[OrderRecord]) -> list[int]:
        """Our orders among these, by their ids."""
        return sorted({self.known[one.external_id][0] for one in records if one.external_id in self.known})

    def seat(self, record: OrderRecord) -> Seat:
        """Where the order belongs: where it came in before, else what the mapping of its place says, else the account's
        own channel. Raises UserError for an order of no channel."""
        rest, place = self.places.get(""), self.places.get(record.place) if record.place else None
        there = self.places.get(record.location) if record.location else None
        by_place = (place and place.sales_channel_id) or (rest and rest.sales_channel_id)
        channel_id = by_place or self.integration.sales_channel_id
        if record.external_id in self.known:
            channel_id = self.known[record.external_id][1]
        if channel_id is None:
            raise UserError(
                f"order {record.external_id[:60]} belongs to no channel: map the place {record.place!r} of this "
                "account to one, or give the account a sales channel"
            )
        return Seat(
            channel_id,
            next((one.stock_location_id for one in (there, place, rest) if one and one.stock_location_id), None),
        )

    def location_of(self, place: str) -> int | None:
        """Our location behind one of the platform's, if it is mapped."""
        found = self.places.get(place) or self.places.get("")
        return found.stock_location_id if found else None


def take_orders(integration: ChannelIntegration, records: Sequence[OrderRecord]) -> list[Stored]:
    """Take these orders as the platform holds them; the caller is within `storing.intake`.

    Orders may come any number of times and in any order: an older version changes nothing. Test orders, and orders that
    were over before the account was connected, are left alone.
    """
    wanted = [record for record in records if not record.is_test]
    lookups = look_up(integration, wanted)
    fresh = [
        record
        for record in wanted
        if record.external_id in lookups.known or not is_past(record, integration.connected_at)
    ]
    known = Known.read(lookups.known_among(fresh))
    page = Page(lookups, known, _people(integration, fresh, lookups))
    variants = _lock_stock(fresh, lookups)
    Known.read_standings(known.values())
    before = happened(known)
    with holding(known, variants):
        stored = each_alone(integration, "orders", fresh, page.take, page.take_all)
    taken = {one.external_id: page.taken[one.external_id] for one in stored if one.outcome != FAILED}
    _remember(integration, taken)
    hear(integration, taken.values(), before)
    _tell_again([taken[one.external_id] for one in stored if one.outcome == "cancelled"])
    left_alone = {record.external_id for record in records} - {record.external_id for record in fresh}
    return stored + [
        Stored(name, "unchanged", "a test, or over before the account was connected") for name in sorted(left_alone)
    ]


@dataclass(slots=True)
class Page:
    """Orders that are taken in one transaction: `known` are those that are in the books, by our ids. `people` are the
    customers and `taken` our orders, both by the platform's id of the order."""

    lookups: Lookups
    known: dict[int, Known]
    people: Mapping[str, int | None]
    taken: dict[str, int] = field(default_factory=dict)

    def take_all(self, records: Sequence[OrderRecord]) -> list[str]:
        """Take them at once: first, one after the other, what is known or has a past, so that what it gives back is
        there for the others; then what is new and plain, in a few statements."""
        drafts = [self._draft(record) for record in records]
        variants = variants_of(line for draft in drafts for line in draft.lines)
        fresh: dict[str, int] = {}
        for number, (record, draft) in enumerate(zip(records, drafts, strict=True)):
            if record.external_id not in self.lookups.known and is_plain(draft):
                fresh.setdefault(record.external_id, number)
        outcomes: dict[int, str] = {}
        again = []
        for number, record in enumerate(records):
            if record.external_id not in fresh:
                outcomes[number] = self._bring_up_to_date(record, drafts[number], variants)
            elif fresh[record.external_id] != number:
                again.append(number)
        orders = take_together([drafts[number] for number in fresh.values()], actor=ACTOR, variants=variants)
        for number, order in zip(fresh.values(), orders, strict=True):
            outcomes[number] = self._follow(records[number], order)
        for number in again:
            outcomes[number] = self._bring_up_to_date(records[number], drafts[number], variants)
        return [outcomes[number] for number in range(len(records))]

    def _bring_up_to_date(self, record: OrderRecord, draft: OrderDraft, variants: Variants) -> str:
        pk, _ = self.lookups.known.get(record.external_id, (0, 0))
        known = self.known.pop(pk, None)  # its second version in one page is looked at anew
        if known is None or not known.is_meant_by(draft):
            return self._follow(record, take(draft, actor=ACTOR))
        check(draft)
        return self._follow(record, bring_up_to_date(known, draft, actor=ACTOR, variants=variants), known)

    def take(self, record: OrderRecord) -> str:
        """Take one of them for itself; what became of it."""
        return self._follow(record, take(self._draft(record), actor=ACTOR))

    def _draft(self, record: OrderRecord) -> OrderDraft:
        lookups = self.lookups
        draft = order_draft(
            record, integration_id=lookups.integration.pk, seat=lookups.seat(record), variants=lookups.variants,
            ours=lookups.echoes.get(record.external_id, ()),
        )  # fmt: skip
        return with_customer(draft, self.people.get(record.external_id))

    def _follow(self, record: OrderRecord, taken: Taken, known: Known | None = None) -> str:
        """What goes with an order that was taken; what became of it in all."""
        self.taken[record.external_id] = taken.order.pk
        _keep_raw(taken.order, record)
        if taken.outcome == "created" and record.unknown:
            note(taken.order, "unknown", f"words that are new to us: {', '.join(record.unknown)}", actor=ACTOR)
        known = known or Known(taken.order)
        moved = shipments.follow_parcels(known, record, self.lookups.location_of, actor=ACTOR)
        return "updated" if moved and taken.outcome == "unchanged" else taken.outcome


def look_up(integration: ChannelIntegration, records: Sequence[OrderRecord]) -> Lookups:
    """Read what the orders need, by a constant number of queries."""
    with connection.cursor() as cursor:
        cursor.execute(KNOWN_SQL, [integration.pk, KIND, [record.external_id for record in records]])
        known = {name: (order_id, channel_id) for name, order_id, channel_id in cursor.fetchall()}
    listings = {line.listing_id for record in records for line in record.lines if line.listing_id}
    links = ListingLink.objects.filter(integration=integration, external_key__in=listings)
    return Lookups(
        integration=integration,
        places={place.place: place for place in PlaceMapping.objects.filter(integration=integration)},
        known=known,
        variants=dict(links.values_list("external_key", "listing__variant_id")),
        echoes=refund_echo.echoes(integration, {name: order_id for name, (order_id, _) in known.items()}, records),
    )


KNOWN_SQL = """
    SELECT known.external_id, o.id, o.sales_channel_id FROM external_ids known JOIN orders o ON o.id = known.local_id
    WHERE known.integration_id = %s AND known.kind = %s AND known.external_id = ANY (%s)"""


def _people(integration: ChannelIntegration, records: Sequence[OrderRecord], lookups: Lookups) -> dict[str, int | None]:
    """The customers of the orders, found or made in one go."""
    contacts = [
        Contact(
            name=record.name or record.shipping_address.name or record.billing_address.name, email=record.email,
            phone=record.phone or record.shipping_address.phone,
            country=record.billing_address.country or record.shipping_address.country, language=record.language,
            account=account_of(integration.pk, record.customer_id), at=record.placed_at,
        )
        for record in records
    ]  # fmt: skip
    channel = integration.sales_channel
    found = resolve_many(
        contacts,
        country=channel.country if channel else "",
        source=channel.slug if channel else source_of(integration.pk),
    )
    return dict(zip([record.external_id for record in records], found, strict=True))


def _lock_stock(records: Sequence[OrderRecord], lookups: Lookups) -> set[int]:
    """Lock the pools of all goods of the page, and of what the known orders have already; return them."""
    lines = [line for record in records for line in record.lines]
    variants = set(
        Variant.objects.filter(sku__in={line.sku.strip() for line in lines if line.sku}).values_list("pk", flat=True)
    )
    variants |= {lookups.variants[line.listing_id] for line in lines if line.listing_id in lookups.variants}
    return lock_stock_of(lookups.known_among(records), variants)


def _tell_again(called_off: Sequence[int]) -> None:
    """Have the platform told once more what there is of the goods of these orders: it may have counted them off by
    itself, and of an order that comes in called off nothing moves here that would be told."""
    if not called_off:
        return
    with connection.cursor() as cursor:
        cursor.execute(GOODS_SQL, [list(called_off)])
        listings = [listing for (listing,) in cursor.fetchall()]
    mark_due("listings", listings, "stock")


GOODS_SQL = """
    SELECT listing.id FROM orders o JOIN order_lines line ON line.order_id = o.id
    JOIN channel_products listing ON listing.variant_id = line.variant_id
         AND listing.sales_channel_id = o.sales_channel_id
    WHERE o.id = ANY (%s)"""


def _remember(integration: ChannelIntegration, taken: Mapping[str, int]) -> None:
    """Note which of our orders is which of the platform's."""
    ExternalId.objects.bulk_create(
        [
            ExternalId(integration=integration, kind=KIND, external_id=name, local_id=order_id)
            for name, order_id in taken.items()
        ],
        ignore_conflicts=True,
    )


def _keep_raw(order: Order, record: OrderRecord) -> None:
    """The order keeps the newest version as the platform gave it, whichever came in first."""
    raw = plain_data(record.raw)
    if order.external_version == record.version and order.raw != raw:
        Order.objects.filter(pk=order.pk).update(raw=raw)


def order_of(integration: ChannelIntegration, external_id: str) -> int | None:
    """Our order behind one of the platform's, if it has come in."""
    rows: Mapping[str, int] = dict(
        ExternalId.objects.filter(integration=integration, kind=KIND, external_id=external_id).values_list(
            "external_id", "local_id"
        )
    )
    return rows.get(external_id)
