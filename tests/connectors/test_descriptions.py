"""The judges themselves: what is as described passes, what is not is named, in each of the languages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.connectors.descriptions import Description, openapi, vendor_apis
from tests.connectors.descriptions.json_calls import JSON, answered, sent

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GRAPHQL = "/admin/api/2026-07/graphql.json"
SQUARE_ERRORS = {
    "type": "object",
    "required": ["errors"],
    "properties": {"errors": {"type": "array", "items": {"$ref": "#/components/schemas/Error"}}},
}


def square() -> Description:
    return openapi("square", "api.json", undescribed_errors=SQUARE_ERRORS)


def stripe() -> Description:
    return openapi("stripe", "openapi.spec3.json")


def amazon() -> Description:
    return openapi("amazon", "listingsItems_2021-08-01.json", "orders_2026-01-01.json", "ordersV0.json")


def form(description: Description, path: str, body: str) -> str:
    """The faults of a form, as one text."""
    return "; ".join(description.request_faults("POST", path, [], FORM, body.encode()))


# Square: OpenAPI 3.0, JSON.

REFUND = {"idempotency_key": "k-1", "payment_id": "pay-1", "amount_money": {"amount": 1000, "currency": "EUR"}}


def test_a_request_as_square_describes_it_passes() -> None:
    assert sent(square(), "POST", "/v2/refunds", REFUND) == ""
    assert sent(square(), "GET", "/v2/payments", limit="20", sort_order="DESC") == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "the field 'colour' is not described"),
        ({"amount_money": {"amount": 1000, "currency": "EUR", "cents": 1}}, "the field 'cents' is not described"),
        ({"amount_money": {"amount": "10.00", "currency": "EUR"}}, "amount_money.amount: '10.00' is not of type"),
        ({"amount_money": {"amount": 10.5, "currency": "EUR"}}, "amount_money.amount: 10.5 is not of type"),
        ({"idempotency_key": ""}, "idempotency_key"),
    ],
)
def test_a_body_that_square_would_not_know_is_named(change: Mapping[str, Any], words: str) -> None:
    assert words in sent(square(), "POST", "/v2/refunds", {**REFUND, **change})


def test_a_missing_field_of_a_body_is_named() -> None:
    body = {name: value for name, value in REFUND.items() if name != "amount_money"}
    assert "the required field 'amount_money' is missing" in sent(square(), "POST", "/v2/refunds", body)


def test_a_field_that_only_the_platform_writes_may_not_be_sent() -> None:
    body = {"order": {"location_id": "L1", "created_at": "2026-01-01T00:00:00Z"}}
    assert "'created_at' is for answers only" in sent(square(), "POST", "/v2/orders", body)


def test_a_missing_body_is_named() -> None:
    assert "the required body is missing" in sent(square(), "POST", "/v2/refunds")


def test_a_path_that_square_does_not_have_is_named() -> None:
    assert "no such operation" in sent(square(), "POST", "/v2/refunds/everything", REFUND)
    assert "no such operation" in sent(square(), "DELETE", "/v2/refunds", REFUND)


def test_a_path_spelled_out_wins_over_a_variable_in_its_place() -> None:
    assert square().operation("POST", "/v2/orders/search") == "POST /v2/orders/search"
    assert square().operation("GET", "/v2/orders/o-1") == "GET /v2/orders/{order_id}"


def test_answers_of_square_are_judged() -> None:
    refund = {"id": "r-1", "amount_money": {"amount": 1000, "currency": "EUR"}}
    assert answered(square(), "POST", "/v2/refunds", {"refund": refund}) == ""
    wrong = {"refund": {**refund, "amount_money": {"amount": "1000"}}}
    assert "refund.amount_money.amount" in answered(square(), "POST", "/v2/refunds", wrong)
    assert "the required field 'id' is missing" in answered(
        square(), "POST", "/v2/refunds", {"refund": {"amount_money": refund["amount_money"]}}
    )


def test_a_status_that_is_not_described_is_judged_by_the_schema_given_for_it_or_named() -> None:
    error = {"category": "RATE_LIMIT_ERROR", "code": "RATE_LIMITED", "detail": "slow down"}
    assert answered(square(), "GET", "/v2/payments", {"errors": [error]}, status=429) == ""
    assert "'category' is missing" in answered(
        square(), "GET", "/v2/payments", {"errors": [{"code": "RATE_LIMITED"}]}, status=429
    )
    unarmed = openapi("square", "api.json")
    assert "status 429 is not described" in answered(unarmed, "GET", "/v2/payments", {"errors": [error]}, status=429)


def test_an_answer_that_is_no_json_is_named() -> None:
    faults = square().answer_faults("GET", "/v2/payments", b"", 200, JSON, b"<html>")
    assert "not JSON" in faults[0]
    faults = square().answer_faults("GET", "/v2/payments", b"", 200, {"Content-Type": "text/html"}, b"{}")
    assert "content type" in faults[0]


# Stripe: OpenAPI 3.0, forms with brackets.


def test_a_form_as_stripe_describes_it_passes() -> None:
    body = "amount=1099&currency=eur&metadata[order]=A-1&expand[]=customer&automatic_payment_methods[enabled]=true"
    assert form(stripe(), "/v1/payment_intents", body) == ""
    assert form(stripe(), "/v1/payment_intents/pi_1/cancel", "") == ""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("amount=10.99&currency=eur", "amount: '10.99' is not of type 'integer'"),
        ("amount=1099&currency=eur&colour=red", "'colour'"),
        ("amount=1099", "the required field 'currency' is missing"),
        ("amount=1099&currency=eur&automatic_payment_methods[enabled]=yes", "enabled: 'yes' is not of type"),
        ("amount=1099&currency=eur&automatic_payment_methods[enabled]=true&automatic_payment_methods[x]=1", "'x'"),
        ("amount=1099&amount=2&currency=eur", "given twice"),
        ("amount=1099&currency=eur&capture_method=whenever", "capture_method"),
    ],
)
def test_a_form_that_stripe_would_not_know_is_named(body: str, words: str) -> None:
    assert words in form(stripe(), "/v1/payment_intents", body)


def test_json_is_no_form() -> None:
    assert "application/json is not described" in sent(stripe(), "POST", "/v1/refunds", {"charge": "ch_1"})


def test_queries_of_stripe_are_decoded_and_judged() -> None:
    judge = stripe().request_faults
    good = [("created[gte]", "1750000000"), ("limit", "100"), ("expand[]", "data.customer")]
    assert judge("GET", "/v1/payment_intents", good, {}, b"") == []
    assert "limit" in "".join(judge("GET", "/v1/payment_intents", [("limit", "many")], {}, b""))
    assert "created" in "".join(judge("GET", "/v1/payment_intents", [("created[gte]", "monday")], {}, b""))
    assert "'page' is not described" in "".join(judge("GET", "/v1/payment_intents", [("page", "2")], {}, b""))
    assert "'query' is missing" in "".join(judge("GET", "/v1/customers/search", [], {}, b""))
    assert "no such operation" in "".join(judge("GET", "/v1/payment_intent", [], {}, b""))


def test_stripes_own_examples_pass_and_spoiled_ones_do_not() -> None:
    examples = json.loads((vendor_apis() / "stripe" / "fixtures3.json").read_text())["resources"]
    for name, path in (
        ("payment_intent", "/v1/payment_intents/pi_1"), ("customer", "/v1/customers/c_1"), ("event", "/v1/events/e_1"),
    ):  # fmt: skip
        assert answered(stripe(), "GET", path, examples[name]) == "", name
    spoiled = {**examples["payment_intent"], "amount": "1099"}
    assert "amount: '1099'" in answered(stripe(), "GET", "/v1/payment_intents/pi_1", spoiled)
    del spoiled["id"]
    assert "'id' is missing" in answered(stripe(), "GET", "/v1/payment_intents/pi_1", spoiled)
    assert "error" in answered(stripe(), "GET", "/v1/payment_intents/pi_1", {"oops": 1}, status=402)


# Amazon: Swagger 2.0 in several files.

LISTING = "/listings/2021-08-01/items/S1/SKU%201"
PATCH = {
    "productType": "SHIRT",
    "patches": [{"op": "replace", "path": "/attributes/fulfillment_availability", "value": [{"quantity": 3}]}],
}


def test_a_request_as_amazon_describes_it_passes() -> None:
    assert sent(amazon(), "PATCH", LISTING, PATCH, marketplaceIds="A1PA6795UKMFR9") == ""
    assert sent(amazon(), "GET", LISTING, marketplaceIds="A1PA6795UKMFR9", includedData="summaries,offers") == ""


@pytest.mark.parametrize(
    ("body", "query", "words"),
    [
        ({**PATCH, "colour": 1}, {"marketplaceIds": "A1"}, "the field 'colour' is not described"),
        ({"patches": PATCH["patches"]}, {"marketplaceIds": "A1"}, "'productType' is missing"),
        ({**PATCH, "patches": [{"op": "paint", "path": "/x"}]}, {"marketplaceIds": "A1"}, "'paint' is not one of"),
        (PATCH, {}, "required query parameter 'marketplaceIds' is missing"),
        (PATCH, {"marketplaceIds": "A1", "mode": "SECRETLY"}, "'SECRETLY' is not one of"),
        (PATCH, {"marketplaceIds": "A1", "marketplaceId": "A1"}, "'marketplaceId' is not described"),
    ],
)
def test_a_request_that_amazon_would_not_know_is_named(body: Any, query: dict[str, str], words: str) -> None:
    assert words in sent(amazon(), "PATCH", LISTING, body, **query)


def test_lists_divided_by_commas_are_judged_as_lists() -> None:
    assert "too long" in sent(amazon(), "DELETE", LISTING, marketplaceIds="A1,A2")
    twice = [("marketplaceIds", "A1"), ("marketplaceIds", "A2")]
    assert "divided by commas" in "".join(amazon().request_faults("GET", LISTING, twice, {}, b""))
    assert "'paint'" in sent(amazon(), "GET", LISTING, marketplaceIds="A1", includedData="summaries,paint")


def test_operations_are_found_in_all_of_amazons_files() -> None:
    assert amazon().operation("GET", "/orders/2026-01-01/orders") == "GET /orders/2026-01-01/orders"
    assert amazon().operation("POST", "/orders/v0/orders/1/shipmentConfirmation")
    assert "no such operation" in sent(amazon(), "GET", "/orders/2019-01-01/orders")


def test_answers_of_amazon_are_judged() -> None:
    taken = {"sku": "SKU 1", "status": "ACCEPTED", "submissionId": "s-1", "issues": []}
    assert answered(amazon(), "PATCH", LISTING, taken) == ""
    assert "'status' is missing" in answered(amazon(), "PATCH", LISTING, {"sku": "SKU 1", "submissionId": "s-1"})
    assert "'PERHAPS' is not one of" in answered(amazon(), "PATCH", LISTING, {**taken, "status": "PERHAPS"})
    throttled = {"errors": [{"code": "QuotaExceeded", "message": "slow down"}]}
    assert answered(amazon(), "PATCH", LISTING, throttled, status=429) == ""
    assert "'code' is missing" in answered(amazon(), "PATCH", LISTING, {"errors": [{"message": "?"}]}, status=429)
    assert "status 418 is not described" in answered(amazon(), "PATCH", LISTING, {}, status=418)
