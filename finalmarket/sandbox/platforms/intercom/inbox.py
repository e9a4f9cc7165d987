"""The inbox of the stand-in: conversations, tickets and their types, contacts and their attributes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from finalmarket.sandbox.abilities import Person, TicketThere
from finalmarket.sandbox.platforms.intercom.gate import Fields, Gate, refusal
from finalmarket.sandbox.stand_in import Reply, Request, route

ADMIN: Fields = {"type": "admin", "id": "7", "name": "Agent", "email": "agent@example.com"}
TYPE = "1295"
CONTACT_FIELDS = ("role", "external_id", "email", "phone", "name", "unsubscribed_from_emails")


class Intercom(Gate):
    """One workspace."""

    def fresh_state(self) -> Fields:
        return {
            "count": 100, "conversations": {}, "tickets": {}, "contacts": {}, "attributes": {}, "ticket_attributes": {},
            "hooks": [], "codes": [], "tokens": [],
        }  # fmt: skip

    # Conversations.

    @route("POST", "/conversations/search", is_write=False)
    def search_conversations(self, request: Request) -> Reply:
        listed = [
            {name: one[name] for name in one if name != "conversation_parts"} for one in self._all("conversations")
        ]
        return self._search(request, "conversations", "conversation.list", listed)

    @route("GET", "/conversations/{number}")
    def show_conversation(self, request: Request, number: str) -> Reply:
        return Reply(200, self._one("conversations", number))

    @route("POST", "/conversations/{number}/reply")
    def reply_to_conversation(self, request: Request, number: str) -> Reply:
        talk = self._one("conversations", number)
        self._take_reply(talk, talk["conversation_parts"], "conversation", request.json())
        return Reply(200, talk)

    def _take_reply(self, talk: Fields, parts: Fields, what: str, told: Fields) -> Fields:
        if told.get("type") != "admin" or told.get("admin_id") != ADMIN["id"] or not told.get("body"):
            raise refusal(400, "parameter_invalid", "admin_id or body is not valid")
        part = self._add_part(talk, parts, what, told["message_type"], told["body"], ADMIN)
        self.effect("note" if told["message_type"] == "note" else "reply", to=talk["id"])
        return part

    def _add_part(self, talk: Fields, parts: Fields, what: str, kind: str, body: str, author: Fields) -> Fields:
        now = self._seconds()
        part = {
            "type": f"{what}_part", "id": str(self._next()), "part_type": kind, "body": body, "created_at": now,
            "updated_at": now, "author": author, "attachments": [], "redacted": False,
        }  # fmt: skip
        parts[f"{what}_parts"].append(part)
        parts["total_count"] += 1
        talk["updated_at"] = now
        return part

    # Tickets.

    @route("POST", "/tickets/search", is_write=False)
    def search_tickets(self, request: Request) -> Reply:
        ids = {name: one["id"] for name, one in self.state["ticket_attributes"].items()}
        listed = [
            {**one, "_by_id": {ids.get(name): value for name, value in one["ticket_attributes"].items()}}
            for one in self._all("tickets")
        ]
        reply = self._search(request, "tickets", "ticket.list", listed)
        for one in reply.body.get("tickets", ()):
            one.pop("_by_id", None)
        return reply

    @route("GET", "/tickets/{number}")
    def show_ticket(self, request: Request, number: str) -> Reply:
        return Reply(200, self._one("tickets", number))

    @route("POST", "/tickets")
    def make_ticket(self, request: Request) -> Reply:
        told = request.json()
        if told["ticket_type_id"] != TYPE:
            raise refusal(404, "ticket_type_not_found", "Ticket type not found")
        if any(one.get("id") not in self.state["contacts"] for one in told["contacts"]):
            raise refusal(400, "parameter_invalid", "a contact was not found")
        known = {"_default_title_", "_default_description_", *self.state["ticket_attributes"]}
        unknown = set(told.get("ticket_attributes") or {}) - known
        if unknown:
            raise refusal(400, "parameter_invalid", f"{', '.join(sorted(unknown))} is no attribute of the type")
        ticket = self._new_ticket(told["contacts"][0]["id"], told.get("ticket_attributes") or {})
        self.effect("ticket", id=ticket["id"])
        return Reply(200, ticket)

    @route("POST", "/tickets/{number}/reply")
    def reply_to_ticket(self, request: Request, number: str) -> Reply:
        ticket = self._one("tickets", number)
        return Reply(200, self._take_reply(ticket, ticket["ticket_parts"], "ticket", request.json()))

    @route("GET", "/ticket_types")
    def list_types(self, request: Request) -> Reply:
        attributes = {
            "type": "list", "ticket_type_attributes": list(self.state["ticket_attributes"].values()),
        }  # fmt: skip
        kind = {
            "type": "ticket_type", "id": TYPE, "category": "Customer", "name": "Request", "archived": False,
            "ticket_type_attributes": attributes, "created_at": 1577836800, "updated_at": 1577836800,
        }  # fmt: skip
        return Reply(200, {"type": "list", "data": [kind]})

    @route("POST", "/ticket_types/{number}/attributes")
    def make_ticket_attribute(self, request: Request, number: str) -> Reply:
        told = request.json()
        if number != TYPE or told["name"] in self.state["ticket_attributes"]:
            raise refusal(400, "parameter_invalid", "the name is taken, or there is no such type")
        made = {"type": "ticket_type_attribute", "id": str(self._next()), "archived": False, **told}
        made.pop("multiline", None)
        self.state["ticket_attributes"][told["name"]] = made
        self.effect("ticket attribute", attribute=told["name"])
        return Reply(200, made)

    def _new_ticket(self, contact: str, attributes: Fields) -> Fields:
        number, now = str(self._next()), self._seconds()
        state = {"type": "ticket_state", "id": "1", "category": "submitted", "internal_label": "Submitted"}
        self.state["tickets"][number] = ticket = {
            "type": "ticket", "id": number, "ticket_id": number, "category": "Customer", "ticket_state": state,
            "ticket_attributes": attributes, "contacts": _contacts(contact), "created_at": now, "updated_at": now,
            "open": True, "is_shared": True,
            "ticket_parts": {"type": "ticket_part.list", "ticket_parts": [], "total_count": 0},
        }  # fmt: skip
        self._tell("ticket.created", ticket)
        return ticket

    # Contacts.

    @route("POST", "/contacts/search", is_write=False)
    def search_contacts(self, request: Request) -> Reply:
        return self._search(request, "data", "list", self._all("contacts"))

    @route("GET", "/contacts/{name}")
    def show_contact(self, request: Request, name: str) -> Reply:
        return Reply(200, self._one("contacts", name))

    @route("POST", "/contacts")
    def make_contact(self, request: Request) -> Reply:
        told = request.json()
        self._refuse_taken(told, None)
        contact = self._new_contact()
        self._set_contact(contact, told)
        self.effect("contact", id=contact["id"])
        self._tell("contact.user.created", contact)
        return Reply(200, contact)

    @route("PUT", "/contacts/{name}")
    def change_contact(self, request: Request, name: str) -> Reply:
        contact, told = self._one("contacts", name), request.json()
        self._refuse_taken(told, contact)
        before = {**contact, "custom_attributes": dict(contact["custom_attributes"])}
        self._set_contact(contact, told)
        if contact != before:
            contact["updated_at"] = self._seconds()
            self.effect("contact change", id=name)
            self._tell("contact.user.updated", contact)
        return Reply(200, contact)

    @route("DELETE", "/contacts/{name}")
    def remove_contact(self, request: Request, name: str) -> Reply:
        gone = self._one("contacts", name)
        del self.state["contacts"][name]
        self.effect("contact deleted", id=name)
        self._tell("contact.deleted", {"type": "contact", "id": name, "deleted": True})
        return Reply(
            200, {"type": "contact", "id": name, "external_id": gone.get("external_id") or "", "deleted": True}
        )

    def _refuse_taken(self, told: Fields, mine: Fields | None) -> None:
        for one in self.state["contacts"].values():
            for name in ("email", "external_id"):
                if one is not mine and told.get(name) and one.get(name) == told[name]:
                    words = f"A contact matching those details already exists with id={one['id']}"
                    raise refusal(409, "conflict", words)

    def _new_contact(self, at: datetime | None = None) -> Fields:
        now = int((at or self.now()).timestamp())
        name = f"65a0{self._next():020x}"
        self.state["contacts"][name] = contact = {
            "type": "contact", "id": name, "role": "user", "created_at": now, "updated_at": now,
            "workspace_id": "sandbox1", "unsubscribed_from_emails": False, "custom_attributes": {},
        }  # fmt: skip
        return contact

    def _set_contact(self, contact: Fields, told: Fields) -> None:
        unknown = set(told.get("custom_attributes") or {}) - set(self.state["attributes"])
        if unknown:
            raise refusal(400, "parameter_invalid", f"Custom attribute '{min(unknown)}' does not exist")
        contact |= {name: told[name] for name in CONTACT_FIELDS if name in told}
        contact["custom_attributes"] |= told.get("custom_attributes") or {}

    @route("GET", "/data_attributes")
    def list_attributes(self, request: Request) -> Reply:
        return Reply(200, {"type": "list", "data": list(self.state["attributes"].values())})

    @route("POST", "/data_attributes")
    def make_attribute(self, request: Request) -> Reply:
        told = request.json()
        if told["name"] in self.state["attributes"]:
            raise refusal(400, "parameter_invalid", f"You already have '{told['name']}' in your contact data.")
        made = {"type": "data_attribute", "id": self._next(), "custom": True, "archived": False, **told}
        self.state["attributes"][told["name"]] = made
        self.effect("attribute", attribute=told["name"])
        return Reply(200, made)

    # The house.

    def _all(self, stream: str) -> list[Fields]:
        return list(self.state[stream].values())

    def _one(self, stream: str, name: str) -> Fields:
        found = self.state[stream].get(name)
        if found is None:
            raise refusal(404, "not_found", "Resource Not Found")
        return cast(Fields, found)

    # Visitors, and what a test arranges. The caller holds the lock where others may call meanwhile.

    def write_in(self, email: str, text: str, *, channel: str = "conversation", at: datetime | None = None) -> str:
        """Somebody asks something; the conversation's id."""
        person = next((one for one in self._all("contacts") if one.get("email") == email), None)
        if person is None:
            person = self._new_contact(at)
            person |= {"email": email, "name": email.partition("@")[0].title()}
        number, now = str(self._next()), int((at or self.now()).timestamp())
        author = {"type": "user", "id": person["id"], "name": person["name"], "email": email}
        source = {
            "type": channel, "id": str(self._next()), "delivered_as": "customer_initiated", "subject": "",
            "body": f"<p>{text}</p>", "author": author, "attachments": [], "redacted": False,
        }  # fmt: skip
        self.state["conversations"][number] = talk = {
            "type": "conversation", "id": number, "title": None, "created_at": now, "updated_at": now, "open": True,
            "state": "open", "read": False, "source": source, "contacts": _contacts(person["id"]),
            "custom_attributes": {},
            "conversation_parts": {"type": "conversation_part.list", "conversation_parts": [], "total_count": 0},
        }  # fmt: skip
        self._tell("conversation.user.created", talk)
        return number

    def reply(self, number: str, body: str, *, author: Fields | None = None, kind: str = "comment") -> None:
        """Somebody says something in a conversation; an agent where nobody is named."""
        talk = self.state["conversations"][number]
        self._add_part(talk, talk["conversation_parts"], "conversation", kind, body, author or ADMIN)
        self._tell("conversation.admin.replied", talk)

    def set_state(self, number: str, state: str) -> None:
        """An agent puts a conversation into another state."""
        talk = self.state["conversations"][number]
        talk |= {"state": state, "open": state == "open", "updated_at": self._seconds()}
        if state == "closed":
            talk["statistics"] = {"type": "conversation_statistics", "last_close_at": self._seconds()}
        self._tell("conversation.admin.closed" if state == "closed" else "conversation.admin.opened", talk)

    def merge(self, lead: str, user: str) -> None:
        """A lead is merged into a user, and is gone."""
        gone, kept = self.state["contacts"].pop(lead), self.state["contacts"][user]
        kept["updated_at"] = self._seconds()
        self._tell("contact.merged", {**kept, "merged_from": {"type": "contact", "id": gone["id"]}})

    def meet(self, name: str, email: str) -> str:
        """Somebody becomes a contact."""
        contact = self._new_contact()
        contact |= {"name": name, "email": email}
        self._tell("contact.user.created", contact)
        return str(contact["id"])

    def rename(self, customer: str, name: str) -> None:
        """A contact is called otherwise now."""
        contact = self.state["contacts"][customer]
        contact |= {"name": name, "updated_at": self._seconds()}
        self._tell("contact.user.updated", contact)

    def people(self) -> dict[str, Person]:
        """All contacts, by id."""
        found: dict[str, Any] = self.state["contacts"]
        return {name: Person(one.get("name", ""), one.get("email", "")) for name, one in found.items()}

    def begin_talk(self, text: str, email: str) -> str:
        """See Talks."""
        return self.write_in(email, text)

    def go_on(self, talk: str, text: str) -> None:
        """See Talks."""
        said = self.state["conversations"][talk]
        said |= {"state": "open", "open": True}
        self.reply(talk, text, author=said["source"]["author"])

    def answer_back(self, talk: str, text: str) -> None:
        """See Talks."""
        self.reply(talk, text)

    def close_talk(self, talk: str) -> None:
        """See ClosesTalks."""
        self.set_state(talk, "closed")

    def tickets_there(self) -> list[TicketThere]:
        """See TakesTickets."""
        return [
            TicketThere(
                str(one["ticket_attributes"].get("_default_title_", "")),
                (*(str(value) for value in one["ticket_attributes"].values()),
                 *(part["body"] for part in one["ticket_parts"]["ticket_parts"] if part["part_type"] == "note")),
            )
            for one in self._all("tickets")
        ]  # fmt: skip


def _contacts(name: str) -> Fields:
    return {"type": "contact.list", "contacts": [{"type": "contact", "id": name}]}
