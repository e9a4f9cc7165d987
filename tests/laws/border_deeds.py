"""What people did where a platform sees it (opened a mail, followed a link, left the list, commented) comes in once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from finalmarket.connectors.talk import PullsInteractions
from finalmarket.customers.models import Consent
from finalmarket.integrations.models import ExternalId
from finalmarket.integrations.talk.interactions_in import CONSENTS, INTERACTIONS, KIND
from finalmarket.integrations.talk.names import message_id, short
from finalmarket.journeys.models import ChannelInteraction
from finalmarket.sandbox import abilities
from tests.laws.border_part import Part

MORE_THAN_A_PAGE = 10


class Deeds(Part):
    """Interactions come in."""

    needs = (PullsInteractions,)
    ability = abilities.SeesDeeds

    def open(self) -> None:
        self.done: Counter[abilities.Deed] = Counter()
        self.seeded: list[str] = []
        self.game.mail.tried_again |= self.there.told_by_letter()

    def trade(self) -> None:
        if self.game.dice.random() < 0.5:
            with self.game.stand_in.lock:
                deed = self.there.do_something(self.game.dice)
            if deed is not None:
                self.done[deed] += 1

    def rush(self) -> None:
        seed, page = self.game.case.seed_interactions, self.game.case.page_sizes.get("interactions", 0)
        if seed is not None and page:
            with self.game.stand_in.lock:
                self.seeded += seed(self.there, min(page, 60) + MORE_THAN_A_PAGE)
            self.game.follow_the_world()

    def wrong(self) -> Iterator[str]:
        yield from self._interactions_wrong()
        yield from self._consents_wrong()
        yield from self._seeded_wrong()

    def _interactions_wrong(self) -> Iterator[str]:
        mine = ChannelInteraction.objects.filter(
            message_id__startswith=f"integration:{self.game.integration.pk}:",
            interaction_type__in=INTERACTIONS.values(),
        )
        seeded = [message_id(self.game.integration, one) for one in self.seeded]
        known = Counter(mine.exclude(message_id__in=seeded).values_list("interaction_type", "customer__email"))
        for deed, count in sorted(self.done.items(), key=str):
            if deed.kind in INTERACTIONS and deed.email:
                here = known[INTERACTIONS[deed.kind], deed.email]
                if here != count:
                    yield f"{deed.email} did {count} times what is called {deed.kind}, and {here} times came in"
        nameless = sum(count for deed, count in self.done.items() if deed.kind in INTERACTIONS and not deed.email)
        if nameless and nameless + len(self.seeded) != mine.count():
            yield f"{nameless + len(self.seeded)} deeds were done, {mine.count()} came in"

    def _consents_wrong(self) -> Iterator[str]:
        for deed, count in sorted(self.done.items(), key=str):
            if deed.kind not in CONSENTS:
                continue
            entries = Consent.objects.filter(customer__email=deed.email).order_by("at", "pk")
            said = entries.filter(purpose="newsletter").last()
            if said is None or said.is_granted is not CONSENTS[deed.kind]:
                yield f"{deed.email} said {deed.kind}, and nobody heard it"
            barred = entries.filter(purpose="mail", proof__what=deed.kind).count()
            if deed.kind in ("email_bounce", "email_complaint") and barred != count:
                yield f"{deed.email} was barred {barred} times for {count} times {deed.kind}"

    def _seeded_wrong(self) -> Iterator[str]:
        mine = self.game.integration
        names = {message_id(mine, one): one for one in self.seeded}
        kept = Counter(ChannelInteraction.objects.filter(message_id__in=names).values_list("message_id", flat=True))
        said = Counter(
            ExternalId.objects.filter(
                integration=mine, kind=KIND, external_id__in=[short(one) for one in self.seeded]
            ).values_list("external_id", flat=True)
        )
        for name, one in sorted(names.items()):
            if kept[name] + said[short(one)] != 1:
                yield f"deed {one} came in {kept[name] + said[short(one)]} times"
