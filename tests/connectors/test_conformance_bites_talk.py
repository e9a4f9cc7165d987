"""The suite can fail: talk and mail that break the contract in one place each are found out, each by the right check.
That the practice office keeps it as it is, test_conformance.py shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.errors import RetryLater, Unintelligible
from finalmarket.connectors.paging import write_cursor
from finalmarket.connectors.platforms.practice_office.words import interaction_record
from tests.connectors.mutants import (
    Mutant,
    again_and_again,
    around,
    blaming_the_record,
    content_with_anything,
    declaring,
    never,
    on_a_platform,
    pages_changed,
    records_changed,
    renamed,
    renamed_each,
)
from tests.connectors.test_conformance_bites import FOUND_OUT, check_called

OFFICE = "practice_office"


def every_other_page(real: Any, *arguments: Any) -> Iterator[Any]:
    pages = list(real(*arguments))
    return iter([*pages[:-1][::2], pages[-1]])


def round_and_round(real: Any, cursor: str, since: Any) -> Iterator[Any]:
    (office,) = real.args
    while True:
        page = office._page("interactions", cursor, since, interaction_record)
        yield page
        if page.is_last:
            return
        cursor = page.cursor


def one_short_after_a_break(real: Any, cursor: str, since: Any) -> Iterator[Any]:
    pages = list(real(cursor, since))
    if cursor and pages:
        pages[0] = replace(pages[0], records=pages[0].records[1:])
    return iter(pages)


def far_ahead(page: Any) -> Any:
    return replace(page, cursor=write_cursor(after="999999999")) if page.is_last else page


def silent_when_empty(real: Any, *arguments: Any) -> Iterator[Any]:
    return (page for page in real(*arguments) if page.records)


def content_with_a_part(real: Any, *arguments: Any) -> Iterator[Any]:
    pages = []
    try:
        pages += list(real(*arguments))
    except RetryLater:
        return iter(pages)
    return iter(pages)


def stopped_by_the_bad_one(page: Any) -> Any:
    if page.unreadable:
        raise Unintelligible(page.unreadable[0].reason)
    return page


def forgetting_the_moment(real: Any, cursor: str, since: Any) -> Iterator[Any]:
    found: Iterator[Any] = real(cursor, None)
    return found


def raising_for_none(real: Any, external_id: str) -> Any:
    found = real(external_id)
    if found is None:
        raise Unintelligible("there is none")
    return found


def note_as_an_answer(real: Any, external_id: str) -> Any:
    found = real(external_id)
    if found is None:
        return None
    told = tuple(
        replace(message, author="agent") if message.author == "note" else message for message in found.messages
    )  # fmt: skip
    return replace(found, messages=told)


def noting_again(real: Any, ticket: str, note: str, key: str) -> None:
    keys = iter(("one", "two", "three"))
    again_and_again(lambda: real(ticket, note, next(keys)))


def telling_the_customer(real: Any, content: Any) -> Any:
    return real(replace(content, text=f"{content.text} {content.context}"))


def old_ones_dropped(real: Any, events: Any) -> Any:
    newest = max((event.at for event in events), default=None)
    return real([event for event in events if newest and event.at > newest - timedelta(days=1)])


def old_ones_dropped_by_age(real: Any, events: Any) -> Any:
    """Lose silently whatever is refused for its age."""
    return [refused for refused in real(events) if refused.code != "too_old"]


def as_floats(real: Any, *days: Any) -> Any:
    return [replace(row, revenue=float(row.revenue)) for row in real(*days)]


def twice(real: Any, *days: Any) -> Any:
    return [*real(*days), *real(*days)]


def of_any_day(real: Any, first: Any, last: Any) -> Any:
    return real(first - timedelta(days=60), last + timedelta(days=60))


def without_limits(real: Any, told: Any, most: int, take: Any) -> Any:
    return real(told, 1_000_000, take)


def asking_for_nothing(real: Any, records: Any) -> Any:
    return real.args[0].http.call("POST", "/v1/events", json={"events": []}) and [] if not records else real(records)


MUTANTS = (
    # Streams.
    Mutant("skips pages", "all_of_a_stream_comes_in_oldest_change_first-conversations",
           around("pull_conversations", every_other_page)),
    Mutant("loses one where it goes on", "pages_resume_from_any_cursor-interactions",
           around("pull_interactions", one_short_after_a_break)),
    Mutant("leaves what is new behind", "what_is_new_comes_in_from_the_last_cursor-conversations",
           around("pull_conversations", pages_changed(far_ahead))),
    Mutant("says nothing of nothing", "an_empty_stream_has_one_last_page_and_a_cursor_to_go_on_from-interactions",
           around("pull_interactions", silent_when_empty)),
    Mutant("forgets the moment", "a_pull_begins_at_the_moment_it_is_given-conversations",
           around("pull_conversations", forgetting_the_moment)),
    Mutant("goes round", "a_cursor_that_comes_a_second_time_is_noticed-interactions",
           around("pull_interactions", round_and_round)),
    Mutant("takes a part for all", "faults_on_the_way_lose_nothing-conversations",
           around("pull_conversations", content_with_a_part)),
    Mutant("loses what comes beside a doubled one", "records_that_come_twice_are_whole_all_the_same-interactions",
           around("pull_interactions", every_other_page)),
    Mutant("loses the zone", "amounts_are_exact_and_moments_aware-interactions",
           around("pull_interactions", records_changed(at=lambda record: record.at.replace(tzinfo=None)))),
    Mutant("raises for none", "one_record_is_what_the_stream_brings_and_none_for_an_unknown_id-conversations",
           around("pull_conversation", raising_for_none)),
    Mutant("forgets new words", "a_word_that_no_documentation_knows_survives_in_a_conversation",
           around("pull_conversations", records_changed(unknown=lambda record: ()))),
    Mutant("forgets new deeds", "a_word_that_no_documentation_knows_survives_in_an_interaction",
           around("pull_interactions", records_changed(unknown=lambda record: ()))),
    Mutant("stops at the bad one", "a_record_that_cannot_be_read_is_set_aside_and_the_others_stand-conversations",
           around("pull_conversations", pages_changed(stopped_by_the_bad_one))),
    Mutant("hides the bad one", "a_record_that_cannot_be_read_is_set_aside_and_the_others_stand-interactions",
           around("pull_interactions", pages_changed(lambda page: replace(page, unreadable=())))),
    # Messages.
    Mutant("sends again blindly", "lost_news_of_a_write_never_doubles_it-send_message",
           around("send_message", again_and_again)),
    Mutant("does not find what it sent", "what_was_done_out_of_sight_is_found_by_asking-send_message",
           around("find_message", never)),
    Mutant("blames the message", "what_is_applied_but_not_told_is_never_called_rejected-send_message",
           around("send_message", blaming_the_record)),
    Mutant("finds none by its key", "a_message_is_found_by_its_key_where_messages_can_be_asked_for",
           around("find_message", never)),
    Mutant("calls all messages one", "two_messages_are_two", around("send_message", lambda real, content: "M1")),
    Mutant("hides a refusal", "a_message_to_what_is_no_address_is_rejected",
           around("send_message", content_with_anything("M1"))),
    # Tickets.
    Mutant("opens one more each time", "done_twice_it_counts_once-open_ticket",
           around("open_ticket", renamed("key"))),
    Mutant("opens one more on trouble", "lost_news_of_a_write_never_doubles_it-open_ticket",
           around("open_ticket", lambda real, content: again_and_again(lambda: renamed("key")(real, content)))),
    Mutant("does not find its ticket", "what_was_done_out_of_sight_is_found_by_asking-open_ticket",
           around("find_ticket", never)),
    Mutant("needs no name", "an_answer_of_another_shape_to_a_write_is_an_error_of_ours-open_ticket",
           around("open_ticket", content_with_anything(""))),
    Mutant("finds any ticket", "a_ticket_is_found_by_its_key_and_no_other_is",
           around("find_ticket", lambda real, key: real(key) or "T1")),
    Mutant("drops the order", "a_ticket_comes_in_under_its_key_with_its_order_and_agents_alone_see_its_context",
           around("open_ticket", lambda real, content: real(replace(content, order_number="")))),
    Mutant("tells the customer", "a_ticket_comes_in_under_its_key_with_its_order_and_agents_alone_see_its_context",
           around("open_ticket", telling_the_customer)),
    Mutant("shows notes to customers", "a_note_is_seen_by_agents_only",
           around("pull_conversation", note_as_an_answer)),
    Mutant("leaves notes nowhere", "a_note_in_a_ticket_that_is_not_there_is_rejected",
           around("note_ticket", content_with_anything(None))),
    Mutant("leaves notes again blindly", "lost_news_of_a_write_never_doubles_it-note_ticket",
           around("note_ticket", noting_again)),
    # Events and figures.
    Mutant("counts events again", "done_twice_it_counts_once-send_events", around("send_events", renamed_each("key"))),
    Mutant("batches too many events", "a_full_batch_of_events_is_counted", declaring(event_batch_limit=26)),
    Mutant("a platform without limits", "more_events_than_the_limit_are_never_taken_in_one_call",
           on_a_platform("_each", without_limits)),
    Mutant("tells nothing by a call", "no_events_are_told_without_a_call", around("send_events", asking_for_nothing)),
    Mutant("loses old events", "an_event_that_is_too_old_comes_back_refused_and_the_others_count",
           around("send_events", old_ones_dropped)),
    Mutant("hides refused events", "an_event_that_is_too_old_comes_back_refused_and_the_others_count",
           around("send_events", old_ones_dropped_by_age)),
    Mutant("promises too long a time", "an_event_of_the_last_minutes_of_its_time_still_counts",
           declaring(most_event_age=timedelta(days=4))),
    Mutant("tells amounts in floats", "the_amounts_of_an_event_go_out_exact",
           around("send_events", lambda real, events: real([
               replace(event, amount=Decimal(sum(float(item.unit_price) * item.quantity for item in event.items)))
               for event in events]))),
    Mutant("counts in floats", "figures_are_exact_each_once_and_of_the_days_that_were_asked_for",
           around("pull_figures", as_floats)),
    Mutant("counts twice", "figures_are_exact_each_once_and_of_the_days_that_were_asked_for",
           around("pull_figures", twice)),
    Mutant("counts any day", "figures_are_exact_each_once_and_of_the_days_that_were_asked_for",
           around("pull_figures", of_any_day)),
)  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name.replace(" ", "_"))
def test_talk_that_breaks_the_contract_is_found_out(mutant: Mutant) -> None:
    broken = mutant.case(OFFICE)
    with pytest.raises(FOUND_OUT):
        check_called(mutant.check).run(broken)


@pytest.mark.parametrize(
    ("field", "check"),
    [
        ("message", "two_messages_are_two"),
        ("ticket", "a_ticket_is_found_by_its_key_and_no_other_is"),
        ("analytics_events", "a_full_batch_of_events_is_counted"),
        ("seed_conversations", "all_of_a_stream_comes_in_oldest_change_first-conversations"),
        ("seed_unknown_interaction", "a_word_that_no_documentation_knows_survives_in_an_interaction"),
    ],
)
def test_what_a_case_leaves_out_of_talk_is_named(field: str, check: str) -> None:
    bare: dict[str, Any] = {field: None}
    case = replace(Mutant("", "", lambda case: case).case(OFFICE), **bare)
    with pytest.raises(AssertionError, match=f"the case leaves out `{field}`"):
        check_called(check).run(case)
