"""The judge that reads a vendor's client library: it lets through what the models take, and nothing else."""

from __future__ import annotations

from typing import Any

from tests.connectors.cases.hubspot import describe
from tests.connectors.descriptions.json_calls import answered, sent

CONTACTS = "/crm/v3/objects/contacts"
RECORD: dict[str, Any] = {
    "id": "1", "properties": {"email": None}, "createdAt": "2026-06-01T12:00:00.000Z",
    "updatedAt": "2026-06-01T12:00:00.000Z", "archived": False,
}  # fmt: skip


def test_what_the_models_take_is_let_through() -> None:
    assert sent(describe(), "POST", CONTACTS, {"properties": {"email": "a@example.com"}, "associations": []}) == ""
    assert sent(describe(), "GET", f"{CONTACTS}/1", properties="email,phone") == ""
    assert answered(describe(), "GET", f"{CONTACTS}/1", RECORD) == ""


def test_a_call_that_the_library_does_not_have_is_found() -> None:
    assert "no such call" in sent(describe(), "PUT", f"{CONTACTS}/1", {})
    assert describe().operation("GET", f"{CONTACTS}/1") == "GET /crm/v3/objects/contacts/{contactId}"
    assert describe().operation("GET", "/nowhere") == ""


def test_a_field_or_parameter_that_no_model_has_is_found() -> None:
    assert "colour" in sent(describe(), "POST", CONTACTS, {"properties": {}, "associations": [], "colour": "red"})
    assert "colour" in sent(describe(), "GET", f"{CONTACTS}/1", colour="red")
    assert "colour" in answered(describe(), "GET", f"{CONTACTS}/1", {**RECORD, "colour": "red"})


def test_a_missing_field_a_wrong_kind_and_a_word_of_no_list_are_found() -> None:
    assert "properties" in sent(describe(), "POST", CONTACTS, {"associations": []})
    assert "not str" in sent(describe(), "POST", CONTACTS, {"properties": {"order_count": 3}, "associations": []})
    assert "not str" in sent(describe(), "POST", CONTACTS, {"properties": {"email": None}, "associations": []})
    search = {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "LIKE", "value": "a"}]}]}
    assert "operator" in sent(describe(), "POST", f"{CONTACTS}/search", search)
    assert "updated" in answered(describe(), "GET", f"{CONTACTS}/1", {**RECORD, "updatedAt": None})
    assert "datetime" in answered(describe(), "GET", f"{CONTACTS}/1", {**RECORD, "updatedAt": "yesterday"})


def test_a_body_where_none_is_sent_and_none_where_one_is_are_found() -> None:
    assert "missing" in sent(describe(), "POST", CONTACTS)
    assert "no body" in sent(describe(), "GET", f"{CONTACTS}/1", {"a": 1})
    assert "no body" in answered(describe(), "DELETE", f"{CONTACTS}/1", {"a": 1}, status=204)


def test_an_error_is_told_as_the_library_reads_it() -> None:
    told = {"category": "CONFLICT", "message": "exists", "correlationId": "1"}
    assert answered(describe(), "POST", CONTACTS, told, status=409) == ""
    assert "correlation" in answered(describe(), "POST", CONTACTS, {"category": "CONFLICT", "message": "x"}, status=409)


def test_a_key_in_the_query_and_fields_of_a_form_are_those_of_the_library() -> None:
    body = {"targetUrl": "https://a.example", "throttling": {"maxConcurrentRequests": 5}}
    assert sent(describe(), "PUT", "/webhooks/v3/1/settings", body, hapikey="k") == ""
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert describe().request_faults("POST", "/oauth/v1/token", [], form, b"grant_type=refresh_token&code=1") == []
    assert "colour" in "".join(describe().request_faults("POST", "/oauth/v1/token", [], form, b"colour=red"))
