"""The page of our own webhooks: a secret is told once, and what failed can be sent again."""

import pytest
from django.test import Client
from django.urls import reverse

from finalmarket.integrations.models import OutgoingDelivery, OutgoingEvent, WebhookEndpoint
from finalmarket.integrations.outgoing import endpoints
from finalmarket.kernel import clock
from tests.console.reading import read, told, words

pytestmark = pytest.mark.django_db


def _add(operator: Client, url: str = "https://example.com/hooks", topic: str = "order.*") -> list[str]:
    form = {"url": url, "topic": topic, "description": "the warehouse"}
    return told(operator.post(reverse("console:open_webhook"), form, follow=True))


def test_an_empty_page_teaches_what_a_webhook_is_for(operator: Client) -> None:
    assert "Nobody hears from us yet." in read(operator, reverse("console:webhooks"))


def test_a_secret_is_shown_in_one_answer_alone(operator: Client) -> None:
    form = {"url": "https://example.com/hooks", "topic": "order.*"}
    opened = operator.post(reverse("console:open_webhook"), form)
    endpoint = WebhookEndpoint.objects.get()
    replaced = operator.post(reverse("console:rotate_webhook", args=[endpoint.pk]))
    endpoint.refresh_from_db()
    for answer, secret in zip((replaced, opened), endpoints.secrets_in_force(endpoint), strict=True):
        assert secret in words(answer)
        assert "no-store" in answer.headers["Cache-Control"]
        assert all(secret not in message for message in told(answer))
        for address in (reverse("console:webhooks"), reverse("console:webhook", args=[endpoint.pk])):
            page = read(operator, address)
            assert "https://example.com/hooks" in page
            assert secret not in page


def test_an_inside_address_is_refused_in_words(operator: Client) -> None:
    assert "not a public address" in _add(operator, "http://10.0.0.1/")[0]
    assert not WebhookEndpoint.objects.exists()


def test_what_failed_is_sent_again_when_it_is_chosen(operator: Client) -> None:
    _add(operator)
    endpoint = WebhookEndpoint.objects.get()
    event = OutgoingEvent.objects.create(topic="order.created", subject_id=7, data={}, prepared_at=clock.now())
    failed = OutgoingDelivery.objects.create(
        endpoint=endpoint, event=event, state="failed", attempts=10, last_status=500, last_error="answered 500"
    )
    page = read(operator, reverse("console:webhook", args=[endpoint.pk]))
    assert f"evt_{event.pk}" in page
    assert "answered 500" in page
    again = reverse("console:change_webhook", args=[endpoint.pk, "send-again"])
    assert "Choose" in told(operator.post(again, follow=True))[0]
    operator.post(again, {"delivery": failed.pk})
    failed.refresh_from_db()
    assert (failed.state, failed.attempts) == ("waiting", 0)


def test_an_endpoint_is_switched_off_and_on_and_deleted(operator: Client) -> None:
    _add(operator)
    endpoint = WebhookEndpoint.objects.get()
    operator.post(reverse("console:change_webhook", args=[endpoint.pk, "switch-off"]))
    assert "switched off by hand" in read(operator, reverse("console:webhooks"))
    operator.post(reverse("console:change_webhook", args=[endpoint.pk, "switch-on"]))
    assert WebhookEndpoint.objects.get().is_active
    operator.post(reverse("console:change_webhook", args=[endpoint.pk, "delete"]))
    assert not WebhookEndpoint.objects.exists()
