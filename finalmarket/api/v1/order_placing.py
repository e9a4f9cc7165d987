"""How an order is said: who buys what, at which prices, paid how; and the draft that the order book takes."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from pydantic import Field, model_validator

from finalmarket.api.door import caller_of, channel_of
from finalmarket.api.problems import Problem, fault
from finalmarket.api.v1.goods import MOST_SKU_CHARACTERS, check_locations, locations_seen
from finalmarket.api.v1.met import check_is_met
from finalmarket.api.v1.shapes import Moment, Money, Number, Said
from finalmarket.catalog.models import Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.orders.drafts import MOST_UNITS, Address, LineDraft, OrderDraft, TenderDraft
from finalmarket.orders.pricing import prices_for
from finalmarket.stock.models import Reservation

MOST_LINES = 500
Rate = Annotated[Decimal, Field(ge=0, lt=10, max_digits=6, decimal_places=5)]
Word = Annotated[str, Field(max_length=200)]


class AddressSaid(Said):
    """Where goods or invoices go. Coordinates are degrees (WGS 84), where they are known: routing goes by them."""

    name: str = Field("", max_length=300)
    company: str = Field("", max_length=300)
    street: str = Field("", max_length=300)
    street2: str = Field("", max_length=300)
    postcode: str = Field("", max_length=30)
    city: str = Field("", max_length=200)
    region: str = Field("", max_length=200)
    country: str = Field("", pattern="^([A-Z]{2})?$")
    phone: str = Field("", max_length=50)
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)


class LineSaid(Said):
    """One line. Goods name a SKU or a variant; without `unit_price` they cost what the channel's listing says. A
    discount line takes `discount` off the order."""

    kind: Literal["goods", "shipping", "fee", "discount", "adjustment"] = "goods"
    variant: Number | None = None
    sku: str = Field("", max_length=MOST_SKU_CHARACTERS)
    title: str = Field("", max_length=500)
    quantity: int = Field(1, ge=1, le=MOST_UNITS)
    unit_price: Decimal | None = Field(None, max_digits=14, decimal_places=4)
    discount: Money = Decimal(0)
    tax: Money | None = Field(None, description="Of the whole line; or say `tax_rate`")
    tax_rate: Rate | None = Field(None, description="0.19 is 19 per cent")
    external_id: Word = ""

    @model_validator(mode="after")
    def _names_goods(self) -> "LineSaid":
        if self.kind == "goods" and (self.variant is None) == (not self.sku):
            raise ValueError("goods need a variant or a sku, not both")
        return self


class TenderSaid(Said):
    """One payment: card, cash, gift_card, invoice, ...; `external_id` makes it count once."""

    tender: str = Field(min_length=1, max_length=30)
    amount: Money
    state: Literal["pending", "authorised", "captured"] = "captured"
    external_id: str = Field("1", min_length=1, max_length=200)


class OrderSaid(Said):
    """An order, the whole of it. `external_id` is your name of it: said again, it brings the same order up to date."""

    channel: Number
    external_id: Word = Field("", description="By default a name made of the Idempotency-Key")
    external_version: str = Field("", max_length=60, description="An older one never overwrites a newer one")
    number: str = Field("", max_length=60, description="By default the channel's next")
    currency: str = Field("", pattern="^([A-Z]{3})?$", description="By default the channel's")
    placed_at: Moment | None = Field(None, description="By default now; of a known order, what it has")
    lines: list[LineSaid] = Field(min_length=1, max_length=MOST_LINES)
    payments: list[TenderSaid] = Field(default_factory=list, max_length=50)
    customer: Number | None = Field(None, description="A profile; by default found by e-mail, phone, account, loyalty")
    name: str = Field("", max_length=300)
    email: str = Field("", max_length=320)
    phone: str = Field("", max_length=40)
    account: str = Field("", max_length=320)
    loyalty: str = Field("", max_length=320)
    language: str = Field("", max_length=12)
    shipping_address: AddressSaid | None = None
    billing_address: AddressSaid | None = None
    tax_included: bool = True
    tip: Money = Decimal(0)
    total: Money | None = Field(None, description="What was charged; refused where it is not the sum of the parts")
    reservation: Number | None = Field(None, description="A reservation of these goods, which the order takes over")
    location: Number | None = Field(None, description="Who serves it; by default routing decides")
    happened: bool | None = Field(None, description="It is a fact and cannot be refused: what is not there is short")
    handed_over: bool = Field(False, description="The goods have left already, at `location`")


def draft_of(request: HttpRequest, said: OrderSaid, name: str, where: str = "body") -> OrderDraft:
    """Return the draft of an order. Raises Problem for a channel, a customer, a place or a reservation that is not the
    caller's, UserError for goods without a price."""
    channel = channel_of(request, said.channel, f"{where}.channel")
    _check(request, said, where)
    currency = said.currency or channel.currency
    given = said.model_dump(
        include={
            "external_version", "number", "name", "email", "phone", "account", "loyalty", "language", "tax_included",
            "tip", "total", "happened", "handed_over",
        }
    )  # fmt: skip
    return OrderDraft(
        channel_id=channel.pk, external_id=said.external_id or name, currency=currency, placed_at=said.placed_at,
        lines=line_drafts(said.lines, channel, currency), tenders=tuple(_tender(one) for one in said.payments),
        customer_id=said.customer, shipping_address=_address(said.shipping_address),
        billing_address=_address(said.billing_address), reservation_id=said.reservation, location_id=said.location,
        **given,
    )  # fmt: skip


