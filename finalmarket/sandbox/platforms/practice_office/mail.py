"""The mail room of the practice office: messages out, and what people do with them.

It takes a message as often as it is told it: a reference only serves to find one again.
"""

from __future__ import annotations

from typing import Any

from finalmarket.sandbox.platforms.practice_office.desk import Desk, Fields, outside, refusal
from finalmarket.sandbox.stand_in import Reply, Request, route


class Mail(Desk):
    """Messages and interactions."""

    @route("POST", "/v1/messages")
    def send_message(self, request: Request) -> Reply:
        told = request.json()
        if "@" not in told["to"]:
            raise refusal(422, "no_address", f"{told['to']!r} is no address")
        message = {**told, "id": f"M{self._next()}", "sent_at": self.now().isoformat()}
        self.state["messages"][message["id"]] = message
        self.effect("message", id=message["id"], reference=told["reference"], to=told["to"])
        return Reply(202, message)

    @route("GET", "/v1/message")
    def find_message(self, request: Request) -> Reply:
        found = self._found("messages", reference=request.query.get("reference"))
        if found is None:
            raise refusal(404, "not_found", "there is no message of that reference")
        return Reply(200, found)

    @route("GET", "/v1/interactions")
    def list_interactions(self, request: Request) -> Reply:
        return self._list(request, "interactions")

    # The outside world.

    def messages(self, to: str = "") -> list[Fields]:
        """The messages that were sent, in order; those to one address where it is given."""
        return [message for message in self.state["messages"].values() if to in ("", message["to"])]

    @outside
    def interact(self, kind: str, *, email: str = "", **fields: Any) -> str:
        """Somebody does something that the office sees (`kind` in its words); returns the interaction's id."""
        number = f"N{self._next()}"
        seen = {
            "id": number, "kind": kind, "at": self.now().isoformat(), "email": email, "customer": "", "device": "",
            "location": "", "url": "", "sku": "", "reference": "", "subject": "", **fields,
        }  # fmt: skip
        self.state["interactions"][number] = seen
        self._changed("interaction.seen", seen, brings=True)
        return number

    def open_mail(self, message: str, *, device: str = "phone") -> str:
        """Somebody opens a message (by id or reference); returns the interaction's id."""
        return self._about_mail("mail_opened", message, device=device)

    def click_mail(self, message: str, url: str) -> str:
        """Somebody follows a link of a message."""
        return self._about_mail("mail_clicked", message, url=url)

    def bounce_mail(self, message: str) -> str:
        """A message cannot be delivered."""
        return self._about_mail("mail_bounced", message)

    def leave_list(self, email: str) -> str:
        """Somebody wants no more letters."""
        return self.interact("left_list", email=email)

    @outside
    def _about_mail(self, kind: str, message: str, **fields: str) -> str:
        found = self.state["messages"].get(message) or self._found("messages", reference=message)
        if found is None:
            raise KeyError(message)
        about = {"reference": found["reference"], "subject": found["subject"], **fields}
        return self.interact(kind, email=found["to"], **about)
