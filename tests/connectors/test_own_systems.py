"""Systems of a company's own, and lists by limit and offset."""

from __future__ import annotations

import pytest

from finalmarket.connectors.contract import Account
from finalmarket.connectors.errors import NeedsAttention, Unintelligible
from finalmarket.connectors.http import Answer
from finalmarket.connectors.offset_pages import all_rows, rows_in, told_error
from finalmarket.connectors.own_systems import basic_or_token, host_of

USER = {"user": "somebody", "password": "a-password"}


@pytest.mark.parametrize("given", [" https://Books.Example.org/ ", "books.example.org", "books.example.org:8443"])
def test_a_host_is_taken_as_people_write_it(given: str) -> None:
    assert host_of(given, "x.example.org").partition(":")[0] == "books.example.org"


@pytest.mark.parametrize("given", ["", "a@b", "a/b", "a b", "a?b", "-a", "a#b", "a:port", "http://a"])
def test_what_is_no_host_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(NeedsAttention, match="enter one such as"):
        host_of(given, "books.example.org")


def test_a_token_is_asked_for_at_an_encrypted_address_only() -> None:
    with pytest.raises(NeedsAttention, match="https"):
        basic_or_token(Account(USER), "http://token.example.org", address=lambda url: url)


def page(rows: list[dict[str, int]], offset: int, *, has_more: bool) -> Answer:
    return Answer(200, {}, b"", {"items": rows, "hasMore": has_more, "offset": offset})


def test_all_rows_of_a_list_are_read_page_by_page() -> None:
    rows = [{"row": number} for number in range(5)]
    asked = []

    def fetch(offset: int) -> tuple[list[object], bool]:
        asked.append(offset)
        return rows_in(page(rows[offset : offset + 2], offset, has_more=offset + 2 < len(rows)), offset)  # type: ignore[return-value]

    assert all_rows(fetch) == rows  # type: ignore[arg-type]
    assert asked == [0, 2, 4]


def test_a_page_that_comes_again_is_noticed_and_an_empty_one_is_the_last() -> None:
    with pytest.raises(Unintelligible):
        rows_in(page([{"row": 0}], 0, has_more=True), 2)
    assert rows_in(page([], 2, has_more=True), 2) == ([], False)


def test_errors_are_told_as_details_or_as_text() -> None:
    details = {"title": "Bad Request", "o:errorDetails": [{"o:errorCode": "27014", "detail": "Quantity is required"}]}
    assert told_error(Answer(400, {}, b"", details)) == ("27014", "Quantity is required")
    plain = Answer(400, {"content-type": "text/plain; charset=UTF-8"}, b"JBO-27014: Quantity is required")
    assert told_error(plain) == ("", "JBO-27014: Quantity is required")
    assert told_error(Answer(200, {}, b"", details)) == ("", "")
