"""What a CRM knows of people comes in: what they agreed to, purpose by purpose, and who turned out to be one person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from finalmarket.customers import consents
from finalmarket.customers.models import Consent, MergeSuggestion, OmnichannelCustomer
from finalmarket.customers.suggestions import decide, suggest
from finalmarket.integrations import pull
from finalmarket.kernel import clock
from finalmarket.kernel.errors import UserError
from tests.integrations.bureau import ANN, Bureau, opened_bureau
from tests.integrations.office import Office, opened_office

pytestmark = pytest.mark.committed_database


@pytest.fixture
def bureau(committed_database: object) -> Iterator[Bureau]:
    with opened_bureau() as found:
        yield found


@pytest.fixture
def books(committed_database: object) -> Iterator[Office]:
    """An account that keeps our customers. Ann agreed to the newsletter here, took that back there, and agreed here
    once more, of which it was told."""
    with opened_office() as office:
        office.keep("customers")
        office.agrees("newsletter")
        with office.office.lock:
            office.office.add_customer(ANN, accepts_email=False)
        pull.pull(office.integration.pk, "customers")
        office.agrees("newsletter")
        office.tell()
        assert entries() == [("newsletter", True), ("newsletter", False), ("newsletter", True)]
        assert there(office)["accepts_email"] is True
        yield office


def there(books: Office) -> dict[str, Any]:
    """Ann as the account has her."""
    (found,) = books.customers()
    return found


def change(books: Office, **words: Any) -> None:
    """The account changes what it has of Ann, and it comes in."""
    with books.office.lock:
        books.office.change_customer(there(books)["id"], **words)
    pull.pull(books.integration.pk, "customers")


def ann_agrees(books: Office) -> bool:
    return consents.agrees(books.person().pk, "newsletter")


def entries() -> list[tuple[str, bool]]:
    return list(Consent.objects.order_by("id").values_list("purpose", "is_granted"))


def test_consents_come_in_by_purpose_and_once(bureau: Bureau) -> None:
    number = bureau.office.add_customer(ANN, consents={"sms": True, "ads": False, "email": True})
    bureau.pull("customers")
    assert entries() == [("newsletter", True), ("sms", True)]
    bureau.office.change_customer(number, name="Ann")
    bureau.pull("customers")
    assert len(entries()) == 2
    bureau.office.change_customer(number, consents={"sms": False, "email": True})
    bureau.pull("customers")
    assert entries()[2:] == [("sms", False)]
    assert Consent.objects.filter(purpose="sms").latest("id").source == f"integration:{bureau.integration.pk}"


def test_a_yes_that_a_platform_shows_for_the_first_time_undoes_no_withdrawal_of_ours(bureau: Bureau) -> None:
    order = bureau.buy()
    assert order.customer is not None
    Consent.objects.create(
        customer=order.customer, purpose="newsletter", is_granted=False, sales_channel=bureau.market.web
    )
    number = bureau.office.add_customer(ANN, accepts_email=True)
    bureau.pull("customers")
    assert entries() == [("newsletter", False)]
    bureau.office.change_customer(number, accepts_email=False)
    bureau.pull("customers")
    bureau.office.change_customer(number, accepts_email=True)
    bureau.pull("customers")
    assert entries()[-1] == ("newsletter", True)


def test_a_no_that_a_platform_shows_ends_what_was_agreed_to_here(bureau: Bureau) -> None:
    order = bureau.buy()
    assert order.customer is not None
    Consent.objects.create(
        customer=order.customer, purpose="newsletter", is_granted=True, sales_channel=bureau.market.web,
        at=clock.now() - timedelta(days=1),
    )  # fmt: skip
    bureau.office.add_customer(ANN, accepts_email=False)
    bureau.pull("customers")
    assert entries()[-1] == ("newsletter", False)


def test_the_echo_of_a_yes_undoes_no_later_no_that_the_platform_has_not_heard_yet(books: Office) -> None:
    books.agrees("newsletter", to=False)
    change(books, name="Ann Lee")
    assert not ann_agrees(books)
    books.tell(5)
    assert there(books)["accepts_email"] is False
    change(books, accepts_email=True)  # it has heard the no: this is her own word
    assert ann_agrees(books)


def test_a_yes_said_on_a_platform_counts_after_a_no_that_it_has_heard_whatever_else_is_due_to_it(books: Office) -> None:
    books.agrees("newsletter", to=False)
    books.tell(30)
    books.buy(email=ANN)  # news of hers that it has not heard
    change(books, accepts_email=True)
    assert ann_agrees(books)


def test_a_yes_that_a_platform_shows_of_one_profile_undoes_no_withdrawal_of_another(bureau: Bureau) -> None:
    order = bureau.buy()
    assert order.customer is not None
    Consent.objects.create(customer=order.customer, purpose="newsletter", is_granted=False)
    twin = bureau.buy("ann.lee@example.com").customer
    assert twin is not None
    order.customer.merge(twin, actor="olga", reason="she called")
    bureau.office.add_customer("ann.lee@example.com", accepts_email=True)
    bureau.pull("customers")
    assert entries() == [("newsletter", False)]


def test_customers_that_the_platform_made_one_are_put_before_a_person_once(bureau: Bureau) -> None:
    kept = bureau.office.add_customer(ANN)
    merged = bureau.office.add_customer("ann@elsewhere.example")
    bureau.pull("customers")
    bureau.office.merge_customers(kept, merged)
    bureau.pull("customers")
    suggestion = MergeSuggestion.objects.get()
    first, second = sorted((bureau.person().pk, bureau.person("ann@elsewhere.example").pk))
    assert (suggestion.first_id, suggestion.second_id, suggestion.state) == (first, second, "open")
    assert suggestion.source == f"integration:{bureau.integration.pk}"
    assert suggestion.evidence == {"kept": kept, "merged": merged}
    bureau.office.change_customer(kept, name="Ann")
    bureau.pull("customers")
    assert MergeSuggestion.objects.count() == 1


def test_what_a_person_rejected_is_not_suggested_again(bureau: Bureau) -> None:
    ann, bob = (OmnichannelCustomer.objects.create(name=name) for name in ("Ann", "Bob"))
    assert suggest(bob.pk, ann.pk, source="test", evidence={})
    decide(MergeSuggestion.objects.get().pk, are_one=False, actor="olga")
    assert not suggest(ann.pk, bob.pk, source="test", evidence={})
    assert MergeSuggestion.objects.get().state == "rejected"


def test_a_decision_is_made_once_and_a_yes_merges(bureau: Bureau) -> None:
    ann, bob = (OmnichannelCustomer.objects.create(name=name) for name in ("Ann", "Bob"))
    suggest(ann.pk, bob.pk, source="test", evidence={})
    number = MergeSuggestion.objects.get().pk
    decided = decide(number, are_one=True, actor="olga")
    assert (decided.state, decided.decided_by) == ("accepted", "olga")
    assert decide(number, are_one=True, actor="nils").decided_by == "olga"
    with pytest.raises(UserError, match="decided already by olga"):
        decide(number, are_one=False, actor="nils")
    assert OmnichannelCustomer.objects.get(pk=bob.pk).merged_into_id == ann.pk


def test_profiles_that_are_one_already_are_not_suggested(bureau: Bureau) -> None:
    ann = OmnichannelCustomer.objects.create(name="Ann")
    other = OmnichannelCustomer.objects.create(name="Ann", merged_into=ann)
    assert not suggest(ann.pk, other.pk, source="test", evidence={})
