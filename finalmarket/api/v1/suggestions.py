"""Two profiles that may be one person: what speaks for it, what a merge would make of them, and the decision."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.api.door import Done, read, write
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.v1.shapes import Filters, Key, Number, Paged, Said, customer_or_404, source_of
from finalmarket.customers import suggestions
from finalmarket.customers.models import MergeSuggestion
from finalmarket.customers.preview import Preview, Side, preview

router = Router(tags=["customers"])


class Suggestion(BaseModel):
    """Two profiles that may be one person."""

    id: int
    first: int
    second: int
    source: str = Field(description="Who found it")
    evidence: dict[str, Any]
    score: Decimal | None = Field(description="From 0 to 1, where it was computed")
    state: Literal["open", "accepted", "rejected"]
    suggested_at: AwareDatetime
    decided_at: AwareDatetime | None
    decided_by: str


class Suggestions(BaseModel):
    """A page of suggestions, the newest first."""

    items: list[Suggestion]
    next: str | None


class SideOut(BaseModel):
    """One of the two persons, with how many rows of each table hang on them."""

    customer: int
    profiles: list[int]
    name: str
    email: str
    phone: str
    country: str
    language: str
    identities: list[dict[str, Any]]
    rows: dict[str, int]


class SurvivorOut(BaseModel):
    """A field of the person that both would be, by which rule, and what would not be shown any more."""

    name: str
    value: Any
    given_by: int | None = Field(description="The profile that it comes from")
    rule: str
    hidden: Any


class MergePreview(BaseModel):
    """What a merge would make of two persons. Nothing is moved or overwritten by one; it can be taken back whole."""

    one: SideOut
    other: SideOut
    survivors: list[SurvivorOut]
    conflicts: list[str] = Field(description="What speaks against it; it forbids nothing")


class SuggestionFilters(Paged):
    """By what suggestions are narrowed."""

    state: Literal["open", "accepted", "rejected"] = "open"


class OtherCustomer(Filters):
    """With whom a merge is looked at."""

    other: Number


class Rejection(Said):
    """How a suggestion is rejected."""

    keep_apart: bool = Field(False, description="They are two persons for good, whatever evidence comes")


SUGGESTION = {
    "id": 6, "first": 4, "second": 9, "source": "linkage", "evidence": {"name": "the same", "postcode": "the same"},
    "score": "0.970", "state": "open", "suggested_at": "2026-05-04T12:00:00Z", "decided_at": None, "decided_by": "",
}  # fmt: skip
ACCEPTED = {**SUGGESTION, "state": "accepted", "decided_at": "2026-05-05T09:00:00Z", "decided_by": "api:helpdesk"}
SIDE = {
    "customer": 4, "profiles": [4], "name": "Ann Lee", "email": "ann@example.com", "phone": "", "country": "DE",
    "language": "de", "identities": [{"kind": "email", "value": "ann@example.com"}], "rows": {"orders": 2},
}  # fmt: skip
PREVIEW = {
    "one": SIDE, "other": {**SIDE, "customer": 9, "profiles": [9], "rows": {}},
    "survivors": [
        {"name": "name", "value": "Ann Lee", "given_by": 4, "rule": "the oldest profile that has one", "hidden": ""}
    ],
    "conflicts": ["they live in different countries: DE and AT"],
}  # fmt: skip


@read(
    router, "/customers/{customer}/merge-preview", scope="customers:read", answer=MergePreview, example=PREVIEW,
    filters=OtherCustomer,
)  # fmt: skip
def preview_merge(request: HttpRequest, customer: Key, asked: Query[OtherCustomer]) -> MergePreview:
    """Show what a merge would make of two persons, and what speaks against it; nothing is changed."""
    customer_or_404(customer)
    return _preview(preview(customer, asked.other))


@read(
    router, "/merge-suggestions", scope="customers:read", answer=Suggestions,
    example={"items": [SUGGESTION], "next": None}, filters=SuggestionFilters,
)  # fmt: skip
def list_merge_suggestions(request: HttpRequest, asked: Query[SuggestionFilters]) -> Suggestions:
    """List pairs of profiles that may be one person; those that wait for a decision, unless others are asked for."""
    rows = MergeSuggestion.objects.filter(state=asked.state)
    found, following = page(rows, ("-id",), request, asked.limit, asked.cursor)
    return Suggestions(items=[_suggestion(one) for one in found], next=following)


@write(
    router, "POST", "/merge-suggestions/{suggestion}/accept", scope="customers:merge", status=200, answer=Suggestion,
    example=ACCEPTED,
)  # fmt: skip
def accept_merge_suggestion(request: HttpRequest, suggestion: Key) -> Done:
    """Say that they are one person: they are merged. Unmerge gives both back exactly."""
    _suggestion_or_404(suggestion)
    decided = suggestions.decide(suggestion, are_one=True, actor=source_of(request))
    return Done(f"suggestion {suggestion}", _suggestion(decided))


@write(
    router, "POST", "/merge-suggestions/{suggestion}/reject", scope="customers:merge", status=200, answer=Suggestion,
    example={**ACCEPTED, "state": "rejected"}, body={"keep_apart": True},
)  # fmt: skip
def reject_merge_suggestion(request: HttpRequest, suggestion: Key, told: Rejection) -> Done:
    """Say that this is not enough to hold them for one person, or with `keep_apart` that they are two for good."""
    _suggestion_or_404(suggestion)
    decided = suggestions.decide(suggestion, are_one=False, keep_apart=told.keep_apart, actor=source_of(request))
    return Done(f"suggestion {suggestion}", _suggestion(decided))


def _suggestion_or_404(number: int) -> None:
    if not MergeSuggestion.objects.filter(pk=number).exists():
        raise Problem("not-found", f"There is no suggestion {number}.")


def _suggestion(row: MergeSuggestion) -> Suggestion:
    return Suggestion(
        id=row.pk, first=row.first_id, second=row.second_id, source=row.source, evidence=row.evidence, score=row.score,
        state=row.state,  # type: ignore[arg-type]
        suggested_at=row.suggested_at, decided_at=row.decided_at, decided_by=row.decided_by,
    )  # fmt: skip


def _preview(found: Preview) -> MergePreview:
    survivors = [SurvivorOut(**asdict(one)) for one in found.survivors]
    return MergePreview(
        one=_side(found.one), other=_side(found.other), survivors=survivors, conflicts=list(found.conflicts)
    )


def _side(side: Side) -> SideOut:
    person = side.shown
    return SideOut(
        customer=person.id, profiles=list(person.profiles), name=person.name, email=person.email, phone=person.phone,
        country=person.country, language=person.language, identities=side.identities, rows=side.rows,
    )  # fmt: skip
