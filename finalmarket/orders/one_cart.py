"""The one cart of a person: what their carts on all devices and channels say together, and how it looks elsewhere.

A cart stays on the profile that put it together; what is shown is chosen on reading from all open carts of the person:

- All variants that any of them holds are in it. Of one variant the newest word counts, on whatever device it was said:
  its quantity, or that it was taken out. Quantities are not added up: who puts tea into the cart on the phone and again
  on the laptop, where it was not to be seen yet, wants one tea.
- What was said more than 90 days ago on another device does not follow any more; the cart on which it lies keeps it.
- Nothing is moved or overwritten. An unmerge leaves every cart with what was said in it.
- Who is one person is told from evidence, and anybody may bring evidence. So the carts that shoppers see by themselves
  (`is_own_only`) are one only with those of the same profile: of the address whose mail they have read.

Shops differ here: Adobe Commerce adds quantities up (mergeCarts), commercetools keeps the larger one
(MergeWithExistingCustomerCart); both move the lines, and cannot part them again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Q, QuerySet

from finalmarket.catalog.models import BundleComponent, Variant
from finalmarket.channels.models import ChannelProduct, SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.persons import members
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import money_words, quantize
from finalmarket.orders.models import Cart, CartLine
from finalmarket.stock.atp import Level, levels
from finalmarket.stock.models import Reservation, ReservationLine

CHECKED_OUT = "checked out"
FOLLOWS_FOR = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What counts of one variant: how many units, where and when that was said, and what one cost there then."""

    variant_id: int
    quantity: int
    cart_id: int
    channel_id: int
    channel: str
    price: Decimal | None
    currency: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """What is not as it was where the customer put it in the cart. `kind` is one of price, currency, no_price,
    not_sold, sold_out and few; `was` and `now` are amounts or units, in words `text`."""

    kind: str
    text: str
    was: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of a cart as a channel has it now. `price` is one unit's in the channel's currency, None without one;
    `left` is how many it can sell, those included that are held for this very cart."""

    wanted: Wanted
    sku: str
    title: str
    price: Decimal | None
    left: int
    differences: tuple[Difference, ...]

    @property
    def can_be_sold(self) -> bool:
        """Whether the channel sells as many as are wanted, at a price."""
        return not {one.kind for one in self.differences} & {"not_sold", "no_price", "sold_out", "few"}

    @property
    def most(self) -> int:
        """How many of the wanted units the channel can sell now, at a price."""
        sells = not {one.kind for one in self.differences} & {"not_sold", "no_price"}
        return max(0, min(self.wanted.quantity, self.left)) if sells else 0


@dataclass(frozen=True, slots=True)
class Opened:
    """The cart of a person, opened on a channel: prices and availability are that channel's, now."""

    channel: SalesChannel
    carts: tuple[Cart, ...]
    lines: tuple[Shown, ...]

    @property
    def total(self) -> Decimal:
        """What the lines cost that can be sold, in the channel's currency."""
        priced = ((line.wanted.quantity, line.price) for line in self.lines if line.can_be_sold)
        return sum((units * price for units, price in priced if price is not None), Decimal(0))

    @property
    def differences(self) -> list[tuple[str, Difference]]:
        """All that is different, by SKU."""
        return [(line.sku, difference) for line in self.lines for difference in line.differences]


def carried(lines: Iterable[CartLine], now: datetime, own: int | None = None) -> list[Wanted]:
    """Choose what counts of these lines (with `cart.sales_channel`); pure. They may come in any order. `own` is the
    cart that is looked at, whose lines count however old they are."""
    newest: dict[int, CartLine] = {}
    for line in lines:
        if line.cart_id != own and line.changed_at < now - FOLLOWS_FOR:
            continue
        known = newest.get(line.variant_id)
        if known is None or (known.changed_at, known.pk) < (line.changed_at, line.pk):
            newest[line.variant_id] = line
    return [
        Wanted(
            variant_id, line.quantity, line.cart_id, line.cart.sales_channel_id, line.cart.sales_channel.name,
            line.unit_price, line.currency, line.changed_at,
        )
        for variant_id, line in sorted(newest.items()) if line.quantity
    ]  # fmt: skip


def open_cart_of(customer_id: int, channel: SalesChannel) -> Opened:
    """Open the cart of the person of a profile on a channel. A constant number of queries; nothing is changed."""
    return _opened(carts_of([customer_id])[customer_id], channel, None)


