"""Instagram: direct messages and comments of one professional account, by Instagram login.

What is sold there comes out of the Facebook catalogue: the connector of Facebook sees to it.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

import httpx2

from finalmarket.connectors.answers import fields_in
from finalmarket.connectors.auth import Keep, end_of
from finalmarket.connectors.contract import Authorizes, Checked, Setting
from finalmarket.connectors.errors import NeedsAttention, Unintelligible
from finalmarket.connectors.exact_json import read_json
from finalmarket.connectors.keyset import LONG_AGO, place_of
from finalmarket.connectors.moments import zoned
from finalmarket.connectors.paging import READING_ERRORS, read_one
from finalmarket.connectors.platforms.meta.graph import VERSION, Graph, in_order, name_of
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import Event, Page, Raw
from finalmarket.connectors.talk import (
    ConversationMessage,
    ConversationRecord,
    InteractionRecord,
    PullsConversations,
    PullsInteractions,
)
from finalmarket.kernel import clock

CONSENT = "https://www.instagram.com/oauth/authorize"
CODE = "https://api.instagram.com/oauth/access_token"
SCOPES = ("instagram_business_basic", "instagram_business_manage_messages", "instagram_business_manage_comments")
ME = f"/{VERSION}/me"
THREAD = "id,updated_time,participants,messages{id,created_time,from,to,message}"
COMMENT = "id,timestamp,text,username,from,parent_id"
POST = "id,permalink,timestamp,comments_count"
THREADS, COMMENTS, POSTS = 20, 50, 50  # in one page
SEEN = timedelta(days=90)  # comments below older posts are told by webhooks only
RENEW = timedelta(days=20)  # before the end of a token's sixty days


class Instagram(Graph, PullsConversations, PullsInteractions, Authorizes):
    """One professional account."""

    # Who we are.

    slug = "instagram"
    name = "Instagram"
    kind = "social_commerce"
    docs = "https://developers.facebook.com/docs/instagram-platform"
    base_url = "https://graph.instagram.com"
    rate = Rate(calls=2)
    secrets = ("access_token", "app_secret")
    optional_secrets = ("verify_token",)
    settings = (Setting("app_id", "Instagram app id", "To connect in the browser", False),)
    former_names = ("Instagram Shopping",)
    described_in = ("instagram",)
    checked_against = Checked("published description", on="2026-11-25")

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """See Connector."""
        kept = self.account.secrets
        return _Lasting(
            kept.get("access_token", ""), kept.get("access_token_ends_at", ""), self.account.keep,
            self.address(f"{self.base_url}/refresh_access_token"),
        )  # fmt: skip

    def check(self) -> str:
        """See Connector."""
        return f"@{self.me['username']}"

    @cached_property
    def me(self) -> Raw:
        """The account: its ids and name. Raises Unintelligible where it does not say."""
        return fields_in(self.http.call("GET", ME, params={"fields": "id,user_id,username"}), "username", "id")

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """See Authorizes."""
        query = {
            "client_id": self.account.settings.get("app_id", ""), "redirect_uri": redirect_uri, "state": state,
            "response_type": "code", "scope": ",".join(SCOPES),
        }  # fmt: skip
        return f"{self.address(CONSENT)}?{urlencode(query)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """See Authorizes: the code gives a token of an hour, which gives one of sixty days."""
        if not query.get("code"):
            raise NeedsAttention("Instagram sent no authorization code back: connect the account anew")
        secret = self.account.secrets.get("app_secret", "")
        form = {
            "client_id": self.account.settings.get("app_id", ""), "client_secret": secret, "code": query["code"],
            "grant_type": "authorization_code", "redirect_uri": redirect_uri,
        }  # fmt: skip
        told = self.token_answer("POST", self.address(CODE), form=form)
        listed = told.get("data")
        short = _token_in(listed[0] if isinstance(listed, list) and listed else told)
        self._scrub.learn([short])
        asked = {"grant_type": "ig_exchange_token", "client_secret": secret, "access_token": short}
        lasting = self.token_answer("GET", "/access_token", params=asked)
        token, ends_at = _token_in(lasting), end_of(lasting)
        self._scrub.learn([token])
        return {"access_token": token, **({"access_token_ends_at": ends_at.isoformat()} if ends_at else {})}

    # What comes in.

    def pull_conversations(self, cursor: str, since: datetime | None) -> Iterator[Page[ConversationRecord]]:
        """See PullsConversations: Instagram gives the newest first; what is older than the cursor is not asked for."""
        rows = self._until(f"{ME}/conversations", {"platform": "INSTAGRAM", "fields": THREAD, "limit": THREADS},
                           _changed, place_of(cursor, since).at)  # fmt: skip
        yield from in_order(rows, _changed, self._conversation, cursor, since, THREADS)

    def _until(self, path: str, params: Mapping[str, Any], at: Any, oldest: datetime) -> Iterator[Raw]:
        """Rows from the newest on, up to the first that is older."""
        for row in self.rows(path, params):
            try:
                if at(row) < oldest:
                    return
            except READING_ERRORS:  # it is set aside later
                pass
            yield row

    def pull_conversation(self, external_id: str) -> ConversationRecord | None:
        """See PullsConversations."""
        told = self.node(quote(external_id, safe=""), {"fields": THREAD})
        return None if told is None else read_one(told, self._conversation)

    def _conversation(self, raw: Raw) -> ConversationRecord:
        """A conversation with its last messages; Instagram tells the text of twenty at most, and knows no end of it."""
        mine = {str(self.me["id"]), str(self.me.get("user_id") or "")}
        people = [one for one in raw["participants"]["data"] if str(one.get("id")) not in mine]
        messages = sorted((_message(one, mine) for one in raw["messages"]["data"]), key=lambda one: one.at)
        at = _changed(raw)
        return ConversationRecord(
            external_id=name_of(raw), version=at.isoformat(), updated_at=at, state="open", medium="social",
            opened_at=min(messages[0].at, at) if messages else at, messages=tuple(messages),
            customer_id=str(people[0]["id"]) if people else "", raw=raw,
            name=str(people[0].get("username") or "") if people else "",
        )  # fmt: skip

    def pull_interactions(self, cursor: str, since: datetime | None) -> Iterator[Page[InteractionRecord]]:
        """See PullsInteractions: the comments below the posts of the last months."""
        oldest = place_of(cursor, since).at
        yield from in_order(self._comments(oldest), lambda raw: zoned(raw["timestamp"]), _comment, cursor, since,
                            COMMENTS)  # fmt: skip

    def _comments(self, oldest: datetime) -> Iterator[Raw]:
        begin = LONG_AGO if oldest <= LONG_AGO else oldest - SEEN
        posts = self._until(f"{ME}/media", {"fields": POST, "limit": POSTS}, lambda raw: zoned(raw["timestamp"]),
                            begin)  # fmt: skip
        for post in posts:
            if post.get("id") and post.get("comments_count"):
                path = f"/{VERSION}/{quote(str(post['id']), safe='')}/comments"
                for raw in self.rows(path, {"fields": COMMENT, "limit": COMMENTS}):
                    yield {**raw, "permalink": str(post.get("permalink") or "")}

    # Webhooks. The address and the verify token are entered in the app's dashboard; the account says what it wants.

    webhook_topics = ("comments", "messages")
    webhook_object = "instagram"

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See ReceivesWebhooks."""
        told = {"subscribed_fields": list(self.webhook_topics)}
        answer = fields_in(self.http.call("POST", f"{ME}/subscribed_apps", json=told, repeatable=True))
        if answer.get("success") is not True:
            raise Unintelligible("Instagram does not say that the subscription stands")
        return {}

    def event_of(self, entry: Raw, change: Raw, event_id: str) -> Event:
        """A comment comes along; of a message we hear that there is one."""
        topic, value = str(change["field"]), change["value"]
        if topic == "messages":
            at = datetime.fromtimestamp(int(value["timestamp"]) / 1000, UTC)
            name = str((value.get("message") or {}).get("mid") or event_id)
            return Event(event_id=f"message-{name}", topic=topic, kind="conversations", occurred_at=at)
        if topic != "comments":
            return Event(event_id=event_id, topic=topic, kind="unknown")
        at = datetime.fromtimestamp(int(entry["time"]), UTC)
        record = _comment({**value, "timestamp": at.isoformat()})
        return Event(
            event_id=f"comment-{record.external_id}", topic=topic, kind="interactions", occurred_at=at,
            external_id=record.external_id, record=record,
        )  # fmt: skip


