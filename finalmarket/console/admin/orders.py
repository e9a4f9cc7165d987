"""The order book. It is written by the verbs of its room; their buttons stand on the page of an order."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from finalmarket.console import finding
from finalmarket.console.admin.records import ReadOnlyAdmin, ReadOnlyTable, RecordAdmin, pilled
from finalmarket.console.people import OF_BUYERS, may_see_buyers
from finalmarket.orders.models import (
    Cart,
    CartLine,
    Fulfilment,
    FulfilmentLine,
    ImportedLine,
    Order,
    OrderEvent,
    OrderImport,
    OrderImportRefusal,
    OrderLine,
    OrderPromise,
    Payment,
    PostcodePoint,
    Refund,
    Return,
    ReturnLine,
    TaxRate,
    Wishlist,
)

TO_FOLLOW = ("tracking_number", "tracking_url")
"""Where a parcel can be followed, to the door of whoever bought."""


class LineTable(ReadOnlyTable):
    """The lines of an order."""

    model = OrderLine
    fields = (
        "position",
        "kind",
        "sku",
        "title",
        "quantity",
        "unit_price",
        "discount",
        "total",
        "fulfilled_quantity",
        "cancelled_quantity",
        "returned_quantity",
        "short_quantity",
    )


class PaymentTable(ReadOnlyTable):
    """The tenders of an order."""

    model = Payment


class FulfilmentTable(ReadOnlyTable):
    """The parcels of an order."""

    model = Fulfilment
    fields = ("location", "state", "carrier", "tracking_number", "reason", "shipped_at", "delivered_at")
    of_people = TO_FOLLOW
    show_change_link = True


class RefundTable(ReadOnlyTable):
    """Money given back for an order."""

    model = Refund
    fields = ("amount", "reason", "key", "at")
    of_people = ("reason",)


class EventTable(ReadOnlyTable):
    """What happened to an order, in words."""

    model = OrderEvent
    fields = ("at", "kind", "text", "actor")
    of_people = ("text",)
    ordering = ("id",)


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    """Every order with everything that is stored of it."""

    list_display = ("number", "sales_channel", "order_state", "payment", "total", "currency", "placed_at")
    list_select_related = ("sales_channel",)
    list_filter = ("sales_channel", "state")
    search_fields = ("number", "external_id", "email")
    search_help_text = "Number, external id, e-mail address or SKU"
    finds = finding.of_orders("pk")
    ordering = ("-placed_at", "-id")
    inlines = (LineTable, PaymentTable, FulfilmentTable, RefundTable, EventTable)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Who bought is shown to those alone who may see it."""
        return super().get_exclude(request, obj) if may_see_buyers(request.user) else (*OF_BUYERS, "customer")

    order_state = pilled("state")

    payment = pilled("payment_state")


class _OfOrder(ReadOnlyAdmin):
    list_select_related: ClassVar[tuple[str, ...]] = ("order",)
    search_fields = ("order__number",)
    search_help_text = "Order number, external id, e-mail address or SKU"
    finds = finding.of_orders("order")
    ordering = ("-id",)


@admin.register(OrderLine)
class OrderLineAdmin(_OfOrder):
    """Lines of orders."""

    list_display = ("order", "position", "kind", "sku", "quantity", "unit_price", "total", "short_quantity")


@admin.register(Payment)
class PaymentAdmin(_OfOrder):
    """Tenders of orders."""

    list_display = ("order", "tender", "state", "amount", "refunded", "currency", "at")


@admin.register(Refund)
class RefundAdmin(_OfOrder):
    """Money given back."""

    list_display = ("order", "amount", "reason", "at")
    of_people = ("reason",)


@admin.register(OrderEvent)
class EventAdmin(_OfOrder):
    """The history of orders."""

    list_display = ("order", "kind", "text", "actor", "at")
    of_people = ("text",)  # it repeats why something came back or was given up


@admin.register(OrderPromise)
class PromiseAdmin(ReadOnlyAdmin):
    """Which holds stand behind which order lines."""

    list_display = ("order_line", "reservation", "line", "variant", "per_unit")
    list_select_related = ("order_line", "reservation", "variant")
    search_fields = ("order_line__order__number",)
    search_help_text = "Order number, external id, e-mail address or SKU"
    finds = finding.of_orders("order_line__order")
    ordering = ("-id",)


class FulfilmentLineTable(ReadOnlyTable):
    """What is in a parcel."""

    model = FulfilmentLine


@admin.register(Fulfilment)
class FulfilmentAdmin(_OfOrder):
    """Parcels and hand-overs."""

    list_display = ("id", "order", "location", "fulfilment_state", "carrier", "tracking_number", "created_at")
    of_people = TO_FOLLOW
    list_select_related = ("order", "location")
    inlines = (FulfilmentLineTable,)

    fulfilment_state = pilled("state")


