"""What a person may ask of us, in the console: see everything, be erased after a second look, say yes or no."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from finalmarket.customers.models import Consent, CustomerIdentity, OmnichannelCustomer, PrivacyRequest
from finalmarket.customers.resolve import Contact, resolve

pytestmark = pytest.mark.django_db
SUPPORT = ("view_omnichannelcustomer", "add_privacyrequest")


def clerk(*permissions: str) -> Client:
    """Somebody of the staff with these permissions of the customers' room."""
    user = User.objects.create_user("olga", password="a long word 12", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="customers"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def ann() -> OmnichannelCustomer:
    found = resolve(Contact(name="Ann Lee", email="ann@example.com"))
    assert found is not None
    return found


def at(name: str, ann: OmnichannelCustomer) -> str:
    return reverse(f"console:{name}", args=[ann.pk])


def body(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def test_the_page_shows_what_they_agreed_to_and_offers_only_what_one_may(ann: OmnichannelCustomer) -> None:
    ann.grant_consent("newsletter", source="till")
    text = clerk("view_omnichannelcustomer").get(at("privacy", ann)).content.decode()
    assert "newsletter" in text
    assert "Export everything" not in text
    assert at("erase_person", ann) not in text


def test_an_export_is_a_file_and_written_down(ann: OmnichannelCustomer) -> None:
    answer = clerk(*SUPPORT).post(at("export_person", ann))
    assert answer["Content-Disposition"] == f'attachment; filename="customer-{ann.pk}.json"'
    told = json.loads(body(answer))
    assert told["person"]["name"] == "Ann Lee"
    assert told["tables"]["customer_identities"][0]["value"] == "ann@example.com"
    request = PrivacyRequest.objects.get()
    assert (request.kind, request.actor, request.source) == ("export", "olga", "console")


def test_an_erasure_takes_a_second_look_and_the_number_typed(ann: OmnichannelCustomer) -> None:
    client = clerk(*SUPPORT, "delete_omnichannelcustomer")
    assert f"Type {ann.pk} to say" in client.get(at("erase_person", ann)).content.decode()
    refused = client.post(at("erase_person", ann), {"number": "0"}, follow=True)
    assert "Type the customer" in refused.content.decode()
    assert CustomerIdentity.objects.exists()
    done = client.post(at("erase_person", ann), {"number": str(ann.pk)}, follow=True)
    assert "Erased. The books stay" in done.content.decode()
    ann.refresh_from_db()
    assert (ann.name, ann.email, CustomerIdentity.objects.count()) == ("", "", 0)
    assert PrivacyRequest.objects.get().actor == "olga"


def test_whoever_may_not_is_refused(ann: OmnichannelCustomer) -> None:
    client = clerk("view_omnichannelcustomer")
    for name in ("export_person", "erase_person", "say_consent"):
        assert client.post(at(name, ann)).status_code == 403
    assert OmnichannelCustomer.objects.get().name == "Ann Lee"
    assert not PrivacyRequest.objects.exists()


def test_what_a_person_says_to_the_staff_needs_a_proof(ann: OmnichannelCustomer) -> None:
    client = clerk("view_omnichannelcustomer", "add_consent")
    client.post(at("say_consent", ann), {"purpose": "newsletter", "word": "yes", "proof": " "})
    assert not Consent.objects.exists()
    client.post(at("say_consent", ann), {"purpose": "newsletter", "word": "yes", "proof": "letter of 3 March"})
    said = Consent.objects.get()
    assert (said.is_granted, said.source, said.proof) == (True, "console: olga", {"words": "letter of 3 March"})
    client.post(at("say_consent", ann), {"purpose": "newsletter", "word": "no", "proof": "call"})
    assert not ann.agrees_to("newsletter")


def test_a_consent_of_nobody_is_not_found_and_a_channel_that_is_none_is_refused(ann: OmnichannelCustomer) -> None:
    client = clerk("view_omnichannelcustomer", "add_consent")
    word = {"purpose": "newsletter", "word": "yes", "proof": "letter of 3 March"}
    nobody = reverse("console:say_consent", args=[ann.pk + 1000])
    assert client.post(nobody, word).status_code == 404
    for channel in ("\u00b2", "7" * 5_000, "0", "-1"):
        answer = client.post(at("say_consent", ann), {**word, "channel": channel}, follow=True)
        assert "There is no such channel" in answer.content.decode()
    assert not Consent.objects.exists()
