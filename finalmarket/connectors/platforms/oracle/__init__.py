"""Oracle Fusion (Order Management, Inventory, people of Customer Data): items, stock and people come in; orders,
shipments, people and movements of stock go out.

Oracle publishes no description: this follows the prose of its REST guides and what others are known to send, and says
so. Published source: docs.oracle.com, REST API for Oracle Fusion Cloud SCM (fasrp) and for Sales (faaps).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote

import httpx2

from finalmarket.connectors.answers import fields_in, if_there
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
from finalmarket.connectors.errors import NeedsAttention, Rejected, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.keyset import page_behind, place_of
from finalmarket.connectors.offset_pages import all_rows, rows_in, told_error
from finalmarket.connectors.own_keys import capital_mark
from finalmarket.connectors.own_systems import TOKEN_SECRETS, USER_SECRETS, basic_or_token, host_of
from finalmarket.connectors.paging import read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.platforms.oracle import bodies, words
from finalmarket.connectors.platforms.oracle.words import any_of, text
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

SCM = "/fscmRestApi/resources/11.13.18.05"
PEOPLE = "/crmRestApi/resources/11.13.18.05/contacts"
PAGE = 200
MOST_ROWS = 500  # of one answer
FRAMEWORK = "2"  # the protocol version in which children come as lists and conditions may hold `or`


class Oracle(
    Connector, PullsListings, PullsStock, PullsCustomers, PushesOrders, PushesCustomers, PushesFulfilments,
    PushesMovements,
):  # fmt: skip
    """The books of a company in Oracle Fusion Cloud."""

    # Who we are.

    slug = "oracle"
    name = "Oracle Fusion"
    kind = "erp"
    docs = "https://docs.oracle.com/en/cloud/saas/supply-chain-and-manufacturing/26b/fasrp/index.html"
    api_version = "11.13.18.05"
    base_url = "https://{host}"
    rate = Rate(calls=10, burst=10)
    secrets = USER_SECRETS
    optional_secrets = TOKEN_SECRETS
    settings = (
        Setting("host", "Host", "Such as abcd.fa.ocs.oraclecloud.com"),
        Setting("token_url", "Token address", "For OAuth 2.0; empty: user and password (Basic)", is_required=False),
        Setting("scope", "Scope of the token", is_required=False),
        Setting("business_unit", "Business unit", "Its name, such as Vision Operations"),
        Setting("organization", "Inventory organisation", "Its code, such as M1"),
        Setting("unit", "Unit of measure", "The code in which products are sold and counted", default="Ea"),
        Setting("source_system", "Source system", "As which we are registered for orders", default="OPS"),
        Setting("order_type", "Order type", default="STD"),
        Setting("customer", "Customer for guests", "Party number, for unknown buyers", is_required=False),
        Setting("shipping_product", "Product for shipping costs", is_required=False),
        Setting("other_product", "Product for fees and discounts", is_required=False),
        Setting("cancel_reason", "Reason for cancelled units", is_required=False, default="OTHER", is_empty_meant=True),
        Setting("account", "Account of movements", "Account combination; empty: Oracle's own", is_required=False),
    )  # fmt: skip
    described_in = ("oracle",)
    checked_against = Checked("derived", on="2026-11-25")
    stock_read_limit = 25
    movement_batch_limit = 10
    former_names: ClassVar[tuple[str, ...]] = ("Oracle ERP Cloud",)

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._organizations: dict[str, str] = {}  # names by code

    # How we are let in.

    def address(self, url: str) -> str:
        """The company's own address, or the stand-in's."""
        return super().address(url.replace("{host}", host_of(self.setting("host"), "abcd.fa.ocs.oraclecloud.com")))

    @property
    def _settings(self) -> Mapping[str, str]:
        return {setting.name: self.setting(setting.name) for setting in self.settings}

    def headers(self) -> Mapping[str, str]:
        return {"REST-Framework-Version": FRAMEWORK}

    def auth(self) -> httpx2.Auth:
        """Basic; or a token of the identity domain for the same user (OAuth 2.0 client credentials)."""
        return basic_or_token(
            self.account, self.setting("token_url"), address=super().address, scope=self.setting("scope")
        )  # fmt: skip

    def check(self) -> str:
        code = self.setting("organization")
        if code not in self._named({code}):
            raise NeedsAttention(f"Oracle shows this user no inventory organisation {code!r}: look at the settings")
        return f"Oracle Fusion at {self.setting('host')}, organisation {self._organizations[code]}"

    # What comes in.

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        return walk(self._listings, cursor)

    def _listings(self, cursor: str) -> Page[ListingRecord]:
        after = str(read_cursor(cursor).get("after", ""))
        condition = f"OrganizationCode = {text(self.setting('organization'))}"
        condition += f" and ItemNumber > {text(after)}" if after else ""
        fields = "ItemId,ItemNumber,ItemDescription,ItemStatusValue,OrganizationCode"
        rows, has_more = self._page(f"{SCM}/itemsV2", condition, PAGE, fields=fields, orderBy="ItemNumber:asc")
        records, unreadable = read_each(rows, words.listing_record, lambda raw: raw["ItemNumber"])
        last = str(rows[-1].get("ItemNumber", "")) if rows else after
        return Page(records, write_cursor(after=last), not has_more, unreadable)

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        if not refs:
            return []
        organization = (location or self.setting("organization")).partition("/")[0]
        items = any_of("ItemNumber", [ref.key for ref in refs])
        condition = f"OrganizationCode = {text(organization)} and {items}"
        rows = self._all(f"{SCM}/inventoryOnhandBalances", condition)
        return read_one(rows, lambda raw: words.stock_records(raw, location))

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        return walk(lambda place: self._customers(place, since), cursor)

    def _customers(self, cursor: str, since: datetime | None) -> Page[CustomerRecord]:
        place = place_of(cursor, since)
        order = "LastUpdateDate:asc,PartyNumber:asc"
        rows, has_more = self._page(PEOPLE, words.behind(place), PAGE, orderBy=order)
        return page_behind(
            place, rows, is_last=not has_more, read=words.customer_record, place_in=words.place_in,
            name=lambda raw: raw["PartyNumber"],
        )  # fmt: skip

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        raw = self._one(f"{PEOPLE}/{quote(external_id, safe='')}", {"onlyData": "true"})
        return None if raw is None else read_one(raw, words.customer_record)

    def _page(self, path: str, condition: str, limit: int, offset: int = 0, **more: str) -> tuple[list[Raw], bool]:
        params = {"q": condition, "limit": limit, "offset": offset, "onlyData": "true", **more}
        return rows_in(self.http.call("GET", path, params=params), offset)

    def _all(self, path: str, condition: str) -> list[Raw]:
        return all_rows(lambda offset: self._page(path, condition, MOST_ROWS, offset))

    def _one(self, path: str, params: Mapping[str, str]) -> Raw | None:
        return if_there(lambda: fields_in(self.http.call("GET", path, params=params)))

    def _named(self, codes: set[str]) -> Mapping[str, str]:
        """The names of these inventory organisations; those that are not there are left out."""
        unknown = sorted(codes - set(self._organizations) - {""})
        if unknown:
            for row in self._all(f"{SCM}/inventoryOrganizations", any_of("OrganizationCode", unknown)):
                self._organizations[str(row.get("OrganizationCode"))] = str(row.get("OrganizationName"))
        return self._organizations

    # What goes out.

    def push_customer(self, content: CustomerContent) -> str:
        """See PushesCustomers. A new person gets a party number made of the key, so that an upsert finds them again."""
        if content.external_id:
            self._write("PATCH", f"{PEOPLE}/{quote(content.external_id, safe='')}", bodies.person(content), again=True)
            return content.external_id
        body = {"PartyNumber": capital_mark(content.key, 30), **bodies.person(content)}
        answer = self._write("POST", PEOPLE, body, headers={"Upsert-Mode": "true"}, again=True)
        return str(fields_in(answer, "PartyNumber")["PartyNumber"])

    def find_order(self, number: str) -> OrderNames | None:
        there = self._order(number)
        return None if there is None else read_one(there, words.order_names)

    def _order(self, number: str) -> Raw | None:
        return self._one(self._order_path(number), {"expand": "lines", "onlyData": "true"})

    def _order_path(self, number: str) -> str:
        key = f"{self.setting('source_system')}:{number}"
        return f"{SCM}/salesOrdersForOrderHub/{quote(key, safe=':')}"

    def push_order(self, content: OrderContent) -> OrderNames:
        """See PushesOrders. What Oracle has already is compared first: only what differs is written. An order's own id
        is taken once: a second order of the same number is refused there."""
        there, told = self._order(content.number), self._settings
        if there is None:
            self._write("POST", f"{SCM}/salesOrdersForOrderHub", bodies.order(content, told))
        else:
            changes, missing = read_one(there, lambda raw: bodies.order_changes(raw, content, told))
            path = self._order_path(content.number)
            if changes:
                self._write("PATCH", path, changes, again=True)
            for line in missing:
                self._write("POST", f"{path}/child/lines", line)
        now = self._order(content.number)
        if now is None:
            raise Unintelligible(f"order {content.number} was taken, and is not there")
        return read_one(now, words.order_names)

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        name = capital_mark(notice.key, 30)
        if self._page(f"{SCM}/shipments", f"Shipment = {text(name)}", 1)[0]:
            return name
        order = fields_in(
            self.http.call("GET", f"{SCM}/salesOrdersForOrderHub/{quote(notice.order_id, safe=':')}"), "OrderNumber"
        )
        lines = self._all(f"{SCM}/shipmentLines", f"Order = {text(str(order['OrderNumber']))}")
        body = read_one(lines, lambda rows: bodies.shipment(notice, rows, self.setting("organization")))
        answer = self._write("POST", f"{SCM}/shipmentTransactionRequests", body)
        errors = fields_in(answer).get("errors")
        if isinstance(errors, list) and errors:
            raise Rejected("; ".join(str(error.get("MessageText")) for error in errors), key=notice.key)
        return name

    def push_movements(self, notices: Sequence[MovementNotice]) -> Sequence[Rejected]:
        if not notices:
            return []
        told = self._settings
        places = [place for one in notices for place in (one.location or told["organization"], one.to_location)]
        names = self._named({place.partition("/")[0] for place in places})
        post = partial(self._post, names=names, known=self._posted([one.key for one in notices]), told=told)
        return tell_each(notices, post, lambda notice: notice.key)

    def _posted(self, keys: Sequence[str]) -> Mapping[str, Raw]:
        """What is staged or completed under these keys, by reference."""
        references = [capital_mark(key, 30) for key in keys]
        done = self._all(f"{SCM}/inventoryCompletedTransactions", any_of("Reference", references))
        staged = self._all(f"{SCM}/inventoryStagedTransactions", any_of("TransactionReference", references))
        return {
            **{str(row.get("TransactionReference")): row for row in staged},
            **{str(row.get("Reference")): row for row in done},
        }

    def _post(
        self, notice: MovementNotice, names: Mapping[str, str], known: Mapping[str, Raw], told: Mapping[str, str]
    ) -> None:
        staged = known.get(capital_mark(notice.key, 30))
        if staged is None:
            answer = self._write(
                "POST", f"{SCM}/inventoryStagedTransactions", bodies.movement(notice, names, told)
            )  # fmt: skip
            staged = fields_in(answer)
        wrong = staged.get("ErrorExplanation") or staged.get("ErrorCode")
        if wrong:  # it would stay staged for ever, and stand in the way of the same key put right
            self.http.call(
                "DELETE", f"{SCM}/inventoryStagedTransactions/{staged.get('TransactionInterfaceId')}", repeatable=True
            )
            raise Rejected(str(wrong), code=str(staged.get("ErrorCode") or ""))

    def _write(
        self, method: str, path: str, body: Mapping[str, Any], *, headers: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> Answer:  # fmt: skip
        """Write; `again` says that the same may be written twice without harm."""
        return self.http.call(method, path, exact=body, headers=headers, repeatable=again)

    # What its errors mean.

    def error_code(self, answer: Answer) -> tuple[str, str]:
        return told_error(answer)
