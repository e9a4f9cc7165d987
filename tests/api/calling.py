"""A program that calls the REST API with its key."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpResponse
from django.test import Client

from finalmarket.access import keys
from finalmarket.access.models import ApiKey

_tokens = itertools.count(1)


class Program:
    """Calls the API within this process; each write under a token of its own, unless one is given."""

    def __init__(self, *scopes: str, channels: Sequence[int] = (), name: str = "web shop", calls: int = 60_000) -> None:
        self.row, self.key = keys.create(name, scopes or list(keys.SCOPES), channels=channels, calls_per_minute=calls)
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, **asked: Any) -> HttpResponse:
        """GET; headers are given as `headers`."""
        headers = asked.pop("headers", {})
        return self.client.get(address(path), asked, headers={"Authorization": f"Bearer {self.key}", **headers})  # type: ignore[return-value]

    def write(self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str) -> HttpResponse:
        """POST or PUT, as JSON."""
        sent = {"Authorization": f"Bearer {self.key}", "Idempotency-Key": token or f"token-{next(_tokens)}", **headers}
        sent = {name.replace("_", "-"): value for name, value in sent.items()}
        text = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        return self.client.generic(method, address(path), text, content_type="application/json", headers=sent)  # type: ignore[return-value]

    def post(self, path: str, body: Any = None, **how: str) -> HttpResponse:
        """POST, as JSON."""
        return self.write("POST", path, body, **how)

    def pages(self, path: str, **asked: Any) -> Iterator[list[dict[str, Any]]]:
        """All pages of a list, each asked for when it is wanted."""
        cursor = ""
        while True:
            answer = told(self.get(path, **asked, **({"cursor": cursor} if cursor else {})))
            yield answer["items"]
            cursor = answer["next"]
            if cursor is None:
                return

    def again(self) -> ApiKey:
        """The key as it stands in the database."""
        return ApiKey.objects.get(pk=self.row.pk)


def address(path: str) -> str:
    """The address of a resource."""
    return path if path.startswith("/api/") else f"/api/v1{path}"


def told(answer: Any, status: int = 200) -> Any:
    """What an answer says; it has to have this status."""
    assert answer.status_code == status, (answer.status_code, answer.content[:600])
    return json.loads(answer.content)


def problem(answer: Any, kind: str, status: int) -> Any:
    """The problem that an answer tells of; it has to be of this kind and say what, where, and what to do."""
    said = told(answer, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert said["type"] == f"urn:finalmarket:problem:{kind}", said
    assert said["status"] == status
    assert all(said[word] for word in ("title", "detail", "what_to_do")), said
    assert all(one["what"] and one["what_to_do"] for one in said["errors"]), said
    return said
