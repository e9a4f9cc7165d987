"""Square's catalogue and what is in stock of it."""

from __future__ import annotations

import copy
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from finalmarket.sandbox.platforms.square.books import (
    Count,
    Counter,
    Raw,
    euros,
    read_moment,
    refusal,
    stamp,
    wanted,
)
from finalmarket.sandbox.stand_in import Refused, Reply, Request, route

MOST_CHANGES = 100
MOST_NOTED = 20_000  # changes that can be asked for later
MOST_OBJECTS_A_BATCH = 1_000
MOST_OBJECTS = 10_000
MOST_IDS = 1_000
A_PAGE = 100
MOST_A_PAGE = 1_000
OCCURRED_WITHIN = timedelta(hours=24)
CLOCKS_MAY_DIFFER = timedelta(minutes=5)


class Shelf(Counter):
    """Items with their variations; counts by variation and location."""

    # The catalogue.

    def variation(self, variation_id: str) -> Raw | None:
        """A variation by id."""
        item = self.state.items.get(self.state.owners.get(variation_id, ""))
        found = item["item_data"]["variations"] if item else ()
        return next((one for one in found if one["id"] == variation_id), None)

    @route("POST", "/v2/catalog/search", is_write=False)
    def search_catalogue(self, request: Request) -> Reply:
        body = self.body(request)
        kinds = body.get("object_types") or ["ITEM"]
        items = [(number, item) for number, item in enumerate(self.state.items.values())]
        found: list[tuple[list[Any], Raw]] = [([number, 0], item) for number, item in items if "ITEM" in kinds]
        if "ITEM_VARIATION" in kinds:
            found += [
                ([number, place], one)
                for number, item in items
                for place, one in enumerate(item["item_data"]["variations"], start=1)
            ]
        begin = read_moment(body["begin_time"], "begin_time") if body.get("begin_time") else ""
        chosen = [(key, one) for key, one in found if one["updated_at"] > begin and _fits(one, body.get("query"))]
        limit = body.get("limit") or A_PAGE
        query = [sorted(kinds), begin, body.get("query")]
        page, cursor = self.page_of(
            request, query, chosen, body.get("cursor") or "", limit if 0 < limit <= MOST_A_PAGE else A_PAGE
        )
        told = {"objects": page} if page else {}
        return Reply(200, {**told, **cursor, "latest_time": self.state.catalogue_changed_at})

    @route("POST", "/v2/catalog/batch-retrieve", is_write=False)
    def read_objects(self, request: Request) -> Reply:
        ids = wanted(self.body(request), "object_ids")
        if len(ids) > MOST_IDS:
            raise refusal(400, "ARRAY_LENGTH_TOO_LONG", f"at most {MOST_IDS} ids", "object_ids")
        found = [self.state.items.get(one) or self.variation(one) for one in dict.fromkeys(ids)]
        objects = [one for one in found if one is not None]
        return Reply(200, {"objects": objects} if objects else {})

    @route("POST", "/v2/catalog/batch-upsert", bucket="catalogue")
    def write_objects(self, request: Request) -> Reply:
        return self.once(request, self._write_batches)

    def _write_batches(self, body: Raw) -> Reply:
        """Write batch by batch, each whole or not at all; what fails in one leaves the others."""
        batches = wanted(body, "batches")
        sizes = [len(batch.get("objects") or ()) for batch in batches]
        if max(sizes) > MOST_OBJECTS_A_BATCH or sum(sizes) > MOST_OBJECTS:
            raise refusal(400, "ARRAY_LENGTH_TOO_LONG", "too many objects", "batches")
        errors: list[Raw] = []
        written: list[Raw] = []
        mappings: list[Raw] = []
        first_refusal: Refused | None = None
        for number, batch in enumerate(batches):
            try:
                done, named = self._write_batch(wanted(batch, "objects"), number)
            except Refused as refused:
                first_refusal = first_refusal or refused
                errors += refused.reply.body["errors"]
                continue
            written += done
            mappings += named
        if not written and first_refusal is not None:
            raise first_refusal
        for one in written:
            self._tell_written(one)
        told: Raw = {"objects": written, "updated_at": self.stamped()}
        return Reply(
            200, {**told, **({"id_mappings": mappings} if mappings else {}), **({"errors": errors} if errors else {})}
        )

    def _write_batch(self, objects: list[Raw], number: int) -> tuple[list[Raw], list[Raw]]:
        """The objects as written, and the names that new ones got. On a refusal all is as it was."""
        before = {self.state.owners.get(one["id"], one["id"]): None for one in objects}
        kept = {name: copy.deepcopy(self.state.items[name]) for name in before if name in self.state.items}
        mappings: list[Raw] = []
        try:
            return [self._write(one, number, mappings) for one in objects], mappings
        except Refused:
            for named in mappings:
                self.state.items.pop(named["object_id"], None)
            self.state.items |= kept
            raise

    def _tell_written(self, one: Raw) -> None:
        self.state.catalogue_changed_at = self.stamped()
        self.effect("price" if one["type"] == "ITEM_VARIATION" else "listing", key=one["id"])
        version = {"catalog_version": {"updated_at": self.state.catalogue_changed_at}}
        self.announce("catalog.version.updated", "catalog", "", version)

    def _write(self, told: Raw, number: int, mappings: list[Raw]) -> Raw:
        where = f"batches[{number}].objects[0]"
        if told.get("type") == "ITEM_VARIATION":
            return self._write_variation(told, where)
        if told.get("type") != "ITEM":
            raise refusal(400, "INVALID_VALUE", "the sandbox keeps items and variations", f"{where}.type")
        return self._write_item(told, where, mappings)

    def _write_variation(self, told: Raw, where: str) -> Raw:
        known = self.variation(told["id"])
        if known is None:
            raise refusal(404, "NOT_FOUND", f"there is no object {told['id']}", f"{where}.id")
        self._same_version(known, told, where)
        _check_variation(told, where)
        known["item_variation_data"] = {**told["item_variation_data"], "ordinal": 0}
        self._touch(known)
        self._touch(self.state.items[self.state.owners[known["id"]]])
        return known

    def _write_item(self, told: Raw, where: str, mappings: list[Raw]) -> Raw:
        about = told.get("item_data") or {}
        if not about.get("name"):
            raise refusal(400, "VALUE_EMPTY", "an item needs a name", f"{where}.item_data.name")
        if not about.get("variations"):
            field = f"{where}.item_data.variations"
            raise refusal(400, "MISSING_REQUIRED_PARAMETER", "an item needs a variation", field)
        known = self.state.items.get(told["id"])
        if known is None and not told["id"].startswith("#"):
            raise refusal(404, "NOT_FOUND", f"there is no object {told['id']}", f"{where}.id")
        if known is not None:
            self._same_version(known, told, where)
        item = known or {"type": "ITEM", "id": self._named(told["id"], mappings), "present_at_all_locations": True}
        variations = [self._variation_of(item, one, where, mappings) for one in about["variations"]]
        text = about.get("description_html") or ""
        item["item_data"] = {**about, "variations": variations}
        if text:
            plain = text.replace("<p>", "").replace("</p>", "")
            plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
            item["item_data"] |= {"description_plaintext": plain, "description": plain}
        self._touch(item)
        self.state.items[item["id"]] = item
        return item

    def _variation_of(self, item: Raw, told: Raw, where: str, mappings: list[Raw]) -> Raw:
        _check_variation(told, where)
        known = self.variation(told["id"]) if not told["id"].startswith("#") else None
        if known is not None:
            self._same_version(known, told, where)
        one = known or {
            "type": "ITEM_VARIATION", "id": self._named(told["id"], mappings), "present_at_all_locations": True,
        }  # fmt: skip
        if known is None or {**told["item_variation_data"], "ordinal": 0} != known["item_variation_data"]:
            one["item_variation_data"] = {**told["item_variation_data"], "item_id": item["id"], "ordinal": 0}
            self._touch(one)
        self.state.owners[one["id"]] = item["id"]
        return one

    def _named(self, name: str, mappings: list[Raw]) -> str:
        made = self.new_id()
        mappings.append({"client_object_id": name, "object_id": made})
        return made

    def _same_version(self, known: Raw, told: Raw, where: str) -> None:
        if told.get("version") != known["version"]:
            words = "Object version does not match latest database version."
            raise refusal(409, "VERSION_MISMATCH", words, f"{where}.version")

    def _touch(self, one: Raw) -> None:
        self.state.catalogue_version += 1
        one |= {"version": self.state.catalogue_version, "updated_at": self.stamped(), "is_deleted": False}

    # Stock.

    def count_of(self, variation_id: str, location: str) -> Count:
        """What is in stock of a variation at a location."""
        return self.state.counts.setdefault((variation_id, location), Count())

    def move(self, variation_id: str, location: str, delta: int) -> None:
        """Units were sold, or came back."""
        now = self.stamped()
        count = self.count_of(variation_id, location)
        count.move(delta, now)
        count.changed_at = now
        self._tell_count(variation_id, location)

    def _tell_count(self, variation_id: str, location: str) -> None:
        counts = {"inventory_counts": [self._count_shown(variation_id, location)]}
        self.announce("inventory.count.updated", "inventory_counts", variation_id, counts)

    def _count_shown(self, variation_id: str, location: str) -> Raw:
        count = self.count_of(variation_id, location)
        return {
            "catalog_object_id": variation_id, "catalog_object_type": "ITEM_VARIATION", "state": "IN_STOCK",
            "location_id": location, "quantity": str(count.units), "calculated_at": count.changed_at,
        }  # fmt: skip

    @route("POST", "/v2/inventory/counts/batch-retrieve", is_write=False)
    def read_counts(self, request: Request) -> Reply:
        body = self.body(request)
        ids, places = body.get("catalog_object_ids"), body.get("location_ids")
        found = [
            ([key[0], key[1]], self._count_shown(*key))
            for key in self.state.counts
            if (not ids or key[0] in ids) and (not places or key[1] in places)
        ]
        if body.get("states") and "IN_STOCK" not in body["states"]:
            found = []
        query = [ids, places, body.get("states")]
        page, cursor = self.page_of(request, query, found, body.get("cursor") or "", body.get("limit") or A_PAGE)
        return Reply(200, {**({"counts": page} if page else {}), **cursor})

    @route("POST", "/v2/inventory/changes/batch-create")
    def write_changes(self, request: Request) -> Reply:
        return self.once(request, self._write_changes)

    def _write_changes(self, body: Raw) -> Reply:
        """Apply all changes, or none."""
        changes = wanted(body, "changes")
        if len(changes) > MOST_CHANGES:
            raise refusal(400, "ARRAY_LENGTH_TOO_LONG", f"at most {MOST_CHANGES} changes", "changes")
        counts = [self._checked(change, f"changes[{number}]") for number, change in enumerate(changes)]
        for count in counts:
            self._take_count(count)
        touched = dict.fromkeys((count["catalog_object_id"], count["location_id"]) for count in counts)
        noted = [{"type": "PHYSICAL_COUNT", "physical_count": count} for count in counts]
        return Reply(200, {"counts": [self._count_shown(*key) for key in touched], "changes": noted})

    def _checked(self, change: Raw, where: str) -> Raw:
        if change.get("type") != "PHYSICAL_COUNT":
            raise refusal(400, "INVALID_VALUE", "the sandbox takes physical counts", f"{where}.type")
        count = wanted(change, "physical_count")
        where = f"{where}.physical_count"
        if self.variation(wanted(count, "catalog_object_id")) is None:
            raise refusal(404, "NOT_FOUND", f"there is no {count['catalog_object_id']}", f"{where}.catalog_object_id")
        if wanted(count, "location_id") not in self.state.locations:
            raise refusal(404, "NOT_FOUND", f"there is no location {count['location_id']}", f"{where}.location_id")
        if wanted(count, "state") != "IN_STOCK":
            raise refusal(400, "INVALID_VALUE", "units are counted in stock", f"{where}.state")
        if _units(wanted(count, "quantity"), f"{where}.quantity") < 0:
            raise refusal(400, "VALUE_TOO_LOW", "a count is not below zero", f"{where}.quantity")
        at = read_moment(wanted(count, "occurred_at"), f"{where}.occurred_at")
        if not stamp(self.now() - OCCURRED_WITHIN) <= at <= stamp(self.now() + CLOCKS_MAY_DIFFER):
            raise refusal(400, "INVALID_TIME", "older than 24 hours, or in the future", f"{where}.occurred_at")
        return {**count, "id": self.new_id(), "occurred_at": at, "created_at": self.stamped()}

    def _take_count(self, told: Raw) -> None:
        count = self.count_of(told["catalog_object_id"], told["location_id"])
        was = count.units
        count.count(int(told["quantity"]), told["occurred_at"])
        count.changed_at = told["created_at"]
        self.state.changes.append(told)
        del self.state.changes[:-MOST_NOTED]
        if count.units != was:
            variation = self.variation(told["catalog_object_id"]) or {}
            self.effect(
                "stock", key=told["catalog_object_id"], sku=variation["item_variation_data"].get("sku", ""),
                location=told["location_id"], quantity=count.units, was=was,
            )  # fmt: skip
            self._tell_count(told["catalog_object_id"], told["location_id"])

    @route("POST", "/v2/inventory/changes/batch-retrieve", is_write=False)
    def read_changes(self, request: Request) -> Reply:
        body = self.body(request)
        after = read_moment(body["updated_after"], "updated_after") if body.get("updated_after") else ""
        ids = body.get("catalog_object_ids")
        found = [
            ([count["occurred_at"], number], {"type": "PHYSICAL_COUNT", "physical_count": count})
            for number, count in enumerate(self.state.changes)
            if count["created_at"] > after and (not ids or count["catalog_object_id"] in ids)
        ]
        query = [ids, after]
        page, cursor = self.page_of(request, query, found, body.get("cursor") or "", body.get("limit") or A_PAGE)
        return Reply(200, {**({"changes": page} if page else {}), **cursor})


