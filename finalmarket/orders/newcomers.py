"""Many new orders at once: sales that happened elsewhere, taken by a number of statements that does not grow with them.

The same stands in the books as `intake.take` writes for each. What is not plain (see `is_plain`) is left to it, and so
is a page of which one order cannot be taken: then nothing of it was stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.db import connection, transaction

from finalmarket.channels.models import SalesChannel
from finalmarket.customers.resolve import resolve_many
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.orders import revising
from finalmarket.orders.composing import Variants, compose, variants_of
from finalmarket.orders.drafts import InvalidDraft, OrderDraft, check, plain_data
from finalmarket.orders.history import add_problem, event_of, problem_of, routed_words, taken_words
from finalmarket.orders.intake import Taken
from finalmarket.orders.models import (
    Fulfilment,
    FulfilmentLine,
    Order,
    OrderEvent,
    OrderLine,
    OrderPromise,
    Payment,
)
from finalmarket.orders.numbers import next_numbers
from finalmarket.orders.parcels import (
    Offer,
    after,
    destination_of,
    load_offers,
    lock_limited,
    move,
    places_for,
    points_for,
    promised_at,
    take_from,
    unplaced,
    where_promised,
)
from finalmarket.orders.promises import MOST_REQUEST_LINES, lock_stock_of, note_short, stand_on
from finalmarket.orders.routing import Case, Parcel, route
from finalmarket.orders.standing import Need, Standing
from finalmarket.orders.states import order_state, payment_state
from finalmarket.stock.models import ReservationLine
from finalmarket.stock.reserve import Mode, Request, reserve


@dataclass(slots=True)
class Newcomer:
    """An order on its way into the books, with all that is to be written of it."""

    draft: OrderDraft
    order: Order
    lines: list[OrderLine]
    standing: Standing
    wants: list[tuple[Need, int]] = field(default_factory=list)
    promises: list[OrderPromise] = field(default_factory=list)
    parcels: list[tuple[Parcel, dict[Need, int]]] = field(default_factory=list)
    events: list[OrderEvent] = field(default_factory=list)
    unrouted: str = ""

    def tenders(self) -> list[Payment]:
        """What the draft says was paid."""
        return [
            Payment(
                order=self.order, tender=tender.tender, amount=tender.amount, state=tender.state,
                currency=self.draft.currency, external_id=tender.external_id,
            )
            for tender in self.draft.tenders
        ]  # fmt: skip


def is_plain(draft: OrderDraft) -> bool:
    """Say whether a draft can be taken with others: a whole sale that happened, sound in itself, with nothing undone,
    nothing given back and nothing held for it before."""
    has_past = draft.is_cancelled or draft.handed_over or draft.refunds or draft.reservation_id is not None
    if has_past or draft.number or not draft.happened or len(draft.lines) > MOST_REQUEST_LINES:
        return False
    try:
        check(draft)
    except UserError:
        return False
    goods = [line for line in draft.lines if line.kind == "goods"]
    return not goods or any(line.quantity > line.cancelled_quantity for line in goods)


@transaction.atomic
def take_together(drafts: Sequence[OrderDraft], *, actor: str, variants: Variants | None = None) -> list[Taken]:
    """Take new orders that are plain; return them in the order of their drafts. `variants` are those that the drafts
    name, where the caller has read them.

    Raises whatever one of them does not stand for (UserError, IntegrityError for one that is known): then none is
    stored.
    """
    if not drafts:
        return []
    newcomers = _compose(drafts, variants)
    lock_stock_of(
        [], {line.variant_id for one in newcomers for line in one.standing.lines if line.variant_id is not None}
    )
    _promise(newcomers, actor)
    _route(newcomers, actor)
    for one in newcomers:
        _say_how_it_stands(one, actor)
    _write(newcomers)
    return [Taken(one.order, "created", one.order.problem) for one in newcomers]


def _compose(drafts: Sequence[OrderDraft], known: Variants | None) -> list[Newcomer]:
    channels = SalesChannel.objects.in_bulk({draft.channel_id for draft in drafts})
    numbers: dict[int, Iterator[str]] = {}
    for channel_id, channel in channels.items():
        numbers[channel_id] = iter(next_numbers(channel, sum(draft.channel_id == channel_id for draft in drafts)))
    missing = {draft.channel_id for draft in drafts} - channels.keys()
    if missing:
        raise InvalidDraft(f"there is no sales channel with id {min(missing)}")
    variants = variants_of(line for draft in drafts for line in draft.lines) if known is None else known
    ids = iter(_next_ids("orders", len(drafts)))
    newcomers = [
        _newcomer(draft, channels[draft.channel_id], next(ids), next(numbers[draft.channel_id]), variants)
        for draft in drafts
    ]
    line_ids = iter(_next_ids("order_lines", sum(len(one.lines) for one in newcomers)))
    for one in newcomers:
        for line in one.lines:
            line.pk = next(line_ids)
    _link_customers(newcomers, channels)
    return newcomers


def _newcomer(draft: OrderDraft, channel: SalesChannel, pk: int, number: str, variants: Variants) -> Newcomer:
    composed = compose(draft, channel, variants)
    order = Order(
        pk=pk, number=number, sales_channel=channel, source=draft.source, external_id=draft.external_id,
        customer_id=draft.customer_id, placed_at=draft.placed_at or clock.now(), raw=plain_data(draft.raw),
    )  # fmt: skip
    revising.write_header(order, draft, composed)
    for text in composed.problems:
        add_problem(order, text)
    for line in composed.lines:
        line.order = order
    goods = [line for line in composed.lines if line.kind == OrderLine.Kind.GOODS]
    return Newcomer(draft, order, composed.lines, Standing(order, goods, is_new=True))


def _next_ids(table: str, count: int) -> list[int]:
    """Ids that nothing else will get: what refers to a row can be made before the row is written."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return [pk for (pk,) in cursor.fetchall()]


