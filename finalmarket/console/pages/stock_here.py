"""The stock of one's own stores, for those who are bound to them: what lies there, and what happened to it there."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse

from finalmarket.catalog.models import Variant
from finalmarket.console import finding
from finalmarket.console.at_places import locations_of, shelves, variants_of
from finalmarket.console.counting import bounded_count
from finalmarket.console.keyset import cut
from finalmarket.console.pages import asked
from finalmarket.console.pages.frame import show
from finalmarket.console.pages.stock_change import empty_form
from finalmarket.stock.models import StockMovement

ROWS = 40
LEDGER_LINES = 30


class ShelfFilters(asked.Filters):
    """What the list can be narrowed by."""

    q = asked.text("Search", "SKU, barcode or product title")


def matrix_here(request: HttpRequest, places: frozenset[int]) -> HttpResponse:
    """SKUs by the stores that the person works at."""
    filters = ShelfFilters(request)
    chosen = Variant.objects.filter(variants_of(places))
    if text := filters.given.get("q"):
        chosen = chosen.filter(pk__in=finding.variants(text))
    locations = locations_of(places)
    slice_ = cut(chosen.prefetch_related("product"), ("sku",), request.GET, ROWS)
    context = {
        "filters": filters, "slice": slice_, "count": bounded_count(chosen)[1], "locations": locations,
        "rows": shelves(slice_.rows, locations),
    }  # fmt: skip
    return show(request, "stock_here.html", "Stock", context)


def sku_here(request: HttpRequest, variant: Variant, places: frozenset[int]) -> HttpResponse:
    """One SKU at the stores that the person works at. Raises Http404 where it has never been at any of them."""
    locations = locations_of(places)
    row = shelves([variant], locations)[0][1]
    movements = StockMovement.objects.filter(variant=variant, location__in=sorted(places))
    movements = movements.select_related("location", "sales_channel")
    slice_ = cut(movements, ("-id",), request.GET, LEDGER_LINES)
    if not slice_.rows and not any(shelf.on_hand for shelf in row):
        raise Http404(f"{variant.sku} has never been here")
    context = {"variant": variant, "row": row, "slice": slice_, "form": empty_form(variant, places)}
    return show(request, "sku_here.html", variant.sku, context)
