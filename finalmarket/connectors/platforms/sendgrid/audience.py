"""The audience: a contact with our own fields, the lists that it is on, and whether its owner is written to at all.

Lists hold only those who agreed: one list for all of them, one for each segment. Who withdraws leaves them, and is put
on SendGrid's list of those who get no newsletters. That is undone only where we did it: a contact's field remembers it,
and is told before.
What somebody told SendGrid itself, an older word of ours never overrules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from finalmarket.connectors.answers import fields_in, if_there, rows_in
from finalmarket.connectors.errors import Rejected, RetryLater, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.paging import all_rows, read_one
from finalmarket.connectors.platforms.sendgrid.words import (
    FIELDS,
    MOST_ADDRESS_LETTERS,
    WITHDRAWN,
    address_of,
    contact_fields,
    custom_values,
)
from finalmarket.connectors.records import CustomerContent, Raw

LISTS_A_PAGE = 1_000
MOST_LIST_LETTERS = 100
JOB_LOST = frozenset({"failed", "errored"})
YES, NO = "yes", "no"


@dataclass(slots=True)
class Audience:
    """The contacts of an account; `list_name` is what our lists begin with, `group` the unsubscribe group of the
    newsletters (None: the global list)."""

    call: Callable[..., Answer] = field(repr=False)
    list_name: str
    group: int | None
    _found: dict[str, str] | None = None  # our lists, by name

    def tell(self, content: CustomerContent) -> str:
        """Make or change a contact; returns its address. Raises Rejected for somebody without one."""
        former = address_of(content.external_id)
        email = address_of(content.email) or former
        if "@" not in email or len(email) > MOST_ADDRESS_LETTERS:
            raise Rejected(f"SendGrid knows people by an e-mail address of up to {MOST_ADDRESS_LETTERS} letters")
        known = self._contact(email)
        values = custom_values(content)
        withdrawn = [email, *({former} - {"", email})] if content.accepts_email is False else []
        if withdrawn:
            values[WITHDRAWN] = YES
        fields = self._fields(values)
        if content.accepts_email and known is not None and _has_withdrawn(known, fields.get(WITHDRAWN, "")):
            self._allow(email)
            values[WITHDRAWN] = NO
        try:
            self._put(content, email, {fields[name]: value for name, value in values.items()})
        except Rejected:
            self._suppress(withdrawn)  # that they are not written to does not wait for what is wrong with the contact
            raise
        self._suppress(withdrawn)
        self._leave(known, self._wanted(content))
        if former not in ("", email):
            self._leave(self._contact(former), ())
        return email

    def erase(self, email: str) -> None:
        """Have the contact of an address deleted. That they are not to be written to stays known."""
        known = self._contact(email.strip().lower())
        if known is not None:
            name = str(fields_in(known, "id")["id"])
            self.call("DELETE", "/v3/marketing/contacts", params={"ids": name}, repeatable=True)

    # The contact.

    def _contact(self, email: str) -> Raw | None:
        """The contact of an address as it shows now; None where there is none, or not yet."""
        path, asked = "/v3/marketing/contacts/search/emails", {"emails": [email]}
        answer = if_there(lambda: self.call("POST", path, json=asked, repeatable=True))
        if answer is None:
            return None
        found = read_one(answer.data, lambda raw: raw["result"].get(email, {}).get("contact"))
        if found is not None and not (isinstance(found, dict) and isinstance(found.get("list_ids"), list)):
            raise Unintelligible("the answer holds no contact", status=answer.status)
        return found

    def _put(self, content: CustomerContent, email: str, values: dict[str, str]) -> None:
        """Tell the contact and the lists it comes on. It is taken in later; a refusal that stands at once is raised."""
        contact = {**contact_fields(content, email), **({"custom_fields": values} if values else {})}
        wanted = self._wanted(content)
        body: dict[str, Any] = {"contacts": [contact]}
        if wanted:
            body["list_ids"] = self._lists(wanted)
        answer = self.call("PUT", "/v3/marketing/contacts", json=body, bucket="contacts", repeatable=True)
        job = str(fields_in(answer, "job_id")["job_id"])
        looked = if_there(lambda: self.call("GET", f"/v3/marketing/contacts/imports/{quote(job, safe='')}"))
        if looked is None:
            raise RetryLater("SendGrid took the contact and knows nothing of it")
        if fields_in(looked).get("status") in JOB_LOST:
            raise Rejected("SendGrid did not take the contact in", code="job_failed")

    def _fields(self, wanted: dict[str, str]) -> dict[str, str]:
        """What SendGrid calls our fields; those that are wanted and not there yet are made. Names are unique."""
        path = "/v3/marketing/field_definitions"
        rows = rows_in(self.call("GET", path), "custom_fields")
        known = {str(row.get("name")).lower(): str(row.get("id")) for row in rows}
        for name in wanted:
            if name not in known:
                made = self.call("POST", path, json={"name": name, "field_type": FIELDS[name]}, repeatable=True)
                known[name] = str(fields_in(made, "id")["id"])
        return known

    # The lists.

    def _wanted(self, content: CustomerContent) -> tuple[str, ...]:
        """The names of the lists that somebody is to be on: none, unless they agreed."""
        if not content.accepts_email:
            return ()
        names = [self.list_name, *(f"{self.list_name}: {segment}" for segment in content.segments)]
        return tuple(dict.fromkeys(name[:MOST_LIST_LETTERS] for name in names))

    def _ours(self) -> dict[str, str]:
        """Our lists that there are, by name: the one for all, and those of segments. Asked for once."""
        if self._found is None:
            self._found = self._all_lists()
        return self._found

    def _all_lists(self) -> dict[str, str]:
        def fetch(token: str) -> tuple[list[Raw], str]:
            params = {"page_size": str(LISTS_A_PAGE), **({"page_token": token} if token else {})}
            answer = self.call("GET", "/v3/marketing/lists", params=params)
            return rows_in(answer, "result"), _following(answer.data)

        found: dict[str, str] = {}
        for row in all_rows(fetch):
            name = str(row.get("name"))
            if name == self.list_name or name.startswith(f"{self.list_name}: "):
                found.setdefault(name, str(row.get("id")))
        return found

    def _lists(self, wanted: Sequence[str]) -> list[str]:
        """The ids of these lists; those that are not there are made."""
        known = self._ours()
        for name in wanted:
            if name not in known:
                made = self.call("POST", "/v3/marketing/lists", json={"name": name}, repeatable=True)
                known[name] = str(fields_in(made, "id")["id"])
        return [known[name] for name in wanted]

    def _leave(self, known: Raw | None, wanted: Sequence[str]) -> None:
        """Take a contact off those of our lists that it is on and not wanted on."""
        if known is None or not known["list_ids"]:
            return
        for name, list_id in self._ours().items():
            if list_id in known["list_ids"] and name not in wanted:
                self.call(
                    "DELETE", f"/v3/marketing/lists/{quote(list_id, safe='')}/contacts",
                    params={"contact_ids": str(known.get("id"))}, repeatable=True,
                )  # fmt: skip

    # Whether they are written to.

    def _suppressions(self) -> str:
        return "/v3/asm/suppressions/global" if self.group is None else f"/v3/asm/groups/{self.group}/suppressions"

    def _suppress(self, emails: Sequence[str]) -> None:
        if emails:
            self.call("POST", self._suppressions(), json={"recipient_emails": list(emails)}, repeatable=True)

    def _allow(self, email: str) -> None:
        path = f"{self._suppressions()}/{quote(email, safe='@')}"
        if_there(lambda: self.call("DELETE", path, repeatable=True))  # else nobody is there to be taken off


def _has_withdrawn(known: Raw, field_id: str) -> bool:
    """Whether it was us who took the address off all newsletters. Values are shown by a field's name or its id."""
    values = known.get("custom_fields")
    return isinstance(values, dict) and YES in (values.get(WITHDRAWN), values.get(field_id))


def _following(data: Any) -> str:
    """The token of the page after this one; "" for none."""
    told = data.get("_metadata") if isinstance(data, dict) else None
    url = told.get("next") if isinstance(told, dict) else None
    return parse_qs(urlsplit(url).query).get("page_token", [""])[0] if isinstance(url, str) else ""
