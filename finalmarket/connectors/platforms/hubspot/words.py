"""Between HubSpot's words and ours: contacts, orders, tickets, webhooks. All values of properties are texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finalmarket.connectors.books import OrderContent, OrderContentLine
from finalmarket.connectors.moments import to_millisecond, zoned
from finalmarket.connectors.order_amounts import wanted_units
from finalmarket.connectors.paging import read_text
from finalmarket.connectors.people import address_fields, country_code, full_name, read_address, said_of, split_name
from finalmarket.connectors.platforms.hubspot.custom import KEY, LINE, NUMBER
from finalmarket.connectors.records import Address, CustomerContent, CustomerRecord, Event, Raw
from finalmarket.connectors.talk import TicketContent
from finalmarket.connectors.vocabulary import filled

CHANGED = "lastmodifieddate"
CONTACT = (
    "email", "firstname", "lastname", "phone", "mobilephone", "hs_language", "address", "city", "state", "zip",
    "country", "company", "hs_email_optout", "hs_merged_object_ids", CHANGED,
)  # fmt: skip
# What to be told of: all that a contact's record here is made of.
WATCHED = ("email", "firstname", "lastname", "phone", "address", "city", "zip", "country", "hs_email_optout")
# Of the property hs_language; the list also has variants by country, which are not needed.
LANGUAGES = (
    "af ar bg bn ca cs da de el en es et eu fi fr gl gu he hi hr hu hy id is it ja ka kk ko lt lv mk ml mr ms nb nl nn "
    "no pa pl pt ro ru sk sl sq sr sv sw ta te th tr uk ur vi zh"
)
DEFAULT_STAGES: Mapping[str, Mapping[str, str]] = {
    # The ids of the stages of the pipeline that every account has at first.
    "orders": {
        "pipeline": "14a2e10e-5471-408a-906e-c51f3b04369e",
        "open": "4b27b500-f031-4927-9811-68a0b525cbae", "fulfilled": "aa99e8d0-c1d5-4071-b915-d240bbb1aed9",
        "cancelled": "3c85a297-e9ce-400b-b42e-9f16853d69d6",
    },
    # A shop's order is a deal that is won.
    "deals": {"pipeline": "default", "open": "closedwon", "fulfilled": "closedwon", "cancelled": "closedlost"},
}  # fmt: skip
PRIORITIES = {"low": "LOW", "normal": "MEDIUM", "high": "HIGH", "urgent": "URGENT"}
TOPICS = {
    "contact.creation": "customers", "contact.propertyChange": "customers", "contact.deletion": "customers",
    "contact.merge": "customers", "contact.restore": "customers", "contact.privacyDeletion": "erase",
}  # fmt: skip
CONTACTS_TYPE = "0-1"
ADDRESS: Mapping[str, str] = {
    "street": "address", "postcode": "zip", "city": "city", "region": "state", "country": "country",
}  # fmt: skip
SIX_DIGITS = Decimal("0.000001")


# Contacts.


def customer_record(raw: Raw, optout: str = "") -> CustomerRecord:
    """A contact. `optout` is the property that says whether they left our own type of e-mail ("": none is chosen)."""
    properties = raw["properties"]
    told = {name: read_text(properties, name) for name, value in properties.items() if value is not None}
    is_deleted = bool(raw.get("archived"))
    changed_at = zoned(raw.get("archivedAt") if is_deleted else told.get(CHANGED) or raw["updatedAt"])
    name = full_name(told.get("firstname"), told.get("lastname"))
    has_left = "true" in (told.get("hs_email_optout"), told.get(optout))
    merged = told.get("hs_merged_object_ids", "").split(";")
    return CustomerRecord(
        external_id=str(raw["id"]), version=changed_at.isoformat(timespec="milliseconds"), name=name,
        email=told.get("email", ""), phone=told.get("phone") or told.get("mobilephone", ""),
        language=told.get("hs_language", ""), address=_address(told, name), accepts_email=False if has_left else None,
        merged_ids=tuple(one.strip() for one in merged if one.strip()), is_deleted=is_deleted, raw=raw,
    )  # fmt: skip


def _address(told: Mapping[str, str], name: str) -> Address:
    """Where a contact lives. HubSpot's country is a text that people type: only a code of two letters is one to us."""
    if not any(told.get(part) for part in ("address", "zip", "city")):
        return Address()
    typed = {**told, "country": country_code(told.get("country", ""))}
    return read_address(typed, ADDRESS, name=name, company=told.get("company", ""))


