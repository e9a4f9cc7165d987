"""What programs did: every write is noted in one transaction with it, for good, without a word of anybody in it."""

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.access.models import AuditEntry
from finalmarket.api.door import read
from finalmarket.api.paging import page
from finalmarket.api.v1.shapes import Moment, Number, Paged

router = Router(tags=["audit"])


class AuditLine(BaseModel):
    """A write by a program: which key did what, to what, and how it was answered."""

    id: int
    at: AwareDatetime
    key: int
    key_name: str
    operation: str
    subject: str = Field(description="What was touched, by its number")
    status: int


class AuditLines(BaseModel):
    """A page of what programs did, the newest first."""

    items: list[AuditLine]
    next: str | None


class AuditFilters(Paged):
    """By what the audit is narrowed."""

    key: Number | None = Field(None, description="Of this key alone")
    operation: str = Field("", max_length=60)
    since: Moment | None = None
    until: Moment | None = None


LINE = {
    "id": 812, "at": "2026-05-04T12:00:00Z", "key": 4, "key_name": "till software", "operation": "start_journey",
    "subject": "journey 17", "status": 201,
}  # fmt: skip


@read(
    router,
    "/audit",
    scope="audit:read",
    answer=AuditLines,
    example={"items": [LINE], "next": None},
    filters=AuditFilters,
)
def list_audit(request: HttpRequest, asked: Query[AuditFilters]) -> AuditLines:
    """List what programs did: every write is noted, for good."""
    rows = AuditEntry.objects.select_related("key")
    if asked.key is not None:
        rows = rows.filter(key=asked.key)
    if asked.operation:
        rows = rows.filter(operation=asked.operation)
    if asked.since is not None:
        rows = rows.filter(at__gte=asked.since)
    if asked.until is not None:
        rows = rows.filter(at__lt=asked.until)
    found, following = page(rows, ("-id",), request, asked.limit, asked.cursor)
    return AuditLines(items=[_line(one) for one in found], next=following)


def _line(row: AuditEntry) -> AuditLine:
    return AuditLine(
        id=row.pk, at=row.at, key=row.key_id, key_name=row.key.name, operation=row.operation, subject=row.subject,
        status=row.status,
    )  # fmt: skip
