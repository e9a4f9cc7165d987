"""Reading a webhook's delivery, once it is proved to be the platform's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from finalmarket.connectors.errors import Unintelligible
from finalmarket.connectors.exact_json import read_json
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.connectors.records import Delivery

Read = TypeVar("Read")


def read_delivery(delivery: Delivery, read: Callable[[Any], Read]) -> Read:
    """What `read` makes of the body, which is JSON (numbers with a point as Decimal). Raises Unintelligible where it
    can make nothing of it."""
    try:
        return read(read_json(delivery.body))
    except (*READING_ERRORS, OSError) as error:
        raise Unintelligible(f"the delivery tells of no event: {type(error).__name__}") from None


def name_of_body(delivery: Delivery) -> str:
    """What an event is known by where the platform gives it no id: sent again, it is the same body."""
    return hashlib.sha256(delivery.body).hexdigest()
