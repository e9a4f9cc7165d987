"""The gate of the stand-in: who is let in, lists by q, limit and offset, errors in Oracle's forms."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from finalmarket.sandbox.conditions import Entity, condition, text_of
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route

USER, PASSWORD = "INTEGRATION_USER", "password-of-the-sandbox"  # open nothing but the sandbox
TOKEN_LIFE = timedelta(hours=1)
MOST_ROWS = 500
SIGNS = ("=", "!=", "<>", "<", "<=", ">", ">=")


def refusal(status: int, words: str, code: str = "27014") -> Refused:
    """An error in the form with details."""
    return Refused(error(status, words, code))


def error(status: int, words: str, code: str = "27014") -> Reply:
    """An error answer."""
    body = {"title": words[:60], "status": str(status), "o:errorDetails": [{"detail": words, "o:errorCode": code}]}
    return Reply(status, body, {"Content-Type": "application/vnd.oracle.adf.error+json"})


def compared(entity: Entity, name: str, operator: str, literal: str) -> bool:
    """Whether an attribute stands to a literal of `q` as the sign says."""
    if name not in entity or operator not in SIGNS:
        raise ValueError(f"URL request parameter q cannot be used: attribute {name} {operator}")
    value, told = str(entity[name]), text_of(literal)
    return bool(
        {"=": value == told, "!=": value != told, "<>": value != told, "<": value < told, "<=": value <= told,
         ">": value > told, ">=": value >= told}[operator]
    )  # fmt: skip


class Gate(StandIn):
    """One company."""

    slug = "oracle"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (15.0, 15.0), "tokens": (5.0, 20.0)}

    def credentials(self) -> dict[str, str]:
        return {
            "user": USER, "password": PASSWORD, "host": "abcd.fa.ocs.oraclecloud.com",
            "business_unit": "Vision Operations", "organization": "M1", "customer": "1000",
            "shipping_product": "FREIGHT", "other_product": "OTHER",
        }  # fmt: skip

    def let_in(self, request: Request) -> None:
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        given = request.headers.get("authorization", "")
        ends_at = self.state["tokens"].get(given.removeprefix("Bearer "))
        if given != basic and (ends_at is None or self.now() >= ends_at):
            raise Refused(self.token_expired())

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        reply = error(429, "Too Many Requests", "429")
        if says_when:
            reply.headers["Retry-After"] = str(max(1, round(wait_seconds)))
        return reply

    def broken(self) -> Reply:
        return Reply(500, b"JBO-29000: Unexpected exception caught", {"Content-Type": "text/plain"})

    def token_expired(self) -> Reply:
        return Reply(401, b"Unauthorized", {"Content-Type": "text/plain"})

    def not_found(self, request: Request) -> Reply:
        return error(404, f"The requested resource is not there: {request.method} {request.path}", "404")

    @route("POST", "/oauth2/v1/token", is_open=True, bucket="tokens")
    def give_token(self, request: Request) -> Reply:
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        form = dict(request.form())
        if request.headers.get("authorization") != basic:
            return Reply(401, {"error": "invalid_client"})
        if form.get("grant_type") != "client_credentials" or not form.get("scope"):
            return Reply(400, {"error": "invalid_scope"})
        token = f"oracle-token-{len(self.state['tokens']) + 1}"
        self.state["tokens"][token] = self.now() + TOKEN_LIFE
        return Reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    # Lists.

    def listed(self, request: Request, rows: list[Entity], *, is_stream: bool = False) -> Reply:
        """A page of these rows, those that `q` asks for, in the order asked for."""
        asked = request.query
        limit, offset = min(int(asked.get("limit", 25)), MOST_ROWS), int(asked.get("offset", 0))
        try:
            test = condition(asked["q"], compared) if asked.get("q") else bool
            found = [row for row in rows if test(row)]
        except ValueError as wrong:
            raise refusal(400, str(wrong), "27519") from None
        for part in reversed([part for part in asked.get("orderBy", "").split(",") if part]):
            name, _, way = part.partition(":")
            found.sort(key=lambda row, name=name: str(row[name]), reverse=way == "desc")  # type: ignore[misc]
        page = found[offset : offset + limit]
        has_more = offset + limit < len(found)
        if is_stream and request.fault is Fault.DUPLICATE_PAGE and len(page) > 1:
            page, has_more = [page[0], *page[:-1]], True
        if is_stream and request.fault is Fault.MISSING_PAGE:
            page = page[:-1]
        body: dict[str, Any] = {
            "items": [_shown(row, asked.get("fields", "")) for row in page], "count": len(page),
            "hasMore": has_more, "limit": limit, "offset": offset,
            "links": [{"rel": "self", "href": f"https://abcd.fa.ocs.oraclecloud.com{request.path}"}],
        }  # fmt: skip
        return Reply(200, body, {"Content-Type": "application/vnd.oracle.adf.resourcecollection+json"})


def _shown(row: Entity, fields: str) -> Entity:
    names = [name for name in fields.split(",") if name]
    return {name: value for name, value in row.items() if not names or name in names}
