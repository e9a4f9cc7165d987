"""The post between a platform and our door: letters get lost, come twice or thrice, and in any order."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from finalmarket.integrations import inbox
from finalmarket.integrations.models import ChannelIntegration, WebhookDelivery
from finalmarket.sandbox.webhooks import Letter, Sender

SHARE_LOST = 0.1
MOST_COPIES = 3
SHARE_HELD = 0.3


@dataclass
class Caught(Sender):
    """What the platform wrote, on its way."""

    letters: list[Letter] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        if not self._is_muted:
            self.letters.append(letter)


class Mail:
    """Brings the letters."""

    def __init__(self, caught: Caught, dice: random.Random) -> None:
        self._caught, self._dice = caught, dice
        self.tried_again: frozenset[str] = frozenset()  # names of letters that are sent until they arrive
        self.brought = self.refused = 0

    def bring(self, integration: ChannelIntegration, *, all_of_it: bool = False) -> None:
        """Bring most of what is on its way, and have it worked on as a worker does."""
        letters, self._caught.letters = self._caught.letters, []
        for letter in letters:
            chance = self._dice.random()
            is_lost = chance >= 1 - SHARE_LOST
            if (chance < SHARE_HELD and not all_of_it) or (is_lost and letter.name in self.tried_again):
                self._caught.letters.append(letter)
            elif not is_lost:
                for _ in range(self._dice.randint(1, MOST_COPIES)):
                    self._put_in(integration, letter)
        self._dice.shuffle(self._caught.letters)
        while inbox.is_waiting(integration.pk) and inbox.work(integration.pk):
            pass

    def _put_in(self, integration: ChannelIntegration, letter: Letter) -> None:
        status = inbox.receive(integration.webhook_token, letter.url, dict(letter.headers), letter.body)
        self.brought += 1
        self.refused += status != inbox.TAKEN

    def waits(self, integration: ChannelIntegration) -> list[str]:
        """Letters that have yet to be brought, or worked on."""
        there = WebhookDelivery.objects.filter(integration=integration, handled_at=None)
        return [*(f"letter {one.name}" for one in self._caught.letters), *(f"letter {one}" for one in there)]
