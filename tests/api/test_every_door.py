"""Every call by every kind of key, about what is its own, another's, and nobody's: made from the description, so that a
call that is added has to say here how it meets a key that is bound to another channel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from finalmarket.access import keys, rates
from finalmarket.access.models import ApiKey
from finalmarket.api.door import ANY_SCOPE
from finalmarket.kernel import clock
from tests.api.calling import Program
from tests.api.conftest import open_house
from tests.api.furnished import Call, Furnished, absent, calls

CALLS = calls()
# How a key that is bound to the till is answered about things of the web.
MEETS: dict[str, str] = {
    # 404: it may not even know that it is there.
    "hidden": """
        get_variant get_product get_level list_movements get_reservation confirm_reservation release_reservation
        fulfil_reservation get_policy change_policy get_order list_order_history cancel_order note_on_order
        route_order settle_order list_parcels ship_parcel label_parcel deliver_parcel reject_parcel pay_order
        capture_payment void_payment refund_order return_goods exchange_goods receive_return cancel_return
        get_channel change_channel get_channel_health pause_channel resume_channel set_channel_sources get_listing
        change_listing remove_listing get_journey list_touchpoints complete_journey abandon_journey add_touchpoint
        get_cart add_to_cart change_cart remove_from_cart claim_cart hold_cart release_cart check_out_cart
        get_integration connect_integration test_integration sync_integration pause_integration resume_integration
        start_pushing disconnect_integration list_runs list_letters replay_letter drop_letter report_drift""",
    # 403: it names the channel, or what all channels share, itself.
    "refused": """
        explain_level reserve_stock open_location change_location adjust_stock adjust_stock_in_bulk receive_stock
        announce_delivery receive_expected postpone_expected cancel_expected draft_transfer ship_transfer
        receive_transfer close_transfer cancel_transfer start_count record_count apply_count cancel_count keep_stock
        place_order open_channel add_listing list_in_bulk start_journey record_interaction list_interactions open_cart
        get_cart_of_customer get_metrics list_daily_figures compare_figures open_integration""",
    # 200 with nothing of the web in it.
    "narrowed": """
        list_variants list_products list_levels list_orders list_channels list_listings list_journeys
        list_integrations list_figures list_journey_figures list_health""",
    # 200, and each one that is of the web is refused by itself.
    "each": "reserve_stock_in_bulk place_orders_in_bulk record_interactions",
    # What is of no channel: places and what moves between them, and the key itself.
    "house": """
        list_locations get_location list_expected get_expected list_transfers get_transfer list_counts get_count
        list_count_lines list_categories get_category list_platforms get_key rotate_key""",
    # It is about the till as well, where it may.
    "own": "take_cart_over",
}
ROWS = {name: word for word, names in MEETS.items() for name in names.split()}
ASKED_OF_WEB = {"explain_level", "list_interactions", "get_cart_of_customer", "get_metrics", "list_daily_figures"}
"""Calls whose channel stands in the query, and is named here: that of the web."""
GETS_IN = {200, 201, 202, 204, 409, 412, 422}


def of_persons(call: Call) -> bool:
    """Whether a key for it cannot be bound at all."""
    return call.scope in keys.OF_ALL_CHANNELS


def test_every_call_says_here_how_it_meets_a_key_of_another_channel() -> None:
    bindable = {name for name, call in CALLS.items() if not of_persons(call)}
    assert bindable - ROWS.keys() == set(), "say in MEETS how they meet a key that is bound to another channel"
    assert ROWS.keys() - bindable == set()


@pytest.fixture
def there(committed_database: object) -> Iterator[Furnished]:
    rates.forget()
    yield Furnished(open_house())
    rates.forget()


def named(call: Call, there: Furnished) -> dict[str, Any]:
    """Words for the query that name the web channel, where the call takes them."""
    words = {one["name"] for one in call.operation["parameters"] if one["in"] == "query"}
    return {"channel": there.web.pk} if "channel" in words and call.name in ASKED_OF_WEB else {}


def wrong(there: Furnished, program: Program, wanted: Any, **others: Any) -> list[str]:
    """Calls that are not answered as wanted: `wanted` says of a call which statuses are right, None to leave it out."""
    found = []
    for call in CALLS.values():
        right = wanted(call)
        if right is None:
            continue
        answer = there.send(program, call, asked=named(call, there), **others)
        described = {int(status) for status in call.operation["responses"]}
        if answer.status_code not in right & described:
            found.append(f"{call.name}: {answer.status_code} {answer.content[:200]!r}")
    return found


def keyless(there: Furnished, shown: str) -> list[str]:
    """Calls that are answered by another word than 401 to somebody who shows this."""
    program = Program()
    program.key = shown
    return wrong(there, program, lambda call: {401})


@pytest.mark.committed_database
def test_whoever_shows_no_key_that_works_is_let_in_nowhere(there: Furnished) -> None:
    revoked, expired = Program(), Program()
    keys.revoke(revoked.row.pk)
    ApiKey.objects.filter(pk=expired.row.pk).update(expires_at=clock.now() - timedelta(seconds=1))
    prefix = Program().key[:16]
    for shown in ("", "fm_nothing", f"{prefix}_{'A' * 43}", revoked.key, expired.key):
        assert keyless(there, shown) == [], shown[:20]


@pytest.mark.committed_database
def test_a_key_with_every_scope_but_the_one_is_refused_by_each_call(there: Furnished) -> None:
    for scope in sorted({call.scope for call in CALLS.values()} - {ANY_SCOPE}):
        program = Program(*(keys.SCOPES.keys() - {scope}))
        refused = wrong(there, program, lambda call, scope=scope: {403} if call.scope == scope else None)
        assert refused == [], scope


@pytest.mark.committed_database
def test_a_key_with_the_scope_alone_gets_in_to_what_is_there_and_to_nothing_that_is_not(there: Furnished) -> None:
    for scope in sorted({call.scope for call in CALLS.values()} - {ANY_SCOPE}):
        program = Program(scope)
        own = wrong(
            there, program, lambda call, scope=scope: _in(call) if call.scope == scope else None
        )  # fmt: skip
        assert own == [], scope
        nothing = {word: absent(word) for call in CALLS.values() for word in call.words}
        gone = wrong(
            there, program, lambda call, scope=scope: {404} if call.scope == scope and call.words else None, **nothing
        )
        assert gone == [], scope


def _in(call: Call) -> set[int]:
    return {200} if call.method == "GET" else GETS_IN


@pytest.mark.committed_database
def test_a_key_that_is_bound_to_the_channel_does_there_what_an_unbound_one_does(there: Furnished) -> None:
    program = Program(*sorted(keys.SCOPES.keys() - keys.OF_ALL_CHANNELS), channels=[there.web.pk])
    not_for_bound = {"open_channel", "open_location", "compare_figures", "take_cart_over", "add_touchpoint"}  # of two
    own = wrong(there, program, lambda call: _in(call) | _shared(call) if _is_asked(call, not_for_bound) else None)
    assert own == []


def _is_asked(call: Call, besides: set[str]) -> bool:
    return not of_persons(call) and call.name not in besides


def _shared(call: Call) -> set[int]:
    """What lies in a place that no channel has for itself alone is not changed by a key of one channel."""
    return {403} if call.scope == "stock:write" or call.name == "set_channel_sources" else set()


@pytest.mark.committed_database
def test_a_key_that_is_bound_to_another_channel_is_met_as_the_table_says(there: Furnished) -> None:
    program = Program(*sorted(keys.SCOPES.keys() - keys.OF_ALL_CHANNELS), channels=[there.till.pk])
    statuses = {"hidden": {404}, "refused": {403}, "narrowed": {200}, "each": {200}, "house": {200, 201},
                "own": {403, 404, 422}}  # fmt: skip
    assert wrong(there, program, lambda call: statuses[ROWS[call.name]] if call.name in ROWS else None) == []
    for name in MEETS["narrowed"].split():
        told = json.loads(there.send(program, CALLS[name]).content)
        assert not seen_of_web(told, there), name
    for name in MEETS["each"].split():
        told = json.loads(there.send(program, CALLS[name]).content)
        assert all("refused" in json.dumps(one) for one in told["items"]), name


def seen_of_web(told: Any, there: Furnished) -> list[Any]:
    """Rows that are of the web channel, or name something that lies there alone."""
    rows = told["items"] if isinstance(told, dict) and "items" in told else [told]
    alone = {there.named["order"], there.named["journey"], there.named["integration"]}
    return [row for row in rows if row.get("channel") == there.web.pk or (row.get("id") in alone and "name" not in row)]


@pytest.mark.committed_database
def test_nobody_is_told_more_of_what_is_anothers_than_of_what_is_not_there(there: Furnished) -> None:
    program = Program(*sorted(keys.SCOPES.keys() - keys.OF_ALL_CHANNELS), channels=[there.till.pk])
    for name in MEETS["hidden"].split():
        call = CALLS[name]
        foreign = there.send(program, call)
        nothing = {word: absent(word) for word in call.words}
        gone = there.send(program, call, **nothing)
        said = [json.loads(one.content).get("detail", name) for one in (foreign, gone)]
        plain = [_without(text, [*there.named.values(), *nothing.values()]) for text in said]
        assert plain[0] == plain[1], name


def _without(text: str, values: list[Any]) -> str:
    for value in sorted(map(str, values), key=len, reverse=True):
        text = text.replace(f" {value} ", " … ").replace(f" {value}.", " ….")
    return text
