"""A waiting parcel in a carrier's words: who sends what to whom, how heavy it is, what customs ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal

from finalmarket.connectors.records import Address
from finalmarket.connectors.shipping import ParcelSize, Shipment, ShippedItem
from finalmarket.integrations.models import ChannelIntegration, ShippingLabel
from finalmarket.integrations.telling import key_of
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.money import quantize
from finalmarket.orders.aftersales import worth
from finalmarket.orders.models import Fulfilment, FulfilmentLine, Order
from finalmarket.orders.standing import contents
from finalmarket.stock.models import StockLocation

MOST_GRAMS = 1_000_000
MOST_MM = 20_000
NEEDED = ("street", "city", "country")
NAMES = tuple(field.name for field in fields(Address))


def read_parcel(fulfilment_id: int) -> Fulfilment:
    """A parcel with all that is asked of it here, in few queries. Raises UserError for one that there is not."""
    parcels = Fulfilment.objects.select_related("location", "order").prefetch_related(
        "lines__variant__product", "lines__order_line"
    )
    parcel = parcels.filter(pk=fulfilment_id).first()
    if parcel is None:
        raise UserError(f"there is no parcel with id {fulfilment_id}")
    return parcel


def key_of_label(integration: ChannelIntegration, parcel: Fulfilment) -> str:
    """Under which a label of this parcel is bought, once: another one only after the former was given back."""
    given_back = ShippingLabel.objects.filter(
        integration=integration, fulfilment=parcel, state=ShippingLabel.State.VOIDED
    ).count()
    return key_of(integration, "label", parcel.pk, given_back)


def size_of(parcel: Fulfilment) -> ParcelSize:
    """What the goods of a parcel weigh and, where it holds one piece, how large that is; 0 stands for what the
    catalogue does not know of all of them. Packaging comes on top."""
    lines = list(parcel.lines.all())
    weights = [line.variant.weight_grams for line in lines]
    grams = sum((line.variant.weight_grams or 0) * line.quantity for line in lines) if all(weights) else 0
    if sum(line.quantity for line in lines) != 1:
        return ParcelSize(weight_g=grams)
    (one,) = (line.variant for line in lines)
    return ParcelSize(
        weight_g=grams, length_mm=one.length_mm or 0, width_mm=one.width_mm or 0, height_mm=one.height_mm or 0
    )


def shipment_of(parcel: Fulfilment, key: str, size: ParcelSize | None) -> Shipment:
    """The parcel as it is to be sent; `size` is that of the packed box (None: as the catalogue knows the goods).

    Carriers get the receiver's e-mail address only where the parcel crosses a border, because customs may have to ask.
    Raises UserError where an address or the weight is lacking.
    """
    order, box = parcel.order, size or size_of(parcel)
    if not 0 < box.weight_g <= MOST_GRAMS:
        raise UserError(f"parcel {parcel.pk}: say what it weighs, in grams: the catalogue does not know")
    if not all(0 <= side <= MOST_MM for side in (box.length_mm, box.width_mm, box.height_mm)):
        raise UserError(f"parcel {parcel.pk}: no side is longer than {MOST_MM} millimetres")
    sender, receiver = sender_of(parcel.location), receiver_of(order)
    return Shipment(
        key=key, order_number=order.number, sender=sender, receiver=receiver, size=box, items=items_of(parcel),
        currency=order.currency, receiver_email=order.email if sender.country != receiver.country else "",
    )  # fmt: skip


def sender_of(location: StockLocation) -> Address:
    """The address of a location. Raises UserError where it is not complete."""
    address = Address(
        name=location.name, street=location.street, street2=location.street2, postcode=location.postcode,
        city=location.city, region=location.region, country=location.country, phone=location.phone,
    )  # fmt: skip
    return _complete(address, f"the location {location.name}")


def receiver_of(order: Order) -> Address:
    """The address that an order goes to, with the order's phone where it names none of its own: many carriers want one.
    Raises UserError where it is not complete."""
    stored: Mapping[str, object] = order.shipping_address
    address = Address(**{name: str(stored.get(name) or "") for name in NAMES})
    return _complete(replace(address, phone=address.phone or order.phone), "the order's shipping address")


def _complete(address: Address, whose: str) -> Address:
    missing = [name for name in NEEDED if not getattr(address, name).strip()]
    if missing:
        raise UserError(f"{whose} lacks its {', '.join(missing)}: no label can be made")
    return address


def items_of(parcel: Fulfilment) -> tuple[ShippedItem, ...]:
    """What lies in a parcel, piece by piece as customs see it."""
    lines = list(parcel.lines.all())
    values = _values(parcel, lines)
    return tuple(
        ShippedItem(
            sku=line.variant.sku, title=_title(line), quantity=line.quantity, unit_value=values[line.pk],
            weight_g=line.variant.weight_grams or 0, origin=line.variant.origin_country,
            hs_code=line.variant.hs_code,
        )
        for line in lines
    )  # fmt: skip


def _title(line: FulfilmentLine) -> str:
    is_part = line.variant_id != line.order_line.variant_id
    return line.variant.label if is_part or not line.order_line.title else line.order_line.title


def _values(parcel: Fulfilment, lines: list[FulfilmentLine]) -> dict[int, Decimal]:
    """What one piece of each line was sold for; a bundle's worth is shared equally by its pieces."""
    known = worth(parcel.order)
    recipes = contents([line.order_line for line in lines])
    values = {}
    for line in lines:
        whole = known.of({line.order_line_id: 1})
        pieces = sum(recipes.get(line.order_line_id, {}).values()) or 1
        values[line.pk] = quantize(whole / pieces, parcel.order.currency)
    return values
