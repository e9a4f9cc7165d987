"""The gateway of the stand-in: who is let in, CSRF tokens, errors in SAP's form, and reading by OData 2."""

from __future__ import annotations

import base64
import hashlib
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import unquote

from finalmarket.sandbox.conditions import Entity, condition
from finalmarket.sandbox.faults import Fault
from finalmarket.sandbox.platforms.sap import queries
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route

USER = "COMM_USER_OF_THE_SANDBOX"
PASSWORD = "password-of-the-sandbox"  # noqa: S105  opens nothing but the sandbox
ROOT = "/sap/opu/odata/sap/{service}"
SESSION = "SAP_SESSIONID_SANDBOX=session-1"
TOKEN_LIFE = timedelta(hours=1)
WRITES = ("POST", "PATCH", "PUT", "DELETE")
MOST_ROWS = 1_000  # of one answer, whatever is asked for
KEYED = re.compile(r"(\w+)(?:\((.*)\))?")
KEY = re.compile(r"(?:(\w+)=)?'((?:[^']|'')*)'")


def refusal(status: int, words: str, code: str = "SY/530", headers: Mapping[str, str] | None = None) -> Refused:
    """An error as the gateway writes it."""
    return Refused(error(status, words, code, headers))


def error(status: int, words: str, code: str = "SY/530", headers: Mapping[str, str] | None = None) -> Reply:
    """An error answer."""
    body = {"error": {"code": code, "message": {"lang": "en", "value": words}, "innererror": {}}}
    return Reply(status, body, dict(headers or {}))


