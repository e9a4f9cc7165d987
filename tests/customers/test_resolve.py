"""One person, however often and wherever they turn up."""

import pytest

from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer
from finalmarket.customers.resolve import Contact, e164, folded_email, resolve, resolve_many
from tests.orders.market import together


def test_addresses_are_folded_and_numbers_written_in_full() -> None:
    assert folded_email("  Ann.Lee@Example.COM ") == "ann.lee@example.com"
    assert folded_email("ann@") == folded_email("a\x00nn@example.com") == ""
    assert e164("(030) 901820", "DE") == e164("+49 30 901820", "GB") == "+4930901820"
    assert e164("030 901820", "") == e164("12", "DE") == e164("call me", "DE") == ""


@pytest.mark.django_db
def test_the_same_address_or_number_is_the_same_person() -> None:
    ann = resolve(Contact(name="Ann", email="ann@example.com", phone="030 901820"), country="DE")
    assert ann is not None
    assert resolve(Contact(email="ANN@example.com")) == ann
    assert resolve(Contact(phone="+4930901820")) == ann
    assert (ann.name, ann.email, ann.phone, ann.segment) == ("Ann", "ann@example.com", "+4930901820", "new")


@pytest.mark.django_db
def test_nobody_is_made_of_nothing_valid() -> None:
    assert resolve(Contact(name="Ann", email="no address", phone="12")) is None
    assert OmnichannelCustomer.objects.count() == 0


@pytest.mark.django_db
def test_a_new_number_is_added_to_the_person_of_the_address() -> None:
    ann = resolve(Contact(email="ann@example.com"))
    resolve(Contact(email="ann@example.com", phone="+4930901820"))
    assert resolve(Contact(phone="+4930901820")) == ann


@pytest.mark.django_db
def test_where_address_and_number_name_two_people_the_address_counts_and_nothing_is_joined() -> None:
    ann, bob = resolve(Contact(email="ann@example.com")), resolve(Contact(phone="+4930901820"))
    assert resolve(Contact(email="ann@example.com", phone="+4930901820")) == ann
    assert resolve(Contact(phone="+4930901820")) == bob


@pytest.mark.django_db
def test_an_account_number_of_a_channel_names_a_person_too() -> None:
    first = resolve(Contact(account="till:13085"))
    assert resolve(Contact(account="till:13085", email="ann@example.com")) == first
    assert resolve(Contact(email="ann@example.com")) == first


@pytest.mark.django_db
def test_many_contacts_are_resolved_in_few_statements(django_assert_max_num_queries: object) -> None:
    contacts = [Contact(email=f"p{n % 300}@example.com", phone="") for n in range(1000)] + [Contact(name="nobody")]
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        people = resolve_many(contacts)
    assert len(set(people[:1000])) == 300
    assert people[:300] == people[300:600]
    assert people[1000] is None


@pytest.mark.django_db
def test_people_of_one_batch_who_share_a_number_are_one() -> None:
    shared = [Contact(email="ann@example.com", phone="+4930901820"), Contact(phone="+4930901820")]
    first, second = resolve_many(shared)
    assert first == second


@pytest.mark.committed_database
def test_sixteen_at_once_meet_one_person() -> None:
    contact = Contact(name="Ann", email="ann@example.com", phone="+4930901820", account="till:1")
    other = Contact(name="Ann", phone="+4930901820", email="ann@example.com")
    found = together(lambda n: resolve_many([contact, other] if n % 2 else [other, contact])[0], 16)
    assert len(set(map(str, found))) == 1
    assert OmnichannelCustomer.objects.count() == 1
    assert CustomerIdentity.objects.count() == 3
