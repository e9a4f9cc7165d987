"""An Instagram professional account: threads of messages, posts with comments, newest first."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from finalmarket.sandbox.abilities import Deed
from finalmarket.sandbox.platforms.meta.graph import GraphStandIn, Object, V, moment, not_there, refusal, told
from finalmarket.sandbox.stand_in import Reply, Request, route

TOKEN, APP_SECRET, APP_ID = "sandbox-token-of-the-account", "sandbox-secret-of-instagram", "800001"
RENEWED = "sandbox-next-token-of-the-account"
ID, USER_ID, NAME = "810001", "810002", "sandbox.shop"
WANTED = ("comments", "messages")


class Instagram(GraphStandIn):
    """One account."""

    slug = "instagram"
    limits: ClassVar[Mapping[str, tuple[float, float]]] = {"": (50.0, 200.0)}
    token, app_secret = TOKEN, APP_SECRET

    def fresh_state(self) -> Any:
        return {"threads": {}, "posts": {}, "number": 0, "hook": "", "wanted": []}

    def credentials(self) -> dict[str, str]:
        return {"access_token": TOKEN, "app_secret": APP_SECRET, "app_id": APP_ID}

    def number(self) -> int:
        """The next number of this account."""
        self.state["number"] += 1
        return int(self.state["number"])

    @route("GET", f"{V}/me")
    def read_me(self, request: Request) -> Reply:
        return Reply(200, {"id": ID, "user_id": int(USER_ID), "username": NAME})

    # Messages.

    @route("GET", f"{V}/me/conversations")
    def list_threads(self, request: Request) -> Reply:
        if request.query.get("platform") != "INSTAGRAM":
            raise refusal(400, 100, "(#100) platform is required")
        rows = sorted(self.state["threads"].values(), key=lambda one: (one["updated_time"], one["id"]), reverse=True)
        return self.page(request, [_shown(one) for one in rows], 100)

    @route("GET", f"{V}/{{name}}")
    def read_thread(self, request: Request, name: str) -> Reply:
        if name not in self.state["threads"]:
            raise not_there(name)
        return Reply(200, _shown(self.state["threads"][name]))

    # Comments.

    @route("GET", f"{V}/me/media")
    def list_posts(self, request: Request) -> Reply:
        rows = [
            {name: value for name, value in post.items() if name != "comments"}
            | {"comments_count": len(post["comments"])}
            for post in self.state["posts"].values()
        ]
        rows.sort(key=lambda one: str(one["timestamp"]), reverse=True)
        return self.page(request, rows, 100)

    @route("GET", f"{V}/{{name}}/comments")
    def list_comments(self, request: Request, name: str) -> Reply:
        post = self.state["posts"].get(name)
        if post is None:
            raise not_there(name)
        return self.page(request, sorted(post["comments"], key=lambda one: str(one["timestamp"]), reverse=True), 50)

    # Letting in, and webhooks.

    @route("POST", "/oauth/access_token", is_open=True)
    def take_code(self, request: Request) -> Reply:
        form = dict(request.form())
        if (form.get("client_id"), form.get("client_secret"), form.get("code")) != (APP_ID, APP_SECRET, "sandbox-code"):
            return Reply(
                400, {"error_type": "OAuthException", "code": 400, "error_message": "Invalid authorization code"}
            )
        return Reply(200, {"data": [{"access_token": "short-token", "user_id": USER_ID, "permissions": "basic"}]})

    @route("GET", "/access_token", is_open=True)
    def lengthen_token(self, request: Request) -> Reply:
        asked = request.query
        wanted = ("ig_exchange_token", APP_SECRET, "short-token")
        if (asked.get("grant_type"), asked.get("client_secret"), asked.get("access_token")) != wanted:
            raise refusal(400, 190, "Invalid access token")
        return Reply(200, {"access_token": TOKEN, "token_type": "bearer", "expires_in": 5184000})

    @route("GET", "/refresh_access_token", is_open=True)
    def renew_token(self, request: Request) -> Reply:
        if request.query.get("grant_type") != "ig_refresh_token" or request.query.get("access_token") != self.token:
            raise refusal(400, 190, "Invalid access token")
        self.token = RENEWED
        return Reply(200, {"access_token": RENEWED, "token_type": "bearer", "expires_in": 5184000})

    @route("POST", f"{V}/me/subscribed_apps")
    def subscribe(self, request: Request) -> Reply:
        wanted = told(request).get("subscribed_fields")
        if not isinstance(wanted, list) or not set(wanted) <= set(WANTED):
            raise refusal(400, 100, "(#100) subscribed_fields is required")
        if self.state["wanted"] != wanted:
            self.state["wanted"] = wanted
            self.effect("subscription", fields=wanted)
        return Reply(200, {"success": True})

    # What happens outside.

    def say(self, text: str, *, thread: str = "") -> str:
        """Somebody writes to the account, anew or in a thread; the thread's id."""
        number = self.number()
        name = thread or f"aWdfZAG{number:06d}"
        person = {"id": f"17841{number:06d}", "username": f"person.{number}"}
        known = self.state["threads"].setdefault(name, {"id": name, "person": person, "messages": []})
        message = {
            "id": f"mid.{number}", "created_time": moment(self.now()), "from": known["person"], "message": text,
            "to": {"data": [{"id": USER_ID, "username": NAME}]},
        }  # fmt: skip
        known["messages"].insert(0, message)
        known["updated_time"] = moment(self.now())
        self.effect("message", thread=name)
        said = {
            "sender": {"id": known["person"]["id"]}, "recipient": {"id": USER_ID}, "message": {"mid": message["id"]},
            "timestamp": int(self.now().timestamp() * 1000),
        }  # fmt: skip
        self.tell("instagram", {"id": USER_ID, "time": said["timestamp"], "messaging": [said]})
        return name

    def answer_as_agent(self, thread: str, text: str) -> None:
        """The merchant answers in the app."""
        known = self.state["threads"][thread]
        known["messages"].insert(
            0, {"id": f"mid.{self.number()}", "created_time": moment(self.now()), "message": text,
                "from": {"id": USER_ID, "username": NAME}, "to": {"data": [known["person"]]}},
        )  # fmt: skip
        known["updated_time"] = moment(self.now())

    def post(self) -> str:
        """The merchant posts a picture; its id."""
        name = f"18000{self.number():06d}"
        self.state["posts"][name] = {
            "id": name, "permalink": f"https://www.instagram.com/p/{name}/", "timestamp": moment(self.now()),
            "comments": [],
        }  # fmt: skip
        return name

    def comment(self, post: str, text: str) -> str:
        """Somebody says something below a post; the comment's id."""
        number = self.number()
        name, author = f"17900{number:06d}", {"id": f"17841{number:06d}", "username": f"person.{number}"}
        said = {"id": name, "timestamp": moment(self.now()), "text": text, "from": author,
                "username": author["username"]}  # fmt: skip
        self.state["posts"][post]["comments"].append(said)
        self.effect("comment", id=name)
        at = int(datetime.fromisoformat(said["timestamp"]).astimezone(UTC).timestamp())  # type: ignore[arg-type]
        value = {"id": name, "text": text, "from": author, "media": {"id": post}}
        self.tell("instagram", {"id": USER_ID, "time": at, "changes": [{"field": "comments", "value": value}]})
        return name

    def begin_talk(self, text: str, email: str) -> str:
        """See Talks. Nobody's address is known there."""
        return self.say(text)

    def go_on(self, talk: str, text: str) -> None:
        """See Talks."""
        self.say(text, thread=talk)

    def answer_back(self, talk: str, text: str) -> None:
        """See Talks."""
        self.answer_as_agent(talk, text)

    def told_by_letter(self) -> frozenset[str]:
        """See SeesDeeds: comments can be read."""
        return frozenset()

    def do_something(self, chance: random.Random) -> Deed | None:
        """See SeesDeeds."""
        posts = list(self.state["posts"])
        if not posts or chance.random() < 0.1:
            self.post()
            return None
        self.comment(chance.choice(posts), "Lovely.")
        return Deed("social_engagement")


def _shown(thread: Object) -> Object:
    """A thread as it is read; the text of its last twenty messages."""
    return {
        "id": thread["id"], "updated_time": thread["updated_time"],
        "participants": {"data": [thread["person"], {"id": USER_ID, "username": NAME}]},
        "messages": {"data": thread["messages"][:20]},
    }  # fmt: skip
