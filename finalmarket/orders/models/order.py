"""Orders, their lines and their payments."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from finalmarket.catalog.models import CURRENCY_CODE, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.orders.profile import OrderManager
from finalmarket.stock.models import Reservation

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from finalmarket.orders.models.aftersales import Fulfilment, Return


def amount_field(**options: Any) -> models.DecimalField[Any, Any]:
    """Return a column for an amount of the order's currency; four places, so that totals are rounded and not lines."""
    return models.DecimalField(max_digits=16, decimal_places=4, default=Decimal(0), db_default=Decimal(0), **options)


class Order(models.Model):
    """One order, wherever it was placed. `source` is "channel", or names the account that it came through.

    Exactly once: (source, external_id) is unique within the channel. The parts sum to `total` to the cent:
    goods - discount + shipping + fees + tip + tax (when tax is added and not included).
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        PARTLY_FULFILLED = "partly_fulfilled", "Partly fulfilled"
        FULFILLED = "fulfilled", "Fulfilled"
        CANCELLED = "cancelled", "Cancelled"

    class PaymentState(models.TextChoices):
        UNPAID = "unpaid", "Unpaid"
        AUTHORISED = "authorised", "Authorised"
        PARTLY_PAID = "partly_paid", "Partly paid"
        PAID = "paid", "Paid"
        PARTLY_REFUNDED = "partly_refunded", "Partly refunded"
        REFUNDED = "refunded", "Refunded"

    number = models.CharField(max_length=60, unique=True)
    sales_channel = models.ForeignKey(SalesChannel, on_delete=models.PROTECT, related_name="orders")
    source = models.CharField(max_length=60, default="channel")
    external_id = models.CharField(max_length=200)
    customer = models.ForeignKey(
        OmnichannelCustomer, null=True, blank=True, on_delete=models.PROTECT, related_name="orders"
    )
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    payment_state = models.CharField(max_length=16, choices=PaymentState, default=PaymentState.UNPAID)
    problem = models.CharField(max_length=500, blank=True, default="", help_text="Why it needs a person")
    currency = models.CharField(max_length=3, validators=[CURRENCY_CODE])
    placed_at = models.DateTimeField()
    cancelled_at = models.DateTimeField(null=True, blank=True)
    external_version = models.CharField(
        max_length=60, blank=True, default="", help_text="What the platform calls newest"
    )
    email = models.CharField(max_length=320, blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    shipping_address = models.JSONField(default=dict, blank=True)
    billing_address = models.JSONField(default=dict, blank=True)
    goods = amount_field()
    discount = amount_field()
    shipping = amount_field()
    fees = amount_field()
    tip = amount_field()
    tax = amount_field()
    tax_included = models.BooleanField(default=True, help_text="Tax is part of the prices and not added to them")
    total = amount_field()
    taken_off = amount_field(help_text="Off the goods and the total: what was not paid of units that are not kept")
    refunded = amount_field()
    surplus_refunded = amount_field(help_text="Of what was refunded: what had come in beyond what the order costs")
    raw = models.JSONField(default=dict, blank=True, help_text="As the platform gave it")
    reservation = models.ForeignKey(
        Reservation, null=True, blank=True, on_delete=models.PROTECT, related_name="orders", db_index=False
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[OrderManager] = OrderManager()
    lines: RelatedManager[OrderLine]
    payments: RelatedManager[Payment]
    fulfilments: RelatedManager[Fulfilment]
    returns: RelatedManager[Return]

    class Meta:
        db_table = "orders"
        ordering: ClassVar = ["-placed_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sales_channel", "source", "external_id"], name="orders_exactly_once"),
            models.CheckConstraint(
                condition=Q(
                    total=F("goods") - F("discount") + F("shipping") + F("fees") + F("tip")
                    + models.Case(models.When(tax_included=True, then=Decimal(0)), default=F("tax"))
                ),
                name="orders_parts_sum_to_total",
            ),
        ]  # fmt: skip
        indexes: ClassVar = [
            models.Index(fields=["-placed_at", "-id"], name="orders_newest"),
            models.Index(fields=["sales_channel", "-placed_at", "-id"], name="orders_channel_newest"),
            models.Index(fields=["customer", "-placed_at"], name="orders_customer_newest"),
            models.Index(fields=["state", "-placed_at", "-id"], name="orders_state_newest"),
            GinIndex(fields=["number"], name="orders_number_trgm", opclasses=["gin_trgm_ops"]),
            models.Index(fields=["email"], name="orders_email", condition=~Q(email="")),
            models.Index(fields=["-placed_at"], name="orders_problem", condition=~Q(problem="")),
            models.Index(  # most are paid; to find the others among them is what this one is for
                fields=["payment_state", "-placed_at", "-id"],
                name="orders_not_paid_newest",
                condition=~Q(payment_state="paid"),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """One line of an order. Its position within the order is its identity; amounts are the order's currency."""

    class Kind(models.TextChoices):
        GOODS = "goods", "Goods"
        SHIPPING = "shipping", "Shipping"
        FEE = "fee", "Fee"
        DISCOUNT = "discount", "Discount"
        ADJUSTMENT = "adjustment", "Adjustment"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", db_index=False)
    position = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.GOODS)
    variant = models.ForeignKey(
        Variant, null=True, blank=True, on_delete=models.PROTECT, related_name="order_lines", db_index=False
    )
    sku = models.CharField(max_length=100, blank=True, default="", help_text="As the channel named it")
    title = models.CharField(max_length=500, blank=True, default="")
    external_id = models.CharField(max_length=200, blank=True, default="")
    quantity = models.IntegerField()
    unit_price = amount_field()
    discount = amount_field()
    tax = amount_field()
    tax_rate = models.DecimalField(max_digits=7, decimal_places=5, null=True, blank=True)
    total = amount_field(help_text="quantity x unit price - discount")
    cancelled_quantity = models.IntegerField(default=0, db_default=0)
    fulfilled_quantity = models.IntegerField(default=0, db_default=0)
    returned_quantity = models.IntegerField(default=0, db_default=0)
    short_quantity = models.IntegerField(default=0, db_default=0, help_text="Sold, but not there to be shipped")

    class Meta:
        db_table = "order_lines"
        ordering: ClassVar = ["order", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "position"], name="order_lines_position"),
            models.CheckConstraint(
                condition=Q(cancelled_quantity__gte=0, fulfilled_quantity__gte=0, returned_quantity__gte=0)
                & Q(short_quantity__gte=0, returned_quantity__lte=F("fulfilled_quantity")),
                name="order_lines_counts",
            ),
            models.CheckConstraint(
                condition=~Q(kind="goods")
                | Q(quantity__gt=0, quantity__gte=F("cancelled_quantity") + F("fulfilled_quantity")),
                name="order_lines_goods",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["variant", "order"], name="order_lines_variant")]

    def __str__(self) -> str:
        return f"{self.quantity} x {self.sku or self.title}"


class Payment(models.Model):
    """One tender of an order: a card, cash, a gift card, a platform that pays out."""

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        AUTHORISED = "authorised", "Authorised"
        CAPTURED = "captured", "Captured"
        FAILED = "failed", "Failed"
        VOIDED = "voided", "Voided"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="payments")
    tender = models.CharField(max_length=30, help_text="card, cash, gift_card, invoice, platform, ...")
    state = models.CharField(max_length=12, choices=State, default=State.CAPTURED)
    amount = amount_field()
    refunded = amount_field()
    currency = models.CharField(max_length=3, validators=[CURRENCY_CODE])
    external_id = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "payments"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "tender", "external_id"], name="payments_exactly_once"),
            models.CheckConstraint(
                condition=Q(amount__gte=0, refunded__gte=0, refunded__lte=F("amount")), name="payments_refund_covered"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} by {self.tender}"
