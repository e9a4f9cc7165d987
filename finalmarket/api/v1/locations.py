"""The places where stock lies, as far as the key may see them."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field

from finalmarket.api.door import Done, caller_of, check_match, read, write
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.v1.goods import check_locations, location_seen, locations_seen
from finalmarket.api.v1.shapes import Key, Paged, Said
from finalmarket.stock.locations import change_location as change
from finalmarket.stock.locations import open_location as open_place
from finalmarket.stock.models import StockLocation

router = Router(tags=["stock"])
MOST_INT = 2**31 - 1


class Location(BaseModel):
    """A place where stock lies."""

    id: int
    code: str
    name: str
    kind: Literal["warehouse", "store", "partner"]
    country: str
    postcode: str
    city: str
    street: str
    street2: str
    region: str
    phone: str
    latitude: float | None = Field(description="Degrees north, WGS 84")
    longitude: float | None = Field(description="Degrees east, WGS 84")
    can_ship: bool
    can_hand_over: bool = Field(description="Customers can collect here")
    priority: int = Field(description="Lower goes first")
    orders_per_day: int | None = Field(description="null: no limit")
    is_active: bool


class Locations(BaseModel):
    """A page of locations."""

    items: list[Location]
    next: str | None


class LocationChange(Said):
    """What is said to change a location: what is left out stays as it is."""

    name: str | None = Field(None, min_length=1, max_length=200)
    kind: Literal["warehouse", "store", "partner"] | None = None
    country: str | None = Field(None, pattern="^([A-Z]{2})?$")
    postcode: str | None = Field(None, max_length=20)
    city: str | None = Field(None, max_length=100)
    street: str | None = Field(None, max_length=200)
    street2: str | None = Field(None, max_length=200)
    region: str | None = Field(None, max_length=100)
    phone: str | None = Field(None, max_length=40)
    latitude: float | None = Field(None, ge=-90, le=90)
    longitude: float | None = Field(None, ge=-180, le=180)
    can_ship: bool | None = None
    can_hand_over: bool | None = None
    priority: int | None = Field(None, ge=0, le=MOST_INT)
    orders_per_day: int | None = Field(None, ge=0, le=MOST_INT)
    is_active: bool | None = None

    def said(self) -> dict[str, Any]:
        """What was said; null takes away what may be empty, and is as good as left out elsewhere."""
        given = self.model_dump(exclude_unset=True)
        may_be_null = ("latitude", "longitude", "orders_per_day")
        return {name: value for name, value in given.items() if value is not None or name in may_be_null}


class LocationOpening(LocationChange):
    """What is said to open a location."""

    code: str = Field(pattern=r"^[-a-zA-Z0-9_]{1,50}$", description="A short name of its own, for good")
    name: str = Field(min_length=1, max_length=200)


class LocationFilters(Paged):
    """By what locations are narrowed."""

    kind: Literal["warehouse", "store", "partner"] | None = None
    is_active: bool | None = None


LOCATION: dict[str, Any] = {
    "id": 1, "code": "main", "name": "Main warehouse", "kind": "warehouse", "country": "DE", "postcode": "60311",
    "city": "Frankfurt", "street": "", "street2": "", "region": "", "phone": "", "latitude": 50.1, "longitude": 8.7,
    "can_ship": True, "can_hand_over": False, "priority": 100, "orders_per_day": None, "is_active": True,
}  # fmt: skip


@read(
    router, "/stock/locations", scope="stock:read", answer=Locations, example={"items": [LOCATION], "next": None},
    filters=LocationFilters,
)  # fmt: skip
def list_locations(request: HttpRequest, asked: Query[LocationFilters]) -> Locations:
    """List the locations where stock lies."""
    rows = locations_seen(request)
    for word in ("kind", "is_active"):
        if (value := getattr(asked, word)) is not None:
            rows = rows.filter(**{word: value})
    found, following = page(rows, ("id",), request, asked.limit, asked.cursor)
    return Locations(items=[_location(one) for one in found], next=following)


@read(router, "/stock/locations/{location}", scope="stock:read", answer=Location, example=LOCATION)
def get_location(request: HttpRequest, location: Key) -> Location:
    """Show one location."""
    return _location(location_seen(request, location))


@write(
    router, "POST", "/stock/locations", scope="stock:write", status=201, answer=Location, example=LOCATION,
    body={"code": "main", "name": "Main warehouse", "country": "DE"},
)  # fmt: skip
def open_location(request: HttpRequest, told: LocationOpening) -> Done:
    """Open a location. Channels that name no sources of their own sell from it at once. Not for bound keys."""
    if caller_of(request).channels:
        raise Problem("not-allowed", "A key that is bound to channels opens no locations: they are for all channels.")
    made = open_place(told.said())
    headers = {"Location": f"/api/v1/stock/locations/{made.pk}"}
    return Done(f"location {made.pk}", _location(made), headers=headers)


@write(
    router, "PATCH", "/stock/locations/{location}", scope="stock:write", status=200, answer=Location, example=LOCATION,
    body={"is_active": False}, matches=True,
)  # fmt: skip
def change_location(request: HttpRequest, location: Key, told: LocationChange) -> Done:
    """Change a location. Switched off, it is no source any more: what lies there is sold by nobody."""
    location_seen(request, location)
    check_locations(request, [location], "path.location")
    row = StockLocation.objects.select_for_update().get(pk=location)
    check_match(request, _location(row))
    return Done(f"location {location}", _location(change(location, told.said())))


def _location(row: StockLocation) -> Location:
    return Location.model_validate({name: getattr(row, name) for name in Location.model_fields})
