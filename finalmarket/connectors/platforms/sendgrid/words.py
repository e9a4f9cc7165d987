"""Between our words and SendGrid's: contacts, messages, and what it calls an interaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.moments import to_second
from finalmarket.connectors.own_keys import digest_of
from finalmarket.connectors.people import address_fields, said_of, split_name
from finalmarket.connectors.records import CustomerContent
from finalmarket.connectors.talk import MessageContent
from finalmarket.connectors.vocabulary import cut, filled

KEY = "finalmarket_key"  # the custom argument that carries our key through to the events
WITHDRAWN = "finalmarket_withdrawn"
FIELDS: Mapping[str, str] = {
    "finalmarket_language": "Text", "finalmarket_phone": "Text", "finalmarket_consents": "Text",
    "finalmarket_orders": "Number", "finalmarket_spent": "Number", "finalmarket_currency": "Text",
    "finalmarket_last_order": "Date", WITHDRAWN: "Text",
}  # fmt: skip
"""The custom fields that we keep on a contact, and their types. The last one says that we took the address off all
mail, since its owner told us so: only what we did do we ever undo."""
ADDRESS: Mapping[str, str] = {
    "street": "address_line_1", "street2": "address_line_2", "postcode": "postal_code", "city": "city",
    "region": "state_province_region", "country": "country",
}  # fmt: skip
# How long the parts of a contact may be.
LENGTHS = {
    "address_line_1": 100, "address_line_2": 100, "city": 60, "state_province_region": 50, "country": 50,
    "first_name": 50, "last_name": 50,
}  # fmt: skip
MOST_ADDRESS_LETTERS = 100  # of an e-mail address that is asked for
MOST_LETTERS = 1_000


def address_of(text: str) -> str:
    """An e-mail address as SendGrid keeps it: in small letters."""
    return text.strip().lower()


def interaction_id(kind: str, email: str, seconds: int) -> str:
    """What is known of an address since a moment, whether a webhook or a list tells it: named alike, without it."""
    return f"{kind}-{seconds}-{digest_of(address_of(email), 16)}"


def contact_fields(content: CustomerContent, email: str) -> dict[str, str]:
    """The fields that every contact has; those that we do not know are left as they are there."""
    first, last = split_name(content.name)
    known = filled({"first_name": first, "last_name": last, **address_fields(content.address, ADDRESS)})
    return {"email": email, **{name: text[: LENGTHS.get(name)] for name, text in known.items()}}


def custom_values(content: CustomerContent) -> dict[str, str]:
    """The values of our own fields, by their names; numbers and days are written as text, exact."""
    said = sorted(said_of(content).items())
    values = {
        "finalmarket_language": content.language, "finalmarket_phone": content.phone,
        "finalmarket_consents": " ".join(f"{name}={'yes' if yes else 'no'}" for name, yes in said),
        "finalmarket_currency": content.currency,
    }  # fmt: skip
    if content.currency or content.order_count:
        values |= {"finalmarket_orders": str(content.order_count), "finalmarket_spent": format(content.spent, "f")}
    if content.last_order_at:
        values["finalmarket_last_order"] = to_second(content.last_order_at)
    return cut(values, MOST_LETTERS)


def message_body(content: MessageContent, *, from_email: str, from_name: str, reply_to: str) -> dict[str, Any]:
    """A mail to one person. It is about their own order or wish, and so goes out whatever they said of newsletters: who
    bounced or complained does not get it all the same. Raises Rejected for one without any words."""
    receiver = {"email": content.to_email, **({"name": content.to_name} if content.to_name else {})}
    envelope: dict[str, Any] = {"to": [receiver], "custom_args": {KEY: content.key}}
    body: dict[str, Any] = {
        "personalizations": [envelope], "from": {"email": from_email, **({"name": from_name} if from_name else {})},
        "mail_settings": {"bypass_unsubscribe_management": {"enable": True}},
    }  # fmt: skip
    if content.purpose:
        body["categories"] = [content.purpose[:255]]
    if reply_to:
        body["reply_to"] = {"email": reply_to}
    if content.template:
        words = {"subject": content.subject, "text": content.text}
        envelope["dynamic_template_data"] = {**words, **content.values}
        return {**body, "template_id": content.template}
    parts = [("text/plain", content.text), ("text/html", content.html)]
    written = [{"type": kind, "value": text} for kind, text in parts if text]
    if not written or not content.subject:
        raise Rejected("a mail needs a subject and words, or a template", key=content.key)
    return {**body, "subject": content.subject, "content": written}
