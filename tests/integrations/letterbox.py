"""Short words for the tests of webhooks: letters that the platform wrote, and the door of the house."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from finalmarket.integrations import inbox
from finalmarket.integrations.connect import PUBLIC_URL, subscribe
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.sandbox.webhooks import Letter
from tests.integrations.stalls import Account

HOUSE = "https://house.example"


@dataclass
class Post:
    """Letters that the platform wrote, caught on their way, and the door of the house."""

    account: Account
    letters: list[Letter]

    @property
    def token(self) -> str:
        return ChannelIntegration.objects.get(pk=self.account.integration.pk).webhook_token

    def deliver(self, letter: Letter, *, body: bytes | None = None, headers: dict[str, str] | None = None) -> int:
        """Bring a letter to the door; the status that is answered."""
        sent = letter.body if body is None else body
        told = dict(letter.headers) if headers is None else headers
        return inbox.receive(self.token, letter.url, told, sent)

    def work(self) -> None:
        """Let a worker do what waits."""
        while inbox.is_waiting(self.account.integration.pk):
            inbox.work(self.account.integration.pk)

    def buy(self, *lines: tuple[str, int]) -> str:
        """Somebody buys; the platform writes a letter."""
        with self.account.shop.lock:
            return self.account.shop.order(*lines)

    def write(self, topic: str, name: str) -> None:
        """The platform writes of something, by its name there."""
        with self.account.shop.lock:
            self.account.shop._call(topic, name)

    def deliver_all(self) -> None:
        """Bring all letters to the door that were caught."""
        for letter in self.letters:
            assert self.deliver(letter) == inbox.TAKEN
        self.letters.clear()


def open_post(account: Account, monkeypatch: pytest.MonkeyPatch) -> Post:
    """The platform is asked to call the house, and its letters are caught."""
    monkeypatch.setenv(PUBLIC_URL, HOUSE)
    account.integration.webhook_token = "t" * 43
    account.integration.save()
    caught: list[Letter] = []
    monkeypatch.setattr(account.shop.sender, "send", caught.append)
    assert subscribe(account.integration) == ""
    return Post(account, caught)
