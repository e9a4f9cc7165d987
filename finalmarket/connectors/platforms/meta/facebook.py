"""Facebook: the catalogue that shops on Facebook and Instagram sell from, orders of its own checkout, conversions."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import quote, urlencode

import httpx2

from finalmarket.connectors.answers import fields_in
from finalmarket.connectors.contract import (
    Authorizes,
    Checked,
    PullsListings,
    PullsOrders,
    PullsStock,
    PushesFulfilments,
    PushesListings,
    PushesPrices,
    PushesStock,
    Setting,
)
from finalmarket.connectors.errors import NeedsAttention, NotSupported, Rejected, Unintelligible
from finalmarket.connectors.moments import zoned
from finalmarket.connectors.paging import in_parts, read_one
from finalmarket.connectors.platforms.meta import conversions, goods, orders
from finalmarket.connectors.platforms.meta.graph import PROOF, VERSION, Graph, in_order
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import (
    Event,
    FulfilmentNotice,
    ListingContent,
    ListingRecord,
    ListingRef,
    OrderRecord,
    Page,
    PriceLevel,
    Raw,
    StockLevel,
    StockRecord,
)
from finalmarket.connectors.signing import hmac_hex
from finalmarket.connectors.talk import AnalyticsEvent, InteractionRecord, SendsEvents

DIALOG = f"https://www.facebook.com/{VERSION}/dialog/oauth"
TOKEN = f"/{VERSION}/oauth/access_token"
SCOPES = (
    "business_management", "catalog_management", "commerce_account_read_orders", "commerce_account_manage_orders",
    "ads_management", "pages_manage_metadata", "pages_read_user_content",
)  # fmt: skip


class Facebook(
    Graph, PullsOrders, PullsListings, PullsStock, PushesStock, PushesPrices, PushesListings, PushesFulfilments,
    SendsEvents, Authorizes,
):  # fmt: skip
    """One catalogue with its commerce account, pixel and page."""

    # Who we are.

    slug = "facebook"
    name = "Facebook"
    kind = "social_commerce"
    docs = "https://developers.facebook.com/docs/graph-api"
    base_url = "https://graph.facebook.com"
    rate = Rate(calls=5)
    rates: ClassVar[Mapping[str, Rate]] = {goods.ASKING: Rate(calls=1, per_seconds=2, burst=1)}
    secrets = ("access_token", "app_secret")
    optional_secrets = ("verify_token",)
    settings = (
        Setting("app_id", "App id", "Of your app at developers.facebook.com"),
        Setting("catalog_id", "Catalogue id", "In Commerce Manager, Catalogue, Settings"),
        Setting("commerce_id", "Commerce account id", "Where checkout on Facebook is open to you", False),
        Setting("pixel_id", "Dataset (pixel) id", "To tell events of customers", False),
        Setting("page_id", "Page id", "To hear of comments", False),
        Setting("link", "Address of an article", "Of new items; {sku} is put in: https://shop.example/{sku}", False),
    )
    former_names = ("Facebook Marketplace",)
    described_in = ("facebook",)
    checked_against = Checked("published description", on="2026-11-25")

    stock_read_limit: ClassVar[int] = 50
    stock_batch_limit: ClassVar[int] = goods.BATCH
    price_batch_limit: ClassVar[int] = goods.BATCH
    listing_batch_limit: ClassVar[int] = 500
    event_batch_limit: ClassVar[int] = 1000
    most_event_age = timedelta(days=7)

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """See Connector: the token, and the proof that whoever holds it holds the app's secret too."""
        return _Proven(self.account.secrets.get("access_token", ""), self.account.secrets.get("app_secret", ""))

    def check(self) -> str:
        """See Connector."""
        asked = {"fields": "id,name,product_count"}
        told = fields_in(self.http.call("GET", self.path("catalog_id"), params=asked), "id")
        return f"{told.get('name') or told['id']} ({told.get('product_count', 'no')} items)"

    def path(self, setting: str, edge: str = "") -> str:
        """The path of a node that the settings name. Raises NotSupported where they do not."""
        name = self.account.settings.get(setting, "")
        if not name:
            label = next(one.label for one in self.settings if one.name == setting)
            raise NotSupported(f"the settings of this account do not say: {label}")
        return f"/{VERSION}/{quote(name, safe='')}{edge and '/' + edge}"

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """See Authorizes."""
        query = {
            "client_id": self.account.settings.get("app_id", ""), "redirect_uri": redirect_uri, "state": state,
            "response_type": "code", "scope": ",".join(SCOPES),
        }  # fmt: skip
        return f"{self.address(DIALOG)}?{urlencode(query)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """See Authorizes: the code gives a token of an hour, which gives one of sixty days."""
        if not query.get("code"):
            raise NeedsAttention("Facebook sent no authorization code back: connect the account anew")
        short = self._token({"redirect_uri": redirect_uri, "code": query["code"]})
        return {"access_token": self._token({"grant_type": "fb_exchange_token", "fb_exchange_token": short})}

    def _token(self, more: Mapping[str, str]) -> str:
        client = {
            "client_id": self.account.settings.get("app_id", ""),
            "client_secret": self.account.secrets.get("app_secret", ""),
        }
        told = self.token_answer("GET", TOKEN, params={**client, **more})
        if not isinstance(told.get("access_token"), str) or not told["access_token"]:
            raise NeedsAttention("Facebook gave no access token: connect the account anew")
        self._scrub.learn([told["access_token"]])
        return str(told["access_token"])

    # What comes in.

    def pull_orders(self, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
        """See PullsOrders. Facebook gives them in no order it names: all that changed are read, then put in order."""
        yield from in_order(
            orders.changed(self.rows, self.path("commerce_id", "commerce_orders"), cursor, since),
            lambda raw: zoned(raw["last_updated"]), orders.order_of, cursor, since, orders.PAGE,
        )  # fmt: skip

    def pull_order(self, external_id: str) -> OrderRecord | None:
        """See PullsOrders."""
        told = self.node(quote(external_id, safe=""), {"fields": orders.FIELDS})
        return None if told is None else read_one(told, orders.order_of)

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        """See PullsListings."""
        yield from goods.pull_listings(self.http.call, self.path("catalog_id", "products"), cursor)

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        """See PullsStock."""
        return goods.pull_stock(self.rows, self.path("catalog_id", "products"), refs) if refs else []

    # What goes out.

    def push_stock(self, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
        """See PushesStock."""
        return self._tell([(level.ref.key, goods.stock_of(level)) for level in levels])

    def push_prices(self, levels: Sequence[PriceLevel]) -> Sequence[Rejected]:
        """See PushesPrices."""
        return self._tell([(level.ref.key, goods.price_of(level)) for level in levels])

    def push_listings(self, contents: Sequence[ListingContent]) -> Sequence[ListingRef | Rejected]:
        """See PushesListings: an item is named by our article number, and made where it is not there yet."""
        link = self.account.settings.get("link", "")
        told = [goods.item_of(content, link) for content in contents]
        items = [(str(one["id"]), one) for one in told if not isinstance(one, Rejected)]
        refused = {one.key: one for one in self._tell(items, is_new=True)}
        results: list[ListingRef | Rejected] = []
        for content, one in zip(contents, told, strict=True):
            if isinstance(one, Rejected):
                results.append(one)
                continue
            fault, name = refused.get(str(one["id"])), str(one["id"])
            results.append(
                Rejected(fault.reason, key=content.ref.key, code=fault.code) if fault else
                ListingRef(key=name, sku=content.ref.sku or name, ids={"retailer_id": name})
            )  # fmt: skip
        return results

    def _tell(self, items: Sequence[tuple[str, Raw]], *, is_new: bool = False) -> list[Rejected]:
        if not items:
            return []
        catalog = self.path("catalog_id")
        return [
            fault
            for some in in_parts(items, goods.BATCH)
            for fault in goods.tell(self.http.call, catalog, some, is_new=is_new)
        ]

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        """See PushesFulfilments: Facebook gives a parcel no name in its answer."""
        path = f"/{VERSION}/{quote(notice.order_id, safe='')}/shipments"
        answer = fields_in(self.http.call("POST", path, json=orders.shipment_of(notice), repeatable=True))
        if not (answer.get("success") or answer.get("id")):
            raise Unintelligible("Facebook does not say that the parcel was taken down")
        return ""

    def send_events(self, events: Sequence[AnalyticsEvent]) -> Sequence[Rejected]:
        """See SendsEvents: of those who agreed to advertising alone."""
        if not events:
            return []
        return conversions.send(self.http.call, self.path("pixel_id", "events"), events, self.most_event_age)

    # Webhooks: what is said below the posts of the page. Orders have no topic: they are asked for.

    webhook_topics = ("feed",)
    webhook_object = "page"

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks: the app tells where to, the page that it wants to."""
        app, secret = self.account.settings.get("app_id", ""), self.account.secrets.get("app_secret", "")
        told = fields_in(self.http.call("GET", self.path("page_id"), params={"fields": "access_token"}))
        token = told.get("access_token")
        if not isinstance(token, str) or not token:
            raise NeedsAttention("Facebook gives no token of the page: the person has to manage it")
        self._scrub.learn([token])
        entry = {
            "object": self.webhook_object, "callback_url": url, "fields": ",".join(self.webhook_topics),
            "verify_token": self.verify_token(url),
        }  # fmt: skip
        self._post_as(f"{app}|{secret}", self.path("app_id", "subscriptions"), entry)
        self._post_as(token, self.path("page_id", "subscribed_apps"), {"subscribed_fields": entry["fields"]})
        return {}

    def _post_as(self, token: str, path: str, form: Mapping[str, str]) -> None:
        proof = hmac_hex(self.account.secrets.get("app_secret", "").encode(), token.encode()).decode()
        answer = self.http.call(
            "POST", path, form=form, params={PROOF: proof}, headers={"Authorization": f"Bearer {token}"},
            is_authorized=False, repeatable=True,
        )  # fmt: skip
        if fields_in(answer).get("success") is not True:
            raise Unintelligible("Facebook does not say that the subscription stands")

    def event_of(self, entry: Raw, change: Raw, event_id: str) -> Event:
        """A comment that was left comes along; other changes of the page are none of ours."""
        value, topic = change["value"], str(change["field"])
        if topic not in self.webhook_topics or value.get("item") != "comment" or value.get("verb") != "add":
            return Event(event_id=event_id, topic=topic, kind="unknown")
        author, at = value.get("from") or {}, datetime.fromtimestamp(int(value["created_time"]), UTC)
        record = InteractionRecord(
            external_id=str(value["comment_id"]), kind="social_engagement", at=at, raw=value,
            customer_id=str(author.get("id") or ""), url=f"https://www.facebook.com/{value['comment_id']}",
        )  # fmt: skip
        return Event(
            event_id=f"comment-{record.external_id}", topic=topic, kind="interactions", occurred_at=at,
            external_id=record.external_id, record=record,
        )  # fmt: skip


class _Proven(httpx2.Auth):
    """A token in the header, and its HMAC under the app secret in the query (`appsecret_proof`)."""

    def __init__(self, token: str, app_secret: str) -> None:
        self._token, self._app_secret = token, app_secret

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Put both on."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        if self._app_secret:
            proof = hmac_hex(self._app_secret.encode(), self._token.encode()).decode()
            request.url = request.url.copy_merge_params({PROOF: proof})
        yield request
