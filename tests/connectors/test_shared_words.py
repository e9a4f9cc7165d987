"""Words that many platforms share: moments, people, addresses by a table, keys of ours, tables of states."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from finalmarket.connectors.moments import from_seconds, to_millisecond, to_second, utc, zoned
from finalmarket.connectors.own_keys import capital_mark, digest_of, note_mark, plain_or_digest
from finalmarket.connectors.people import (
    address_fields,
    country_code,
    full_name,
    read_address,
    said_of,
    split_name,
)
from finalmarket.connectors.records import Address, CustomerContent
from finalmarket.connectors.vocabulary import cut, filled, look_up, text_of, word_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
WORDS = {"street": "line1", "postcode": "zip", "city": "town", "country": "land"}


def test_a_moment_without_a_zone_is_in_utc_or_refused_as_the_platform_has_it() -> None:
    assert utc("2026-06-01T12:00:00") == utc("2026-06-01T14:00:00+02:00") == zoned("2026-06-01T12:00:00Z") == NOON
    assert utc("2026-06-01T14:00:00+02:00").tzinfo is UTC
    with pytest.raises(ValueError, match="zone"):
        zoned("2026-06-01T12:00:00")
    for text in ("", "noon"):
        with pytest.raises(ValueError, match="isoformat"):
            utc(text)


def test_seconds_since_1970_are_whole_numbers() -> None:
    assert from_seconds(1_780_315_200) == NOON
    for wrong in (True, "1780315200", 1.5, None):
        with pytest.raises(ValueError, match="no moment"):
            from_seconds(wrong)


def test_written_moments_are_equally_long_so_that_the_greater_text_is_the_later_moment() -> None:
    in_berlin = NOON.astimezone(timezone(timedelta(hours=2))) + timedelta(microseconds=1999)
    assert to_second(in_berlin) == "2026-06-01T12:00:00Z"
    assert to_millisecond(in_berlin) == "2026-06-01T12:00:00.001Z"
    assert to_millisecond(NOON) == "2026-06-01T12:00:00.000Z"


def test_a_name_is_split_before_its_last_word_and_a_single_word_is_a_first_name() -> None:
    assert split_name(" Ada King Lovelace ") == ("Ada King", "Lovelace")
    assert split_name("Madonna") == ("Madonna", "")
    assert split_name("") == ("", "")
    assert full_name("Ada", None, "", "Lovelace") == "Ada Lovelace"


def test_what_somebody_said_of_mail_stands_among_the_other_consents() -> None:
    content = CustomerContent(key="1", accepts_email=False, consents={"sms": True})
    assert said_of(content) == {"email": False, "sms": True}
    assert said_of(CustomerContent(key="1")) == {}


def test_a_field_where_people_type_a_country_is_a_code_only_where_it_is_one() -> None:
    assert (country_code(" de "), country_code("Germany"), country_code("4 "), country_code("")) == ("DE", "", "", "")


def test_an_address_is_read_and_written_by_one_table() -> None:
    raw = {"line1": "Main St 1", "zip": 10115, "town": "Berlin", "land": "DE", "more": 1}
    address = read_address(raw, WORDS, name="Ada")
    assert address == Address(name="Ada", street="Main St 1", postcode="10115", city="Berlin", country="DE")
    assert address_fields(address, WORDS) == {"line1": "Main St 1", "zip": "10115", "town": "Berlin", "land": "DE"}
    assert read_address({"line1": None, "town": ""}, WORDS, name="Ada") == Address()
    with pytest.raises(TypeError, match="line1"):
        read_address({"line1": ["Main St 1"]}, WORDS)


def test_a_key_that_is_long_or_odd_goes_as_a_digest_and_no_two_keys_are_the_same() -> None:
    plain = "[a-z0-9-]{1,12}"
    assert plain_or_digest("order-7", plain) == "order-7"
    odd = {plain_or_digest(key, plain, 12) for key in ("Order 7", "order/7", "order-7-and-much-more")}
    assert len(odd) == 3
    assert all(re.fullmatch("[0-9a-f]{12}", one) for one in odd)
    assert plain_or_digest("order-7\n", plain, 12) == digest_of("order-7\n", 12)


def test_marks_are_the_same_for_the_same_key_and_fit_the_field() -> None:
    assert re.fullmatch("FM[0-9A-F]{14}", capital_mark("order-7", 16))
    assert capital_mark("order-7", 16) == capital_mark("order-7", 16) != capital_mark("order-8", 16)
    assert note_mark("order-7") != note_mark("order-8")


def test_a_word_that_nobody_documented_is_noted_and_what_is_no_word_is_refused() -> None:
    unknown: list[str] = []
    table = {"solved": "closed"}
    assert (look_up(table, "solved", unknown), look_up(table, "odd", unknown)) == ("closed", "unknown")
    assert look_up(table, "strange", unknown, "agent") == "agent"
    assert unknown == ["odd", "strange"]
    for wrong in (None, 7, ""):
        with pytest.raises(ValueError, match="word"):
            look_up(table, wrong, unknown)


def test_a_text_may_be_missing_and_a_word_may_not() -> None:
    assert (text_of(None), text_of(""), text_of("so"), word_of("so")) == ("", "", "so", "so")
    for wrong in (7, ["so"], True):
        with pytest.raises(ValueError, match="word"):
            text_of(wrong)
    with pytest.raises(ValueError, match="word"):
        word_of("")


def test_what_is_empty_is_left_out() -> None:
    assert filled({"a": "x", "b": "", "c": None, "d": [], "e": 0}) == {"a": "x"}
    assert cut({"a": "letters", "b": ""}, 3) == {"a": "let"}