@admin.register(FulfilmentLine)
class FulfilmentLineAdmin(ReadOnlyAdmin):
    """What was in which parcel."""

    list_display = ("fulfilment", "order_line", "variant", "quantity")
    list_select_related = ("fulfilment__order", "order_line", "variant")
    search_fields = ("fulfilment__order__number",)
    search_help_text = "Order number, external id, e-mail address or SKU"
    finds = finding.of_orders("fulfilment__order")
    ordering = ("-id",)


class ReturnLineTable(ReadOnlyTable):
    """What came back, and what became of it."""

    model = ReturnLine


@admin.register(Return)
class ReturnAdmin(_OfOrder):
    """Goods that came back, and credits whose sale is not known."""

    list_display = ("key", "order", "sales_channel", "state", "is_linked", "reason", "at")
    of_people = ("reason",)
    list_select_related = ("order", "sales_channel")
    list_filter = ("sales_channel",)
    inlines = (ReturnLineTable,)


@admin.register(ReturnLine)
class ReturnLineAdmin(ReadOnlyAdmin):
    """Lines of returns."""

    list_display = ("return_record", "sku", "quantity", "disposition", "location", "refund")
    list_select_related = ("return_record", "location")
    search_fields = ("return_record__order__number",)
    search_help_text = "Order number, external id, e-mail address or SKU"
    finds = finding.of_orders("return_record__order")
    ordering = ("-id",)


class CartLineTable(ReadOnlyTable):
    """What lies in a cart."""

    model = CartLine


@admin.register(Cart)
class CartAdmin(ReadOnlyAdmin):
    """What customers have put together and not ordered yet."""

    list_display = ("token", "customer", "sales_channel", "order", "created_at", "updated_at")
    list_select_related = ("customer", "sales_channel", "order")
    list_filter = ("sales_channel",)
    search_fields = ("customer__name",)
    search_help_text = "Customer: name, e-mail address or phone number"
    finds = finding.of_persons("customer")
    ordering = ("-id",)
    inlines = (CartLineTable,)


@admin.register(CartLine)
class CartLineAdmin(ReadOnlyAdmin):
    """Lines of carts."""

    list_display = ("cart", "variant", "quantity", "unit_price", "currency", "changed_at")
    list_select_related = ("cart", "variant")
    search_fields = ("variant__sku",)
    search_help_text = "SKU, barcode or product title"
    finds = finding.within("variant", finding.variants)
    ordering = ("-id",)


@admin.register(Wishlist)
class WishlistAdmin(ReadOnlyAdmin):
    """What customers would like to have."""

    list_display = ("customer", "variant", "sales_channel", "added_at")
    list_select_related = ("customer", "variant", "sales_channel")
    search_fields = ("customer__name", "variant__sku")
    search_help_text = "Customer or SKU"
    finds = finding.either(finding.of_persons("customer"), finding.within("variant", finding.variants))
    ordering = ("-id",)


@admin.register(PostcodePoint)
class PostcodePointAdmin(RecordAdmin):
    """The operator's table of postcodes and coordinates, for routing by distance."""

    list_display = ("country", "prefix", "latitude", "longitude")
    list_filter = ("country",)
    search_fields = ("=country", "prefix")
    search_help_text = "Country or part of a postcode"
    ordering = ("country", "prefix")


@admin.register(TaxRate)
class TaxRateAdmin(RecordAdmin):
    """Tax rates by country and class, for orders that are entered here."""

    list_display = ("country", "tax_class", "rate")
    list_filter = ("country",)
    ordering = ("country", "tax_class")


class RefusalTable(ReadOnlyTable):
    """Rows of a file that were refused, and why."""

    model = OrderImportRefusal
    of_people = ("value",)


@admin.register(OrderImport)
class OrderImportAdmin(ReadOnlyAdmin):
    """Files of orders: how far they have come, and what was refused."""

    list_display = ("file_name", "sales_channel", "progress", "rows_done", "started_at", "finished_at")
    list_select_related = ("sales_channel",)
    search_fields = ("file_name",)
    ordering = ("-id",)
    inlines = (RefusalTable,)
    progress = pilled("state")


@admin.register(OrderImportRefusal)
class OrderImportRefusalAdmin(ReadOnlyAdmin):
    """Refused rows of all files."""

    list_display = ("order_import", "row", "column", "value", "reason")
    of_people = ("value",)  # of a buyer's column, too
    list_select_related = ("order_import",)
    ordering = ("-id",)


@admin.register(ImportedLine)
class ImportedLineAdmin(ReadOnlyAdmin):
    """Lines of files that became a cancellation or a change of stock."""

    list_display = ("external_id", "position", "sales_channel", "source")
    list_select_related = ("sales_channel",)
    ordering = ("-id",)
