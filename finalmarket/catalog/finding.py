"""Looking things up in the catalogue by the indexes that were made for it: a whole SKU whatever its case, a part of a
title."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, F, Lookup, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact


class Like(Lookup):  # type: ignore[type-arg]  # Django's own class takes no argument at run time
    """Whether a text is like a pattern, whatever its case. Django's own `icontains` asks the database for capital
    letters on both sides, and so passes the trigram index by."""

    lookup_name = "ilike"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        """Return the SQL and its values."""
        left, values = self.process_lhs(compiler, connection)
        right, more = self.process_rhs(compiler, connection)
        return f"{left} ILIKE {right}", [*values, *more]


def has_sku(text: str) -> Exact[Any]:
    """The condition that a variant has this SKU, in capital or small letters."""
    return Exact(Lower("sku"), Lower(Value(text, output_field=CharField())))


def has_in_title(text: str) -> Like:
    """The condition that a product has this text in its title."""
    literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return Like(F("title"), f"%{literal}%")
