"""The customers of the practice office, what is said with them, and what they do where the office sees it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finalmarket.sandbox.platforms.practice_office.desk import Desk, Fields, outside, refusal
from finalmarket.sandbox.stand_in import Reply, Request, route

MOST_EVENTS = 25
MOST_EVENT_AGE = timedelta(days=3)
NOBODY: Fields = {
    "name": "", "email": "", "phone": "", "language": "", "address": {}, "accepts_email": None, "consents": {},
    "segments": [], "orders": 0, "spent": "0", "currency": "", "last_order_at": "", "merged": [], "is_deleted": False,
}  # fmt: skip


class People(Desk):
    """Customers, conversations, events."""

    # Customers.

    @route("GET", "/v1/customers")
    def list_customers(self, request: Request) -> Reply:
        return self._list(request, "customers")

    @route("GET", "/v1/customers/{number}")
    def read_customer(self, request: Request, number: str) -> Reply:
        return Reply(200, self._one("customers", number))

    @route("POST", "/v1/customers")
    def set_customer(self, request: Request) -> Reply:
        return self._once(request, lambda: self._set_customer(request.json()))

    @route("DELETE", "/v1/customers/{number}")
    def remove_customer(self, request: Request, number: str) -> Reply:
        del self.state["customers"][self._one("customers", number)["id"]]
        self.effect("customer erased", id=number)
        return Reply(204)

    def _set_customer(self, told: Fields) -> Reply:
        number = told.pop("id", "")
        if number:
            known = self._one("customers", number)
        elif not told.get("email") and not told.get("name"):
            raise refusal(422, "no_name", "a customer has a name or an address")
        else:
            known = self._new_customer()
        known |= told
        self.effect("customer", id=known["id"], email=known["email"])
        self._changed("customer.changed", known)
        return Reply(200, {"id": known["id"]})

    def _new_customer(self) -> Fields:
        number = f"C{self._next()}"
        made: Fields = {"id": number, **NOBODY, "address": {}, "consents": {}, "segments": [], "merged": []}
        self.state["customers"][number] = made
        return made

    @outside
    def add_customer(self, email: str, **fields: Any) -> str:
        """Somebody writes a customer in; returns the id. `fields` as the office names them: name, phone, consents..."""
        customer = self._new_customer()
        customer |= {"email": email, **fields}
        self._changed("customer.changed", customer)
        return str(customer["id"])

    @outside
    def change_customer(self, number: str, **fields: Any) -> None:
        """Somebody changes a customer there."""
        customer = self._one("customers", number)
        customer |= fields
        self._changed("customer.changed", customer)

    @outside
    def merge_customers(self, kept: str, merged: str) -> None:
        """Two customers turn out to be one: the second goes into the first, and is no more."""
        customer, other = self._one("customers", kept), self._one("customers", merged)
        customer["merged"] = [*customer["merged"], merged, *other["merged"]]
        del self.state["customers"][merged]
        self._changed("customer.changed", customer)

    # Conversations.

    @route("GET", "/v1/conversations")
    def list_conversations(self, request: Request) -> Reply:
        return self._list(request, "conversations")

    @route("GET", "/v1/conversations/{number}")
    def read_conversation(self, request: Request, number: str) -> Reply:
        return Reply(200, self._one("conversations", number))

    @route("GET", "/v1/ticket")
    def find_ticket(self, request: Request) -> Reply:
        found = self._found("conversations", reference=request.query.get("reference"))
        if found is None:
            raise refusal(404, "not_found", "there is no ticket of that reference")
        return Reply(200, found)

    @route("POST", "/v1/tickets")
    def open_ticket(self, request: Request) -> Reply:
        """Open a ticket; a reference that is known names the one that is open already."""
        told = request.json()
        if not told["subject"]:
            raise refusal(422, "no_subject", "a ticket has a subject")
        known = self._found("conversations", reference=told["reference"])
        if known is None:
            names = ("reference", "subject", "name", "email", "phone", "customer", "order", "priority", "tags")
            known = self._new_conversation("form", is_ticket=True, **{name: told[name] for name in names})
            self._add(known, "visitor", told["text"])
            if told["context"]:
                self._add(known, "internal", told["context"])
            self.effect("ticket", id=known["id"], reference=told["reference"])
            self._changed("conversation.changed", known)
        return Reply(200, known)

    @route("POST", "/v1/conversations/{number}/notes")
    def add_note(self, request: Request, number: str) -> Reply:
        return self._once(request, lambda: self._add_note(number, request.json()["text"]))

    def _add_note(self, number: str, text: str) -> Reply:
        conversation = self._one("conversations", number)
        note = self._add(conversation, "internal", text)
        self.effect("note", conversation=number, text=text)
        self._changed("conversation.changed", conversation)
        return Reply(201, note)

    def _new_conversation(self, channel: str, **fields: Any) -> Fields:
        number = f"T{self._next()}"
        made = {
            "id": number, "opened_at": self.now().isoformat(), "status": "open", "channel": channel, "subject": "",
            "customer": "", "name": "", "email": "", "phone": "", "order": "", "reference": "", "is_ticket": False,
            "priority": "normal", "tags": [], "messages": [], "solved_at": "", "rating": "", **fields,
        }  # fmt: skip
        self.state["conversations"][number] = made
        return made

    def _add(self, conversation: Fields, author: str, text: str) -> Fields:
        message = {"id": f"W{self._next()}", "at": self.now().isoformat(), "from": author, "text": text}
        conversation["messages"].append(message)
        return message

    @outside
    def say(
        self, text: str, *, email: str = "", conversation: str = "", author: str = "visitor",
        channel: str = "live_chat", **fields: Any,
    ) -> str:  # fmt: skip
        """A customer writes (or, as `author`, an agent or a robot): in a new conversation, or one that is there, which
        opens again. `fields` as the office names them: name, subject, order (our number). Returns its id."""
        told = {name: value for name, value in {"email": email, **fields}.items() if value}
        found = self._one("conversations", conversation) if conversation else self._new_conversation(channel)
        found |= {**told, "status": "open", "solved_at": ""}
        self._add(found, author, text)
        self._changed("conversation.changed", found)
        return str(found["id"])

    @outside
    def solve(self, conversation: str, *, rating: str = "") -> None:
        """An agent closes a conversation; the customer may say how it was."""
        found = self._one("conversations", conversation)
        found |= {"status": "solved", "solved_at": self.now().isoformat(), "rating": rating}
        self._changed("conversation.changed", found)

    # Events, and what was counted of them.

    @route("POST", "/v1/events", bucket="events")
    def take_events(self, request: Request) -> Reply:
        return self._each(request.json()["events"], MOST_EVENTS, self._take_event)

    def _take_event(self, told: Fields) -> None:
        if not told["name"] or not told["client"]:
            raise refusal(422, "no_name", "an event has a name and a client")
        if datetime.fromisoformat(told["at"]) < self.now() - MOST_EVENT_AGE:
            raise refusal(422, "too_old", f"events are taken for {MOST_EVENT_AGE.days} days")
        if told["key"] not in self.state["events"]:
            self.state["events"][told["key"]] = told
            self.effect("event", key=told["key"], event=told["name"])

    @route("GET", "/v1/figures")
    def read_figures(self, request: Request) -> Reply:
        """What was counted, by day and source (the value `source` of an event, else its channel)."""
        first, last = request.query.get("first", ""), request.query.get("last", "")
        found: dict[tuple[str, str, str], list[Fields]] = {}
        for event in self.state["events"].values():
            day = event["at"][:10]
            if first <= day <= last:
                source = event["values"].get("source") or event["channel"]
                found.setdefault((day, source, event["currency"]), []).append(event)
        return Reply(200, {"figures": [_figures(facts, events) for facts, events in sorted(found.items())]})


def _figures(facts: tuple[str, str, str], events: list[Fields]) -> Fields:
    bought = [event for event in events if event["name"] == "purchase"]
    revenue = sum((Decimal(event["amount"] or "0") for event in bought), Decimal(0))
    return {
        "day": facts[0], "source": facts[1], "currency": facts[2], "revenue": str(revenue),
        "purchases": len(bought), "sessions": len({event["session"] for event in events if event["session"]}),
        "users": len({event["client"] for event in events}),
    }  # fmt: skip
