"""Hearing and answering. A message that asks something is written down with the page in which it came in; a worker
writes its answer, in one transaction with what it does, and says it until the platform has it.

The same message is answered once, however often its conversation comes in; an answer whose sending got lost is looked
for in the conversation before it is said again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from finalmarket.connectors.errors import ConnectorError
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.connectors.talk import AnswersConversations, ConversationRecord
from finalmarket.customers.known_by import folded_email
from finalmarket.integrations import breaker, duties
from finalmarket.integrations.chat import commands
from finalmarket.integrations.chat.replies import NOT_NOW, Turn, reply_to
from finalmarket.integrations.desk.asking import is_refusal, opened_for, said_no
from finalmarket.integrations.models import ChannelIntegration, ChatAnswer, ChatTalk, ExternalId
from finalmarket.integrations.talk.seats import seat
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import enqueue

DUTY = "answers"
MOST_QUESTION_CHARACTERS = 500
MOST_ATTEMPTS = 8
MOST_AT_ONCE = 50
LONGEST_PAUSE = timedelta(hours=2)
TOO_OLD = timedelta(hours=24)
"""Nobody waits for an answer so long: what came in later than that is for people."""
State = ChatAnswer.State
log = structlog.get_logger(__name__)


def hear(integration: ChannelIntegration, records: Sequence[ConversationRecord]) -> int:
    """Write down what these conversations ask of us; return how much of it is new. Within the caller's transaction.

    Only what was said since answering is the account's duty, and within a day.
    """
    if not duties.does(integration, DUTY) or (begun := duties.since(integration, DUTY)) is None:
        return 0
    since = max(begun, clock.now() - TOO_OLD)
    rows = [row for record in records for row in _questions(integration, record, since)]
    if not rows:
        return 0
    known = ChatAnswer.objects.filter(integration=integration, conversation__in={row.conversation for row in rows})
    before = set(known.values_list("conversation", "message"))
    fresh = [row for row in rows if (row.conversation, row.message) not in before]
    ChatAnswer.objects.bulk_create(fresh, ignore_conflicts=True)
    named = {row.conversation for row in fresh}
    for record in records:
        if record.external_id[:200] in named:
            _note_address(integration, record)
    if fresh:
        enqueue("chat.answer", queueing_lock=f"chat.answer:{integration.pk}", integration=integration.pk)
    return len(fresh)


def _questions(integration: ChannelIntegration, record: ConversationRecord, since: datetime) -> list[ChatAnswer]:
    return [
        ChatAnswer(
            integration=integration, conversation=record.external_id[:200], message=one.external_id[:200],
            author=one.author, question=" ".join(one.text.replace("\x00", "").split())[:MOST_QUESTION_CHARACTERS],
            asked_at=one.at, next_try_at=clock.now(),
        )
        for one in record.messages
        if one.external_id and one.author in ("customer", "agent", "note")
        and one.at >= since and commands.read(one.text[:MOST_QUESTION_CHARACTERS], one.author) is not None
    ]  # fmt: skip


def _note_address(integration: ChannelIntegration, record: ConversationRecord) -> None:
    """The address that the platform shows; another one than before is nobody who has proved anything."""
    address = folded_email(record.email) if record.email else ""
    talk, _ = ChatTalk.objects.get_or_create(integration=integration, conversation=record.external_id[:200])
    if talk.address != address:
        talk.address, talk.customer, talk.known_until, talk.offer = address, None, None, {}
        talk.save()


def answer(integration_id: int) -> int:
    """Answer what waits, the oldest first; return how many answers were said."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    due = ChatAnswer.objects.filter(integration=integration, state__in=[State.ASKED, State.WRITTEN])
    said = 0
    for row in due.filter(next_try_at__lte=clock.now()).order_by("asked_at", "pk")[:MOST_AT_ONCE]:
        row = _written(row.pk)
        if row.state == State.WRITTEN:
            said += _say(integration, row)
    return said


def _written(row_id: int) -> ChatAnswer:
    """Write the answer, in one transaction with what it does; one that was written is returned as it is."""
    with transaction.atomic():
        row = ChatAnswer.objects.select_for_update(of=("self",)).select_related("integration").get(pk=row_id)
        if row.state != State.ASKED:
            return row
        command = commands.read(row.question, row.author)
        talk = ChatTalk.objects.select_for_update(of=("self",)).select_related("customer").get(
            integration=row.integration_id, conversation=row.conversation
        )  # fmt: skip
        turn = Turn(row, talk, seat(row.integration, "chat"), _person(row), command or commands.Command("help"))
        try:
            with transaction.atomic():
                row.answer = reply_to(turn)
        except UserError as error:
            log.info("a message could not be answered", answer=row.pk, reason=str(error))
            row.answer = NOT_NOW
        talk.save()
        row.state = State.WRITTEN if row.answer else State.SILENT
        row.save(update_fields=["answer", "state"])
        failpoints.hit("chat.before_write")
    failpoints.hit("chat.after_write")
    return row


def _person(row: ChatAnswer) -> int | None:
    """Whose conversation it is, as far as is known: for agents, who see more than customers do."""
    known = ExternalId.objects.filter(integration=row.integration_id, kind="conversation", external_id=row.conversation)
    journey = CrossChannelJourney.objects.filter(pk__in=known.values("local_id")).first()
    return journey.customer_id if journey else None


def _say(integration: ChannelIntegration, row: ChatAnswer) -> bool:
    try:
        with opened_for(integration, AnswersConversations) as there:
            failpoints.hit("chat.before_say")
            there.answer_conversation(row.conversation, row.answer, after=row.message, is_note=row.author != "customer")
            failpoints.hit("chat.after_say")
    except (ConnectorError, *READING_ERRORS) as error:
        _put_off(row, str(said_no(integration, error)), for_good=is_refusal(error))
        return False
    except UserError as error:
        _put_off(row, str(error), for_good=False)
        return False
    breaker.note_success(integration.pk)
    ChatAnswer.objects.filter(pk=row.pk).update(state=State.SAID, last_error="")
    return True


def _put_off(row: ChatAnswer, error: str, *, for_good: bool) -> None:
    row.attempts += 1
    row.last_error = error[:300]
    row.next_try_at = clock.now() + min(timedelta(seconds=30 * 2**row.attempts), LONGEST_PAUSE)
    if for_good or row.attempts >= MOST_ATTEMPTS:
        row.state = State.FAILED
    row.save(update_fields=["attempts", "last_error", "next_try_at", "state"])


def waiting() -> list[int]:
    """The accounts at which an answer is due."""
    due = Q(chat_answers__state__in=[State.ASKED, State.WRITTEN], chat_answers__next_try_at__lte=clock.now())
    return list(ChannelIntegration.objects.filter(due).distinct().values_list("pk", flat=True))


def tidy() -> int:
    """Forget what was asked a month ago, and conversations in which nobody is known any more; return how many."""
    old, _ = ChatAnswer.objects.filter(created_at__lt=clock.days_ago(30)).delete()
    talks, _ = ChatTalk.objects.filter(updated_at__lt=clock.days_ago(30)).delete()
    return old + talks
