"""What lies in the lake: its tables, with the columns of their files.

Moments are UTC without a zone, amounts are Decimals of the order's currency. People are numbers: `customer` is the
profile that a row arrived with, and the table `persons` says which profiles are part of another one. So a merge, and
an unmerge, writes one small file anew and no history. No name, address, text or payload is in any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

MOMENT = pa.timestamp("us")
AMOUNT = pa.decimal128(18, 4)
NUMBER = pa.int64()
WORD = pa.string()


@dataclass(frozen=True, slots=True)
class LakeTable:
    """A table of the lake. Its days are those of the moment `moment` in UTC; "" where it is one file without days.
    Changes come by `stream`: tables of one stream are written together."""

    name: str
    stream: str
    moment: str
    schema: pa.Schema


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


ORDERS = LakeTable(
    "orders", "orders", "placed_at",
    _schema(
        id=NUMBER, channel=NUMBER, customer=NUMBER, state=WORD, payment_state=WORD, currency=WORD, placed_at=MOMENT,
        local_date=pa.date32(), goods=AMOUNT, discount=AMOUNT, shipping=AMOUNT, fees=AMOUNT, tip=AMOUNT, tax=AMOUNT,
        tax_included=pa.bool_(), total=AMOUNT, refunded=AMOUNT, revenue=AMOUNT, refunds=AMOUNT, units_sold=NUMBER,
        units_returned=NUMBER,
    ),
)  # fmt: skip
ORDER_LINES = LakeTable(
    "order_lines", "orders", "placed_at",
    _schema(
        id=NUMBER, order_id=NUMBER, position=NUMBER, kind=WORD, variant=NUMBER, sku=WORD, quantity=NUMBER,
        unit_price=AMOUNT, discount=AMOUNT, tax=AMOUNT, total=AMOUNT, cancelled_quantity=NUMBER,
        returned_quantity=NUMBER, placed_at=MOMENT,
    ),
)  # fmt: skip
INTERACTIONS = LakeTable(
    "interactions", "interactions", "occurred_at",
    _schema(
        id=NUMBER, channel=NUMBER, customer=NUMBER, interaction_type=WORD, value_score=pa.int16(), occurred_at=MOMENT,
        received_at=MOMENT, local_date=pa.date32(),
    ),
)  # fmt: skip
JOURNEYS = LakeTable(
    "journeys", "journeys", "started_at",
    _schema(
        id=NUMBER, channel=NUMBER, customer=NUMBER, intent=WORD, state=WORD, order_id=NUMBER, started_at=MOMENT,
        ended_at=MOMENT, local_date=pa.date32(), visits=NUMBER, score=NUMBER,
    ),
)  # fmt: skip
TOUCHPOINTS = LakeTable(
    "touchpoints", "touchpoints", "occurred_at",
    _schema(id=NUMBER, journey=NUMBER, channel=NUMBER, action=WORD, occurred_at=MOMENT, visit=NUMBER),
)  # fmt: skip
CHANNELS = LakeTable(
    "channels", "", "", _schema(id=NUMBER, name=WORD, slug=WORD, channel_type=WORD, currency=WORD, time_zone=WORD)
)
PERSONS = LakeTable("persons", "", "", _schema(customer=NUMBER, person=NUMBER))

DAILY = (ORDERS, ORDER_LINES, INTERACTIONS, JOURNEYS, TOUCHPOINTS)
WHOLE = (CHANNELS, PERSONS)
TABLES = {table.name: table for table in (*DAILY, *WHOLE)}
STREAMS = ("orders", "interactions", "journeys", "touchpoints")