def _link_customers(newcomers: Sequence[Newcomer], channels: dict[int, SalesChannel]) -> None:
    """Find whose orders they are, all in one go, whatever their channels: identities are locked in one order."""
    unknown = [one for one in newcomers if one.order.customer_id is None]
    contacts = []
    for one in unknown:
        contact, channel = revising.contact_of(one.draft), channels[one.draft.channel_id]
        contacts.append(replace(contact, country=contact.country or channel.country, source=channel.slug))
    for one, profile in zip(unknown, resolve_many(contacts) if contacts else [], strict=True):
        one.order.customer_id = profile


def _promise(newcomers: Sequence[Newcomer], actor: str) -> None:
    """Take the stock of all of them in their order; what is not there is short."""
    asking = []
    for one in newcomers:
        one.wants = sorted(one.standing.lacking().items())
        if one.wants:
            asking.append(one)
    verdicts = reserve([_request(one) for one in asking], actor=actor) if asking else []
    for one, verdict in zip(asking, verdicts, strict=True):
        if verdict.outcome != "granted" or verdict.reservation_id is None:
            raise UserError(f"{one.draft} was not taken: {verdict.reason or verdict.outcome}")
        one.order.reservation_id = verdict.reservation_id
    _read_promises(asking)


def _request(one: Newcomer) -> Request:
    return Request(
        key=f"order:{one.order.pk}:1", channel_id=one.draft.channel_id, mode=Mode.SALE,
        lines=tuple((variant_id, units) for (_, variant_id), units in one.wants), location_id=one.draft.location_id,
    )  # fmt: skip


def _read_promises(asking: Sequence[Newcomer]) -> None:
    """Read what was promised, and note which order line it stands behind."""
    taken: dict[int, list[ReservationLine]] = defaultdict(list)
    ours = ReservationLine.objects.filter(reservation__in=[one.order.reservation_id for one in asking])
    for held in ours.order_by("reservation", "position"):
        taken[held.reservation_id].append(held)
    for one in asking:
        mine = taken[one.order.reservation_id or 0]
        one.promises = stand_on(one.standing, dict(enumerate(one.wants)), mine, {})