class _Lasting(httpx2.Auth):
    """A token of sixty days, renewed by asking for its next one while it is good; `keep` stores that."""

    def __init__(self, token: str, ends_at: str, keep: Keep, renewal: str) -> None:
        self._token, self._keep, self._renewal = token, keep, renewal
        self._ends_at = datetime.fromisoformat(ends_at) if ends_at else None
        self._lock = threading.Lock()

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Renew the token where its end is near; put it on."""
        if self._ends_at is not None and clock.now() > self._ends_at - RENEW and self._lock.acquire(blocking=False):
            try:
                query = {"grant_type": "ig_refresh_token", "access_token": self._token}
                response = yield httpx2.Request("GET", self._renewal, params=query)
                response.read()
                self._take(response)
            finally:
                self._lock.release()
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request

    def _take(self, response: httpx2.Response) -> None:
        """Take over what was given; where nothing was, the present one is used to its end."""
        try:
            told = read_json(response.content)
            token, ends_at = _token_in(told), end_of(told)
        except (*READING_ERRORS, NeedsAttention):
            return
        if ends_at is not None and response.is_success:
            self._token, self._ends_at = token, ends_at
            self._keep({"access_token": token, "access_token_ends_at": ends_at.isoformat()})


# From its words to ours.


def _token_in(told: Any) -> str:
    token = told.get("access_token") if isinstance(told, dict) else None
    if not isinstance(token, str) or not token:
        raise NeedsAttention("Instagram gave no access token: connect the account anew")
    return token


def _changed(raw: Raw) -> datetime:
    return zoned(raw["updated_time"])


def _message(raw: Raw, mine: set[str]) -> ConversationMessage:
    author = "agent" if str(raw["from"]["id"]) in mine else "customer"
    text = raw.get("message") or ""
    if not isinstance(text, str):
        raise ValueError("the message is no text")
    return ConversationMessage(external_id=name_of(raw), at=zoned(raw["created_time"]), author=author, text=text)


def _comment(raw: Raw) -> InteractionRecord:
    if not isinstance(raw["text"], str):
        raise ValueError("the comment is no text")
    author = raw.get("from") or {}
    return InteractionRecord(
        external_id=name_of(raw), kind="social_engagement", at=zoned(raw["timestamp"]), raw=raw,
        customer_id=str(author.get("id") or ""), url=str(raw.get("permalink") or ""), subject="comment",
    )  # fmt: skip
