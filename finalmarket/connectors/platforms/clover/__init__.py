"""Clover: tills and online orders, inventory, customers and refunds over REST API v3 and the Ecommerce API.

Clover publishes no description; objects are those of its own SDK (com.clover.sdk.v3), calls those of its reference
(https://docs.clover.com/dev/reference). Beside this file: words.py (from its words to ours), hooks.py (webhooks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import httpx2

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.auth import TokenAuth, TokenRequest, bearer
from finalmarket.connectors.code_exchange import kept_of, tokens_for_code
from finalmarket.connectors.contract import (
    Authorizes,
    Checked,
    Connector,
    ErasesCustomers,
    PullsCustomers,
    PullsListings,
    PullsOrders,
    PullsStock,
    PushesCustomers,
    PushesListings,
    PushesPrices,
    PushesRefunds,
    PushesStock,
    ReceivesWebhooks,
    Setting,
)
from finalmarket.connectors.deliveries import read_delivery
from finalmarket.connectors.errors import NeedsAttention, NotSupported, Rejected
from finalmarket.connectors.http import Answer
from finalmarket.connectors.money import from_minor, to_minor
from finalmarket.connectors.paging import READING_ERRORS, read_each, read_one
from finalmarket.connectors.platforms.clover import hooks, words
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import (
    CustomerContent,
    CustomerRecord,
    Delivery,
    Event,
    ListingContent,
    ListingRecord,
    ListingRef,
    OrderRecord,
    Page,
    PriceLevel,
    Raw,
    RefundNotice,
    StockLevel,
    StockRecord,
)
from finalmarket.connectors.refusals import refused_as, taken, tell_each, try_each
from finalmarket.connectors.signing import require_signature
from finalmarket.connectors.windows import Window, Windows, whole_window
from finalmarket.kernel import clock

__all__ = ["Clover"]

Mapped = TypeVar("Mapped")
# Where an account lives: the hosts of its API, of its Ecommerce API, and of its pages.
REGIONS: Mapping[str, tuple[str, str, str]] = {
    "north_america": ("api.clover.com", "scl.clover.com", "www.clover.com"),
    "europe": ("api.eu.clover.com", "scl.eu.clover.com", "www.eu.clover.com"),
    "latin_america": ("api.la.clover.com", "scl.la.clover.com", "www.la.clover.com"),
    "sandbox": ("apisandbox.dev.clover.com", "scl-sandbox.dev.clover.com", "sandbox.dev.clover.com"),
}
ORDER_PARTS = (
    "lineItems,lineItems.discounts,lineItems.modifications,discounts,serviceCharge,customers,payments,payment.tender,"
    "refunds,credits"
)
CUSTOMER_PARTS = "addresses,emailAddresses,phoneNumbers,metadata"
NOT_GIVEN_BACK = ("failed", "canceled")
RECORDS_A_PAGE = 100
EARLIEST = 1_262_304_000_000  # 2010, in milliseconds: nothing at Clover is older


class Clover(
    Connector, PullsOrders, PullsListings, PullsStock, PullsCustomers, PushesStock, PushesPrices, PushesListings,
    PushesRefunds, PushesCustomers, ErasesCustomers, ReceivesWebhooks, Authorizes,
):  # fmt: skip
    """One merchant: a shop with its tills."""

    # Who we are.

    slug = "clover"
    name = "Clover"
    kind = "pos"
    docs = "https://docs.clover.com/dev/reference"
    api_version = "v3"
    base_url = "https://api.clover.com"
    rate = Rate(calls=15)  # 16 a second and token (https://docs.clover.com/dev/docs/api-usage-rate-limits)
    secrets = ("access_token",)
    optional_secrets = (
        "refresh_token", "access_token_ends_at", "app_secret", "webhook_auth_code",
    )  # fmt: skip
    settings = (
        Setting(
            "merchant_id", "Merchant ID", help="13 letters and digits; OAuth brings it along.", is_required=False
        ),
        Setting(
            "region", "Region", help="Where the merchant's account lives.", is_required=False, default="north_america",
            choices=(
                ("north_america", "North America"), ("europe", "Europe"), ("latin_america", "Latin America"),
                ("sandbox", "Clover's sandbox"),
            ),
        ),
        Setting("app_id", "App ID", help="Of your app in Clover's developer dashboard; for OAuth.", is_required=False),
    )  # fmt: skip
    described_in = ("clover",)
    checked_against = Checked("vendor's client library (objects); docs (calls)", on="2026-11-25")
    stock_batch_limit = price_batch_limit = 50  # each is a call of its own
    stock_read_limit = 50
    listing_batch_limit = 25
    webhook_topics = ("O", "I", "C")
    webhook_secrets = ("webhook_auth_code",)

    # How we are let in.

    def address(self, url: str) -> str:
        """See Connector. The hosts are those of the account's region."""
        if self.account.base_url:
            return super().address(url)
        home = REGIONS["north_america"]
        there = dict(zip(home, REGIONS.get(self.setting("region"), home), strict=True))
        parts = urlsplit(url)
        return parts._replace(netloc=there.get(parts.netloc, parts.netloc)).geturl()

    def auth(self) -> httpx2.Auth:
        """A bearer token: of a merchant, which does not end, or of OAuth, renewed by a token that is good once."""
        secrets = self.account.secrets
        if not secrets.get("refresh_token"):
            return bearer(secrets.get("access_token", ""))
        wanted = {"client_id": self.needed_setting("app_id"), "refresh_token": secrets["refresh_token"]}
        asked = TokenRequest(self.address(f"{self.base_url}/oauth/v2/refresh"), wanted, as_json=True)
        return _CloverAuth.of(asked, self.account)

    @property
    def merchant_id(self) -> str:
        """Whose account it is. Raises NeedsAttention where nobody said so."""
        return self.needed_setting("merchant_id")

    def check(self) -> str:
        """See Connector: the merchant's name."""
        return read_one(self._merchant(), lambda raw: f"{raw['name']} ({raw['id']})")

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """See Authorizes: Clover's page of consent."""
        told = {
            "client_id": self.needed_setting("app_id"), "redirect_uri": redirect_uri, "response_type": "code",
            "state": state,
        }  # fmt: skip
        return f"{self.address('https://www.clover.com/oauth/v2/authorize')}?{urlencode(told)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """See Authorizes. The merchant comes back with the code."""
        if not query.get("merchant_id"):
            raise NeedsAttention("the account was not connected: no merchant came back")
        app = {
            "client_id": self.needed_setting("app_id"), "client_secret": self.account.secrets.get("app_secret", "")
        }  # fmt: skip
        given = tokens_for_code(self.http, query, "/oauth/v2/token", app, as_json=True)
        return {**kept_of(_with_end(given)), "merchant_id": query["merchant_id"]}

    # Calls.

    def _at(self, path: str) -> str:
        return f"/v3/merchants/{quote(self.merchant_id, safe='')}{path}"

    def _get(self, path: str, **query: Any) -> Any:
        return self.http.call("GET", self._at(path), params=query or None).data

    def _find(self, path: str, name: str, **query: Any) -> Raw | None:
        """One object; None where there is none of that id."""
        return if_there(lambda: fields_in(self._get(f"{path}/{quote(name, safe='')}", **query)))

    def _listed(self, path: str, **query: Any) -> list[Raw]:
        return _elements(self._get(path, **query))

    def _post(self, path: str, fields: Mapping[str, Any], *, repeatable: bool = False) -> Raw:
        return fields_in(self.http.call("POST", self._at(path), json=fields, repeatable=repeatable))

    def _merchant(self) -> Any:
        return self._get("")

    @cached_property
    def currency(self) -> str:
        """The merchant's currency: a price at Clover names none."""
        return read_one(self._merchant(), lambda raw: str(raw["defaultCurrency"]).upper())

    # What comes in.

    def pull_orders(self, cursor: str, since: datetime | None) -> Iterator[Page[OrderRecord]]:
        """See PullsOrders. What was never rung up is no order."""
        walk = self._windows("/orders", "modifiedTime", words.changed_at, expand=ORDER_PARTS)
        read = partial(words.order_record, merchant_id=self.merchant_id)
        for window in walk.pull(cursor, since):
            yield _page(window, [raw for raw in window.records if _is_order(raw)], read)

    def pull_order(self, external_id: str) -> OrderRecord | None:
        """See PullsOrders. An order that was deleted at the till is there no more."""
        raw = self._find("/orders", external_id, expand=ORDER_PARTS)
        return None if raw is None else read_one(raw, partial(words.order_record, merchant_id=self.merchant_id))

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        """See PullsListings."""
        read = partial(words.listing_record, currency=self.currency)
        for window in self._windows("/items", "modifiedTime", words.changed_at).pull(cursor, None):
            yield _page(window, window.records, read)

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        """See PullsStock."""
        found = ((ref, self._find("/item_stocks", ref.key)) for ref in refs)
        return [
            StockRecord(key=ref.key, quantity=read_one(raw, words.shown_quantity), sku=ref.sku)
            for ref, raw in found
            if raw is not None
        ]

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        """See PullsCustomers. A list of Clover's tells who is new, not who changed: once a day all come again."""
        walk = self._windows("/customers", "customerSince", _customer_since, sweeps=True, expand=CUSTOMER_PARTS)
        for window in walk.pull(cursor, since):
            yield _page(window, window.records, partial(_customer, now=clock.now()))

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        """See PullsCustomers."""
        raw = self._find("/customers", external_id, expand=CUSTOMER_PARTS)
        return None if raw is None else read_one(raw, partial(_customer, now=clock.now()))

    def _windows(
        self, path: str, field: str, moment_of: Callable[[Raw], int], *, sweeps: bool = False, **chosen: Any
    ) -> Windows:
        """How a list is walked by one of its moments: its order is not documented."""

        def ask(start: int, end: int, offset: int) -> list[Raw]:
            query: dict[str, Any] = {**chosen, "filter": [f"{field}>={start}", f"{field}<{end}"]}
            query |= {"limit": RECORDS_A_PAGE, **({"offset": offset} if offset else {})}
            return self._listed(path, **query)

        whole = partial(whole_window, ask, size=RECORDS_A_PAGE, name=lambda raw: str(raw.get("id")))
        return Windows(
            whole=whole, moment_of=moment_of, few=RECORDS_A_PAGE // 2, earliest=EARLIEST, per_second=1000, sweeps=sweeps
        )

    # What goes out.

    def push_stock(self, levels: Sequence[StockLevel]) -> Sequence[Rejected]:
        """See PushesStock: absolute numbers, one call each."""
        return tell_each(levels, self._set_stock, lambda level: level.ref.key)

    def _set_stock(self, level: StockLevel) -> None:
        path = f"/item_stocks/{quote(level.ref.key, safe='')}"
        self._post(path, {"quantity": level.quantity}, repeatable=True)

    def push_prices(self, levels: Sequence[PriceLevel]) -> Sequence[Rejected]:
        """See PushesPrices: one call each."""
        return tell_each(levels, self._set_price, lambda level: level.ref.key)

    def _set_price(self, level: PriceLevel) -> None:
        fields = {"price": self._minor(level.amount, level.currency)}
        self._post(f"/items/{quote(level.ref.key, safe='')}", fields, repeatable=True)

    def _minor(self, amount: Any, currency: str) -> int:
        """A price for Clover. Raises Rejected where it is of another currency than the merchant's, or too fine."""
        if currency.upper() != self.currency:
            raise Rejected(f"the merchant sells in {self.currency}, not in {currency.upper()}")
        return taken(lambda: to_minor(amount, currency))

    def push_listings(self, contents: Sequence[ListingContent]) -> Sequence[ListingRef | Rejected]:
        """See PushesListings. A new listing whose SKU is there already is taken for that item."""
        return try_each(contents, self._tell_listing, lambda content: content.ref.key)

    def _tell_listing(self, content: ListingContent) -> ListingRef:
        if not content.title.strip():
            raise Rejected("an item needs a name")
        fields = words.item_fields(
            content, None if content.price is None else self._minor(content.price, content.currency)
        )
        known = content.ref.key if self._find("/items", content.ref.key) else self._item_of_sku(content.ref.sku)
        if known:
            raw = self._post(f"/items/{quote(known, safe='')}", fields, repeatable=True)
        elif "price" not in fields:
            raise Rejected("a new item needs a price")
        else:
            raw = self._post("/items", fields)
        return read_one(raw, lambda one: words.listing_ref(str(one["id"]), content.ref.sku))

    def _item_of_sku(self, sku: str) -> str:
        found = self._listed("/items", filter=f"sku={sku}", limit=2) if sku else []
        fitting = [one for one in found if one.get("sku") == sku and not one.get("deletedTime")]
        return str(fitting[0].get("id") or "") if fitting else ""

    def push_refund(self, notice: RefundNotice) -> str:
        """See PushesRefunds. Payments taken online only: what was paid at a till is given back at a till.

        A refund of this amount that is none of the order's others is the one that is asked for again.
        """
        path = self.address("https://scl.clover.com/v1/refunds")
        with refused_as(notice.key):
            amount = taken(lambda: to_minor(notice.amount, notice.currency))
            told = self.http.call("GET", path, params={"charge": notice.payment_id, "limit": 100}).data
            for one in _elements(told):
                is_ours = str(one.get("id")) not in notice.others and one.get("status") not in NOT_GIVEN_BACK
                if is_ours and one.get("charge") == notice.payment_id and self._is_of(one, notice):
                    return str(one["id"])
            raw = self.http.call("POST", path, json={"charge": notice.payment_id, "amount": amount}).data
        return read_one(raw, lambda refund: str(refund["id"]))

    def _is_of(self, refund: Raw, notice: RefundNotice) -> bool:
        amount = refund.get("amount")
        return isinstance(amount, int) and from_minor(amount, notice.currency) == notice.amount

    def push_customer(self, content: CustomerContent) -> str:
        """See PushesCustomers. One that Clover has already is found by e-mail or phone."""
        with refused_as(content.key):
            known = self._known_customer(content)
            fields = words.customer_fields(content, known)
            if known:
                self._post(f"/customers/{quote(str(known['id']), safe='')}", fields, repeatable=True)
                return str(known["id"])
            return read_one(self._post("/customers", fields), lambda raw: str(raw["id"]))

    def erase_customer(self, external_id: str) -> None:
        """See ErasesCustomers."""
        path = self._at(f"/customers/{quote(external_id, safe='')}")
        if_there(lambda: self.http.call("DELETE", path, repeatable=True))

    def _known_customer(self, content: CustomerContent) -> Raw:
        """The customer as Clover has it; {} for a new one. Raises Rejected for one that could never be found again."""
        if content.external_id:
            found = self._find("/customers", content.external_id, expand=CUSTOMER_PARTS)
            if found is None:
                raise Rejected(f"Clover knows no customer {content.external_id!r}", status=404)
            return found
        for field, value in (("emailAddress", content.email), ("phoneNumber", content.phone)):
            if value:
                listed = self._listed("/customers", filter=f"{field}={value}", expand=CUSTOMER_PARTS, limit=2)
                return next((one for one in listed if one.get("id")), {})
        raise Rejected("a customer with neither e-mail nor phone could not be told from others")

    # Webhooks.

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks. Clover has no call for it: it is done by hand, and done once the auth code is here."""
        if not self.webhook_secret():
            raise NotSupported(
                f"webhooks are set up by hand: enter {url} in Clover's developer dashboard, and its auth code here"
            )
        return {}

    def question(self, delivery: Delivery) -> str:
        """See ReceivesWebhooks: the code by which Clover makes sure that the address is ours, until its auth code is
        entered here."""
        code = "" if self.webhook_secret() else hooks.verification_code(delivery.body)
        return f"Clover asks for this code in its developer dashboard, at your app's webhooks: {code}" if code else ""

    def verify_webhook(self, delivery: Delivery) -> None:
        """See ReceivesWebhooks. A shared secret in a header is all the proof there is; nothing is signed."""
        require_signature(
            [delivery.header("X-Clover-Auth")], self.webhook_secret(), b"", lambda secret, message: secret
        )

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See ReceivesWebhooks. Events are hints only."""
        return read_delivery(delivery, lambda raw: hooks.events_of(raw, self.setting("merchant_id")))

    # What its errors mean: the statuses tell.

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector. The Ecommerce API has codes, the others have words only."""
        if answer.is_success:
            return "", ""
        told = answer.data if isinstance(answer.data, dict) else {}
        error = told.get("error")
        if isinstance(error, dict):
            return str(error.get("code") or error.get("type") or ""), str(error.get("message") or "")
        return "", str(told.get("message") or error or "")


class _CloverAuth(TokenAuth):
    """Clover says when a token ends in a field of its own."""

    def accept(self, given: Mapping[str, Any]) -> None:
        """See TokenAuth."""
        super().accept(_with_end(given))


def _with_end(given: Mapping[str, Any]) -> dict[str, Any]:
    """A token answer with its end, in seconds since 1970, as a moment."""
    end = given.get("access_token_expiration")
    if not isinstance(end, int) or isinstance(end, bool):
        return dict(given)
    return {**given, "expires_at": datetime.fromtimestamp(end, UTC).isoformat()}


def _elements(answer: Any) -> list[Raw]:
    """The objects of a list. Raises Unintelligible for what is none."""
    return rows_in(answer.get("elements", answer.get("data")) if isinstance(answer, dict) else answer)


def _page(window: Window, raws: Sequence[Raw], read: Callable[[Raw], Mapped]) -> Page[Mapped]:
    records, unreadable = read_each(raws, read, lambda raw: raw["id"])
    return Page(records, window.cursor, window.is_last, unreadable)


def _is_order(raw: Raw) -> bool:
    """Whether an order is one; what cannot be read is set aside later, not left out."""
    try:
        return words.is_order(raw)
    except READING_ERRORS:
        return True


def _customer(raw: Raw, now: datetime) -> CustomerRecord:
    return words.customer_record(raw, words.customer_version(now))


def _customer_since(raw: Raw) -> int:
    since = raw.get("customerSince")
    return since if isinstance(since, int) else 0
