"""A record lands on the profile of its anchor; which profiles are one person follows from what they were seen with."""

import random

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from finalmarket.customers.models import CustomerIdentity, OmnichannelCustomer, PersonMark
from finalmarket.customers.persons import LOCK, settle
from finalmarket.customers.resolve import Contact, add_identities, resolve, resolve_many
from finalmarket.kernel import failpoints
from finalmarket.kernel.sql import open_connection
from tests.orders.market import together


def landed(contact: Contact, **given: str) -> OmnichannelCustomer:
    found = resolve(contact, **given)
    assert found is not None
    return found


def person(profile: OmnichannelCustomer) -> int:
    settle()
    profile.refresh_from_db()
    return profile.merged_into_id or profile.pk


@pytest.mark.django_db
def test_the_same_address_is_the_same_profile() -> None:
    ann = landed(Contact(name="Ann", email="ann@example.com", phone="030 901820"), country="DE")
    assert landed(Contact(email="ANN@example.com")) == ann
    assert (ann.name, ann.email, ann.phone, ann.segment) == ("Ann", "ann@example.com", "+4930901820", "new")


@pytest.mark.django_db
def test_what_came_under_the_number_alone_is_the_person_of_the_address_whichever_came_first() -> None:
    call = landed(Contact(phone="+4930901820"))
    ann = landed(Contact(email="ann@example.com", phone="+4930901820"))
    assert ann != call
    assert person(ann) == person(call) == call.pk
    assert landed(Contact(phone="+4930901820")) == call


@pytest.mark.django_db
def test_nobody_is_made_of_nothing_valid() -> None:
    assert resolve(Contact(name="Ann", email="no address", phone="12")) is None
    assert OmnichannelCustomer.objects.count() == 0


@pytest.mark.django_db
def test_two_addresses_with_one_number_are_two_persons_and_the_number_is_nobodys() -> None:
    ann = landed(Contact(email="ann@example.com", phone="+4930901820"))
    call = landed(Contact(phone="+4930901820"))
    assert person(call) == person(ann)
    bob = landed(Contact(email="bob@example.com", phone="+4930901820"))
    assert len({person(ann), person(bob), person(call)}) == 3


@pytest.mark.django_db
def test_an_account_joins_the_address_that_its_owner_had_before_to_the_one_of_today() -> None:
    first = landed(Contact(email="ann@example.com", account="shop:13085"))
    alone = landed(Contact(account="shop:13085"))
    today = landed(Contact(email="ann.lee@example.com", account="shop:13085"))
    assert len({first.pk, alone.pk, today.pk}) == 3
    assert person(first) == person(alone) == person(today) == first.pk


@pytest.mark.django_db
def test_loyalty_cards_payment_cards_and_devices_are_known_too() -> None:
    everything = Contact(email="ann@example.com", loyalty="FM1", payment="fp_1", device="d1")
    ann = landed(everything)
    others = [landed(Contact(loyalty="FM1")), landed(Contact(payment="fp_1")), landed(Contact(device="d1"))]
    assert {person(other) for other in others} == {person(ann)} == {ann.pk}
    assert [other.segment for other in others] == ["new", "new", "prospect"]


@pytest.mark.django_db
def test_who_writes_from_a_desk_is_known_by_what_else_they_say() -> None:
    guest = landed(Contact(email="reception@hotel.example.com", phone="+4930901820"))
    other = landed(Contact(email="reception@hotel.example.com", phone="+4930901821"))
    desk = landed(Contact(email="reception@hotel.example.com"))
    assert len({person(guest), person(other), person(desk)}) == 3
    assert landed(Contact(email="reception@hotel.example.com")) == desk


@pytest.mark.django_db
def test_what_is_learned_of_a_profile_joins_it_like_what_it_came_with() -> None:
    ann, alone = landed(Contact(email="ann@example.com")), landed(Contact(account="integration:7:4711"))
    add_identities([(ann.pk, "account", " integration:7:4711 "), (ann.pk, "phone", "none")], source="integration:7")
    assert person(alone) == person(ann)
    assert set(ann.identities.values_list("kind", "source")) == {("email", ""), ("account", "integration:7")}


