"""What is said: messages, tickets, notes, events and figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from finalmarket.connectors.errors import NotSupported, Rejected
from finalmarket.connectors.talk import (
    AnalyticsEvent,
    FigureRecord,
    MessageContent,
    OpensTickets,
    PullsConversations,
    PullsFigures,
    SendsEvents,
    SendsMessages,
    TicketContent,
)
from tests.connectors.cases import Case
from tests.connectors.conformance.batches import all_are_taken, more_than_the_limit_is_never_taken_in_one_call
from tests.connectors.conformance.pages import walk_through
from tests.connectors.conformance.stage import Stage, always, another_name, check, needed, on_a_double, staged
from tests.connectors.conformance.verbs import (
    Act,
    Verb,
    effects_from_here,
    may_repeat,
    none_refused,
    register,
    register_shapes,
    went_out_exact,
)


def _message_of(stage: Stage) -> MessageContent:
    content: MessageContent = needed(stage.case.message, "message")(stage.stand_in)
    return content


def _ticket_of(stage: Stage) -> TicketContent:
    content: TicketContent = needed(stage.case.ticket, "ticket")(stage.stand_in)
    return content


def _events_of(stage: Stage, count: int) -> list[AnalyticsEvent]:
    found = list(needed(stage.case.analytics_events, "analytics_events")(stage.stand_in, count))
    assert len({event.key for event in found}) == count, f"analytics_events(..., {count}) makes {count} different ones"
    return found


# Each once, under every fault.


def _message(stage: Stage) -> Act:
    content = _message_of(stage)
    return Act(
        lambda: stage.connector.send_message(content),
        effects_from_here(stage),
        lambda: stage.connector.find_message(content.key) is not None,
    )


def _ticket(stage: Stage) -> Act:
    content = _ticket_of(stage)
    return Act(
        lambda: stage.connector.open_ticket(content),
        effects_from_here(stage),
        lambda: stage.connector.find_ticket(content.key),
    )


def _note(stage: Stage) -> Act:
    ticket = stage.connector.open_ticket(_ticket_of(stage))
    return Act(
        lambda: stage.connector.note_ticket(ticket, "The parcel came back.", "note-key-1"),
        effects_from_here(stage),
        _nobody_can_tell,
    )


def _nobody_can_tell() -> bool:
    raise NotSupported("notes cannot be asked for: one of unknown outcome is not left a second time")


def _events(stage: Stage) -> Act:
    events = _events_of(stage, 2)
    return Act(lambda: none_refused(stage.connector.send_events(events)), effects_from_here(stage), may_repeat)


TALK_VERBS = (
    # A platform need not know that it sent a message before: the caller asks.
    Verb("send_message", SendsMessages, _message, is_keyed=False, is_asked=True),
    Verb("open_ticket", OpensTickets, _ticket, is_named=True, is_asked=True),
    Verb("note_ticket", OpensTickets, _note, is_keyed=False),
    Verb("send_events", SendsEvents, _events, is_for=lambda case: case.counts_events_once),
)
register(*TALK_VERBS)
register_shapes(*TALK_VERBS)


# Messages.


@check(SendsMessages)
def a_message_is_found_by_its_key_where_messages_can_be_asked_for(case: Case) -> None:
    with staged(case) as stage:
        content = _message_of(stage)
        try:
            assert stage.connector.find_message(content.key) is None
        except NotSupported:  # then a person decides
            return
        name = stage.connector.send_message(content)
        found = stage.connector.find_message(content.key)
        assert found is not None
        assert name in ("", found)
        assert stage.connector.find_message(f"{content.key}-other") is None


@check(SendsMessages)
def two_messages_are_two(case: Case) -> None:
    with staged(case) as stage:
        first, second = _message_of(stage), _message_of(stage)
        one, two = stage.connector.send_message(first), stage.connector.send_message(second)
        assert one != two or one == ""


@check(SendsMessages)
def a_message_to_what_is_no_address_is_rejected(case: Case) -> None:
    with staged(case) as stage:
        content, nothing = replace(_message_of(stage), to_email="nobody"), effects_from_here(stage)
        with pytest.raises(Rejected):
            stage.connector.send_message(content)
        assert nothing() == ()


# Tickets.


@check(OpensTickets)
def a_ticket_is_found_by_its_key_and_no_other_is(case: Case) -> None:
    with staged(case) as stage:
        content = _ticket_of(stage)
        assert stage.connector.find_ticket(content.key) is None
        name = stage.connector.open_ticket(content)
        assert name
        assert stage.connector.find_ticket(content.key) == name
        assert stage.connector.open_ticket(_ticket_of(stage)) != name


@check(OpensTickets, PullsConversations)
def a_ticket_comes_in_under_its_key_with_its_order_and_agents_alone_see_its_context(case: Case) -> None:
    with staged(case) as stage:
        content = replace(_ticket_of(stage), order_number="FM-4711", context="FM-4711 was delivered on Monday")
        name = stage.connector.open_ticket(content)
        record = stage.connector.pull_conversation(name)
        assert record is not None
        assert (record.external_id, record.key, record.order_number) == (name, content.key, "FM-4711")
        assert record.is_ticket
        assert any(content.text in message.text for message in record.messages if message.author != "note")
        assert not any(content.context in message.text for message in record.messages if message.author != "note")


@check(OpensTickets, PullsConversations)
def a_note_is_seen_by_agents_only(case: Case) -> None:
    with staged(case) as stage:
        name = stage.connector.open_ticket(_ticket_of(stage))
        stage.connector.note_ticket(name, "The parcel came back.", "note-key-2")
        record = stage.connector.pull_conversation(name)
        authors = [message.author for message in record.messages if "The parcel came back." in message.text]
        assert authors == ["note"]


@check(OpensTickets)
def a_note_in_a_ticket_that_is_not_there_is_rejected(case: Case) -> None:
    with staged(case) as stage:
        name = stage.connector.open_ticket(_ticket_of(stage))
        nothing = effects_from_here(stage)
        with pytest.raises(Rejected):
            stage.connector.note_ticket(another_name(name), "The parcel came back.", "note-key-3")
        assert nothing() == ()


# Events.


@check(SendsEvents)
def a_full_batch_of_events_is_counted(case: Case) -> None:
    all_are_taken(case, "send_events", "event_batch_limit", _events_of)


@check(SendsEvents)
def more_events_than_the_limit_are_never_taken_in_one_call(case: Case) -> None:
    more_than_the_limit_is_never_taken_in_one_call(case, "send_events", "event_batch_limit", _events_of)


@check(SendsEvents)
def no_events_are_told_without_a_call(case: Case) -> None:
    assert list(on_a_double(case, always(500)).send_events([])) == []


@check(SendsEvents)
def an_event_that_is_too_old_comes_back_refused_and_the_others_count(case: Case) -> None:
    age: timedelta | None = getattr(case.connector, "most_event_age", None)
    if age is None:
        return
    with staged(case) as stage:
        first, second, last = _events_of(stage, 3)
        nothing = effects_from_here(stage)
        none_refused(stage.connector.send_events([first, last]))
        counted = nothing()
    with staged(case) as stage:
        first, second, last = _events_of(stage, 3)
        old = replace(second, at=stage.world.clock.now() - age - timedelta(hours=1))
        nothing = effects_from_here(stage)
        (refused,) = stage.connector.send_events([first, old, last])
        assert isinstance(refused, Rejected)
        assert refused.key == old.key
        assert refused.reason.strip()
        assert nothing() == counted, "the event was refused, and something else came of the others than without it"
        (alone,) = stage.connector.send_events([old])
        assert alone.key == old.key
        assert nothing() == counted


@check(SendsEvents)
def an_event_of_the_last_minutes_of_its_time_still_counts(case: Case) -> None:
    age: timedelta | None = getattr(case.connector, "most_event_age", None)
    with staged(case) as stage:
        (event,) = _events_of(stage, 1)
        nothing = effects_from_here(stage)
        moment = stage.world.clock.now() - (age - timedelta(minutes=15) if age else timedelta(0))
        none_refused(stage.connector.send_events([replace(event, at=moment)]))
        assert nothing()


@check(SendsEvents)
def the_amounts_of_an_event_go_out_exact(case: Case) -> None:
    """Three at 1.10 make 3.30; in binary fractions they make 3.3000000000000003."""
    with staged(case) as stage:
        (event,) = _events_of(stage, 1)
        items = tuple(replace(item, quantity=3, unit_price=Decimal("1.10")) for item in event.items)
        amount = None if event.amount is None else Decimal("3.30") * max(1, len(items))
        none_refused(stage.connector.send_events([replace(event, items=items, amount=amount)]))
        went_out_exact(stage)


# What was counted.


@check(PullsFigures)
def figures_are_exact_each_once_and_of_the_days_that_were_asked_for(case: Case) -> None:
    with staged(case) as stage:
        today = stage.world.clock.now().date()
        sent = 0
        if issubclass(case.connector, SendsEvents):
            events = [event for event in _events_of(stage, 3) if event.name == "purchase"]
            none_refused(stage.connector.send_events(events))
            sent = len(events)
        found = list(stage.connector.pull_figures(today - timedelta(days=2), today + timedelta(days=1)))
        rows: dict[tuple[date, str], FigureRecord] = {(row.day, row.source): row for row in found}
        assert len(rows) == len(found), "a day and a source are counted twice"
        assert {row.day for row in found} <= {today + timedelta(days=days) for days in (-2, -1, 0, 1)}
        for row in found:
            walk_through(row, "FigureRecord")
        assert not sent or sum(row.purchases for row in found) >= 1
        assert not sum(row.purchases for row in stage.connector.pull_figures(*[today - timedelta(days=20)] * 2))
