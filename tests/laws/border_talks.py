"""People write to the merchant on a platform: every word of theirs comes in once, as part of one journey of support,
and that ends where the conversation does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from finalmarket.connectors.talk import PullsConversations
from finalmarket.integrations.models import ExternalId
from finalmarket.integrations.talk.conversations_in import KIND, SERVICE
from finalmarket.integrations.talk.names import short
from finalmarket.journeys.models import ChannelInteraction, CrossChannelJourney
from finalmarket.sandbox import abilities
from tests.laws.border_part import Part

MORE_THAN_A_PAGE, MOST_WORDS = 5, 15


@dataclass
class Talk:
    """What the customer said in a conversation, and whether it stands closed."""

    name: str
    said: list[str] = field(default_factory=list)
    is_closed: bool = False


class Talks(Part):
    """Conversations come in."""

    needs = (PullsConversations,)
    ability = abilities.Talks

    def open(self) -> None:
        self.talks: list[Talk] = []
        self.seeded: list[str] = []
        self.count = 0

    def trade(self) -> None:
        dice = self.game.dice
        with self.game.stand_in.lock:
            if not self.talks or dice.random() < 0.25:
                self._begin()
            elif dice.random() < 0.5:
                self._go_on(dice.choice(self.talks))

    def _begin(self) -> None:
        words = self._words()
        talk = Talk(self.there.begin_talk(words, f"asker-{self.count}@example.com"), [words])
        self.talks.append(talk)

    def _go_on(self, talk: Talk) -> None:
        chance = self.game.dice.random()
        if chance < 0.5 and len(talk.said) < MOST_WORDS:
            words = self._words()
            self.there.go_on(talk.name, words)
            talk.said.append(words)
            talk.is_closed = False
        elif chance < 0.7 and not talk.is_closed:
            self.there.answer_back(talk.name, "We are looking.")
        elif isinstance(self.there, abilities.ClosesTalks) and not talk.is_closed:
            self.there.close_talk(talk.name)
            talk.is_closed = True

    def _words(self) -> str:
        self.count += 1
        return f"Where is my parcel? ({self.count})"

    def rush(self) -> None:
        seed, page = self.game.case.seed_conversations, self.game.case.page_sizes.get("conversations", 0)
        if seed is not None and page:
            with self.game.stand_in.lock:
                self.seeded += seed(self.there, min(page, 60) + MORE_THAN_A_PAGE)
            self.game.follow_the_world()

    def wrong(self) -> Iterator[str]:
        mine = ExternalId.objects.filter(integration=self.game.integration, kind=KIND)
        rows = Counter(mine.values_list("external_id", flat=True))
        journeys = CrossChannelJourney.objects.in_bulk(list(mine.values_list("local_id", flat=True)))
        local = dict(mine.values_list("external_id", "local_id"))
        for name in sorted({*(talk.name for talk in self.talks), *self.seeded}):
            if rows[short(name)] != 1:
                yield f"conversation {name} is known {rows[short(name)]} times"
        for talk in self.talks:
            heard = ChannelInteraction.objects.filter(
                interaction_type=SERVICE, context__conversation=talk.name,
                message_id__startswith=f"integration:{self.game.integration.pk}:",
            ).values_list("context__text", flat=True)  # fmt: skip
            if Counter(heard) != Counter(talk.said):
                yield f"in conversation {talk.name} {sorted(talk.said)} was said, and {sorted(heard)} heard"
            journey = journeys.get(local.get(short(talk.name), 0))
            if journey is not None and (journey.state != "open") is not talk.is_closed:
                word = "closed" if talk.is_closed else "open"
                yield f"conversation {talk.name} is {word}, its journey {journey.state}"
