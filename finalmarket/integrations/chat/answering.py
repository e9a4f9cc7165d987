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
from django.db.models import Exists, OuterRef, Q, QuerySet

from finalmarket.connectors.errors import ConnectorError
from finalmarket.connectors.paging import READING_ERRORS
from finalmarket.connectors.talk import AnswersConversations, ConversationRecord
from finalmarket.customers.known_by import folded_email
from finalmarket.integrations import breaker, duties
from finalmarket.integrations.chat import commands, offers
from finalmarket.integrations.chat.replies import NOT_NOW, Turn, reply_to
from finalmarket.integrations.desk.asking import is_refusal, opened_for, said_no
from finalmarket.integrations.lanes import lane
from finalmarket.integrations.models import ChannelIntegration, ChatAnswer, ChatTalk, ExternalId
from finalmarket.integrations.storing import NOT_THE_RECORDS_FAULT
from finalmarket.integrations.talk.seats import seat
from finalmarket.journeys.models import CrossChannelJourney
from finalmarket.kernel import clock, failpoints
from finalmarket.kernel.errors import UserError
from finalmarket.kernel.jobs import enqueue

DUTY = "answers"
LANE = "chat.answer"
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

    Only what was said since answering is the account's duty, and within a day. A conversation at which we fail keeps no
    other from being heard; it is heard when it comes in again.
    """
    if not duties.does(integration, DUTY) or (begun := duties.since(integration, DUTY)) is None:
        return 0
    try:
        with transaction.atomic():
            return _hear(integration, records, max(begun, clock.now() - TOO_OLD))
    except NOT_THE_RECORDS_FAULT:
        raise
    except Exception as error:  # whatever a conversation does to us
        if len(records) == 1:
            said_in = {"integration": integration.pk, "conversation": records[0].external_id[:200]}
            log.error("a conversation could not be heard", **said_in, exc_info=error)
            return 0
    return sum(hear(integration, [record]) for record in records)


def _hear(integration: ChannelIntegration, records: Sequence[ConversationRecord], since: datetime) -> int:
    offered = offers.told_in(integration, records)
    rows = [
        row
        for record in records
        for row in _questions(integration, record, since, offered.get(record.external_id[:200], ""))
    ]
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
        wake(integration.pk)
    return len(fresh)


def wake(integration_id: int) -> None:
    """Have a worker answer what waits at an account."""
    enqueue("chat.answer", queueing_lock=f"chat.answer:{integration_id}", integration=integration_id)


def _questions(
    integration: ChannelIntegration, record: ConversationRecord, since: datetime, offer: str
) -> list[ChatAnswer]:
    """What a conversation asks of us; a yes or no that does not follow the offer which waits for it is for people."""
    return [
        ChatAnswer(
            integration=integration, conversation=record.external_id[:200], message=one.external_id[:200],
            author=one.author, question=" ".join(one.text.replace("\x00", "").split())[:MOST_QUESTION_CHARACTERS],
            asked_at=one.at, next_try_at=clock.now(),
        )
        for number, one in enumerate(record.messages)
        if one.external_id and one.author in ("customer", "agent", "note") and one.at >= since
        and (command := commands.read(one.text[:MOST_QUESTION_CHARACTERS], one.author)) is not None
        and (command.name not in offers.ANSWERS or offers.follows(record.messages[:number], offer))
    ]  # fmt: skip


def _note_address(integration: ChannelIntegration, record: ConversationRecord) -> None:
    """The address that the platform shows; another one than before is nobody who has proved anything."""
    address = folded_email(record.email) if record.email else ""
    talk, _ = ChatTalk.objects.get_or_create(integration=integration, conversation=record.external_id[:200])
    if talk.address != address:
        talk.address, talk.customer, talk.known_until, talk.offer = address, None, None, {}
        talk.save()


def answer(integration_id: int) -> int:
    """Answer what waits, the oldest first, if nobody else is doing so; return how many answers were said."""
    integration = ChannelIntegration.objects.get(pk=integration_id)
    said = 0
    with lane(integration_id, LANE) as held:
        if held is None:
            return 0
        for row in _due(integration).order_by("asked_at", "pk")[:MOST_AT_ONCE]:
            if not held.is_held():
                break
            said += _answered(integration, row)
    if _due(integration).exists():  # it came while we were at it, and whoever was woken for it found the lane taken
        wake(integration_id)
    return said


def _unanswered() -> QuerySet[ChatAnswer]:
    return ChatAnswer.objects.filter(state__in=[State.ASKED, State.WRITTEN])


def _due(integration: ChannelIntegration) -> QuerySet[ChatAnswer]:
    return _unanswered().filter(integration=integration, next_try_at__lte=clock.now())


def _answered(integration: ChannelIntegration, row: ChatAnswer) -> bool:
    """Write the answer and say it; return whether it was said."""
    try:
        written = _written(row.pk)
        return written.state == State.WRITTEN and _say(integration, written)
    except NOT_THE_RECORDS_FAULT:
        raise
    except Exception as error:  # whatever a message does to us, the others are answered
        log.error("a message could not be answered", answer=row.pk, exc_info=error)
        _put_off(row, f"our own fault: {type(error).__name__}: {error}", for_good=False)
        return False


def _written(row_id: int) -> ChatAnswer:
    """Write the answer, in one transaction with what it does; one that was written is returned as it is."""
    with transaction.atomic():
        row = ChatAnswer.objects.select_for_update(of=("self",)).select_related("integration").get(pk=row_id)
        if row.state != State.ASKED:
            return row
        command = commands.read(row.question, row.author)
        talk = _talk_of(row)
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


def _talk_of(row: ChatAnswer) -> ChatTalk:
    """Its conversation, locked; one that was forgotten since it was asked begins anew, and nobody is known in it."""
    locked = ChatTalk.objects.select_for_update(of=("self",)).select_related("customer")
    talk, _ = locked.get_or_create(integration=row.integration, conversation=row.conversation)
    return talk


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
    ChatAnswer.objects.filter(pk=row.pk, state=State.WRITTEN).update(state=State.SAID, last_error="")
    return True


def _put_off(row: ChatAnswer, error: str, *, for_good: bool) -> None:
    """Try it again later, a few times; what somebody else has said meanwhile stays said."""
    attempts = row.attempts + 1
    pause = min(timedelta(seconds=30 * 2**attempts), LONGEST_PAUSE)
    end = {"state": State.FAILED} if for_good or attempts >= MOST_ATTEMPTS else {}
    _unanswered().filter(pk=row.pk).update(
        attempts=attempts, last_error=error[:300], next_try_at=clock.now() + pause, **end
    )


def waiting() -> list[int]:
    """The accounts at which an answer is due."""
    due = Q(chat_answers__state__in=[State.ASKED, State.WRITTEN], chat_answers__next_try_at__lte=clock.now())
    return list(ChannelIntegration.objects.filter(due).distinct().values_list("pk", flat=True))


def tidy() -> int:
    """Forget what was asked a month ago, and conversations in which nobody is known any more and nothing waits to be
    answered; return how many."""
    old, _ = ChatAnswer.objects.filter(created_at__lt=clock.days_ago(30)).delete()
    asked = _unanswered().filter(integration=OuterRef("integration"), conversation=OuterRef("conversation"))
    talks, _ = ChatTalk.objects.filter(~Exists(asked), updated_at__lt=clock.days_ago(30)).delete()
    return old + talks