def millis(moment: datetime) -> str:
    """A moment as searches take it."""
    return str(int(moment.timestamp() * 1000))


def contact_values(content: CustomerContent) -> dict[str, str]:
    """A customer as a contact. What we do not know is left as it is there; numbers of orders are always known."""
    first, last = split_name(content.name)
    language = content.language.lower().partition("-")[0].partition("_")[0]
    said, there = said_of(content), content.address
    values = filled({
        "email": content.email, "firstname": first, "lastname": last, "phone": content.phone,
        "hs_language": language if language in LANGUAGES.split() else "", "company": there.company,
        **address_fields(there, ADDRESS), "address": _street(there), "finalmarket_currency": content.currency,
        "finalmarket_last_order_at": written(content.last_order_at),
    })  # fmt: skip
    if content.segments:
        values["finalmarket_segments"] = _joined(content.segments)
    if said:  # all of it, also that nothing is refused any more
        values["finalmarket_agreed"] = _joined(sorted(name for name, agreed in said.items() if agreed))
        values["finalmarket_refused"] = _joined(sorted(name for name, agreed in said.items() if not agreed))
    if content.currency or content.order_count:
        values |= {"finalmarket_order_count": str(content.order_count), "finalmarket_spent": amount(content.spent)}
    return values


def _joined(words: Any) -> str:
    return "; ".join(words)


def written(moment: datetime | None) -> str:
    """A moment as properties take it; "" for none."""
    return to_millisecond(moment) if moment else ""


def amount(value: Decimal) -> str:
    """An amount with just its own digits."""
    return format(value, "f")


# Orders.


def order_values(content: OrderContent, kind: str, stages: Mapping[str, str]) -> dict[str, str]:
    """An order as an order or a deal; `stages` names the pipeline, and the stage for each state of an order."""
    buyer = full_name(content.name, content.email, content.phone)
    values = {
        NUMBER: content.number, "finalmarket_payment": content.payment_state, "finalmarket_tax": amount(content.tax),
        "finalmarket_refunded": amount(content.refunded), "finalmarket_placed_at": written(content.placed_at),
        "finalmarket_channel": content.channel, "finalmarket_buyer": buyer, "finalmarket_carrier": content.carrier,
    }  # fmt: skip
    named = _order_names(content, stages) if kind == "orders" else _deal_names(content, stages)
    return values | filled(named)


def _order_names(content: OrderContent, stages: Mapping[str, str]) -> dict[str, str]:
    return {
        "hs_order_name": f"Order {content.number}", "hs_external_order_id": content.number,
        "hs_currency_code": content.currency, "hs_source_store": content.channel,
        "hs_total_price": amount(content.total), "hs_fulfillment_status": content.state,
        "hs_shipping_tracking_number": content.tracking_number, "hs_shipping_status_url": content.tracking_url,
        "hs_pipeline": stages["pipeline"], "hs_pipeline_stage": stages.get(content.state, stages["open"]),
        **_address_values("hs_shipping_address", content.shipping_address),
        **_address_values("hs_billing_address", content.billing_address),
    }  # fmt: skip


