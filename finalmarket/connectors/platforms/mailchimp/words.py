"""Between our words and Mailchimp's: members, their names, moments."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from finalmarket.connectors.moments import utc
from finalmarket.connectors.paging import read_text
from finalmarket.connectors.people import country_code, read_address, split_name
from finalmarket.connectors.records import Address, CustomerContent, CustomerRecord, Raw

# What is known of mail by a member's status; of the others nothing was said.
AGREED: Mapping[str, bool] = {"subscribed": True, "unsubscribed": False, "cleaned": False}
ARCHIVED = "archived"
ADDRESS: Mapping[str, str] = {
    "street": "addr1", "street2": "addr2", "postcode": "zip", "city": "city", "region": "state", "country": "country",
}  # fmt: skip


def member_id(email: str) -> str:
    """What Mailchimp calls the member of an address: the MD5 digest of the address in small letters."""
    return hashlib.md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


def written(at: datetime) -> str:
    """A moment as Mailchimp takes it, in whole seconds."""
    return at.astimezone(UTC).isoformat(timespec="seconds")


def interaction_id(kind: str, member: str, at: datetime, *more: str) -> str:
    """What a member did at a moment (`more`: in which campaign, by which link), however it came to be told."""
    digest = hashlib.sha256("\n".join((member, *more)).encode()).hexdigest()[:24]
    return f"{kind}-{int(at.timestamp())}-{digest}"


def customer_record(raw: Raw) -> CustomerRecord:
    """A member. Who was archived there is gone; who bounced or complained for good does not get mail any more."""
    merged = raw.get("merge_fields") or {}
    name = f"{read_text(merged, 'FNAME')} {read_text(merged, 'LNAME')}".strip() or read_text(raw, "full_name")
    status = str(raw["status"])
    return CustomerRecord(
        external_id=raw["id"], version=utc(raw["last_changed"]).isoformat(), name=name,
        email=read_text(raw, "email_address"), phone=read_text(merged, "PHONE"), language=read_text(raw, "language"),
        address=_address(merged.get("ADDRESS"), name), accepts_email=AGREED.get(status),
        is_deleted=status == ARCHIVED, raw=raw,
    )  # fmt: skip


def _address(told: Any, name: str) -> Address:
    if not isinstance(told, dict) or not told.get("addr1"):
        return Address()
    return read_address({**told, "country": country_code(str(told.get("country") or ""))}, ADDRESS, name=name)


def merge_values(content: CustomerContent) -> dict[str, Any]:
    """What the merge fields of a member are to say, by their tags; amounts are Decimals. An address goes as a whole or
    not at all: Mailchimp takes no other."""
    first, last = split_name(content.name)
    there = content.address
    values: dict[str, Any] = {"FNAME": first, "LNAME": last, "PHONE": content.phone, "FMCURRENCY": content.currency}
    if there.street and there.city and there.postcode:
        values["ADDRESS"] = {theirs: getattr(there, ours) for ours, theirs in ADDRESS.items()}
    if content.currency or content.order_count:
        values |= {"FMORDERS": content.order_count, "FMSPENT": content.spent}
    if content.last_order_at:
        values["FMLAST"] = f"{content.last_order_at.astimezone(UTC):%Y-%m-%d}"
    return {tag: value for tag, value in values.items() if value not in ("", None)}
