"""What all of a Stripe account rests on: names, lists, events, signatures, idempotency keys, and who is let in."""

from __future__ import annotations

import base64
import copy
import fnmatch
import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from finalmarket.sandbox.faults import Fault, Faults
from finalmarket.sandbox.platforms.stripe.forms import Object, expansions, missing, query_of, refusal, whole
from finalmarket.sandbox.platforms.stripe.objects import new_event, one_page
from finalmarket.sandbox.stand_in import Refused, Reply, Request, StandIn, part_of
from finalmarket.sandbox.webhooks import Letter
from finalmarket.sandbox.world import World

VERSION = "2026-05-27.dahlia"
PREVIEWS = ("2026-04-22.preview",)  # of calls that no other version knows
KEY = "sk_test_practice_key_of_the_sandbox"
DAY_SECONDS = 24 * 3600
EVENTS_KEPT_SECONDS = 30 * DAY_SECONDS
ITEMS_A_PAGE, MOST_ITEMS_A_PAGE = 10, 100
LIST_FIELDS = ("limit", "starting_after", "ending_before", "created", "expand")
KINDS = {
    "payment_intents": ("payment_intent", "pi"), "charges": ("charge", "ch"), "refunds": ("refund", "re"),
    "disputes": ("dispute", "du"), "customers": ("customer", "cus"), "events": ("event", "evt"),
    "webhook_endpoints": ("webhook_endpoint", "we"),
}  # fmt: skip
MOMENTS: Mapping[str, Callable[[int, int], bool]] = {
    "gt": lambda at, bound: at > bound, "gte": lambda at, bound: at >= bound,
    "lt": lambda at, bound: at < bound, "lte": lambda at, bound: at <= bound,
}  # fmt: skip


