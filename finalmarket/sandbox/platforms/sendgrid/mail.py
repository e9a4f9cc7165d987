"""Mails to single persons, and what people do with them: each tells a webhook, and some of it puts them on a list."""

from __future__ import annotations

import random
import re
from typing import Any

from finalmarket.sandbox.abilities import Deed
from finalmarket.sandbox.platforms.sendgrid.hooks import Hooks
from finalmarket.sandbox.platforms.sendgrid.office import GROUP, SENDER, Object, outside, refusal
from finalmarket.sandbox.stand_in import Reply, Request, route

ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
MOST_PERSONALIZATIONS, MOST_CATEGORIES = 1_000, 10
MOST_ARGUMENT_BYTES = 10_000
MOST_BYTES = 30 * 1024 * 1024
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148"
# The lists that keep a mail from going out, why it is dropped, and the setting that goes past each.
STOPS = (
    ("bounces", "Bounced Address", "bypass_bounce_management"),
    ("spam_reports", "Spam Reporting Address", "bypass_spam_management"),
    ("unsubscribes", "Unsubscribed Address", "bypass_unsubscribe_management"),
)


class Mail(Hooks):
    """The transactional side. SendGrid takes a mail as often as it is told."""

    @route("POST", "/v3/mail/send", bucket="mail")
    def send_mail(self, request: Request) -> Reply:
        if len(request.body) > MOST_BYTES:
            raise refusal(413, "the mail is larger than 30 MB")
        told = self.body_of(request)
        self._look_at_mail(told)
        name = f"m{self.new_number():018d}"
        for envelope in told["personalizations"]:
            for receiver in envelope["to"]:
                self._send(name, told, envelope, receiver["email"])
        return Reply(202, None, {"X-Message-Id": name})

    def _look_at_mail(self, told: Object) -> None:
        envelopes = told.get("personalizations")
        if not isinstance(envelopes, list) or not 1 <= len(envelopes) <= MOST_PERSONALIZATIONS:
            raise refusal(400, f"1 to {MOST_PERSONALIZATIONS} personalizations are wanted", "personalizations")
        if (told.get("from") or {}).get("email") != SENDER:
            raise refusal(403, "The from address does not match a verified Sender Identity.", "from")
        for number, envelope in enumerate(envelopes):
            for receiver in envelope.get("to") or [{}]:
                if not ADDRESS.fullmatch(str(receiver.get("email"))):
                    place = f"personalizations.{number}.to.0.email"
                    raise refusal(400, "Does not contain a valid address.", place)
            if sum(len(f"{name}{value}") for name, value in envelope.get("custom_args", {}).items()) > (
                MOST_ARGUMENT_BYTES
            ):
                raise refusal(400, "the custom arguments are too long", f"personalizations.{number}.custom_args")
        if len(told.get("categories", ())) > MOST_CATEGORIES:
            raise refusal(400, f"at most {MOST_CATEGORIES} categories", "categories")
        if not told.get("template_id") and not (told.get("subject") and told.get("content")):
            raise refusal(400, "The subject and content are required without a template.", "content")

    def _send(self, name: str, told: Object, envelope: Object, email: str) -> None:
        number = f"{name}.{self.new_number()}"
        message = {
            "id": name, "to": email, "arguments": dict(envelope.get("custom_args", {})), "subject": told.get("subject"),
            "content": told.get("content", []), "template": told.get("template_id", ""),
            "values": envelope.get("dynamic_template_data", {}), "categories": told.get("categories", []),
            "reply_to": told.get("reply_to"), "is_dropped": False, "sg_message_id": number,
        }  # fmt: skip
        self.state["messages"][number] = message
        self.effect("message", id=name, to=email)
        bypassed = {setting for setting, one in told.get("mail_settings", {}).items() if one.get("enable")}
        for listed, reason, setting in STOPS:
            if email.lower() in self.state[listed] and setting not in bypassed:
                message["is_dropped"] = True
                self.tell("dropped", email, message, reason=reason)
                return
        self.tell("delivered", email, message, response="250 OK")

    # The outside world.

    def messages(self, to: str = "") -> list[Object]:
        """The mails that were sent, in order; those to one address where it is given."""
        return [message for message in self.state["messages"].values() if to in ("", message["to"])]

    def _mail(self, name: str) -> Object:
        """A mail by its id, or by the key that its sender gave it."""
        for message in self.state["messages"].values():
            if name == message["id"] or name in message["arguments"].values():
                found: Object = message
                return found
        raise KeyError(name)

    @outside
    def open_mail(self, name: str) -> None:
        """Somebody opens a mail."""
        message = self._mail(name)
        self.tell("open", message["to"], message, useragent=PHONE, ip="192.0.2.7")

    @outside
    def click_mail(self, name: str, url: str) -> None:
        """Somebody follows a link of a mail."""
        message = self._mail(name)
        self.tell("click", message["to"], message, useragent=PHONE, ip="192.0.2.7", url=url)

    @outside
    def bounce(self, name: str, *, how: str = "bounce") -> None:
        """A mail cannot be delivered: for good (`bounce`), or this time (`blocked`)."""
        message = self._mail(name)
        words: Object = {"reason": "550 5.1.1 unknown", "status": "5.1.1"}
        if how == "bounce":
            self.put_on("bounces", message["to"], **words)
        self.tell("bounce", message["to"], message, type=how, **words)

    @outside
    def complain(self, name: str) -> None:
        """Somebody calls a mail spam."""
        message = self._mail(name)
        self.put_on("spam_reports", message["to"], ip="192.0.2.7")
        self.tell("spamreport", message["to"], message)

    @outside
    def unsubscribe(self, email: str, *, group: int | None = None, **more: Any) -> None:
        """Somebody wants no more newsletters: none at all, or those of a group."""
        if group is None:
            self.put_on("unsubscribes", email)
            self.tell("unsubscribe", email, **more)
        else:
            self.put_in_group(group, email)
            self.tell("group_unsubscribe", email, asm_group_id=group, **more)

    @outside
    def resubscribe(self, email: str, *, group: int = GROUP) -> None:
        """Somebody wants the newsletters of a group again."""
        self.state["left"].pop((group, email.lower()), None)
        self.tell("group_resubscribe", email, asm_group_id=group)

    def mailed(self) -> list[str]:
        """See Mails."""
        return [key for message in self.messages() for key in message["arguments"].values()]

    def told_by_letter(self) -> frozenset[str]:
        """See SeesDeeds: no list holds who opened a mail, or followed a link."""
        return frozenset({"open", "click"})

    def do_something(self, chance: random.Random) -> Deed | None:
        """See SeesDeeds."""
        if chance.random() < 0.4:
            return self._say_no(chance, f"reader-{chance.randint(1, 999_999)}@example.com")
        mails = [message for message in self.messages() if not message["is_dropped"]]
        if not mails:
            return None
        mail = chance.choice(mails)
        if chance.random() < 0.5:
            self.open_mail(mail["id"])
            return Deed("email_open", mail["to"])
        self.click_mail(mail["id"], "https://shop.example/tea")
        return Deed("email_click", mail["to"])

    def _say_no(self, chance: random.Random, email: str) -> Deed:
        """Somebody unsubscribes, calls a newsletter spam, or cannot be reached by it."""
        kind = chance.choice(("unsubscribe", "email_complaint", "email_bounce"))
        if kind == "unsubscribe":
            self.unsubscribe(email)
        elif kind == "email_complaint":
            self.put_on("spam_reports", email, ip="192.0.2.7")
            self.tell("spamreport", email)
        else:
            self.put_on("bounces", email, reason="550 5.1.1 unknown", status="5.1.1")
            self.tell("bounce", email, type="bounce")
        return Deed(kind, email)
