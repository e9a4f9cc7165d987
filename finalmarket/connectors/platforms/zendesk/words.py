"""From Zendesk's words to ours, and back."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC
from typing import Any

from finalmarket.connectors.moments import zoned
from finalmarket.connectors.records import CustomerContent, CustomerRecord, Event, Raw
from finalmarket.connectors.talk import ConversationMessage, ConversationRecord, TicketContent
from finalmarket.connectors.vocabulary import filled, look_up, text_of, word_of

OURS = "finalmarket:"  # what our external ids begin with
OPENING = "finalmarket_opening"  # the tag of a ticket whose note is still to come
ORDER_LINE = re.compile(r"^Order (\S+)\s*$", re.MULTILINE)
STATES = {
    "new": "open", "open": "open", "pending": "pending", "hold": "pending", "solved": "closed", "closed": "closed",
    "deleted": "closed",
}  # fmt: skip
MEDIA = {
    **dict.fromkeys(("chat", "native_messaging", "messaging", "web_messaging", "mobile_sdk"), "chat"),
    **dict.fromkeys(("email", "mail"), "email"),
    **dict.fromkeys(("voice", "voicemail", "phone", "phone_call_inbound", "phone_call_outbound"), "phone"),
    **dict.fromkeys(
        ("twitter", "twitter_dm", "facebook", "facebook_post", "facebook_message", "messenger", "instagram_dm",
         "whatsapp", "line", "wechat", "telegram", "viber", "sms", "any_channel"), "social",
    ),
    **dict.fromkeys(
        ("web", "web_form", "web_widget", "web_service", "api", "mobile", "help_center", "rule", "system", "topic",
         "closed_ticket", "sample_ticket", "sample_interactive_ticket", "side_conversation"), "web",
    ),
}  # fmt: skip
RATINGS = ("good", "bad")
SYSTEM = -1  # who automations and bots write as
# What the people of an account see of orders: the key of each field, its type there, its title.
FIELDS = {
    "finalmarket_orders": ("integer", "Orders"), "finalmarket_spent": ("decimal", "Spent"),
    "finalmarket_currency": ("text", "Currency of what was spent"), "finalmarket_last_order": ("date", "Last order"),
    "finalmarket_segments": ("text", "Segments"),
}  # fmt: skip
CONVERSATION_TOPICS = tuple(
    f"zen:event-type:ticket.{word}"
    for word in ("created", "comment_added", "status_changed", "subject_changed", "requester_changed", "merged",
                 "soft_deleted", "undeleted")
)  # fmt: skip
CUSTOMER_TOPICS = tuple(
    f"zen:event-type:user.{word}"
    for word in ("created", "name_changed", "identity_created", "identity_changed", "active_changed", "merged",
                 "deleted")
)  # fmt: skip
KINDS = {**dict.fromkeys(CONVERSATION_TOPICS, "conversations"), **dict.fromkeys(CUSTOMER_TOPICS, "customers")}


def customer_record(raw: Raw) -> CustomerRecord:
    """An end user. Who was merged into somebody else is no longer active; into whom, Zendesk does not say here."""
    return CustomerRecord(
        external_id=_id(raw["id"]), version=zoned(raw["updated_at"]).isoformat(), name=text_of(raw.get("name")),
        email=text_of(raw.get("email")), phone=text_of(raw.get("phone")), language=text_of(raw.get("locale")),
        is_deleted=raw.get("active") is False, raw=raw,
    )  # fmt: skip


def is_customer(raw: Raw) -> bool:
    """Whether a user is no agent; one that says nothing that can be read is looked at."""
    return not isinstance(raw.get("role"), str) or raw["role"] == "end-user"


def user_values(content: CustomerContent, fields: Collection[str]) -> dict[str, Any]:
    """What a user is told to be, with the figures for which there are fields; what we do not know is left as it is."""
    told = {"name": content.name, "email": content.email, "phone": content.phone}
    last = content.last_order_at
    figures = {
        "finalmarket_orders": content.order_count, "finalmarket_spent": f"{content.spent:f}",
        "finalmarket_currency": content.currency, "finalmarket_segments": ", ".join(content.segments),
        "finalmarket_last_order": last.astimezone(UTC).date().isoformat() if last else None,
    }  # fmt: skip
    there = {key: value for key, value in figures.items() if key in fields}
    return {**filled(told), "user_fields": there}


def conversation_record(
    raw: Raw, comments: Sequence[Raw], people: Mapping[int, Raw], order_field: str
) -> ConversationRecord:
    """A ticket with what was said in it."""
    unknown: list[str] = []
    requester = people.get(raw["requester_id"], {})
    messages = tuple(_message(comment, raw, people) for comment in comments)
    medium = look_up(MEDIA, raw["via"]["channel"], unknown) if raw.get("via") else ""
    score = (raw.get("satisfaction_rating") or {}).get("score")
    return ConversationRecord(
        external_id=_id(raw["id"]), version=_version(raw), opened_at=zoned(raw["created_at"]),
        state=look_up(STATES, raw["status"], unknown), medium=medium,
        subject=text_of(raw.get("subject")), customer_id=_id(raw["requester_id"]), name=text_of(requester.get("name")),
        email=text_of(requester.get("email")), phone=text_of(requester.get("phone")),
        order_number=_order_number(raw, comments, order_field), key=_key(raw), is_ticket=medium != "chat",
        messages=messages, updated_at=zoned(raw["updated_at"]), rating=score if score in RATINGS else "",
        unknown=tuple(unknown), raw=raw,
    )  # fmt: skip


def _version(raw: Raw) -> str:
    """Unix seconds of the last change: of any change at all, where Zendesk tells that too."""
    at = raw.get("generated_timestamp") or zoned(raw["updated_at"]).timestamp()
    return f"{int(at):012d}"


def _message(raw: Raw, ticket: Raw, people: Mapping[int, Raw]) -> ConversationMessage:
    author: Any = raw.get("author_id")
    if raw.get("public") is False:
        who = "note"
    elif author == SYSTEM:
        who = "bot"
    elif author == ticket["requester_id"] or people.get(author, {}).get("role") == "end-user":
        who = "customer"
    else:
        who = "agent"
    text = text_of(raw.get("plain_body") or raw.get("body"))
    return ConversationMessage(external_id=_id(raw["id"]), at=zoned(raw["created_at"]), author=who, text=text)


def _order_number(raw: Raw, comments: Sequence[Raw], order_field: str) -> str:
    """What the field of order numbers says, else a note that only agents, and we, can write."""
    for field in raw.get("custom_fields") or ():
        if order_field and str(field["id"]) == order_field and field.get("value"):
            return str(field["value"])
    for comment in comments:
        found = ORDER_LINE.search(text_of(comment.get("body"))) if comment.get("public") is False else None
        if found:
            return found[1]
    return ""


def _key(raw: Raw) -> str:
    named = text_of(raw.get("external_id"))
    return named.removeprefix(OURS) if named.startswith(OURS) else ""


def ticket_values(content: TicketContent, requester: int | None, order_field: str) -> dict[str, Any]:
    """A ticket that is to be opened, in the words of who it is from."""
    tags = ["_".join(tag.lower().split()) for tag in content.tags]
    told: dict[str, Any] = {
        "subject": content.subject, "external_id": OURS + content.key, "priority": content.priority,
        "comment": {"body": content.text, "public": True}, "tags": [*tags, *([OPENING] if note_of(content) else [])],
    }  # fmt: skip
    if requester is not None:
        told |= {"requester_id": requester, "submitter_id": requester}
    if order_field and content.order_number:
        told["custom_fields"] = [{"id": int(order_field), "value": content.order_number}]
    return told


def note_of(content: TicketContent) -> str:
    """What agents are told beside the ticket; "" for nothing."""
    order = f"Order {content.order_number}" if content.order_number else ""
    caller = "" if content.customer_id or content.email else ", ".join(filter(None, [content.name, content.phone]))
    return "\n\n".join(filter(None, [order, f"From {caller}" if caller else "", content.context]))


def event_of(told: Raw) -> Event:
    """What a webhook says: the record itself is asked for
    (https://developer.zendesk.com/api-reference/webhooks/event-types/webhook-event-types/)."""
    topic, detail = word_of(told["type"]), told.get("detail") or {}
    return Event(
        event_id=word_of(told["id"]), topic=topic, kind=KINDS.get(topic, "unknown"),
        external_id=str(detail.get("id") or ""), occurred_at=zoned(told["time"]) if told.get("time") else None,
    )  # fmt: skip


def _id(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{type(value).__name__} instead of a number")
    return str(value)