class Account(StandIn):
    """The ground floor of the stand-in. `keeps_failures` lets a failure after the effect be what an idempotency key
    brings again, as Stripe does for failures within; without it the failure lies in front of Stripe."""

    def __init__(self, world: World, *, account: str = "main", faults: Faults | None = None) -> None:
        super().__init__(world, account=account, faults=faults)
        self.keeps_failures = False

    def fresh_state(self) -> Any:
        """See StandIn: objects by kind and id, in the order in which they were made."""
        return {**{kind: {} for kind in KINDS}, "count": 0, "answers": {}, "signing": {}, "deleted": {}, "granted": {}}

    def credentials(self) -> dict[str, str]:
        """See StandIn."""
        return {"secret_key": KEY}

    def let_in(self, request: Request) -> None:
        """See StandIn: the secret key as a bearer token, or as the user of HTTP Basic."""
        given = request.headers.get("authorization", "")
        basic = base64.b64encode(f"{KEY}:".encode()).decode()
        if not given:
            raise refusal(401, "You did not provide an API key. Provide it in the Authorization header.")
        if not any(hmac.compare_digest(given.encode(), good.encode()) for good in (f"Bearer {KEY}", f"Basic {basic}")):
            raise refusal(401, f"Invalid API Key provided: {'*' * 12}{given[-4:]}")
        version = request.headers.get("stripe-version", VERSION)
        if version not in (VERSION, *PREVIEWS):
            raise refusal(400, f"Invalid Stripe API version: {version}")

    def too_many(self, wait_seconds: float, *, says_when: bool) -> Reply:
        """See StandIn."""
        reply = refusal(429, "Request rate limit exceeded.", code="rate_limit").reply
        waits = {"Retry-After": str(max(1, round(wait_seconds)))} if says_when else {}
        reply.headers |= {"Stripe-Rate-Limited-Reason": "global-rate", **waits}
        return reply

    def broken(self) -> Reply:
        """See StandIn."""
        return refusal(500, "An unknown error occurred.", kind="api_error").reply

    def token_expired(self) -> Reply:
        """See StandIn."""
        return refusal(401, "Expired API Key provided.", code="api_key_expired").reply

    def cursor_expired(self) -> Reply:
        """See StandIn."""
        return missing("object", "the one named", "starting_after", 400).reply

    def not_found(self, request: Request) -> Reply:
        """See StandIn."""
        return refusal(404, f"Unrecognized request URL ({request.method}: {request.path}).").reply

    # Objects.

    @property
    def is_live(self) -> bool:
        """Whether this is a live account: the sandbox's key is a test key."""
        return KEY.startswith("sk_live_")

    def seconds(self, at: datetime | None = None) -> int:
        """A moment, the present one by default, in whole seconds since 1970."""
        return int((at or self.now()).timestamp())

    def new_id(self, kind: str) -> str:
        """A name for another object of a kind."""
        self.state["count"] += 1
        return f"{KINDS[kind][1]}_practice{self.state['count']:012d}"

    def one(self, kind: str, name: str, param: str = "id", status: int = 404) -> Object:
        """An object; refuses a name that is none."""
        found: Object | None = self.state[kind].get(name)
        if found is None:
            raise missing(KINDS[kind][0], name, param, status)
        return found

    # Lists.

    def listed(
        self, request: Request, kind: str, *, known: Sequence[str] = (), expands: Sequence[str] = (),
        keep: Callable[[Object, Mapping[str, Any]], bool] = lambda item, query: True,
        show: Callable[[Object, set[str]], Object] = lambda item, expand: item,
    ) -> Reply:  # fmt: skip
        """One page of a kind, newest first: those that were made in time and that `keep` keeps, shown by `show`."""
        query = query_of(request, (*LIST_FIELDS, *known))
        expand = expansions(query, expands, "data.")
        newest_first = list(self.state[kind].values())[::-1]
        items = sorted(newest_first, key=lambda item: -int(item["created"]))
        items = [item for item in items if _is_in_time(item["created"], query) and keep(item, query)]
        page, has_more = self._page(items, query, kind, request.fault)
        return told(one_page([show(item, expand) for item in page], request.path, has_more=has_more))

    def _page(
        self, items: list[Object], query: Mapping[str, Any], kind: str, fault: Fault | None
    ) -> tuple[list[Object], bool]:
        limit = whole(query, "limit") or ITEMS_A_PAGE
        if not 1 <= limit <= MOST_ITEMS_A_PAGE:
            raise refusal(
                400, f"limit is from 1 to {MOST_ITEMS_A_PAGE}", code="parameter_invalid_integer", param="limit"
            )
        names = [item["id"] for item in items]
        for param in ("starting_after", "ending_before"):
            name = query.get(param)
            if name and (fault is Fault.CURSOR_EXPIRED or name not in names):
                raise missing(KINDS[kind][0], name, param, 400)
        if query.get("ending_before"):
            end = names.index(query["ending_before"])
            return items[max(0, end - limit) : end], end > limit
        start = names.index(query["starting_after"]) + 1 if query.get("starting_after") else 0
        page, following = part_of(items, start, limit, fault)
        return page, following is not None

    # Once is once.

    def once(self, request: Request, act: Callable[[], Any]) -> Reply:
        """Act once under an idempotency key, and answer alike for a day; the key with another request is refused."""
        key = request.headers.get("idempotency-key", "")
        if not key:
            return told(act())
        if len(key) > 255:
            raise refusal(400, "Idempotency keys have 255 letters at most.", kind="idempotency_error")
        asked = (request.path, tuple(sorted(request.form())))
        known = self.state["answers"].get(key)
        if known and self.seconds() - known["at"] < DAY_SECONDS:
            if known["asked"] != asked:
                words = "Keys for idempotent requests can only be used with the parameters they were first used with."
                raise refusal(400, words, kind="idempotency_error")
            return Reply(known["status"], copy.deepcopy(known["body"]), {"Idempotent-Replayed": "true"})
        try:
            reply = told(act())
        except Refused as refused:
            reply = refused.reply
        kept = self.broken() if self.keeps_failures and request.fault is Fault.ERROR_AFTER else reply
        self.state["answers"][key] = {
            "at": self.seconds(), "asked": asked, "status": kept.status, "body": copy.deepcopy(kept.body),
        }  # fmt: skip
        return reply

    # Events.

    def tell(self, topic: str, about: Object, *, at: datetime | None = None, before: Object | None = None) -> None:
        """Note an event, and send it to the endpoints that want it."""
        name = self.new_id("events")
        event = new_event(name, self.seconds(at), VERSION, topic, copy.deepcopy(about), before)
        self.state["events"][name] = event
        for endpoint in self.state["webhook_endpoints"].values():
            wanted = any(fnmatch.fnmatchcase(topic, pattern) for pattern in endpoint["enabled_events"])
            if wanted and endpoint["status"] == "enabled":
                body = json.dumps(event).encode()
                headers = {
                    "Content-Type": "application/json; charset=utf-8",
                    "Stripe-Signature": signature(self.signing_secrets(endpoint["id"]), body, self.seconds()),
                }
                self.sender.send(Letter(endpoint["url"], headers, body, topic))

    def events_kept(self, item: Object) -> bool:
        """Whether an event is young enough to be listed."""
        return bool(self.seconds() - item["created"] <= EVENTS_KEPT_SECONDS)

    def signing_secrets(self, endpoint: str) -> list[str]:
        """The secrets that sign for an endpoint: the present one first, while it is rolled the one before, too."""
        now = self.seconds()
        return [one["secret"] for one in self._signing(endpoint) if not one["until"] or one["until"] > now]

    def roll_secret(self, endpoint: str) -> str:
        """The merchant rolls the secret of an endpoint; the one before signs for another day. Returns the new one."""
        self.state["count"] += 1
        secret = f"whsec_practice{self.state['count']:012d}"
        former = [{**one, "until": one["until"] or self.seconds() + DAY_SECONDS} for one in self._signing(endpoint)]
        self.state["signing"][endpoint] = [{"secret": secret, "until": 0}, *former]
        return secret

    def _signing(self, endpoint: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.state["signing"].get(endpoint, [])
        return found


def told(body: Any) -> Reply:
    """An answer that shows objects as they stand now, whatever becomes of them while it is written."""
    return Reply(200, copy.deepcopy(body))


def signature(secrets: Iterable[str], body: bytes, seconds: int) -> str:
    """The value of Stripe-Signature: one v1 for each secret (https://docs.stripe.com/webhooks/signature)."""
    signed = f"{seconds}.".encode() + body
    return ",".join(
        [f"t={seconds}", *(f"v1={hmac.digest(secret.encode(), signed, 'sha256').hex()}" for secret in secrets)]
    )


def _is_in_time(made: int, query: Mapping[str, Any]) -> bool:
    """Whether a moment of creation is within the `created` of a query."""
    chosen = query.get("created")
    if chosen is None:
        return True
    if not isinstance(chosen, dict):
        return made == whole(query, "created")
    for name in chosen:
        if name not in MOMENTS:
            raise refusal(
                400, f"Received unknown parameter: created[{name}]", code="parameter_unknown", param="created"
            )
    return all(MOMENTS[name](made, whole(chosen, name) or 0) for name in chosen)
