"""SAP S/4HANA: products, stock and customers come in; orders, deliveries, customers and movements of stock go out.

OData 2 with a CSRF token for every write. SAP knows no idempotency key: what was made is found again by a reference of
ours before it is made. Published source: the API files of the SAP Business Accelerator Hub.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

import httpx2

from finalmarket.connectors.answers import if_there
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
from finalmarket.connectors.errors import ConnectorError, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.keyset import Place, cursor_after, place_of
from finalmarket.connectors.own_keys import capital_mark
from finalmarket.connectors.own_systems import TOKEN_SECRETS, USER_SECRETS, basic_or_token, host_of
from finalmarket.connectors.paging import read_cursor, read_each, read_one, walk, write_cursor
from finalmarket.connectors.platforms.sap import bodies, odata, words
from finalmarket.connectors.platforms.sap.odata import entity_in, etag_of, rows_in
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

ROOT = "/sap/opu/odata/sap"
PARTNERS, PRODUCTS, STOCK = "API_BUSINESS_PARTNER", "API_PRODUCT_SRV", "API_MATERIAL_STOCK_SRV"
PRICES, ORDERS = "API_SLSPRICINGCONDITIONRECORD_SRV", "API_SALES_ORDER_SRV"
DELIVERIES, MOVEMENTS = "API_OUTBOUND_DELIVERY_SRV;v=0002", "API_MATERIAL_DOCUMENT_SRV"
REACHED = "to_BusinessPartnerAddress,to_BusinessPartnerAddress/to_EmailAddress,to_BusinessPartnerAddress/to_PhoneNumber"
PAGE = 100
PRICE_PAGE = 1_000
NO_TOKEN, CHANGED_MEANWHILE = "CSRF_TOKEN_REQUIRED", "CHANGED_MEANWHILE"
COMPLETELY = "C"  # OverallPickingStatus, OverallGoodsMovementStatus


class Sap(
    Connector, PullsListings, PullsStock, PullsCustomers, PushesOrders, PushesCustomers, PushesFulfilments,
    PushesMovements,
):  # fmt: skip
    """The books of a company in S/4HANA, cloud edition."""

    # Who we are.

    slug = "sap"
    name = "SAP S/4HANA"
    kind = "erp"
    docs = "https://api.sap.com/products/SAPS4HANACloud/apis/ODATA"
    api_version = "OData V2"
    base_url = "https://{host}"
    rate = Rate(calls=10, burst=10)
    secrets = USER_SECRETS
    optional_secrets = TOKEN_SECRETS
    settings = (
        Setting("host", "Host of the API", "Such as my300000-api.s4hana.cloud.sap"),
        Setting("token_url", "Token address", "For OAuth 2.0; empty: user and password (Basic)", is_required=False),
        Setting("sales_organization", "Sales organisation", "Such as 1010"),
        Setting("distribution_channel", "Distribution channel", default="10"),
        Setting("division", "Division", default="00"),
        Setting("order_type", "Order type", default="OR"),
        Setting("unit", "Unit of measure", "In which all products are sold and counted", default="PC"),
        Setting("price_condition", "Price condition", "Empty: no prices are read or told", is_required=False,
                default="PPR0", is_empty_meant=True),
        Setting("shipping_condition", "Condition for shipping costs", is_required=False),
        Setting("other_condition", "Condition for fees and discounts", is_required=False),
        Setting("rejection_reason", "Reason for rejection", "Of units that were cancelled", default="61"),
        Setting("customer", "Customer for guests", "For orders of unknown buyers", is_required=False),
        Setting("grouping", "Grouping of new business partners", "", False, "BP02", is_empty_meant=True),
        Setting("country", "Country", "Of customers without an address, such as DE", is_required=False),
        Setting("cost_center", "Cost centre", "Of losses and sales over the counter", is_required=False),
        Setting("language", "Language of titles", default="EN"),
    )  # fmt: skip
    former_names = ("SAP",)
    described_in = ("sap",)
    checked_against = Checked("published description", on="2026-11-25")
    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {NO_TOKEN: RetryLater, CHANGED_MEANWHILE: RetryLater}
    stock_read_limit = 50
    movement_batch_limit = 20

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._tokens: dict[str, str] = {}  # CSRF tokens by service

    # How we are let in.

    def address(self, url: str) -> str:
        """The system's own address, or the stand-in's. Raises NeedsAttention where the host is none."""
        host = host_of(self.setting("host"), "my300000-api.s4hana.cloud.sap")
        return super().address(url.replace("{host}", host))

    @property
    def _settings(self) -> Mapping[str, str]:
        return {setting.name: self.setting(setting.name) for setting in self.settings}

    def auth(self) -> httpx2.Auth:
        """Basic with the communication user; or a token for it (OAuth 2.0 client credentials)."""
        return basic_or_token(self.account, self.setting("token_url"), address=super().address)

    def check(self) -> str:
        rows_in(self._get(PARTNERS, "A_BusinessPartner", {"$top": 1, "$select": "BusinessPartner"}))
        return f"SAP S/4HANA at {self.setting('host')}"

    # What comes in.

    def pull_listings(self, cursor: str) -> Iterator[Page[ListingRecord]]:
        return walk(self._listings, cursor)

    def _listings(self, cursor: str) -> Page[ListingRecord]:
        after = str(read_cursor(cursor).get("after", ""))
        asked = {
            "$filter": f"Product gt {odata.text(after)}", "$orderby": "Product", "$top": PAGE,
            "$inlinecount": "allpages",
            "$select": "Product,ProductStandardID,IsMarkedForDeletion,to_Description", "$expand": "to_Description",
        }  # fmt: skip
        rows, has_more = rows_in(self._get(PRODUCTS, "A_Product", asked))
        prices, language = self._prices([str(row.get("Product", "")) for row in rows]), self.setting("language")
        records, unreadable = read_each(
            rows, lambda raw: words.listing_record(raw, prices.get(str(raw["Product"])), language),
            lambda raw: raw["Product"],
        )  # fmt: skip
        last = str(rows[-1].get("Product", "")) if rows else after
        return Page(records, write_cursor(after=last), not has_more, unreadable)

    def _prices(self, products: Sequence[str]) -> Mapping[str, Raw]:
        """What these products cost everybody today, by product, where a condition for prices is chosen."""
        told = self._settings
        if not products or not told["price_condition"]:
            return {}
        today = odata.day(clock.now())
        terms = [
            f"ConditionType eq {odata.text(told['price_condition'])}",
            f"SalesOrganization eq {odata.text(told['sales_organization'])}",
            f"DistributionChannel eq {odata.text(told['distribution_channel'])}", "Customer eq ''", "SoldToParty eq ''",
            f"ConditionValidityStartDate le {today}", f"ConditionValidityEndDate ge {today}",
            odata.any_of("Material", products),
        ]  # fmt: skip
        asked = {"$filter": " and ".join(terms), "$expand": "to_SlsPrcgConditionRecord", "$top": PRICE_PAGE}
        rows, _ = rows_in(self._get(PRICES, "A_SlsPrcgCndnRecdValidity", asked))
        return {str(row.get("Material", "")): row for row in rows}

    def pull_stock(self, refs: Sequence[ListingRef], location: str = "") -> Sequence[StockRecord]:
        if not refs:
            return []
        asked = {"$filter": odata.any_of("Material", [ref.key for ref in refs]), "$expand": "to_MatlStkInAcctMod"}
        rows, _ = rows_in(self._get(STOCK, "A_MaterialStock", asked))
        return read_one(rows, lambda raw: words.stock_records(raw, location))

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        return walk(lambda place: self._customers(place, since), cursor)

    def _customers(self, cursor: str, since: datetime | None) -> Page[CustomerRecord]:
        """One page out of two lists, those who were made and those who were changed, in the order of both: a business
        partner that was never changed has no moment of change. What lies behind the end of either list waits."""
        places = read_cursor(cursor)
        lists = []
        for names in (words.MADE, words.CHANGED):
            place = place_of(str(places.get(names[0], "")), since)
            rows, has_more = self._partners(odata.behind(place, *names, "BusinessPartner"), names)
            found = [(read_one(row, partial(words.place_in, names=names)), row) for row in rows]
            lists.append((names[0], place, found, has_more))
        ends = [_order(found[-1][0]) for _, _, found, has_more in lists if has_more]
        taken: dict[str, tuple[Place, Raw]] = {}
        cursors = {}
        for name, place, found, _ in lists:
            here = [(at, row) for at, row in found if not ends or _order(at) <= min(ends)]
            taken |= {at.after: (at, row) for at, row in here}
            cursors[name] = cursor_after(place, here[-1][0] if here else None, is_last=not ends)
        rows = [row for _, row in sorted(taken.values(), key=lambda each: _order(each[0]))]
        records, unreadable = read_each(rows, words.customer_record, lambda raw: raw["BusinessPartner"])
        return Page(records, write_cursor(**cursors), not ends, unreadable)

    def _partners(self, condition: str, names: tuple[str, str]) -> tuple[list[Raw], bool]:
        asked = {
            "$filter": f"Customer ne '' and {condition}", "$orderby": f"{names[0]},{names[1]},BusinessPartner",
            "$top": PAGE, "$inlinecount": "allpages", "$expand": REACHED,
        }  # fmt: skip
        return rows_in(self._get(PARTNERS, "A_BusinessPartner", asked))

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        raw = self._one(PARTNERS, f"A_BusinessPartner({odata.key(external_id)})", REACHED)
        return None if raw is None else read_one(raw, words.customer_record)

    def _get(self, service: str, path: str, params: Mapping[str, Any]) -> Answer:
        return self.http.call("GET", f"{ROOT}/{service}/{path}", params=params)

    def _one(self, service: str, path: str, expand: str) -> Raw | None:
        return if_there(lambda: entity_in(self._get(service, path, {"$expand": expand})))

    def _found(self, service: str, path: str, condition: str, expand: str) -> Raw | None:
        """The first entity of which a condition is true."""
        asked = {"$filter": condition, **({"$expand": expand} if expand else {}), "$top": 1}
        rows, _ = rows_in(self._get(service, path, asked))
        return rows[0] if rows else None

    # What goes out.

    def push_customer(self, content: CustomerContent) -> str:
        if content.external_id:
            return self._change_customer(content)
        same = f"BusinessPartnerIDByExtSystem eq {odata.text(capital_mark(content.key, 20))}"
        there = self._found(PARTNERS, "A_BusinessPartner", same, REACHED)
        if there is None:
            body = bodies.partner(content, self._settings)
            there = entity_in(self._write("POST", PARTNERS, "A_BusinessPartner", body), "BusinessPartner")
        return str(there["BusinessPartner"])

    def _change_customer(self, content: CustomerContent) -> str:
        path = f"A_BusinessPartner({odata.key(content.external_id)})"
        there = self._one(PARTNERS, path, REACHED)
        if there is None:
            raise Rejected(f"SAP has no business partner {content.external_id}", key=content.key, status=404)
        is_person = there.get("BusinessPartnerCategory") == words.PERSON
        names = {
            name: value for name, value in bodies.partner_names(content, is_person=is_person).items()
            if there.get(name) != value
        }  # fmt: skip
        if names:
            self._change(PARTNERS, path, names, etag_of(there))
        for entity_set, known, fields in bodies.reachable_changes(there, content):
            if known:
                keys = (f"{key}={odata.key(str(known[key]))}" for key in ("AddressID", "Person", "OrdinalNumber"))
                self._change(PARTNERS, f"{entity_set}({','.join(keys)})", fields, etag_of(known))
            else:
                self._write("POST", PARTNERS, entity_set, fields)
        return content.external_id

    def find_order(self, number: str) -> OrderNames | None:
        there = self._order(number)
        return None if there is None else read_one(there, words.order_names)

    def _order(self, number: str) -> Raw | None:
        return self._found(ORDERS, "A_SalesOrder", f"PurchaseOrderByCustomer eq {odata.text(number)}", "to_Item")

    def push_order(self, content: OrderContent) -> OrderNames:
        """See PushesOrders. What SAP has already is compared first: only what differs is written."""
        there, told = self._order(content.number), self._settings
        if there is None:
            self._write("POST", ORDERS, "A_SalesOrder", bodies.order(content, told))
        else:
            order = str(there["SalesOrder"])
            lines = read_one(there, lambda raw: bodies.order_lines(raw, content))
            for line, row in lines:
                if row is None:
                    item = bodies.item(line, content, told)
                    self._write("POST", ORDERS, f"A_SalesOrder({odata.key(order)})/to_Item", item)
                    continue
                change = bodies.item_change(row, line, content, told)
                if change:
                    key = f"SalesOrder={odata.key(order)},SalesOrderItem={odata.key(str(row['SalesOrderItem']))}"
                    self._change(ORDERS, f"A_SalesOrderItem({key})", change, etag_of(row))
        now = self._order(content.number)
        if now is None:
            raise Unintelligible(f"order {content.number} was taken, and is not there")
        return read_one(now, words.order_names)

    def push_fulfilment(self, notice: FulfilmentNotice) -> str:
        """See PushesFulfilments. A delivery is made, picked, and its goods issue posted; what of this was done already
        is not done again."""
        reference = capital_mark(notice.key, 35)
        same = f"DeliveryDocumentBySupplier eq {odata.text(reference)}"
        there = self._found(DELIVERIES, "A_OutbDeliveryHeader", same, "to_DeliveryDocumentItem")
        if there is None:
            body = bodies.delivery(notice, reference, self.setting("unit"))
            there = entity_in(self._write("POST", DELIVERIES, "A_OutbDeliveryHeader", body), "DeliveryDocument")
        number = str(there["DeliveryDocument"])
        if there.get("OverallGoodsMovementStatus") != COMPLETELY:
            self._issue(number)
        return number

    def _issue(self, number: str) -> None:
        """Have a delivery picked and its goods issued. Raises Unintelligible where SAP gave it a number and has none of
        it: then it is asked for again; RetryLater where SAP said to have picked it and has not."""
        named = {"DeliveryDocument": odata.text(number)}
        try:
            self._write("POST", DELIVERIES, "PickAllItems", params=named, repeatable=True)
            self._write("POST", DELIVERIES, "PostGoodsIssue", params=named)
        except Rejected as error:
            if error.status == 404:
                raise Unintelligible(f"delivery {number} was taken, and is not there", status=404) from None
            if not self._is_picked(number):
                raise RetryLater(f"delivery {number} was not picked: {error}") from error
            raise

    def _is_picked(self, number: str) -> bool:
        there = self._found(DELIVERIES, "A_OutbDeliveryHeader", f"DeliveryDocument eq {odata.text(number)}", "")
        return there is None or there.get("OverallPickingStatus") == COMPLETELY

    def push_movements(self, notices: Sequence[MovementNotice]) -> Sequence[Rejected]:
        if not notices:
            return []
        asked = {
            "$filter": odata.any_of("ReferenceDocument", [capital_mark(one.key, 16) for one in notices]),
            "$select": "ReferenceDocument",
        }  # fmt: skip
        rows, _ = rows_in(self._get(MOVEMENTS, "A_MaterialDocumentHeader", asked))
        posted, told = {row.get("ReferenceDocument") for row in rows}, self._settings

        def post(notice: MovementNotice) -> None:
            if capital_mark(notice.key, 16) not in posted:
                self._write("POST", MOVEMENTS, "A_MaterialDocumentHeader", bodies.movement(notice, told))

        return tell_each(notices, post, lambda notice: notice.key)

    def _change(self, service: str, path: str, fields: Mapping[str, Any], etag: str) -> None:
        """Set these fields, unless somebody changed the entity meanwhile (then RetryLater)."""
        self._write("PATCH", service, path, {"d": fields}, etag=etag, repeatable=True)

    def _write(
        self, method: str, service: str, path: str, body: Mapping[str, Any] | None = None, *,
        params: Mapping[str, str] | None = None, etag: str = "", repeatable: bool = False,
    ) -> Answer:  # fmt: skip
        """Write under the service's CSRF token, with a new one where the present one has ended."""
        for is_second in (False, True):
            if service not in self._tokens:
                self._tokens[service] = self._csrf_token(service)
            headers = {"X-CSRF-Token": self._tokens[service], **({"If-Match": etag} if etag else {})}
            try:
                return self.http.call(
                    method, f"{ROOT}/{service}/{path}", params=params, json=body, headers=headers,
                    repeatable=repeatable,
                )  # fmt: skip
            except RetryLater as error:
                if error.code != NO_TOKEN or is_second:
                    raise
                del self._tokens[service]
        raise AssertionError("the second try ends one way or the other")

    def _csrf_token(self, service: str) -> str:
        """A token for writes; the cookie that belongs to it is kept with the connection."""
        answer = self.http.call("GET", f"{ROOT}/{service}/", headers={"X-CSRF-Token": "Fetch"})
        token = answer.header("X-CSRF-Token")
        if not token:
            raise Unintelligible(f"{service} gives no CSRF token", status=answer.status)
        return token

    # What its errors mean.

    def error_code(self, answer: Answer) -> tuple[str, str]:
        if answer.is_success:
            return "", ""
        told = answer.data.get("error") if isinstance(answer.data, dict) else None
        error = told if isinstance(told, dict) else {}
        message = error.get("message")
        said = str(message.get("value") or "") if isinstance(message, dict) else str(message or "")
        if answer.status == 403 and answer.header("X-CSRF-Token").lower() == "required":
            return NO_TOKEN, said
        if answer.status == 412:
            return CHANGED_MEANWHILE, said
        return str(error.get("code") or ""), said


def _order(place: Place) -> tuple[datetime, str]:
    """Business partners as SAP sorts them: numbers as if written with leading zeros."""
    return place.at, place.after.zfill(10)
