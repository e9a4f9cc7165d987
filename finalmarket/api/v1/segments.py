"""Segments: what they are, who is in them, and those that users make."""

from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.analytics import lifetime_value_stored, segments_made
from finalmarket.analytics.models import CustomerValue, Segment, SegmentMember
from finalmarket.analytics.segments_figures import Counted, figures
from finalmarket.analytics.segments_models import MOST_NAME_CHARACTERS
from finalmarket.analytics.segments_rules import checked
from finalmarket.analytics.segments_words import rule_in_words
from finalmarket.api.door import Done, check_match, read, write
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.v1.shapes import Paged, Said, source_of
from finalmarket.customers.models import OmnichannelCustomer

router = Router(tags=["segments"])
Key = Annotated[str, Path(min_length=1, max_length=50, pattern="^[a-z][a-z0-9_]*$")]
Name = Annotated[str, Field(min_length=1, max_length=MOST_NAME_CHARACTERS)]


class SegmentOut(BaseModel):
    """A segment with its figures. Money is a decimal number in a text, of `currency`."""

    key: str
    name: str
    is_built_in: bool = Field(description="Each person is in exactly one of these")
    rule: dict[str, Any]
    rule_in_words: str
    persons: int
    value: Decimal = Field(description="Net revenue of its persons so far")
    expected_value: Decimal = Field(description="What they are expected to bring within a year")
    currency: str | None
    counted_at: AwareDatetime | None = Field(description="null: nobody was sorted yet")


class SegmentsOut(BaseModel):
    """All segments, the built-in ones first."""

    items: list[SegmentOut]


class Worth(BaseModel):
    """What a person is worth. `alive` is null where no model knows of it, and so is what is expected."""

    currency: str
    value: Decimal
    expected_value: Decimal | None
    expected_low: Decimal | None
    expected_high: Decimal | None
    expected_orders: float | None
    alive: float | None
    lifetime_value: Decimal
    recency_score: int
    frequency_score: int
    monetary_score: int
    model: str
    version: int | None
    computed_at: AwareDatetime


class Member(BaseModel):
    """A person in a segment."""

    customer: int = Field(description="The profile that stands for the person")
    since: AwareDatetime | None = Field(description="null for built-in segments")
    worth: Worth | None = Field(description="null for who never bought")


class Members(BaseModel):
    """A page of the members of a segment, by number."""

    items: list[Member]
    next: str | None


class SegmentSaid(Said):
    """What is said to make a segment: its name and its rule (docs/analytics.md)."""

    name: Name
    rule: dict[str, Any]


class SegmentChange(Said):
    """What becomes different; what is left out stays."""

    name: Name | None = None
    rule: dict[str, Any] | None = None


class RuleSaid(Said):
    """A rule to look at."""

    rule: dict[str, Any]


class Looked(BaseModel):
    """How many persons fulfil a rule now."""

    persons: int
    rule_in_words: str


SEGMENT = {
    "key": "vip", "name": "VIP", "is_built_in": True, "rule": {"field": "lifetime_value", "top": "0.05"},
    "rule_in_words": "lifetime value among the highest 5 %", "persons": 12, "value": "10412.50",
    "expected_value": "3120.75", "currency": "EUR", "counted_at": "2026-05-04T02:41:00Z",
}  # fmt: skip
MADE = {
    **SEGMENT, "key": "tea_lovers", "name": "Tea lovers", "is_built_in": False,
    "rule": {"field": "orders", "at_least": "2"}, "rule_in_words": "orders at least 2",
}  # fmt: skip
MEMBER = {
    "customer": 4, "since": None,
    "worth": {
        "currency": "EUR", "value": "812.0000", "expected_value": "211.4000", "expected_low": "180.1000",
        "expected_high": "248.0000", "expected_orders": 2.4, "alive": 0.91, "lifetime_value": "1023.4000",
        "recency_score": 5, "frequency_score": 5, "monetary_score": 5, "model": "BG/NBD + Gamma-Gamma", "version": 12,
        "computed_at": "2026-05-04T02:40:00Z",
    },
}  # fmt: skip


@read(router, "/segments", scope="customers:read", answer=SegmentsOut, example={"items": [SEGMENT]})
def list_segments(request: HttpRequest) -> SegmentsOut:
    """List all segments with how many persons are in each and what they are worth."""
    counted, model = figures(), lifetime_value_stored.latest()
    currency = model.currency if model else None
    return SegmentsOut(items=[_segment(one, counted.get(one.key), currency) for one in Segment.objects.all()])


