"""Contacts, the lists they are on and the fields they have. What is told of a contact shows a few seconds later."""

from __future__ import annotations

import copy
import re
import uuid
from datetime import timedelta
from typing import Any

from finalmarket.sandbox.abilities import Person
from finalmarket.sandbox.platforms.sendgrid.office import Object, Office, refusal
from finalmarket.sandbox.stand_in import Reply, Request, part_of, route

DELAY = timedelta(seconds=10)
MOST_CONTACTS, MOST_FIELDS, MOST_SEARCHED = 30_000, 500, 100
MOST_BYTES = 6 * 1024 * 1024
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}")
LONGEST_LOCAL_PART = 64  # found out only when a contact is taken in
RESERVED = frozenset(
    {
        "first_name", "last_name", "email", "alternate_emails", "address_line_1", "address_line_2", "city",
        "state_province_region", "postal_code", "country", "phone_number", "whatsapp", "line", "facebook",
        "unique_name", "email_domains", "last_clicked", "last_opened", "last_emailed", "created_at", "updated_at",
        "contact_id",
    }
)  # fmt: skip
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


class Contacts(Office):
    """The marketing side."""

    @route("PUT", "/v3/marketing/contacts", bucket="contacts")
    def put_contacts(self, request: Request) -> Reply:
        if len(request.body) > MOST_BYTES:
            raise refusal(413, "the body is larger than 6 MB")
        told = self.body_of(request)
        contacts, list_ids = told.get("contacts"), told.get("list_ids") or []
        if not isinstance(contacts, list) or not 1 <= len(contacts) <= MOST_CONTACTS:
            raise refusal(400, f"contacts holds 1 to {MOST_CONTACTS} contacts", "contacts")
        if any(name not in self.state["lists"] for name in list_ids):
            raise refusal(400, "a list does not exist", "list_ids")
        for contact in contacts:
            self._look_at(contact)
        taken = [self._take(contact, list_ids) for contact in contacts]
        job = str(uuid.UUID(int=self.new_number()))
        state = "pending" if all(taken) else "errored" if any(taken) else "failed"
        self.state["jobs"][job] = (state, self.now())
        return Reply(202, {"job_id": job})

    def _look_at(self, contact: Any) -> None:
        """Refuse at once what can be seen at once."""
        email = contact.get("email") if isinstance(contact, dict) else None
        if not isinstance(email, str) or not ADDRESS.fullmatch(email.lower()):
            raise refusal(400, "email is not valid", "contacts[0].email")
        for name in contact.get("custom_fields", {}):
            if name not in self.state["fields"]:
                raise refusal(400, f"the custom field {name} does not exist", "contacts[0].custom_fields")

    def _take(self, told: Object, list_ids: list[str]) -> bool:
        """Take a contact in, by its address; whether it was."""
        email = told["email"].lower()
        if len(email.partition("@")[0]) > LONGEST_LOCAL_PART:
            return False
        before = self._now(email)
        after = copy.deepcopy(before) or {"id": str(uuid.UUID(int=self.new_number())), "list_ids": [], "values": {}}
        after |= {name: value for name, value in told.items() if name != "custom_fields"}
        after["email"] = email
        after["values"] |= told.get("custom_fields", {})
        after["list_ids"] = list(dict.fromkeys([*after["list_ids"], *list_ids]))
        self._keep(email, before, after)
        return True

    def _now(self, email: str) -> Object | None:
        """A contact as it was told last; None where there is none."""
        kept = self.state["contacts"].get(email)
        return kept["now"] if kept else None

    def _keep(self, email: str, before: Object | None, after: Object) -> None:
        """Keep what a contact is now, which shows after a while."""
        if before == after:
            return
        self.state["contacts"][email] = {"now": after, "before": self._seen(email), "from": self.now() + DELAY}
        self.effect("contact", email=email)

    def _seen(self, email: str) -> Object | None:
        """A contact as it shows."""
        kept = self.state["contacts"].get(email)
        if kept is None:
            return None
        seen: Object | None = kept["now"] if self.now() >= kept["from"] else kept["before"]
        return seen

    @route("DELETE", "/v3/marketing/contacts")
    def delete_contacts(self, request: Request) -> Reply:
        wanted = [one for one in request.query.get("ids", "").split(",") if one]
        if not wanted:
            raise refusal(400, "ids or delete_all_contacts is wanted", "ids")
        for email, kept in list(self.state["contacts"].items()):
            if kept["now"]["id"] in wanted:
                del self.state["contacts"][email]
                self.effect("contact deleted", email=email)
        return Reply(202, {"job_id": {}})  # described as an object, without a word of what is in it

    @route("GET", "/v3/marketing/contacts/imports/{job}")
    def read_job(self, request: Request, job: str) -> Reply:
        if job not in self.state["jobs"]:
            raise refusal(404, "job not found")
        state, at = self.state["jobs"][job]
        done = "completed" if state == "pending" and self.now() >= at + DELAY else state
        return Reply(200, {"id": job, "job_type": "upsert", "status": done, "started_at": at.isoformat()})

    @route("POST", "/v3/marketing/contacts/search/emails", is_write=False)
    def search(self, request: Request) -> Reply:
        emails = self.body_of(request).get("emails")
        if not isinstance(emails, list) or not 1 <= len(emails) <= MOST_SEARCHED:
            raise refusal(400, f"1 to {MOST_SEARCHED} addresses are searched for", "emails")
        found = {str(email).lower(): self._seen(str(email).lower()) for email in emails}
        if not any(found.values()):
            raise refusal(404, "contacts not found")
        shown: Object = {
            email: {"contact": self._shown(one)} if one else {"error": "contact not found"}
            for email, one in found.items()
        }
        return Reply(200, {"result": shown})

    def _shown(self, contact: Object) -> Object:
        """A contact as SendGrid shows it: its own fields by their names."""
        names = {number: one["name"] for number, one in self.state["fields"].items()}
        at = self.now().isoformat()
        return {
            **{name: value for name, value in contact.items() if name != "values"}, "segment_ids": [],
            "custom_fields": {names[number]: value for number, value in contact["values"].items()},
            "created_at": at, "updated_at": at,
        }  # fmt: skip

    # Fields.

    @route("GET", "/v3/marketing/field_definitions")
    def list_fields(self, request: Request) -> Reply:
        reserved = {"name": "first_name", "field_type": "Text"}
        return Reply(200, {"custom_fields": list(self.state["fields"].values()), "reserved_fields": [reserved]})

    @route("POST", "/v3/marketing/field_definitions")
    def add_field(self, request: Request) -> Reply:
        told = self.body_of(request)
        name, kind = str(told.get("name") or ""), told.get("field_type")
        if not NAME.fullmatch(name) or name in RESERVED or kind not in ("Text", "Number", "Date"):
            raise refusal(400, "invalid field definition", "name")
        known = {field["name"].lower() for field in self.state["fields"].values()}
        if name.lower() in known or len(known) >= MOST_FIELDS:
            raise refusal(400, "field name already exists", "name")
        number = f"e{self.new_number()}_{kind[0]}"
        self.state["fields"][number] = {"id": number, "name": name, "field_type": kind}
        self.effect("field", field=name)
        return Reply(200, self.state["fields"][number])

    # Lists.

    @route("GET", "/v3/marketing/lists")
    def list_lists(self, request: Request) -> Reply:
        size, start = int(request.query.get("page_size") or 100), int(request.query.get("page_token") or 0)
        rows = [
            {"id": number, "name": name, "contact_count": len(self.members(number))}
            for number, name in self.state["lists"].items()
        ]
        page, following = part_of(rows, start, size, request.fault)
        told: Object = {"self": "https://api.sendgrid.com/v3/marketing/lists", "count": len(rows)}
        if following is not None:
            told["next"] = f"{told['self']}?page_size={size}&page_token={following}"
        return Reply(200, {"result": page, "_metadata": told})

    @route("POST", "/v3/marketing/lists")
    def add_list(self, request: Request) -> Reply:
        name = str(self.body_of(request).get("name") or "")
        if not 1 <= len(name) <= 100 or name in self.state["lists"].values():
            raise refusal(400, "the name of a list is unique, and has up to 100 letters", "name")
        number = str(uuid.UUID(int=self.new_number()))
        self.state["lists"][number] = name
        self.effect("list", list=name)
        return Reply(201, {"id": number, "name": name, "contact_count": 0})

    @route("DELETE", "/v3/marketing/lists/{number}/contacts")
    def leave_list(self, request: Request, number: str) -> Reply:
        wanted = request.query.get("contact_ids", "").split(",")
        if number not in self.state["lists"]:
            raise refusal(404, "list not found")
        for email, kept in list(self.state["contacts"].items()):
            contact = kept["now"]
            if contact["id"] in wanted and number in contact["list_ids"]:
                rest = [one for one in contact["list_ids"] if one != number]
                self._keep(email, contact, {**contact, "list_ids": rest})
        return Reply(202, {"job_id": str(uuid.UUID(int=self.new_number()))})

    # The truth.

    def members(self, number: str) -> list[str]:
        """The addresses on a list, as it was told last."""
        return [email for email, kept in self.state["contacts"].items() if number in kept["now"]["list_ids"]]

    def audience(self) -> dict[str, list[str]]:
        """The addresses on each list, by its name."""
        return {name: self.members(number) for number, name in self.state["lists"].items()}

    def contact(self, email: str) -> Object | None:
        """A contact as it was told last, its fields by their names."""
        found = self._now(email)
        return None if found is None else self._shown(found)

    def people(self) -> dict[str, Person]:
        """See HoldsPeople: all contacts; who is on a list, and is not kept from newsletters, wants them."""
        return {
            email: Person(
                f"{kept['now'].get('first_name', '')} {kept['now'].get('last_name', '')}".strip(), email,
                bool(kept["now"]["list_ids"]) and not self._is_left_alone(email),
            )
            for email, kept in self.state["contacts"].items()
        }  # fmt: skip

    def _is_left_alone(self, email: str) -> bool:
        lists = (self.state[name] for name in ("unsubscribes", "spam_reports", "bounces"))
        return any(email in one for one in lists) or any(email == left for _, left in self.state["left"])
