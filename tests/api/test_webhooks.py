"""Webhook endpoints over the REST API: secrets shown once, never inside, told again."""

from __future__ import annotations

import pytest

from finalmarket.access.models import IdempotentCall
from finalmarket.integrations.models import OutgoingDelivery, OutgoingEvent, WebhookEndpoint
from finalmarket.integrations.outgoing import guard
from finalmarket.integrations.outgoing.endpoints import secrets_in_force
from tests.api.calling import Program, problem, told

pytestmark = pytest.mark.django_db
ERP = {"url": "https://erp.example/hooks", "topics": ["stock.*"]}


@pytest.fixture
def program() -> Program:
    return Program("webhooks:read", "webhooks:write")


def test_the_secret_is_in_the_answer_that_opened_it_and_nowhere_else_to_be_read(program: Program) -> None:
    answer = program.post("/webhooks", ERP, token="open")
    made = told(answer, 201)
    assert [made["secret"]] == secrets_in_force(WebhookEndpoint.objects.get())
    assert answer.headers["Cache-Control"] == "no-store"
    assert made["secret"] not in str(list(IdempotentCall.objects.values()))
    assert "secret" not in told(program.get(f"/webhooks/{made['id']}"))
    again = program.post("/webhooks", ERP, token="open")
    assert told(again, 201)["secret"] == made["secret"]  # who lost the answer asks once more
    assert again.headers["Idempotent-Replayed"] == "true"
    assert WebhookEndpoint.objects.count() == 1


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/x", "http://169.254.169.254/latest/meta-data", "http://[::1]/", "http://[::ffff:10.0.0.1]/",
     "https://ann:secret@erp.example/", "ftp://erp.example/", "http://10.1.2.3:5432/", "javascript:alert(1)"],
)  # fmt: skip
def test_no_endpoint_lies_inside_the_house(program: Program, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.delenv(guard.VARIABLE, raising=False)
    problem(program.post("/webhooks", {**ERP, "url": url}), "refused", 422)
    made = told(program.post("/webhooks", ERP), 201)["id"]
    problem(program.write("PATCH", f"/webhooks/{made}", {"url": url}), "refused", 422)
    assert WebhookEndpoint.objects.get().url == ERP["url"]


def test_an_endpoint_is_changed_by_who_has_seen_how_it_stands(program: Program) -> None:
    made = told(program.post("/webhooks", ERP), 201)["id"]
    seen = program.get(f"/webhooks/{made}").headers["ETag"]
    changed = program.write("PATCH", f"/webhooks/{made}", {"topics": ["order.*"]}, If_Match=seen)
    assert (told(changed)["topics"], told(changed)["url"]) == (["order.*"], ERP["url"])
    late = program.write("PATCH", f"/webhooks/{made}", {"topics": ["*"]}, If_Match=seen)
    problem(late, "changed", 412)
    problem(program.write("PATCH", f"/webhooks/{made}", {"topics": ["weather.*"]}), "refused", 422)


def test_a_secret_is_rotated_and_both_sign_for_two_days(program: Program) -> None:
    made = told(program.post("/webhooks", ERP), 201)
    rotated = told(program.post(f"/webhooks/{made['id']}/rotate"))
    assert secrets_in_force(WebhookEndpoint.objects.get()) == [rotated["secret"], made["secret"]]
    assert rotated["both_secrets_until"]


def test_what_an_endpoint_missed_while_it_was_disabled_goes_out_and_again_on_demand(program: Program) -> None:
    made = told(program.post("/webhooks", ERP), 201)["id"]
    other = told(program.post("/webhooks", ERP), 201)["id"]
    disabled = told(program.post(f"/webhooks/{made}/disable", {"reason": "the ERP moves"}))
    assert (disabled["is_active"], disabled["disabled_reason"]) == (False, "the ERP moves")
    event = OutgoingEvent.objects.create(topic="stock.changed", subject_id=7, data={})
    mine = OutgoingDelivery.objects.create(endpoint_id=made, event=event, state="failed", attempts=10)
    foreign = OutgoingDelivery.objects.create(endpoint_id=other, event=event, state="delivered")
    assert told(program.post(f"/webhooks/{made}/enable"))["is_active"] is True
    (shown,) = told(program.get(f"/webhooks/{made}/deliveries", state="failed"))["items"]
    assert (shown["message"], shown["topic"], shown["subject"]) == (f"evt_{event.pk}", "stock.changed", 7)
    chosen = {"deliveries": [mine.pk, foreign.pk]}
    assert told(program.post(f"/webhooks/{made}/deliveries/replay", chosen)) == {"count": 1}
    assert {one.pk: one.state for one in OutgoingDelivery.objects.all()} == {
        mine.pk: "waiting",
        foreign.pk: "delivered",
    }


def test_an_endpoint_that_is_deleted_is_gone(program: Program) -> None:
    made = told(program.post("/webhooks", ERP), 201)["id"]
    assert program.write("DELETE", f"/webhooks/{made}").status_code == 204
    problem(program.get(f"/webhooks/{made}"), "not-found", 404)
