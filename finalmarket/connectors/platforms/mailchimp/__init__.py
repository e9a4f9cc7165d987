"""Mailchimp (Marketing API 3.0): the audience with consents and segments, the shop's orders, and what people do with
mail (https://mailchimp.com/developer/marketing/api/).

A member is known by the MD5 digest of the e-mail address. Consent goes by the audience only; orders never change it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlencode

import httpx2

from finalmarket.connectors.answers import fields_in, if_there
from finalmarket.connectors.auth import HeaderAuth, basic_header, bearer
from finalmarket.connectors.books import OrderContent, OrderNames, PushesOrders
from finalmarket.connectors.code_exchange import tokens_for_code
from finalmarket.connectors.contract import (
    Authorizes,
    Checked,
    Connector,
    ErasesCustomers,
    PullsCustomers,
    PushesCustomers,
    ReceivesWebhooks,
    Setting,
)
from finalmarket.connectors.errors import ConnectorError, NeedsAttention
from finalmarket.connectors.http import Answer
from finalmarket.connectors.paging import read_one, walk
from finalmarket.connectors.platforms.mailchimp import activity, hooks, members
from finalmarket.connectors.platforms.mailchimp.audience import Audience
from finalmarket.connectors.platforms.mailchimp.shop import Shop
from finalmarket.connectors.platforms.mailchimp.words import customer_record
from finalmarket.connectors.rates import Rate
from finalmarket.connectors.records import CustomerContent, CustomerRecord, Delivery, Event, Page
from finalmarket.connectors.refusals import refused_as
from finalmarket.connectors.talk import InteractionRecord, PullsInteractions

LOGIN = "https://login.mailchimp.com/oauth2"
DATA_CENTRE = re.compile(r"[a-z]{2,4}\d{1,4}")
STORE = re.compile(r"[A-Za-z0-9_-]{1,40}")
NAMED = "The Final Market"


class Mailchimp(
    Connector, PullsCustomers, PullsInteractions, PushesCustomers, ErasesCustomers, PushesOrders, ReceivesWebhooks,
    Authorizes,
):  # fmt: skip
    """One audience of a Mailchimp account."""

    # Who we are.

    slug = "mailchimp"
    name = "Mailchimp"
    kind = "email"
    docs = "https://mailchimp.com/developer/marketing/api/"
    api_version = "3.0"
    base_url = "https://api.mailchimp.com"
    # Ten connections at once are the limit, and no pace is named. What people did is asked for at a pace of its own, so
    # that it never holds up what goes out.
    rate = Rate(calls=8, burst=8)
    rates: ClassVar[Mapping[str, Rate]] = {"activity": Rate(calls=2, burst=20)}
    secrets = ("access_token",)
    optional_secrets = ("client_secret", "webhook_secret", "webhook_id")
    settings = (
        Setting("list_id", "Audience ID", "Audience, Settings: it stands at the foot of the page."),
        Setting("client_id", "Client ID", "Of your registered app; for OAuth only.", is_required=False),
        Setting("data_centre", "Data centre", "Such as us6; filled in by OAuth.", is_required=False),
        Setting("tag", "Name of the tags", "Segments are tags behind it and a colon.", False, NAMED),
        Setting("store_id", "Store ID", "What the stores are called, one for each currency.", False, "finalmarket"),
        Setting("store_name", "Name of the store", is_required=False, default=NAMED),
    )  # fmt: skip
    former_names = ("MailChimp",)
    described_in = ("mailchimp",)
    checked_against = Checked("published description, version 3.0.55", on="2026-11-25")
    webhook_topics = tuple(hooks.TOPICS)
    webhook_secrets = ("webhook_secret",)

    # How we are let in.

    def auth(self) -> httpx2.Auth:
        """An API key, which ends in its data centre, as the password of HTTP Basic; a token of OAuth as a bearer token,
        which does not end."""
        token = self.account.secrets.get("access_token", "")
        if _centre_of(token):
            return HeaderAuth("Authorization", basic_header("finalmarket", token))
        return bearer(token)

    def _call(self, method: str, path: str, **how: Any) -> Answer:
        """A call at the account's own data centre, or where none is known at the address that all accounts share."""
        given = self.setting("data_centre").lower()
        centre = given if DATA_CENTRE.fullmatch(given) else _centre_of(self.account.secrets.get("access_token", ""))
        host = f"https://{centre}.api.mailchimp.com" if centre else self.base_url
        return self.http.call(method, self.address(f"{host}/3.0{path}"), **how)

    def _list(self) -> str:
        """The path of the audience. Raises NeedsAttention where none was chosen."""
        found = self.setting("list_id")
        if not found.isalnum():
            raise NeedsAttention("enter the audience's ID from its settings in Mailchimp")
        return f"/lists/{found}"

    def check(self) -> str:
        """The account, and the audience in it."""
        who = fields_in(self._call("GET", "/"), "account_name")["account_name"]
        audience = if_there(lambda: fields_in(self._call("GET", self._list(), params={"fields": "id,name"}), "name"))
        if audience is None:
            raise NeedsAttention(f"{who} has no audience of that ID", status=404)
        return f"the audience {audience['name']!r} of {who}"

    def authorization_url(self, redirect_uri: str, state: str, verifier: str) -> str:
        """Mailchimp's page of consent; it knows no scopes and no PKCE."""
        told = {
            "response_type": "code", "client_id": self.needed_setting("client_id"), "redirect_uri": redirect_uri,
            "state": state,
        }  # fmt: skip
        return f"{self.address(f'{LOGIN}/authorize')}?{urlencode(told)}"

    def exchange(self, query: Mapping[str, str], redirect_uri: str, verifier: str) -> Mapping[str, str]:
        """Turn the code into a token, and ask in which data centre the account lives. Where that is not told, the
        address that all accounts share is used."""
        wanted = {
            "grant_type": "authorization_code", "client_id": self.needed_setting("client_id"),
            "redirect_uri": redirect_uri, "client_secret": self.account.secrets.get("client_secret", ""),
        }  # fmt: skip
        token = str(tokens_for_code(self.http, query, self.address(f"{LOGIN}/token"), wanted)["access_token"])
        centre = self._centre_by_metadata(token)
        return {"access_token": token, **({"data_centre": centre} if centre else {})}

    def _centre_by_metadata(self, token: str) -> str:
        try:
            answer = self.http.call(
                "GET", self.address(f"{LOGIN}/metadata"), headers={"Authorization": f"OAuth {token}"},
                is_authorized=False,
            )  # fmt: skip
            told = str(fields_in(answer, "dc")["dc"])
        except ConnectorError:
            return ""
        return told if DATA_CENTRE.fullmatch(told) else ""

    # What comes in.

    def pull_customers(self, cursor: str, since: datetime | None) -> Iterator[Page[CustomerRecord]]:
        """See PullsCustomers and members.py."""
        path = self._list()
        return walk(lambda place: members.page(self._call, path, place, since), cursor)

    def pull_customer(self, external_id: str) -> CustomerRecord | None:
        """See PullsCustomers."""
        raw = members.member(self._call, self._list(), external_id)
        return None if raw is None else read_one(raw, customer_record)

    def pull_interactions(self, cursor: str, since: datetime | None) -> Iterator[Page[InteractionRecord]]:
        """See PullsInteractions and activity.py."""
        path = self._list()
        return walk(lambda place: activity.page(self._call, path, place, since), cursor)

    # What goes out.

    @cached_property
    def _audience(self) -> Audience:
        return Audience(self._call, self._list(), self.setting("tag"))

    @cached_property
    def _shop(self) -> Shop:
        given = self.setting("store_id")
        if not STORE.fullmatch(given):
            raise NeedsAttention("the store ID is made of letters, digits, - and _, 40 at most")
        return Shop(self._call, self.setting("list_id"), given, self.setting("store_name"))

    def push_customer(self, content: CustomerContent) -> str:
        """See PushesCustomers and audience.py."""
        with refused_as(content.key):
            return self._audience.tell(content)

    def erase_customer(self, external_id: str) -> None:
        """See ErasesCustomers: for good, from the audience and from our stores. Mailchimp then never takes that address
        in again, unless the person signs up there themselves."""
        self._audience.erase(external_id)
        self._shop.erase(external_id)

    def push_order(self, content: OrderContent) -> OrderNames:
        """See PushesOrders and shop.py."""
        self._list()
        with refused_as(content.key):
            return self._shop.tell(content)

    def find_order(self, number: str) -> OrderNames | None:
        """See PushesOrders."""
        return self._shop.find(number)

    # Webhooks.

    def subscribe(self, url: str) -> Mapping[str, str]:
        """See hooks.py."""
        return hooks.subscribe(self._call, self._list(), url, self.account.secrets)

    def answer_challenge(self, url: str, query: Mapping[str, str]) -> tuple[str, str] | None:
        """Mailchimp looks whether somebody is there before it takes an address, and asks nothing."""
        return "text/plain", "yes"

    def verify_webhook(self, delivery: Delivery) -> None:
        """See hooks.py."""
        hooks.require_genuine(delivery, self.webhook_secret())

    def read_webhook(self, delivery: Delivery) -> Sequence[Event]:
        """See hooks.py."""
        return hooks.events_of(delivery.body)

    # What its errors mean.

    def error_code(self, answer: Answer) -> tuple[str, str]:
        """A problem document (RFC 9457): `title`, `detail`, and the fields that are wrong; of OAuth, `error`."""
        if answer.is_success or not isinstance(answer.data, dict):
            return "", ""
        told = answer.data
        listed = told.get("errors")
        wrong = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        parts = [str(told.get("detail") or told.get("error_description") or "")]
        parts += [f"{one.get('field', '')} {one.get('message', '')}".strip() for one in wrong]
        return str(told.get("title") or told.get("error") or ""), "; ".join(part for part in parts if part)


def _centre_of(key: str) -> str:
    """The data centre that an API key ends in; "" for a token of OAuth."""
    centre = key.rpartition("-")[2]
    return centre if "-" in key and DATA_CENTRE.fullmatch(centre) else ""


# From our words to its own, and back: words.py, audience.py, shop.py, members.py, activity.py, hooks.py.
