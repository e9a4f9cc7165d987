"""Customers by REST: found, shown as one person, merged, parted, with what they prefer and agreed to."""

from __future__ import annotations

from typing import Any

import pytest

from finalmarket.customers import consents
from finalmarket.customers.models import CustomerMerge, OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from tests.api.calling import Program, problem, told
from tests.api.conftest import House, bought


@pytest.fixture
def program(house: House) -> Program:
    return Program(name="crm")


@pytest.fixture
def bob(house: House) -> OmnichannelCustomer:
    found = resolve(Contact(name="Bob", email="bob@example.com", phone="+4930901820", account="shop:7"))
    assert found is not None
    return found


def test_the_unified_profile_is_that_of_the_house(house: House, program: Program) -> None:
    bought(house.till, "w-1", "ann@example.com")
    house.ann.start_journey(house.web, "support")
    consents.say(house.ann.pk, "newsletter", True, source="form")
    shown, known = told(program.get(f"/customers/{house.ann.pk}")), house.ann.unified_profile()
    assert shown["customer"] == known["customer"] == house.ann.pk
    assert (shown["total_orders"], shown["total_spent"]) == (1, str(known["total_spent"]))
    assert shown["open_journeys"][0]["intent"] == "support"
    assert shown["consents"]["newsletter"]["is_granted"] is True
    assert shown["next_best_action"]["action"] == "service_call"
    assert shown["identities"] == [{"kind": "email", "value": "ann@example.com"}]


@pytest.mark.parametrize("asked", [{"email": " BOB@example.com"}, {"phone": "030 901820", "country": "DE"},
                                   {"phone": "+49 30 901820"}, {"account": "shop:7"}])  # fmt: skip
def test_a_customer_is_found_by_what_they_are_known_by(
    house: House, program: Program, bob: OmnichannelCustomer, asked: dict[str, str]
) -> None:
    assert [one["customer"] for one in told(program.get("/customers", **asked))["items"]] == [bob.pk]


def test_who_is_not_known_is_not_found(house: House, program: Program) -> None:
    assert told(program.get("/customers", email="nobody@example.com"))["items"] == []
    problem(program.get("/customers/999999"), "not-found", 404)


@pytest.mark.parametrize("asked", [{}, {"email": "a@b.de", "phone": "1"}, {"email": "nobody"}, {"phone": "12"},
                                   {"name": "Bob"}, {"email": "a@b.de\x00"}])  # fmt: skip
def test_a_look_up_that_makes_no_sense_is_refused(house: House, program: Program, asked: dict[str, str]) -> None:
    problem(program.get("/customers", **asked), "invalid", 422)


def test_merged_and_parted_again_both_are_what_they_were(
    house: House, program: Program, bob: OmnichannelCustomer
) -> None:
    before = [told(program.get(f"/customers/{number}")) for number in (house.ann.pk, bob.pk)]
    merged = told(program.post(f"/customers/{house.ann.pk}/merge", {"other": bob.pk, "reason": "phoned"}))
    assert (merged["customer"], merged["profiles"]) == (house.ann.pk, [house.ann.pk, bob.pk])
    assert told(program.get("/customers", email="bob@example.com"))["items"][0]["customer"] == house.ann.pk
    row = CustomerMerge.objects.get()
    assert (row.actor, row.reason, str(row.decision)) == ("api:crm", "phoned", merged["decision"])
    problem(program.post(f"/customers/{bob.pk}/merge", {"other": house.ann.pk}), "refused", 422)
    parted = told(program.post(f"/customers/{house.ann.pk}/unmerge", {"profiles": [bob.pk]}))
    assert parted["profiles"] == [house.ann.pk]
    assert [told(program.get(f"/customers/{number}")) for number in (house.ann.pk, bob.pk)] == before


def test_nobody_is_merged_with_who_is_not_there_or_parted_from_strangers(
    house: House, program: Program, bob: OmnichannelCustomer
) -> None:
    problem(program.post(f"/customers/{bob.pk}/merge", {"other": 999999}), "refused", 422)
    problem(program.post("/customers/999999/merge", {"other": bob.pk}), "not-found", 404)
    problem(program.post(f"/customers/{bob.pk}/unmerge", {"profiles": [house.ann.pk]}), "refused", 422)
    assert not CustomerMerge.objects.exists()


def test_a_preference_is_said_seen_with_its_reason_and_taken_back(house: House, program: Program) -> None:
    path = f"/customers/{house.ann.pk}/preferences"
    said: dict[str, Any] = {"channel": house.web.pk, "value": "M", "at": "2026-05-04T12:00:00Z"}
    assert program.write("PUT", f"{path}/size", said).status_code == 204

    def size(**asked: Any) -> Any:
        return told(program.get(path, **asked))["preferences"].get("size")

    assert size(channel=house.web.pk) == {"value": "M", "why": "said here", "at": "2026-05-04T12:00:00Z"}
    assert size(channel=house.till.pk)["why"] == "said on Web shop"
    assert program.write("PUT", f"{path}/size", {"channel": house.web.pk, "value": None}).status_code == 204
    assert size() is None


@pytest.mark.parametrize("value", [{"a": 1}, [1], 1.5, "x" * 501])
def test_a_preference_is_a_text_a_whole_number_or_yes_or_no(house: House, program: Program, value: Any) -> None:
    answer = program.write(
        "PUT", f"/customers/{house.ann.pk}/preferences/size", {"channel": house.web.pk, "value": value}
    )
    assert told(answer, 422)["type"].startswith("urn:finalmarket:problem:")


def test_a_consent_is_given_and_withdrawn_and_both_words_stay(house: House, program: Program) -> None:
    path = f"/customers/{house.ann.pk}/consents"
    yes = told(program.post(path, {"purpose": "ads", "is_granted": True, "channel": house.web.pk}), 201)
    assert yes["source"] == "api:crm"
    assert consents.agrees(house.ann.pk, "ads", house.web.pk)
    told(program.post(path, {"purpose": "ads", "is_granted": False}), 201)
    assert not consents.agrees(house.ann.pk, "ads", house.web.pk)
    assert [one["is_granted"] for one in told(program.get(path))["items"]] == [False, True]


@pytest.mark.parametrize("change", [{"purpose": " "}, {"at": "2099-01-01T00:00:00Z"}, {"is_granted": "perhaps"},
                                    {"proof": {"text": "x" * 40_000}}])  # fmt: skip
def test_a_consent_that_proves_nothing_is_not_written(house: House, program: Program, change: dict[str, Any]) -> None:
    body = {"purpose": "ads", "is_granted": True, **change}
    told(program.post(f"/customers/{house.ann.pk}/consents", body), 422)
    assert told(program.get(f"/customers/{house.ann.pk}/consents"))["items"] == []
