"""The UNFOLD setting: name, colours, styles and the way through the console."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

Item = dict[str, Any]


def _page(title: Any, icon: str, name: str, permission: str, *also: str) -> Item:
    pages = {name, *also}
    return {"title": title, "icon": icon, "name": f"console:{name}", "pages": pages, "needs": permission}


def _records(title: Any, model: str) -> Item:
    room, name = model.split(".")
    return {"title": title, "name": f"admin:{room}_{name}_changelist", "needs": f"{room}.view_{name}"}


def _group(title: Any, *items: Item) -> Item:
    return {"title": title, "items": list(items)}


def _places_of(user: Any) -> frozenset[int] | None:
    """The stores that a user is bound to, as access/roles.py says."""
    from finalmarket.access import roles  # models, which are not there yet when the settings are read

    return roles.places_of(user)


def _unread(request: HttpRequest) -> int:
    from finalmarket.advice.notices import unread_count  # models, which are not there yet when the settings are read

    return unread_count(request.user)


WORK: Item = {
    "title": None,
    "items": [
        _page(_("Overview"), "monitoring", "overview", "orders.view_order"),
        _page(
            _("Notices"),
            "notifications",
            "notices",
            "stock.view_stockalert|integrations.view_channelintegration|analytics.view_channelanalytics",
        )
        | {"counts": _unread},
        _page(_("Figures"), "insights", "analytics", "analytics.view_channelanalytics"),
        _page(_("Orders"), "receipt_long", "orders", "orders.view_order", "order") | {"is_of_places": True},
        _page(_("Phone"), "call", "phone", "orders.add_order", "call"),
        _page(_("Mail orders"), "mail", "mail_requests", "orders.add_order", "mail_request", "open_mail_door"),
        _page(_("Stores"), "store", "stores", "orders.view_order", "store", "pick_list", "store_return")
        | {"is_of_places": True},
        _page(
            _("Customers"),
            "person",
            "customers",
            "customers.view_omnichannelcustomer|analytics.view_channelanalytics",
            "customer",
            "one_person",
            "merge_preview",
        ),
        _page(_("Advice"), "lightbulb", "advice", "advice.view_nextaction", "customer_advice"),
        _page(
            _("Segments"),
            "groups",
            "segments",
            "analytics.view_segment|analytics.view_channelanalytics",
            "segment",
            "preview_segment",
            "make_segment",
        ),
        _page(_("Stock"), "grid_on", "stock", "stock.view_channelinventory", "sku", "policy", "explain")
        | {"is_of_places": True},
        _page(_("Stock alerts"), "production_quantity_limits", "alerts", "stock.view_stockalert")
        | {"is_of_places": True},
        _page(_("Transfers"), "local_shipping", "transfers", "stock.view_transfer", "transfer", "draft_transfer")
        | {"is_of_places": True},
        _page(_("Stock takes"), "inventory", "counts", "stock.view_stockcount", "count") | {"is_of_places": True},
        _page(_("Stock advice"), "tips_and_updates", "stock_advice", "advice.view_stockadvice"),
        _page(_("Channels"), "storefront", "channels", "channels.view_saleschannel", "channel"),
        _page(_("Bulk edit"), "edit_note", "bulk", "channels.change_channelproduct"),
        _page(_("Files in and out"), "upload_file", "files", "channels.change_channelproduct", "work", "begin_work"),
        _page(
            _("Integrations"),
            "hub",
            "integrations",
            "integrations.view_channelintegration",
            "integration",
            "links",
            "dry_run",
        ),
        _page(
            _("Journeys"),
            "route",
            "journeys",
            "journeys.view_crosschanneljourney",
            "journey",
            "paths",
            "funnel",
            "abandonment",
        ),
        _page(_("Lost journeys"), "trending_down", "lost_journeys", "advice.view_loststep"),
        _page(_("Attribution"), "pie_chart", "attribution", "orders.view_order"),
        _page(_("Reports"), "summarize", "reports", "analytics.view_channelanalytics"),
        _page(_("One person?"), "join_inner", "merges", "customers.view_mergesuggestion"),
        _page(_("API keys"), "key", "api_keys", "access.change_apikey", "make_key", "rotate_key"),
        _page(
            _("Settings"),
            "settings",
            "settings",
            "auth.view_user|journeys.view_writekey|stock.change_channelinventory|analytics.view_merchant",
            "users",
            "invite_user",
            "change_user",
            "list_rules",
            "tracking_keys",
            "merchant",
        ),
        _page(_("Webhooks"), "webhook", "webhooks", "integrations.view_webhookendpoint", "webhook"),
    ],
}
RECORDS: list[Item] = [
    _group(
        _("Catalogue"),
        _records(_("Products"), "catalog.product"),
        _records(_("Variants"), "catalog.variant"),
        _records(_("Prices"), "catalog.variantprice"),
        _records(_("Bundle components"), "catalog.bundlecomponent"),
        _records(_("Pictures"), "catalog.productimage"),
        _records(_("Categories"), "catalog.category"),
    ),
    _group(
        _("Listings"),
        _records(_("Sales channels"), "channels.saleschannel"),
        _records(_("Listings"), "channels.channelproduct"),
        _records(_("Listing prices"), "channels.listingprice"),
        _records(_("Due changes"), "channels.duechange"),
    ),
    _group(
        _("Stock records"),
        _records(_("Locations"), "stock.stocklocation"),
        _records(_("Sources of channels"), "stock.channelsource"),
        _records(_("Channel inventories"), "stock.channelinventory"),
        _records(_("Pools"), "stock.stockpool"),
        _records(_("Items by location"), "stock.stockitem"),
        _records(_("Ledger"), "stock.stockmovement"),
        _records(_("Reservations"), "stock.reservation"),
        _records(_("Expected receipts"), "stock.expectedreceipt"),
        _records(_("Transfers"), "stock.transfer"),
        _records(_("Stock takes"), "stock.stockcount"),
        _records(_("Supply terms"), "advice.supplyterm"),
        _records(_("Forecasts of demand"), "advice.demandforecast"),
        _records(_("Alerts"), "stock.stockalert"),
    ),
    _group(
        _("Order records"),
        _records(_("Orders"), "orders.order"),
        _records(_("Payments"), "orders.payment"),
        _records(_("Fulfilments"), "orders.fulfilment"),
        _records(_("Returns"), "orders.return"),
        _records(_("Refunds"), "orders.refund"),
        _records(_("Pick ups"), "orders.pickup"),
        _records(_("Calls"), "orders.phonecall"),
        _records(_("Requests by mail"), "orders.orderrequest"),
        _records(_("Carts"), "orders.cart"),
        _records(_("Wishlists"), "orders.wishlist"),
        _records(_("Tax rates"), "orders.taxrate"),
        _records(_("Postcodes"), "orders.postcodepoint"),
    ),
    _group(
        _("Customers"),
        _records(_("Customers"), "customers.omnichannelcustomer"),
        _records(_("Identities"), "customers.customeridentity"),
        _records(_("Merges"), "customers.customermerge"),
        _records(_("Blocked identities"), "customers.blockedidentity"),
        _records(_("Limits of identities"), "customers.identitylimit"),
        _records(_("Shared identities"), "customers.sharedidentity"),
        _records(_("Changes of persons"), "customers.personchange"),
        _records(_("Preferences"), "customers.channelpreference"),
        _records(_("Consents"), "customers.consent"),
        _records(_("Journeys"), "journeys.crosschanneljourney"),
        _records(_("Interactions"), "journeys.channelinteraction"),
    ),
    _group(
        _("Figures and platforms"),
        _records(_("Daily figures"), "analytics.channelanalytics"),
        _records(_("Exchange rates"), "analytics.exchangerate"),
        _records(_("Merchant"), "analytics.merchant"),
        _records(_("Integrations"), "integrations.channelintegration"),
        _records(_("Words of mails"), "integrations.mailtext"),
        _records(_("Tickets"), "integrations.ticket"),
        _records(_("Labels"), "integrations.shippinglabel"),
        _records(_("Payment pages"), "integrations.paymentpage"),
        _records(_("Sync runs"), "integrations.syncrun"),
        _records(_("Dead letters"), "integrations.deadletter"),
        _records(_("Webhooks that came in"), "integrations.webhookdelivery"),
    ),
    _group(
        _("Accounts"),
        _records(_("Users"), "auth.user"),
        _records(_("Roles"), "auth.group"),
        _records(_("API keys"), "access.apikey"),
        _records(_("What programs did"), "access.auditentry"),
        _records(_("Jobs"), "procrastinate.procrastinatejob"),
    ),
]


def navigation(request: HttpRequest) -> list[Item]:
    """The way through the console for whoever asks: what they may see, the page they are on marked."""
    user: Any = request.user
    rights = None if user.is_superuser else frozenset(user.get_all_permissions())
    groups = []
    for group in _groups(get_language(), rights, _places_of(user) is not None):
        items = [_link(item, request) for item in group["items"]]
        groups.append({**group, "is_open": any(item["active"] for item in items), "items": items})
    return groups


@lru_cache(maxsize=64)
def _groups(language: str | None, rights: frozenset[str] | None, is_bound: bool) -> tuple[Item, ...]:
    """What whoever has these rights (None: all) may see, in their language; the same on every page."""
    groups = []
    for group in (WORK, *RECORDS):
        items = [_put_in_words(item) for item in group["items"] if _may_see(item, rights, is_bound)]
        if items:
            title = str(group["title"]) if group["title"] else None
            groups.append({"title": title, "collapsible": group is not WORK, "items": items})
    return tuple(groups)


def _may_see(item: Item, rights: frozenset[str] | None, is_bound: bool) -> bool:
    if is_bound and not item.get("is_of_places"):
        return False
    return rights is None or any(one in rights for one in item["needs"].split("|"))


def _put_in_words(item: Item) -> Item:
    return {**item, "title": str(item["title"]), "icon": item.get("icon"), "link": reverse(item["name"])}


def _link(item: Item, request: HttpRequest) -> Item:
    match = request.resolver_match
    if "pages" in item:
        is_here = match is not None and match.namespace == "console" and match.url_name in item["pages"]
    else:
        is_here = request.path.startswith(item["link"])
    count = item["counts"](request) if "counts" in item else 0
    return {**item, "active": is_here, "count": count}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "The Final Market",
    "SITE_HEADER": "The Final Market",
    "SITE_SUBHEADER": _("one stock, many channels"),
    "SITE_SYMBOL": "storefront",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("console/icon.svg")},
    ],
    "SITE_URL": reverse_lazy("console:overview"),
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "LOGIN": {"form": "finalmarket.console.log_in.LogIn"},
    "STYLES": [lambda request: static("console/console.css")],
    "SCRIPTS": [lambda request: static("console/console.js")],
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": navigation},
}
