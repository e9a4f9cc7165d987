"""What several resources have in common: how things are said to us, and who is meant.

No file of a resource puts its annotations off (`from __future__ import annotations`): Ninja reads them.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema

from finalmarket.api.door import caller_of
from finalmarket.api.paging import LIMIT, MOST
from finalmarket.api.problems import Problem, fault
from finalmarket.customers import erased
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve_many
from finalmarket.journeys.record import MOST_CONTEXT_BYTES, YEARS
from finalmarket.kernel import clock

MOST_NUMBER = 2**63 - 1
MOST_TEXT = 20_000
Number = Annotated[int, Field(ge=1, le=MOST_NUMBER)]
Money = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$")]
MOST_LEVELS = 20


def _within_bounds(given: dict[str, Any]) -> dict[str, Any]:
    level: list[Any] = [given]
    for _ in range(MOST_LEVELS):
        level = [one for each in level for one in (each.values() if isinstance(each, dict) else each)]
        level = [one for one in level if isinstance(one, (dict, list))]
    if level:
        raise ValueError(f"it is nested in more than {MOST_LEVELS} levels")
    if len(json.dumps(given, ensure_ascii=False).encode(errors="replace")) > MOST_CONTEXT_BYTES:
        raise ValueError(f"it is longer than {MOST_CONTEXT_BYTES // 1024} KiB")
    return given


Kept = Annotated[dict[str, Any], AfterValidator(_within_bounds), Field(description="Kept as given, at most 32 KiB")]


def _without_blanks_around(given: str) -> str:
    if given != given.strip():
        raise ValueError("it begins or ends with a blank")
    return given


Sku = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_without_blanks_around)]


def _plain(written: Any) -> Any:
    if isinstance(written, str) and not (written.isascii() and written.isdigit() and written[0] != "0"):
        raise ValueError("it is written with digits alone")
    return written


Key = Annotated[int, BeforeValidator(_plain), Path(ge=1, le=MOST_NUMBER)]
"""A number in an address. What is there has one address: 2.0 and +2 are not it."""


def _plausible(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError(f"the year lies between {YEARS.start} and {YEARS.stop - 1}")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]


def _take_whole_numbers_only(part: Any) -> None:
    """Have every `int` of a schema, and of what it is made of, be one."""
    if isinstance(part, dict):
        if part.get("type") == "int":
            part["strict"] = True
        for one in list(part.values()):
            _take_whole_numbers_only(one)
    elif isinstance(part, list | tuple):
        for one in part:
            _take_whole_numbers_only(one)


class Said(BaseModel):
    """What is said to us. What is no field of ours is refused: better than to be passed over. So is what only looks
    like a whole number: true is not 1, nor is "1"."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Every whole number in it is taken as it stands."""
        schema = handler(source)
        _take_whole_numbers_only(schema)
        return schema


def said_of(told: Said, may_be_null: Collection[str], *, but: set[str] | None = None) -> dict[str, Any]:
    """What was said of the fields of a record, `but` for some; null takes away what may be empty, and is as good as
    left out elsewhere."""
    given = told.model_dump(exclude_unset=True, exclude=but)
    return {name: value for name, value in given.items() if value is not None or name in may_be_null}


class Filters(BaseModel):
    """What stands in an address after the question mark, where everything is text."""

    model_config = ConfigDict(extra="forbid")


class Paged(Filters):
    """The words of every list."""

    limit: int = Field(LIMIT, ge=1, le=MOST, description="Rows a page")
    cursor: str = Field("", max_length=1_000, description="`next` of the page before")


class ContactIn(Said):
    """By what a customer is known; the strongest of it says on which profile this lands: e-mail, phone, account,
    loyalty number, device. A profile is made where there is none yet."""

    email: str = Field("", max_length=320)
    phone: str = Field("", max_length=50, description="In E.164, or as dialled in `country`, else in the channel's")
    account: str = Field("", max_length=320, description="With who gave it out in front: webshop:4711")
    loyalty: str = Field("", max_length=320, description="With who gave it out in front")
    device: str = Field("", max_length=320, description="With who gave it out in front")
    name: str = Field("", max_length=300)
    country: str = Field("", pattern="^([A-Z]{2})?$")
    language: str = Field("", max_length=12)

    @model_validator(mode="after")
    def _is_whole(self) -> "ContactIn":
        for kind in ("account", "loyalty", "device"):
            value = getattr(self, kind)
            if value and (":" not in value.strip(": ")):
                raise ValueError(f"{kind}: put who gave it out in front, such as webshop:{value[:20]}")
        return self


class About(Said):
    """Who is meant: a customer by number, or by contact."""

    customer: Number | None = Field(None, description="The number of a profile; or say `contact`")
    contact: ContactIn | None = Field(None, description="By what they are known; or say `customer`")

    @model_validator(mode="after")
    def _is_one(self) -> "About":
        if (self.customer is None) == (self.contact is None):
            raise ValueError("say either customer or contact")
        return self


def whose(
    request: HttpRequest, said: Sequence[tuple[About, str]], *, moments: Sequence[datetime | None] = ()
) -> list[int | None]:
    """Return the profiles that are meant, each said with the country of its channel; `moments` says when each did what
    is told (None, or none of them: now). None for a customer who is not there, for a contact in which nothing is valid,
    and for whoever was erased after that. A constant number of statements."""
    named = {about.customer for about, _ in said if about.customer is not None}
    there = set(OmnichannelCustomer.objects.filter(pk__in=named, erased_at=None).values_list("pk", flat=True))
    now = clock.now()
    when = [at or now for at in moments] or [now] * len(said)
    contacts = {
        place: _contact(about.contact, country, at)
        for place, ((about, country), at) in enumerate(zip(said, when, strict=True))
        if about.contact
    }
    found: list[int | None] = [about.customer if about.customer in there else None for about, _ in said]
    if contacts:
        numbers = resolve_many(list(contacts.values()), source=source_of(request))
        gone = erased.among(numbers)
        for place, number in zip(contacts, numbers, strict=True):
            found[place] = None if number in gone else number
    return found


def nobody(about: About) -> Problem:
    """What is answered where nobody is meant."""
    if about.customer is not None:
        what = f"there is no customer {about.customer}, or they were erased"
        return fault("body.customer", what, "Look the customer up.")
    what = "nothing in it is valid, or they were erased since"
    return fault("body.contact", what, "Give an e-mail address, a number or an id that is one.")


def _contact(given: ContactIn, country: str, at: datetime) -> Contact:
    values: dict[str, Any] = given.model_dump()
    return Contact(**{**values, "country": given.country or country, "at": at})


def source_of(request: HttpRequest) -> str:
    """Return who says it, for what is written down of a customer."""
    return f"api:{caller_of(request).name}"


def customer_or_404(number: int) -> OmnichannelCustomer:
    """Return a profile. Raises Problem where there is none."""
    found = OmnichannelCustomer.objects.filter(pk=number).first()
    if found is None:
        raise Problem("not-found", f"There is no customer {number}.")
    return found
