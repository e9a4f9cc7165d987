"""Sparse fields: `fields=id,sku` on a read has it answered with these fields alone; of a list, with these of each item.

The ETag is that of the whole: what was read in part may be sent as If-Match, and is new only where something changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, get_args

from django.http import HttpRequest
from pydantic import BaseModel

from finalmarket.api.problems import fault

WORD = "fields"
MOST_CHARACTERS = 1_000


def set_aside(request: HttpRequest) -> None:
    """Take the word out of the query of a read: filters do not know it, and a cursor does not depend on it."""
    if request.method == "GET" and WORD in request.GET:
        rest = request.GET.copy()
        request.asked_fields = rest.pop(WORD)  # type: ignore[attr-defined]
        request.GET = rest  # type: ignore[assignment]


def asked_fields(request: HttpRequest, answer: type[BaseModel]) -> Mapping[str, Any] | None:
    """Return what pydantic is to include of an `answer`; None: all. Raises Problem for fields that it does not have."""
    said: list[str] | None = getattr(request, "asked_fields", None)
    if said is None:
        return None
    if len(said) > 1 or len(said[0]) > MOST_CHARACTERS:
        raise fault("query.fields", "it is given twice or too long", "Give it once: fields=id,name.")
    names = {name.strip() for name in said[0].split(",") if name.strip()}
    item = item_of(answer)
    of_what = item or answer
    _refuse_unknown(names, of_what)
    chosen: dict[str, Any] = dict.fromkeys(names, True)
    if item is None:
        return chosen
    besides = {name: True for name in answer.model_fields if name != "items"}
    return {**besides, "items": {"__all__": chosen}}


@lru_cache(maxsize=512)
def item_of(answer: type[BaseModel]) -> type[BaseModel] | None:
    """Return what the items of a list are; None for what is no list of models."""
    field = answer.model_fields.get("items")
    if field is None:
        return None
    kinds = [one for one in get_args(field.annotation) if isinstance(one, type) and issubclass(one, BaseModel)]
    return kinds[0] if len(kinds) == 1 else None


def _refuse_unknown(names: set[str], model: type[BaseModel]) -> None:
    if not names:
        raise fault("query.fields", "it names no field", "Name some, such as fields=id, or leave it out.")
    is_open = model.model_config.get("extra") == "allow"
    unknown = sorted(names - model.model_fields.keys())
    if unknown and not is_open:
        to_do = f"Use some of {', '.join(model.model_fields)}."
        raise fault("query.fields", f"there is no field {unknown[0][:50]!r}", to_do)


def is_wanted(request: HttpRequest, name: str) -> bool:
    """Whether a field is to be answered: what costs a query of its own is left out where nobody asks for it."""
    said: list[str] | None = getattr(request, "asked_fields", None)
    return said is None or name in {one.strip() for one in said[0].split(",")}
