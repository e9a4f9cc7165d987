"""What a person may ask of the house: to see all that is kept of them, and to be erased.

An erasure is confirmed by naming all profiles of the person, as what it would take was shown: where one came or went
meanwhile, nothing is erased. It is done at once, or written down until the orders that are under way are done.
"""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.access import audit
from finalmarket.api.door import Done, caller_of, read, write
from finalmarket.api.paging import page
from finalmarket.api.problems import Problem
from finalmarket.api.v1.shapes import Key, Number, Paged, Said, customer_or_404, source_of
from finalmarket.customers.models import PrivacyRequest
from finalmarket.customers.persons import members
from finalmarket.integrations.privacy.erase import erase
from finalmarket.integrations.privacy.export import export
from finalmarket.integrations.privacy.foreseen import Foreseen, foresee

router = Router(tags=["privacy"])
API = "api"


class ExportOut(BaseModel):
    """All that is kept of a person: what is shown of them, and their rows by table."""

    about: dict[str, Any]
    person: dict[str, Any]
    tables: dict[str, list[dict[str, Any]]]


class ForeseenOut(BaseModel):
    """What an erasure would take and leave."""

    customer: int = Field(description="The profile that stands for the person")
    profiles: list[int] = Field(description="All profiles of the person: name them to confirm")
    deleted: dict[str, int] = Field(description="Rows that go, by table")
    emptied: dict[str, int] = Field(description="Rows that stay without what is personal in them, by table")
    kept: dict[str, str] = Field(description="Why these stay")
    orders_under_way: int = Field(description="It waits for these, unless `at_once` is said")
    is_erased: bool


class RequestOut(BaseModel):
    """An export or an erasure: who asked for it, and what became of it."""

    id: int
    kind: Literal["export", "erasure"]
    customer: int
    profiles: list[int]
    state: Literal["waiting", "under_way", "ready", "done"]
    actor: str
    source: str
    waits_for_orders: int
    rows: dict[str, int] = Field(description="How many rows of each table lost something")
    requested_at: AwareDatetime
    done_at: AwareDatetime | None


class RequestsOut(BaseModel):
    """A page of what was asked for, the newest first."""

    items: list[RequestOut]
    next: str | None


class Erasing(Said):
    """The confirmation: all profiles of the person, as what the erasure would take was shown."""

    profiles: list[Number] = Field(min_length=1, max_length=1_000)
    at_once: bool = Field(False, description="Do not wait for orders that are under way: they lose their address")


class RequestFilters(Paged):
    """By what requests are narrowed."""

    kind: Literal["export", "erasure"] | None = None
    state: Literal["waiting", "under_way", "ready", "done"] | None = None
    customer: Number | None = None


EXPORTED = {
    "about": {"exported_at": "2026-05-04T12:00:00+00:00", "customer": 4, "profiles": [4, 9]},
    "person": {"id": 4, "name": "Ann Lee", "email": "ann@example.com"},
    "tables": {"consents": [{"id": 1, "purpose": "newsletter", "is_granted": True}]},
}  # fmt: skip
FORESEEN = {
    "customer": 4, "profiles": [4, 9], "deleted": {"customer_identities": 3}, "emptied": {"orders": 2},
    "kept": {"orders": "Amounts, tax, units and dates: the law of bookkeeping."}, "orders_under_way": 0,
    "is_erased": False,
}  # fmt: skip
REQUEST = {
    "id": 8, "kind": "erasure", "customer": 4, "profiles": [4, 9], "state": "done", "actor": "api:helpdesk",
    "source": "api", "waits_for_orders": 0, "rows": {"orders": 2}, "requested_at": "2026-05-04T12:00:00Z",
    "done_at": "2026-05-04T12:00:01Z",
}  # fmt: skip


@read(router, "/customers/{customer}/export", scope="privacy:export", answer=ExportOut, example=EXPORTED)
def export_customer(request: HttpRequest, customer: Key) -> ExportOut:
    """Export all that is kept of a person, as JSON. That it was asked for is noted, as every export is."""
    customer_or_404(customer)
    document = "".join(export(customer, actor=source_of(request), source=API))
    audit.note(caller_of(request).key_id, "export_customer", f"customer {customer}", 200)
    return ExportOut.model_validate_json(document)


@read(router, "/customers/{customer}/erasure", scope="privacy:read", answer=ForeseenOut, example=FORESEEN)
def foresee_erasure(request: HttpRequest, customer: Key) -> ForeseenOut:
    """Show what an erasure of a person would take, what would stay and why, and what it would wait for."""
    found = customer_or_404(customer)
    return _foreseen(foresee(customer), is_erased=found.erased_at is not None)


@write(
    router, "POST", "/customers/{customer}/erase", scope="privacy:erase", status=200, answer=RequestOut,
    example=REQUEST, body={"profiles": [4, 9]}, outside=True, matches=True,
)  # fmt: skip
def erase_customer(request: HttpRequest, customer: Key, told: Erasing) -> Done:
    """Erase a person for good, with all their profiles; the books stay. Name all profiles to confirm; where others are
    the person's now, nothing is erased (412)."""
    customer_or_404(customer)
    if set(told.profiles) != set(members(customer)):
        raise Problem("changed", "body.profiles: the person has other profiles now; look at what would be erased.")
    done = erase(customer, actor=source_of(request), source=API, at_once=told.at_once)
    return Done(f"customer {done.person_id}", _request(done))


@read(
    router, "/privacy/requests", scope="privacy:read", answer=RequestsOut, example={"items": [REQUEST], "next": None},
    filters=RequestFilters,
)  # fmt: skip
def list_privacy_requests(request: HttpRequest, asked: Query[RequestFilters]) -> RequestsOut:
    """List the exports and erasures that were asked for, and what became of each."""
    rows = PrivacyRequest.objects.all()
    if asked.kind is not None:
        rows = rows.filter(kind=asked.kind)
    if asked.state is not None:
        rows = rows.filter(state=asked.state)
    if asked.customer is not None:
        rows = rows.filter(person_id__in=members(asked.customer))
    found, following = page(rows, ("-id",), request, asked.limit, asked.cursor)
    return RequestsOut(items=[_request(one) for one in found], next=following)


def _foreseen(found: Foreseen, *, is_erased: bool) -> ForeseenOut:
    return ForeseenOut(
        customer=found.profiles[0], profiles=sorted(found.profiles), deleted=found.deleted, emptied=found.emptied,
        kept=found.kept, orders_under_way=found.orders_under_way, is_erased=is_erased,
    )  # fmt: skip


def _request(row: PrivacyRequest) -> RequestOut:
    outcome: dict[str, Any] = row.outcome
    return RequestOut(
        id=row.pk, kind=row.kind, customer=row.person_id, profiles=row.profiles, state=row.state,  # type: ignore[arg-type]
        actor=row.actor, source=row.source, waits_for_orders=outcome.get("waits_for_orders", 0),
        rows=outcome.get("rows", {}), requested_at=row.requested_at, done_at=row.done_at,
    )  # fmt: skip