@pytest.mark.django_db
def test_many_contacts_are_resolved_in_few_statements(django_assert_max_num_queries: object) -> None:
    contacts = [Contact(email=f"p{n % 300}@example.com", phone="") for n in range(1000)] + [Contact(name="nobody")]
    with django_assert_max_num_queries(12):  # type: ignore[operator]
        people = resolve_many(contacts)
    assert len(set(people[:1000])) == 300
    assert people[:300] == people[300:600]
    assert people[1000] is None


@pytest.mark.django_db
@pytest.mark.parametrize("number", [10, 5_000])
def test_settling_takes_as_many_statements_for_five_thousand_as_for_ten(
    django_assert_max_num_queries: object, number: int
) -> None:
    contacts = [Contact(email=f"p{n}@example.com", account=f"shop:{n}") for n in range(number // 2)]
    contacts += [Contact(account=f"shop:{n}") for n in range(number // 2)]
    resolve_many(contacts)
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        assert settle() == number // 2
    assert not PersonMark.objects.exists()


@pytest.mark.django_db
def test_what_came_before_changes_nothing() -> None:
    contacts = [
        Contact(email="ann@example.com", phone="+4930901820"),
        Contact(phone="+4930901820", account="shop:1"),
        Contact(account="shop:1", device="d1"),
        Contact(device="d1"),
        Contact(email="bob@example.com", account="shop:1"),
    ]
    chance = random.Random(4)
    first = resolve_many(contacts)
    for _ in range(5):
        order = chance.sample(range(len(contacts)), len(contacts))
        again = resolve_many([contacts[place] for place in order])
        assert again == [first[place] for place in order]
    assert CustomerIdentity.objects.filter(is_anchor=True).count() == OmnichannelCustomer.objects.count() == 5


@pytest.mark.committed_database
def test_sixteen_at_once_meet_one_person() -> None:
    contact = Contact(name="Ann", email="ann@example.com", phone="+4930901820", account="till:1")
    other = Contact(name="Ann", phone="+4930901820", account="till:1")
    found = together(lambda n: tuple(resolve_many([contact, other] if n % 2 else [other, contact])), 16)
    settle()
    assert {frozenset(one) if isinstance(one, tuple) else str(one) for one in found} == {
        frozenset(OmnichannelCustomer.objects.values_list("pk", flat=True))
    }
    assert OmnichannelCustomer.objects.filter(merged_into=None).count() == 1
    assert OmnichannelCustomer.objects.count() == 2
    assert CustomerIdentity.objects.count() == 5


@pytest.mark.committed_database
def test_persons_are_told_as_soon_as_what_tells_them_is_committed() -> None:
    call = landed(Contact(phone="+4930901820"))
    ann = landed(Contact(email="ann@example.com", phone="+4930901820"))
    ann.refresh_from_db()
    assert ann.merged_into_id == call.pk
    assert not PersonMark.objects.exists()


@pytest.mark.committed_database
@pytest.mark.parametrize("place", ["before", "after"])
def test_what_fails_while_persons_are_computed_is_made_up_for_and_harms_no_order(place: str) -> None:
    call = landed(Contact(phone="+4930901820"))
    with failpoints.armed(f"persons.{place}_settle:raise"):
        ann = landed(Contact(email="ann@example.com", phone="+4930901820"))
    assert PersonMark.objects.exists() == (place == "before")
    assert person(ann) == call.pk
    assert not PersonMark.objects.exists()


@pytest.mark.committed_database
def test_who_finds_others_at_it_leaves_the_computing_to_a_worker() -> None:
    call = landed(Contact(phone="+4930901820"))
    with open_connection() as other, other.transaction():
        other.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        ann = landed(Contact(email="ann@example.com", phone="+4930901820"))
        assert PersonMark.objects.exists()
        assert ProcrastinateJob.objects.filter(task_name="customers.settle", status="todo").count() == 1
    assert person(ann) == call.pk
