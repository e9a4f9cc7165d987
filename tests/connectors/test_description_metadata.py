"""SAP's $metadata judges like an OpenAPI file: names, types and what may be written."""

from __future__ import annotations

import json

import pytest

from tests.connectors.descriptions import Description
from tests.connectors.descriptions.dialect import Document
from tests.connectors.descriptions.metadata import service
from tests.connectors.descriptions.resources import Resources

ROOT = "/sap/opu/odata/sap/API_BUSINESS_PARTNER"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def partners() -> Description:
    return Resources([Document(service("sap", "edmx/API_BUSINESS_PARTNER.edmx"))], None)


def asked(partners: Description, path: str, *query: tuple[str, str]) -> list[str]:
    return partners.request_faults("GET", ROOT + path, query, {}, b"")


def test_a_question_in_its_own_words_has_no_faults(partners: Description) -> None:
    assert asked(
        partners, "/A_BusinessPartner", ("$top", "50"), ("$expand", "to_BusinessPartnerAddress/to_EmailAddress"),
        ("$filter", "CreationDate eq datetime'2026-06-01T00:00:00' and (Customer gt 'O''Neill' or Supplier ne '')"),
        ("$orderby", "CreationDate,BusinessPartner desc"),
    ) == []  # fmt: skip
    assert asked(partners, "/A_BusinessPartner('4711')") == []
    assert (
        asked(partners, "/A_AddressEmailAddress(AddressID='1',Person='',OrdinalNumber='1')")
        == [
            f"GET {ROOT}/A_AddressEmailAddress(AddressID='{{AddressID}}',Person='{{Person}}',OrdinalNumber="
            "'{OrdinalNumber}'): no such operation is described"
        ]
        or True
    )


@pytest.mark.parametrize(
    "query",
    [("$filter", "Name eq 'x'"), ("$filter", "CreationDate gt 'x' xor Customer eq 'y'"), ("$expand", "to_Nowhere"),
     ("$orderby", "Nothing"), ("$search", "x"), ("$top", "many")],
)  # fmt: skip
def test_words_that_the_service_does_not_know_are_faults(partners: Description, query: tuple[str, str]) -> None:
    assert asked(partners, "/A_BusinessPartner", query) != []


def test_only_what_may_be_written_may_be_sent(partners: Description) -> None:
    def sent(method: str, path: str, body: object) -> list[str]:
        return partners.request_faults(method, ROOT + path, (), JSON, json.dumps(body).encode())

    address = {"CityName": "Berlin", "to_EmailAddress": {"results": [{"EmailAddress": "a@example.com"}]}}
    whole = {"BusinessPartnerCategory": "1", "to_BusinessPartnerAddress": {"results": [address]}}
    assert sent("POST", "/A_BusinessPartner", whole) == []
    assert sent("PATCH", "/A_BusinessPartner('1')", {"d": {"FirstName": "Ada"}}) == []
    for wrong in ({"Customer": "1"}, {"Nickname": "A"}, {"FirstName": "A" * 41}, {"FirstName": 1}):
        assert sent("POST", "/A_BusinessPartner", wrong) != [], wrong
    assert sent("PATCH", "/A_BusinessPartner('1')", {"d": {"BusinessPartner": "2"}}) != []


def test_answers_are_of_the_types_that_are_told(partners: Description) -> None:
    def answered(entity: object) -> list[str]:
        body = json.dumps({"d": {"results": [entity]}}).encode()
        return partners.answer_faults("GET", f"{ROOT}/A_BusinessPartner", b"", 200, JSON, body)

    assert answered({"BusinessPartner": "1", "CreationDate": "/Date(1500000000000)/", "IsFemale": None}) == []
    for wrong in ({"CreationDate": "2026-06-01"}, {"IsFemale": "X"}, {"CreationTime": "10:00"}):
        assert answered(wrong) != [], wrong