def _deal_names(content: OrderContent, stages: Mapping[str, str]) -> dict[str, str]:
    there = content.shipping_address
    lines = (there.name, there.company, there.street, there.street2, f"{there.postcode} {there.city}".strip())
    return {
        "dealname": f"Order {content.number}", "amount": amount(content.total), "deal_currency_code": content.currency,
        "closedate": written(content.placed_at), "pipeline": stages["pipeline"],
        "dealstage": stages.get(content.state, stages["open"]), "finalmarket_tracking_number": content.tracking_number,
        "finalmarket_ship_to": "\n".join(part for part in (*lines, there.region, there.country) if part),
    }  # fmt: skip


def _address_values(prefix: str, there: Address) -> dict[str, str]:
    return {
        f"{prefix}_street": _street(there), f"{prefix}_city": there.city, f"{prefix}_postal_code": there.postcode,
        f"{prefix}_state": there.region, f"{prefix}_country": there.country,
    }  # fmt: skip


def _street(there: Address) -> str:
    return ", ".join(filter(None, (there.street, there.street2)))


def line_key(content: OrderContent, line: OrderContentLine) -> str:
    """What a line of ours is known by in the whole account."""
    return f"{content.number}/{line.line_id}"


def line_values(content: OrderContent, line: OrderContentLine) -> dict[str, str]:
    """A line, as the units that are still wanted (of a cancelled order, as it was: its stage says that it is
    cancelled). HubSpot's `discount` is taken off each unit."""
    units = line.quantity if content.state == "cancelled" else wanted_units(line, content)
    off = (line.discount / line.quantity).quantize(SIX_DIGITS).normalize() if line.quantity else Decimal(0)
    return {
        LINE: line_key(content, line), "name": line.title or line.sku or line.kind, "hs_sku": line.sku,
        "quantity": str(units), "price": amount(line.unit_price), "discount": amount(off),
        "hs_line_item_currency_code": content.currency, "finalmarket_kind": line.kind,
        "finalmarket_tax": amount(line.tax), "finalmarket_cancelled": str(line.cancelled_quantity),
    }  # fmt: skip


def line_of(raw: Raw, number: str) -> tuple[str, str]:
    """Our id of a line item of that order, and its own; "" where it is none of ours."""
    key = str((raw.get("properties") or {}).get(LINE) or "")
    return key.removeprefix(f"{number}/") if key.startswith(f"{number}/") else "", str(raw["id"])


# Tickets.


def ticket_values(content: TicketContent, pipeline: str, stage: str) -> dict[str, str]:
    """A ticket. All properties of a ticket are for the agents' eyes."""
    sender = full_name(content.name, content.email, content.phone)
    return filled({
        KEY: content.key, "subject": content.subject, "content": content.text, "hs_pipeline": pipeline,
        "hs_pipeline_stage": stage, "hs_ticket_priority": PRIORITIES.get(content.priority, "MEDIUM"),
        "finalmarket_order": content.order_number, "finalmarket_context": content.context, "finalmarket_from": sender,
        "finalmarket_tags": _joined(content.tags),
    })  # fmt: skip


# Webhooks.


def event_of(raw: Raw) -> Event:
    """One event of a delivery. Newer subscriptions name the object by a type id: `object.creation`, `0-1`."""
    topic = str(raw["subscriptionType"])
    told = topic
    if topic.startswith("object.") and raw.get("objectTypeId") == CONTACTS_TYPE:
        told = topic.replace("object.", "contact.", 1)
    subject = raw.get("newObjectId") or raw.get("primaryObjectId") or raw.get("objectId")
    # An event's id is not sure to be unique, so the moment and the object stand beside it.
    names = (raw["portalId"], raw["eventId"], raw["occurredAt"], raw.get("objectId", ""))
    return Event(
        event_id="-".join(map(str, names)), topic=topic, kind=TOPICS.get(told, "unknown"),
        external_id="" if subject is None else str(subject),
        occurred_at=datetime.fromtimestamp(int(raw["occurredAt"]) / 1000, UTC),
    )  # fmt: skip