def line_drafts(lines: list[LineSaid], channel: SalesChannel, currency: str) -> tuple[LineDraft, ...]:
    """Return the lines of a draft; goods without a price cost what the channel's listing says.

    Raises UserError for goods that have none there.
    """
    unpriced = [line for line in lines if line.kind == "goods" and line.unit_price is None]
    known = {line.variant: line.variant for line in unpriced if line.variant is not None}
    skus = {line.sku for line in unpriced if line.variant is None}
    by_sku = dict(Variant.objects.filter(sku__in=skus).values_list("sku", "pk")) if skus else {}
    prices = prices_for(channel, [*known.values(), *by_sku.values()], currency) if unpriced else {}
    return tuple(
        LineDraft(
            **line.model_dump(exclude={"variant", "unit_price"}), variant_id=line.variant,
            unit_price=_price(line, prices, by_sku),
        )
        for line in lines
    )  # fmt: skip


def _price(line: LineSaid, prices: Any, by_sku: dict[str, int]) -> Decimal:
    if line.unit_price is not None or line.kind != "goods":
        return line.unit_price or Decimal(0)
    number = line.variant if line.variant is not None else by_sku.get(line.sku)
    price: Decimal = prices.get(number, Decimal(0))  # a SKU of nothing is named by the order book
    return price


def _check(request: HttpRequest, said: OrderSaid, where: str) -> None:
    if said.customer is not None:
        check_is_met(request, said.customer, f"{where}.customer")
        there = OmnichannelCustomer.objects.filter(pk=said.customer, erased_at=None).exists()
        if not there:
            what = f"there is no customer {said.customer}, or they were erased"
            raise fault(f"{where}.customer", what, "Look the customer up, or leave it out.")
    if said.location is not None:
        if said.handed_over or not caller_of(request).channels:
            check_locations(request, [said.location], f"{where}.location")
        elif not locations_seen(request).filter(pk=said.location).exists():
            raise Problem("not-allowed", f"{where}.location: the key is not for stock location {said.location}.")
    if said.reservation is not None:
        mine = Reservation.objects.filter(pk=said.reservation, sales_channel=said.channel)
        if not mine.exists():
            what = f"the channel has no reservation {said.reservation}"
            raise fault(f"{where}.reservation", what, "Leave it out: what is lacking is taken anew.")


def _tender(said: TenderSaid) -> TenderDraft:
    return TenderDraft(said.tender, said.amount, said.external_id, said.state)


def _address(said: AddressSaid | None) -> Address:
    return Address() if said is None else Address(**said.model_dump())
