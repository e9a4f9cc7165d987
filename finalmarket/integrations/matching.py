"""Which of our variants a platform's listing is: by SKU, then by barcode, and where neither says, by a guess that a
person confirms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import F, FloatField, Func, Q, Value
from django.db.models.functions import Lower

from finalmarket.catalog.models import Product, Variant
from finalmarket.connectors.records import ListingRecord
from finalmarket.integrations.scoring import Described, Score, score, words

SKU, BARCODE = "SKU", "barcode"
CANDIDATES = 10
LEAST_SCORE = 0.45
MOST_WORDS = 6


@dataclass(frozen=True, slots=True)
class Match:
    """A variant that a listing names, and by what."""

    variant_id: int
    by: str


@dataclass(frozen=True, slots=True)
class Guess:
    """The variant that a listing looks most like."""

    variant_id: int
    score: Score


def named(records: Sequence[ListingRecord]) -> tuple[dict[str, Match], dict[str, str]]:
    """The variants that these listings name by SKU or barcode, by the listing's key; and why a name was not followed.

    A name that fits several variants, or a SKU and a barcode that name different ones, is not followed.
    """
    by_sku, folded = _by_sku([record.ref.sku.strip() for record in records])
    by_barcode = _by_barcode([record.barcode for record in records])
    found: dict[str, Match] = {}
    doubts: dict[str, str] = {}
    for record in records:
        sku, code = record.ref.sku.strip(), gtin(record.barcode)
        mine = by_sku.get(sku) or _only(folded.get(sku.lower(), [])) if sku else None
        coded = by_barcode.get(code, []) if code else []
        if mine is not None and coded and mine not in coded:
            doubts[record.ref.key] = f"its SKU {sku} and its barcode {record.barcode} name different variants"
        elif mine is not None:
            found[record.ref.key] = Match(mine, SKU)
        elif len(coded) == 1:
            found[record.ref.key] = Match(coded[0], BARCODE)
        elif coded:
            doubts[record.ref.key] = f"{len(coded)} variants carry the barcode {record.barcode}"
    return found, doubts


def gtin(barcode: str) -> str:
    """A barcode in the form in which EAN, UPC and GTIN compare: digits alone, in fourteen places; "" for none."""
    digits = "".join(letter for letter in barcode if letter.isascii() and letter.isdigit())
    return digits.zfill(14) if 8 <= len(digits) <= 14 and digits.strip("0") else ""


def _by_sku(skus: Sequence[str]) -> tuple[dict[str, int], Mapping[str, list[int]]]:
    exact = dict(Variant.objects.filter(sku__in=set(skus)).values_list("sku", "pk"))
    folded: dict[str, list[int]] = defaultdict(list)
    rest = {sku.lower() for sku in skus if sku and sku not in exact}
    rows = Variant.objects.annotate(folded=Lower("sku")).filter(folded__in=rest)
    for name, pk in rows.values_list("folded", "pk"):
        folded[name].append(pk)
    return exact, folded


def _by_barcode(barcodes: Sequence[str]) -> Mapping[str, list[int]]:
    """Variants by barcode; each is asked for in the lengths in which it may be written."""
    wanted = {code for code in map(gtin, barcodes) if code}
    written = {
        code[14 - length :] for code in wanted for length in (8, 12, 13, 14) if not code[: 14 - length].strip("0")
    }
    found: dict[str, list[int]] = defaultdict(list)
    rows = Variant.objects.filter(barcode__in=written).exclude(barcode="").order_by("pk")
    for barcode, pk in rows.values_list("barcode", "pk"):
        found[gtin(barcode)].append(pk)
    return found


def _only(found: Sequence[int]) -> int | None:
    return found[0] if len(found) == 1 else None


def guess(record: ListingRecord) -> Guess | None:
    """The variant that the listing looks most like, if it looks like any enough.

    Products that share one of its longest words are found by their index of triples (pg_trgm); those whose titles stand
    in it best are looked at, and each of their variants is scored.
    """
    longest = sorted({word for word in words(record.title) if len(word) >= 3}, key=lambda word: (-len(word), word))
    if not longest:
        return None
    shares = reduce(or_, [Q(title__icontains=word) for word in longest[:MOST_WORDS]])
    stands_in = Func(F("title"), Value(record.title), function="word_similarity", output_field=FloatField())
    near = Product.objects.filter(shares).annotate(near=stands_in).order_by(F("near").desc(), "pk")[:CANDIDATES]
    there = Described(
        title=record.title, brand=record.attributes.get("brand", ""), options=record.attributes, price=record.price,
        currency=record.currency,
    )  # fmt: skip
    best: Guess | None = None
    variants = Variant.objects.filter(product__in=[product.pk for product in near])
    for variant in variants.select_related("product").prefetch_related("prices").order_by("pk"):
        found = score(there, _described(variant, record.currency))
        if best is None or found.value > best.score.value:
            best = Guess(variant.pk, found)
    return best if best is not None and best.score.value >= LEAST_SCORE else None


def _described(variant: Variant, currency: str) -> Described:
    return Described(
        title=f"{variant.product.title} {variant.title}".strip(), brand=variant.product.brand,
        options={str(name): str(value) for name, value in variant.option_values.items()},
        price=variant.price_in(currency) if currency else None, currency=currency,
    )  # fmt: skip
