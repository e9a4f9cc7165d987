"""A Mixpanel project: takes events in and knows them again by their ids, keeps profiles, and gives the raw events back
(https://developer.mixpanel.com/reference).

Kept as Mixpanel keeps it: a batch in which some events are bad is answered 400, and the good ones are in all the same;
profiles are answered `1` or `0`, whatever the token.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, route

USER, SECRET, TOKEN = "sandbox.service.account", "sandbox-secret-of-the-account", "sandbox-token-of-the-project"
LET_IN = "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
PROJECT = "2468013"
MOST_EVENTS, MOST_BYTES, MOST_PROPERTIES = 2_000, 10 * 1024 * 1024, 255
INSERT_ID = re.compile(r"[A-Za-z0-9-]{1,36}")
EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)
WORDS = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 413: "Request Entity Too Large",
         429: "Too Many Requests", 500: "Internal Server Error"}  # fmt: skip
Object = dict[str, Any]


def refusal(code: int, error: str, **more: Any) -> Refused:
    """An error as Mixpanel words it."""
    return Refused(Reply(code, {"code": code, "error": error, "status": WORDS[code], **more}))


class Mixpanel(StandIn):
    """One project."""

    slug = "mixpanel"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (50.0, 50.0), "export": (60 / 3600, 60.0)}

    # Mixpanel says.

    def fresh_state(self) -> Any:
        return {"events": {}, "profiles": {}, "hours": 0}  # how far ahead of UTC the project's days begin

    def credentials(self) -> dict[str, str]:
        return {
            "service_account_user": USER, "service_account_secret": SECRET, "project_token": TOKEN,
            "project_id": PROJECT,
        }  # fmt: skip

    def let_in(self, request: Request) -> None:
        if request.path.rstrip("/") == "/engage":
            return  # the token is in the body, and nobody is told whether it is right
        is_known = hmac.compare_digest(request.headers.get("authorization", ""), LET_IN)
        if not is_known or request.query.get("project_id") != PROJECT:
            raise refusal(401, "Invalid credentials")

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        reply = refusal(429, "Project exceeded rate limits. Please retry the request with exponential backoff.").reply
        reply.headers |= {"Retry-After": str(max(1, round(wait_seconds)))} if says_when else {}
        return reply

    def broken(self) -> Reply:
        return refusal(500, "internal error").reply

    def token_expired(self) -> Reply:
        return refusal(401, "Invalid credentials").reply

    def not_found(self, request: Request) -> Reply:
        return refusal(404, f"there is no {request.path}").reply

    # Events.

    @route("POST", "/import")
    def take_events(self, request: Request) -> Reply:
        if len(request.body) > MOST_BYTES:
            raise refusal(413, f"request exceeds max limit of {MOST_BYTES} bytes")
        told = _told(request)
        if not isinstance(told, list) or not 1 <= len(told) <= MOST_EVENTS:
            raise refusal(400, f"a batch holds 1 to {MOST_EVENTS} events")
        failed = []
        for index, event in enumerate(told):
            fault = self._fault(event)
            if fault is not None:
                field, message = fault
                name = str((event.get("properties") or {}).get("$insert_id", "")) if isinstance(event, dict) else ""
                failed.append({"index": index, "insert_id": name, "field": field, "message": message})
            else:
                self._keep(event)
        if failed and request.query.get("strict") == "1":
            raise refusal(
                400, "some data points in the request failed validation", failed_records=failed,
                num_records_imported=len(told) - len(failed),
            )  # fmt: skip
        return Reply(200, {"code": 200, "num_records_imported": len(told) - len(failed), "status": "OK"})

    def _fault(self, event: Any) -> tuple[str, str] | None:
        if not isinstance(event, dict) or not event.get("event"):
            return "event", "'event' is invalid: must not be empty"
        properties = event.get("properties")
        if not isinstance(properties, dict) or len(properties) >= MOST_PROPERTIES:
            return "properties", f"'properties' is invalid: fewer than {MOST_PROPERTIES} are wanted"
        if not isinstance(properties.get("time"), int):
            return "properties.time", "'properties.time' is invalid: must be specified as seconds since epoch"
        if not EARLIEST <= _moment(properties["time"]) <= self.now() + timedelta(hours=1):
            return "properties.time", "'properties.time' is invalid: out of range"
        if not properties.get("distinct_id"):
            return "properties.distinct_id", "'properties.distinct_id' is invalid: must not be empty"
        if not INSERT_ID.fullmatch(str(properties.get("$insert_id", ""))):
            return "properties.$insert_id", "'properties.$insert_id' is invalid: 1 to 36 letters, digits or -"
        return None

    def _keep(self, event: Object) -> None:
        properties = event["properties"]
        name = (event["event"], *(str(properties[part]) for part in ("time", "distinct_id", "$insert_id")))
        if name not in self.state["events"]:
            self.effect("event", kind=event["event"], key=properties["$insert_id"])
        self.state["events"][name] = event

    @route("GET", "/api/2.0/export", bucket="export")
    def export(self, request: Request) -> Reply:
        days = [request.query.get(name, "") for name in ("from_date", "to_date")]
        if not all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) for day in days):
            raise refusal(400, "from_date and to_date are wanted, in yyyy-mm-dd")
        ahead = timedelta(hours=self.state.get("hours", 0))
        if days[1] > f"{self.now() + ahead:%Y-%m-%d}":
            raise refusal(400, "to_date cannot be later than today")
        wanted = json.loads(request.query.get("event", "[]"))
        lines = []
        for event in self.state["events"].values():
            at = _moment(event["properties"]["time"])
            if days[0] <= f"{at + ahead:%Y-%m-%d}" <= days[1] and (not wanted or event["event"] in wanted):
                shown = {**event["properties"], "time": int(at.timestamp()), "mp_processing_time_ms": 1}
                lines.append(json.dumps({"event": event["event"], "properties": shown}) + "\n")
        return Reply(200, "".join(lines).encode(), {"Content-Type": "text/plain"})

    # Profiles.

    @route("POST", "/engage")
    def take_profiles(self, request: Request) -> Reply:
        told = _told(request)
        taken = [self._keep_profile(update) for update in told] if isinstance(told, list) else []
        return Reply(200, b"1" if any(taken) else b"0", {"Content-Type": "text/plain"})

    def _keep_profile(self, update: Any) -> bool:
        """Take an update in; one that is none, or of no project, leaves no trace."""
        if not isinstance(update, dict) or not update.get("$distinct_id"):
            return False
        if "$delete" in update and update.get("$token") == TOKEN:
            if self.state["profiles"].pop(update["$distinct_id"], None) is not None:
                self.effect("profile deleted", id=update["$distinct_id"])
            return True
        if not isinstance(update.get("$set"), dict):
            return False
        if update.get("$token") == TOKEN:
            before = self.state["profiles"].get(update["$distinct_id"], {})
            after = {**before, **update["$set"]}
            if after != before:
                self.state["profiles"][update["$distinct_id"]] = after
                self.effect("profile", id=update["$distinct_id"])
        return True

    def counted_events(self) -> list[str]:
        """See CountsEvents."""
        return [one["key"] for one in self.effects("event")]

    @route("GET", "/lookup-tables")
    def list_tables(self, request: Request) -> Reply:
        return Reply(200, {"code": 200, "status": "OK", "results": []})


def _told(request: Request) -> Any:
    try:
        return request.json()
    except ValueError:
        raise refusal(400, "the body is not JSON") from None


def _moment(time: int) -> datetime:
    """A moment that is given in seconds, or in milliseconds where it would be beyond all years."""
    return datetime.fromtimestamp(time / 1000 if time > 100_000_000_000 else time, UTC)
