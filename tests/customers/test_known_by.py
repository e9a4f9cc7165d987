"""What people are known by has one form, whoever writes it down."""

import pytest
from django.db import connection

from finalmarket.customers.known_by import (
    MAILBOX_SQL,
    Contact,
    account_space,
    e164,
    folded_email,
    identities_of,
    looks_like_a_desk,
    mailbox,
)

ADDRESSES = {
    "ann.lee@gmail.com": "annlee@gmail.com",
    "annlee@gmail.com": "annlee@gmail.com",
    "a.n.n.lee+shop@googlemail.com": "annlee@gmail.com",
    "annlee+a+b@gmail.com": "annlee@gmail.com",
    "ann.lee@example.com": "ann.lee@example.com",
    "ann+shop@example.com": "ann+shop@example.com",
    "ann.lee@gmail.com.example.com": "ann.lee@gmail.com.example.com",
    "ann@notgmail.com": "ann@notgmail.com",
}


def test_addresses_are_folded_and_numbers_written_in_full() -> None:
    assert folded_email("  Ann.Lee@Example.COM ") == "ann.lee@example.com"
    assert folded_email("ann@") == folded_email("a\x00nn@example.com") == ""
    assert e164("(030) 901820", "DE") == e164("+49 30 901820", "GB") == "+4930901820"
    assert e164("030 901820", "") == e164("12", "DE") == e164("call me", "DE") == ""


@pytest.mark.parametrize(("address", "kept"), ADDRESSES.items())
def test_dots_and_tags_do_not_count_at_google_and_count_everywhere_else(address: str, kept: str) -> None:
    assert mailbox(address) == kept


@pytest.mark.django_db
@pytest.mark.parametrize(("address", "kept"), ADDRESSES.items())
def test_the_database_folds_mailboxes_as_we_do(address: str, kept: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {MAILBOX_SQL.format('given.address')} FROM (SELECT %s::text AS address) given", [address]
        )
        assert cursor.fetchone()[0] == kept


def test_the_strongest_comes_first_and_what_is_not_valid_is_left_out() -> None:
    said = Contact(
        email="Ann@Example.com", phone="030 901820", account=" shop:7 ", loyalty="FM1", payment="fp_1", device="d\x001"
    )
    assert identities_of(said, "DE") == (
        ("email", "ann@example.com"), ("phone", "+4930901820"), ("account", "shop:7"), ("loyalty", "FM1"),
        ("payment", "fp_1"), ("device", "d1"),
    )  # fmt: skip
    assert identities_of(Contact(email="nobody", phone="12", account="\x00 ")) == ()


def test_a_number_is_dialled_in_the_country_of_the_contact_before_that_of_the_channel() -> None:
    assert identities_of(Contact(phone="020 7946 0958", country="GB"), "DE") == (("phone", "+442079460958"),)


def test_the_names_of_desks_are_known_with_and_without_a_tag() -> None:
    assert looks_like_a_desk("email", "reception@hotel.example.com")
    assert looks_like_a_desk("email", "info+shop@example.com")
    assert not looks_like_a_desk("email", "ann@reception.example.com")
    assert not looks_like_a_desk("account", "info@example.com")


def test_an_account_says_who_gave_it_out() -> None:
    assert account_space("integration:5:gid://shop/Customer/7") == "integration:5"
    assert account_space("webshop:4711") == "webshop"
    assert account_space("4711") == account_space("webshop:") == ""