def opened(cart: Cart) -> Opened:
    """Open a cart where it is, with all that follows its customer. A constant number of queries; nothing is changed."""
    return _opened(together(cart), cart.sales_channel, cart.pk)


def carts_of(customer_ids: Iterable[int]) -> dict[int, list[Cart]]:
    """Return the open carts of the persons of these profiles, with their lines, by the profile asked for."""
    asked = OmnichannelCustomer.objects.filter(pk__in=set(customer_ids)).values_list("pk", "merged_into_id")
    person_of = {pk: merged_into or pk for pk, merged_into in asked}
    persons = set(person_of.values())
    others = OmnichannelCustomer.objects.filter(merged_into__in=persons).values_list("pk", "merged_into_id")
    owner: dict[int | None, int] = {**{person: person for person in persons}, **dict(others)}
    found: dict[int, list[Cart]] = defaultdict(list)
    for cart in _with_lines(Cart.objects.exclude(reservation_key=CHECKED_OUT).filter(customer__in=list(owner))):
        found[owner[cart.customer_id]].append(cart)
    return {asked_for: found[person] for asked_for, person in person_of.items()}


def together(cart: Cart, *, locked: bool = False) -> list[Cart]:
    """Return the cart and the other open carts of its person (of its profile, where it `is_own_only`), in the order of
    their ids; `locked` until the end of the transaction."""
    mine = Q(pk=cart.pk)
    if cart.customer_id is not None:
        whose = [cart.customer_id] if cart.is_own_only else members(cart.customer_id)
        mine |= Q(customer__in=whose) & ~Q(reservation_key=CHECKED_OUT)
    rows = Cart.objects.filter(mine)
    return list(_with_lines(rows.select_for_update(of=("self",)) if locked else rows))


def _with_lines(rows: QuerySet[Cart]) -> QuerySet[Cart]:
    return rows.order_by("pk").select_related("sales_channel").prefetch_related("lines")


def wanted_in(carts: Sequence[Cart], own: int | None = None) -> list[Wanted]:
    """Return what counts in these carts of one person."""
    for cart in carts:
        for line in cart.lines.all():
            line.cart = cart  # its channel was read with it
    return carried([line for cart in carts for line in cart.lines.all()], clock.now(), own)


def listings_of(channel: SalesChannel, variant_ids: Iterable[int]) -> dict[int, ChannelProduct]:
    """Return the channel's listings of these variants with all that their prices need, by variant."""
    rows = ChannelProduct.objects.filter(sales_channel=channel, variant__in=list(variant_ids))
    found = rows.select_related("variant__product").prefetch_related("prices", "variant__prices")
    listings = {listing.variant_id: listing for listing in found}
    for listing in listings.values():
        listing.sales_channel = channel
    return listings


def not_sold(listing: ChannelProduct | None) -> str:
    """Say why the channel does not sell this now, "" if it does; its stock has no say in it."""
    if listing is None:
        return "is not listed"
    now = clock.now()
    if not listing.is_available or not listing.variant.is_on_sale:
        return "is not available"
    if listing.publish_from and listing.publish_from > now:
        return f"is not on sale before {listing.publish_from:%Y-%m-%d %H:%M}"
    if listing.publish_until and listing.publish_until <= now:
        return f"is not on sale since {listing.publish_until:%Y-%m-%d %H:%M}"
    return ""


def _opened(carts: Sequence[Cart], channel: SalesChannel, own: int | None) -> Opened:
    wanted = wanted_in(carts, own)
    ids = [one.variant_id for one in wanted]
    variants = Variant.objects.select_related("product").in_bulk(ids)
    listings = listings_of(channel, ids)
    known = levels(ids, [channel.pk]) if ids else {}
    held = _held_for(carts, channel, ids)
    lines = [
        _shown(
            one, variants[one.variant_id], channel, listings.get(one.variant_id), known[one.variant_id, channel.pk],
            held.get(one.variant_id, 0),
        )
        for one in wanted
    ]  # fmt: skip
    return Opened(channel, tuple(carts), tuple(lines))


