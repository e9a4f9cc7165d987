"""Lifetime value as it is stored: read from the order book, learned from, and written beside every person.

`revalue` learns from everybody anew, which it does every night; `refresh` computes a few persons whose orders changed
with what was learned last, so that equal persons have equal values whenever they were computed. The caller holds the
segments (`segments.hold`) and is in a transaction.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.db import connection
from psycopg import sql

from finalmarket.analytics import rfm
from finalmarket.analytics.lifetime_value import Expected, Learned, expect, learn
from finalmarket.analytics.models import CustomerValue, ValueModel
from finalmarket.analytics.rfm import QUERIES
from finalmarket.kernel import clock
from finalmarket.kernel.sql import copy_rows

HORIZON_DAYS = 365
WEEK_DAYS = 7
OVERLAP = timedelta(minutes=10)  # what was committed late is looked at again
MOST_MODELS = 400
MOST_AMOUNT = 1e15
WHOSE = """AND buyer.id IN (SELECT id FROM omnichannel_customers WHERE id = ANY (%(persons)s::bigint[])
    UNION ALL SELECT id FROM omnichannel_customers WHERE merged_into_id = ANY (%(persons)s::bigint[]))"""
WHOSE_VALUE = "AND known.person_id = ANY (%(persons)s::bigint[])"


def latest() -> ValueModel | None:
    """Return what was learned last, or None before the first time."""
    return ValueModel.objects.order_by("-pk").first()


def touched(model: ValueModel) -> list[int]:
    """Return the persons whose orders something happened to since the model's values were refreshed."""
    with connection.cursor() as cursor:
        cursor.execute(QUERIES["touched"], {"since": model.refreshed_at - OVERLAP})
        return [person for (person,) in cursor.fetchall()]


def revalue() -> ValueModel:
    """Learn from the orders of everybody, and write what everybody is worth; return the new version."""
    now = clock.now()
    _figures(None)
    people = _read()
    learned = learn(*people.columns)
    model = ValueModel.objects.create(
        name=learned.name, currency=_currency(), horizon_days=HORIZON_DAYS, learned=learned.as_json(), cuts=rfm.cuts(),
        persons=len(people.persons), fitted_at=now, refreshed_at=now,
    )  # fmt: skip
    _write(model, learned, people, None)
    ValueModel.objects.filter(pk__lte=model.pk - MOST_MODELS).delete()
    return model


def refresh(model: ValueModel, persons: Collection[int]) -> None:
    """Compute what these persons are worth with what was learned last."""
    if persons:
        _figures(persons)
        _write(model, Learned.from_json(model.learned), _read(), persons)


def note_refreshed(model: ValueModel) -> None:
    """Write down that everything up to now was looked at."""
    ValueModel.objects.filter(pk=model.pk).update(refreshed_at=clock.now())


class _People:
    """Persons with x, t_x and T in weeks and the mean of their repeat transactions."""

    def __init__(self, text: bytes) -> None:
        rows = np.loadtxt(io.BytesIO(text), delimiter=",", ndmin=2) if text else np.empty((0, 5))
        self.persons = rows[:, 0].astype(np.int64)
        self.columns = (rows[:, 1], rows[:, 2] / WEEK_DAYS, rows[:, 3] / WEEK_DAYS, np.maximum(rows[:, 4], 0.0))


def _figures(persons: Collection[int] | None) -> None:
    """Lay out what persons brought in a table that lasts as long as the transaction, in the place of one before."""
    text = QUERIES["figures"].replace("{whose}", WHOSE if persons is not None else "")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS value_figures, value_expected")
        cursor.execute(text, {"now": clock.now(), "today": _today(), "persons": sorted(persons or ())})
        cursor.execute(QUERIES["expected"])


def _read() -> _People:
    statement = sql.SQL(QUERIES["read"]).format(today=sql.Literal(_today()))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        return _People(b"".join(bytes(part) for part in copy))


def _write(model: ValueModel, learned: Learned, people: _People, persons: Collection[int] | None) -> None:
    found = expect(learned, model.horizon_days / WEEK_DAYS, *people.columns)
    values = {
        "model": model.pk, "now": clock.now(), "currency": model.currency, "persons": sorted(persons or ()),
        **rfm.parameters(model.cuts),
    }  # fmt: skip
    with connection.cursor() as cursor:
        if learned.orders is not None:
            copy_rows(cursor, "value_expected", ("person", "alive", "orders", "value", "low", "high"),
                      _rows(people, found))  # fmt: skip
            cursor.execute("ANALYZE value_expected")
        cursor.execute(QUERIES["write"], values)
        cursor.execute(QUERIES["remove"].replace("{whose_value}", WHOSE_VALUE if persons is not None else ""), values)


def _rows(people: _People, found: Expected) -> Any:
    alive = [None if one else float(value) for one, value in zip(np.isnan(found.alive), found.alive, strict=True)]
    amounts = (np.round(np.minimum(one, MOST_AMOUNT), 4).tolist() for one in (found.value, found.low, found.high))
    return zip(people.persons.tolist(), alive, found.orders.tolist(), *amounts, strict=True)


def _today() -> date:
    return clock.now().date()


def _currency() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT merchant_currency()")
        return str(cursor.fetchone()[0])


def value_of(persons: Collection[int]) -> dict[int, CustomerValue]:
    """Return what these persons are worth, by the profile that stands for each; who never bought is left out."""
    return CustomerValue.objects.select_related("model").in_bulk(list(persons))
