"""NetSuite: items, stock and customers come in; orders, parcels, customers and movements of stock go out.

Lists are read by SuiteQL; records are written by the record API under external ids of ours, so that the same told twice
is there once. Published source: NetSuite's help (SuiteTalk REST web services) and its REST API Browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

import httpx2

from finalmarket.connectors.answers import fields_in, if_there
from finalmarket.connectors.assertions import sign_jwt
from finalmarket.connectors.auth import TokenAuth, TokenRequest
from finalmarket.connectors.books import MovementNotice, OrderContent, OrderNames, PushesMovements, PushesOrders
from finalmarket.connectors.contract import (
    Checked,
    Connector,
    PullsCustomers,
    PullsListings,
    PullsStock,
    PushesCustomers,
    PushesFulfilments,
    Setting,
)
from finalmarket.connectors.errors import ConnectorError, NeedsAttention, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.keyset import Place, page_behind, place_of
from finalmarket.connectors.offset_pages import all_rows, rows_in, told_error
from finalmarket.connectors.own_systems import TOKEN_SECRETS
from finalmarket.connectors.paging import read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.platforms.netsuite import queries, words
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import (
    CustomerContent,
    CustomerRecord,
    FulfilmentNotice,
    ListingRecord,
    ListingRef,
    Page,
    Raw,
    StockRecord,
)
from finalmarket.connectors.refusals import tell_each
from finalmarket.kernel import clock

RECORD = "/services/rest/record/v1"
SUITEQL = "/services/rest/query/v1/suiteql"
TOKEN = "/services/rest/auth/oauth2/v1/token"  # noqa: S105  an address
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 300
PAGE = 500
MOST_ROWS = 1_000  # of one answer
ACCOUNT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
CUSTOMER_BODY = "application/vnd.oracle.resource+json; type=singular"


class NetSuite(
    Connector, PullsListings, PullsStock, PullsCustomers, PushesOrders, PushesCustomers, PushesFulfilments,
    PushesMovements,
):  # fmt: skip
    """The books of a company in NetSuite."""

    # Who we are.

    slug = "netsuite"
    name = "NetSuite"
    kind = "erp"
    docs = "https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/book_1559132836.html"
    api_version = "record v1 (2026.1)"
    base_url = "https://{account}.suitetalk.api.netsuite.com"
    rate = Rate(calls=10, burst=10)
    secrets = ("client_id", "certificate_id", "private_key")
    optional_secrets = TOKEN_SECRETS
    settings = (
        Setting("account", "Account ID", "As in Setup, Company Information, such as 1234567 or 1234567_SB1."),
        Setting(
            "stock_number", "Which number is the stock", default="on_hand",
            choices=(("on_hand", "On hand"), ("available", "Available: without what is committed")),
        ),
        Setting("price_level", "Price level", "Internal id; empty: none are read", False, "1", is_empty_meant=True),
        Setting("adjustment_account", "Adjustment account", "Internal id of the account that movements are booked on."),
        Setting("subsidiary", "Subsidiary", "Internal id, in OneWorld accounts", is_required=False),
        Setting("location", "Location", "Internal id; where orders say nothing else", is_required=False),
        Setting("customer", "Customer for guests", "Internal id; for orders of unknown buyers", is_required=False),
        Setting("ship_method", "Shipping item", "Internal id; for orders with shipping costs", is_required=False),
        Setting("other_item", "Item for other lines", "Internal id; for fees and discounts", is_required=False),
        Setting("tax_code", "Tax code", "Internal id; empty: NetSuite decides on taxes", is_required=False),
    )  # fmt: skip
    described_in = ("netsuite",)
    checked_against = Checked("published description", on="2026-11-25")
    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {
        "INVALID_LOGIN": NeedsAttention, "INVALID_LOGIN_ATTEMPT": NeedsAttention,
        "INSUFFICIENT_PERMISSION": NeedsAttention, "FEATURE_DISABLED": NeedsAttention,
        "CONCURRENCY_LIMIT_EXCEEDED": RetryLater, "RCRD_HAS_BEEN_CHANGED": RetryLater,
    }  # fmt: skip
    stock_read_limit = 200
    movement_batch_limit = 20

    # How we are let in.

    def address(self, url: str) -> str:
        """The account's own address, or the stand-in's."""
        return super().address(self._at_home(url))

    def _at_home(self, url: str) -> str:
        """NetSuite's address of the account. Raises NeedsAttention where the account's id is none."""
        given = self.setting("account").lower().replace("_", "-")
        if not ACCOUNT.fullmatch(given):
            raise NeedsAttention(f"{given[:40]!r} is no account ID: enter one such as 1234567 or 1234567_SB1")
        return url.replace("{account}", given)

    def auth(self) -> httpx2.Auth:
        """OAuth 2.0 client credentials: a token for an assertion signed with the account's own key."""
        fields = {"grant_type": "client_credentials", "client_assertion_type": ASSERTION}
        request = TokenRequest(self.address(self.base_url + TOKEN), fields, fresh_fields=self._assertion)
        return TokenAuth.of(request, self.account)

    def _assertion(self) -> Mapping[str, str]:
        issued = int(clock.now().timestamp())
        claims = {
            "iss": self.account.secrets["client_id"], "scope": "rest_webservices",
            "aud": self._at_home(self.base_url + TOKEN), "iat": issued, "exp": issued + ASSERTION_SECONDS,
        }  # fmt: skip
        key, key_id = self.account.secrets["private_key"], self.account.secrets["certificate_id"]
        return {"client_assertion": sign_jwt(claims, key, key_id=key_id, rsa_algorithm="PS256")}

    def check(self) -> str:
        answer = self.http.call("GET", f"{RECORD}/customer", params={"limit": 1})
        fields_in(answer, "items")
        return f"NetSuite account {self.setting('account')}"

    # What comes in.

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        return walk(self._listings, cursor)

    def _listings(self, cursor: str) -> Page[ListingRecord]:
        rows, has_more = self._ask(queries.items(str(read_cursor(cursor).get("after", ""))), PAGE)
        level, ids = self.setting("price_level"), [str(row.get("id", "")) for row in rows]
        priced = self._all(queries.prices(ids, level)) if level and ids else []
        prices = {str(row.get("item")): row for row in reversed(priced)}
        records, unreadable = read_each(
            rows, lambda raw: words.listing_record(raw, prices.get(str(raw["id"]))), lambda raw: raw["id"]
        )
        return Page(records, write_cursor(after=ids[-1] if ids else ""), not has_more, unreadable)

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        if not refs:
            return []
        asked_at, which = clock.now(), self.setting("stock_number")
        rows = self._all(queries.stock([ref.key for ref in refs], which, location))
        return [read_one(row, lambda raw: words.stock_record(raw, asked_at)) for row in rows]

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        return walk(lambda place: self._customers(place, since), cursor)

    def _customers(self, cursor: str, since: datetime | None) -> Page[CustomerRecord]:
        place = place_of(cursor, since)
        rows, has_more = self._ask(queries.customers(queries.changed_since(place)), PAGE)
        return page_behind(
            place, rows, is_last=not has_more, read=words.customer_record, place_in=_place_behind,
            name=lambda raw: raw["id"],
        )  # fmt: skip

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        rows, _ = self._ask(queries.customers(f"c.id = {queries.number(external_id)}"), 1)
        return read_one(rows[0], words.customer_record) if rows else None

    def _ask(self, query: str, limit: int, offset: int = 0) -> tuple[list[Raw], bool]:
        """One page of what a query finds, and whether there is more."""
        answer = self.http.call(
            "POST", SUITEQL, params={"limit": limit, "offset": offset}, json={"q": query},
            headers={"Prefer": "transient"}, repeatable=True,
        )  # fmt: skip
        return rows_in(answer, offset)

    def _all(self, query: str) -> list[Raw]:
        """All that a query finds."""
        return all_rows(lambda offset: self._ask(query, MOST_ROWS, offset))

    # What goes out.

    def push_customer(self, content: CustomerContent) -> str:
        known: bool | None = None
        path = f"{RECORD}/customer/eid:{words.named(content.key)}"
        if content.external_id:
            path = f"{RECORD}/customer/{quote(content.external_id, safe='')}"
            known = bool(fields_in(self.http.call("GET", path), "id").get("isPerson"))
        fields = words.customer_fields(content, is_person=known, subsidiary=self.setting("subsidiary"))
        if known is not None:
            self._write("PATCH", path, fields, kind=CUSTOMER_BODY)
            return content.external_id
        self._write("PUT", path, fields, params={"replace": "addressbook"}, kind=CUSTOMER_BODY)
        return str(fields_in(self.http.call("GET", path), "id")["id"])

    def find_order(self, number: str) -> OrderNames | None:
        there = self._record(f"{RECORD}/salesOrder/eid:{words.named(number)}")
        return None if there is None else read_one(there, words.order_names)

    def push_order(self, content: OrderContent) -> OrderNames:
        """See PushesOrders. What NetSuite has already is compared first: only what differs is written."""
        path = f"{RECORD}/salesOrder/eid:{words.named(content.number)}"
        books = self._books(content)
        there = self._record(path)
        if there is None:
            if not (content.customer_id or books.told["customer"]):
                raise Rejected("the order has no customer: enter one for guests in the settings", key=content.key)
            self._write("PUT", path, words.order_fields(content, books), params={"replace": "item"})
        else:
            changes = read_one(there, lambda raw: words.order_changes(raw, content, books))
            if not changes:
                return read_one(there, words.order_names)
            is_new = any("line" not in row for row in changes.get("item", {}).get("items", ()))
            self._write("PATCH", path, changes, repeatable=not is_new)
        now = self._record(path)
        if now is None:
            raise Unintelligible(f"order {content.number} was taken, and is not there")
        return read_one(now, words.order_names)

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        path = f"{RECORD}/itemFulfillment/eid:{words.named(notice.key)}"
        there = self._record(path)
        if there is None:
            order = f"{RECORD}/salesOrder/{quote(notice.order_id, safe='')}"
            known = fields_in(self.http.call("GET", order, params={"expandSubResources": "true"}), "item")
            body = read_one(known, lambda raw: words.parcel_fields(notice, raw))
            # The external id is taken once only: NetSuite refuses a second parcel of the same key.
            self._write("POST", f"{order}/!transform/itemFulfillment", body)
            there = self._record(path)
        if there is None:
            raise Unintelligible(f"the parcel {notice.key} was taken, and is not there")
        return str(there["id"])

    def push_movements(self, notices: Sequence[MovementNotice]) -> Sequence[Rejected]:
        if not notices:
            return []
        books = self._booking(self._item_ids({one.sku for one in notices if not one.item_id}))
        return tell_each(notices, partial(self._post, books=books), lambda notice: notice.key)

    def _post(self, notice: MovementNotice, books: words.Books) -> None:
        item = notice.item_id or books.items.get(notice.sku, "")
        if not item:
            raise Rejected(f"NetSuite has no item {notice.sku!r}")
        path = f"{RECORD}/inventoryAdjustment/eid:{words.named(notice.key)}"
        self._write("PUT", path, words.adjustment_fields(notice, item, books), params={"replace": "inventory"})

    def _books(self, content: OrderContent) -> words.Books:
        unknown = {line.sku for line in content.lines if line.kind == "goods" and not line.item_id}
        rows, _ = self._ask(queries.currency(content.currency), 1)
        if not rows:
            raise Rejected(f"NetSuite has no currency {content.currency}", key=content.key)
        return self._booking(self._item_ids(unknown), str(rows[0]["id"]))

    def _booking(self, items: Mapping[str, str], currency: str = "") -> words.Books:
        told = {name: self.setting(name) for name in words.BOOKED}
        return words.Books(told, items, currency)

    def _item_ids(self, skus: set[str]) -> Mapping[str, str]:
        wanted = sorted(skus - {""})
        rows = self._all(queries.items_named(wanted)) if wanted else []
        return {str(row["itemid"]): str(row["id"]) for row in rows}

    def _record(self, path: str) -> Raw | None:
        """A record with its sublists; None where there is none."""
        params = {"expandSubResources": "true"}
        return if_there(lambda: fields_in(self.http.call("GET", path, params=params), "id"))

    def _write(
        self, method: str, path: str, body: Mapping[str, Any], *, params: Mapping[str, str] | None = None,
        kind: str = "application/json", repeatable: bool = True,
    ) -> None:  # fmt: skip
        """Write a record; one named by its external id may be written again without harm."""
        self.http.call(method, path, params=params, exact=body, headers={"Content-Type": kind}, repeatable=repeatable)

    # What its errors mean.

    def error_code(self, answer: Answer) -> tuple[str, str]:
        return told_error(answer)


def _place_behind(row: Raw) -> Place:
    return Place(queries.read_moment(str(row["changed"])), str(row["id"]))
