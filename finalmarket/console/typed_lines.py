"""Lists of SKUs with units, as people type, paste or scan them: one a line."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db.models.functions import Lower

from finalmarket.catalog.models import Variant

MOST_LINES = 500
MOST_DIGITS = 7


def units_by_variant(text: str) -> Mapping[int, int]:
    """Read lines such as "TEA-250 12" (blank, tab, comma or semicolon between; no number: 1) into units by variant id.

    A SKU or barcode that stands in several lines is counted together, as a scanner that beeps each piece writes it.
    Raises ValidationError that names every line that cannot be understood.
    """
    typed = [line.strip() for line in text.splitlines() if line.strip()]
    if not typed:
        raise ValidationError("Write one SKU a line, with its units: TEA-250 12")
    if len(typed) > MOST_LINES:
        raise ValidationError(f"That is more than {MOST_LINES} lines; share them among several papers.")
    words = [_parted(line) for line in typed]
    known = _known({name for name, _ in words})
    units: dict[int, int] = {}
    wrong = []
    for line, (name, number) in zip(typed, words, strict=True):
        variant = known.get(name.casefold())
        if variant is None or number is None:
            wrong.append(f"{line[:60]!r}: {'no such SKU or barcode' if number is not None else 'no number of units'}")
        else:
            units[variant] = units.get(variant, 0) + number
    if wrong:
        raise ValidationError(wrong[:20])
    return units


def _parted(line: str) -> tuple[str, int | None]:
    """The SKU and the units of a line; None for units that are no number."""
    words = line.replace(",", " ").replace(";", " ").split()
    if len(words) == 1:
        return words[0], 1
    last = words[-1]
    is_number = last.isascii() and last.isdigit() and len(last) <= MOST_DIGITS
    return " ".join(words[:-1]), int(last) if is_number else None


def _known(names: set[str]) -> dict[str, int]:
    rows = Variant.objects.annotate(small=Lower("sku")).filter(small__in={name.lower() for name in names})
    found = {sku.casefold(): key for key, sku in rows.values_list("pk", "sku")}
    barcodes = Variant.objects.filter(barcode__in=names).exclude(barcode="").values_list("barcode", "pk")
    return {code.casefold(): key for code, key in barcodes} | found