class Gateway(StandIn):
    """One system. `sets` says where the entities of a set are found; keys are the first properties of a set."""

    slug = "sap"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (15.0, 15.0), "tokens": (5.0, 20.0)}
    sets: ClassVar[Mapping[str, tuple[str, tuple[str, ...]]]] = {}  # entity set: service, keys

    def credentials(self) -> dict[str, str]:
        return {
            "user": USER, "password": PASSWORD, "host": "my300000-api.s4hana.cloud.sap", "sales_organization": "1010",
            "customer": "1000", "shipping_condition": "HD00", "other_condition": "HB00", "cost_center": "10101101",
            "country": "DE",
        }  # fmt: skip

    def let_in(self, request: Request) -> None:
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        given = request.headers.get("authorization", "")
        ends_at = self.state["tokens"].get(given.removeprefix("Bearer "))
        if given != basic and (ends_at is None or self.now() >= ends_at):
            raise refusal(401, "Logon failed", "SY/002")
        if request.method in WRITES:
            is_ours = SESSION in request.headers.get("cookie", "")
            if not is_ours or request.headers.get("x-csrf-token") != self.csrf_token():
                raise refusal(403, "CSRF token validation failed", "SY/403", {"x-csrf-token": "Required"})

    def csrf_token(self) -> str:
        """The token that is good now."""
        return hashlib.sha256(f"{SESSION} {self.state['csrf_round']}".encode()).hexdigest()[:24]

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        return error(
            429, "Too many requests", "SY/429", {"Retry-After": str(max(1, round(wait_seconds)))} if says_when else {}
        )

    def broken(self) -> Reply:
        return error(500, "An exception was raised", "SY/530")

    def token_expired(self) -> Reply:
        return error(401, "Logon failed", "SY/002")

    def not_found(self, request: Request) -> Reply:
        return error(404, f"Resource not found for {request.method} {request.path}", "005056A509B11EE1B9A8FEC11C21578E")

    @route("POST", "/oauth/token", is_open=True, bucket="tokens")
    def give_token(self, request: Request) -> Reply:
        basic = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if request.headers.get("authorization") != basic:
            return Reply(401, {"error": "invalid_client"})
        if dict(request.form()).get("grant_type") != "client_credentials":
            return Reply(400, {"error": "unsupported_grant_type"})
        token = f"sap-token-{len(self.state['tokens']) + 1}"
        self.state["tokens"][token] = self.now() + TOKEN_LIFE
        return Reply(200, {"access_token": token, "token_type": "bearer", "expires_in": 3600})

    # Reading.

    @route("GET", ROOT)
    def read_service(self, request: Request, service: str) -> Reply:
        """The service document; and a CSRF token with the cookie that it belongs to, where one is asked for."""
        if service not in {one for one, _ in self.sets.values()}:
            raise refusal(403, f"No service found for namespace '', name '{service}'", "/IWFND/MED/170")
        headers = {}
        if request.headers.get("x-csrf-token", "").lower() == "fetch":
            headers = {"x-csrf-token": self.csrf_token(), "Set-Cookie": f"{SESSION}; path=/; HttpOnly"}
        names = [name for name, (where, _) in self.sets.items() if where == service]
        return Reply(200, {"d": {"EntitySets": names}}, headers)

    @route("GET", f"{ROOT}/{{resource}}")
    def read(self, request: Request, service: str, resource: str) -> Reply:
        name, key = self.named(service, resource)
        expand = [part for part in request.query.get("$expand", "").split(",") if part]
        select = [part for part in request.query.get("$select", "").split(",") if part]
        if key is not None:
            return Reply(200, {"d": queries.shown(self.one(name, key), expand, select)})
        try:
            return self._list(request, name, expand, select)
        except ValueError as wrong:
            raise refusal(400, str(wrong), "005056A509B11ED1BDCCEF46D4A6C1F2") from None

    def _list(self, request: Request, name: str, expand: list[str], select: list[str]) -> Reply:
        asked = request.query
        test: Callable[[Entity], bool] = condition(asked["$filter"], queries.compared) if "$filter" in asked else bool
        found = queries.ordered([one for one in self.entities(name) if test(one)], asked.get("$orderby", ""))
        start = int(asked.get("$skip", 0))
        page = found[start : start + min(int(asked.get("$top", MOST_ROWS)), MOST_ROWS)]
        if request.fault is Fault.DUPLICATE_PAGE and len(page) > 1 and len(found) > len(page):
            page = [page[0], *page[:-1]]
        if request.fault is Fault.MISSING_PAGE and "$inlinecount" in asked:
            page = page[:-1]
        body: dict[str, Any] = {"results": [queries.shown(one, expand, select) for one in page]}
        if asked.get("$inlinecount") == "allpages":
            body["__count"] = str(len(found))
        return Reply(200, {"d": body})

    @abstractmethod
    def entities(self, name: str) -> list[Entity]:
        """All entities of a set; a company says where they are."""

    def named(self, service: str, resource: str) -> tuple[str, tuple[str, ...] | None]:
        """The entity set that a path names, and the key in it, if any."""
        match = KEYED.fullmatch(unquote(resource))
        name = match[1] if match else ""
        if match is None or self.sets.get(name, ("", ()))[0] != service:
            raise refusal(404, f"Resource not found for segment '{resource[:60]}'", "005056A509B11EE1B9A8FEC11C21578E")
        if match[2] is None:
            return name, None
        return name, tuple(value.replace("''", "'") for _, value in KEY.findall(match[2]))

    def one(self, name: str, key: tuple[str, ...]) -> Entity:
        """The entity of that key."""
        names = self.sets[name][1]
        found = next((one for one in self.entities(name) if tuple(str(one[part]) for part in names) == key), None)
        if found is None:
            raise refusal(404, f"Resource not found for segment '{name}'", "005056A509B11EE1B9A8FEC11C21D78E")
        return found

    # Before something is changed.

    def matched(self, request: Request, entity: Entity) -> None:
        """Refuse a change of an entity that somebody changed meanwhile, or that names no ETag."""
        given = request.headers.get("if-match")
        if given is None:
            raise refusal(428, "The request is required to be conditional", "SY/428")
        if given not in ("*", entity["__metadata"]["etag"]):
            raise refusal(412, "Precondition failed", "SY/412")
