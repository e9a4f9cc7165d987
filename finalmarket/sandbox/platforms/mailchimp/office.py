"""What all of a Mailchimp account rests on: who is let in, how errors are written, lists by number, and OAuth."""

from __future__ import annotations

import base64
import functools
import hmac
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, cast
from urllib.parse import urlencode

from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, part_of, route

CENTRE = "us21"
KEY = f"practice0key0of0the0sandbox00000-{CENTRE}"
CLIENT_ID, CLIENT_SECRET = "628700000001", "practice-client-secret-of-the-sandbox"
LIST = "a1b2c3d4e5"
ROWS, MOST_ROWS = 10, 1_000
Object = dict[str, Any]
Act = TypeVar("Act", bound=Callable[..., Any])


def problem(status: int, title: str, detail: str, *wrong: tuple[str, str]) -> Refused:
    """An error as Mailchimp writes it: a problem document."""
    body: Object = {
        "type": "https://mailchimp.com/developer/marketing/docs/errors/", "title": title, "status": status,
        "detail": detail, "instance": "00000000-0000-0000-0000-000000000000",
    }  # fmt: skip
    if wrong:
        body["errors"] = [{"field": field, "message": message} for field, message in wrong]
    return Refused(Reply(status, body, {"Content-Type": "application/problem+json; charset=utf-8"}))


def invalid(*wrong: tuple[str, str]) -> Refused:
    """What is told does not fit."""
    return problem(400, "Invalid Resource", "The resource submitted could not be validated.", *wrong)


def missing() -> Refused:
    """There is no such thing."""
    return problem(404, "Resource Not Found", "The requested resource could not be found.")


def outside(act: Act) -> Act:
    """Mark what the outside world does: it takes its turn between the calls."""

    @functools.wraps(act)
    def in_turn(office: StandIn, *arguments: Any, **named: Any) -> Any:
        with office.lock:
            return act(office, *arguments, **named)

    return cast(Act, in_turn)


class Office(StandIn):
    """The ground floor of the stand-in."""

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (50.0, 100.0), "activity": (10.0, 100.0)}

    # Mailchimp says.

    def fresh_state(self) -> Any:
        return {
            "count": 0, "double_optin": False, "members": {}, "activity": {}, "hooks": {}, "stores": {},
            "fields": {tag: {"tag": tag, "name": tag, "type": kind} for tag, kind in (
                ("FNAME", "text"), ("LNAME", "text"), ("PHONE", "phone"), ("ADDRESS", "address"),
            )},
            "codes": [], "tokens": [],
        }  # fmt: skip

    def credentials(self) -> dict[str, str]:
        return {"access_token": KEY, "list_id": LIST}

    def let_in(self, request: Request) -> None:
        given = request.headers.get("authorization", "").encode()
        good = [f"Bearer {token}" for token in (*self.state["tokens"], KEY)]
        good += [f"Basic {base64.b64encode(f'finalmarket:{KEY}'.encode()).decode()}"]
        if not any(hmac.compare_digest(given, one.encode()) for one in good):
            raise problem(401, "API Key Invalid", "Your API key may be invalid, or of another data centre.")

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        if not says_when:  # some come without a word
            return Reply(429, None)
        reply = problem(429, "Too Many Requests", "You have exceeded the limit of 10 simultaneous connections.").reply
        reply.headers["Retry-After"] = str(max(1, round(wait_seconds)))
        return reply

    def broken(self) -> Reply:
        return problem(500, "Internal Server Error", "An unexpected internal error has occurred.").reply

    def token_expired(self) -> Reply:
        return problem(401, "API Key Invalid", "Your API key may be invalid.").reply

    def not_found(self, request: Request) -> Reply:
        return missing().reply

    @route("GET", "/3.0")
    def account_itself(self, request: Request) -> Reply:
        return Reply(200, {"account_id": "practice", "account_name": f"Sandbox {self.account}", "login_id": "1"})

    @route("GET", "/3.0/ping")
    def ping(self, request: Request) -> Reply:
        return Reply(200, {"health_status": "Everything's Chimpy!"})

    # OAuth.

    @route("GET", "/oauth2/authorize", is_open=True)
    def consent(self, request: Request) -> Reply:
        """Somebody who is logged in says yes."""
        if request.query.get("client_id") != CLIENT_ID or request.query.get("response_type") != "code":
            return Reply(400, {"error": "invalid_client"})
        back = urlencode({"code": self.new_code(), "state": request.query.get("state", "")})
        return Reply(302, None, {"Location": f"{request.query.get('redirect_uri')}?{back}"})

    @route("POST", "/oauth2/token", is_open=True)
    def give_token(self, request: Request) -> Reply:
        told = dict(request.form())
        is_ours = told.get("client_id") == CLIENT_ID and told.get("client_secret") == CLIENT_SECRET
        if not is_ours or told.get("grant_type") != "authorization_code":
            return Reply(400, {"error": "invalid_client"})
        if told.get("code") not in self.state["codes"]:
            return Reply(400, {"error": "invalid_grant", "error_description": "the code is none, or used up"})
        self.state["codes"].remove(told["code"])
        token = f"practice-oauth-token-{self.new_number():06d}"
        self.state["tokens"].append(token)
        return Reply(200, {"access_token": token, "expires_in": 0, "scope": None})

    @route("GET", "/oauth2/metadata", is_open=True)
    def metadata(self, request: Request) -> Reply:
        given = request.headers.get("authorization", "").removeprefix("OAuth ")
        if given not in self.state["tokens"]:
            return Reply(401, {"error": "invalid_token"})
        return Reply(200, {"dc": CENTRE, "api_endpoint": f"https://{CENTRE}.api.mailchimp.com", "role": "owner"})

    def new_code(self) -> str:
        """A code that is good for one token."""
        code = f"practice-code-{self.new_number():06d}"
        self.state["codes"].append(code)
        return code

    # What the floors use.

    def new_number(self) -> int:
        """Another number of this account."""
        self.state["count"] += 1
        return int(self.state["count"])

    def body_of(self, request: Request) -> Object:
        """The body, which is an object."""
        try:
            told = request.json()
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise problem(400, "JSON Parse Error", "We encountered an unspecified JSON parsing error.")
        return told

    def part(self, request: Request, name: str, rows: list[Any]) -> Reply:
        """A page of rows."""
        count, offset = (int(request.query.get(word) or default) for word, default in (("count", ROWS), ("offset", 0)))
        if not 0 <= count <= MOST_ROWS:
            raise invalid(("count", f"count is {MOST_ROWS} at most"))
        page, _ = part_of(rows, offset, count, request.fault)
        return Reply(200, {name: page, "total_items": len(rows)})
