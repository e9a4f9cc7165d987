"""The words between Salesforce and us, and how far the derived description agrees with what others wrote down."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from finalmarket.connectors.keyset import Place
from finalmarket.connectors.platforms.salesforce import soql, words
from finalmarket.connectors.records import Address, CustomerContent
from finalmarket.sandbox.platforms.salesforce import schema
from finalmarket.sandbox.platforms.salesforce import soql as theirs
from tests.connectors.descriptions import vendor_apis
from tests.connectors.salesforce_description import CONTACT, ROOT, SALESFORCE

ADA = CustomerContent(
    key="c-1", name="Ada King Lovelace", email="ada@example.org",
    address=Address(street="1 Long Rd", street2="Flat 2", postcode="94105", city="San Francisco", region="CA",
                    country="US"),
)  # fmt: skip
RAW: dict[str, Any] = {
    "Id": "003000000000001AAA", "SystemModstamp": "2026-06-01T12:00:00.000+0000", "IsDeleted": False,
    "MasterRecordId": None, "FirstName": None, "LastName": "Lovelace", "Email": None, "Phone": None,
}  # fmt: skip


def requests() -> set[tuple[str, str]]:
    """Method and path of each request of the vendor's own collection; names in it are stars."""
    folder = vendor_apis() / "salesforce" / "postman" / "collections" / "salesforce_apis"
    found = set()
    for file in folder.glob("*/*.json"):
        told = json.loads(file.read_text())
        path = str(told["url"]).partition("?")[0].replace("v{{version}}", "v64.0")
        found.add((told["method"], re.sub(r"<[^>]+>", "*", re.sub(r"^(\{\{\w+\}\})+", "", path)).rstrip("/")))
    return found


def test_all_calls_are_in_the_vendors_own_collection() -> None:
    known = requests()
    shapes = {
        ("GET", f"{ROOT}/query"), ("GET", f"{ROOT}/queryAll"), ("PATCH", f"{ROOT}/sobjects/*/*"),
        ("POST", f"{ROOT}/composite/graph"), ("POST", "/services/oauth2/token"),
        # An external id is read by GET there; the request's own words name PATCH, too.
        ("GET", f"{ROOT}/sobjects/*/*/*"),
    }  # fmt: skip
    assert shapes <= known
    described = {re.sub(r"\{\w+\}|(?<=sobjects/)\w+|FinalMarket_Key__c", "*", path) for path in SALESFORCE["paths"]}
    assert {f"{ROOT}{path}" for path in described} <= {path for _, path in shapes}


def test_fields_of_contacts_have_the_names_and_lengths_that_others_wrote_down() -> None:
    """A hint only: the schema is a third party's."""
    file = vendor_apis() / "salesforce/third-party/json-schema/salesforce-sales-cloud-contact-schema.json"
    known = json.loads(file.read_text())["properties"]
    standard = {name for name in CONTACT if not name.endswith(("__c", "Code")) or name == "MailingPostalCode"}
    assert standard - set(known) <= {"HasOptedOutOfEmail"}
    for name in standard & set(known):
        most = known[name].get("maxLength")
        assert most is None or CONTACT[name].get("maxLength") in (None, most), name


def test_the_stand_in_knows_the_fields_that_the_description_knows() -> None:
    unset = ("CountryCode", "StateCode", "CurrencyIsoCode")  # of orgs with picklists, or with several currencies
    for kind, fields in (("Contact", CONTACT), ("Order", SALESFORCE_ORDER)):
        assert {name for name in fields if not name.endswith(unset)} <= set(schema.KINDS[kind])


SALESFORCE_ORDER = ("FinalMarket_Number__c", *words.ORDER, "AccountId", "EffectiveDate", "Status", "Pricebook2Id")


