"""The keys that secrets are encrypted with are replaced while everything runs: a new key is put before the old ones,
what is stored moves to it row by row, and when nothing needs the old ones any more they go.

Each row moves only if it is still what was read: a token that a platform renews meanwhile is not overwritten, and it is
under the new key already. Nothing is locked, nothing waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Model, QuerySet

from finalmarket.access.models import IdempotentCall
from finalmarket.customers.models import SignInCode
from finalmarket.integrations.models import (
    AgentDoor,
    AgentSession,
    Credential,
    LinkCode,
    NameElsewhere,
    WebhookEndpoint,
)
from finalmarket.kernel import clock, secrets
from finalmarket.kernel.errors import UserError

FERNET = "gAAAAA"  # how each token begins: the version 0x80 and the first zeros of its time
ROWS_AT_ONCE = 500
PATIENCE = timedelta(minutes=15)
"""How long old keys stay at least: somebody who connects an account in the browser, whose round trip may take ten
minutes, carries what was encrypted with them in a session."""


@dataclass(frozen=True, slots=True)
class Place:
    """A column that holds secrets, as bytes or as text (then among other texts)."""

    model: type[Model]
    column: str
    is_text: bool = False

    def __str__(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"


PLACES = (
    Place(Credential, "encrypted"),
    Place(WebhookEndpoint, "secret"),
    Place(WebhookEndpoint, "previous_secret"),
    Place(AgentDoor, "request_secret"),
    Place(AgentSession, "encrypted"),
    Place(SignInCode, "encrypted"),
    Place(LinkCode, "encrypted"),
    Place(NameElsewhere, "encrypted", is_text=True),
    Place(IdempotentCall, "answer", is_text=True),  # of calls that tell a secret
)
"""Where encrypted secrets are stored; a test finds every place that encrypts one."""


@dataclass(slots=True)
class Moved:
    """What a walk over all stored secrets found: how many were under the newest key already, how many moved to it, and
    how many no key of ours opens."""

    there: int = 0
    moved: int = 0
    unreadable: int = 0


def move() -> Moved:
    """Put every stored secret under the newest key. What no key opens is counted and stays as it is."""
    found = Moved()
    for place, number, token in _stored():
        if secrets.is_newest(token):
            found.there += 1
            continue
        try:
            turned = secrets.rotate(token)
        except UserError:
            found.unreadable += 1
            continue
        value: Any = turned if place.is_text else turned.encode()
        before: Any = token if place.is_text else token.encode()
        rows = _rows(place).filter(pk=number, **{place.column: before})
        found.moved += rows.update(**{place.column: value})
    return found


def rotate() -> Moved:
    """Add a key and move what is stored to it; keys of the environment: move to the first one there."""
    if not secrets.comes_from_environment():
        secrets.add_key()
    return move()


def drop_old(*, patience: timedelta = PATIENCE) -> int:
    """Take the old keys away; return how many. Raises UserError while something stored needs one of them, and while the
    newest key is younger than `patience`."""
    since = secrets.newest_since()
    if since is not None and secrets.count_keys() > 1 and clock.now() < since + patience:
        raise UserError(
            f"the newest key is of {since:%H:%M:%S} UTC: wait {patience}, until all work begun before is done"
        )
    left = move()
    if left.unreadable:
        raise UserError(
            f"{left.unreadable:,} stored secrets cannot be read with any key; connect those accounts anew first"
        )
    return secrets.drop_old_keys()


def needed() -> dict[str, int]:
    """How many stored secrets still need an old key, by table and column; only places with some."""
    counts: dict[str, int] = {}
    for place, _, token in _stored():
        if not secrets.is_newest(token):
            counts[str(place)] = counts.get(str(place), 0) + 1
    return counts


def _stored() -> Iterator[tuple[Place, Any, str]]:
    for place in PLACES:
        rows = _rows(place).exclude(**{place.column: None}).order_by("pk")
        if place.is_text:
            rows = rows.filter(**{f"{place.column}__startswith": FERNET})
        for number, value in rows.values_list("pk", place.column).iterator(chunk_size=ROWS_AT_ONCE):
            text = value if place.is_text else bytes(value).decode()
            if text:
                yield place, number, text


def _rows(place: Place) -> QuerySet[Model]:
    return place.model._default_manager.all()