@read(
    router, "/segments/{key}/members", scope="customers:read", answer=Members,
    example={"items": [MEMBER], "next": None}, filters=Paged,
)  # fmt: skip
def list_segment_members(request: HttpRequest, key: Key, asked: Query[Paged]) -> Members:
    """List the persons of a segment, by number, with what each is worth."""
    segment = _segment_or_404(key)
    if segment.is_built_in:
        rows = OmnichannelCustomer.objects.filter(segment=key, merged_into=None, erased_at=None).only("pk")
        found, following = page(rows, ("id",), request, asked.limit, asked.cursor)
        since = {row.pk: None for row in found}
    else:
        members = SegmentMember.objects.filter(segment=segment)
        found, following = page(members, ("person_id",), request, asked.limit, asked.cursor)
        since = {row.person_id: row.since for row in found}
    worth = lifetime_value_stored.value_of(since)
    items = [Member(customer=one, since=at, worth=_worth(worth.get(one))) for one, at in since.items()]
    return Members(items=items, next=following)


@read(router, "/segments/{key}", scope="customers:read", answer=SegmentOut, example=SEGMENT)
def get_segment(request: HttpRequest, key: Key) -> SegmentOut:
    """Show a segment with how many persons are in it and what they are worth."""
    return _shown(_segment_or_404(key))


@write(
    router, "POST", "/segment-preview", scope="segments:write", status=200, answer=Looked,
    example={"persons": 41, "rule_in_words": "orders at least 2"}, body={"rule": {"field": "orders", "at_least": 2}},
)  # fmt: skip
def preview_segment(request: HttpRequest, told: RuleSaid) -> Done:
    """Count how many persons fulfil a rule now; nothing is made."""
    count = segments_made.preview(told.rule)
    return Done("", Looked(persons=count, rule_in_words=rule_in_words(checked(told.rule))))


@write(
    router, "POST", "/segments", scope="segments:write", status=201, answer=SegmentOut, example=MADE,
    body={"name": "Tea lovers", "rule": {"field": "orders", "at_least": 2}},
)  # fmt: skip
def make_segment(request: HttpRequest, told: SegmentSaid) -> Done:
    """Make a segment and find its members."""
    made = segments_made.make(told.name, told.rule, actor=source_of(request))
    return Done(f"segment {made.key}", _shown(made), headers={"Location": f"/api/v1/segments/{made.key}"})


@write(
    router, "PATCH", "/segments/{key}", scope="segments:write", status=200, answer=SegmentOut, example=MADE,
    body={"name": "Tea lovers"}, matches=True,
)  # fmt: skip
def change_segment(request: HttpRequest, key: Key, told: SegmentChange) -> Done:
    """Give a segment another name, or another rule and find its members anew. Also the rule of a built-in one may be
    changed, but that of prospects."""
    segment = _known(segments_made.held(key), key)
    check_match(request, _shown(segment))
    segments_made.change(segment, name=told.name, rule=told.rule)
    return Done(f"segment {key}", _shown(segment))


@write(router, "DELETE", "/segments/{key}", scope="segments:write", status=204, answer=None)
def delete_segment(request: HttpRequest, key: Key) -> Done:
    """Take a segment away, one that users made; platforms that know of it are told."""
    segments_made.take_away(_known(segments_made.held(key), key))
    return Done(f"segment {key}")


def _segment_or_404(key: str) -> Segment:
    return _known(Segment.objects.filter(key=key).first(), key)


def _known(found: Segment | None, key: str) -> Segment:
    if found is None:
        raise Problem("not-found", f"There is no segment {key}.")
    return found


def _shown(segment: Segment) -> SegmentOut:
    segment.refresh_from_db()
    model = lifetime_value_stored.latest()
    return _segment(segment, figures().get(segment.key), model.currency if model else None)


def _segment(segment: Segment, counted: Counted | None, currency: str | None) -> SegmentOut:
    found = counted or Counted(0, Decimal(0), Decimal(0), Decimal(0))
    return SegmentOut(
        key=segment.key, name=segment.name, is_built_in=segment.is_built_in, rule=segment.rule,
        rule_in_words=rule_in_words(segment.rule), persons=found.persons, value=found.value,
        expected_value=found.expected, currency=currency, counted_at=segment.sorted_at,
    )  # fmt: skip


def _worth(row: CustomerValue | None) -> Worth | None:
    if row is None:
        return None
    return Worth(
        currency=row.currency, value=row.value, expected_value=row.expected_value, expected_low=row.expected_low,
        expected_high=row.expected_high, expected_orders=row.expected_orders, alive=row.alive,
        lifetime_value=row.lifetime_value, recency_score=row.recency_score, frequency_score=row.frequency_score,
        monetary_score=row.monetary_score, model=row.model.name if row.model else "", version=row.model_id,
        computed_at=row.computed_at,
    )  # fmt: skip
