"""Platforms that keep books: orders and movements of stock go out, each once, whole and exact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from finalmarket.connectors.books import (
    MovementNotice,
    OrderContent,
    OrderContentLine,
    OrderNames,
    PushesMovements,
    PushesOrders,
)
from finalmarket.connectors.errors import Rejected
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


def _content(stage: Stage) -> OrderContent:
    content: OrderContent = needed(stage.case.order_content, "order_content")(stage.stand_in)
    return content


def _movements(stage: Stage, count: int) -> list[MovementNotice]:
    found = list(needed(stage.case.movements, "movements")(stage.stand_in, count))
    assert len({notice.key for notice in found}) == count, f"movements(..., {count}) is to make {count} different ones"
    return found


def _order(stage: Stage) -> Act:
    content = _content(stage)
    return Act(
        lambda: stage.connector.push_order(content),
        effects_from_here(stage),
        lambda: stage.connector.find_order(content.number),
    )


def _movement(stage: Stage) -> Act:
    notices = _movements(stage, 2)
    # What is posted twice under one key counts once: the contract lets a caller post again unasked.
    return Act(
        lambda: none_refused(stage.connector.push_movements(notices)), effects_from_here(stage), may_repeat
    )  # fmt: skip


BOOK_VERBS = (
    Verb("push_order", PushesOrders, _order, is_named=True, is_asked=True),
    Verb("push_movements", PushesMovements, _movement),
)
register(*BOOK_VERBS)
register_shapes(*BOOK_VERBS)


@check(PushesOrders)
def an_order_that_was_told_is_found_by_its_number_and_no_other_is(case: Case) -> None:
    with staged(case) as stage:
        content = _content(stage)
        assert stage.connector.find_order(content.number) is None
        told = stage.connector.push_order(content)
        assert isinstance(told, OrderNames)
        assert told.external_id
        assert set(told.lines) <= {line.line_id for line in content.lines}
        found = stage.connector.find_order(content.number)
        assert found is not None
        assert found.external_id == told.external_id
        assert {**found.lines, **told.lines} == {**told.lines, **found.lines}, "a line has two names"


@check(PushesOrders)
def two_orders_are_two(case: Case) -> None:
    with staged(case) as stage:
        first, second = stage.connector.push_order(_content(stage)), stage.connector.push_order(_content(stage))
        assert first.external_id != second.external_id


@check(PushesOrders)
def an_order_that_has_changed_is_told_again_and_keeps_its_name(case: Case) -> None:
    with staged(case) as stage:
        content = _content(stage)
        told = stage.connector.push_order(content)
        stage.time.advance(timedelta(hours=1))
        changed = replace(
            content, key=f"{content.key}-changed", external_id=told.external_id, line_ids=told.lines,
            updated_at=content.updated_at + timedelta(hours=1), payment_state="paid", tracking_number="TRACK-4711",
            carrier="DHL", tracking_url="https://parcels.example.org/TRACK-4711",
        )  # fmt: skip
        try:
            again = stage.connector.push_order(changed)
        except Rejected as error:  # what is closed there cannot be changed any more
            assert error.reason.strip()
            return
        assert again.external_id == told.external_id
        assert {line: name for line, name in again.lines.items() if line in told.lines} == dict(told.lines)
        assert stage.connector.find_order(content.number).external_id == told.external_id


def _three_at_1_10(line: OrderContentLine) -> OrderContentLine:
    return replace(
        line, quantity=3, unit_price=Decimal("1.10"), discount=Decimal(0), tax=Decimal(0), cancelled_quantity=0
    )  # fmt: skip


@check(PushesOrders)
def the_amounts_of_an_order_go_out_exact(case: Case) -> None:
    """Three at 1.10 make 3.30; in binary fractions they make 3.3000000000000003."""
    with staged(case) as stage:
        content = _content(stage)
        lines = tuple(_three_at_1_10(line) if line.kind == "goods" else line for line in content.lines)
        total = sum((line.unit_price * line.quantity + line.tax - line.discount for line in lines), Decimal(0))
        stage.connector.push_order(replace(content, lines=lines, total=total, tax=Decimal(0)))
        went_out_exact(stage)


@check(PushesMovements)
def a_full_batch_of_movements_is_posted(case: Case) -> None:
    all_are_taken(case, "push_movements", "movement_batch_limit", _movements)


@check(PushesMovements)
def more_movements_than_the_limit_are_never_taken_in_one_call(case: Case) -> None:
    more_than_the_limit_is_never_taken_in_one_call(case, "push_movements", "movement_batch_limit", _movements)


@check(PushesMovements)
def no_movements_are_posted_without_a_call(case: Case) -> None:
    assert list(on_a_double(case, always(500)).push_movements([])) == []


@check(PushesMovements)
def a_movement_that_is_refused_comes_back_by_its_key_and_the_others_stand(case: Case) -> None:
    if case.connector.movement_batch_limit < 3:  # type: ignore[attr-defined]  # a connector that declares movements
        return _a_movement_alone_is_refused(case)
    with staged(case) as stage:
        first, second, last = _movements(stage, 3)
        bad = _bad(stage, second)
        nothing = effects_from_here(stage)
        (refused,) = stage.connector.push_movements([first, bad, last])
        _is_refusal_of(refused, bad)
        assert nothing(), "the others were not posted"
        posted = effects_from_here(stage)
        none_refused(stage.connector.push_movements([first, last]))
        assert posted() == (), "the others had not been posted: told again under their keys, they changed something"
    return None


def _a_movement_alone_is_refused(case: Case) -> None:
    with staged(case) as stage:
        (notice,) = _movements(stage, 1)
        bad, nothing = _bad(stage, notice), effects_from_here(stage)
        (refused,) = stage.connector.push_movements([bad])
        _is_refusal_of(refused, bad)
        assert nothing() == ()


def _bad(stage: Stage, notice: MovementNotice) -> MovementNotice:
    """The movement, of something that the platform does not have."""
    if stage.case.bad_movement is not None:
        return stage.case.bad_movement(stage.stand_in, notice)
    return replace(notice, sku="NO-SUCH-SKU", item_id=another_name(notice.item_id))


def _is_refusal_of(refused: Any, bad: Any) -> None:
    assert isinstance(refused, Rejected)
    assert refused.key == bad.key
    assert refused.reason.strip()


@check(PushesOrders)
def what_books_call_an_order_is_text(case: Case) -> None:
    with staged(case) as stage:
        names = stage.connector.push_order(_content(stage))
        walk_through(names, "OrderNames")
        assert isinstance(names.external_id, str)
        assert isinstance(names.lines, Mapping)
        assert all(isinstance(name, str) and name for name in names.lines.values())
