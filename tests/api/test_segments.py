"""Segments over the REST API: what they are worth, and who is in them, page by page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from finalmarket.analytics import segments, segments_made
from finalmarket.kernel import clock
from tests.analytics import book
from tests.api.calling import Program, problem, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def buyers() -> list[int]:
    shop = book.channel("Web shop")
    people = [book.customer(f"Buyer {n}") for n in range(5)]
    for n, person in enumerate(people):
        book.order(shop, clock.now() - timedelta(days=10), goods=str(10 + n), buyer=person)
    segments.restate()
    segments_made.make("Twelve and more", {"field": "value", "at_least": 12}, actor="olga")
    return [person.pk for person in people]


def test_segments_are_listed_with_their_figures(buyers: list[int]) -> None:
    found = told(Program("customers:read").get("/segments"))["items"]
    assert [one["key"] for one in found] == ["vip", "high_value", "new", "regular", "prospect", "twelve_and_more"]
    assert sum(one["persons"] for one in found if one["is_built_in"]) == 5
    made = found[-1]
    assert (made["persons"], made["value"], made["currency"]) == (3, "39.0000", "EUR")
    assert made["rule_in_words"] == "brought so far at least 12"


def test_members_come_page_by_page_with_what_they_are_worth(buyers: list[int]) -> None:
    pages = list(Program("customers:read").pages("/segments/twelve_and_more/members", limit=2))
    assert [[one["customer"] for one in page] for page in pages] == [buyers[2:4], buyers[4:]]
    assert pages[0][0]["worth"]["value"] == "12.0000"
    assert pages[0][0]["worth"]["expected_value"] is None  # five are too few to learn from
    in_new = [one for page in Program("customers:read").pages("/segments/new/members", limit=1) for one in page]
    assert {one["customer"] for one in in_new} < set(buyers)
    assert all(one["since"] is None for one in in_new)


def test_an_unknown_segment_is_not_found_and_a_key_without_the_scope_sees_nothing(buyers: list[int]) -> None:
    told(Program("customers:read").get("/segments/gold/members"), 404)
    told(Program("journeys:read").get("/segments"), 403)


def test_a_segment_is_looked_at_made_changed_and_taken_away(buyers: list[int]) -> None:
    program = Program("customers:read", "segments:write")
    rule = {"field": "value", "at_least": 13}
    assert told(program.post("/segment-preview", {"rule": rule}))["persons"] == 2
    made = told(program.post("/segments", {"name": "Thirteen", "rule": rule}), 201)
    assert (made["key"], made["persons"], made["is_built_in"]) == ("thirteen", 2, False)
    seen = program.get("/segments/thirteen").headers["ETag"]
    changed = program.write("PATCH", "/segments/thirteen", {"rule": {"field": "value", "at_least": 14}}, If_Match=seen)
    assert told(changed)["persons"] == 1
    problem(program.write("PATCH", "/segments/thirteen", {"name": "Late"}, If_Match=seen), "changed", 412)
    assert program.write("DELETE", "/segments/thirteen").status_code == 204
    told(program.get("/segments/thirteen"), 404)


def test_a_built_in_segment_stays_and_a_rule_that_is_none_is_refused_with_where(buyers: list[int]) -> None:
    program = Program("customers:read", "segments:write")
    assert "built in" in problem(program.write("DELETE", "/segments/vip"), "refused", 422)["detail"]
    said = problem(program.post("/segments", {"name": "Odd", "rule": {"field": "shoe_size"}}), "refused", 422)
    assert "shoe_size" in said["detail"]
