"""Contacts as they go out, with the attributes that our figures stand in.

Who withdraws is unsubscribed, and an attribute says that we told so: only then does a later consent subscribe again.
What somebody told Intercom itself, an older word of ours never overrules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote

from finalmarket.connectors.answers import fields_in, if_there
from finalmarket.connectors.errors import Rejected, Unintelligible
from finalmarket.connectors.http import Answer, Http
from finalmarket.connectors.platforms.intercom import words
from finalmarket.connectors.platforms.intercom.changes import page_of
from finalmarket.connectors.records import CustomerContent, Raw

TAKEN = re.compile(r"\bid=([0-9A-Za-z]+)")  # how a conflict names the contact that is there


class Contacts:
    """The contacts of a workspace."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def tell(self, content: CustomerContent) -> str:
        """Make or change a contact; its id."""
        values = words.contact_values(content, self._figures)
        name, is_new = content.external_id, False
        if not name:
            name, is_new = self.make(values, content.key)
        return name if is_new else self._change(name, values, agrees=content.accepts_email is True)

    def make(self, values: Mapping[str, Any], key: str) -> tuple[str, bool]:
        """Make a user; the id, and whether it is a new one: who is there with that address, or our key, is left as they
        are. No two users have the same: so that may be tried again."""
        told = {"role": "user", **values, **({} if values.get("email") else {"external_id": f"finalmarket:{key}"})}
        try:
            answer = self._http.call("POST", "/contacts", exact=told, repeatable=True)
        except Rejected as refused:
            there = TAKEN.search(refused.reason) if refused.code == "conflict" else None
            if there is None:
                raise
            return there[1], False
        return id_of(answer, "contact"), True

    def _change(self, name: str, values: Mapping[str, Any], *, agrees: bool) -> str:
        path = f"/contacts/{quote(name, safe='')}"
        if agrees and words.was_withdrawn(record_at(self._http, path) or {}):
            values = words.subscribed_again(values)
        return id_of(self._http.call("PUT", path, exact=values, repeatable=True), "contact")

    @cached_property
    def _figures(self) -> frozenset[str]:
        """The attributes of contacts that our figures stand in: looked at once, and made where they are missing."""
        answer = self._http.call("GET", "/data_attributes", params={"model": "contact"})
        there = {raw.get("name") for raw in rows_of(answer.data, "data")}
        for name, (kind, about) in words.FIGURES.items():
            if name not in there:
                body = {"name": name, "model": "contact", "data_type": kind, "description": about}
                self._http.call("POST", "/data_attributes", json=body, repeatable=True)  # a name is taken once
        return frozenset(words.FIGURES)


def record_at(http: Http, path: str) -> Raw | None:
    """The record at a path; None where there is none."""
    return if_there(lambda: fields_in(http.call("GET", path), "id"))


def rows_of(data: object, field: str) -> list[Raw]:
    """The rows of a list that comes whole. Raises Unintelligible."""
    return page_of(data, field)[0]


def id_of(answer: Answer, what: str) -> str:
    """What Intercom calls a record that it made or changed. Raises Unintelligible."""
    found = fields_in(answer).get("id")
    if not isinstance(found, str) or not found:
        raise Unintelligible(f"Intercom does not say what it calls the {what}", status=answer.status)
    return found
