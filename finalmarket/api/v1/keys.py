"""A key and itself: what it may do, until when it works, and putting another in its place."""

from datetime import timedelta

from django.http import HttpRequest
from ninja import Router
from pydantic import AwareDatetime, BaseModel, Field

from finalmarket.access import keys
from finalmarket.access.models import ApiKey
from finalmarket.api.door import ANY_SCOPE, Done, caller_of, read, write
from finalmarket.api.v1.shapes import Said, source_of

router = Router(tags=["keys"])


class KeyOut(BaseModel):
    """A key as it may see itself."""

    id: int
    name: str
    prefix: str = Field(description="The part that may be seen: fm_<prefix>_…")
    scopes: list[str]
    channels: list[int] = Field(description="The only channels that it may touch; none: all")
    calls_per_minute: int
    state: str = Field(description="works, or replaced: it works until `ends_at`")
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = Field(description="As it was agreed when it was made; null: never")
    ends_at: AwareDatetime | None = Field(description="When its days of grace are over, once another took its place")


class KeyWithSecret(KeyOut):
    """A key that took the place of another, with what its holder shows from now on: shown this once."""

    key: str
    old_key_works_until: AwareDatetime


class Rotation(Said):
    """How long the old key works beside the new one."""

    grace_days: int = Field(keys.GRACE.days, ge=0, le=keys.MOST_GRACE.days)


KEY = {
    "id": 4, "name": "till software", "prefix": "0a1b2c3d4e5f", "scopes": ["carts:read", "carts:write"],
    "channels": [2], "calls_per_minute": 600, "state": "works", "created_at": "2026-05-04T12:00:00Z",
    "expires_at": None, "ends_at": None,
}  # fmt: skip
ROTATED = {**KEY, "id": 5, "key": "fm_…", "old_key_works_until": "2026-05-11T12:00:00Z"}


@read(router, "/key", scope=ANY_SCOPE, answer=KeyOut, example=KEY)
def get_key(request: HttpRequest) -> KeyOut:
    """Show the key that asks: what it may do, where, how fast, and until when. Every key may ask that."""
    return _key(ApiKey.objects.get(pk=caller_of(request).key_id))


@write(
    router, "POST", "/key/rotate", scope="keys:rotate", status=201, answer=KeyWithSecret, example=ROTATED,
    body={"grace_days": 7}, is_secret=True,
)  # fmt: skip
def rotate_key(request: HttpRequest, told: Rotation) -> Done:
    """Put another key in the place of the one that asks; it may do the same, and is shown in this answer alone."""
    old = caller_of(request).key_id
    grace = timedelta(days=told.grace_days)
    new, shown = keys.rotate(old, actor=source_of(request), grace=grace)
    new.refresh_from_db()
    ends_at = ApiKey.objects.get(pk=old).ends_at
    assert ends_at is not None  # noqa: S101  it was replaced just now
    body = KeyWithSecret(**_key(new).model_dump(), key=shown, old_key_works_until=ends_at)
    return Done(f"key {new.pk} in place of {old}", body)


def _key(row: ApiKey) -> KeyOut:
    return KeyOut(
        id=row.pk, name=row.name, prefix=row.prefix, scopes=row.scopes, channels=row.channel_ids,
        calls_per_minute=row.calls_per_minute, state=keys.state_of(row), created_at=row.created_at,
        expires_at=row.expires_at, ends_at=row.ends_at,
    )  # fmt: skip
