"""The desk of the stand-in: tickets with their comments, users and their fields, incremental exports.

Exports go by the second of the last change and hold back the most recent minute. A key of idempotency is kept for two
hours, and refused with another body.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from finalmarket.sandbox.abilities import Person, TicketThere
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.zendesk.gate import ADMIN, EMAIL, Fields, Gate, missing, refusal, written
from finalmarket.sandbox.stand_in import Reply, Request, part_of, route

PAGE = 100
MOST_EXPORTED = 1000
HELD_BACK = timedelta(minutes=1)
KEY_LIFE = timedelta(hours=2)
PRIORITIES = ("low", "normal", "high", "urgent")


class Zendesk(Gate):
    """One account."""

    def fresh_state(self) -> Fields:
        admin = {"id": ADMIN, "name": "Admin", "email": EMAIL, "role": "admin", "active": True, "changed": 0,
                 "created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"}  # fmt: skip
        return {
            "count": 100, "tickets": {}, "comments": {}, "users": {ADMIN: admin}, "fields": {}, "keys": {},
            "webhooks": {}, "codes": {}, "tokens": {}, "refresh": "",
        }  # fmt: skip

    # Exports.

    @route("GET", "/api/v2/incremental/tickets/cursor", bucket="export")
    def export_tickets(self, request: Request) -> Reply:
        return self._export(request, "tickets", {number: _stamp(one) for number, one in self.state["tickets"].items()})

    @route("GET", "/api/v2/incremental/users/cursor", bucket="export")
    def export_users(self, request: Request) -> Reply:
        return self._export(request, "users", {number: _stamp(one) for number, one in self.state["users"].items()})

    def _export(self, request: Request, stream: str, stamps: Mapping[int, int]) -> Reply:
        if request.fault is Fault.CURSOR_EXPIRED and request.query.get("cursor"):
            return self.cursor_expired()
        latest = int((self.now() - HELD_BACK).timestamp())
        if request.query.get("cursor"):
            after = tuple(json.loads(b64decode(request.query["cursor"])))
        else:
            start = int(request.query["start_time"])
            if start > latest:
                raise refusal(
                    422, "StartTimeTooRecent", "Too recent start_time. Use a start_time older than 60 seconds"
                )
            after = (start, -1)
        told = sorted((stamp, number) for number, stamp in stamps.items() if stamp <= latest)
        begun = [place for place in told if place > after]
        page = begun[: min(MOST_EXPORTED, int(request.query.get("per_page") or MOST_EXPORTED))]
        page = page[:-1] if request.fault is Fault.MISSING_PAGE else page
        last = page[-1] if page else after if request.query.get("cursor") else None
        is_last = len(page) == len(begun) or not page
        if request.fault is Fault.DUPLICATE_PAGE:
            page = [*[place for place in told if place <= after][-1:], *page]
        cursor = b64encode(json.dumps(last).encode()).decode() if last else None
        rows = [_shown(self.state[stream][number]) for _, number in page]
        return Reply(200, {stream: rows, "after_cursor": cursor, "after_url": None, "end_of_stream": is_last})

    # Tickets.

    @route("GET", "/api/v2/tickets")
    def list_tickets(self, request: Request) -> Reply:
        named = request.query.get("external_id")
        found = [one for one in self.state["tickets"].values() if named in (None, one.get("external_id"))]
        return Reply(200, {"tickets": [_shown(one) for one in found if one["status"] != "deleted"][:PAGE]})

    @route("GET", "/api/v2/tickets/{number}")
    def show_ticket(self, request: Request, number: str) -> Reply:
        return Reply(200, {"ticket": _shown(self._ticket(number))})

    @route("GET", "/api/v2/tickets/{number}/comments")
    def list_comments(self, request: Request, number: str) -> Reply:
        said = self.state["comments"][self._ticket(number)["id"]]
        start = int(request.query.get("page[after]") or 0)
        page, following = part_of(said, start, min(PAGE, int(request.query.get("page[size]") or PAGE)), request.fault)
        meta = {"has_more": following is not None, "after_cursor": str(following or "")}
        return Reply(200, {"comments": page, "meta": meta})

    @route("POST", "/api/v2/tickets")
    def make_ticket(self, request: Request) -> Reply:
        key = request.headers.get("idempotency-key", "")
        known = self.state["keys"].get(key)
        if known is not None and self.now() < known["ends_at"]:
            if known["body"] != request.body:
                raise refusal(400, "IdempotentRequestError", "the key was used with other parameters")
            return Reply(201, json.loads(known["reply"]), {"x-idempotency-lookup": "hit"})
        told = request.json()["ticket"]
        requester = told.get("requester_id", ADMIN)
        comment = told.get("comment") or {}
        if not comment.get("body") or told.get("priority", "normal") not in PRIORITIES:
            raise refusal(422, "RecordInvalid", "Record validation errors", details={"comment": [{"error": "Blank"}]})
        if requester not in self.state["users"] or told.get("submitter_id", requester) not in self.state["users"]:
            raise refusal(422, "RecordInvalid", "Record validation errors", details={"requester": ["is not there"]})
        ticket = self._new_ticket(requester, "api", **{name: told[name] for name in TAKEN if name in told})
        self._say(ticket, told.get("submitter_id", ADMIN), str(comment["body"]), public=comment.get("public", True))
        self.effect("ticket", id=ticket["id"], key=told.get("external_id", ""))
        body = {"ticket": _shown(ticket)}
        if key:
            self.state["keys"][key] = {
                "body": request.body, "reply": json.dumps(body), "ends_at": self.now() + KEY_LIFE,
            }  # fmt: skip
        return Reply(201, body, {"x-idempotency-lookup": "miss"} if key else {})

    @route("PUT", "/api/v2/tickets/{number}")
    def change_ticket(self, request: Request, number: str) -> Reply:
        ticket, told = self._ticket(number), request.json()["ticket"]
        if ticket["status"] == "closed":
            raise refusal(422, "RecordInvalid", "Record validation errors", details={"status": ["closed for good"]})
        if told.get("safe_update") and told.get("updated_stamp") != ticket["updated_at"]:
            raise refusal(409, "UpdateConflict", "Safe Update prevented the update due to outdated ticket data")
        ticket |= {name: told[name] for name in TAKEN if name in told}
        self._changed(ticket)
        comment = told.get("comment")
        if comment:
            self._say(ticket, ADMIN, comment["body"], public=comment.get("public", True))
            self.effect("comment" if comment.get("public", True) else "note", ticket=ticket["id"])
        return Reply(200, {"ticket": _shown(ticket), "audit": {"ticket_id": ticket["id"]}})

    def _ticket(self, number: str) -> Fields:
        found = self.state["tickets"].get(int(number)) if number.isdigit() else None
        if found is None or found["status"] == "deleted":
            raise missing()
        return cast(Fields, found)

    def _new_ticket(self, requester: int, channel: str, **more: Any) -> Fields:
        number = self._next()
        ticket = {
            "id": number, "requester_id": requester, "submitter_id": requester, "status": "open", "priority": "normal",
            "subject": "", "tags": [], "custom_fields": [], "via": {"channel": channel, "source": {}},
            "created_at": written(self.now()), "from_messaging_channel": channel == "native_messaging", **more,
        }  # fmt: skip
        self.state["tickets"][number], self.state["comments"][number] = ticket, []
        self._changed(ticket)
        self._tell("ticket.created", number)
        return ticket

    def _say(self, ticket: Fields, author: int, text: str, *, public: bool = True) -> None:
        told = {
            "id": self._next(), "author_id": author, "body": text, "plain_body": text, "public": public,
            "type": "Comment", "created_at": written(self.now()),
        }  # fmt: skip
        self.state["comments"][ticket["id"]].append(told)
        self._changed(ticket)
        self._tell("ticket.comment_added", ticket["id"], comment={"id": str(told["id"]), "is_public": public})

    def _changed(self, record: Fields, at: datetime | None = None) -> None:
        moment = at or self.now()
        record["updated_at"] = written(moment)
        if "requester_id" in record:
            record["generated_timestamp"] = int(moment.timestamp())

    # Users.

    @route("GET", "/api/v2/users/me")
    def show_me(self, request: Request) -> Reply:
        return Reply(200, {"user": _shown(self.state["users"][ADMIN])})

    @route("GET", "/api/v2/users/show_many")
    def show_many(self, request: Request) -> Reply:
        asked = [int(part) for part in request.query.get("ids", "").split(",") if part]
        if len(asked) > PAGE:
            raise refusal(400, "TooManyIds", f"at most {PAGE} ids")
        return Reply(200, {"users": [_shown(one) for one in map(self.state["users"].get, asked) if one]})

    @route("GET", "/api/v2/users/{number}")
    def show_user(self, request: Request, number: str) -> Reply:
        return Reply(200, {"user": _shown(self._user(number))})

    @route("PUT", "/api/v2/users/{number}")
    def change_user(self, request: Request, number: str) -> Reply:
        user = self._user(number)
        self._set_user(user, request.json()["user"])
        return Reply(200, {"user": _shown(user)})

    @route("POST", "/api/v2/users/create_or_update")
    def make_user(self, request: Request) -> Reply:
        told = request.json()["user"]
        email, named = str(told.get("email") or "").lower(), str(told.get("external_id") or "").lower()
        known = next((one for one in self.state["users"].values() if _is_named(one, email, named)), None)
        if known is not None:
            self._set_user(known, told)
            return Reply(200, {"user": _shown(known)})
        if not told.get("name"):
            wrong = {"name": [{"description": "Name: is too short (minimum is 1 characters)"}]}
            raise refusal(422, "RecordInvalid", "Record validation errors", details=wrong)
        made = self._new_user(told["name"], email)
        self._set_user(made, told)
        return Reply(201, {"user": _shown(made)})

    @route("DELETE", "/api/v2/users/{number}")
    def remove_user(self, request: Request, number: str) -> Reply:
        """Deleted, but not for good. Whoever has a ticket that is not closed is kept."""
        user = self._user(number)
        if any(
            one["requester_id"] == user["id"] and one["status"] not in ("closed", "deleted")
            for one in self.state["tickets"].values()
        ):
            words = {"base": [{"description": "the user is the requester of tickets that are not closed"}]}
            raise refusal(422, "RecordInvalid", "Record validation errors", details=words)
        if user["active"]:
            user["active"] = False
            self._changed(user)
            self.effect("user deleted", id=user["id"])
            self._tell("user.deleted", user["id"])
        return Reply(200, {"user": _shown(user)})

    @route("DELETE", "/api/v2/deleted_users/{number}")
    def forget_user(self, request: Request, number: str) -> Reply:
        """For good: nothing is kept of whoever was deleted before."""
        user = self._user(number)
        if user["active"]:
            raise missing()
        del self.state["users"][user["id"]]
        self.effect("user forgotten", id=user["id"])
        gone = {
            "id": user["id"], "url": f"{request.path}.json", "name": "Permanently Deleted User", "email": "",
            "created_at": user["created_at"], "updated_at": written(self.now()), "time_zone": "UTC", "phone": None,
            "shared_phone_number": None, "photo": None, "locale_id": 1, "locale": "en-US", "organization_id": 0,
            "role": "end-user", "active": False,
        }  # fmt: skip
        return Reply(200, {"deleted_user": gone})

    def _user(self, number: str) -> Fields:
        found = self.state["users"].get(int(number)) if number.isdigit() else None
        if found is None:
            raise missing()
        return cast(Fields, found)

    def _new_user(self, name: str, email: str, at: datetime | None = None) -> Fields:
        number, now = self._next(), written(at or self.now())
        user: Fields = {
            "id": number, "name": name, "role": "end-user", "active": True, "created_at": now, "updated_at": now,
            "locale": "en-US", "user_fields": {}, **({"email": email.lower()} if email else {}),
        }  # fmt: skip
        self.state["users"][number] = user
        self.effect("user", id=number)
        self._tell("user.created", number)
        return user

    def _set_user(self, user: Fields, told: Fields) -> None:
        """Take over what is told; a field that nobody made is passed over, as Zendesk does."""
        email = str(told.get("email") or "").lower()
        taken = [one for one in self.state["users"].values() if email and one.get("email") == email and one is not user]
        if taken:
            raise refusal(
                422, "RecordInvalid", "Record validation errors", details={"email": ["is already being used"]}
            )
        fields = {key: value for key, value in (told.get("user_fields") or {}).items() if key in self.state["fields"]}
        new = {name: told[name] for name in ("name", "phone", "external_id") if told.get(name)}
        new |= {"user_fields": {**user.get("user_fields", {}), **fields}}
        new |= {"email": email} if email and not user.get("email") else {}  # a further address is no primary one
        if any(user.get(name) != value for name, value in new.items()):
            is_renamed = new.get("name", user["name"]) != user["name"]
            user |= new
            self._changed(user)
            self.effect("user change", id=user["id"])
            if is_renamed:
                self._tell("user.name_changed", user["id"])

    @route("GET", "/api/v2/user_fields")
    def list_fields(self, request: Request) -> Reply:
        fields = list(self.state["fields"].values())
        return Reply(200, {"user_fields": fields, "count": len(fields), "next_page": None, "previous_page": None})

    @route("POST", "/api/v2/user_fields")
    def make_field(self, request: Request) -> Reply:
        told = request.json()["user_field"]
        if told["key"] in self.state["fields"]:
            raise refusal(422, "RecordInvalid", "Record validation errors", details={"key": ["has already been taken"]})
        made = {"id": self._next(), "active": True, **told}
        self.state["fields"][told["key"]] = made
        self.effect("user field", key=told["key"])
        return Reply(201, {"user_field": made})

    # Visitors, and what a test arranges. The caller holds the lock where others may call meanwhile.

    def write_in(
        self, email: str, text: str, *, channel: str = "email", at: datetime | None = None, **more: Any
    ) -> int:
        """Somebody asks something; the ticket's id. `more` are fields of the ticket, such as its custom ones."""
        known = next((one for one in self.state["users"].values() if one.get("email") == email), None)
        person = known or self._new_user(email.partition("@")[0].title(), email, at)
        ticket = self._new_ticket(person["id"], channel, subject=text[:40], **more)
        self._say(ticket, person["id"], text)
        self._changed(ticket, at)
        return int(ticket["id"])

    def reply(self, number: int, text: str, *, author: int = ADMIN, public: bool = True) -> None:
        """Somebody answers."""
        self._say(self.state["tickets"][number], author, text, public=public)

    def set_status(self, number: int, status: str) -> None:
        """An agent puts a ticket into another state."""
        self.state["tickets"][number]["status"] = status
        self._changed(self.state["tickets"][number])
        self._tell("ticket.status_changed", number, current=status)

    def merge(self, loser: int, winner: int) -> None:
        """One user is merged into another."""
        gone, kept = self.state["users"][loser], self.state["users"][winner]
        gone |= {"active": False, "email": ""}
        for ticket in self.state["tickets"].values():
            if ticket["requester_id"] == loser:
                ticket["requester_id"] = winner
                self._changed(ticket)
        self._changed(gone)
        self._changed(kept)
        self._tell("user.active_changed", loser, current=False, previous=True)
        self._tell("user.merged", winner)

    def meet(self, name: str, email: str) -> str:
        """Somebody becomes a user."""
        return str(self._new_user(name, email)["id"])

    def rename(self, customer: str, name: str) -> None:
        """A user is called otherwise now."""
        user = self.state["users"][int(customer)]
        user["name"] = name
        self._changed(user)
        self._tell("user.name_changed", user["id"])

    def people(self) -> dict[str, Person]:
        """All end users, by id."""
        users = [one for one in self.state["users"].values() if one["role"] == "end-user" and one["active"]]
        return {str(one["id"]): Person(one["name"], one.get("email", "")) for one in users}

    def begin_talk(self, text: str, email: str) -> str:
        """See Talks."""
        return str(self.write_in(email, text))

    def go_on(self, talk: str, text: str) -> None:
        """See Talks. What was solved is open again."""
        ticket = self.state["tickets"][int(talk)]
        ticket["status"] = "open"
        self.reply(ticket["id"], text, author=ticket["requester_id"])

    def answer_back(self, talk: str, text: str) -> None:
        """See Talks."""
        self.reply(int(talk), text)

    def close_talk(self, talk: str) -> None:
        """See ClosesTalks."""
        self.set_status(int(talk), "solved")

    def tickets_there(self) -> list[TicketThere]:
        """See TakesTickets."""
        return [
            TicketThere(
                one["subject"], tuple(said["body"] for said in self.state["comments"][number] if not said["public"])
            )
            for number, one in self.state["tickets"].items()
            if one.get("external_id")
        ]


TAKEN = ("subject", "external_id", "priority", "tags", "status", "custom_fields", "requester_id", "submitter_id")


def _is_named(user: Fields, email: str, external_id: str) -> bool:
    """Whether a user that was not deleted bears that address or that name, whatever its case."""
    bears = (email and user.get("email") == email, external_id and user.get("external_id", "").lower() == external_id)
    return bool(user["active"] and any(bears))


def _stamp(record: Fields) -> int:
    return int(datetime.fromisoformat(record["updated_at"]).timestamp())


def _shown(record: Fields) -> Fields:
    """A record as it is shown."""
    return {name: value for name, value in record.items() if name != "changed"}
