"""The page of the API keys: for the owner alone, a key shown once, rotated and ended by a button."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from finalmarket.access import audit, keys
from finalmarket.access.models import ApiKey
from finalmarket.channels.models import SalesChannel
from tests.console.reading import read

PAGE = "console:api_keys"


def shown_in(content: bytes) -> str:
    found = re.search(rb'<code id="made">([^<]+)</code>', content)
    assert found
    return found[1].decode()


def test_an_empty_page_says_what_a_key_is_for(operator: Client) -> None:
    assert "No program has a key yet." in read(operator, reverse(PAGE))


def test_a_key_is_shown_in_the_answer_that_makes_it_and_never_again(operator: Client) -> None:
    channel = SalesChannel.objects.create(name="App", channel_type="mobile")
    form = {
        "name": "app",
        "scope": ["journeys:read", "journeys:write"],
        "channel": [channel.pk],
        "days": "30",
        "calls": "60",
    }
    answer = operator.post(reverse("console:make_key"), form)
    caller = keys.admit(shown_in(answer.content))
    assert caller.scopes == frozenset(form["scope"])
    assert (caller.channels, caller.calls_per_minute) == (frozenset({channel.pk}), 60)
    assert "no-store" in answer.headers["Cache-Control"]
    row = ApiKey.objects.get()
    assert row.expires_at is not None
    assert row.created_by == "olga"
    secret = shown_in(answer.content).split("_", 2)[2]
    assert secret not in str(answer.cookies) + str(dict(operator.session))
    assert secret not in read(operator, reverse(PAGE))


def test_a_key_that_makes_no_sense_is_refused_with_the_reason(operator: Client) -> None:
    answer = operator.post(reverse("console:make_key"), {"name": "app", "scope": ["everything"]}, follow=True)
    assert "Choose scopes among" in answer.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_is_rotated_and_ended_by_a_button(operator: Client) -> None:
    row, before = keys.create("till", ["journeys:read"])
    after = shown_in(operator.post(reverse("console:rotate_key", args=[row.pk])).content)
    assert keys.admit(before).family == keys.admit(after).family
    operator.post(reverse("console:end_key", args=[row.pk]))
    with pytest.raises(keys.NotLetIn):
        keys.admit(before)
    keys.admit(after)
    assert "ended" in read(operator, reverse(PAGE))


def test_what_programs_did_is_listed(operator: Client) -> None:
    row, _ = keys.create("till", ["journeys:write"])
    audit.note(row.pk, "start_journey", "journey 17", 201)
    assert "journey 17" in read(operator, reverse(PAGE))


def test_a_role_with_every_right_is_not_the_owner(db: None) -> None:
    clerk = User.objects.create_user("clara", password="open sesame 3", is_staff=True)
    clerk.user_permissions.add(*Permission.objects.filter(content_type__app_label="access"))
    row, shown = keys.create("till", ["journeys:read"])
    client = Client()
    client.force_login(clerk)
    assert client.get(reverse(PAGE)).status_code == 403
    for name, numbers in (("make_key", []), ("rotate_key", [row.pk]), ("end_key", [row.pk])):
        assert client.post(reverse(f"console:{name}", args=numbers)).status_code == 403
    keys.admit(shown)
