"""Offers that wait for a yes in a conversation. A yes is meant for one only where it follows it: within half an hour,
and as long as nobody else has spoken to the customer since, nor the customer asked for something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from finalmarket.connectors.talk import ConversationMessage, ConversationRecord
from finalmarket.integrations.chat import commands
from finalmarket.integrations.models import ChannelIntegration, ChatAnswer, ChatTalk
from finalmarket.kernel import clock

ANSWERS = ("yes", "no")
"""The commands that answer an offer."""
STANDS_FOR = timedelta(minutes=30)
SPEAK_TO_CUSTOMERS = ("agent", "bot")


def made_by(row: ChatAnswer, **what: Any) -> dict[str, Any]:
    """What is offered, as its conversation keeps it: with the answer that tells it, and since when it stands."""
    return {**what, "answer": row.pk, "at": clock.now().isoformat()}


def stands(offer: Mapping[str, Any], row: ChatAnswer) -> bool:
    """Whether an offer stands still, and is what a message may have answered: it was asked for before it."""
    if "at" not in offer or row.pk <= int(offer["answer"]):
        return False
    return clock.now() - datetime.fromisoformat(offer["at"]) <= STANDS_FOR


def told_in(integration: ChannelIntegration, records: Sequence[ConversationRecord]) -> dict[str, str]:
    """The words of the offers in these conversations, by what the platform calls the conversations."""
    names = [record.external_id[:200] for record in records]
    talks = ChatTalk.objects.filter(integration=integration, conversation__in=names).exclude(offer={})
    telling = [offer.get("answer") for offer in talks.values_list("offer", flat=True)]
    return dict(ChatAnswer.objects.filter(pk__in=telling).values_list("conversation", "answer")) if telling else {}


def follows(before: Sequence[ConversationMessage], offer: str) -> bool:
    """Whether an offer of these words is what the customer was told last by the messages before one of theirs, and
    nothing was asked of us since. An offer that never got there is not among them."""
    for one in reversed(before):
        if one.author in SPEAK_TO_CUSTOMERS:
            return bool(offer) and one.text.split() == offer.split()
        if one.author == "customer" and commands.read(one.text, one.author) is not None:
            return False
    return False
