"""The records of the stand-in, with their properties, links and searches, and what people do in HubSpot itself.

Contacts have one e-mail address each. Merging two records makes a third, under whose name both go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from finalmarket.sandbox.abilities import Person
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.hubspot import schema
from finalmarket.sandbox.platforms.hubspot.gate import Fields, refusal, written
from finalmarket.sandbox.platforms.hubspot.outside import Outside
from finalmarket.sandbox.stand_in import Reply, Request, route

MOST_INPUTS = 100
MOST_FOUND = 10_000
MOST_A_PAGE = 200
SUBSCRIPTION = "77"


class HubSpot(Outside):
    """One account."""

    def fresh_state(self) -> Fields:
        return {
            "count": 50_000, "tokens": {}, "codes": {}, "target": "", "subscriptions": {},
            "objects": {kind: {} for kind in schema.STANDARD}, "aliases": {}, "links": [],
            "properties": {kind: {} for kind in schema.STANDARD}, "groups": {}, "opted": {},
        }  # fmt: skip

    # Properties.

    @route("POST", "/crm/v3/properties/{kind}/batch/read", is_write=False)
    def read_properties(self, request: Request, kind: str) -> Reply:
        asked = [one["name"] for one in self._inputs(request)]
        known = self.state["properties"][kind]
        found = [known[name] for name in asked if name in known]
        missing = [name for name in asked if name not in known]
        body = self._batch(found)
        if missing:
            told = {"category": "OBJECT_NOT_FOUND", "message": "Property not found", "status": "error",
                    "context": {"name": missing}, "links": {}, "errors": []}  # fmt: skip
            return Reply(207, {**body, "numErrors": 1, "errors": [told]})
        return Reply(200, body)

    @route("POST", "/crm/v3/properties/{kind}/groups")
    def make_group(self, request: Request, kind: str) -> Reply:
        told = request.json()
        if (kind, told["name"]) in self.state["groups"]:
            raise refusal(409, "CONFLICT", f"The property group {told['name']} exists already")
        made = {"archived": False, "displayOrder": -1, **told}
        self.state["groups"][kind, told["name"]] = made
        self.effect("property group", kind=kind)
        return Reply(201, made)

    @route("POST", "/crm/v3/properties/{kind}/batch/create")
    def make_properties(self, request: Request, kind: str) -> Reply:
        inputs, known = self._inputs(request), self.state["properties"][kind]
        for told in inputs:
            if told["name"] in known or told["name"] in schema.STANDARD[kind]:
                raise refusal(409, "CONFLICT", f"A property named {told['name']} exists already")
            if (kind, told["groupName"]) not in self.state["groups"]:
                raise refusal(400, "VALIDATION_ERROR", f"There is no group {told['groupName']}")
        made = [{"description": "", "options": [], "hasUniqueValue": False, **told} for told in inputs]
        known |= {one["name"]: one for one in made}
        self.effect("properties", kind=kind)
        return Reply(201, self._batch(made))

    def _types(self, kind: str) -> dict[str, str]:
        own = {name: one["type"] for name, one in self.state["properties"][kind].items()}
        return {**schema.STANDARD[kind], **own}

    # Records.

    @route("GET", "/crm/v3/objects/{kind}/{name}")
    def read_object(self, request: Request, kind: str, name: str) -> Reply:
        by, is_archived = request.query.get("idProperty", ""), request.query.get("archived") == "true"
        record = self._known(kind, _plain(name), by)
        if record is None or record["archived"] is not is_archived:
            raise refusal(404, "OBJECT_NOT_FOUND", "resource not found")
        return Reply(200, self._shown(kind, record, request.query.get("properties", "").split(",")))

    @route("POST", "/crm/v3/objects/{kind}/batch/read", is_write=False)
    def read_objects(self, request: Request, kind: str) -> Reply:
        wanted = request.json().get("properties", [])
        found = [self._known(kind, one["id"], "") for one in self._inputs(request)]
        there = [one for one in found if one is not None and not one["archived"]]
        return Reply(200, self._batch([self._shown(kind, one, wanted) for one in there]))

    @route("POST", "/crm/v3/objects/{kind}")
    def create_object(self, request: Request, kind: str) -> Reply:
        told = request.json()
        values = self._taken(kind, told["properties"], None)
        links = [(one["to"]["id"], link["associationTypeId"]) for one in told["associations"] for link in one["types"]]
        others = [(self._other_kind(kind, number), str(name)) for name, number in links]
        for other, name in others:
            if self._known(other, name, "") is None:
                raise refusal(400, "VALIDATION_ERROR", f"{name} is no record of {other}")
        record = self._make(kind, values)
        for other, name in others:
            self._join(kind, record["id"], other, name)
        return Reply(201, self._shown(kind, record, values))

    @route("PATCH", "/crm/v3/objects/{kind}/{name}")
    def change_object(self, request: Request, kind: str, name: str) -> Reply:
        record = self._known(kind, _plain(name), request.query.get("idProperty", ""))
        if record is None or record["archived"]:
            raise refusal(404, "OBJECT_NOT_FOUND", "resource not found")
        values = self._taken(kind, request.json()["properties"], record)
        self._change(kind, record, values)
        return Reply(200, self._shown(kind, record, values))

    @route("POST", "/crm/v3/objects/{kind}/batch/upsert")
    def upsert_objects(self, request: Request, kind: str) -> Reply:
        """All or nothing."""
        pairs = []
        for told in self._inputs(request):
            by = told["idProperty"]
            if by != "email" and not self.state["properties"][kind].get(by, {}).get("hasUniqueValue"):
                raise refusal(400, "VALIDATION_ERROR", f"{by} is no property with unique values")
            record = self._known(kind, told["id"], by)
            pairs.append((record, self._taken(kind, {**told["properties"], by: told["id"]}, record)))
        shown = []
        for record, values in pairs:
            if record is not None:
                self._change(kind, record, values)
            one = record or self._make(kind, values)
            shown.append({**self._shown(kind, one, values), "new": record is None})
        return Reply(200, self._batch(shown))

    @route("POST", "/crm/v3/objects/{kind}/batch/archive")
    def archive_objects(self, request: Request, kind: str) -> Reply:
        for told in self._inputs(request):
            record = self._known(kind, told["id"], "")
            if record is not None and not record["archived"]:
                self._archive(kind, record)
        return Reply(204)

    @route("POST", "/crm/v3/objects/{kind}/gdpr-delete")
    def forget_object(self, request: Request, kind: str) -> Reply:
        """For good: nothing is kept of it."""
        told = request.json()
        record = self._known(kind, told["objectId"], told.get("idProperty", ""))
        if record is None:
            raise refusal(404, "OBJECT_NOT_FOUND", "resource not found")
        del self.state["objects"][kind][record["id"]]
        self.effect(f"{kind} forgotten", id=record["id"])
        if kind == "contacts":
            self._tell("contact.privacyDeletion", record["id"])
        return Reply(204)

    def _inputs(self, request: Request) -> list[Fields]:
        inputs: list[Fields] = request.json()["inputs"]
        if not 0 < len(inputs) <= MOST_INPUTS:
            raise refusal(400, "VALIDATION_ERROR", f"Between 1 and {MOST_INPUTS} inputs are taken, not {len(inputs)}")
        return inputs

    def _batch(self, results: list[Fields]) -> Fields:
        now = written(self.now())
        return {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}

    def _known(self, kind: str, name: str, by: str) -> Fields | None:
        """A record by its id, also one that it had before it was merged, or by a unique property."""
        if kind not in self.state["objects"]:
            raise refusal(400, "VALIDATION_ERROR", f"Unable to infer object type from: {kind}")
        records = self.state["objects"][kind]
        if not by:
            found: Fields | None = records.get(self.state["aliases"].get(name, name))
            return found
        if by != "email" and by not in self._types(kind):
            raise refusal(400, "VALIDATION_ERROR", f'Property "{by}" does not exist')
        same = (
            one for one in records.values() if not one["archived"] and one["properties"].get(by) == _folded(by, name)
        )
        return next(same, None)

    def _taken(self, kind: str, told: Mapping[str, Any], record: Fields | None) -> dict[str, str]:
        """The values of a record as HubSpot takes them; refused where one is none."""
        types = self._types(kind)
        values = {name: _folded(name, value) for name, value in told.items()}
        for name, value in values.items():
            code, words = "", ""
            if name in schema.READ_ONLY:
                code, words = "READ_ONLY_VALUE", f'"{name}" is a read only property'
            elif name not in types:
                code, words = "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'
            elif not isinstance(value, str) or not schema.fits(value, types[name]):
                code, words = "INVALID_VALUE", f"{value!r} was not a valid {types[name]} for {name}"
            elif value and name in schema.CHOICES and value not in schema.CHOICES[name]:
                code, words = "INVALID_OPTION", f"{value!r} was not one of the allowed options of {name}"
            elif name == "email" and value and not schema.EMAIL.fullmatch(value):
                code, words = "INVALID_EMAIL", f"Email address {value} is invalid"
            if code:
                raise _invalid(code, words)
        whole = {**(record["properties"] if record else {}), **values}
        missing = [name for name in schema.NEEDED.get(kind, ()) if not whole.get(name)]
        fault = f"{missing[0]} is required" if missing else schema.stage_fault(kind, whole)
        if fault:
            raise _invalid("REQUIRED_FIELD" if missing else "INVALID_OPTION", fault)
        self._require_unique(kind, values, record)
        return values

    def _require_unique(self, kind: str, values: Mapping[str, str], record: Fields | None) -> None:
        unique = [name for name, one in self.state["properties"][kind].items() if one["hasUniqueValue"]]
        for name in ["email", *unique] if kind == "contacts" else unique:
            other = self._known(kind, values[name], name) if values.get(name) else None
            if other is not None and other is not record:
                if name == "email":
                    raise refusal(409, "CONFLICT", f"Contact already exists. Existing ID: {other['id']}")
                raise _invalid("CONFLICTING_UNIQUE_VALUE", f"{other['id']} already has that value")

    def _make(self, kind: str, values: Mapping[str, str], *, at: datetime | None = None) -> Fields:
        name, now = self._next(), written(at or self.now())
        record = {"id": name, "properties": {}, "createdAt": now, "updatedAt": now, "archived": False}
        record["properties"] = {**values, "hs_object_id": name, schema.changed_name(kind): now}
        self.state["objects"][kind][name] = record
        self.effect(f"{kind} made", id=name)
        if kind == "contacts":
            self._tell("contact.creation", name)
        return record

    def _change(self, kind: str, record: Fields, values: Mapping[str, str]) -> None:
        held = record["properties"]
        changed = {name: value for name, value in values.items() if (held.get(name) or "") != value}
        if not changed:
            return
        now = written(self.now())
        record["properties"] = {**held, **changed, schema.changed_name(kind): now}
        record["updatedAt"] = now
        self.effect(f"{kind} changed", id=record["id"])
        if kind == "contacts":
            self._tell("contact.propertyChange", record["id"], changed=changed)

    def _archive(self, kind: str, record: Fields) -> None:
        record |= {"archived": True, "archivedAt": written(self.now())}
        self.effect(f"{kind} archived", id=record["id"])
        if kind == "contacts":
            self._tell("contact.deletion", record["id"])

    def _shown(self, kind: str, record: Fields, wanted: Iterable[str]) -> Fields:
        always = ("hs_object_id", schema.changed_name(kind))
        names = dict.fromkeys([*(name for name in wanted if name), *always])
        known = {*self._types(kind), *schema.READ_ONLY}
        values = {name: record["properties"].get(name) or None for name in names if name in known}
        return {**record, "properties": values}

    # Searching.

    @route("POST", "/crm/v3/objects/{kind}/search", is_write=False, bucket="search")
    def search(self, request: Request, kind: str) -> Reply:
        told = request.json()
        limit, after = told.get("limit", 10), int(told.get("after") or 0)
        if not 0 < limit <= MOST_A_PAGE or after + limit > MOST_FOUND:
            raise refusal(400, "VALIDATION_ERROR", f"At most {MOST_A_PAGE} at a time and {MOST_FOUND} in all are found")
        if request.fault is Fault.CURSOR_EXPIRED:
            return self.cursor_expired()
        (sort,) = told.get("sorts") or ["hs_object_id"]
        every = [one for one in self.state["objects"][kind].values() if not one["archived"]]
        every.sort(key=lambda one: _sortable(one["properties"].get(sort)))
        groups = [group["filters"] for group in told.get("filterGroups", [])]
        found = [one for one in every if not groups or any(_fits(one, group) for group in groups)]
        page = found[after : after + limit]
        if request.fault is Fault.MISSING_PAGE:
            page = page[:-1]
        if request.fault is Fault.DUPLICATE_PAGE and page and every.index(page[0]):
            page = [every[every.index(page[0]) - 1], *page[: limit - 1]]
        shown = [self._shown(kind, one, told.get("properties", [])) for one in page]
        body: Fields = {"total": len(found), "results": shown}
        if after + limit < len(found):
            body["paging"] = {"next": {"after": str(after + limit)}}
        return Reply(200, body)

    # Links.

    @route("GET", "/crm/v4/objects/{kind}/{name}/associations/{other}")
    def list_links(self, request: Request, kind: str, name: str, other: str) -> Reply:
        record = self._known(kind, name, "")
        own = record["id"] if record else ""
        found = [far for one, near, two, far in self._both_ways() if (one, near, two) == (kind, own, other)]
        after, limit = int(request.query.get("after") or 0), int(request.query.get("limit") or 500)
        types = [{"category": "HUBSPOT_DEFINED", "typeId": schema.LINKS.get((kind, other), 1)}]
        results = [{"toObjectId": far, "associationTypes": types} for far in found[after : after + limit]]
        body: Fields = {"results": results}
        if after + limit < len(found):
            body["paging"] = {"next": {"after": str(after + limit)}}
        return Reply(200, body)

    @route("POST", "/crm/v4/associations/{kind}/{other}/batch/create")
    def make_links(self, request: Request, kind: str, other: str) -> Reply:
        made = []
        for told in self._inputs(request):
            near, far = told["from"]["id"], told["to"]["id"]
            if [one["associationTypeId"] for one in told["types"]] != [schema.LINKS[kind, other]]:
                raise refusal(400, "VALIDATION_ERROR", f"No such link between {kind} and {other}")
            if self._known(kind, near, "") is None or self._known(other, far, "") is None:
                raise refusal(404, "OBJECT_NOT_FOUND", "One of the records to be linked is not there")
            self._join(kind, near, other, far)
            made.append({"fromObjectTypeId": kind, "fromObjectId": near, "toObjectTypeId": other, "toObjectId": far,
                         "labels": []})  # fmt: skip
        return Reply(201, self._batch(made))

    def _other_kind(self, kind: str, number: int) -> str:
        found = [other for (one, other), known in schema.LINKS.items() if one == kind and known == number]
        if not found:
            raise refusal(400, "VALIDATION_ERROR", f"No link of type {number} leads from {kind}")
        return found[0]

    def _join(self, kind: str, name: str, other: str, far: str) -> None:
        link = (kind, name, other, self.state["aliases"].get(far, far))
        if link not in self.state["links"]:
            self.state["links"].append(link)
            self.effect(f"{kind} linked", id=name, to=far)

    def _both_ways(self) -> Iterable[tuple[str, str, str, str]]:
        for one, near, two, far in self.state["links"]:
            yield one, near, two, far
            yield two, far, one, near

    # Types of e-mail.

    @route("GET", "/communication-preferences/v3/status/email/{email}")
    def read_status(self, request: Request, email: str) -> Reply:
        return Reply(200, {"recipient": _plain(email), "subscriptionStatuses": [self._status(_plain(email))]})

    @route("POST", "/communication-preferences/v3/subscribe")
    def subscribe_email(self, request: Request) -> Reply:
        told = request.json()
        if self.state["opted"].get(told["emailAddress"]) == "left":
            raise refusal(400, "VALIDATION_ERROR", "This contact opted out and can only opt in again themselves")
        return self._opt(told, "in")

    @route("POST", "/communication-preferences/v3/unsubscribe")
    def unsubscribe_email(self, request: Request) -> Reply:
        return self._opt(request.json(), "out")

    def _opt(self, told: Fields, way: str) -> Reply:
        email = told["emailAddress"]
        if told["subscriptionId"] != SUBSCRIPTION:
            raise refusal(404, "OBJECT_NOT_FOUND", f"There is no subscription type {told['subscriptionId']}")
        if self.state["opted"].get(email) == way:
            raise refusal(400, "VALIDATION_ERROR", f"{email} is already {'' if way == 'in' else 'un'}subscribed")
        self.state["opted"][email] = way
        self.effect(f"opted {way}", email=email)
        return Reply(200, self._status(email))

    def _status(self, email: str) -> Fields:
        is_in = self.state["opted"].get(email) == "in"
        return {
            "id": SUBSCRIPTION, "name": "Newsletter", "description": "News of the shop",
            "status": "SUBSCRIBED" if is_in else "NOT_SUBSCRIBED", "sourceOfStatus": "SUBSCRIPTION_STATUS",
        }  # fmt: skip

    # What people do in HubSpot itself, and the outside world. The caller holds the lock.

    def sign_up(self, properties: Mapping[str, str], *, at: datetime | None = None) -> str:
        """Somebody becomes a contact; returns the id."""
        return str(self._make("contacts", self._taken("contacts", properties, None), at=at)["id"])

    def change(self, kind: str, name: str, properties: Mapping[str, str]) -> None:
        """Somebody changes a record."""
        record = self.state["objects"][kind][name]
        self._change(kind, record, self._taken(kind, properties, record))

    def merge(self, primary: str, other: str) -> str:
        """Two contacts turn out to be one, a third, in which the values of the first count; returns its id."""
        contacts = self.state["objects"]["contacts"]
        kept, gone = contacts.pop(primary), contacts.pop(other)
        values = {**gone["properties"], **kept["properties"]}
        before = [values.pop("hs_merged_object_ids", ""), primary, other]
        merged = self._make("contacts", values)
        merged["properties"]["hs_merged_object_ids"] = ";".join(one for one in before if one)
        name = merged["id"]
        aliases = self.state["aliases"]
        aliases |= {old: name for old, now in aliases.items() if now in (primary, other)} | {primary: name, other: name}
        self.state["links"] = [
            (one, aliases.get(near, near), two, aliases.get(far, far)) for one, near, two, far in self.state["links"]
        ]
        more: Fields = {"primaryObjectId": int(primary), "mergedObjectIds": [int(primary), int(other)],
                "newObjectId": int(name), "numberOfPropertiesMoved": len(values)}  # fmt: skip
        self._tell("contact.merge", name, **more)
        return str(name)

    def delete(self, name: str) -> None:
        """Somebody deletes a contact; it can be restored for a while."""
        self._archive("contacts", self.state["objects"]["contacts"][name])

    def forget(self, name: str) -> None:
        """A contact is erased for good, as the law wants it."""
        del self.state["objects"]["contacts"][name]
        self._tell("contact.privacyDeletion", name)

    def leave(self, email: str) -> None:
        """Somebody opts out of all e-mail by themselves."""
        self.state["opted"][email] = "left"
        record = self._known("contacts", email, "email")
        if record is not None:
            self._change("contacts", record, {"hs_email_optout": "true"})

    def meet(self, name: str, email: str) -> str:
        """Somebody becomes a customer; the id."""
        first, _, last = name.rpartition(" ")
        return self.sign_up({"firstname": first, "lastname": last, "email": email})

    def rename(self, customer: str, name: str) -> None:
        """A customer is called otherwise now."""
        first, _, last = name.rpartition(" ")
        self.change("contacts", customer, {"firstname": first, "lastname": last})

    def people(self) -> Mapping[str, Person]:
        """All customers, by id."""
        held = {
            name: one["properties"] for name, one in self.state["objects"]["contacts"].items() if not one["archived"]
        }
        return {
            name: Person(f"{told.get('firstname', '')} {told.get('lastname', '')}".strip(), told.get("email", ""))
            for name, told in held.items()
        }


def _invalid(code: str, words: str) -> Any:
    return refusal(400, "VALIDATION_ERROR", words, errors=[{"message": words, "code": code}])


def _plain(name: str) -> str:
    """A name as it stood in the address before it was encoded."""
    return unquote(name)


def _folded(name: str, value: Any) -> Any:
    return value.strip().lower() if name == "email" and isinstance(value, str) else value


def _sortable(value: Any) -> tuple[int, Any]:
    return (0, int(value)) if isinstance(value, str) and value.isdigit() else (1, str(value or ""))


def _fits(record: Fields, filters: Iterable[Mapping[str, str]]) -> bool:
    return all(
        _fits_one(record["properties"].get(one["propertyName"]), one["operator"], one["value"]) for one in filters
    )


def _fits_one(held: Any, operator: str, value: str) -> bool:
    """Whether a value stands to another as a filter says; moments are compared as milliseconds."""
    if held is None:
        return False
    one, two = _measured(held), _measured(value)
    return {"EQ": one == two, "GTE": one >= two, "GT": one > two, "LTE": one <= two, "LT": one < two}[operator]


def _measured(value: str) -> Decimal:
    if "T" in value:
        return Decimal((datetime.fromisoformat(value) - EPOCH) // timedelta(milliseconds=1))
    return Decimal(value)


EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
