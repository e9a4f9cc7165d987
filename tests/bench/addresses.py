"""The pages of the console that are measured, and proved to need as many queries for many rows as for few."""

from __future__ import annotations

from django.urls import reverse

from finalmarket.analytics.models import Segment
from finalmarket.catalog.models import Category, Variant
from finalmarket.channels.models import SalesChannel
from finalmarket.orders.models import Order
from finalmarket.stock.models import StockLocation

RECORDS = (
    "catalog_product",
    "catalog_variant",
    "channels_channelproduct",
    "stock_channelinventory",
    "stock_stockitem",
    "stock_stockmovement",
    "orders_order",
    "orders_orderline",
    "orders_fulfilment",
    "orders_payment",
    "customers_omnichannelcustomer",
)


def addresses() -> dict[str, str]:
    """Return the addresses by name, about the SKUs and orders that the database holds."""
    return _lists() | _single_pages() | _records()


def _lists() -> dict[str, str]:
    orders, stock, alerts, customers = (
        reverse(f"console:{name}") for name in ("orders", "stock", "alerts", "customers")
    )
    channel = SalesChannel.objects.order_by("pk")[0].pk
    order = Order.objects.order_by("-pk")[Order.objects.count() // 2]
    variant = Variant.objects.order_by("sku")[Variant.objects.count() // 2]
    category = Category.objects.exclude(parent=None).order_by("pk")[0].pk
    place = StockLocation.objects.order_by("pk")[0].pk
    return {
        "frame": reverse("console:bulk"),
        "overview": reverse("console:overview"),
        "channels": reverse("console:channels"),
        "reports": reverse("console:reports"),
        "orders": orders,
        "orders_channel": f"{orders}?channel={channel}",
        "orders_state": f"{orders}?state=open",
        "orders_paid": f"{orders}?payment=paid",
        "orders_rare_payment": f"{orders}?payment=authorised",
        "orders_problem": f"{orders}?problem=on",
        "orders_combined": f"{orders}?channel={channel}&state=partly_fulfilled&payment=refunded",
        "orders_days": f"{orders}?since={order.placed_at:%Y-%m-%d}&until={order.placed_at:%Y-%m-%d}",
        "orders_by_number": f"{orders}?q={order.number}",
        "orders_by_beginning": f"{orders}?q={order.number[:6]}",
        "orders_by_email": f"{orders}?q={order.email}",
        "orders_by_sku": f"{orders}?q={variant.sku}",
        "stock": stock,
        "stock_by_sku": f"{stock}?q={variant.sku}",
        "stock_by_part": f"{stock}?q={variant.sku[-4:]}",
        "stock_by_title": f"{stock}?q=paisley+lantern",
        "stock_nothing_found": f"{stock}?q=no+such+thing",
        "stock_category": f"{stock}?category={category}",
        "stock_low": f"{stock}?status=low",
        "stock_out": f"{stock}?status=out",
        "stock_location": f"{stock}?location={place}",
        "stock_combined": f"{stock}?category={category}&status=any&location={place}",
        "customers": customers,
        "customers_segment": f"{customers}?segment=new",
        "customers_rare_segment": f"{customers}?segment=vip",
        "customers_by_email": f"{customers}?q={order.email}",
        "customers_by_order": f"{customers}?q={order.number}",
        "customers_by_name": f"{customers}?q=an",
        "stock_advice": reverse("console:stock_advice"),
        "lost_journeys": reverse("console:lost_journeys"),
        "notices": reverse("console:notices"),
        "alerts": alerts,
        "alerts_channel": f"{alerts}?channel={channel}",
        "alerts_level": f"{alerts}?level=short",
    }


def _single_pages() -> dict[str, str]:
    channel = SalesChannel.objects.order_by("pk")[0].pk
    best_seller = Variant.objects.order_by("pk")[0].pk
    order = Order.objects.order_by("pk")[0].pk
    buyer = Order.objects.exclude(customer=None).order_by("pk")[0].customer_id
    return {
        "channel": reverse("console:channel", args=[channel]),
        "channel_search": reverse("console:channel", args=[channel]) + "?q=lantern",
        "analytics": reverse("console:analytics"),
        "segments": reverse("console:segments"),
        "segment": reverse("console:segment", args=[Segment.objects.get(key="prospect").pk]),
        "analytics_channel": f"{reverse('console:analytics')}?channel={channel}",
        "analytics_beside": f"{reverse('console:analytics')}?channel={channel}&beside=before",
        "analytics_channels_beside": f"{reverse('console:analytics')}?channel={channel}&beside={channel + 1}",
        "sku": reverse("console:sku", args=[best_seller]),
        "explain": reverse("console:explain", args=[best_seller, channel]),
        "order": reverse("console:order", args=[order]),
        "customer": reverse("console:customer", args=[buyer]),
    }


def _records() -> dict[str, str]:
    channel = SalesChannel.objects.order_by("pk")[0].pk
    found = {}
    for model in RECORDS:
        found[f"records_{model}"] = reverse(f"admin:{model}_changelist")
    listings, orders = found["records_channels_channelproduct"], found["records_orders_order"]
    return found | {
        "records_listings_channel": f"{listings}?sales_channel__id__exact={channel}",
        "records_listings_off": f"{listings}?is_available__exact=0",
        "records_listings_failed": f"{listings}?sync_state__exact=failed",
        "records_listings_search": f"{listings}?q=paisley+lantern",
        "records_listings_page_150": f"{listings}?p=150",
        "records_orders_state": f"{orders}?state__exact=open",
        "records_orders_search": f"{orders}?q=FM-0001",
    }
