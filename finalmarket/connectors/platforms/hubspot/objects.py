"""HubSpot's records of all kinds, which have one way to be read and written, and what links them.

Published source: https://developers.hubspot.com/docs/api/crm/understanding-the-crm
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.http import Answer, Http
from finalmarket.connectors.paging import all_rows, in_parts
from finalmarket.connectors.records import Raw
from finalmarket.connectors.vocabulary import filled

BATCH = 100  # inputs of one call, of all kinds of records
LINKS = 500  # of one page
Values = Mapping[str, str]

# How the two records of a link are called to each other (developers.hubspot.com: association type id values).
LINK_TYPES: Mapping[tuple[str, str], int] = {
    ("orders", "contacts"): 507, ("orders", "line_items"): 513, ("deals", "contacts"): 3, ("deals", "line_items"): 19,
    ("tickets", "contacts"): 16, ("notes", "tickets"): 228,
}  # fmt: skip


def _types(from_kind: str, to_kind: str) -> list[dict[str, Any]]:
    number = LINK_TYPES[from_kind, to_kind]
    return [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number}]


@dataclass(frozen=True, slots=True)
class Objects:
    """The records of an account."""

    http: Http

    def read(
        self, kind: str, name: str, properties: Sequence[str] = (), *, by: str = "", is_archived: bool = False
    ) -> Raw | None:
        """A record by its id, or by the value of its unique property `by`; None where there is none."""
        params = {
            "properties": ",".join(properties), "idProperty": by, "archived": "true" if is_archived else "",
        }  # fmt: skip
        path = f"/crm/v3/objects/{kind}/{quote(name, safe='')}"
        return if_there(lambda: fields_in(self.http.call("GET", path, params=filled(params)), "id", "properties"))

    def read_many(self, kind: str, names: Sequence[str], properties: Sequence[str]) -> list[Raw]:
        """These records, without those that are not there."""
        found: list[Raw] = []
        for some in in_parts(names, BATCH):
            body = {
                "inputs": [{"id": name} for name in some], "properties": list(properties), "propertiesWithHistory": [],
            }  # fmt: skip
            path = f"/crm/v3/objects/{kind}/batch/read"
            found += rows_in(self.http.call("POST", path, json=body, repeatable=True), "results")
        return found

    def create(
        self, kind: str, values: Values, links: Sequence[tuple[str, str]] = (), *, is_unique: bool = True
    ) -> str:
        """Make a record, linked to others (their kind and id); its id. One that is unique by one of its values may be
        asked for twice: HubSpot makes no second one."""
        linked = [{"to": {"id": name}, "types": _types(kind, other)} for other, name in links]
        body = {"properties": dict(values), "associations": linked}
        answer = self.http.call("POST", f"/crm/v3/objects/{kind}", json=body, repeatable=is_unique)
        return str(fields_in(answer, "id")["id"])

    def update(self, kind: str, name: str, values: Values) -> str:
        """Write values of a record; its id, which is another one where it was merged meanwhile."""
        path = f"/crm/v3/objects/{kind}/{quote(name, safe='')}"
        answer = self.http.call("PATCH", path, json={"properties": dict(values)}, repeatable=True)
        return str(fields_in(answer, "id")["id"])

    def upsert(self, kind: str, by: str, records: Mapping[str, Values]) -> list[Raw]:
        """Make or change records that are known by the values of their unique property `by`. Raises Rejected where
        HubSpot refuses one of them."""
        found: list[Raw] = []
        for some in in_parts(list(records), BATCH):
            inputs = [{"id": value, "idProperty": by, "properties": dict(records[value])} for value in some]
            path = f"/crm/v3/objects/{kind}/batch/upsert"
            answer = self.http.call("POST", path, json={"inputs": inputs}, repeatable=True)
            _require_all(answer)
            found += rows_in(answer, "results")
        return found

    def archive(self, kind: str, names: Sequence[str]) -> None:
        """Put records away; those that are away already stay so."""
        for some in in_parts(names, BATCH):
            body = {"inputs": [{"id": name} for name in some]}
            self.http.call("POST", f"/crm/v3/objects/{kind}/batch/archive", json=body, repeatable=True)

    def linked(self, kind: str, name: str, other: str) -> list[str]:
        """The ids of the records of a kind that a record is linked to."""
        path = f"/crm/v4/objects/{kind}/{quote(name, safe='')}/associations/{other}"

        def fetch(after: str) -> tuple[list[Raw], str]:
            answer = self.http.call("GET", path, params=filled({"limit": str(LINKS), "after": after}))
            return rows_in(answer, "results"), next_of(answer)

        return [str(one["toObjectId"]) for one in all_rows(fetch) if one.get("toObjectId")]

    def link(self, kind: str, name: str, other: str, names: Sequence[str]) -> None:
        """Link a record to others; what is linked already stays so."""
        for some in in_parts(names, BATCH):
            inputs = [{"from": {"id": name}, "to": {"id": one}, "types": _types(kind, other)} for one in some]
            path = f"/crm/v4/associations/{kind}/{other}/batch/create"
            _require_all(self.http.call("POST", path, json={"inputs": inputs}, repeatable=True))


def next_of(answer: Answer) -> str:
    """From where the next page is read; "" after the last one."""
    following = (fields_in(answer).get("paging") or {}).get("next") or {}
    return str(following.get("after") or "")


def _require_all(answer: Answer) -> None:
    """Raises Rejected where a batch was taken in part (207)."""
    errors = fields_in(answer).get("errors")
    if isinstance(errors, list) and errors:
        first = errors[0] if isinstance(errors[0], dict) else {}
        raise Rejected(str(first.get("message") or "refused"), code=str(first.get("category") or ""))
