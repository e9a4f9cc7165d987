"""Salesforce: contacts come in, with merges and deletions; customers go out as contacts with consent, segment and
spending, orders as orders with order products.

Records of ours are known again by external ids; an order goes out in one graph, all of it or nothing. The questions
stand in soql, the words in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from urllib.parse import quote, urlencode, urlsplit

import httpx2

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.auth import TokenAuth, TokenRequest, challenge
from finalmarket.connectors.books import OrderContent, OrderNames, PushesOrders
from finalmarket.connectors.code_exchange import tokens_for_code
from finalmarket.connectors.contract import (
    Authorizes,
    Checked,
    Connector,
    ErasesCustomers,
    PullsCustomers,
    PushesCustomers,
    Setting,
)
from finalmarket.connectors.errors import ConnectorError, NeedsAttention, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.http import Answer, retry_after
from finalmarket.connectors.keyset import Place, page_behind, place_of
from finalmarket.connectors.own_systems import TOKEN_SECRETS, host_of
from finalmarket.connectors.paging import all_rows, in_parts, read_one, walk
from finalmarket.connectors.platforms.salesforce import soql, words
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import CustomerContent, CustomerRecord, Page, Raw
from finalmarket.connectors.refusals import refused_as

__all__ = ["Salesforce"]

VERSION = "v64.0"
ROOT = f"/services/data/{VERSION}"
TOKEN, CONSENT = "/services/oauth2/token", "/services/oauth2/authorize"
PAGE = 200
MOST_STEPS = 500  # of one graph
A_WHILE = 3600.0  # seconds, after the calls of a day are used up
HALTED, NO_ID = "PROCESSING_HALTED", "INVALID_QUERY_FILTER_OPERATOR"  # the latter for what is no id at all


class Salesforce(Connector, PullsCustomers, PushesCustomers, ErasesCustomers, PushesOrders, Authorizes):
    """One org. Salesforce's REST API sends no webhooks: it is asked."""

    # Who we are.

    slug = "salesforce"
    name = "Salesforce"
    kind = "crm"
    docs = "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest.htm"
    api_version = VERSION
    base_url = "https://{host}"
    rate = Rate(calls=5, burst=20)  # what counts is the number of calls a day, which answers tell
    secrets = ("client_id", "client_secret")
    optional_secrets = ("refresh_token", *TOKEN_SECRETS)
    settings = (
        Setting("host", "My Domain", "As in Setup, My Domain, such as example.my.salesforce.com"),
        Setting("account", "Account", "Id; of new contacts, and of orders of buyers without an account", False),
        Setting("pricebook", "Price book", "Id; of orders", False),
        Setting("other_product", "Product code for other lines", "For shipping, fees and discounts", False),
        Setting("status", "Status of new orders", "As in the list of the org", False, "Draft"),
        Setting("currency", "Currency", "Of an org that has one only; empty: it has several", False),
        Setting(
            "countries", "Countries on addresses", default="text",
            choices=(("text", "Free text"), ("codes", "State and country picklists")),
        ),
    )  # fmt: skip
    described_in = ("salesforce",)
    checked_against = Checked("derived", on="2026-11-25")

    # How we are let in.

    def address(self, url: str) -> str:
        """The org's own address, or the stand-in's."""
        if self.account.base_url:
            return super().address(url.replace("{host}", "org.invalid"))
        return url.replace("{host}", host_of(self.setting("host"), "example.my.salesforce.com"))

    def auth(self) -> httpx2.Auth:
        """A token by client credentials or, for who was connected in the browser, by the refresh token. Salesforce does
        not say when a token ends: it is renewed when it is refused."""
        kept = self.account.secrets
        form = {"grant_type": "client_credentials", **self._app()}
        if kept.get("refresh_token"):
            form |= {"grant_type": "refresh_token", "refresh_token": kept["refresh_token"]}
        request = TokenRequest(self.address(self.base_url + TOKEN), form)
        return TokenAuth.of(request, self.account)

    def _app(self) -> dict[str, str]:
        return {name: self.account.secrets.get(name, "") for name in ("client_id", "client_secret")}

    def check(self) -> str:
        """See Connector."""
        rows = self._ask("SELECT Id, Name FROM Organization LIMIT 1")
        if not rows:
            raise Unintelligible("Salesforce does not say whose org it is")
        return read_one(rows[0], lambda raw: f"{raw['Name']} ({raw['Id']})")

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """See Authorizes. With PKCE, which newer orgs ask for."""
        query = {
            "response_type": "code", "client_id": self.account.secrets.get("client_id", ""), "state": state,
            "redirect_uri": redirect_uri, "scope": "api refresh_token",
            **({"code_challenge": challenge(verifier), "code_challenge_method": "S256"} if verifier else {}),
        }  # fmt: skip
        return f"{self.address(self.base_url + CONSENT)}?{urlencode(query)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """See Authorizes. The org's own host comes along: the person may have come in by a general one."""
        form = {
            "grant_type": "authorization_code", "redirect_uri": redirect_uri, **self._app(),
            **({"code_verifier": verifier} if verifier else {}),
        }  # fmt: skip
        told = fields_in(tokens_for_code(self.http, query, TOKEN, form), "instance_url")
        if not told.get("refresh_token"):
            raise NeedsAttention("Salesforce gave no refresh token: allow the app to refresh tokens, and connect anew")
        kept = {name: str(told[name]) for name in ("access_token", "refresh_token")}
        return {**kept, "host": host_of(urlsplit(str(told["instance_url"])).netloc, "example.my.salesforce.com")}

    def heed(self, answer: Answer, bucket: str) -> float | None:
        """See Connector. `Sforce-Limit-Info: api-usage=18/15000` tells of the day's calls (of the last 24 hours)."""
        told = answer.header("Sforce-Limit-Info")
        used, _, most = told.partition("api-usage=")[2].partition(",")[0].partition(";")[0].partition("/")
        if used.isdigit() and most.isdigit() and int(most) - int(used) < self.rate.capacity:
            self._budget.learn(bucket, left=max(0, int(most) - int(used)))
        asked = retry_after(answer.headers)
        is_used_up = self.error_code(answer)[0] == "REQUEST_LIMIT_EXCEEDED"
        return A_WHILE if asked is None and is_used_up else asked

    # What comes in.

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        """See PullsCustomers. Contacts in the recycle bin come along, as deleted or as merged into another."""
        return walk(lambda place: self._customers(place_of(place, since)), cursor)

    def _customers(self, place: Place) -> Page[CustomerRecord]:
        where = soql.changed_since(place)
        rows = self._ask(self._contacts(where, f"{words.CHANGED}, Id", PAGE), is_all=True)
        merged = self._merged_into([str(row.get("Id", "")) for row in rows])
        return page_behind(
            place, rows, is_last=len(rows) < PAGE, read=partial(words.customer_record, merged=merged),
            place_in=_place_behind, name=lambda raw: raw["Id"],
        )  # fmt: skip

    def _contacts(self, where: str, order: str = "", limit: int = 1) -> str:
        return soql.select(words.contact_fields(self.setting("countries")), "Contact", where, order, limit)

    def _merged_into(self, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Which contacts were merged into these, by their ids, as far as the recycle bin still knows."""
        wanted = [name for name in names if soql.is_id(name)]
        if not wanted:
            return {}
        where = f"IsDeleted = true AND MasterRecordId IN {soql.texts(wanted)}"
        found: dict[str, list[str]] = {}
        for row in self._ask(soql.select(("Id", "MasterRecordId"), "Contact", where, "Id"), is_all=True):
            found.setdefault(str(row.get("MasterRecordId")), []).append(str(row.get("Id")))
        return found

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        """See PullsCustomers."""
        question = self._contacts(f"Id = {soql.text(external_id)}")
        rows = if_there(lambda: self._ask(question, is_all=True), NO_ID)
        merged = self._merged_into([external_id]) if rows else {}
        return read_one(rows[0], lambda raw: words.customer_record(raw, merged)) if rows else None

    def _ask(self, question: str, *, is_all: bool = False) -> list[Raw]:
        """All that a question finds; what was deleted too, where it asks for all."""
        first = f"{ROOT}/{'queryAll' if is_all else 'query'}"

        def fetch(path: str) -> tuple[list[Raw], str]:
            answer = self.http.call("GET", path or first, params=None if path else {"q": question})
            told, following = fields_in(answer, "done"), str(fields_in(answer).get("nextRecordsUrl") or "")
            is_done = told["done"] is True or not following.startswith(ROOT)
            return rows_in(answer, "records"), "" if is_done else following

        return list(all_rows(fetch))

    # What goes out.

    def push_customer(self, content: CustomerContent) -> str:
        """See PushesCustomers. A contact is known by our key; one that is there already by its e-mail address, if it
        is the only one of it. An opt-out is taken back only where we told of it: what somebody asked for in Salesforce
        itself, an older word of ours never overrules."""
        with refused_as(content.key):
            known = content.external_id or self._find_contact(content)
            values = words.contact_values(content, self.setting("countries"), is_new=not known)
            if known and content.accepts_email and self._has_refused(known):
                values["HasOptedOutOfEmail"] = False
            if known and values:
                self._write("PATCH", f"{ROOT}/sobjects/Contact/{quote(known, safe='')}", values)
            return known or self._make_contact(content, values)

    def _has_refused(self, name: str) -> bool:
        """Whether a contact bears our word that its customer refuses e-mail."""
        question = soql.select((words.REFUSED,), "Contact", f"Id = {soql.text(name)}", limit=1)
        return any(map(words.was_refused, if_there(lambda: self._ask(question), NO_ID) or ()))

    def erase_customer(self, external_id: str) -> None:
        """See ErasesCustomers. A contact lies in the org's recycle bin for 15 days more; one that orders or cases name
        Salesforce may keep."""
        path = f"{ROOT}/sobjects/Contact/{quote(external_id, safe='')}"
        if_there(lambda: self.http.call("DELETE", path, repeatable=True))

    def _find_contact(self, content: CustomerContent) -> str:
        """The id of the contact that a customer is; "" for none."""
        conditions = {words.KEY: content.key, "Email": content.email}
        where = " OR ".join(f"{name} = {soql.text(value)}" for name, value in conditions.items() if value)
        if not where:
            raise Rejected("a contact needs an e-mail address, or a key to be known by")
        rows = self._ask(soql.select(("Id", words.KEY), "Contact", where, "CreatedDate, Id", 3))
        ours = [row for row in rows if content.key and row.get(words.KEY) == content.key]
        only = ours[:1] or (rows if len(rows) == 1 else [])
        return str(fields_in(only[0], "Id")["Id"]) if only else ""

    def _make_contact(self, content: CustomerContent, values: Mapping[str, Any]) -> str:
        """Make a contact under our key; asked for twice, it is the same."""
        if not content.key:
            raise Rejected("several contacts have this e-mail address, and there is no key to make another one")
        account = self.setting("account")
        told = {**values, **({"AccountId": account} if account else {})}
        path = f"{ROOT}/sobjects/Contact/{words.KEY}/{quote(content.key, safe='')}"
        return str(fields_in(self._write("PATCH", path, told), "id")["id"])

    def push_order(self, content: OrderContent) -> OrderNames:
        """See PushesOrders. What stands there already is compared first: only what differs is written."""
        with refused_as(content.key):
            return self._push_order(content)

    def _push_order(self, content: OrderContent) -> OrderNames:
        there = self._order(content.number)
        books = self._books(content, is_new=there is None)
        if there is None:
            steps = words.first_steps(content, books, ROOT)
        else:
            steps = read_one(there, lambda raw: words.further_steps(content, books, raw, self._items(raw), ROOT))
        if steps:
            self._do(steps)
            there = self._order(content.number)
        if there is None:
            raise Unintelligible(f"order {content.number} was taken, and is not there")
        return self._names(there, content.number)

    def find_order(self, number: str) -> OrderNames | None:
        """See PushesOrders."""
        there = self._order(number)
        return None if there is None else self._names(there, number)

    def _names(self, there: Raw, number: str) -> OrderNames:
        return read_one(there, lambda raw: words.order_names(str(raw["Id"]), self._items(raw), number))

    def _order(self, number: str) -> Raw | None:
        """Our order of that number, with what we wrote; None where there is none."""
        country, state = words.COUNTRIES[self.setting("countries")]
        parts = ("Street", "City", "PostalCode", state, country)
        places = [f"{kind}{part}" for kind in ("Shipping", "Billing") for part in parts]
        fields = ("Id", "Status", *words.ORDER, *places)
        rows = self._ask(soql.select(fields, "Order", f"{words.NUMBER} = {soql.text(number)}", limit=1))
        return fields_in(rows[0], "Id") if rows else None

    def _items(self, order: Raw) -> list[Raw]:
        where = f"OrderId = {soql.text(str(order['Id']))}"
        return [fields_in(row, "Id") for row in self._ask(soql.select(words.ITEM, "OrderItem", where, "Id"))]

    def _books(self, content: OrderContent, *, is_new: bool) -> words.Books:
        """What the order needs to know of the org. Raises Rejected where something is missing."""
        told = {name: self.setting(name) for name in ("account", "pricebook", "currency", "status", "countries")}
        if not told["pricebook"]:
            raise Rejected("there is no price book for orders: enter one in the settings")
        if told["currency"] and told["currency"].upper() != content.currency:
            raise Rejected(f"the org has only {told['currency'].upper()}, and the order is in {content.currency}")
        contact = content.customer_id if soql.is_id(content.customer_id) else ""
        account = (self._account_of(contact) if contact and is_new else "") or told["account"]
        if is_new and not account:
            raise Rejected("the order has no account: enter one for such orders in the settings")
        other = self.setting("other_product")
        codes = {line.sku for line in content.lines if line.kind == "goods"} | {other}
        entries = self._entries(sorted(codes - {""}), told["pricebook"], "" if told["currency"] else content.currency)
        books = words.Books(
            account, contact, told["pricebook"], entries, entries.get(other, ""), told["status"],
            not told["currency"], told["countries"],
        )  # fmt: skip
        for line in words.wanted_lines(content):
            if not books.entry_of(line):
                raise Rejected(f"the price book has no product for the line {line.sku or line.title or line.kind!r}")
        return books

    def _account_of(self, contact: str) -> str:
        rows = self._ask(soql.select(("Id", "AccountId"), "Contact", f"Id = {soql.text(contact)}", limit=1))
        if not rows:
            raise Rejected(f"Salesforce has no contact {contact}")
        return str(rows[0].get("AccountId") or "")

    def _entries(self, codes: Sequence[str], pricebook: str, currency: str) -> Mapping[str, str]:
        """The price book entries of products, by their code."""
        found: dict[str, str] = {}
        for some in in_parts(codes, PAGE):
            where = f"Pricebook2Id = {soql.text(pricebook)} AND IsActive = true"
            where += f" AND Product2.ProductCode IN {soql.texts(some)}"
            where += f" AND CurrencyIsoCode = {soql.text(currency)}" if currency else ""
            for row in self._ask(soql.select(("Id", "Product2.ProductCode"), "PricebookEntry", where, "Id")):
                code = read_one(row, lambda raw: str(raw["Product2"]["ProductCode"]))
                found.setdefault(code, str(row["Id"]))
        return found

    def _do(self, steps: Sequence[Mapping[str, Any]]) -> None:
        """Have all these steps done, or none of them. What was done already is refused the second time: our external
        ids are taken once only, and what is gone cannot go again. So asking twice does no harm."""
        if len(steps) > MOST_STEPS:
            raise Rejected(f"an order of more than {MOST_STEPS - 1} lines cannot be told at once")
        body = {"graphs": [{"graphId": "order", "compositeRequest": list(steps)}]}
        answer = self._write("POST", f"{ROOT}/composite/graph", body)
        graphs = fields_in(answer, "graphs")["graphs"]
        if not (isinstance(graphs, list) and graphs and all(_is_successful(graph) for graph in graphs)):
            raise Unintelligible("Salesforce does not say that the graph was done")

    def _write(self, method: str, path: str, body: Mapping[str, Any]) -> Answer:
        """Write what may be written twice without harm; amounts go out as exact numbers."""
        return self.http.call(method, path, exact=body, repeatable=True)

    # What its errors mean.

    consequences: ClassVar[Mapping[str, type[ConnectorError]]] = {
        "REQUEST_LIMIT_EXCEEDED": RetryLater, "SERVER_UNAVAILABLE": RetryLater, "UNABLE_TO_LOCK_ROW": RetryLater,
        "QUERY_TIMEOUT": RetryLater, "INVALID_SESSION_ID": NeedsAttention, "API_DISABLED_FOR_ORG": NeedsAttention,
        # Fields of ours, or orders as a whole, are not set up there, or may not be seen.
        "INVALID_FIELD": NeedsAttention, "INVALID_TYPE": NeedsAttention,
    }  # fmt: skip

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """See Connector: the first error of the list; in a graph, which is answered with 200, that of its first step
        that failed by itself."""
        data = answer.data
        if answer.is_success:
            failed = [told for told in _steps_of(data) if told[0] not in ("", HALTED)]
            is_undone = isinstance(data, dict) and any(not _is_successful(one) for one in _listed(data.get("graphs")))
            return (failed[0] if failed else ("UNKNOWN_ERROR", "the graph was not done")) if is_undone else ("", "")
        if isinstance(data, dict):  # tokens
            return str(data.get("error") or ""), str(data.get("error_description") or "")
        return next(iter(_told(data)), ("", ""))


def _place_behind(raw: Raw) -> Place:
    return Place(words.changed_at(raw), str(raw["Id"]))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_successful(graph: Any) -> bool:
    return isinstance(graph, dict) and graph.get("isSuccessful") is True


def _told(data: Any) -> list[tuple[str, str]]:
    """Code and words of each error of a list, with the fields that it is about."""
    found = []
    for one in _listed(data):
        if isinstance(one, dict):
            about = ", ".join(str(field) for field in _listed(one.get("fields")))
            said = str(one.get("message") or "")
            found.append((str(one.get("errorCode") or ""), f"{said} ({about})" if about else said))
    return found


def _steps_of(data: Any) -> Iterator[tuple[str, str]]:
    """The errors of all steps of all graphs."""
    for graph in _listed(data.get("graphs")) if isinstance(data, dict) else []:
        answered = graph.get("graphResponse") if isinstance(graph, dict) else None
        for step in _listed(answered.get("compositeResponse")) if isinstance(answered, dict) else []:
            yield from _told(step.get("body")) if isinstance(step, dict) else []
