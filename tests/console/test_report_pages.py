"""Reports in the console: what the page says, and the files to take along."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from finalmarket.analytics.rollup import restate
from finalmarket.kernel import clock
from tests.analytics import book

pytestmark = pytest.mark.django_db


def address(**asked: str) -> str:
    return reverse("console:reports", query=asked)


def file(kind: str, **asked: str) -> str:
    return reverse("console:report_file", kwargs={"kind": kind}, query=asked)


def test_the_report_of_the_last_days_is_shown_and_can_be_taken_along(operator: Client) -> None:
    channel = book.channel("Corner shop")
    at = clock.now() - timedelta(days=3)
    book.order(channel, at, goods="48.50", buyer=book.customer("Ann"))
    restate(channel, at.date(), at.date())
    page = operator.get(address()).content.decode()
    assert "Corner shop" in page and "48.50" in page
    assert reverse("console:reports") in operator.get(reverse("console:overview")).content.decode()
    for kind in ("html", "csv", "parquet"):
        assert reverse("console:report_file", kwargs={"kind": kind}) in page
    found = operator.get(file("csv", since=str(at.date()), until=str(at.date())))
    assert found["Content-Disposition"] == f'attachment; filename="report-{at.date()}-{at.date()}.csv"'
    assert found.content.decode("utf-8-sig").count("\n") == 2
    assert operator.get(file("parquet")).content[:4] == b"PAR1"
    assert operator.get(file("html")).content.startswith(b"<!doctype html>")


def test_an_empty_house_is_told_what_a_report_is(operator: Client) -> None:
    assert "A report sums up" in operator.get(address()).content.decode()


def test_a_period_that_cannot_be_is_refused_in_words(operator: Client) -> None:
    wrong = {"since": "2026-05-02", "until": "2026-05-01"}
    assert "before it begins" in operator.get(address(**wrong)).content.decode()
    assert operator.get(file("csv", **wrong)).status_code == 400
    assert operator.get(file("exe")).status_code == 404


def test_staff_without_rights_see_none_of_it(newcomer: Client) -> None:
    assert newcomer.get(address()).status_code == 403
    assert newcomer.get(file("csv")).status_code == 403
