"""What many people use joins nobody: desks, family phones, kiosks, fillers; by the operator's word, and afterwards."""

from __future__ import annotations

import pytest

from finalmarket.customers import blocking
from finalmarket.customers.graph import DEFAULT_LIMITS
from finalmarket.customers.models import BlockedIdentity, OmnichannelCustomer, SharedIdentity
from finalmarket.customers.persons import before_removal, settle
from finalmarket.customers.resolve import Contact, add_identities, resolve_many
from finalmarket.kernel.errors import UserError
from tests.customers.crowds import from_scratch, stored_persons

pytestmark = pytest.mark.django_db
PHONE = "+493023125001"
MOST = DEFAULT_LIMITS["device"].most_profiles


def come(*contacts: Contact) -> list[int]:
    """They come in one after the other; return their persons."""
    found = []
    for contact in contacts:
        found += resolve_many([contact])
        settle()
    persons = stored_persons()
    assert persons == from_scratch()
    return [persons[profile] for profile in found if profile is not None]


def test_guests_of_one_reception_are_as_many_persons_as_they_are() -> None:
    guests = [Contact(email="reception@hotel.example.com", phone=f"+49302312500{n}") for n in range(5)]
    assert len(set(come(*guests))) == 5


def test_a_family_of_four_with_one_phone_is_four_persons() -> None:
    family = [Contact(email=f"{name}@example.com", phone=PHONE) for name in ("ann", "bob", "cid", "dan")]
    assert len(set(come(*family, Contact(phone=PHONE)))) == 5


def test_a_phone_that_turns_out_to_be_a_familys_gives_up_whom_it_had_joined() -> None:
    ann, call = come(Contact(email="ann@example.com", phone=PHONE), Contact(phone=PHONE))
    assert ann == call
    bob, ann, call = come(
        Contact(email="bob@example.com", phone=PHONE), Contact(email="ann@example.com"), Contact(phone=PHONE)
    )
    assert len({ann, bob, call}) == 3


def test_a_kiosk_joins_none_of_a_hundred_people_and_is_known_as_one() -> None:
    people = [Contact(email=f"p{n}@example.com", device="kiosk") for n in range(100)]
    assert len(set(come(Contact(device="kiosk"), *people[:50]))) == 51
    assert SharedIdentity.objects.get().value == "kiosk"
    resolve_many(people)
    settle()
    assert len(set(stored_persons().values())) == 101


def test_a_filler_number_of_many_accounts_gives_up_whom_it_had_joined_when_it_is_seen_too_often() -> None:
    accounts = [Contact(account=f"shop-{n}:1", phone="") for n in range(MOST + 1)]
    found = resolve_many(accounts)
    profiles = [profile for profile in found if profile is not None]
    add_identities([(profile, "phone", PHONE) for profile in profiles[:MOST]], source="test")
    settle()
    assert len(set(stored_persons().values())) == 2
    add_identities([(profiles[MOST], "phone", PHONE)], source="test")
    settle()
    assert len(set(stored_persons().values())) == MOST + 1
    assert stored_persons() == from_scratch()


def test_what_the_operator_blocks_parts_whom_it_joined_and_lets_them_meet_again_when_allowed() -> None:
    ann, till = come(Contact(email="ann@example.com", account="till:1"), Contact(account="till:1"))
    assert ann == till
    blocking.block("account", "till:1", actor="olga", reason="walk-in customer")
    settle()
    assert len(set(stored_persons().values())) == 2
    blocking.allow("account", "till:1", actor="olga")
    settle()
    assert len(set(stored_persons().values())) == 1
    assert BlockedIdentity.objects.get().actor == "olga"


def test_a_blocked_value_is_an_anchor_only_where_nothing_else_is_said() -> None:
    blocking.block("phone", "030 901820", actor="olga", country="DE")
    first, second, third = come(
        Contact(phone="+4930901820", account="shop:1"), Contact(phone="+4930901820", account="shop:2"),
        Contact(phone="+4930901820"),
    )  # fmt: skip
    assert len({first, second, third}) == 3


def test_all_addresses_of_a_name_can_be_blocked_and_one_of_them_allowed() -> None:
    blocking.block("email", "Lobby@", actor="olga")
    blocking.allow("email", "lobby@annlee.example.com", actor="olga")
    guests = [Contact(email="lobby@hotel.example.com", phone=f"+49302312500{n}") for n in range(2)]
    hers = [Contact(email="lobby@annlee.example.com", phone=f"+49302312500{n}") for n in range(3, 5)]
    one, other, ann, again = come(*guests, *hers)
    assert one != other
    assert ann == again


def test_the_operator_lets_a_phone_join_two_addresses_and_takes_it_back() -> None:
    ann, bob = come(Contact(email="ann@example.com", phone=PHONE), Contact(email="bob@example.com", phone=PHONE))
    assert ann != bob
    blocking.limit("phone", most_persons=2, most_profiles=20)
    settle()
    assert len(set(stored_persons().values())) == 1
    blocking.limit("phone", most_persons=1, most_profiles=20)
    settle()
    assert len(set(stored_persons().values())) == 2


def test_what_cannot_be_blocked_is_refused() -> None:
    for kind, value in (("email", "nobody"), ("phone", "12"), ("face", "x"), ("email", "@")):
        with pytest.raises(UserError, match="is no"):
            blocking.block(kind, value, actor="olga")
    with pytest.raises(UserError, match="no less than 0"):
        blocking.limit("phone", most_persons=-1, most_profiles=1)


def test_whom_somebody_joined_who_is_gone_are_parted_again() -> None:
    come(
        Contact(email="ann@example.com", account="till:1"), Contact(account="till:1", loyalty="FM1"),
        Contact(loyalty="FM1"),
    )  # fmt: skip
    ann, bridge, card = OmnichannelCustomer.objects.order_by("pk").values_list("pk", flat=True)
    assert set(stored_persons().values()) == {ann}
    before_removal([bridge])
    OmnichannelCustomer.objects.filter(pk=bridge).delete()
    settle()
    assert stored_persons() == from_scratch() == {ann: ann, card: card}
