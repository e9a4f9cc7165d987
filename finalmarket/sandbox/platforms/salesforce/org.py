"""The org: records and what is asked of them, graphs that are done whole or not at all, and what people do in
Salesforce itself. Records that were deleted stay in the recycle bin, where `queryAll` still sees them."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from finalmarket.sandbox.abilities import KeptOrder, Person
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.salesforce import soql
from finalmarket.sandbox.platforms.salesforce.gate import (
    ACCOUNT,
    ORGANIZATION,
    OTHER_PRODUCT,
    PRICEBOOK,
    ROOT,
    Fields,
    Gate,
    refusal,
    written,
)
from finalmarket.sandbox.platforms.salesforce.schema import EMAIL, KINDS, PREFIXES, STATUSES, Field, value_fault
from finalmarket.sandbox.stand_in import Refused, Reply, Request, route

MOST_STEPS = 500
# What is wrong with a question, by how its words begin.
FAULTS = {
    "": "MALFORMED_QUERY", "No such column": "INVALID_FIELD", "invalid ID field": "INVALID_QUERY_FILTER_OPERATOR",
}  # fmt: skip


class Salesforce(Gate):
    """One org."""

    def fresh_state(self) -> Fields:
        now = written(self.world.clock.now())
        own = {"SystemModstamp": now, "CreatedDate": now, "IsDeleted": False}
        state: Fields = {"count": 1000, "tokens": {}, "codes": {}, "used": 0, "records": {kind: {} for kind in KINDS}}
        records = state["records"]
        records["Organization"][ORGANIZATION] = {"Id": ORGANIZATION, "Name": "The Final Market Ltd", **own}
        records["Account"][ACCOUNT] = {"Id": ACCOUNT, "Name": "Customers of the shops", **own}
        product = {"Id": "01t000000000001AAA", "Name": "Shipping and fees", "ProductCode": OTHER_PRODUCT, **own}
        entry = {"Id": "01u000000000001AAA", "Pricebook2Id": PRICEBOOK, "Product2Id": product["Id"], "IsActive": True,
                 "UnitPrice": 0, **own}  # fmt: skip
        records["Product2"][product["Id"]], records["PricebookEntry"][entry["Id"]] = product, entry
        return state

    # Questions.

    @route("GET", f"{ROOT}/query")
    def query(self, request: Request) -> Reply:
        return self._answered(request, sees_deleted=False)

    @route("GET", f"{ROOT}/queryAll")
    def query_all(self, request: Request) -> Reply:
        return self._answered(request, sees_deleted=True)

    def _answered(self, request: Request, *, sees_deleted: bool) -> Reply:
        if request.fault is Fault.CURSOR_EXPIRED:
            return self.cursor_expired()
        try:
            question = soql.read(request.query.get("q", ""))
            records = self.state["records"].get(question.kind)
            if records is None:
                raise refusal(400, "INVALID_TYPE", f"sObject type '{question.kind}' is not supported.")
            there = [one for one in records.values() if sees_deleted or not one["IsDeleted"]]
            rows, every = soql.answer(question, there, self._field)
        except ValueError as wrong:
            code = next((code for words, code in FAULTS.items() if words and str(wrong).startswith(words)), FAULTS[""])
            raise refusal(400, code, str(wrong)) from None
        if question.order.startswith("SystemModstamp") and request.fault is Fault.MISSING_PAGE:
            rows = rows[:-1]
        if question.order.startswith("SystemModstamp") and request.fault is Fault.DUPLICATE_PAGE and rows:
            at = every.index(rows[0])
            rows = [every[at - 1], *rows[:-1]] if at else rows
        shown = [self._shown(question, one) for one in rows]
        return Reply(200, {"totalSize": len(shown), "done": True, "records": shown})

    def _field(self, kind: str, record: Fields, name: str) -> Any:
        """A field of a record, or of one that it refers to (`Product2.ProductCode`). Raises ValueError for none."""
        near, _, far = name.partition(".")
        field = KINDS[kind].get(f"{near}Id" if far else near)
        if field is None:
            raise ValueError(f"No such column '{name}' on sobject of type {kind}")
        if not far:
            return record.get(name)
        other = self.state["records"][field.leads_to].get(record.get(f"{near}Id"), {})
        return self._field(field.leads_to, other, far)

    def _shown(self, question: soql.Question, record: Fields) -> Fields:
        kind = question.kind
        shown: Fields = {"attributes": {"type": kind, "url": f"{ROOT}/sobjects/{kind}/{record['Id']}"}}
        for name in question.fields:
            near, _, far = name.partition(".")
            value = self._field(kind, record, name)
            shown[near] = {"attributes": {"type": near}, far: value} if far else value
        return shown

    # Records.

    @route("PATCH", f"{ROOT}/sobjects/{{kind}}/{{by}}/{{value}}")
    def upsert_record(self, request: Request, kind: str, by: str, value: str) -> Reply:
        field = self._kind(kind).get(by)
        if field is None or not field.is_unique:
            raise refusal(404, "NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {by}")
        name = unquote(value)
        known = self._unique(kind, by, name)
        if known is not None:
            self._change(kind, known, request.json())
            return Reply(200, {"id": known["Id"], "success": True, "errors": [], "created": False})
        made = self._make(kind, {**request.json(), by: name})
        return Reply(201, {"id": made["Id"], "success": True, "errors": [], "created": True})

    @route("PATCH", f"{ROOT}/sobjects/{{kind}}/{{name}}")
    def change_record(self, request: Request, kind: str, name: str) -> Reply:
        self._change(kind, self._one(kind, name), request.json())
        return Reply(204)

    @route("DELETE", f"{ROOT}/sobjects/{{kind}}/{{name}}")
    def remove_record(self, request: Request, kind: str, name: str) -> Reply:
        self._delete(kind, self._one(kind, name))
        return Reply(204)

    @route("POST", f"{ROOT}/composite/graph")
    def do_graph(self, request: Request) -> Reply:
        """Every graph whole, or not at all."""
        graphs = request.json()["graphs"]
        if sum(len(graph["compositeRequest"]) for graph in graphs) > MOST_STEPS:
            raise refusal(400, "LIMIT_EXCEEDED", f"At most {MOST_STEPS} nodes are done at once.")
        return Reply(200, {"graphs": [self._graph(graph) for graph in graphs]})

    def _graph(self, graph: Fields) -> Fields:
        kept, effects = copy.deepcopy(self.state["records"]), self._effects
        noted: list[tuple[str, Fields]] = []
        self._effects = noted
        told: list[Fields] = []
        names: dict[str, str] = {}
        try:
            for step in graph["compositeRequest"]:
                told.append(self._step(step, names))
        except Refused as refused:
            self.state["records"] = kept
            failed = {"body": refused.reply.body, "httpStatusCode": refused.reply.status}
            halted = [{"errorCode": "PROCESSING_HALTED", "message": "The transaction was rolled back."}]
            told = [
                {**(failed if number == len(told) else {"body": halted, "httpStatusCode": 400}), "httpHeaders": {},
                 "referenceId": step["referenceId"]}
                for number, step in enumerate(graph["compositeRequest"])
            ]  # fmt: skip
            noted.clear()
            is_done = False
        else:
            is_done = True
        finally:
            self._effects = effects
        for name, facts in noted:
            self.effect(name, **facts)
        return {"graphId": graph["graphId"], "graphResponse": {"compositeResponse": told}, "isSuccessful": is_done}

    _effects: list[tuple[str, Fields]] | None = None  # those of a graph that is being done

    def _step(self, step: Fields, names: dict[str, str]) -> Fields:
        """One step of a graph; `@{order.id}` stands for what an earlier one made."""
        match = re.fullmatch(rf"{re.escape(ROOT)}/sobjects/(\w+)(?:/(\w+))?", step["url"])
        if match is None:
            raise refusal(404, "NOT_FOUND", "The requested resource does not exist")
        kind, name = match[1], match[2] or ""
        body = {
            field: _filled(value, names) if isinstance(value, str) else value
            for field, value in step.get("body", {}).items()
        }
        done: Fields = {"body": None, "httpHeaders": {}, "httpStatusCode": 204, "referenceId": step["referenceId"]}
        if step["method"] == "POST" and not name:
            made = self._make(kind, body)
            names[step["referenceId"]] = made["Id"]
            where = {"Location": f"{ROOT}/sobjects/{kind}/{made['Id']}"}
            told = {"id": made["Id"], "success": True, "errors": []}
            return {**done, "body": told, "httpHeaders": where, "httpStatusCode": 201}
        record = self._one(kind, name)
        if step["method"] == "PATCH":
            self._change(kind, record, body)
        else:
            self._delete(kind, record)
        return done

    def _kind(self, kind: str) -> Mapping[str, Field]:
        if kind not in KINDS:
            raise refusal(404, "NOT_FOUND", "The requested resource does not exist")
        return KINDS[kind]

    def _one(self, kind: str, name: str) -> Fields:
        self._kind(kind)
        found: Fields | None = self.state["records"][kind].get(name)
        if found is None:
            raise refusal(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: Id")
        if found["IsDeleted"]:
            raise refusal(404, "ENTITY_IS_DELETED", "entity is deleted")
        return found

    def _unique(self, kind: str, by: str, value: str) -> Fields | None:
        """The record with that value of an external id; upper and lower case are one."""
        wanted = value.lower()
        for one in self.state["records"][kind].values():
            if not one["IsDeleted"] and str(one.get(by) or "").lower() == wanted:
                found: Fields = one
                return found
        return None

    def _checked(self, kind: str, told: Mapping[str, Any], record: Fields | None) -> Fields:
        """The values as the org takes them; refused where one is none."""
        fields = self._kind(kind)
        for name, value in told.items():
            field = fields.get(name)
            if field is None:
                raise refusal(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {kind}")
            if field.is_own or (record is not None and field.is_fixed):
                raise refusal(400, "INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {name}.", name)
            code, words = value_fault(field, value)
            if code:
                raise refusal(400, code, f"{name}: {words}", name)
            if field.leads_to and value and value not in self.state["records"][field.leads_to]:
                raise refusal(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", name)
            same = self._unique(kind, name, value) if field.is_unique and value else None
            if same is not None and same is not record:
                raise refusal(400, "DUPLICATE_VALUE", f"duplicate value found: {name} duplicates {same['Id']}", name)
        whole = {**(record or {}), **told}
        missing = [name for name, field in fields.items() if field.is_needed and whole.get(name) in (None, "")]
        if missing:
            words = f"Required fields are missing: [{', '.join(missing)}]"
            raise refusal(400, "REQUIRED_FIELD_MISSING", words, *missing)
        self._sensible(kind, whole)
        return {name: _held(fields[name], value) for name, value in told.items()}

    def _sensible(self, kind: str, whole: Mapping[str, Any]) -> None:
        if whole.get("Email") and not EMAIL.fullmatch(whole["Email"]):
            raise refusal(400, "INVALID_EMAIL_ADDRESS", f"Email: invalid email address: {whole['Email']}", "Email")
        if kind == "Order" and whole["Status"] not in STATUSES:
            raise refusal(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Status: bad value", "Status")
        if kind != "OrderItem":
            return
        if not Decimal(str(whole["Quantity"])):
            raise refusal(400, "FIELD_INTEGRITY_EXCEPTION", "The quantity cannot be zero", "Quantity")
        order = self.state["records"]["Order"][whole["OrderId"]]
        if order["Status"] == "Activated":
            raise refusal(400, "FAILED_ACTIVATION", "The order is activated: its products cannot be changed", "OrderId")
        entry = self.state["records"]["PricebookEntry"][whole["PricebookEntryId"]]
        if entry["Pricebook2Id"] != order.get("Pricebook2Id"):
            raise refusal(400, "FIELD_INTEGRITY_EXCEPTION", "The price book entry is of another price book")

    def _make(self, kind: str, told: Mapping[str, Any], *, at: datetime | None = None) -> Fields:
        values, moment = self._checked(kind, told, None), written(at or self.now())
        unset = {name: False for name, field in KINDS[kind].items() if field.kind == "flag"}
        record: Fields = {
            "Id": f"{PREFIXES[kind]}{self._next():012d}AAA", "CreatedDate": moment, "SystemModstamp": moment,
            **unset, **values,
        }  # fmt: skip
        self.state["records"][kind][record["Id"]] = record
        self._happened(f"{kind} made", record)
        return record

    def _change(self, kind: str, record: Fields, told: Mapping[str, Any]) -> None:
        values = self._checked(kind, told, record)
        changed = {name: value for name, value in values.items() if (record.get(name) or None) != (value or None)}
        if changed:
            record |= {**changed, "SystemModstamp": written(self.now())}
            self._happened(f"{kind} changed", record)

    def _delete(self, kind: str, record: Fields, *, master: str = "") -> None:
        if kind == "OrderItem":
            self._sensible(kind, record)
        record |= {"IsDeleted": True, "SystemModstamp": written(self.now())}
        if master:
            record["MasterRecordId"] = master
        self._happened(f"{kind} deleted", record)

    def _happened(self, name: str, record: Fields) -> None:
        """Write an effect down; those of a graph only when all of it is done."""
        if self._effects is None:
            self.effect(name, id=record["Id"])
        else:
            self._effects.append((name, {"id": record["Id"]}))

    # What people do in Salesforce itself, and the outside world. The caller holds the lock.

    def sign_up(self, values: Mapping[str, Any], *, at: datetime | None = None) -> str:
        """Somebody becomes a contact; returns the id."""
        return str(self._make("Contact", values, at=at)["Id"])

    def change(self, kind: str, name: str, values: Mapping[str, Any]) -> None:
        """Somebody changes a record."""
        self._change(kind, self._one(kind, name), values)

    def merge(self, kept: str, gone: str) -> None:
        """Two contacts turn out to be one: the second goes into the first, and into the recycle bin."""
        record = self._one("Contact", kept)
        self._delete("Contact", self._one("Contact", gone), master=kept)
        record["SystemModstamp"] = written(self.now())

    def delete(self, name: str) -> None:
        """Somebody deletes a contact."""
        self._delete("Contact", self._one("Contact", name))

    def purge(self, name: str) -> None:
        """The recycle bin is emptied of a contact: nobody knows it any more."""
        del self.state["records"]["Contact"][name]

    def add_product(self, code: str, title: str, price: Decimal) -> str:
        """One more product in the price book; returns the id of its entry."""
        product = self._make("Product2", {"Name": title, "ProductCode": code})
        values = {"Pricebook2Id": PRICEBOOK, "Product2Id": product["Id"], "IsActive": True, "UnitPrice": float(price)}
        return str(self._make("PricebookEntry", values)["Id"])

    def put_in_catalogue(self, code: str, title: str, price: Decimal) -> None:
        """See PricesGoods."""
        self.add_product(code, title, price)

    def meet(self, name: str, email: str) -> str:
        """Somebody becomes a customer; the id."""
        first, _, last = name.rpartition(" ")
        return self.sign_up({"FirstName": first, "LastName": last, "Email": email})

    def rename(self, customer: str, name: str) -> None:
        """A customer is called otherwise now."""
        first, _, last = name.rpartition(" ")
        self.change("Contact", customer, {"FirstName": first, "LastName": last})

    def people(self) -> Mapping[str, Person]:
        """All customers, by id."""
        there = {name: one for name, one in self.state["records"]["Contact"].items() if not one["IsDeleted"]}
        return {
            name: Person(f"{one.get('FirstName') or ''} {one['LastName']}".strip(), one.get("Email") or "")
            for name, one in there.items()
        }

    def kept_orders(self) -> list[KeptOrder]:
        """See KeepsOrders."""
        items = [one for one in self.state["records"]["OrderItem"].values() if not one["IsDeleted"]]
        return [
            KeptOrder(
                one["FinalMarket_Number__c"], sum(int(item["Quantity"]) for item in items if item["OrderId"] == name),
                one["FinalMarket_State__c"] == "cancelled",
            )
            for name, one in self.state["records"]["Order"].items()
            if not one["IsDeleted"]
        ]  # fmt: skip


def _filled(value: str, names: Mapping[str, str]) -> str:
    return re.sub(r"@\{(\w+)\.id\}", lambda found: names[str(found[1])], value)


def _held(field: Field, value: Any) -> Any:
    """A value as the org holds it: moments in its own words."""
    return written(datetime.fromisoformat(value)) if field.kind == "moment" and value else value
