"""What the room refuses, in the words of the protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from finalmarket.api.acp.door import Refused
from finalmarket.integrations.agents.completing import DECLINED, NotReady, UnderWay, Unknown
from finalmarket.integrations.agents.sessions import OUT_OF_STOCK, Ended, NotThere, UnknownItem
from finalmarket.kernel.errors import DatabaseAway, UserError

STATUSES = {DECLINED: 402, OUT_OF_STOCK: 409, "price_changed": 409, "payment_unavailable": 503}


@contextmanager
def answered() -> Iterator[None]:
    """Within it, what the room refuses is answered."""
    try:
        yield
    except UnknownItem as error:
        raise Refused(400, "invalid_item_id", str(error), param=f"$.line_items[{error.index}].id") from None
    except NotThere as error:
        raise Refused(404, "not_found", str(error)) from None
    except Ended as error:
        raise Refused(405 if error.state in ("completed", "canceled") else 409, f"session_{error.state}", str(error),
                      Allow="GET") from None  # fmt: skip
    except NotReady as error:
        raise Refused(STATUSES.get(error.code, 400), error.code, str(error), param=error.param) from None
    except UnderWay as error:
        raise Refused(409, "idempotency_in_flight", str(error), Retry_After="5") from None
    except Unknown as error:
        raise Refused(503, "payment_unknown", str(error), Retry_After="120") from None
    except DatabaseAway:
        raise
    except UserError as error:
        raise Refused(400, "invalid", str(error)) from None
