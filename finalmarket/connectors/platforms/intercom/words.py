"""From Intercom's words to ours, and back."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping
from typing import Any

from finalmarket.connectors.moments import from_seconds
from finalmarket.connectors.records import CustomerContent, CustomerRecord, Event, Raw
from finalmarket.connectors.talk import ConversationMessage, ConversationRecord, TicketContent
from finalmarket.connectors.vocabulary import filled, look_up, text_of, word_of

TICKET = "ticket-"  # what our names of tickets begin with: conversations have numbers too
STATES = {"open": "open", "snoozed": "pending", "closed": "closed"}
TICKET_STATES = {"submitted": "open", "in_progress": "open", "waiting_on_customer": "pending", "resolved": "closed"}
MEDIA = {
    "conversation": "chat", "push": "chat", "email": "email", "phone_call": "phone", "phone_switch": "phone",
    "sms": "social", "facebook": "social", "instagram": "social", "twitter": "social", "whatsapp": "social",
}  # fmt: skip
AUTHORS = {
    "user": "customer", "lead": "customer", "contact": "customer", "visitor": "customer", "admin": "agent",
    "team": "agent", "bot": "bot", "operator": "bot",
}  # fmt: skip
NOTES = frozenset({"note", "note_and_reopen"})
WITHDRAWN = "finalmarket_withdrawn"
# What agents see of orders, and what we told of consent: the name of each attribute of contacts, its type there, its
# words. Only an unsubscription that the last one owns to do we ever undo.
FIGURES = {
    "finalmarket_orders": ("integer", "Orders"), "finalmarket_spent": ("float", "Spent"),
    "finalmarket_currency": ("string", "Currency of what was spent"),
    "finalmarket_last_order": ("date", "Time of the last order"), "finalmarket_segments": ("string", "Segments"),
    WITHDRAWN: ("boolean", "Withdrew their consent to e-mail in the shop"),
}  # fmt: skip
# The attributes of tickets: no contact sees them.
KEY, CONTEXT, PRIORITY, TAGS = "Final Market key", "Order context", "Order priority", "Order tags"
CONVERSATION_TOPICS = (
    "conversation.user.created", "conversation.user.replied", "conversation.admin.single.created",
    "conversation.admin.replied", "conversation.admin.noted", "conversation.admin.opened",
    "conversation.admin.closed", "conversation.admin.snoozed", "conversation.admin.unsnoozed",
    "conversation.operator.replied", "conversation.rating.added", "conversation.deleted",
)  # fmt: skip
TICKET_TOPICS = (
    "ticket.created", "ticket.state.updated", "ticket.note.created", "ticket.attribute.updated",
    "ticket.admin.replied", "ticket.contact.replied", "ticket.closed",
)  # fmt: skip
CONTACT_TOPICS = (
    "contact.user.created", "contact.lead.created", "contact.user.updated", "contact.lead.updated",
    "contact.lead.signed_up", "contact.email.updated", "contact.merged", "contact.archived", "contact.deleted",
)  # fmt: skip
KINDS = {
    **dict.fromkeys((*CONVERSATION_TOPICS, *TICKET_TOPICS), "conversations"),
    **dict.fromkeys(CONTACT_TOPICS, "customers"),
}  # fmt: skip
_BREAK = re.compile(r"<(?:br|/p|/div|/li|/h\d)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def plain(text: Any) -> str:
    """The words of a message, which comes as HTML; "" for none."""
    if not text:
        return ""
    lines = html.unescape(_TAG.sub("", _BREAK.sub("\n", word_of(text)))).splitlines()
    return "\n".join(line.strip() for line in lines).strip()


def marked_up(text: str) -> str:
    """A text of ours as HTML."""
    return "<p>" + html.escape(text, quote=False).replace("\n", "<br>") + "</p>"


def customer_record(raw: Raw) -> CustomerRecord:
    """A user or lead. `merged_from` stands in webhooks only."""
    merged = raw.get("merged_from") or {}
    return CustomerRecord(
        external_id=word_of(raw["id"]), version=_version(raw), name=text_of(raw.get("name")),
        email=text_of(raw.get("email")), phone=text_of(raw.get("phone")),
        language=text_of(raw.get("language_override")),
        accepts_email=False if raw.get("unsubscribed_from_emails") is True else None,
        merged_ids=(word_of(merged["id"]),) if merged else (), raw=raw,
    )  # fmt: skip


def contact_values(content: CustomerContent, figures: Collection[str]) -> dict[str, Any]:
    """What a contact is told to be, with the figures for which there are attributes; what we do not know stays. A
    consent subscribes nobody: they may have unsubscribed at Intercom since."""
    values: dict[str, Any] = filled({"name": content.name, "email": content.email, "phone": content.phone})
    last = content.last_order_at
    known: dict[str, Any] = {
        "finalmarket_orders": content.order_count, "finalmarket_spent": content.spent,
        "finalmarket_currency": content.currency, "finalmarket_segments": ", ".join(content.segments),
        "finalmarket_last_order": int(last.timestamp()) if last else None,
    }  # fmt: skip
    if content.accepts_email is False:
        values["unsubscribed_from_emails"] = known[WITHDRAWN] = True
    return {**values, "custom_attributes": {name: value for name, value in known.items() if name in figures}}


def was_withdrawn(contact: Raw) -> bool:
    """Whether the last that we told of somebody's consent to e-mail was that they withdrew it."""
    attributes = contact.get("custom_attributes")
    return isinstance(attributes, dict) and attributes.get(WITHDRAWN) is True


