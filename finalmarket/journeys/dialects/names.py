"""What clients call events, and which of the sixteen interactions each is.

The first table is Segment's e-commerce specification (v2), all of its 28 events. Events of an order that the merchant
makes, not the customer (updated, refunded, cancelled), are no interactions: the order book knows them better. A name
that stands nowhere here is none of the sixteen by itself; what it becomes is decided per channel, in the console.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

NOTHING = ""
"""No interaction: known, and of no interest."""

ECOMMERCE: Mapping[str, str] = {
    "Products Searched": "search",
    "Product List Viewed": "page_view",
    "Product List Filtered": "search",
    "Promotion Viewed": "page_view",
    "Promotion Clicked": "page_view",
    "Product Clicked": "product_view",
    "Product Viewed": "product_view",
    "Product Added": "add_to_cart",
    "Product Removed": "remove_from_cart",
    "Cart Viewed": "page_view",
    "Checkout Started": "checkout_start",
    "Checkout Step Viewed": "checkout_start",
    "Checkout Step Completed": "checkout_start",
    "Payment Info Entered": "checkout_start",
    "Order Updated": NOTHING,
    "Order Completed": "checkout_complete",
    "Order Refunded": NOTHING,
    "Order Cancelled": NOTHING,
    "Coupon Entered": "page_view",
    "Coupon Applied": "page_view",
    "Coupon Denied": "page_view",
    "Coupon Removed": "page_view",
    "Product Added to Wishlist": "wishlist_add",
    "Product Removed from Wishlist": "page_view",
    "Wishlist Product Added to Cart": "add_to_cart",
    "Product Shared": "social_engagement",
    "Cart Shared": "social_engagement",
    "Product Reviewed": "review_submit",
}

OTHERS: Mapping[str, str] = {
    # Our own sixteen words.
    "page_view": "page_view", "product_view": "product_view", "search": "search", "add_to_cart": "add_to_cart",
    "remove_from_cart": "remove_from_cart", "checkout_start": "checkout_start",
    "checkout_complete": "checkout_complete", "cart_abandonment": "cart_abandonment", "wishlist_add": "wishlist_add",
    "review_submit": "review_submit", "customer_service": "customer_service", "email_open": "email_open",
    "email_click": "email_click", "social_engagement": "social_engagement", "store_visit": "store_visit",
    "phone_call": "phone_call",
    # Mail, service, stores and calls, as Segment's other specifications and most clients call them.
    "Email Opened": "email_open", "Email Link Clicked": "email_click", "Email Clicked": "email_click",
    "Live Chat Conversation Started": "customer_service", "Live Chat Message Sent": "customer_service",
    "Support Ticket Created": "customer_service", "Ticket Created": "customer_service",
    "Store Visited": "store_visit", "Store Entered": "store_visit", "Call Started": "phone_call",
    "Call Received": "phone_call", "Cart Abandoned": "cart_abandonment", "Checkout Completed": "checkout_complete",
    "Added to Cart": "add_to_cart", "Removed from Cart": "remove_from_cart", "Page Viewed": "page_view",
    "Screen Viewed": "page_view", "Viewed Product": "product_view", "Completed Order": "checkout_complete",
    # Google's words for the same.
    "view_item": "product_view", "select_item": "product_view", "view_item_list": "page_view",
    "view_search_results": "search", "view_promotion": "page_view", "select_promotion": "page_view",
    "view_cart": "page_view", "begin_checkout": "checkout_start", "add_shipping_info": "checkout_start",
    "add_payment_info": "checkout_start", "purchase": "checkout_complete", "refund": NOTHING,
    "add_to_wishlist": "wishlist_add", "share": "social_engagement",
    # What clients send of themselves.
    "$pageview": "page_view", "$screen": "page_view", "$pageleave": NOTHING, "$autocapture": NOTHING,
    "$web_vitals": NOTHING, "$rageclick": NOTHING, "$feature_flag_called": NOTHING, "$exception": NOTHING,
    "$opt_in": NOTHING, "$heatmap": NOTHING, "$$heatmap": NOTHING, "$snapshot": NOTHING, "$set": NOTHING,
    "$mp_web_page_view": "page_view", "session_start": NOTHING, "session_end": NOTHING,
    "Application Installed": NOTHING, "Application Opened": NOTHING, "Application Backgrounded": NOTHING,
    "Application Updated": NOTHING,
}  # fmt: skip

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PARTS = re.compile(r"[\s_\-.]+")


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """A name as it is compared: "productViewed", "product_viewed" and "Product Viewed" are one."""
    return _PARTS.sub(" ", _CAMEL.sub(" ", name.strip())).casefold()


_KNOWN = {folded(name): kind for name, kind in {**OTHERS, **ECOMMERCE}.items()}


@lru_cache(maxsize=4096)
def kind_of(name: str) -> str | None:
    """Which interaction an event of this name is, "" for none, None where the name says nothing to us."""
    return _KNOWN.get(folded(name))
