"""Mailchimp: a customer's new address, and the member of the one that they gave up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from finalmarket.connectors.errors import Rejected, RetryLater
from finalmarket.connectors.platforms.mailchimp.words import member_id
from finalmarket.connectors.records import CustomerContent
from finalmarket.sandbox.faults import Fault
from tests.connectors.cases.mailchimp import case
from tests.connectors.conformance.stage import NthCall, Stage, staged

OLD, NEW = "ada@example.org", "king@example.org"
ADA = CustomerContent(
    key="customer-1", name="Ada Lovelace", email=OLD, accepts_email=True, segments=("vip",), order_count=3
)
MOVED = replace(ADA, external_id=member_id(OLD), email=NEW)
GIVEN_UP = "The Final Market: given up"


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged(case()) as made:
        yield made


def member(stage: Stage, email: str) -> Any:
    """The member of an address as Mailchimp keeps it."""
    return stage.stand_in.state["members"][member_id(email)]


def moved_to_a_member(stage: Stage, **changes: Any) -> None:
    """Ada is told, and then has the address of somebody who is a member already."""
    stage.connector.push_customer(ADA)
    stage.stand_in.sign_up(NEW)
    assert stage.connector.push_customer(replace(MOVED, **changes)) == member_id(NEW)


def test_a_new_address_moves_the_member(stage: Stage) -> None:
    stage.connector.push_customer(ADA)
    signed_up = member(stage, OLD)["timestamp_signup"]
    assert stage.connector.push_customer(MOVED) == member_id(NEW)
    assert list(stage.stand_in.state["members"]) == [member_id(NEW)]
    assert member(stage, NEW)["timestamp_signup"] == signed_up


def test_a_new_address_that_is_a_member_already_is_told_as_that_member(stage: Stage) -> None:
    moved_to_a_member(stage)
    assert member(stage, NEW)["merge_fields"]["LNAME"] == "Lovelace"
    assert (member(stage, NEW)["status"], member(stage, NEW)["tags"]) == ("subscribed", ["The Final Market: vip"])


@pytest.mark.parametrize("accepts", [True, None, False])
def test_an_address_that_its_owner_gave_up_is_not_written_to_any_more(stage: Stage, accepts: bool | None) -> None:
    moved_to_a_member(stage, accepts_email=accepts)
    assert member(stage, OLD)["status"] == "archived"
    assert GIVEN_UP in member(stage, OLD)["tags"]


def test_an_address_that_was_given_up_does_not_say_that_its_owner_wants_no_mail(stage: Stage) -> None:
    moved_to_a_member(stage)
    (page,) = stage.connector.pull_customers("", None)
    said = {record.email: record.accepts_email for record in page.records}
    assert said == {OLD: None, NEW: True}
    (page,) = stage.connector.pull_interactions("", None)
    assert not page.records


def test_who_goes_back_to_an_address_that_was_given_up_gets_mail_there_again(stage: Stage) -> None:
    moved_to_a_member(stage)
    stage.connector.push_customer(replace(ADA, external_id=member_id(NEW)))
    assert (member(stage, OLD)["status"], member(stage, NEW)["status"]) == ("subscribed", "archived")
    assert member(stage, OLD)["tags"] == ["The Final Market: vip"]


def test_what_the_merchant_archived_an_agreement_does_not_bring_back(stage: Stage) -> None:
    moved_to_a_member(stage)
    stage.stand_in.change_by_hand(NEW, status="archived")
    stage.connector.push_customer(replace(MOVED, external_id=member_id(NEW)))
    assert member(stage, NEW)["status"] == "archived"


def test_a_no_does_not_wait_for_a_new_address_that_mailchimp_does_not_take(stage: Stage) -> None:
    stage.connector.push_customer(ADA)
    nowhere = replace(MOVED, email="ada@nowhere")
    with pytest.raises(Rejected):
        stage.connector.push_customer(nowhere)
    assert member(stage, OLD)["status"] == "subscribed"
    with pytest.raises(Rejected):
        stage.connector.push_customer(replace(nowhere, accepts_email=False))
    assert member(stage, OLD)["status"] == "archived"


def test_nobody_is_archived_before_it_shows_that_it_was_us() -> None:
    with staged(case(), faults=NthCall(Fault.NOT_APPLIED, 2, writes=True)) as stage:  # after the move, which is refused
        stage.stand_in.sign_up(OLD)
        stage.stand_in.sign_up(NEW)
        with pytest.raises(RetryLater, match="does not show a tag"):
            stage.connector.push_customer(replace(MOVED, accepts_email=False))
        assert member(stage, OLD)["status"] == "subscribed"
        stage.connector.push_customer(replace(MOVED, accepts_email=False))
        assert member(stage, OLD)["status"] == "archived"


def test_an_address_whose_move_was_only_said_to_be_done_is_not_written_to_any_more() -> None:
    with staged(case(), faults=NthCall(Fault.NOT_APPLIED, 1, writes=True)) as stage:
        stage.stand_in.sign_up(OLD)
        stage.connector.push_customer(MOVED)
        assert (member(stage, OLD)["status"], member(stage, NEW)["status"]) == ("archived", "subscribed")
