"""Lines that belong together carry the same id: those of a request, of the job that it put off, of a sync run."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from structlog.testing import LogCapture

from finalmarket.config.lines import Lines
from finalmarket.integrations import runs
from finalmarket.integrations.models import ChannelIntegration
from finalmarket.kernel import jobs, trail
from finalmarket.operations.front_door import FrontDoor
from finalmarket.worker import registry
from tests.conftest import TestDatabase
from tests.operations.carrying import carry_out


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is written to the log, with all marks."""
    capture = LogCapture()
    before = structlog.get_config()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture], cache_logger_on_first_use=False)
    monkeypatch.setattr(runs, "log", structlog.get_logger())
    monkeypatch.setattr(registry, "log", structlog.get_logger())
    yield capture.entries
    structlog.configure(**before)


def answered(header: str = "") -> tuple[HttpResponse, list[str]]:
    """One request through the front door, and the ids that its two lines would carry."""
    seen: list[str] = []

    def page(request: HttpRequest) -> HttpResponse:
        for _ in range(2):
            seen.append(str(structlog.contextvars.get_contextvars()["request_id"]))
        return HttpResponse()

    return FrontDoor(page)(RequestFactory().get("/", headers={"X-Request-Id": header} if header else None)), seen


def test_a_request_keeps_the_id_that_its_caller_gave_it_and_answers_it_back() -> None:
    answer, seen = answered("order-77.a")
    assert (answer.headers["X-Request-Id"], seen) == ("order-77.a", ["order-77.a"] * 2)
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.parametrize("header", ["", "a b", "x" * 200, 'a"b', "ä"])
def test_without_a_good_id_it_gets_one_of_its_own(header: str) -> None:
    answer, seen = answered(header)
    assert answer.headers["X-Request-Id"] == seen[0] == seen[1] != header
    assert answered(header)[1] != seen


def test_every_answer_of_the_house_has_an_id(db: None) -> None:
    assert Client().get("/health").headers["X-Request-Id"]
    assert Client().get("/no/such/page").headers["X-Request-Id"]


def test_the_job_that_a_request_put_off_carries_the_requests_id(
    committed_database: TestDatabase, lines: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_declared", dict(jobs.declared()))
    declared = jobs.job("test.note")(lambda: runs.log.info("in the job"))
    with trail.bound(request_id="request-5"):
        jobs.enqueue("test.note")
    carry_out("test.note")
    assert declared is not None
    of_job = [line for line in lines if line.get("job") == "test.note"]
    assert [line["event"] for line in of_job] == ["job begins", "in the job", "job ends"]
    assert {line["request_id"] for line in of_job} == {"request-5"}
    assert len({line["job_id"] for line in of_job}) == 1


def test_the_lines_of_a_sync_run_carry_its_number_and_those_after_it_do_not(db: None, lines: list[Any]) -> None:
    account = ChannelIntegration.objects.create(platform_name="Shopify", integration_type="marketplace")
    run = runs.begin(account, "orders")
    runs.log.info("a page")
    inner = runs.begin(account, "drift")
    runs.end(inner, "done")
    runs.end(run, "done")
    runs.log.info("afterwards")
    assert [line.get("sync_run") for line in lines if line["event"] == "a page"] == [run.pk]
    assert "sync_run" not in lines[-1]
    assert [line["sync_run"] for line in lines if line["event"] == "sync run begins"] == [run.pk, inner.pk]


def test_a_line_that_cannot_be_written_is_told_of_without_a_word_of_what_was_in_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    handlers: Any = settings.LOGGING["handlers"]
    assert [told["class"] for told in handlers.values()] == [f"{Lines.__module__}.Lines"]
    broken = Lines()
    logger = logging.Logger("house.of.test")
    logger.addHandler(broken)
    try:
        raise ValueError("ann.lee@example.com is nobody")
    except ValueError:
        logger.exception("%d came from %s", "ann.lee@example.com", "Plumeweg 7")
    told = capsys.readouterr().err
    assert "could not be written (TypeError): house.of.test, test_log.py:" in told
    assert "ann.lee" not in told
    assert "Plumeweg" not in told


def test_a_request_that_was_refused_is_one_line_and_one_that_broke_shows_where(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logger = logging.Logger("django.request")
    logger.addHandler(Lines())
    try:
        raise PermissionError("not for analysts")
    except PermissionError:
        logger.warning("Forbidden: %s", "/orders/", exc_info=True)
        refused = capsys.readouterr().err
        logger.exception("Internal Server Error: %s", "/orders/")
    assert refused == "Forbidden: /orders/\n"
    assert "PermissionError" in capsys.readouterr().err


@pytest.mark.parametrize(("chosen", "django"), [("DEBUG", "WARNING"), ("INFO", "WARNING"), ("ERROR", "ERROR")])
def test_of_requests_and_statements_no_more_is_written_than_warnings_and_less_where_less_is_wanted(
    chosen: str, django: str
) -> None:
    words = "from finalmarket.config import settings; print(settings.LOGGING['loggers']['django']['level'])"
    environment = {**os.environ, "FINALMARKET_LOG_LEVEL": chosen}
    told = subprocess.run([sys.executable, "-c", words], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == django
