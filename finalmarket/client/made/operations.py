"""Every call of the API, written by `make client` from the description of the API: change that, not this."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from finalmarket.client.calling import UNSAID, Caller, Operation, Said, new_idempotency_key
from finalmarket.client.made import shapes

LIST_LEVELS = Operation[shapes.Levels]("GET", "/api/v1/stock/levels", {200: shapes.Levels})
GET_LEVEL = Operation[shapes.Level]("GET", "/api/v1/stock/levels/{variant}", {200: shapes.Level})
EXPLAIN_LEVEL = Operation[shapes.Explained]("GET", "/api/v1/stock/levels/{variant}/explain", {200: shapes.Explained})
LIST_MOVEMENTS = Operation[shapes.Movements]("GET", "/api/v1/stock/levels/{variant}/movements", {200: shapes.Movements})
LIST_LOCATIONS = Operation[shapes.Locations]("GET", "/api/v1/stock/locations", {200: shapes.Locations})
OPEN_LOCATION = Operation[shapes.Location]("POST", "/api/v1/stock/locations", {201: shapes.Location})
GET_LOCATION = Operation[shapes.Location]("GET", "/api/v1/stock/locations/{location}", {200: shapes.Location})
CHANGE_LOCATION = Operation[shapes.Location]("PATCH", "/api/v1/stock/locations/{location}", {200: shapes.Location})
RESERVE_STOCK = Operation[shapes.Held]("POST", "/api/v1/stock/reservations", {201: shapes.Held})
RESERVE_STOCK_IN_BULK = Operation[shapes.AllHeld]("POST", "/api/v1/stock/reservations/bulk", {200: shapes.AllHeld})
GET_RESERVATION = Operation[shapes.Reservation](
    "GET", "/api/v1/stock/reservations/{reservation}", {200: shapes.Reservation}
)
CONFIRM_RESERVATION = Operation[shapes.Reservation](
    "POST", "/api/v1/stock/reservations/{reservation}/confirm", {200: shapes.Reservation}
)
RELEASE_RESERVATION = Operation[shapes.Reservation](
    "POST", "/api/v1/stock/reservations/{reservation}/release", {200: shapes.Reservation}
)
FULFIL_RESERVATION = Operation[shapes.Reservation](
    "POST", "/api/v1/stock/reservations/{reservation}/fulfil", {200: shapes.Reservation}
)
ADJUST_STOCK = Operation[shapes.Adjusted]("POST", "/api/v1/stock/adjustments", {200: shapes.Adjusted})
ADJUST_STOCK_IN_BULK = Operation[shapes.AllAdjusted](
    "POST", "/api/v1/stock/adjustments/bulk", {200: shapes.AllAdjusted}
)
RECEIVE_STOCK = Operation[shapes.Booked]("POST", "/api/v1/stock/receipts", {200: shapes.Booked})
ANNOUNCE_DELIVERY = Operation[shapes.Expected]("POST", "/api/v1/stock/expected", {201: shapes.Expected})
LIST_EXPECTED = Operation[shapes.AllExpected]("GET", "/api/v1/stock/expected", {200: shapes.AllExpected})
GET_EXPECTED = Operation[shapes.Expected]("GET", "/api/v1/stock/expected/{delivery}", {200: shapes.Expected})
RECEIVE_EXPECTED = Operation[shapes.Expected](
    "POST", "/api/v1/stock/expected/{delivery}/receive", {200: shapes.Expected}
)
POSTPONE_EXPECTED = Operation[shapes.Expected](
    "POST", "/api/v1/stock/expected/{delivery}/postpone", {200: shapes.Expected}
)
CANCEL_EXPECTED = Operation[shapes.Expected]("POST", "/api/v1/stock/expected/{delivery}/cancel", {200: shapes.Expected})
DRAFT_TRANSFER = Operation[shapes.Transfer]("POST", "/api/v1/stock/transfers", {201: shapes.Transfer})
LIST_TRANSFERS = Operation[shapes.Transfers]("GET", "/api/v1/stock/transfers", {200: shapes.Transfers})
GET_TRANSFER = Operation[shapes.Transfer]("GET", "/api/v1/stock/transfers/{transfer}", {200: shapes.Transfer})
SHIP_TRANSFER = Operation[shapes.Transfer]("POST", "/api/v1/stock/transfers/{transfer}/ship", {200: shapes.Transfer})
RECEIVE_TRANSFER = Operation[shapes.Transfer](
    "POST", "/api/v1/stock/transfers/{transfer}/receive", {200: shapes.Transfer}
)
CLOSE_TRANSFER = Operation[shapes.Transfer]("POST", "/api/v1/stock/transfers/{transfer}/close", {200: shapes.Transfer})
CANCEL_TRANSFER = Operation[shapes.Transfer](
    "POST", "/api/v1/stock/transfers/{transfer}/cancel", {200: shapes.Transfer}
)
START_COUNT = Operation[shapes.Count]("POST", "/api/v1/stock/counts", {201: shapes.Count})
LIST_COUNTS = Operation[shapes.Counts]("GET", "/api/v1/stock/counts", {200: shapes.Counts})
GET_COUNT = Operation[shapes.Count]("GET", "/api/v1/stock/counts/{count}", {200: shapes.Count})
LIST_COUNT_LINES = Operation[shapes.CountLines]("GET", "/api/v1/stock/counts/{count}/lines", {200: shapes.CountLines})
RECORD_COUNT = Operation[shapes.CountLines]("POST", "/api/v1/stock/counts/{count}/lines", {200: shapes.CountLines})
APPLY_COUNT = Operation[shapes.Count]("POST", "/api/v1/stock/counts/{count}/apply", {200: shapes.Count})
CANCEL_COUNT = Operation[shapes.Count]("POST", "/api/v1/stock/counts/{count}/cancel", {200: shapes.Count})
GET_POLICY = Operation[shapes.Policy]("GET", "/api/v1/stock/levels/{variant}/policies/{channel}", {200: shapes.Policy})
CHANGE_POLICY = Operation[shapes.Policy](
    "PATCH", "/api/v1/stock/levels/{variant}/policies/{channel}", {200: shapes.Policy}
)
KEEP_STOCK = Operation[shapes.Level]("PUT", "/api/v1/stock/levels/{variant}/keeping", {200: shapes.Level})
LIST_ORDERS = Operation[shapes.OrderPage]("GET", "/api/v1/orders", {200: shapes.OrderPage})
PLACE_ORDER = Operation[shapes.OrderShown]("POST", "/api/v1/orders", {200: shapes.OrderShown, 201: shapes.OrderShown})
PLACE_ORDERS_IN_BULK = Operation[shapes.AllTaken]("POST", "/api/v1/orders/bulk", {200: shapes.AllTaken})
GET_ORDER = Operation[shapes.OrderShown]("GET", "/api/v1/orders/{order}", {200: shapes.OrderShown})
LIST_ORDER_HISTORY = Operation[shapes.OrderEvents]("GET", "/api/v1/orders/{order}/history", {200: shapes.OrderEvents})
CANCEL_ORDER = Operation[shapes.OrderShown]("POST", "/api/v1/orders/{order}/cancel", {200: shapes.OrderShown})
NOTE_ON_ORDER = Operation[shapes.OrderShown]("POST", "/api/v1/orders/{order}/notes", {201: shapes.OrderShown})
ROUTE_ORDER = Operation[shapes.OrderShown]("POST", "/api/v1/orders/{order}/route", {200: shapes.OrderShown})
SETTLE_ORDER = Operation[shapes.OrderShown]("POST", "/api/v1/orders/{order}/settle", {200: shapes.OrderShown})
LIST_PARCELS = Operation[shapes.Parcels]("GET", "/api/v1/orders/{order}/parcels", {200: shapes.Parcels})
SHIP_PARCEL = Operation[shapes.OrderShown](
    "POST", "/api/v1/orders/{order}/parcels/{parcel}/ship", {200: shapes.OrderShown}
)
LABEL_PARCEL = Operation[shapes.OrderShown](
    "POST", "/api/v1/orders/{order}/parcels/{parcel}/label", {200: shapes.OrderShown}
)
DELIVER_PARCEL = Operation[shapes.OrderShown](
    "POST", "/api/v1/orders/{order}/parcels/{parcel}/deliver", {200: shapes.OrderShown}
)
REJECT_PARCEL = Operation[shapes.OrderShown](
    "POST", "/api/v1/orders/{order}/parcels/{parcel}/reject", {200: shapes.OrderShown}
)
PAY_ORDER = Operation[shapes.OrderShown]("POST", "/api/v1/orders/{order}/payments", {201: shapes.OrderShown})
CAPTURE_PAYMENT = Operation[shapes.OrderShown](
    "POST", "/api/v1/orders/{order}/payments/{payment}/capture", {200: shapes.OrderShown}
)
VOID_PAYMENT = Operation[shapes.OrderShown](
    "POST", "/api/v1/orders/{order}/payments/{payment}/void", {200: shapes.OrderShown}
)
REFUND_ORDER = Operation[shapes.OrderShown]("POST", "/api/v1/orders/{order}/refunds", {201: shapes.OrderShown})
RETURN_GOODS = Operation[shapes.OrderShown]("POST", "/api/v1/orders/{order}/returns", {201: shapes.OrderShown})
EXCHANGE_GOODS = Operation[shapes.OrderShown]("POST", "/api/v1/orders/{order}/exchanges", {201: shapes.OrderShown})
RECEIVE_RETURN = Operation[shapes.OrderShown](
    "POST", "/api/v1/orders/{order}/returns/{number}/receive", {200: shapes.OrderShown}
)
CANCEL_RETURN = Operation[shapes.OrderShown](
    "POST", "/api/v1/orders/{order}/returns/{number}/cancel", {200: shapes.OrderShown}
)
LIST_CHANNELS = Operation[shapes.Channels]("GET", "/api/v1/channels", {200: shapes.Channels})
OPEN_CHANNEL = Operation[shapes.Channel]("POST", "/api/v1/channels", {201: shapes.Channel})
GET_CHANNEL = Operation[shapes.Channel]("GET", "/api/v1/channels/{channel}", {200: shapes.Channel})
CHANGE_CHANNEL = Operation[shapes.Channel]("PATCH", "/api/v1/channels/{channel}", {200: shapes.Channel})
GET_CHANNEL_HEALTH = Operation[shapes.ChannelWord](
    "GET", "/api/v1/channels/{channel}/health", {200: shapes.ChannelWord}
)
PAUSE_CHANNEL = Operation[shapes.Channel]("POST", "/api/v1/channels/{channel}/pause", {200: shapes.Channel})
RESUME_CHANNEL = Operation[shapes.Channel]("POST", "/api/v1/channels/{channel}/resume", {200: shapes.Channel})
SET_CHANNEL_SOURCES = Operation[shapes.Channel]("PUT", "/api/v1/channels/{channel}/sources", {200: shapes.Channel})
LIST_LISTINGS = Operation[shapes.Listings]("GET", "/api/v1/listings", {200: shapes.Listings})
ADD_LISTING = Operation[shapes.Listing]("POST", "/api/v1/listings", {200: shapes.Listing, 201: shapes.Listing})
GET_LISTING = Operation[shapes.Listing]("GET", "/api/v1/listings/{listing}", {200: shapes.Listing})
CHANGE_LISTING = Operation[shapes.Listing]("PATCH", "/api/v1/listings/{listing}", {200: shapes.Listing})
REMOVE_LISTING = Operation[None]("DELETE", "/api/v1/listings/{listing}", {204: None})
LIST_IN_BULK = Operation[shapes.AllListed]("POST", "/api/v1/listings/bulk", {200: shapes.AllListed})
LIST_VARIANTS = Operation[shapes.CatalogueVariants]("GET", "/api/v1/variants", {200: shapes.CatalogueVariants})
GET_VARIANT = Operation[shapes.CatalogueVariant]("GET", "/api/v1/variants/{variant}", {200: shapes.CatalogueVariant})
CHANGE_VARIANT = Operation[shapes.CatalogueVariant](
    "PATCH", "/api/v1/variants/{variant}", {200: shapes.CatalogueVariant}
)
LIST_PRODUCTS = Operation[shapes.CatalogueProducts]("GET", "/api/v1/products", {200: shapes.CatalogueProducts})
OPEN_PRODUCT = Operation[shapes.CatalogueProduct]("POST", "/api/v1/products", {201: shapes.CatalogueProduct})
GET_PRODUCT = Operation[shapes.CatalogueProduct]("GET", "/api/v1/products/{product}", {200: shapes.CatalogueProduct})
CHANGE_PRODUCT = Operation[shapes.CatalogueProduct](
    "PATCH", "/api/v1/products/{product}", {200: shapes.CatalogueProduct}
)
LIST_CATEGORIES = Operation[shapes.Categories]("GET", "/api/v1/categories", {200: shapes.Categories})
OPEN_CATEGORY = Operation[shapes.Category]("POST", "/api/v1/categories", {201: shapes.Category})
GET_CATEGORY = Operation[shapes.Category]("GET", "/api/v1/categories/{category}", {200: shapes.Category})
CHANGE_CATEGORY = Operation[shapes.Category]("PATCH", "/api/v1/categories/{category}", {200: shapes.Category})
ADD_VARIANT = Operation[shapes.CatalogueVariant](
    "POST", "/api/v1/products/{product}/variants", {201: shapes.CatalogueVariant}
)
FIND_CUSTOMERS = Operation[shapes.People]("GET", "/api/v1/customers", {200: shapes.People})
GET_CUSTOMER = Operation[shapes.Profile]("GET", "/api/v1/customers/{customer}", {200: shapes.Profile})
MERGE_CUSTOMERS = Operation[shapes.Decided]("POST", "/api/v1/customers/{customer}/merge", {200: shapes.Decided})
UNMERGE_CUSTOMERS = Operation[shapes.Decided]("POST", "/api/v1/customers/{customer}/unmerge", {200: shapes.Decided})
GET_PREFERENCES = Operation[shapes.Preferences](
    "GET", "/api/v1/customers/{customer}/preferences", {200: shapes.Preferences}
)
SET_PREFERENCE = Operation[None]("PUT", "/api/v1/customers/{customer}/preferences/{name}", {204: None})
LIST_CONSENTS = Operation[shapes.ConsentEntries](
    "GET", "/api/v1/customers/{customer}/consents", {200: shapes.ConsentEntries}
)
SAY_CONSENT = Operation[shapes.ConsentEntry](
    "POST", "/api/v1/customers/{customer}/consents", {201: shapes.ConsentEntry}
)
PREVIEW_MERGE = Operation[shapes.MergePreview](
    "GET", "/api/v1/customers/{customer}/merge-preview", {200: shapes.MergePreview}
)
LIST_MERGE_SUGGESTIONS = Operation[shapes.Suggestions]("GET", "/api/v1/merge-suggestions", {200: shapes.Suggestions})
ACCEPT_MERGE_SUGGESTION = Operation[shapes.Suggestion](
    "POST", "/api/v1/merge-suggestions/{suggestion}/accept", {200: shapes.Suggestion}
)
REJECT_MERGE_SUGGESTION = Operation[shapes.Suggestion](
    "POST", "/api/v1/merge-suggestions/{suggestion}/reject", {200: shapes.Suggestion}
)
EXPORT_CUSTOMER = Operation[shapes.ExportOut]("GET", "/api/v1/customers/{customer}/export", {200: shapes.ExportOut})
FORESEE_ERASURE = Operation[shapes.ForeseenOut](
    "GET", "/api/v1/customers/{customer}/erasure", {200: shapes.ForeseenOut}
)
ERASE_CUSTOMER = Operation[shapes.RequestOut]("POST", "/api/v1/customers/{customer}/erase", {200: shapes.RequestOut})
LIST_PRIVACY_REQUESTS = Operation[shapes.RequestsOut]("GET", "/api/v1/privacy/requests", {200: shapes.RequestsOut})
LIST_SEGMENTS = Operation[shapes.SegmentsOut]("GET", "/api/v1/segments", {200: shapes.SegmentsOut})
MAKE_SEGMENT = Operation[shapes.SegmentOut]("POST", "/api/v1/segments", {201: shapes.SegmentOut})
LIST_SEGMENT_MEMBERS = Operation[shapes.Members]("GET", "/api/v1/segments/{key}/members", {200: shapes.Members})
GET_SEGMENT = Operation[shapes.SegmentOut]("GET", "/api/v1/segments/{key}", {200: shapes.SegmentOut})
CHANGE_SEGMENT = Operation[shapes.SegmentOut]("PATCH", "/api/v1/segments/{key}", {200: shapes.SegmentOut})
DELETE_SEGMENT = Operation[None]("DELETE", "/api/v1/segments/{key}", {204: None})
PREVIEW_SEGMENT = Operation[shapes.Looked]("POST", "/api/v1/segment-preview", {200: shapes.Looked})
START_JOURNEY = Operation[shapes.Journey]("POST", "/api/v1/journeys", {201: shapes.Journey})
LIST_JOURNEYS = Operation[shapes.Journeys]("GET", "/api/v1/journeys", {200: shapes.Journeys})
GET_JOURNEY = Operation[shapes.Journey]("GET", "/api/v1/journeys/{journey}", {200: shapes.Journey})
LIST_TOUCHPOINTS = Operation[shapes.Touchpoints](
    "GET", "/api/v1/journeys/{journey}/touchpoints", {200: shapes.Touchpoints}
)
ADD_TOUCHPOINT = Operation[shapes.Journey]("POST", "/api/v1/journeys/{journey}/touchpoints", {201: shapes.Journey})
COMPLETE_JOURNEY = Operation[shapes.Journey]("POST", "/api/v1/journeys/{journey}/complete", {200: shapes.Journey})
ABANDON_JOURNEY = Operation[shapes.Journey]("POST", "/api/v1/journeys/{journey}/abandon", {200: shapes.Journey})
RECORD_INTERACTION = Operation[shapes.Recorded](
    "POST", "/api/v1/interactions", {200: shapes.Recorded, 201: shapes.Recorded}
)
LIST_INTERACTIONS = Operation[shapes.Interactions]("GET", "/api/v1/interactions", {200: shapes.Interactions})
RECORD_INTERACTIONS = Operation[shapes.BatchRecorded]("POST", "/api/v1/interactions/bulk", {200: shapes.BatchRecorded})
OPEN_CART = Operation[shapes.Cart]("POST", "/api/v1/carts", {201: shapes.Cart})
GET_CART = Operation[shapes.Cart]("GET", "/api/v1/carts/{token}", {200: shapes.Cart})
ADD_TO_CART = Operation[shapes.Cart]("POST", "/api/v1/carts/{token}/lines", {200: shapes.Cart})
CHANGE_CART = Operation[shapes.Cart]("PUT", "/api/v1/carts/{token}/lines/{variant}", {200: shapes.Cart})
REMOVE_FROM_CART = Operation[shapes.Cart]("DELETE", "/api/v1/carts/{token}/lines/{variant}", {200: shapes.Cart})
CLAIM_CART = Operation[shapes.Cart]("POST", "/api/v1/carts/{token}/claim", {200: shapes.Cart})
HOLD_CART = Operation[shapes.Cart]("POST", "/api/v1/carts/{token}/hold", {200: shapes.Cart})
RELEASE_CART = Operation[shapes.Cart]("POST", "/api/v1/carts/{token}/release", {200: shapes.Cart})
CHECK_OUT_CART = Operation[shapes.Ordered]("POST", "/api/v1/carts/{token}/checkout", {201: shapes.Ordered})
GET_CART_OF_CUSTOMER = Operation[shapes.CartContent](
    "GET", "/api/v1/customers/{customer}/cart", {200: shapes.CartContent}
)
TAKE_CART_OVER = Operation[shapes.Ordered]("POST", "/api/v1/customers/{customer}/cart/take-over", {201: shapes.Ordered})
GET_ADVICE = Operation[shapes.CustomerAdvice](
    "GET", "/api/v1/customers/{customer}/advice", {200: shapes.CustomerAdvice}
)
GET_RECOMMENDATIONS = Operation[shapes.Recommendations](
    "GET", "/api/v1/customers/{customer}/recommendations", {200: shapes.Recommendations}
)
LIST_FIGURES = Operation[shapes.AllFigures]("GET", "/api/v1/analytics/channels", {200: shapes.AllFigures})
GET_METRICS = Operation[shapes.Metrics]("GET", "/api/v1/analytics/metrics", {200: shapes.Metrics})
LIST_DAILY_FIGURES = Operation[shapes.DailyRows]("GET", "/api/v1/analytics/daily", {200: shapes.DailyRows})
COMPARE_FIGURES = Operation[shapes.SideBySide]("GET", "/api/v1/analytics/compare", {200: shapes.SideBySide})
LIST_JOURNEY_FIGURES = Operation[shapes.JourneyRows]("GET", "/api/v1/analytics/journeys", {200: shapes.JourneyRows})
LIST_HEALTH = Operation[shapes.ChannelWords]("GET", "/api/v1/analytics/health", {200: shapes.ChannelWords})
LIST_PLATFORMS = Operation[shapes.PlatformsOut]("GET", "/api/v1/platforms", {200: shapes.PlatformsOut})
LIST_INTEGRATIONS = Operation[shapes.Integrations]("GET", "/api/v1/integrations", {200: shapes.Integrations})
OPEN_INTEGRATION = Operation[shapes.AccountInFull]("POST", "/api/v1/integrations", {201: shapes.AccountInFull})
GET_INTEGRATION = Operation[shapes.AccountInFull](
    "GET", "/api/v1/integrations/{integration}", {200: shapes.AccountInFull}
)
CONNECT_INTEGRATION = Operation[shapes.AccountInFull](
    "POST", "/api/v1/integrations/{integration}/connect", {200: shapes.AccountInFull}
)
TEST_INTEGRATION = Operation[shapes.PlatformWords](
    "POST", "/api/v1/integrations/{integration}/test", {200: shapes.PlatformWords}
)
SYNC_INTEGRATION = Operation[shapes.AccountInFull](
    "POST", "/api/v1/integrations/{integration}/sync", {202: shapes.AccountInFull}
)
PAUSE_INTEGRATION = Operation[shapes.AccountInFull](
    "POST", "/api/v1/integrations/{integration}/pause", {200: shapes.AccountInFull}
)
RESUME_INTEGRATION = Operation[shapes.AccountInFull](
    "POST", "/api/v1/integrations/{integration}/resume", {200: shapes.AccountInFull}
)
START_PUSHING = Operation[shapes.AccountInFull](
    "POST", "/api/v1/integrations/{integration}/start-pushing", {200: shapes.AccountInFull}
)
DISCONNECT_INTEGRATION = Operation[shapes.AccountInFull](
    "POST", "/api/v1/integrations/{integration}/disconnect", {200: shapes.AccountInFull}
)
LIST_RUNS = Operation[shapes.SyncRuns]("GET", "/api/v1/integrations/{integration}/runs", {200: shapes.SyncRuns})
LIST_LETTERS = Operation[shapes.AllSetAside](
    "GET", "/api/v1/integrations/{integration}/letters", {200: shapes.AllSetAside}
)
REPLAY_LETTER = Operation[shapes.SetAside](
    "POST", "/api/v1/integrations/{integration}/letters/{letter}/replay", {200: shapes.SetAside}
)
DROP_LETTER = Operation[shapes.SetAside](
    "POST", "/api/v1/integrations/{integration}/letters/{letter}/drop", {200: shapes.SetAside}
)
REPORT_DRIFT = Operation[shapes.DriftReport](
    "GET", "/api/v1/integrations/{integration}/drift", {200: shapes.DriftReport}
)
LIST_WEBHOOK_TOPICS = Operation[shapes.TopicsOut]("GET", "/api/v1/webhook-topics", {200: shapes.TopicsOut})
LIST_WEBHOOKS = Operation[shapes.Endpoints]("GET", "/api/v1/webhooks", {200: shapes.Endpoints})
OPEN_WEBHOOK = Operation[shapes.EndpointWithSecret]("POST", "/api/v1/webhooks", {201: shapes.EndpointWithSecret})
GET_WEBHOOK = Operation[shapes.Endpoint]("GET", "/api/v1/webhooks/{webhook}", {200: shapes.Endpoint})
CHANGE_WEBHOOK = Operation[shapes.Endpoint]("PATCH", "/api/v1/webhooks/{webhook}", {200: shapes.Endpoint})
DELETE_WEBHOOK = Operation[None]("DELETE", "/api/v1/webhooks/{webhook}", {204: None})
ROTATE_WEBHOOK_SECRET = Operation[shapes.EndpointWithSecret](
    "POST", "/api/v1/webhooks/{webhook}/rotate", {200: shapes.EndpointWithSecret}
)
DISABLE_WEBHOOK = Operation[shapes.Endpoint]("POST", "/api/v1/webhooks/{webhook}/disable", {200: shapes.Endpoint})
ENABLE_WEBHOOK = Operation[shapes.Endpoint]("POST", "/api/v1/webhooks/{webhook}/enable", {200: shapes.Endpoint})
LIST_WEBHOOK_DELIVERIES = Operation[shapes.WebhookDeliveries](
    "GET", "/api/v1/webhooks/{webhook}/deliveries", {200: shapes.WebhookDeliveries}
)
REPLAY_WEBHOOK_DELIVERIES = Operation[shapes.TellingsSent](
    "POST", "/api/v1/webhooks/{webhook}/deliveries/replay", {200: shapes.TellingsSent}
)
GET_KEY = Operation[shapes.KeyOut]("GET", "/api/v1/key", {200: shapes.KeyOut})
ROTATE_KEY = Operation[shapes.KeyWithSecret]("POST", "/api/v1/key/rotate", {201: shapes.KeyWithSecret})
LIST_AUDIT = Operation[shapes.AuditLines]("GET", "/api/v1/audit", {200: shapes.AuditLines})


class Stock:
    """The calls of stock."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list_levels(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        sku: str | None = None,
        variants: str | None = None,
        product: int | None = None,
        location: int | None = None,
        channel: int | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Levels:
        """List what there is of each variant: in all, at each location, and for each channel."""
        return self._caller.call(
            LIST_LEVELS,
            Said(
                path={},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "sku": sku,
                    "variants": variants,
                    "product": product,
                    "location": location,
                    "channel": channel,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def get_level(self, variant: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Level:
        """Show what there is of one variant."""
        return self._caller.call(
            GET_LEVEL,
            Said(path={"variant": variant}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def explain_level(
        self, variant: int, *, channel: int, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.Explained:
        """Why may a channel sell so many? Every receipt, hold, order, fence, buffer and rule behind the number."""
        return self._caller.call(
            EXPLAIN_LEVEL,
            Said(
                path={"variant": variant},
                query={"channel": channel, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def list_movements(
        self,
        variant: int,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        location: int | None = None,
        channel: int | None = None,
        kind: Literal[
            "receive",
            "adjust",
            "count",
            "transfer_out",
            "transfer_in",
            "reserve",
            "release",
            "expire",
            "allocate",
            "deallocate",
            "fulfil",
            "sale",
            "return",
            "short",
            "fence",
            "backorder",
            "backfill",
        ]
        | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Movements:
        """List what happened to a variant: every change of what is on hand, held or promised, with who and why."""
        return self._caller.call(
            LIST_MOVEMENTS,
            Said(
                path={"variant": variant},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "location": location,
                    "channel": channel,
                    "kind": kind,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def list_locations(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        kind: Literal["warehouse", "store", "partner"] | None = None,
        is_active: bool | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Locations:
        """List the locations where stock lies."""
        return self._caller.call(
            LIST_LOCATIONS,
            Said(
                path={},
                query={"limit": limit, "cursor": cursor, "kind": kind, "is_active": is_active, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def open_location(
        self,
        *,
        name: str,
        code: str,
        kind: Literal["warehouse", "store", "partner"] | None = UNSAID,
        country: str | None = UNSAID,
        postcode: str | None = UNSAID,
        city: str | None = UNSAID,
        street: str | None = UNSAID,
        street2: str | None = UNSAID,
        region: str | None = UNSAID,
        phone: str | None = UNSAID,
        latitude: float | None = UNSAID,
        longitude: float | None = UNSAID,
        can_ship: bool | None = UNSAID,
        can_hand_over: bool | None = UNSAID,
        priority: int | None = UNSAID,
        orders_per_day: int | None = UNSAID,
        is_active: bool | None = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Location:
        """Open a location. Channels that name no sources of their own sell from it at once. Not for bound keys."""
        return self._caller.call(
            OPEN_LOCATION,
            Said(
                path={},
                query={},
                body={
                    "name": name,
                    "kind": kind,
                    "country": country,
                    "postcode": postcode,
                    "city": city,
                    "street": street,
                    "street2": street2,
                    "region": region,
                    "phone": phone,
                    "latitude": latitude,
                    "longitude": longitude,
                    "can_ship": can_ship,
                    "can_hand_over": can_hand_over,
                    "priority": priority,
                    "orders_per_day": orders_per_day,
                    "is_active": is_active,
                    "code": code,
                },
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_location(self, location: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Location:
        """Show one location."""
        return self._caller.call(
            GET_LOCATION,
            Said(path={"location": location}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def change_location(
        self,
        location: int,
        *,
        name: str | None = UNSAID,
        kind: Literal["warehouse", "store", "partner"] | None = UNSAID,
        country: str | None = UNSAID,
        postcode: str | None = UNSAID,
        city: str | None = UNSAID,
        street: str | None = UNSAID,
        street2: str | None = UNSAID,
        region: str | None = UNSAID,
        phone: str | None = UNSAID,
        latitude: float | None = UNSAID,
        longitude: float | None = UNSAID,
        can_ship: bool | None = UNSAID,
        can_hand_over: bool | None = UNSAID,
        priority: int | None = UNSAID,
        orders_per_day: int | None = UNSAID,
        is_active: bool | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.Location:
        """Change a location. Switched off, it is no source any more: what lies there is sold by nobody."""
        return self._caller.call(
            CHANGE_LOCATION,
            Said(
                path={"location": location},
                query={},
                body={
                    "name": name,
                    "kind": kind,
                    "country": country,
                    "postcode": postcode,
                    "city": city,
                    "street": street,
                    "street2": street2,
                    "region": region,
                    "phone": phone,
                    "latitude": latitude,
                    "longitude": longitude,
                    "can_ship": can_ship,
                    "can_hand_over": can_hand_over,
                    "priority": priority,
                    "orders_per_day": orders_per_day,
                    "is_active": is_active,
                },
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def reserve_stock(
        self,
        *,
        channel: int,
        lines: Sequence[shapes.LineWantedSaid],
        location: int | None = UNSAID,
        hold_seconds: int = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Held:
        """Hold units for a while: all lines or none. Where they cannot be had, 409 says how many can. Asked again
        under the same Idempotency-Key it is the same reservation, until it is released or runs out; then the key
        holds anew."""
        return self._caller.call(
            RESERVE_STOCK,
            Said(
                path={},
                query={},
                body={"channel": channel, "lines": lines, "location": location, "hold_seconds": hold_seconds},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def reserve_stock_in_bulk(
        self, *, items: Sequence[shapes.KeyedWishSaid], idempotency_key: str = ""
    ) -> shapes.AllHeld:
        """Up to 1,000 wishes at once, settled in their order, each answered by itself."""
        return self._caller.call(
            RESERVE_STOCK_IN_BULK,
            Said(path={}, query={}, body={"items": items}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def get_reservation(
        self, reservation: int, *, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.Reservation:
        """Show how a reservation stands."""
        return self._caller.call(
            GET_RESERVATION,
            Said(path={"reservation": reservation}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def confirm_reservation(
        self, reservation: int, *, reference: str = UNSAID, idempotency_key: str = ""
    ) -> shapes.Reservation:
        """Turn a hold into a promise that does not end by itself. One that has run out or lost units is taken anew,
        if they are free; else it is refused. Confirmed again, nothing changes."""
        return self._caller.call(
            CONFIRM_RESERVATION,
            Said(
                path={"reservation": reservation},
                query={},
                body={"reference": reference},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def release_reservation(
        self, reservation: int, *, reason: str = UNSAID, idempotency_key: str = ""
    ) -> shapes.Reservation:
        """Give a hold back, or a promise that was confirmed here. What has ended already stays as it is."""
        return self._caller.call(
            RELEASE_RESERVATION,
            Said(
                path={"reservation": reservation},
                query={},
                body={"reason": reason},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def fulfil_reservation(
        self, reservation: int, *, reference: str = UNSAID, idempotency_key: str = ""
    ) -> shapes.Reservation:
        """Let confirmed units leave the shelf, for orders that are kept elsewhere. Done again, nothing changes."""
        return self._caller.call(
            FULFIL_RESERVATION,
            Said(
                path={"reservation": reservation},
                query={},
                body={"reference": reference},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def adjust_stock(
        self,
        *,
        location: int,
        reason: str,
        variant: int | None = UNSAID,
        sku: str = UNSAID,
        delta: int | None = UNSAID,
        quantity: int | None = UNSAID,
        expected: int | None = UNSAID,
        reference: str = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Adjusted:
        """Change what is on hand, by so many or to so many. With `expected` it is compare and set: where something
        else stands, nothing is done and 409 says what stands. A loss that reaches into promises makes them short."""
        return self._caller.call(
            ADJUST_STOCK,
            Said(
                path={},
                query={},
                body={
                    "variant": variant,
                    "sku": sku,
                    "location": location,
                    "delta": delta,
                    "quantity": quantity,
                    "expected": expected,
                    "reason": reason,
                    "reference": reference,
                },
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def adjust_stock_in_bulk(
        self, *, items: Sequence[shapes.AdjustmentSaid], idempotency_key: str = ""
    ) -> shapes.AllAdjusted:
        """Up to 1,000 adjustments, in their order, each answered by itself: what is refused spoils nothing else."""
        return self._caller.call(
            ADJUST_STOCK_IN_BULK,
            Said(path={}, query={}, body={"items": items}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def receive_stock(self, *, items: Sequence[shapes.ArrivedSaid], idempotency_key: str = "") -> shapes.Booked:
        """Put goods that arrived on the shelf, up to 1,000 lines, all or none; what was promised beyond stock is met
        first, the oldest promise before the others."""
        return self._caller.call(
            RECEIVE_STOCK,
            Said(path={}, query={}, body={"items": items}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def announce_delivery(
        self,
        *,
        location: int,
        quantity: int,
        expected_at: dt.datetime | str,
        variant: int | None = UNSAID,
        sku: str = UNSAID,
        supplier: str = UNSAID,
        reference: str = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Expected:
        """Write down what a supplier is to deliver. Channels that look so far ahead may sell it from now on."""
        return self._caller.call(
            ANNOUNCE_DELIVERY,
            Said(
                path={},
                query={},
                body={
                    "variant": variant,
                    "sku": sku,
                    "location": location,
                    "quantity": quantity,
                    "expected_at": expected_at,
                    "supplier": supplier,
                    "reference": reference,
                },
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def list_expected(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        variant: int | None = None,
        location: int | None = None,
        state: Literal["expected", "received", "cancelled"] | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.AllExpected:
        """List what suppliers are to deliver, what was announced last first."""
        return self._caller.call(
            LIST_EXPECTED,
            Said(
                path={},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "variant": variant,
                    "location": location,
                    "state": state,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def get_expected(self, delivery: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Expected:
        """Show what is to be delivered, and what has come of it."""
        return self._caller.call(
            GET_EXPECTED,
            Said(path={"delivery": delivery}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def receive_expected(
        self, delivery: int, *, quantity: int, idempotency_key: str = "", if_match: str = ""
    ) -> shapes.Expected:
        """Put a part of it on the shelf. It is over when all has come; more than was announced is taken in."""
        return self._caller.call(
            RECEIVE_EXPECTED,
            Said(
                path={"delivery": delivery},
                query={},
                body={"quantity": quantity},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def postpone_expected(
        self, delivery: int, *, expected_at: dt.datetime | str, idempotency_key: str = "", if_match: str = ""
    ) -> shapes.Expected:
        """Expect it at another time."""
        return self._caller.call(
            POSTPONE_EXPECTED,
            Said(
                path={"delivery": delivery},
                query={},
                body={"expected_at": expected_at},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def cancel_expected(self, delivery: int, *, idempotency_key: str = "", if_match: str = "") -> shapes.Expected:
        """Expect no more of it. What was sold of it already stays promised."""
        return self._caller.call(
            CANCEL_EXPECTED,
            Said(
                path={"delivery": delivery},
                query={},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def draft_transfer(
        self,
        *,
        source: int,
        destination: int,
        lines: Sequence[shapes.GoodsToSendSaid],
        reference: str = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Transfer:
        """Write down what is to be sent. Nothing moves until it is shipped."""
        return self._caller.call(
            DRAFT_TRANSFER,
            Said(
                path={},
                query={},
                body={"source": source, "destination": destination, "lines": lines, "reference": reference},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def list_transfers(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        state: Literal["draft", "in_transit", "received", "cancelled"] | None = None,
        location: int | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Transfers:
        """List transfers, the newest first."""
        return self._caller.call(
            LIST_TRANSFERS,
            Said(
                path={},
                query={"limit": limit, "cursor": cursor, "state": state, "location": location, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def get_transfer(self, transfer: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Transfer:
        """Show one transfer."""
        return self._caller.call(
            GET_TRANSFER,
            Said(path={"transfer": transfer}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def ship_transfer(self, transfer: int, *, idempotency_key: str = "", if_match: str = "") -> shapes.Transfer:
        """Send the goods, all lines or none: they leave the source. What is promised or fenced is not taken."""
        return self._caller.call(
            SHIP_TRANSFER,
            Said(
                path={"transfer": transfer},
                query={},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def receive_transfer(
        self,
        transfer: int,
        *,
        lines: Sequence[shapes.GoodsToSendSaid] | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.Transfer:
        """Put what arrived on the shelf, in as many parts as it takes; it is over when nothing is outstanding."""
        return self._caller.call(
            RECEIVE_TRANSFER,
            Said(
                path={"transfer": transfer},
                query={},
                body={"lines": lines},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def close_transfer(
        self, transfer: int, *, reason: str, idempotency_key: str = "", if_match: str = ""
    ) -> shapes.Transfer:
        """End a transfer of which not all will arrive; what is outstanding is written off."""
        return self._caller.call(
            CLOSE_TRANSFER,
            Said(
                path={"transfer": transfer},
                query={},
                body={"reason": reason},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def cancel_transfer(self, transfer: int, *, idempotency_key: str = "", if_match: str = "") -> shapes.Transfer:
        """Give up a transfer of which nothing has arrived; goods that were on their way are back at the source."""
        return self._caller.call(
            CANCEL_TRANSFER,
            Said(
                path={"transfer": transfer},
                query={},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def start_count(self, *, location: int, note: str = UNSAID, idempotency_key: str = "") -> shapes.Count:
        """Begin a stock take. Nothing is locked: selling goes on."""
        return self._caller.call(
            START_COUNT,
            Said(
                path={},
                query={},
                body={"location": location, "note": note},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def list_counts(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        state: Literal["open", "applied", "cancelled"] | None = None,
        location: int | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Counts:
        """List stock takes, the newest first."""
        return self._caller.call(
            LIST_COUNTS,
            Said(
                path={},
                query={"limit": limit, "cursor": cursor, "state": state, "location": location, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def get_count(self, count: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Count:
        """Show one stock take."""
        return self._caller.call(
            GET_COUNT, Said(path={"count": count}, query={"fields": fields}, headers={"If-None-Match": if_none_match})
        )

    def list_count_lines(self, count: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.CountLines:
        """Show what was counted, beside what the books said at that moment."""
        return self._caller.call(
            LIST_COUNT_LINES,
            Said(path={"count": count}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def record_count(
        self, count: int, *, items: Sequence[shapes.CountedLineSaid], idempotency_key: str = ""
    ) -> shapes.CountLines:
        """Write down what was counted, up to 1,000 lines, all or none. Shows what the whole stock take has found by
        now."""
        return self._caller.call(
            RECORD_COUNT,
            Said(
                path={"count": count},
                query={},
                body={"items": items},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def apply_count(
        self, count: int, *, reason: str = UNSAID, idempotency_key: str = "", if_match: str = ""
    ) -> shapes.Count:
        """Bring the books to what was counted. What reaches into promises makes them short."""
        return self._caller.call(
            APPLY_COUNT,
            Said(
                path={"count": count},
                query={},
                body={"reason": reason},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def cancel_count(self, count: int, *, idempotency_key: str = "", if_match: str = "") -> shapes.Count:
        """Drop a stock take; the books stay as they are."""
        return self._caller.call(
            CANCEL_COUNT,
            Said(
                path={"count": count},
                query={},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_policy(
        self, variant: int, channel: int, *, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.Policy:
        """Show how much of a variant a channel may sell. Where nothing was decided, all that the pool allows."""
        return self._caller.call(
            GET_POLICY,
            Said(
                path={"variant": variant, "channel": channel},
                query={"fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def change_policy(
        self,
        variant: int,
        channel: int,
        *,
        uses_pool: bool | None = UNSAID,
        fence_quantity: int | None = UNSAID,
        cap: int | None = UNSAID,
        percent: int | None = UNSAID,
        buffer: int | None = UNSAID,
        lends: bool | None = UNSAID,
        borrows: bool | None = UNSAID,
        allows_backorder: bool | None = UNSAID,
        incoming_horizon_days: int | None = UNSAID,
        low_stock_threshold: int | None = UNSAID,
        reason: str = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.Policy:
        """Change how much of a variant a channel may sell."""
        return self._caller.call(
            CHANGE_POLICY,
            Said(
                path={"variant": variant, "channel": channel},
                query={},
                body={
                    "uses_pool": uses_pool,
                    "fence_quantity": fence_quantity,
                    "cap": cap,
                    "percent": percent,
                    "buffer": buffer,
                    "lends": lends,
                    "borrows": borrows,
                    "allows_backorder": allows_backorder,
                    "incoming_horizon_days": incoming_horizon_days,
                    "low_stock_threshold": low_stock_threshold,
                    "reason": reason,
                },
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def keep_stock(
        self,
        variant: int,
        *,
        location: int,
        safety: int | None = UNSAID,
        low_stock_threshold: int | None = UNSAID,
        reason: str = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.Level:
        """Keep units of a variant at a location out of every promise, and say at how many free units to warn."""
        return self._caller.call(
            KEEP_STOCK,
            Said(
                path={"variant": variant},
                query={},
                body={
                    "location": location,
                    "safety": safety,
                    "low_stock_threshold": low_stock_threshold,
                    "reason": reason,
                },
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )


class Orders:
    """The calls of orders."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list_orders(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        channel: int | None = None,
        state: Literal["open", "partly_fulfilled", "fulfilled", "cancelled"] | None = None,
        payment_state: Literal["unpaid", "authorised", "partly_paid", "paid", "partly_refunded", "refunded"]
        | None = None,
        customer: int | None = None,
        number: str | None = None,
        external_id: str | None = None,
        source: str | None = None,
        email: str | None = None,
        variant: int | None = None,
        since: dt.datetime | str | None = None,
        until: dt.datetime | str | None = None,
        has_problem: bool | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.OrderPage:
        """List orders with their lines, those placed last first."""
        return self._caller.call(
            LIST_ORDERS,
            Said(
                path={},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "channel": channel,
                    "state": state,
                    "payment_state": payment_state,
                    "customer": customer,
                    "number": number,
                    "external_id": external_id,
                    "source": source,
                    "email": email,
                    "variant": variant,
                    "since": since,
                    "until": until,
                    "has_problem": has_problem,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def place_order(
        self,
        *,
        channel: int,
        lines: Sequence[shapes.LineSaid],
        external_id: str = UNSAID,
        external_version: str = UNSAID,
        number: str = UNSAID,
        currency: str = UNSAID,
        placed_at: dt.datetime | str | None = UNSAID,
        payments: Sequence[shapes.TenderSaid] = UNSAID,
        customer: int | None = UNSAID,
        name: str = UNSAID,
        email: str = UNSAID,
        phone: str = UNSAID,
        account: str = UNSAID,
        loyalty: str = UNSAID,
        language: str = UNSAID,
        shipping_address: shapes.AddressSaid | None = UNSAID,
        billing_address: shapes.AddressSaid | None = UNSAID,
        tax_included: bool = UNSAID,
        tip: Decimal | int | str = UNSAID,
        total: Decimal | int | str | None = UNSAID,
        reservation: int | None = UNSAID,
        location: int | None = UNSAID,
        happened: bool | None = UNSAID,
        handed_over: bool = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.OrderShown:
        """Place an order, exactly once by its `external_id`: stock, payments and customer in one transaction. Said
        again, with other lines or payments, the same order is brought up to date (200). Refused where stock does
        not fit, unless it has happened."""
        return self._caller.call(
            PLACE_ORDER,
            Said(
                path={},
                query={},
                body={
                    "channel": channel,
                    "external_id": external_id,
                    "external_version": external_version,
                    "number": number,
                    "currency": currency,
                    "placed_at": placed_at,
                    "lines": lines,
                    "payments": payments,
                    "customer": customer,
                    "name": name,
                    "email": email,
                    "phone": phone,
                    "account": account,
                    "loyalty": loyalty,
                    "language": language,
                    "shipping_address": shipping_address,
                    "billing_address": billing_address,
                    "tax_included": tax_included,
                    "tip": tip,
                    "total": total,
                    "reservation": reservation,
                    "location": location,
                    "happened": happened,
                    "handed_over": handed_over,
                },
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def place_orders_in_bulk(self, *, items: Sequence[shapes.OrderSaid], idempotency_key: str = "") -> shapes.AllTaken:
        """Place up to 200 orders, each by itself and exactly once by its `external_id` (by default made of the
        Idempotency-Key and its place): what is refused spoils nothing else."""
        return self._caller.call(
            PLACE_ORDERS_IN_BULK,
            Said(path={}, query={}, body={"items": items}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def get_order(self, order: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.OrderShown:
        """Show an order: lines, payments, parcels, returns and refunds."""
        return self._caller.call(
            GET_ORDER, Said(path={"order": order}, query={"fields": fields}, headers={"If-None-Match": if_none_match})
        )

    def list_order_history(
        self,
        order: int,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.OrderEvents:
        """List what happened to an order, in its order."""
        return self._caller.call(
            LIST_ORDER_HISTORY,
            Said(
                path={"order": order},
                query={"limit": limit, "cursor": cursor, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def cancel_order(
        self,
        order: int,
        *,
        reason: str,
        lines: Sequence[shapes.UnitsOffSaid] | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.OrderShown:
        """Cancel what has not left, or some units of it: its stock is free again, what was paid for it is given back
        in the books, what was not is taken off the total."""
        return self._caller.call(
            CANCEL_ORDER,
            Said(
                path={"order": order},
                query={},
                body={"lines": lines, "reason": reason},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def note_on_order(
        self, order: int, *, text: str, idempotency_key: str = "", if_match: str = ""
    ) -> shapes.OrderShown:
        """Write a note into the history of an order. It is erased with the customer."""
        return self._caller.call(
            NOTE_ON_ORDER,
            Said(
                path={"order": order},
                query={},
                body={"text": text},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def route_order(self, order: int, *, idempotency_key: str = "", if_match: str = "") -> shapes.OrderShown:
        """Look again at an order: promise what is short, match SKUs that were unknown, find locations for what
        waits. Where no location has it all it is split over the fewest."""
        return self._caller.call(
            ROUTE_ORDER,
            Said(
                path={"order": order},
                query={},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def settle_order(
        self, order: int, *, reason: str, idempotency_key: str = "", if_match: str = ""
    ) -> shapes.OrderShown:
        """Mark the problem of an order as dealt with. What is still short stays said."""
        return self._caller.call(
            SETTLE_ORDER,
            Said(
                path={"order": order},
                query={},
                body={"reason": reason},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def list_parcels(self, order: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Parcels:
        """List the parcels of an order, and why each is routed where it is."""
        return self._caller.call(
            LIST_PARCELS,
            Said(path={"order": order}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def ship_parcel(
        self,
        order: int,
        parcel: int,
        *,
        carrier: str = UNSAID,
        tracking_number: str = UNSAID,
        tracking_url: str = UNSAID,
        lines: Sequence[shapes.PartOfParcelSaid] | None = UNSAID,
        at: dt.datetime | str | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.OrderShown:
        """Send a parcel, or a part of it: its units leave the stock of its location. Sent already, nothing changes."""
        return self._caller.call(
            SHIP_PARCEL,
            Said(
                path={"order": order, "parcel": parcel},
                query={},
                body={
                    "carrier": carrier,
                    "tracking_number": tracking_number,
                    "tracking_url": tracking_url,
                    "lines": lines,
                    "at": at,
                },
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def label_parcel(
        self,
        order: int,
        parcel: int,
        *,
        carrier: str = UNSAID,
        tracking_number: str = UNSAID,
        tracking_url: str = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.OrderShown:
        """Say how a waiting parcel will travel."""
        return self._caller.call(
            LABEL_PARCEL,
            Said(
                path={"order": order, "parcel": parcel},
                query={},
                body={"carrier": carrier, "tracking_number": tracking_number, "tracking_url": tracking_url},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def deliver_parcel(
        self,
        order: int,
        parcel: int,
        *,
        at: dt.datetime | str | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.OrderShown:
        """Note that a parcel has arrived."""
        return self._caller.call(
            DELIVER_PARCEL,
            Said(
                path={"order": order, "parcel": parcel},
                query={},
                body={"at": at},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def reject_parcel(
        self,
        order: int,
        parcel: int,
        *,
        reason: Literal["not_found", "damaged", "closed", "too_busy"],
        missing: Sequence[shapes.MissingUnitsSaid] | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.OrderShown:
        """A location will not ship a parcel: its units are routed to another one, or wait. What it did not find is
        taken off the books there."""
        return self._caller.call(
            REJECT_PARCEL,
            Said(
                path={"order": order, "parcel": parcel},
                query={},
                body={"reason": reason, "missing": missing},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def pay_order(
        self,
        order: int,
        *,
        tender: str,
        amount: Decimal | int | str,
        state: Literal["captured", "authorised"] = UNSAID,
        external_id: str = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.OrderShown:
        """Note that money came in, or that a tender is good for it; never more than is due."""
        return self._caller.call(
            PAY_ORDER,
            Said(
                path={"order": order},
                query={},
                body={"tender": tender, "amount": amount, "state": state, "external_id": external_id},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def capture_payment(
        self,
        order: int,
        payment: int,
        *,
        amount: Decimal | int | str | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.OrderShown:
        """Take the money of an authorised payment; what is not taken is let go."""
        return self._caller.call(
            CAPTURE_PAYMENT,
            Said(
                path={"order": order, "payment": payment},
                query={},
                body={"amount": amount},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def void_payment(
        self, order: int, payment: int, *, idempotency_key: str = "", if_match: str = ""
    ) -> shapes.OrderShown:
        """Let an authorisation go."""
        return self._caller.call(
            VOID_PAYMENT,
            Said(
                path={"order": order, "payment": payment},
                query={},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def refund_order(
        self,
        order: int,
        *,
        amount: Decimal | int | str,
        reason: str,
        gift_cards: Literal["first", "last"] = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.OrderShown:
        """Give money back in the books, never more than came in: gift cards first, then the tenders as they were
        paid."""
        return self._caller.call(
            REFUND_ORDER,
            Said(
                path={"order": order},
                query={},
                body={"amount": amount, "reason": reason, "gift_cards": gift_cards},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def return_goods(
        self,
        order: int,
        *,
        lines: Sequence[shapes.BackSaid],
        reason: str,
        received: bool = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.OrderShown:
        """Announce that goods come back, or take them in at once: what is fit goes back on the shelf, its worth to
        the buyer."""
        return self._caller.call(
            RETURN_GOODS,
            Said(
                path={"order": order},
                query={},
                body={"lines": lines, "reason": reason, "received": received},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def exchange_goods(
        self,
        order: int,
        *,
        lines: Sequence[shapes.BackSaid],
        reason: str,
        instead: Sequence[shapes.LineSaid],
        received: bool = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.OrderShown:
        """Take goods back and send others: a return and a new order. The worth of what comes back pays for it as far
        as it goes; the rest is given back, or due."""
        return self._caller.call(
            EXCHANGE_GOODS,
            Said(
                path={"order": order},
                query={},
                body={"lines": lines, "reason": reason, "received": received, "instead": instead},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def receive_return(
        self,
        order: int,
        number: int,
        *,
        lines: Sequence[shapes.ReturnArrivedSaid] | None = UNSAID,
        refund: Decimal | int | str | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.OrderShown:
        """Take announced goods in, as they really came."""
        return self._caller.call(
            RECEIVE_RETURN,
            Said(
                path={"order": order, "number": number},
                query={},
                body={"lines": lines, "refund": refund},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def cancel_return(
        self, order: int, number: int, *, idempotency_key: str = "", if_match: str = ""
    ) -> shapes.OrderShown:
        """Give an announced return up."""
        return self._caller.call(
            CANCEL_RETURN,
            Said(
                path={"order": order, "number": number},
                query={},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )


class Channels:
    """The calls of channels."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list_channels(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        channel_type: Literal[
            "web", "mobile", "marketplace", "social", "store", "phone", "email", "chat", "voice", "kiosk"
        ]
        | None = None,
        status: Literal["active", "inactive", "archived"] | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Channels:
        """List sales channels."""
        return self._caller.call(
            LIST_CHANNELS,
            Said(
                path={},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "channel_type": channel_type,
                    "status": status,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def open_channel(
        self,
        *,
        name: str,
        channel_type: Literal[
            "web", "mobile", "marketplace", "social", "store", "phone", "email", "chat", "voice", "kiosk"
        ],
        status: Literal["active", "inactive", "archived"] | None = UNSAID,
        configuration: Mapping[str, Any] | None = UNSAID,
        currency: str | None = UNSAID,
        country: str | None = UNSAID,
        time_zone: str | None = UNSAID,
        slug: str | None = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Channel:
        """Open a sales channel. Not for keys that are bound to channels."""
        return self._caller.call(
            OPEN_CHANNEL,
            Said(
                path={},
                query={},
                body={
                    "name": name,
                    "status": status,
                    "configuration": configuration,
                    "currency": currency,
                    "country": country,
                    "time_zone": time_zone,
                    "slug": slug,
                    "channel_type": channel_type,
                },
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_channel(self, channel: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Channel:
        """Show one sales channel."""
        return self._caller.call(
            GET_CHANNEL,
            Said(path={"channel": channel}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def change_channel(
        self,
        channel: int,
        *,
        name: str | None = UNSAID,
        status: Literal["active", "inactive", "archived"] | None = UNSAID,
        configuration: Mapping[str, Any] | None = UNSAID,
        currency: str | None = UNSAID,
        country: str | None = UNSAID,
        time_zone: str | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.Channel:
        """Change a sales channel; what its platform shows of its listings is told anew where it matters."""
        return self._caller.call(
            CHANGE_CHANNEL,
            Said(
                path={"channel": channel},
                query={},
                body={
                    "name": name,
                    "status": status,
                    "configuration": configuration,
                    "currency": currency,
                    "country": country,
                    "time_zone": time_zone,
                },
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_channel_health(
        self, channel: int, *, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.ChannelWord:
        """Say how a channel is doing, held against what is usual for it. Its figures are under /analytics."""
        return self._caller.call(
            GET_CHANNEL_HEALTH,
            Said(path={"channel": channel}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def pause_channel(
        self, channel: int, *, reason: str, idempotency_key: str = "", if_match: str = ""
    ) -> shapes.Channel:
        """Take no new holds on a channel until it is resumed; sales that already happened still come in."""
        return self._caller.call(
            PAUSE_CHANNEL,
            Said(
                path={"channel": channel},
                query={},
                body={"reason": reason},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def resume_channel(self, channel: int, *, idempotency_key: str = "", if_match: str = "") -> shapes.Channel:
        """Sell again on a paused channel."""
        return self._caller.call(
            RESUME_CHANNEL,
            Said(
                path={"channel": channel},
                query={},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def set_channel_sources(
        self, channel: int, *, sources: Sequence[shapes.SourceSaid], idempotency_key: str = "", if_match: str = ""
    ) -> shapes.Channel:
        """Say from which locations a channel sells. A bound key chooses among those that its channels name already."""
        return self._caller.call(
            SET_CHANNEL_SOURCES,
            Said(
                path={"channel": channel},
                query={},
                body={"sources": sources},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )


class Listings:
    """The calls of listings."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list_listings(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        channel: int | None = None,
        variant: int | None = None,
        sku: str | None = None,
        product: int | None = None,
        is_available: bool | None = None,
        sync_state: Literal["local", "due", "synced", "failed", "unlinked"] | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Listings:
        """List listings; those of one channel in the order of their variants."""
        return self._caller.call(
            LIST_LISTINGS,
            Said(
                path={},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "channel": channel,
                    "variant": variant,
                    "sku": sku,
                    "product": product,
                    "is_available": is_available,
                    "sync_state": sync_state,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def add_listing(
        self,
        *,
        channel: int,
        is_available: bool | None = UNSAID,
        price: Decimal | int | str | None = UNSAID,
        prices: Mapping[str, Any] = UNSAID,
        title: str | None = UNSAID,
        description: str | None = UNSAID,
        attributes: Mapping[str, Any] | None = UNSAID,
        publish_from: dt.datetime | str | None = UNSAID,
        publish_until: dt.datetime | str | None = UNSAID,
        variant: int | None = UNSAID,
        sku: str = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Listing:
        """List a variant on a channel. One that is listed already is changed (200)."""
        return self._caller.call(
            ADD_LISTING,
            Said(
                path={},
                query={},
                body={
                    "is_available": is_available,
                    "price": price,
                    "prices": prices,
                    "title": title,
                    "description": description,
                    "attributes": attributes,
                    "publish_from": publish_from,
                    "publish_until": publish_until,
                    "variant": variant,
                    "sku": sku,
                    "channel": channel,
                },
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_listing(self, listing: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Listing:
        """Show one listing."""
        return self._caller.call(
            GET_LISTING,
            Said(path={"listing": listing}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def change_listing(
        self,
        listing: int,
        *,
        is_available: bool | None = UNSAID,
        price: Decimal | int | str | None = UNSAID,
        prices: Mapping[str, Any] = UNSAID,
        title: str | None = UNSAID,
        description: str | None = UNSAID,
        attributes: Mapping[str, Any] | None = UNSAID,
        publish_from: dt.datetime | str | None = UNSAID,
        publish_until: dt.datetime | str | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.Listing:
        """Change a listing: its prices, its content, whether it is sold, and when."""
        return self._caller.call(
            CHANGE_LISTING,
            Said(
                path={"listing": listing},
                query={},
                body={
                    "is_available": is_available,
                    "price": price,
                    "prices": prices,
                    "title": title,
                    "description": description,
                    "attributes": attributes,
                    "publish_from": publish_from,
                    "publish_until": publish_until,
                },
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def remove_listing(self, listing: int, *, idempotency_key: str = "", if_match: str = "") -> None:
        """Take a listing off its channel. Refused where it is linked to a platform, which would go on selling it:
        switch it off there by `is_available` instead."""
        return self._caller.call(
            REMOVE_LISTING,
            Said(
                path={"listing": listing},
                query={},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def list_in_bulk(self, *, items: Sequence[shapes.ListingSaid], idempotency_key: str = "") -> shapes.AllListed:
        """List up to 1,000 variants, or change their listings, each by itself: what is refused spoils nothing else."""
        return self._caller.call(
            LIST_IN_BULK,
            Said(path={}, query={}, body={"items": items}, idempotency_key=new_idempotency_key(idempotency_key)),
        )


class Catalogue:
    """The calls of catalogue."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list_variants(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        sku: str | None = None,
        barcode: str | None = None,
        product: int | None = None,
        is_active: bool | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.CatalogueVariants:
        """List variants, or look one up by its SKU or barcode."""
        return self._caller.call(
            LIST_VARIANTS,
            Said(
                path={},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "sku": sku,
                    "barcode": barcode,
                    "product": product,
                    "is_active": is_active,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def get_variant(
        self, variant: int, *, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.CatalogueVariant:
        """Show one variant."""
        return self._caller.call(
            GET_VARIANT,
            Said(path={"variant": variant}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def change_variant(
        self,
        variant: int,
        *,
        sku: str | None = UNSAID,
        barcode: str | None = UNSAID,
        title: str | None = UNSAID,
        option_values: Mapping[str, str] | None = UNSAID,
        cost: Decimal | int | str | None = UNSAID,
        cost_currency: str | None = UNSAID,
        weight_grams: int | None = UNSAID,
        length_mm: int | None = UNSAID,
        width_mm: int | None = UNSAID,
        height_mm: int | None = UNSAID,
        origin_country: str | None = UNSAID,
        hs_code: str | None = UNSAID,
        tax_class: str | None = UNSAID,
        is_active: bool | None = UNSAID,
        prices: Mapping[str, Any] = UNSAID,
        components: Sequence[shapes.ComponentSaid] | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.CatalogueVariant:
        """Change a variant, its prices by currency, and what it consists of where it is a bundle."""
        return self._caller.call(
            CHANGE_VARIANT,
            Said(
                path={"variant": variant},
                query={},
                body={
                    "sku": sku,
                    "barcode": barcode,
                    "title": title,
                    "option_values": option_values,
                    "cost": cost,
                    "cost_currency": cost_currency,
                    "weight_grams": weight_grams,
                    "length_mm": length_mm,
                    "width_mm": width_mm,
                    "height_mm": height_mm,
                    "origin_country": origin_country,
                    "hs_code": hs_code,
                    "tax_class": tax_class,
                    "is_active": is_active,
                    "prices": prices,
                    "components": components,
                },
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def list_products(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        title: str | None = None,
        slug: str | None = None,
        category: int | None = None,
        status: Literal["draft", "active", "archived"] | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.CatalogueProducts:
        """List products with their variants."""
        return self._caller.call(
            LIST_PRODUCTS,
            Said(
                path={},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "title": title,
                    "slug": slug,
                    "category": category,
                    "status": status,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def open_product(
        self,
        *,
        title: str,
        slug: str | None = UNSAID,
        description: str | None = UNSAID,
        brand: str | None = UNSAID,
        category: int | None = UNSAID,
        options: Sequence[shapes.OptionSaid] | None = UNSAID,
        attributes: Mapping[str, Any] | None = UNSAID,
        status: Literal["draft", "active", "archived"] | None = UNSAID,
        images: Sequence[shapes.PictureSaid] | None = UNSAID,
        variants: Sequence[shapes.VariantSaid] = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.CatalogueProduct:
        """Make a product, with its variants and their prices. It is sold where its variants are listed."""
        return self._caller.call(
            OPEN_PRODUCT,
            Said(
                path={},
                query={},
                body={
                    "title": title,
                    "slug": slug,
                    "description": description,
                    "brand": brand,
                    "category": category,
                    "options": options,
                    "attributes": attributes,
                    "status": status,
                    "images": images,
                    "variants": variants,
                },
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_product(
        self, product: int, *, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.CatalogueProduct:
        """Show one product with its variants."""
        return self._caller.call(
            GET_PRODUCT,
            Said(path={"product": product}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def change_product(
        self,
        product: int,
        *,
        title: str | None = UNSAID,
        slug: str | None = UNSAID,
        description: str | None = UNSAID,
        brand: str | None = UNSAID,
        category: int | None = UNSAID,
        options: Sequence[shapes.OptionSaid] | None = UNSAID,
        attributes: Mapping[str, Any] | None = UNSAID,
        status: Literal["draft", "active", "archived"] | None = UNSAID,
        images: Sequence[shapes.PictureSaid] | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.CatalogueProduct:
        """Change a product, and its pictures where they are said. One that is archived is sold nowhere."""
        return self._caller.call(
            CHANGE_PRODUCT,
            Said(
                path={"product": product},
                query={},
                body={
                    "title": title,
                    "slug": slug,
                    "description": description,
                    "brand": brand,
                    "category": category,
                    "options": options,
                    "attributes": attributes,
                    "status": status,
                    "images": images,
                },
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def list_categories(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        slug: str | None = None,
        parent: int | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Categories:
        """List the categories of the merchant."""
        return self._caller.call(
            LIST_CATEGORIES,
            Said(
                path={},
                query={"limit": limit, "cursor": cursor, "slug": slug, "parent": parent, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def open_category(
        self, *, name: str, slug: str | None = UNSAID, parent: int | None = UNSAID, idempotency_key: str = ""
    ) -> shapes.Category:
        """Make a category."""
        return self._caller.call(
            OPEN_CATEGORY,
            Said(
                path={},
                query={},
                body={"name": name, "slug": slug, "parent": parent},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_category(self, category: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Category:
        """Show one category."""
        return self._caller.call(
            GET_CATEGORY,
            Said(path={"category": category}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def change_category(
        self,
        category: int,
        *,
        name: str | None = UNSAID,
        slug: str | None = UNSAID,
        parent: int | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.Category:
        """Change a category; null as `parent` puts it at the top."""
        return self._caller.call(
            CHANGE_CATEGORY,
            Said(
                path={"category": category},
                query={},
                body={"name": name, "slug": slug, "parent": parent},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def add_variant(
        self,
        product: int,
        *,
        sku: str,
        barcode: str | None = UNSAID,
        title: str | None = UNSAID,
        option_values: Mapping[str, str] | None = UNSAID,
        cost: Decimal | int | str | None = UNSAID,
        cost_currency: str | None = UNSAID,
        weight_grams: int | None = UNSAID,
        length_mm: int | None = UNSAID,
        width_mm: int | None = UNSAID,
        height_mm: int | None = UNSAID,
        origin_country: str | None = UNSAID,
        hs_code: str | None = UNSAID,
        tax_class: str | None = UNSAID,
        is_active: bool | None = UNSAID,
        prices: Mapping[str, Any] = UNSAID,
        components: Sequence[shapes.ComponentSaid] | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.CatalogueVariant:
        """Add a variant to a product. It is sold where it is listed."""
        return self._caller.call(
            ADD_VARIANT,
            Said(
                path={"product": product},
                query={},
                body={
                    "sku": sku,
                    "barcode": barcode,
                    "title": title,
                    "option_values": option_values,
                    "cost": cost,
                    "cost_currency": cost_currency,
                    "weight_grams": weight_grams,
                    "length_mm": length_mm,
                    "width_mm": width_mm,
                    "height_mm": height_mm,
                    "origin_country": origin_country,
                    "hs_code": hs_code,
                    "tax_class": tax_class,
                    "is_active": is_active,
                    "prices": prices,
                    "components": components,
                },
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )


class Customers:
    """The calls of customers."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def find_customers(
        self,
        *,
        email: str | None = None,
        phone: str | None = None,
        account: str | None = None,
        loyalty: str | None = None,
        device: str | None = None,
        country: str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.People:
        """Find the persons who are known by an e-mail address, a number or an id; at most twenty."""
        return self._caller.call(
            FIND_CUSTOMERS,
            Said(
                path={},
                query={
                    "email": email,
                    "phone": phone,
                    "account": account,
                    "loyalty": loyalty,
                    "device": device,
                    "country": country,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def get_customer(self, customer: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Profile:
        """Show the person of a profile over all channels: orders, spend, preferences, consents, journeys, next step."""
        return self._caller.call(
            GET_CUSTOMER,
            Said(path={"customer": customer}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def merge_customers(
        self, customer: int, *, other: int, reason: str = UNSAID, idempotency_key: str = ""
    ) -> shapes.Decided:
        """Say that two customers are one person. No row moves; unmerge gives both back exactly."""
        return self._caller.call(
            MERGE_CUSTOMERS,
            Said(
                path={"customer": customer},
                query={},
                body={"other": other, "reason": reason},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def unmerge_customers(
        self, customer: int, *, profiles: Sequence[int], reason: str = UNSAID, idempotency_key: str = ""
    ) -> shapes.Decided:
        """Say that some profiles are not the person of this one; it holds against evidence that comes later."""
        return self._caller.call(
            UNMERGE_CUSTOMERS,
            Said(
                path={"customer": customer},
                query={},
                body={"profiles": profiles, "reason": reason},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_preferences(
        self, customer: int, *, channel: int | None = None, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.Preferences:
        """Show what a person prefers, with the reason of each: said here, said elsewhere, shown by a platform,
        default."""
        return self._caller.call(
            GET_PREFERENCES,
            Said(
                path={"customer": customer},
                query={"channel": channel, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def set_preference(
        self,
        customer: int,
        name: str,
        *,
        channel: int,
        value: bool | int | str | None,
        at: dt.datetime | str | None = UNSAID,
        idempotency_key: str = "",
    ) -> None:
        """Write what a customer prefers on a channel; of two words the newer counts, whichever comes in first."""
        return self._caller.call(
            SET_PREFERENCE,
            Said(
                path={"customer": customer, "name": name},
                query={},
                body={"channel": channel, "value": value, "at": at},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def list_consents(
        self,
        customer: int,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.ConsentEntries:
        """List what a person agreed to and withdrew, the newest word first."""
        return self._caller.call(
            LIST_CONSENTS,
            Said(
                path={"customer": customer},
                query={"limit": limit, "cursor": cursor, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def say_consent(
        self,
        customer: int,
        *,
        purpose: str,
        is_granted: bool,
        channel: int | None = UNSAID,
        proof: Mapping[str, Any] = UNSAID,
        at: dt.datetime | str | None = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.ConsentEntry:
        """Write that a customer agrees to a purpose, or withdraws. Nothing in the ledger is ever changed."""
        return self._caller.call(
            SAY_CONSENT,
            Said(
                path={"customer": customer},
                query={},
                body={"purpose": purpose, "is_granted": is_granted, "channel": channel, "proof": proof, "at": at},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def preview_merge(
        self, customer: int, *, other: int, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.MergePreview:
        """Show what a merge would make of two persons, and what speaks against it; nothing is changed."""
        return self._caller.call(
            PREVIEW_MERGE,
            Said(
                path={"customer": customer},
                query={"other": other, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def list_merge_suggestions(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        state: Literal["open", "accepted", "rejected"] | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Suggestions:
        """List pairs of profiles that may be one person; those that wait for a decision, unless others are asked
        for."""
        return self._caller.call(
            LIST_MERGE_SUGGESTIONS,
            Said(
                path={},
                query={"limit": limit, "cursor": cursor, "state": state, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def accept_merge_suggestion(self, suggestion: int, *, idempotency_key: str = "") -> shapes.Suggestion:
        """Say that they are one person: they are merged. Unmerge gives both back exactly."""
        return self._caller.call(
            ACCEPT_MERGE_SUGGESTION,
            Said(path={"suggestion": suggestion}, query={}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def reject_merge_suggestion(
        self, suggestion: int, *, keep_apart: bool = UNSAID, idempotency_key: str = ""
    ) -> shapes.Suggestion:
        """Say that this is not enough to hold them for one person, or with `keep_apart` that they are two for good."""
        return self._caller.call(
            REJECT_MERGE_SUGGESTION,
            Said(
                path={"suggestion": suggestion},
                query={},
                body={"keep_apart": keep_apart},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_advice(
        self, customer: int, *, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.CustomerAdvice:
        """Show what to do next for the person of a profile, why, and what it is expected to bring. Nothing is
        decided by asking."""
        return self._caller.call(
            GET_ADVICE,
            Said(path={"customer": customer}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def get_recommendations(
        self,
        customer: int,
        *,
        channel: int | None = None,
        limit: int | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Recommendations:
        """Show goods that fit the person of a profile and that the channel can sell now, the best first."""
        return self._caller.call(
            GET_RECOMMENDATIONS,
            Said(
                path={"customer": customer},
                query={"channel": channel, "limit": limit, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )


class Privacy:
    """The calls of privacy."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def export_customer(
        self, customer: int, *, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.ExportOut:
        """Export all that is kept of a person, as JSON. That it was asked for is noted, as every export is."""
        return self._caller.call(
            EXPORT_CUSTOMER,
            Said(path={"customer": customer}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def foresee_erasure(
        self, customer: int, *, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.ForeseenOut:
        """Show what an erasure of a person would take, what would stay and why, and what it would wait for."""
        return self._caller.call(
            FORESEE_ERASURE,
            Said(path={"customer": customer}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def erase_customer(
        self,
        customer: int,
        *,
        profiles: Sequence[int],
        at_once: bool = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.RequestOut:
        """Erase a person for good, with all their profiles; the books stay. Name all profiles to confirm; where
        others are the person's now, nothing is erased (412)."""
        return self._caller.call(
            ERASE_CUSTOMER,
            Said(
                path={"customer": customer},
                query={},
                body={"profiles": profiles, "at_once": at_once},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def list_privacy_requests(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        kind: Literal["export", "erasure"] | None = None,
        state: Literal["waiting", "under_way", "ready", "done"] | None = None,
        customer: int | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.RequestsOut:
        """List the exports and erasures that were asked for, and what became of each."""
        return self._caller.call(
            LIST_PRIVACY_REQUESTS,
            Said(
                path={},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "kind": kind,
                    "state": state,
                    "customer": customer,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )


class Segments:
    """The calls of segments."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list_segments(self, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.SegmentsOut:
        """List all segments with how many persons are in each and what they are worth."""
        return self._caller.call(
            LIST_SEGMENTS, Said(path={}, query={"fields": fields}, headers={"If-None-Match": if_none_match})
        )

    def make_segment(self, *, name: str, rule: Mapping[str, Any], idempotency_key: str = "") -> shapes.SegmentOut:
        """Make a segment and find its members."""
        return self._caller.call(
            MAKE_SEGMENT,
            Said(
                path={},
                query={},
                body={"name": name, "rule": rule},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def list_segment_members(
        self,
        key: str,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Members:
        """List the persons of a segment, by number, with what each is worth."""
        return self._caller.call(
            LIST_SEGMENT_MEMBERS,
            Said(
                path={"key": key},
                query={"limit": limit, "cursor": cursor, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def get_segment(self, key: str, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.SegmentOut:
        """Show a segment with how many persons are in it and what they are worth."""
        return self._caller.call(
            GET_SEGMENT, Said(path={"key": key}, query={"fields": fields}, headers={"If-None-Match": if_none_match})
        )

    def change_segment(
        self,
        key: str,
        *,
        name: str | None = UNSAID,
        rule: Mapping[str, Any] | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.SegmentOut:
        """Give a segment another name, or another rule and find its members anew. Also the rule of a built-in one
        may be changed, but that of prospects."""
        return self._caller.call(
            CHANGE_SEGMENT,
            Said(
                path={"key": key},
                query={},
                body={"name": name, "rule": rule},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def delete_segment(self, key: str, *, idempotency_key: str = "") -> None:
        """Take a segment away, one that users made; platforms that know of it are told."""
        return self._caller.call(
            DELETE_SEGMENT, Said(path={"key": key}, query={}, idempotency_key=new_idempotency_key(idempotency_key))
        )

    def preview_segment(self, *, rule: Mapping[str, Any], idempotency_key: str = "") -> shapes.Looked:
        """Count how many persons fulfil a rule now; nothing is made."""
        return self._caller.call(
            PREVIEW_SEGMENT,
            Said(path={}, query={}, body={"rule": rule}, idempotency_key=new_idempotency_key(idempotency_key)),
        )


class Journeys:
    """The calls of journeys."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def start_journey(
        self,
        *,
        channel: int,
        intent: Literal["browse", "research", "purchase", "support", "return", "review"],
        customer: int | None = UNSAID,
        contact: shapes.ContactIn | None = UNSAID,
        started_at: dt.datetime | str | None = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Journey:
        """Start a journey. While it is open, what the customer does of that kind joins it; it ends by a call alone.
        A key that is bound to channels names by number whom these have met, and starts none more than an hour
        ago."""
        return self._caller.call(
            START_JOURNEY,
            Said(
                path={},
                query={},
                body={
                    "customer": customer,
                    "contact": contact,
                    "channel": channel,
                    "intent": intent,
                    "started_at": started_at,
                },
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def list_journeys(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        customer: int | None = None,
        channel: int | None = None,
        state: Literal["open", "completed", "abandoned"] | None = None,
        intent: Literal["browse", "research", "purchase", "support", "return", "review"] | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Journeys:
        """List journeys, the one that began last first."""
        return self._caller.call(
            LIST_JOURNEYS,
            Said(
                path={},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "customer": customer,
                    "channel": channel,
                    "state": state,
                    "intent": intent,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def get_journey(self, journey: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Journey:
        """Show one journey."""
        return self._caller.call(
            GET_JOURNEY,
            Said(path={"journey": journey}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def list_touchpoints(
        self,
        journey: int,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Touchpoints:
        """List the steps of a journey in the order in which they happened. A key that is bound to channels sees
        those that happened there."""
        return self._caller.call(
            LIST_TOUCHPOINTS,
            Said(
                path={"journey": journey},
                query={"limit": limit, "cursor": cursor, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def add_touchpoint(
        self,
        journey: int,
        *,
        channel: int,
        action: str,
        occurred_at: dt.datetime | str | None = UNSAID,
        interaction: int | None = UNSAID,
        data: Mapping[str, Any] = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.Journey:
        """Add a step to a journey that was started by a call and is open, on this or another channel."""
        return self._caller.call(
            ADD_TOUCHPOINT,
            Said(
                path={"journey": journey},
                query={},
                body={
                    "channel": channel,
                    "action": action,
                    "occurred_at": occurred_at,
                    "interaction": interaction,
                    "data": data,
                },
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def complete_journey(
        self,
        journey: int,
        *,
        outcome: str = UNSAID,
        order: int | None = UNSAID,
        at: dt.datetime | str | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.Journey:
        """End a journey with what it was for. Ending it again with the same outcome changes nothing."""
        return self._caller.call(
            COMPLETE_JOURNEY,
            Said(
                path={"journey": journey},
                query={},
                body={"outcome": outcome, "order": order, "at": at},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def abandon_journey(
        self,
        journey: int,
        *,
        outcome: str = UNSAID,
        at: dt.datetime | str | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.Journey:
        """End a journey without what it was for."""
        return self._caller.call(
            ABANDON_JOURNEY,
            Said(
                path={"journey": journey},
                query={},
                body={"outcome": outcome, "at": at},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )


class Interactions:
    """The calls of interactions."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def record_interaction(
        self,
        *,
        channel: int,
        type: Literal[
            "page_view",
            "product_view",
            "search",
            "add_to_cart",
            "remove_from_cart",
            "checkout_start",
            "checkout_complete",
            "cart_abandonment",
            "wishlist_add",
            "review_submit",
            "customer_service",
            "email_open",
            "email_click",
            "social_engagement",
            "store_visit",
            "phone_call",
        ],
        customer: int | None = UNSAID,
        contact: shapes.ContactIn | None = UNSAID,
        occurred_at: dt.datetime | str | None = UNSAID,
        message_id: str = UNSAID,
        context: Mapping[str, Any] = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Recorded:
        """Tell one thing that a customer did. 201 when it is stored now, 200 when its message_id came before. A key
        that is bound to channels names by number whom these have met."""
        return self._caller.call(
            RECORD_INTERACTION,
            Said(
                path={},
                query={},
                body={
                    "customer": customer,
                    "contact": contact,
                    "channel": channel,
                    "type": type,
                    "occurred_at": occurred_at,
                    "message_id": message_id,
                    "context": context,
                },
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def list_interactions(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        customer: int | None = None,
        channel: int | None = None,
        type: Literal[
            "page_view",
            "product_view",
            "search",
            "add_to_cart",
            "remove_from_cart",
            "checkout_start",
            "checkout_complete",
            "cart_abandonment",
            "wishlist_add",
            "review_submit",
            "customer_service",
            "email_open",
            "email_click",
            "social_engagement",
            "store_visit",
            "phone_call",
        ]
        | None = None,
        since: dt.datetime | str | None = None,
        until: dt.datetime | str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Interactions:
        """List what a customer did, or what was done on a channel, the newest first."""
        return self._caller.call(
            LIST_INTERACTIONS,
            Said(
                path={},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "customer": customer,
                    "channel": channel,
                    "type": type,
                    "since": since,
                    "until": until,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def record_interactions(
        self, *, interactions: Sequence[shapes.InteractionIn], idempotency_key: str = ""
    ) -> shapes.BatchRecorded:
        """Tell up to 500 things at once. Each has its own outcome; what is refused spoils nothing else. A key that
        is bound to channels names by number whom these have met before."""
        return self._caller.call(
            RECORD_INTERACTIONS,
            Said(
                path={},
                query={},
                body={"interactions": interactions},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )


class Carts:
    """The calls of carts."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def open_cart(
        self,
        *,
        channel: int,
        customer: int | None = UNSAID,
        contact: shapes.ContactIn | None = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Cart:
        """Open an empty cart on a channel. It shows what its person has put into carts elsewhere, too."""
        return self._caller.call(
            OPEN_CART,
            Said(
                path={},
                query={},
                body={"channel": channel, "customer": customer, "contact": contact},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_cart(self, token: UUID | str, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Cart:
        """Show a cart with the prices and the stock of its channel as they are now, and what is different."""
        return self._caller.call(
            GET_CART, Said(path={"token": token}, query={"fields": fields}, headers={"If-None-Match": if_none_match})
        )

    def add_to_cart(
        self,
        token: UUID | str,
        *,
        variant: int | None = UNSAID,
        sku: str = UNSAID,
        quantity: int = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Cart:
        """Put units of a variant into a cart, on top of those that it shows."""
        return self._caller.call(
            ADD_TO_CART,
            Said(
                path={"token": token},
                query={},
                body={"variant": variant, "sku": sku, "quantity": quantity},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def change_cart(self, token: UUID | str, variant: int, *, quantity: int, idempotency_key: str = "") -> shapes.Cart:
        """Make a cart hold so many units of a variant."""
        return self._caller.call(
            CHANGE_CART,
            Said(
                path={"token": token, "variant": variant},
                query={},
                body={"quantity": quantity},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def remove_from_cart(self, token: UUID | str, variant: int, *, idempotency_key: str = "") -> shapes.Cart:
        """Take a variant out of a cart, on whatever device it was put in."""
        return self._caller.call(
            REMOVE_FROM_CART,
            Said(
                path={"token": token, "variant": variant},
                query={},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def claim_cart(
        self,
        token: UUID | str,
        *,
        customer: int | None = UNSAID,
        contact: shapes.ContactIn | None = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Cart:
        """Give a cart that is nobody's to a customer: from then on it is one with all other carts of theirs."""
        return self._caller.call(
            CLAIM_CART,
            Said(
                path={"token": token},
                query={},
                body={"customer": customer, "contact": contact},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def hold_cart(self, token: UUID | str, *, idempotency_key: str = "") -> shapes.Cart:
        """Hold the goods of a cart for the channel's minutes, in place of an earlier hold. Refused if they do not
        fit."""
        return self._caller.call(
            HOLD_CART, Said(path={"token": token}, query={}, idempotency_key=new_idempotency_key(idempotency_key))
        )

    def release_cart(self, token: UUID | str, *, idempotency_key: str = "") -> shapes.Cart:
        """Give back what is held for a cart; it keeps its lines."""
        return self._caller.call(
            RELEASE_CART, Said(path={"token": token}, query={}, idempotency_key=new_idempotency_key(idempotency_key))
        )

    def check_out_cart(
        self,
        token: UUID | str,
        *,
        name: str = UNSAID,
        email: str = UNSAID,
        phone: str = UNSAID,
        shipping_address: shapes.AddressIn | None = UNSAID,
        billing_address: shapes.AddressIn | None = UNSAID,
        tip: Decimal | int | str = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Ordered:
        """Order what a cart shows, exactly once: the second time the same order is answered, on whatever device. It
        is unpaid, and of the goods alone, without the channel's delivery fee; refused where goods do not fit or
        are not sold."""
        return self._caller.call(
            CHECK_OUT_CART,
            Said(
                path={"token": token},
                query={},
                body={
                    "name": name,
                    "email": email,
                    "phone": phone,
                    "shipping_address": shipping_address,
                    "billing_address": billing_address,
                    "tip": tip,
                },
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_cart_of_customer(
        self, customer: int, *, channel: int, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.CartContent:
        """Show the one cart of a person as a channel has it: what they put in anywhere, and what is different there."""
        return self._caller.call(
            GET_CART_OF_CUSTOMER,
            Said(
                path={"customer": customer},
                query={"channel": channel, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def take_cart_over(
        self,
        customer: int,
        *,
        channel: int,
        name: str = UNSAID,
        email: str = UNSAID,
        phone: str = UNSAID,
        shipping_address: shapes.AddressIn | None = UNSAID,
        billing_address: shapes.AddressIn | None = UNSAID,
        tip: Decimal | int | str = UNSAID,
        chosen: Sequence[shapes.ChosenSaid] | None = UNSAID,
        agreed: Decimal | int | str | None = UNSAID,
        handed_over: bool = UNSAID,
        idempotency_key: str = "",
    ) -> shapes.Ordered:
        """Order the cart of a person on a channel of staff, all of it or what was chosen, at what was agreed. What
        is not taken stays in their carts."""
        return self._caller.call(
            TAKE_CART_OVER,
            Said(
                path={"customer": customer},
                query={},
                body={
                    "name": name,
                    "email": email,
                    "phone": phone,
                    "shipping_address": shipping_address,
                    "billing_address": billing_address,
                    "tip": tip,
                    "channel": channel,
                    "chosen": chosen,
                    "agreed": agreed,
                    "handed_over": handed_over,
                },
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )


class Figures:
    """The calls of figures."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list_figures(
        self,
        *,
        since: dt.date | str | None = None,
        until: dt.date | str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.AllFigures:
        """Show the figures of every channel over some days."""
        return self._caller.call(
            LIST_FIGURES,
            Said(
                path={},
                query={"since": since, "until": until, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def get_metrics(
        self,
        *,
        channel: int,
        since: dt.date | str | None = None,
        until: dt.date | str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Metrics:
        """Show the figures of one channel over some days, each person counted once."""
        return self._caller.call(
            GET_METRICS,
            Said(
                path={},
                query={"since": since, "until": until, "channel": channel, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def list_daily_figures(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        channel: int | None = None,
        since: dt.date | str | None = None,
        until: dt.date | str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.DailyRows:
        """List the figures of single days, the oldest first: a row for each channel, day and currency."""
        return self._caller.call(
            LIST_DAILY_FIGURES,
            Said(
                path={},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "channel": channel,
                    "since": since,
                    "until": until,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def compare_figures(
        self,
        *,
        channel: int,
        since: dt.date | str | None = None,
        until: dt.date | str | None = None,
        other: int | None = None,
        before: dt.date | str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.SideBySide:
        """Show a channel beside another one over the same days, or beside itself in an earlier period, with a
        verdict on each rate: a difference is only called one where chance alone would hardly make it."""
        return self._caller.call(
            COMPARE_FIGURES,
            Said(
                path={},
                query={
                    "since": since,
                    "until": until,
                    "channel": channel,
                    "other": other,
                    "before": before,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )

    def list_journey_figures(
        self,
        *,
        since: dt.date | str | None = None,
        until: dt.date | str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.JourneyRows:
        """Show what became of the journeys that began in some days, by channel and intent."""
        return self._caller.call(
            LIST_JOURNEY_FIGURES,
            Said(
                path={},
                query={"since": since, "until": until, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def list_health(self, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.ChannelWords:
        """Show how every channel is doing, held against what is usual for it."""
        return self._caller.call(
            LIST_HEALTH, Said(path={}, query={"fields": fields}, headers={"If-None-Match": if_none_match})
        )


class Integrations:
    """The calls of integrations."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list_platforms(self, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.PlatformsOut:
        """List the platforms that can be connected, with the secrets and settings that each asks for."""
        return self._caller.call(
            LIST_PLATFORMS, Said(path={}, query={"fields": fields}, headers={"If-None-Match": if_none_match})
        )

    def list_integrations(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        channel: int | None = None,
        status: Literal["new", "active", "paused", "needs_attention", "disconnected"] | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Integrations:
        """List the accounts on platforms, each with one honest word on how it is doing, and why."""
        return self._caller.call(
            LIST_INTEGRATIONS,
            Said(
                path={},
                query={"limit": limit, "cursor": cursor, "channel": channel, "status": status, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def open_integration(
        self, *, platform: str, label: str = UNSAID, channel: int | None = UNSAID, idempotency_key: str = ""
    ) -> shapes.AccountInFull:
        """Add an account that is not connected yet."""
        return self._caller.call(
            OPEN_INTEGRATION,
            Said(
                path={},
                query={},
                body={"platform": platform, "label": label, "channel": channel},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_integration(
        self, integration: int, *, fields: Sequence[str] = (), if_none_match: str = ""
    ) -> shapes.AccountInFull:
        """Show an account: its health with the reason, and what its runs of the last 30 days came to."""
        return self._caller.call(
            GET_INTEGRATION,
            Said(path={"integration": integration}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def connect_integration(
        self, integration: int, *, credentials: Mapping[str, str], idempotency_key: str = ""
    ) -> shapes.AccountInFull:
        """Take over the credentials of an account once the platform has confirmed them; they are never shown again.
        What is kept already need not be said again."""
        return self._caller.call(
            CONNECT_INTEGRATION,
            Said(
                path={"integration": integration},
                query={},
                body={"credentials": credentials},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def test_integration(self, integration: int, *, idempotency_key: str = "") -> shapes.PlatformWords:
        """Ask the platform now whose account it is."""
        return self._caller.call(
            TEST_INTEGRATION,
            Said(path={"integration": integration}, query={}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def sync_integration(self, integration: int, *, idempotency_key: str = "") -> shapes.AccountInFull:
        """Have a worker pull and push everything now; its runs are listed under the account."""
        return self._caller.call(
            SYNC_INTEGRATION,
            Said(path={"integration": integration}, query={}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def pause_integration(self, integration: int, *, reason: str, idempotency_key: str = "") -> shapes.AccountInFull:
        """Neither pull nor push until it is resumed; webhooks are still stored."""
        return self._caller.call(
            PAUSE_INTEGRATION,
            Said(
                path={"integration": integration},
                query={},
                body={"reason": reason},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def resume_integration(self, integration: int, *, idempotency_key: str = "") -> shapes.AccountInFull:
        """Go on with an account that was paused, or needed attention; what waited goes out."""
        return self._caller.call(
            RESUME_INTEGRATION,
            Said(path={"integration": integration}, query={}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def start_pushing(self, integration: int, *, idempotency_key: str = "") -> shapes.AccountInFull:
        """Tell the platform from now on what changes here."""
        return self._caller.call(
            START_PUSHING,
            Said(path={"integration": integration}, query={}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def disconnect_integration(self, integration: int, *, idempotency_key: str = "") -> shapes.AccountInFull:
        """Forget the secrets and tell the platform nothing more; orders, links and the trail stay."""
        return self._caller.call(
            DISCONNECT_INTEGRATION,
            Said(path={"integration": integration}, query={}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def list_runs(
        self,
        integration: int,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        stream: str | None = None,
        outcome: Literal["done", "partly", "failed"] | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.SyncRuns:
        """List the runs of an account; those that failed with what went wrong."""
        return self._caller.call(
            LIST_RUNS,
            Said(
                path={"integration": integration},
                query={"limit": limit, "cursor": cursor, "stream": stream, "outcome": outcome, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def list_letters(
        self,
        integration: int,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        settled: bool | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.AllSetAside:
        """List the records that could not be taken or sent, with the reason."""
        return self._caller.call(
            LIST_LETTERS,
            Said(
                path={"integration": integration},
                query={"limit": limit, "cursor": cursor, "settled": settled, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def replay_letter(self, integration: int, letter: int, *, idempotency_key: str = "") -> shapes.SetAside:
        """Try a record again, as the platform holds it now; the letter is settled when it is taken."""
        return self._caller.call(
            REPLAY_LETTER,
            Said(
                path={"integration": integration, "letter": letter},
                query={},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def drop_letter(self, integration: int, letter: int, *, idempotency_key: str = "") -> shapes.SetAside:
        """Close a letter without trying again: somebody has dealt with it."""
        return self._caller.call(
            DROP_LETTER,
            Said(
                path={"integration": integration, "letter": letter},
                query={},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def report_drift(
        self,
        integration: int,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.DriftReport:
        """List the listings that showed another number than they should, with what was told, shown and right."""
        return self._caller.call(
            REPORT_DRIFT,
            Said(
                path={"integration": integration},
                query={"limit": limit, "cursor": cursor, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )


class Webhooks:
    """The calls of webhooks."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list_webhook_topics(self, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.TopicsOut:
        """List what an endpoint can hear of."""
        return self._caller.call(
            LIST_WEBHOOK_TOPICS, Said(path={}, query={"fields": fields}, headers={"If-None-Match": if_none_match})
        )

    def list_webhooks(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.Endpoints:
        """List the endpoints."""
        return self._caller.call(
            LIST_WEBHOOKS,
            Said(
                path={},
                query={"limit": limit, "cursor": cursor, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def open_webhook(
        self, *, url: str, topics: Sequence[str], description: str = UNSAID, idempotency_key: str = ""
    ) -> shapes.EndpointWithSecret:
        """Open an endpoint. Its secret is in this answer, and never shown again."""
        return self._caller.call(
            OPEN_WEBHOOK,
            Said(
                path={},
                query={},
                body={"url": url, "topics": topics, "description": description},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def get_webhook(self, webhook: int, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.Endpoint:
        """Show an endpoint."""
        return self._caller.call(
            GET_WEBHOOK,
            Said(path={"webhook": webhook}, query={"fields": fields}, headers={"If-None-Match": if_none_match}),
        )

    def change_webhook(
        self,
        webhook: int,
        *,
        url: str | None = UNSAID,
        topics: Sequence[str] | None = UNSAID,
        description: str | None = UNSAID,
        idempotency_key: str = "",
        if_match: str = "",
    ) -> shapes.Endpoint:
        """Let an endpoint hear elsewhere, or of something else."""
        return self._caller.call(
            CHANGE_WEBHOOK,
            Said(
                path={"webhook": webhook},
                query={},
                body={"url": url, "topics": topics, "description": description},
                headers={"If-Match": if_match},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def delete_webhook(self, webhook: int, *, idempotency_key: str = "") -> None:
        """Delete an endpoint and the log of what it was told."""
        return self._caller.call(
            DELETE_WEBHOOK,
            Said(path={"webhook": webhook}, query={}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def rotate_webhook_secret(self, webhook: int, *, idempotency_key: str = "") -> shapes.EndpointWithSecret:
        """Give an endpoint a new secret, shown this once; for two days deliveries are signed with the old one, too."""
        return self._caller.call(
            ROTATE_WEBHOOK_SECRET,
            Said(path={"webhook": webhook}, query={}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def disable_webhook(self, webhook: int, *, reason: str = UNSAID, idempotency_key: str = "") -> shapes.Endpoint:
        """Let an endpoint hear nothing until it is enabled; what was on its way to it waits."""
        return self._caller.call(
            DISABLE_WEBHOOK,
            Said(
                path={"webhook": webhook},
                query={},
                body={"reason": reason},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )

    def enable_webhook(self, webhook: int, *, idempotency_key: str = "") -> shapes.Endpoint:
        """Let an endpoint hear again; what waited goes out."""
        return self._caller.call(
            ENABLE_WEBHOOK,
            Said(path={"webhook": webhook}, query={}, idempotency_key=new_idempotency_key(idempotency_key)),
        )

    def list_webhook_deliveries(
        self,
        webhook: int,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        state: Literal["waiting", "delivered", "failed"] | None = None,
        topic: str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.WebhookDeliveries:
        """List what an endpoint was told, or is to be."""
        return self._caller.call(
            LIST_WEBHOOK_DELIVERIES,
            Said(
                path={"webhook": webhook},
                query={"limit": limit, "cursor": cursor, "state": state, "topic": topic, "fields": fields},
                headers={"If-None-Match": if_none_match},
            ),
        )

    def replay_webhook_deliveries(
        self, webhook: int, *, deliveries: Sequence[int], idempotency_key: str = ""
    ) -> shapes.TellingsSent:
        """Send what an endpoint was told, or missed, once more, under the same message ids."""
        return self._caller.call(
            REPLAY_WEBHOOK_DELIVERIES,
            Said(
                path={"webhook": webhook},
                query={},
                body={"deliveries": deliveries},
                idempotency_key=new_idempotency_key(idempotency_key),
            ),
        )


class Keys:
    """The calls of keys."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def get_key(self, *, fields: Sequence[str] = (), if_none_match: str = "") -> shapes.KeyOut:
        """Show the key that asks: what it may do, where, how fast, and until when. Every key may ask that."""
        return self._caller.call(
            GET_KEY, Said(path={}, query={"fields": fields}, headers={"If-None-Match": if_none_match})
        )

    def rotate_key(self, *, grace_days: int = UNSAID, idempotency_key: str = "") -> shapes.KeyWithSecret:
        """Put another key in the place of the one that asks; it may do the same, and is shown in this answer alone."""
        return self._caller.call(
            ROTATE_KEY,
            Said(
                path={}, query={}, body={"grace_days": grace_days}, idempotency_key=new_idempotency_key(idempotency_key)
            ),
        )


class Audit:
    """The calls of audit."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def list_audit(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        key: int | None = None,
        operation: str | None = None,
        since: dt.datetime | str | None = None,
        until: dt.datetime | str | None = None,
        fields: Sequence[str] = (),
        if_none_match: str = "",
    ) -> shapes.AuditLines:
        """List what programs did: every write is noted, for good."""
        return self._caller.call(
            LIST_AUDIT,
            Said(
                path={},
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "key": key,
                    "operation": operation,
                    "since": since,
                    "until": until,
                    "fields": fields,
                },
                headers={"If-None-Match": if_none_match},
            ),
        )


class Resources:
    """All resources."""

    def __init__(self, caller: Caller) -> None:
        self.stock = Stock(caller)
        self.orders = Orders(caller)
        self.channels = Channels(caller)
        self.listings = Listings(caller)
        self.catalogue = Catalogue(caller)
        self.customers = Customers(caller)
        self.privacy = Privacy(caller)
        self.segments = Segments(caller)
        self.journeys = Journeys(caller)
        self.interactions = Interactions(caller)
        self.carts = Carts(caller)
        self.figures = Figures(caller)
        self.integrations = Integrations(caller)
        self.webhooks = Webhooks(caller)
        self.keys = Keys(caller)
        self.audit = Audit(caller)
