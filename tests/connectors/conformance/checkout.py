"""Payments on the platform's own page: started once, finished once, and never without the buyer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from finalmarket.connectors.contract import PullsPayments, StartsPayments
from finalmarket.connectors.errors import Rejected
from finalmarket.connectors.records import PaymentRequest, PaymentStart
from tests.connectors.cases import Case
from tests.connectors.conformance.pages import walk_through
from tests.connectors.conformance.stage import Stage, another_name, check, needed, staged
from tests.connectors.conformance.verbs import Act, Verb, effects_from_here, may_repeat, register, register_shapes


def _request(stage: Stage) -> PaymentRequest:
    request: PaymentRequest = needed(stage.case.payment_request, "payment_request")(stage.stand_in)
    return request


def _approved(stage: Stage, request: PaymentRequest) -> PaymentStart:
    started: PaymentStart = stage.connector.start_payment(request)
    needed(stage.case.approve, "approve")(stage.stand_in, started.external_id)
    return started


# What is asked for twice under one key is one payment: the contract lets a caller ask again.


def _start(stage: Stage) -> Act:
    request = _request(stage)
    return Act(lambda: stage.connector.start_payment(request), effects_from_here(stage), may_repeat)


def _finish(stage: Stage) -> Act:
    started = _approved(stage, _request(stage))
    return Act(
        lambda: stage.connector.finish_payment(started.external_id, "finish-key-1"),
        effects_from_here(stage),
        may_repeat,
    )


CHECKOUT_VERBS = (
    Verb("start_payment", StartsPayments, _start, is_named=True),
    Verb("finish_payment", StartsPayments, _finish, is_named=True),
)
register(*CHECKOUT_VERBS)
register_shapes(*CHECKOUT_VERBS)


@check(StartsPayments)
def a_payment_that_is_started_twice_is_one(case: Case) -> None:
    with staged(case) as stage:
        request = _request(stage)
        started = stage.connector.start_payment(request)
        assert isinstance(started, PaymentStart)
        assert started.external_id
        assert started.approve_url.startswith(("https://", "http://"))
        assert stage.connector.start_payment(request) == started
        assert stage.connector.start_payment(_request(stage)).external_id != started.external_id


@check(StartsPayments)
def without_the_buyers_yes_no_payment_is_finished(case: Case) -> None:
    with staged(case) as stage:
        started = stage.connector.start_payment(_request(stage))
        nothing = effects_from_here(stage)
        with pytest.raises(Rejected):
            stage.connector.finish_payment(started.external_id, "finish-key-2")
        assert nothing() == ()
        needed(case.approve, "approve")(stage.stand_in, started.external_id)
        record = stage.connector.finish_payment(started.external_id, "finish-key-2")
        assert record.state == "authorised", "asked again after the yes, the no is remembered"


@check(StartsPayments)
def what_the_buyer_said_yes_to_is_reserved_or_taken_as_was_asked_for(case: Case) -> None:
    for authorise_only, state in ((True, "authorised"), (False, "captured")):
        with staged(case) as stage:
            request = replace(_request(stage), is_authorise_only=authorise_only)
            started = _approved(stage, request)
            record = stage.connector.finish_payment(started.external_id, "finish-key-3")
            walk_through(record, "PaymentRecord")
            assert record.external_id
            assert (record.state, record.amount, record.currency) == (state, request.amount, request.currency)
            assert record.captured == (Decimal(0) if authorise_only else request.amount)


@check(StartsPayments)
def a_payment_that_is_finished_twice_is_taken_once(case: Case) -> None:
    with staged(case) as stage:
        started = _approved(stage, replace(_request(stage), is_authorise_only=False))
        nothing = effects_from_here(stage)
        first = stage.connector.finish_payment(started.external_id, "finish-key-4")
        once = nothing()
        stage.time.advance(timedelta(minutes=1))
        again = stage.connector.finish_payment(started.external_id, "finish-key-4")
        assert (again.external_id, again.state, again.captured) == (first.external_id, first.state, first.captured)
        assert nothing() == once


@check(StartsPayments)
def a_payment_that_was_never_started_cannot_be_finished(case: Case) -> None:
    with staged(case) as stage:
        started = _approved(stage, _request(stage))
        nothing = effects_from_here(stage)
        with pytest.raises(Rejected):
            stage.connector.finish_payment(another_name(started.external_id), "finish-key-5")
        assert nothing() == ()


@check(StartsPayments, PullsPayments)
def a_finished_payment_is_found_in_the_stream(case: Case) -> None:
    with staged(case) as stage:
        request = _request(stage)
        started = _approved(stage, request)
        record = stage.connector.finish_payment(started.external_id, "finish-key-6")
        stage.time.advance(timedelta(minutes=10))
        found = stage.connector.pull_payment(record.external_id)
        assert found is not None
        assert (found.state, found.amount, found.currency) == (record.state, request.amount, request.currency)
        assert found.version >= record.version
        streamed = {each.external_id for page in stage.connector.pull_payments("", None) for each in page.records}
        assert record.external_id in streamed
