"""What the ingest does to be quick changes nothing that anybody relies on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from finalmarket.journeys import binary
from tests.tracking.teller import Shop, basic


def test_an_answer_says_its_length_for_clients_that_keep_the_connection(shop: Shop) -> None:
    answer = shop.batch({"type": "page", "anonymousId": "d1", "messageId": "m-1"})
    assert answer.headers["Content-Length"] == str(len(b'{"success": true}'))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_house_of_another_name_is_none_of_ours(shop: Shop) -> None:
    body, head = b'{"batch": []}', basic(shop.key)
    answer = Client().generic("POST", "/v1/batch", body, HTTP_HOST="elsewhere.example", HTTP_AUTHORIZATION=head)
    assert answer.status_code == 400


def test_what_is_no_tracking_goes_through_the_house_as_before(db: None) -> None:
    assert Client().get("/health").headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("message_id", ["m-1", "ä€", "x" * 100])
def test_a_rendered_row_still_says_which_message_it_is(message_id: str) -> None:
    at = datetime(2026, 11, 26, 12, 0, 0, 123_456, tzinfo=UTC)
    written = message_id.encode()
    row = b"".join((
        binary.kind_fields(7, "product_view", 2), binary.moment_field(at), binary.moment_field(at),
        binary.text_field(written), binary.details_size(b"{}"), b"{}",
    ))  # fmt: skip
    assert binary.told_in(row) == (message_id, b"{}")


def test_moments_compare_by_their_bytes_and_lose_nothing() -> None:
    first = datetime(2000, 1, 1, tzinfo=UTC)
    moments = [first, first + timedelta(microseconds=1), datetime(2026, 11, 26, 23, 59, 59, 999_999, tzinfo=UTC)]
    written = [binary.moment_field(at) for at in moments]
    assert written == sorted(written)
    assert [binary.moment_of(one) for one in written] == moments


def test_a_key_gives_back_its_channel_and_its_digest() -> None:
    assert binary.channel_and_digest(binary.key_of(2**40, bytes(range(16)))) == (2**40, bytes(range(16)))