def test_states_and_countries_are_told_as_the_org_keeps_them() -> None:
    text = words.contact_values(ADA, "text", is_new=True)
    codes = words.contact_values(ADA, "codes", is_new=True)
    assert (text["MailingCountry"], text["MailingState"]) == ("US", "CA")
    assert (codes["MailingCountryCode"], codes["MailingStateCode"]) == ("US", "CA")
    bavaria = replace(ADA, address=replace(ADA.address, region="Bayern", country="DE"))
    assert "MailingStateCode" not in words.contact_values(bavaria, "codes", is_new=True)
    assert text["MailingStreet"] == "1 Long Rd\nFlat 2"


def test_an_address_is_read_as_it_was_written() -> None:
    for countries in ("text", "codes"):
        told = words.contact_values(ADA, countries, is_new=True)
        record = words.customer_record({**RAW, **told}, {})
        assert replace(record.address, name="") == ADA.address
        assert record.name == ADA.name


def test_a_country_that_is_no_code_is_left_to_the_raw_record() -> None:
    record = words.customer_record({**RAW, "MailingCity": "Berlin", "MailingCountry": "Germany"}, {})
    assert (record.address.city, record.address.country) == ("Berlin", "")
    assert record.raw["MailingCountry"] == "Germany"


def test_a_record_without_a_name_of_its_own_is_unreadable() -> None:
    for missing in ("Id", "SystemModstamp", "IsDeleted"):
        with pytest.raises(KeyError):
            words.customer_record({name: value for name, value in RAW.items() if name != missing}, {})


def test_a_difference_is_one_of_value_and_not_of_writing() -> None:
    there = {"a": 2, "b": Decimal("9.950"), "c": None, "d": "x", "f": 0}
    assert (
        words.difference({"a": Decimal("2.00"), "b": Decimal("9.95"), "c": "", "d": "x", "f": Decimal(0)}, there) == {}
    )
    assert words.difference({"a": Decimal(3), "d": "y", "e": Decimal(0)}, there) == {
        "a": Decimal(3), "d": "y", "e": Decimal(0),
    }  # fmt: skip


# Questions.


def test_texts_and_moments_are_written_so_that_they_end_where_they_end() -> None:
    assert soql.text(r"O'Brien \ Sons") == r"'O\'Brien \\ Sons'"
    assert soql.texts(["a", "b'"]) == r"('a', 'b\'')"
    east = timezone(timedelta(hours=2))
    question = soql.changed_since(Place(datetime(2026, 6, 1, 14, 0, 0, 999_999, tzinfo=east)))
    assert question == "SystemModstamp >= 2026-06-01T12:00:00Z"


def test_a_place_between_two_records_of_one_second_is_named_by_the_id() -> None:
    at = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert soql.changed_since(Place(at)) == "SystemModstamp >= 2026-06-01T12:00:00Z"
    assert soql.changed_since(Place(at, "003A")) == (
        "(SystemModstamp > 2026-06-01T12:00:00Z OR (SystemModstamp = 2026-06-01T12:00:00Z AND Id > '003A'))"
    )


def found(question: str, *records: dict[str, Any]) -> list[str]:
    asked = theirs.read(question)
    rows, _ = theirs.answer(asked, list(records), lambda kind, record, name: record.get(name))
    return [row["n"] for row in rows]


def test_the_stand_in_reads_quotes_lists_and_orders_as_salesforce_does() -> None:
    quoted, slashed = "O'Brien", "b\\c"
    one, two, three = {"n": "1", "a": quoted}, {"n": "2", "a": slashed, "m": True}, {"n": "3", "a": None}
    assert found(f"SELECT n FROM X WHERE a = {soql.text(quoted)}", one, two, three) == ["1"]
    assert found(f"SELECT n FROM X WHERE a IN {soql.texts([quoted, slashed])}", one, two, three) == ["1", "2"]
    assert found("SELECT n FROM X WHERE a = 'o\\'brien' AND m = true", one, two, three) == []
    assert found("SELECT n FROM X WHERE a = null OR m = true ORDER BY n LIMIT 1", three, two, one) == ["2"]
    for wrong in ("SELECT n", "SELECT n FROM X WHERE a ~ 'b'", "SELECT n FROM X WHERE a = b", "DELETE FROM X"):
        with pytest.raises(ValueError, match="n"):
            found(wrong, one)