def _route(newcomers: Sequence[Newcomer], actor: str) -> None:
    """Say what ships from where. Where the door said who serves an order, nothing is routed elsewhere."""
    offers: dict[int, list[Offer]] = {}
    if len({one.draft.channel_id for one in newcomers}) > 1:  # in one go: another page may have its channels crosswise
        lock_limited({held.need[1] for one in newcomers for held in one.standing.promises})
    points = points_for(one.order for one in newcomers)
    for one in newcomers:
        note_short(one.standing)
        waiting = dict(promised_at(one.standing.promises))
        channel_id = one.draft.channel_id
        if one.draft.location_id is not None:
            _pack(one, waiting, where_promised(waiting, "as the channel said"))
        elif waiting:
            if channel_id not in offers:
                offers[channel_id] = _offers(newcomers, channel_id)
            needs: dict[Need, int] = defaultdict(int)
            for (need, _), units in waiting.items():
                needs[need] += units
            places = places_for(waiting, offers[channel_id])
            plan = route(Case(needs, tuple(places), destination_of(one.order, points)))
            moves = move(waiting, plan.parcels, one.standing.promises, actor)
            _pack(one, after(waiting, moves), plan.parcels)
            if moves:
                offers.clear()  # what lies free where is read anew
        for offer in (offer for known in offers.values() for offer in known):
            offer.count_orders(offer.place.id in _places_of(one))


def _offers(newcomers: Sequence[Newcomer], channel_id: int) -> list[Offer]:
    """What the locations can give to the orders of a channel, those of the page counted that ship from there."""
    mine = [one for one in newcomers if one.draft.channel_id == channel_id]
    offers = load_offers(channel_id, sorted({held.need[1] for one in mine for held in one.standing.promises}))
    for offer in offers:
        offer.count_orders(sum(offer.place.id in _places_of(one) for one in newcomers))
    return offers


def _places_of(one: Newcomer) -> set[int]:
    return {parcel.place_id for parcel, _ in one.parcels}


def _pack(one: Newcomer, at_hand: dict[tuple[Need, int], int], parcels: Sequence[Parcel]) -> None:
    for parcel in parcels:
        units = take_from(at_hand, parcel)
        if units:
            one.parcels.append((parcel, units))
    one.unrouted = unplaced(one.standing.lines, at_hand)


def _say_how_it_stands(one: Newcomer, actor: str) -> None:
    order = one.order
    order.state = order_state(one.lines)
    order.payment_state = payment_state(order.total, one.tenders())
    order.problem = problem_of(order, one.lines, one.unrouted)
    for parcel, units in one.parcels:
        words = routed_words(sum(units.values()), parcel.reason)
        one.events.append(event_of(order, "routed", words, actor=actor))
    one.events.append(event_of(order, "taken", taken_words(order, len(one.standing.lines)), actor=actor))


def _write(newcomers: Sequence[Newcomer]) -> None:
    Order.objects.bulk_create([one.order for one in newcomers])
    OrderLine.objects.bulk_create([line for one in newcomers for line in one.lines])
    Payment.objects.bulk_create([tender for one in newcomers for tender in one.tenders()])
    OrderPromise.objects.bulk_create([promise for one in newcomers for promise in one.promises])
    parcels, packed = [], []
    for one in newcomers:
        for parcel, units_of in one.parcels:
            fulfilment = Fulfilment(order=one.order, location_id=parcel.place_id, reason=parcel.reason)
            parcels.append(fulfilment)
            packed += [
                FulfilmentLine(fulfilment=fulfilment, order_line_id=line_id, variant_id=variant_id, quantity=units)
                for (line_id, variant_id), units in units_of.items()
            ]
    Fulfilment.objects.bulk_create(parcels)
    FulfilmentLine.objects.bulk_create(packed)
    OrderEvent.objects.bulk_create([event for one in newcomers for event in one.events])