def _held_for(carts: Sequence[Cart], channel: SalesChannel, variant_ids: Sequence[int]) -> dict[int, int]:
    """Units that are held on the channel for these very carts: they are not gone for their own customer. Of a bundle as
    many as its parts allow."""
    keys = [cart.reservation_key for cart in carts if cart.sales_channel_id == channel.pk and cart.reservation_key]
    if not keys:
        return {}
    holds = Reservation.objects.filter(key__in=keys, state=Reservation.State.HELD, expires_at__gt=clock.now())
    rows = ReservationLine.objects.filter(reservation__in=holds).values_list("variant_id", "quantity")
    held: dict[int, int] = defaultdict(int)
    for variant_id, quantity in rows:
        held[variant_id] += quantity
    bundles: dict[int, list[int]] = defaultdict(list)
    for part in BundleComponent.objects.filter(bundle__in=variant_ids):
        bundles[part.bundle_id].append(held[part.component_id] // part.quantity)
    return held | {bundle: min(counts) for bundle, counts in bundles.items()}


def _shown(
    wanted: Wanted, variant: Variant, channel: SalesChannel, listing: ChannelProduct | None, level: Level, held: int
) -> Shown:
    price = listing.price() if listing else None
    found = [*_price_differences(wanted, channel, price), *_stock_differences(wanted, level, held)]
    reason = not_sold(listing)
    if reason:
        found = [Difference("not_sold", f"{reason} on {channel.name}")]
    elif price is None:
        found = [Difference("no_price", f"has no price in {channel.currency} on {channel.name}")]
    return Shown(wanted, variant.sku, str(variant.product), price, level.offered + held, tuple(found))


def _price_differences(wanted: Wanted, channel: SalesChannel, price: Decimal | None) -> list[Difference]:
    if wanted.price is None or price is None:
        return []
    was, now = f"{wanted.price.normalize():f} {wanted.currency}", f"{price.normalize():f} {channel.currency}"
    if wanted.currency != channel.currency:
        return [Difference("currency", f"cost {was} on {wanted.channel}, is sold for {now} here", was, now)]
    if wanted.price != price:
        return [Difference("price", f"the price changed from {was} to {now}", was, now)]
    return []


def _stock_differences(wanted: Wanted, level: Level, held: int) -> list[Difference]:
    left = level.offered + held
    if left >= wanted.quantity:
        return []
    if level.reason:
        return [Difference("not_sold", f"cannot be bought here: {level.reason}")]
    units = str(wanted.quantity)
    if left <= 0:
        return [Difference("sold_out", "is sold out", units, "0")]
    return [Difference("few", f"only {left} left", units, str(left))]


def sold_lines(channel: SalesChannel, wanted: Mapping[int, int]) -> tuple[dict[int, Decimal], list[str]]:
    """Return the prices of what the channel sells of these variants now, and what it does not sell, in words."""
    return sold_of(listings_of(channel, wanted), channel, wanted)


def agreed_cost(
    channel: SalesChannel, wanted: Mapping[int, int], agreed: Decimal | None, otherwise: str
) -> Decimal | None:  # fmt: skip
    """Return what so many units cost there now; None where not all of them are sold, which the order then says. Raises
    UserError, which ends with what to do `otherwise`, where somebody was told another total."""
    prices, faults = sold_lines(channel, wanted)
    if faults:
        return None
    cost = sum((prices[variant] * units for variant, units in wanted.items()), Decimal(0))
    if agreed is not None and cost != agreed:
        now, then = money_words(cost, channel.currency), quantize(agreed, channel.currency)
        raise UserError(f"the goods cost {now} now and not {then} {otherwise}")
    return cost


def sold_of(
    found: Mapping[int, ChannelProduct], channel: SalesChannel, wanted: Mapping[int, int]
) -> tuple[dict[int, Decimal], list[str]]:
    """`sold_lines` of listings that the caller has read."""
    prices: dict[int, Decimal] = {}
    reasons: dict[int, str] = {}
    for variant_id in sorted(wanted):
        listing = found.get(variant_id)
        reason = not_sold(listing)
        price = listing.price() if listing else None
        if price is None or reason:
            reasons[variant_id] = reason or f"has no price in {channel.currency}"
        else:
            prices[variant_id] = price
    skus = dict(Variant.objects.filter(pk__in=reasons).values_list("pk", "sku")) if reasons else {}
    return prices, [f"{skus[variant_id]} {reason}" for variant_id, reason in reasons.items()]
