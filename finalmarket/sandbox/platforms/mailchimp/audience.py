"""The audience: members, their statuses, merge fields and tags; and what they do with mails.

A member's `last_changed` moves with what is told of it, not with what it opens. Only a member that the API unsubscribed
may be subscribed by it again; one that left by itself has to come back by itself.
"""

from __future__ import annotations

import copy
import hashlib
import random
import re
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from finalmarket.sandbox.abilities import Deed, Person
from finalmarket.sandbox.platforms.mailchimp.hooks import Hooks
from finalmarket.sandbox.platforms.mailchimp.office import LIST, Object, invalid, missing, outside, problem
from finalmarket.sandbox.stand_in import Reply, Request, route

ROOT = f"/3.0/lists/{LIST}"
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
MOST_FIELDS, MOST_TAGS_SHOWN = 30, 50
BY_THEMSELVES = "by themselves"


def member_id(email: str) -> str:
    """What a member is called."""
    return hashlib.md5(email.lower().encode(), usedforsecurity=False).hexdigest()


class Audience(Hooks):
    """Members."""

    @route("GET", ROOT)
    def read_list(self, request: Request) -> Reply:
        return Reply(200, {"id": LIST, "name": "Readers", "double_optin": self.state["double_optin"]})

    # Merge fields.

    @route("GET", f"{ROOT}/merge-fields")
    def list_fields(self, request: Request) -> Reply:
        return self.part(request, "merge_fields", list(self.state["fields"].values()))

    @route("POST", f"{ROOT}/merge-fields")
    def add_field(self, request: Request) -> Reply:
        told = self.body_of(request)
        tag = str(told.get("tag") or "").upper()
        if not 1 <= len(tag) <= 10 or tag in self.state["fields"]:
            raise invalid(("tag", "A Merge Field with the tag already exists for this list, or it is too long."))
        if len(self.state["fields"]) >= MOST_FIELDS:
            raise invalid(("", f"An audience has {MOST_FIELDS} merge fields at most."))
        self.state["fields"][tag] = {"tag": tag, "name": told.get("name"), "type": told.get("type")}
        self.effect("merge field", tag=tag)
        return Reply(200, self.state["fields"][tag])

    # Members.

    @route("GET", f"{ROOT}/members")
    def list_members(self, request: Request) -> Reply:
        query = request.query
        rows = [self._shown(member) for member in self.state["members"].values()]
        since = query.get("since_last_changed")
        if since:
            rows = [row for row in rows if datetime.fromisoformat(row["last_changed"]) > datetime.fromisoformat(since)]
        field = query.get("sort_field", "timestamp_signup")
        rows.sort(key=lambda row: (row[field], row["id"][::-1]), reverse=query.get("sort_dir") == "DESC")
        return self.part(request, "members", rows)

    @route("GET", f"{ROOT}/members/{{name}}")
    def read_member(self, request: Request, name: str) -> Reply:
        return Reply(200, self._shown(self._member(name)))

    @route("PUT", f"{ROOT}/members/{{name}}")
    def put_member(self, request: Request, name: str) -> Reply:
        told = self.body_of(request)
        email, known = str(told.get("email_address") or ""), self.state["members"].get(name)
        if known is None:
            if not ADDRESS.fullmatch(email) or member_id(email) != name:
                raise invalid(("email_address", "This value should be a valid email address."))
            if name in self.state.get("forgotten", ()):
                words = f"{email} was permanently deleted and cannot be re-imported."
                raise problem(400, "Forgotten Email Not Subscribed", words)
            known = self._new_member(email, str(told.get("status") or told.get("status_if_new")))
            self.effect("member", id=name, status=known["status"])
            self._tell_of(known, "", "api")
        before = copy.deepcopy(known)
        self._set_status(known, told.get("status"))
        fields = self.state["fields"]
        known["merge_fields"] |= {tag: value for tag, value in told.get("merge_fields", {}).items() if tag in fields}
        known["language"] = told.get("language", known["language"])
        self._touch(known, before, "api")
        return Reply(200, self._shown(known))

    @route("PATCH", f"{ROOT}/members/{{name}}")
    def patch_member(self, request: Request, name: str) -> Reply:
        known, told = self._member(name), self.body_of(request)
        email, before = str(told.get("email_address") or known["email_address"]), copy.deepcopy(known)
        if not ADDRESS.fullmatch(email):
            raise invalid(("email_address", "This value should be a valid email address."))
        new_name = member_id(email)
        if new_name != name and new_name in self.state["members"]:
            raise problem(400, "Member Exists", f"{email} is already a list member.")
        self._set_status(known, told.get("status"))
        known |= {"email_address": email, "id": new_name}
        del self.state["members"][name]
        self.state["members"][new_name] = known
        self._touch(known, before, "api")
        return Reply(200, self._shown(known))

    @route("DELETE", f"{ROOT}/members/{{name}}")
    def archive_member(self, request: Request, name: str) -> Reply:
        """All of it stays known, its tags too, and it is not written to."""
        known = self._member(name)
        before = copy.deepcopy(known)
        known["status"] = "archived"
        self._touch(known, before, "api")
        return Reply(204)

    @route("POST", f"{ROOT}/members/{{name}}/actions/delete-permanent")
    def forget_member(self, request: Request, name: str) -> Reply:
        """Nothing is kept but that this address is never taken in again."""
        member = self._member(name)
        del self.state["members"][member["id"]]
        self.state["activity"].pop(member["id"], None)
        self.state.setdefault("forgotten", []).append(member["id"])
        self.effect("member forgotten", id=member["id"])
        return Reply(204)

    def _member(self, name: str) -> Object:
        found: Object | None = self.state["members"].get(unquote(name))
        if found is None:
            raise missing()
        return found

    def _new_member(self, email: str, status: str, at: datetime | None = None) -> Object:
        if status not in STATUSES:
            raise invalid(("status", f"Value must be one of: {', '.join(STATUSES)}."))
        moment = (at or self.now()).replace(microsecond=0).isoformat()
        member = {
            "id": member_id(email), "email_address": email, "status": status, "merge_fields": {}, "language": "",
            "tags": [], "stats": {"avg_open_rate": 0, "avg_click_rate": 0}, "last_changed": moment,
            "timestamp_signup": moment, "list_id": LIST, "left": "",
        }  # fmt: skip
        self.state["members"][member["id"]] = member
        return member

    def _set_status(self, member: Object, status: str | None) -> None:
        """Give a member a status that the API may give it."""
        if status is None or status == member["status"]:
            return
        if status not in STATUSES:
            raise invalid(("status", f"Value must be one of: {', '.join(STATUSES)}."))
        is_out = member["status"] == "cleaned" or member["left"] == BY_THEMSELVES
        if status == "subscribed" and is_out:
            words = f"{member['email_address']} is in a compliance state and has to subscribe again."
            raise problem(400, "Member In Compliance State", words)
        member["status"] = status
        member["left"] = "by the API" if status == "unsubscribed" else ""

    def _touch(self, member: Object, before: Object, source: str) -> None:
        """Note a change, if there is one, and tell of it."""
        if member == before:
            return
        member["last_changed"] = self.now().replace(microsecond=0).isoformat()
        self.effect("member changed", id=member["id"], status=member["status"])
        if member["email_address"] != before["email_address"]:
            self.tell("upemail", source, new_email=member["email_address"], old_email=before["email_address"])
        elif member["status"] != before["status"]:
            self._tell_of(member, before["status"], source)
        else:
            self.tell("profile", source, email=member["email_address"], id=member["id"][:10])

    def _tell_of(self, member: Object, before: str, source: str) -> None:
        status, known = member["status"], {"email": member["email_address"], "id": member["id"][:10]}
        if status == "subscribed":
            self.tell("subscribe", source, **known)
        elif status == "unsubscribed" and before:
            self.tell("unsubscribe", source, **known, action="unsub", reason="manual")

    def _shown(self, member: Object) -> Object:
        shown = {name: value for name, value in member.items() if name != "left"}
        tags = [{"id": len(name), "name": name} for name in member["tags"]]
        return {**shown, "tags": tags[:MOST_TAGS_SHOWN], "tags_count": len(tags)}

    # Tags.

    @route("GET", f"{ROOT}/members/{{name}}/tags")
    def list_tags(self, request: Request, name: str) -> Reply:
        rows = [{"id": len(tag), "name": tag} for tag in self._member(name)["tags"]]
        return self.part(request, "tags", rows)

    @route("POST", f"{ROOT}/members/{{name}}/tags")
    def set_tags(self, request: Request, name: str) -> Reply:
        member = self._member(name)
        for told in self.body_of(request).get("tags") or []:
            is_there = told["name"] in member["tags"]
            if is_there == (told["status"] == "active"):
                continue
            member["tags"].remove(told["name"]) if is_there else member["tags"].append(told["name"])
            self.effect("tag", member=name, tag=told["name"], status=told["status"])
        return Reply(204)

    # What they do.

    @route("GET", f"{ROOT}/members/{{name}}/activity-feed", bucket="activity")
    def read_activity(self, request: Request, name: str) -> Reply:
        self._member(name)
        wanted = [one for one in request.query.get("activity_filters", "").split(",") if one]
        rows = [one for one in self.state["activity"].get(name, []) if not wanted or one["activity_type"] in wanted]
        rows.sort(key=lambda one: str(one["created_at_timestamp"]), reverse=True)
        reply = self.part(request, "activity", rows)
        reply.body |= {"email_id": name, "list_id": LIST}
        return reply

    # The outside world.

    @outside
    def sign_up(self, email: str, *, status: str = "subscribed", at: datetime | None = None, **fields: Any) -> str:
        """Somebody signs up on a form of Mailchimp's; returns what they are called. `fields` are merge fields."""
        known = self.state["members"].get(member_id(email)) or self._new_member(email, status, at)
        before = copy.deepcopy({**known, "status": ""})
        known |= {"status": status, "left": "", "merge_fields": {**known["merge_fields"], **fields}}
        if at is None:
            self._touch(known, before, "user")
        return str(known["id"])

    @outside
    def leave(self, email: str, *, reason: str = "manual") -> None:
        """Somebody wants no more newsletters, or calls them spam (`abuse`)."""
        member = self._member(member_id(email))
        member |= {"status": "unsubscribed", "left": BY_THEMSELVES, "last_changed": self._second()}
        self._did(member, "unsub", is_admin_unsubscribed=False, unsubscribe_reason=reason)
        self.tell("unsubscribe", "user", email=email, id=member["id"][:10], action="unsub", reason=reason)

    @outside
    def clean(self, email: str, *, reason: str = "hard") -> None:
        """An address is no good any more."""
        member = self._member(member_id(email))
        member |= {"status": "cleaned", "last_changed": self._second()}
        self._did(member, "bounce", bounce_type="hard", bounce_has_open_activity=False)
        self.tell("cleaned", "admin", email=email, campaign_id="c1", reason=reason)

    @outside
    def act(self, email: str, kind: str, *, at: datetime | None = None, **more: Any) -> Object:
        """Somebody does something with a mail (`kind` in Mailchimp's words)."""
        member = self._member(member_id(email))
        rate = {"open": "avg_open_rate", "click": "avg_click_rate"}.get(kind)
        if rate:
            member["stats"][rate] = 0.5
        return self._did(member, kind, at=at, **more)

    @outside
    def change_by_hand(self, email: str, **changes: Any) -> None:
        """The merchant changes a member in Mailchimp's own pages."""
        member = self._member(member_id(email))
        before = copy.deepcopy(member)
        member |= changes
        self._touch(member, before, "admin")

    def _second(self) -> str:
        return self.now().replace(microsecond=0).isoformat()

    def _did(self, member: Object, kind: str, *, at: datetime | None = None, **more: Any) -> Object:
        moment = (at or self.now()).replace(microsecond=0).isoformat()
        made = {
            "activity_type": kind, "created_at_timestamp": moment, "campaign_id": "c1",
            "campaign_title": "The news of June", **more,
        }  # fmt: skip
        self.state["activity"].setdefault(member["id"], []).append(made)
        return made

    def meet(self, name: str, email: str) -> str:
        """See KnowsPeople."""
        first, _, last = name.rpartition(" ")
        return str(self.sign_up(email, FNAME=first, LNAME=last))

    def rename(self, customer: str, name: str) -> None:
        """See KnowsPeople."""
        member, (first, _, last) = self._member(customer), name.rpartition(" ")
        self.change_by_hand(
            member["email_address"], merge_fields={**member["merge_fields"], "FNAME": first, "LNAME": last}
        )

    def people(self) -> dict[str, Person]:
        """See KnowsPeople."""
        wants = {"subscribed": True, "unsubscribed": False, "cleaned": False}
        return {
            name: Person(
                f"{one['merge_fields'].get('FNAME', '')} {one['merge_fields'].get('LNAME', '')}".strip(),
                one["email_address"], wants.get(one["status"]),
            )
            for name, one in self.state["members"].items()
        }  # fmt: skip

    def told_by_letter(self) -> frozenset[str]:
        """See SeesDeeds: what members did can be asked for."""
        return frozenset()

    def do_something(self, chance: random.Random) -> Deed | None:
        """See SeesDeeds. Of what one member did within a second, Mailchimp tells nobody what came first."""
        readers = [
            one["email_address"] for one in self.state["members"].values()
            if one["status"] == "subscribed" and one["email_address"].startswith("reader-")
        ]  # fmt: skip
        if not readers or chance.random() < 0.3:
            self.meet("Some Reader", f"reader-{chance.randint(1, 999_999)}@example.com")
            return None
        email, kind = chance.choice(readers), chance.choice(("open", "open", "click", "click", "leave", "clean"))
        if kind == "leave":
            self.leave(email)
            return Deed("unsubscribe", email)
        if kind == "clean":
            self.clean(email)
            return Deed("email_bounce", email)
        more: Object = {"link_clicked": "https://shop.example/tea"} if kind == "click" else {}
        self.act(email, kind, **more)
        return Deed(f"email_{kind}", email)
