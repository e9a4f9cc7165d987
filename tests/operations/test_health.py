"""Whoever looks after processes learns in one question whether they live, and in another whether they can work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.test import Client

from finalmarket.integrations.models import ChannelIntegration, Credential
from finalmarket.kernel import secrets
from finalmarket.operations import draining, readiness
from tests.conftest import TestDatabase

SECRET = "hunter2-of-the-shop"


@pytest.fixture(autouse=True)
def _looked_at_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(readiness, "KEPT_SECONDS", -1.0)
    readiness.forget()
    yield
    readiness.forget()


def asked(path: str = "/readyz", **given: Any) -> tuple[int, dict[str, Any], str]:
    answer = Client().get(path, **given)
    return answer.status_code, json.loads(answer.content), answer.headers["Content-Type"]


def test_a_process_that_answers_lives_whatever_the_database_does(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        assert asked("/healthz")[:2] == (200, {"status": "ok"})


def test_a_house_whose_database_has_its_tables_is_ready(committed_database: TestDatabase) -> None:
    assert asked() == (200, {"status": "ok"}, "application/json")


def test_probes_are_answered_by_whatever_name_they_ask(committed_database: TestDatabase) -> None:
    assert asked(headers={"host": "10.1.2.3:8000"})[0] == 200


def test_without_a_database_it_lives_and_is_not_ready(
    committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    status, problem, kind = asked()
    assert (status, kind) == (503, "application/problem+json")
    assert problem["reasons"] == ["the database does not answer"]
    assert asked("/healthz")[0] == 200
    assert str(connection.settings_dict["HOST"]) not in json.dumps(problem)


def test_before_its_tables_are_made_it_is_not_ready(committed_database: TestDatabase) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE id = (SELECT max(id) FROM django_migrations)")
    assert asked()[1]["reasons"] == ["the database does not have the tables of this version: finalmarket migrate"]


def test_with_other_keys_than_those_things_were_stored_with_it_is_not_ready(
    committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = ChannelIntegration.objects.create(platform_name="Shopify", integration_type="marketplace")
    Credential.objects.create(integration=account, name="token", encrypted=secrets.encrypt(SECRET).encode())
    assert asked()[0] == 200
    monkeypatch.setenv(secrets.VARIABLE, Fernet.generate_key().decode())
    status, problem, _ = asked()
    assert (status, problem["reasons"]) == (503, ["the encryption keys at hand do not open what is stored"])
    assert SECRET not in json.dumps(problem)


def test_a_process_that_is_about_to_stop_says_so_and_answers_all_else(
    committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "is_draining", lambda: True)
    assert asked()[0] == 503
    assert asked("/healthz")[0] == asked("/health")[0] == 200


def test_asking_often_looks_once(committed_database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 60.0)

    def look() -> tuple[str, ...]:
        looks.append(1)
        return ()

    monkeypatch.setattr(readiness, "look", look)
    assert [asked()[0] for _ in range(50)] == [200] * 50
    assert len(looks) == 1
