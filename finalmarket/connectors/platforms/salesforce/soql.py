"""Questions in SOQL: texts are quoted, moments are whole seconds, ids are checked before they are asked for.

Published source: https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from finalmarket.connectors.keyset import Place
from finalmarket.connectors.moments import to_second

ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
ESCAPED = str.maketrans({"\\": r"\\", "'": r"\'", "\n": r"\n", "\r": r"\r"})


def is_id(name: str) -> bool:
    """Whether a text can be the id of a record (15 or 18 letters and digits)."""
    return ID.fullmatch(name) is not None


def text(value: str) -> str:
    """A text as a literal."""
    return f"'{value.translate(ESCAPED)}'"


def texts(values: Iterable[str]) -> str:
    """Texts as a list of literals."""
    return f"({', '.join(map(text, values))})"


def select(fields: Sequence[str], kind: str, where: str, order: str = "", limit: int = 0) -> str:
    """A question for records of a kind."""
    more = (f" ORDER BY {order}" if order else "") + (f" LIMIT {limit}" if limit else "")
    return f"SELECT {', '.join(fields)} FROM {kind} WHERE {where}{more}"  # noqa: S608  literals are quoted above


def changed_since(place: Place) -> str:
    """The condition for all records behind a place, in the order of their change and their id."""
    at = to_second(place.at)  # records are changed at whole seconds
    if not place.after:
        return f"SystemModstamp >= {at}"
    return f"(SystemModstamp > {at} OR (SystemModstamp = {at} AND Id > {text(place.after)}))"
