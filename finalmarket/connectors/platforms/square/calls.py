"""What every call to Square has in common: reading its answer, naming a write so that it counts once, its errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from finalmarket.connectors.answers import fields_in, rows_in
from finalmarket.connectors.contract import Connector
from finalmarket.connectors.errors import ConnectorError, NeedsAttention, Rejected, RetryLater
from finalmarket.connectors.own_keys import digest_of
from finalmarket.connectors.paging import all_rows
from finalmarket.connectors.records import Raw

KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
# What an object's or order's outdated version is answered with; the description names the first only in a text.
STALE = frozenset({"VERSION_MISMATCH", "CONFLICT"})
# Where the status alone would not tell.
CONSEQUENCES: Mapping[str, type[ConnectorError]] = {
    "UNAUTHORIZED": NeedsAttention,
    "ACCESS_TOKEN_EXPIRED": NeedsAttention,
    "ACCESS_TOKEN_REVOKED": NeedsAttention,
    "CLIENT_DISABLED": NeedsAttention,
    "FORBIDDEN": NeedsAttention,
    "INSUFFICIENT_SCOPES": NeedsAttention,
    "APPLICATION_DISABLED": NeedsAttention,
    "V1_APPLICATION": NeedsAttention,
    "V1_ACCESS_TOKEN": NeedsAttention,
    "API_VERSION_INCOMPATIBLE": NeedsAttention,
    "CARD_PROCESSING_NOT_ENABLED": Rejected,
    "INSUFFICIENT_PERMISSIONS_FOR_REFUND": Rejected,
    "RATE_LIMITED": RetryLater,
    "REQUEST_TIMEOUT": RetryLater,
    "TEMPORARY_ERROR": RetryLater,
    "CONFLICT": RetryLater,
    "REFUND_ALREADY_PENDING": RetryLater,
}


def items(raw: Raw, name: str) -> list[Raw]:
    """The objects of a list within an answer; Square leaves an empty list out. Raises Unintelligible."""
    return rows_in(raw, name, is_left_out=True)


def errors_of(data: Any) -> list[Mapping[str, Any]]:
    """The errors that an answer reports."""
    found = data.get("errors") if isinstance(data, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def explain(error: Mapping[str, Any]) -> tuple[str, str]:
    """Code and words of one error, with the field that it is about."""
    words = str(error.get("detail") or error.get("category") or "")
    where = f" ({error['field']})" if error.get("field") else ""
    return str(error.get("code") or error.get("category") or "unknown"), words + where


def name_of(*parts: str) -> str:
    """A name for a write or a record made of these parts: the same for the same parts, 43 letters long. Square takes at
    most 45 where it takes the fewest."""
    return "fm-" + digest_of("\x1f".join(parts), 40)


class Located(Connector):
    """Knows the account's locations: shops, tills, warehouses."""

    @cached_property
    def locations(self) -> Sequence[Raw]:
        """All locations, closed ones included; asked for once."""
        return items(fields_in(self.http.call("GET", "/v2/locations")), "locations")

    def all_of(self, path: str, wanted: Raw, name: str) -> Iterator[Raw]:
        """All rows of a search whose pages follow each other by a cursor."""

        def fetch(cursor: str) -> tuple[list[Raw], str]:
            body = {**wanted, **({"cursor": cursor} if cursor else {})}
            data = fields_in(self.http.call("POST", path, json=body, repeatable=True))
            return items(data, name), str(data.get("cursor") or "")

        return all_rows(fetch)

    def place_of(self, location: str) -> str:
        """The location meant: the given one, else the one chosen in the settings, else the only open one.

        Raises NeedsAttention where there are several and none was chosen.
        """
        chosen = location or self.account.settings.get("location_id", "")
        if chosen:
            return chosen
        opened = [str(one["id"]) for one in self.locations if one.get("status", "ACTIVE") == "ACTIVE"]
        if len(opened) == 1:
            return opened[0]
        raise NeedsAttention(f"the account has {len(opened)} open locations: choose one in the integration's settings")