def _fits(one: Raw, query: Raw | None) -> bool:
    """Whether a query for SKUs finds an object; another query finds nothing."""
    if not query:
        return True
    chosen = query.get("set_query") or {}
    if chosen.get("attribute_name") != "sku":
        return False
    values = {str(value).lower() for value in chosen.get("attribute_values") or ()}
    return str((one.get("item_variation_data") or {}).get("sku") or "").lower() in values


def _check_variation(told: Raw, where: str) -> None:
    data = told.get("item_variation_data") or {}
    where = f"{where}.item_variation_data"
    if data.get("pricing_type") == "FIXED_PRICING":
        price = data.get("price_money") or {}
        if not isinstance(price.get("amount"), int) or price["amount"] < 0:
            raise refusal(400, "INVALID_VALUE", "a fixed price is a whole number of cents", f"{where}.price_money")
        if price.get("currency") != euros(0)["currency"]:
            raise refusal(400, "CURRENCY_MISMATCH", "the seller's currency is another one", f"{where}.price_money")


def _units(text: Any, where: str) -> Decimal:
    try:
        units = Decimal(str(text))
    except InvalidOperation:
        units = Decimal("NaN")
    if not units.is_finite() or units != units.to_integral_value():
        raise refusal(400, "INVALID_VALUE", f"{text} is no count of pieces", where)
    return units