def subscribed_again(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values for somebody who withdrew their consent to us and has agreed again."""
    attributes = {**values["custom_attributes"], WITHDRAWN: False}
    return {**values, "unsubscribed_from_emails": False, "custom_attributes": attributes}


def conversation_record(raw: Raw, person: Raw, order_attribute: str) -> ConversationRecord:
    """A conversation with all its parts, of a contact."""
    unknown: list[str] = []
    source = raw["source"]
    first = _message({**source, "id": f"source-{source['id']}", "created_at": raw["created_at"]}, unknown)
    parts = [_message(part, unknown) for part in raw["conversation_parts"]["conversation_parts"] if part.get("body")]
    state = look_up(STATES, raw["state"], unknown)
    closed = (raw.get("statistics") or {}).get("last_close_at") if state == "closed" else None
    rating = (raw.get("conversation_rating") or {}).get("rating")
    return ConversationRecord(
        external_id=word_of(raw["id"]), version=_version(raw), opened_at=from_seconds(raw["created_at"]), state=state,
        medium=look_up(MEDIA, source["type"], unknown), subject=plain(raw.get("title") or source.get("subject")),
        messages=tuple(one for one in (first, *parts) if one.text), updated_at=from_seconds(raw["updated_at"]),
        order_number=str((raw.get("custom_attributes") or {}).get(order_attribute) or ""),
        closed_at=from_seconds(closed) if closed else None, rating=str(rating) if rating else "",
        unknown=tuple(unknown), raw=raw, **_person(person),
    )  # fmt: skip


def ticket_record(raw: Raw, person: Raw, order_attribute: str) -> ConversationRecord:
    """A ticket with all its parts, of a contact."""
    unknown: list[str] = []
    told = raw["ticket_attributes"]
    first = ConversationMessage(
        external_id=f"description-{word_of(raw['id'])}", at=from_seconds(raw["created_at"]), author="customer",
        text=plain(told.get("_default_description_")),
    )  # fmt: skip
    parts = [_message(part, unknown) for part in raw["ticket_parts"]["ticket_parts"] if part.get("body")]
    return ConversationRecord(
        external_id=TICKET + word_of(raw["id"]), version=_version(raw), opened_at=from_seconds(raw["created_at"]),
        state=look_up(TICKET_STATES, raw["ticket_state"]["category"], unknown),
        subject=plain(told.get("_default_title_")), messages=tuple(one for one in (first, *parts) if one.text),
        updated_at=from_seconds(raw["updated_at"]), order_number=str(told.get(order_attribute) or ""),
        key=str(told.get(KEY) or ""), is_ticket=True, unknown=tuple(unknown), raw=raw, **_person(person),
    )  # fmt: skip


def _person(raw: Raw) -> dict[str, Any]:
    told = {"customer_id": raw.get("id"), **{name: raw.get(name) for name in ("name", "email", "phone")}}
    return {name: text_of(value) for name, value in told.items()}


def _message(raw: Raw, unknown: list[str]) -> ConversationMessage:
    author = raw["author"]
    kind = author["type"]
    if raw.get("part_type") in NOTES:
        who = "note"
    elif author.get("from_ai_agent"):
        who = "bot"
    else:
        who = look_up(AUTHORS, kind, unknown, "agent")
    return ConversationMessage(
        external_id=word_of(raw["id"]), at=from_seconds(raw["created_at"]), author=who, text=plain(raw.get("body"))
    )


def ticket_values(content: TicketContent, order_attribute: str) -> dict[str, str]:
    """The attributes of a ticket that is to be opened."""
    return filled({
        "_default_title_": content.subject, "_default_description_": content.text, KEY: content.key,
        order_attribute: content.order_number, CONTEXT: content.context, PRIORITY: content.priority,
        TAGS: ", ".join(content.tags),
    })  # fmt: skip


def event_of(told: Raw) -> Event:
    """What a webhook says. A merge brings the contact along, with whom it took in; all else is a hint
    (https://developers.intercom.com/docs/references/webhooks/webhook-models)."""
    topic, item = word_of(told["topic"]), (told.get("data") or {}).get("item") or {}
    at = told.get("created_at")
    name = str(item.get("id") or "")
    return Event(
        event_id=str(told.get("id") or f"{topic}-{name}-{at}"), topic=topic, kind=KINDS.get(topic, "unknown"),
        external_id=TICKET + name if topic in TICKET_TOPICS and name else name,
        occurred_at=from_seconds(at) if at else None,
        record=customer_record(item) if topic == "contact.merged" and item.get("merged_from") else None,
    )  # fmt: skip


def _version(raw: Raw) -> str:
    return f"{int(from_seconds(raw['updated_at']).timestamp()):012d}"
