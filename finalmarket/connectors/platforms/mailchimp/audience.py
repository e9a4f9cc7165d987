"""Members of the audience: what is known of them, their tags, and whether they are written to.

Segments are tags with a name of ours in front. Who withdraws is unsubscribed, and gets a tag that says it was us: only
then does a later consent subscribe them again. What somebody told Mailchimp itself, an older word of ours never
overrules.

An address that its owner gave up is written to no more. Where its member cannot be moved to the new address, it is
archived, with a tag for the same reason: to unsubscribe it would say that its owner wants no mail at all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.errors import Rejected, RetryLater
from finalmarket.connectors.http import Answer
from finalmarket.connectors.platforms.mailchimp.members import member
from finalmarket.connectors.platforms.mailchimp.words import ARCHIVED, member_id, merge_values
from finalmarket.connectors.records import CustomerContent, Raw

MOST_ROWS = 1_000
# Our own merge fields: their tags, names and types.
OURS: Mapping[str, tuple[str, str]] = {
    "FMORDERS": ("Orders", "number"), "FMSPENT": ("Spent", "number"), "FMCURRENCY": ("Currency", "text"),
    "FMLAST": ("Last order", "date"),
}  # fmt: skip
WRITTEN_TO = ("subscribed", "pending")


@dataclass(slots=True)
class Audience:
    """An audience by its path; `tag` is what our tags begin with."""

    call: Callable[..., Answer] = field(repr=False)
    path: str
    tag: str
    _double: bool | None = None  # whether people confirm by mail
    _tags: set[str] | None = None  # of the merge fields that there are

    def tell(self, content: CustomerContent) -> str:
        """Make or change a member; returns what it is called. Raises Rejected for somebody without an address."""
        email = content.email.strip()
        if "@" not in email:
            raise Rejected("Mailchimp knows people by their e-mail address")
        name, former = member_id(email), content.external_id
        has_moved = former not in ("", name)
        if has_moved:
            self._move(former, email)
        if has_moved and content.accepts_email is False:
            self._leave(former)  # that they are not written to does not wait for what is wrong with the new address
        known = member(self.call, self.path, name)
        status = self._status(content, known)
        if status == "unsubscribed":
            self._note(name, self._withdrawn)  # first: nobody could tell afterwards
        body: dict[str, Any] = {
            "email_address": email, "status_if_new": self._first_status(content), "merge_fields": self._values(content),
            **({"status": status} if status else {}), **_language(content),
        }  # fmt: skip
        params = {"skip_merge_validation": "true"}
        answer = self.call("PUT", f"{self.path}/members/{name}", params=params, exact=body, repeatable=True)
        self._tag(name, fields_in(answer, "id", "tags"), content)
        if has_moved:
            self._leave(former)
        return name

    def _move(self, former: str, email: str) -> None:
        """Give a member another address. Where that cannot be (there is none, or one of that address already), the one
        of the new address is told instead."""
        there, params = f"{self.path}/members/{quote(former, safe='')}", {"skip_merge_validation": "true"}
        try:
            self.call("PATCH", there, params=params, json={"email_address": email}, repeatable=True)
        except Rejected as error:
            if error.status not in (400, 404):
                raise

    def _leave(self, former: str) -> None:
        """Archive the member of an address that its owner has given up, if it is there still, and written to."""
        known = member(self.call, self.path, former)
        if known is not None and known.get("status") in WRITTEN_TO:
            self._note(former, self._given_up)  # first: nobody could tell afterwards
            path = f"{self.path}/members/{quote(former, safe='')}"
            if_there(lambda: self.call("DELETE", path, repeatable=True))

    def erase(self, name: str) -> None:
        """Have all that is known of a member deleted, for good."""
        path = f"{self.path}/members/{quote(name, safe='')}/actions/delete-permanent"
        if_there(lambda: self.call("POST", path, repeatable=True))

    # Whether they are written to.

    @property
    def _withdrawn(self) -> str:
        return f"{self.tag}: withdrawn"

    @property
    def _given_up(self) -> str:
        return f"{self.tag}: given up"

    def _first_status(self, content: CustomerContent) -> str:
        """The status of somebody new; who did not agree gets no newsletters, and may agree later."""
        return self._agreed() if content.accepts_email else "transactional"

    def _status(self, content: CustomerContent, known: Raw | None) -> str:
        """The status that somebody known gets; "" leaves it."""
        if known is None or content.accepts_email is None:
            return ""
        now = str(known.get("status"))
        if not content.accepts_email:
            return "unsubscribed" if now in WRITTEN_TO else ""
        by_us = {"unsubscribed": self._withdrawn, ARCHIVED: self._given_up}.get(now)
        is_open = now == "transactional" or by_us in self._present(str(known["id"]), known)
        return self._agreed() if is_open else ""

    def _agreed(self) -> str:
        """The status of somebody who agreed: where the audience wants it, they confirm by mail first."""
        if self._double is None:
            told = fields_in(self.call("GET", self.path, params={"fields": "id,double_optin"}))
            self._double = bool(told.get("double_optin"))
        return "pending" if self._double else "subscribed"

    # What is known of them.

    def _values(self, content: CustomerContent) -> dict[str, Any]:
        """The values of those merge fields that the audience has; ours are made, where there is room for them."""
        values = merge_values(content)
        if self._tags is None:
            rows = rows_in(
                self.call("GET", f"{self.path}/merge-fields", params={"count": str(MOST_ROWS)}), "merge_fields"
            )  # fmt: skip
            self._tags = {str(row.get("tag")) for row in rows}
        for tag in values:
            if tag in OURS and tag not in self._tags and self._make_field(tag):
                self._tags.add(tag)
        return {tag: value for tag, value in values.items() if tag in self._tags}

    def _make_field(self, tag: str) -> bool:
        """Make a merge field of ours; whether there is one now."""
        name, kind = OURS[tag]
        body = {"tag": tag, "name": f"{self.tag}: {name}"[:50], "type": kind, "public": False, "required": False}
        try:
            answer = self.call("POST", f"{self.path}/merge-fields", json=body, repeatable=True)
        except Rejected as error:
            if error.status != 400:
                raise
            return False  # the audience is full
        return bool(fields_in(answer, "tag")["tag"] == tag)

    # Tags.

    def _note(self, name: str, tag: str) -> None:
        """Tag a member as unsubscribed or archived by us. Raises RetryLater where that does not show."""
        self._set_tags(name, {tag: "active"})
        if tag not in self._present(name, member(self.call, self.path, name) or {}):
            raise RetryLater("Mailchimp does not show a tag that it took")

    def _tag(self, name: str, told: Raw, content: CustomerContent) -> None:
        """Give a member the tags of its segments, and take those of ours that it has left."""
        present = self._present(name, told)
        wanted = {f"{self.tag}: {segment}" for segment in content.segments}
        if not content.accepts_email:
            wanted |= {self._withdrawn, self._given_up} & set(present)
        ours = {tag for tag in present if tag.startswith(f"{self.tag}: ")}
        changes = {**dict.fromkeys(sorted(ours - wanted), "inactive"), **dict.fromkeys(sorted(wanted - ours), "active")}
        if changes:
            self._set_tags(name, changes)

    def _present(self, name: str, told: Raw) -> Collection[str]:
        """The names of a member's tags; it shows only the first of many by itself."""
        present = names_of(told)
        return self._all_tags(name) if int(told.get("tags_count") or 0) > len(present) else present

    def _all_tags(self, name: str) -> set[str]:
        answer = self.call("GET", f"{self.path}/members/{name}/tags", params={"count": str(MOST_ROWS)})
        return {str(row.get("name")) for row in rows_in(answer, "tags")}

    def _set_tags(self, name: str, changes: Mapping[str, str]) -> None:
        tags = [{"name": tag, "status": status} for tag, status in changes.items()]
        self.call("POST", f"{self.path}/members/{name}/tags", json={"tags": tags}, repeatable=True)


def names_of(told: Raw) -> Collection[str]:
    """The names of the tags of a member."""
    tags = told.get("tags")
    return {str(tag.get("name")) for tag in tags if isinstance(tag, dict)} if isinstance(tags, list) else set()


def _language(content: CustomerContent) -> dict[str, str]:
    spoken = content.language.lower().partition("-")[0].partition("_")[0]
    return {"language": spoken} if len(spoken) == 2 else {}
