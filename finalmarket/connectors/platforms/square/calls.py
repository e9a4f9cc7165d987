"""What every call to Square has in common: reading its answer, naming a write so that it counts once, its errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from typing import Any

from finalmarket.connectors.contract import Connector
from finalmarket.connectors.errors import ConnectorError, NeedsAttention, Rejected, RetryLater, Unintelligible
from finalmarket.connectors.http import Answer
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


def fields(answer: Answer) -> Raw:
    """The fields of an answer. Raises Unintelligible where it is no object."""
    if not isinstance(answer.data, dict):
        raise Unintelligible("the answer is not a JSON object", status=answer.status)
    return answer.data


def part(raw: Raw, name: str) -> Raw:
    """An object within an answer. Raises Unintelligible where there is none."""
    found = raw.get(name)
    if not isinstance(found, dict):
        raise Unintelligible(f"the answer holds no {name}")
    return found


def items(raw: Raw, name: str) -> list[Raw]:
    """The objects of a list within an answer; Square leaves an empty list out. Raises Unintelligible."""
    found = raw.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unintelligible(f"{name} of the answer is no list of objects")
    return found


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
    return "fm-" + sha256("\x1f".join(parts).encode()).hexdigest()[:40]


class Located(Connector):
    """Knows the account's locations: shops, tills, warehouses."""

    @cached_property
    def locations(self) -> Sequence[Raw]:
        """All locations, closed ones included; asked for once."""
        return items(fields(self.http.call("GET", "/v2/locations")), "locations")

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
