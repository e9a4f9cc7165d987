"""Whoever is erased here is erased at the platforms that know them: told once, whatever breaks off in between, and
what they are called there is forgotten when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from finalmarket.connectors.errors import NeedsAttention, Rejected
from finalmarket.connectors.platforms.fake import Fake
from finalmarket.customers import persons
from finalmarket.customers.models import OmnichannelCustomer, PrivacyRequest
from finalmarket.integrations import dead_letters, duties, notices, pull
from finalmarket.integrations.models import ChannelIntegration, DeadLetter, DueNotice, ExternalId, NameElsewhere
from finalmarket.integrations.privacy import elsewhere, erase
from finalmarket.kernel import clock, failpoints
from finalmarket.sandbox.faults import Fault
from tests.integrations.stalls import Account
from tests.laws.cut_off import cut_off

pytestmark = pytest.mark.committed_database
ERASURE = DueNotice.Kind.ERASURE


@pytest.fixture
def known(account: Account) -> Iterator[str]:
    """Somebody whom the platform knows as a customer, and who came in; what the platform calls them."""
    with account.shop.lock:
        number = account.shop.meet("Zora Neale", "zora@example.com")
    pull.pull(account.integration.pk, "customers")
    persons.settle()
    yield number


def person_of(number: str) -> int:
    return ExternalId.objects.get(kind="customer", external_id=number).local_id


def tell(account: Account, minutes: int = 0) -> None:
    """A worker tells what is due, so many minutes from now."""
    with clock.steered(clock.now() + timedelta(minutes=minutes)):
        notices.tell(account.integration.pk)


def erased_there(account: Account) -> list[str]:
    return [str(one["id"]) for one in account.effects("customer erased")]


def state() -> str:
    return str(DueNotice.objects.get(kind=ERASURE).state)


def test_a_platform_is_told_of_an_erasure_and_its_name_of_the_person_is_forgotten(account: Account, known: str) -> None:
    request = erase.erase(person_of(known), actor="olga")
    assert (request.outcome["told"], request.outcome["known_at"]) == (["fake"], [])
    assert erased_there(account) == []
    assert NameElsewhere.objects.count() == 1
    tell(account)
    assert erased_there(account) == [known]
    assert known not in account.shop.people()
    assert (state(), NameElsewhere.objects.count()) == ("sent", 0)
    tell(account, minutes=60)
    assert erased_there(account) == [known]


def test_what_waits_to_be_told_cannot_be_read_in_the_database(account: Account, known: str) -> None:
    erase.erase(person_of(known), actor="olga")
    with connection.cursor() as cursor:
        cursor.execute("SELECT names_elsewhere::text FROM names_elsewhere UNION ALL SELECT n::text FROM due_notices n")
        assert not any(f"{known}" in text.replace("erasure", "") for (text,) in cursor.fetchall())


def test_the_customer_of_every_account_and_every_profile_is_told(account: Account, known: str) -> None:
    with account.shop.lock:
        other = account.shop.meet("Zora N.", "zora.neale@example.com")
    pull.pull(account.integration.pk, "customers")
    first, second = person_of(known), person_of(other)
    OmnichannelCustomer.objects.get(pk=first).merge(
        OmnichannelCustomer.objects.get(pk=second), actor="olga", reason="she called"
    )
    persons.settle()
    erase.erase(second, actor="olga")
    tell(account)
    assert sorted(erased_there(account)) == sorted([known, other])


@pytest.mark.parametrize(
    "fault", [Fault.TOO_MANY, Fault.ERROR_BEFORE, Fault.ERROR_AFTER, Fault.RESET_AFTER, Fault.TIME_OUT]
)
def test_whatever_happens_on_the_way_it_is_told_once(account: Account, known: str, fault: Fault) -> None:
    erase.erase(person_of(known), actor="olga")
    account.shop.faults.then(fault)
    tell(account)
    for minutes in (5, 30, 90):
        tell(account, minutes=minutes)
    assert erased_there(account) == [known]
    assert (state(), NameElsewhere.objects.count()) == ("sent", 0)


@pytest.mark.parametrize(
    "where", ["notices.before_send", "privacy.told", "notices.after_send", "notices.within_settle"]
)
def test_a_worker_that_is_killed_leaves_it_to_the_next(account: Account, known: str, where: str) -> None:
    erase.erase(person_of(known), actor="olga")
    assert cut_off(partial(tell, account), f"{where}@1") == ""
    tell(account, minutes=30)
    assert erased_there(account) == [known]
    assert (state(), NameElsewhere.objects.count()) == ("sent", 0)


def test_whom_the_platform_does_not_know_any_more_is_done(account: Account, known: str) -> None:
    erase.erase(person_of(known), actor="olga")
    with account.shop.lock:
        del account.shop.state["customers"][known]
    tell(account)
    assert (state(), NameElsewhere.objects.count()) == ("sent", 0)
    assert not DeadLetter.objects.filter(settled_at=None).exists()


@pytest.mark.parametrize("error", [Rejected, NeedsAttention])
def test_what_a_platform_refuses_is_put_before_a_person_without_a_name_and_tried_again(
    account: Account, known: str, monkeypatch: pytest.MonkeyPatch, error: type[Rejected | NeedsAttention]
) -> None:
    erase.erase(person_of(known), actor="olga")
    with monkeypatch.context() as patched:

        def refuse(self: Fake, external_id: str) -> None:
            raise error(f"customer {external_id} has open orders", status=403)

        patched.setattr(Fake, "erase_customer", refuse)
        tell(account)
    letter = DeadLetter.objects.get(stream="notice_erasure", settled_at=None)
    assert state() == "refused"
    assert known not in letter.reason
    assert "(somebody)" in letter.reason
    assert account.refreshed().status == "active"  # the rest of the account goes on
    assert elsewhere.tidy() == 0
    dead_letters.replay(letter.pk, actor="ann")
    tell(account)
    assert erased_there(account) == [known]
    assert NameElsewhere.objects.count() == 0


def test_a_letter_that_a_person_closed_takes_the_name_along(
    account: Account, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    erase.erase(person_of(known), actor="olga")

    def refuse(self: Fake, external_id: str) -> None:
        raise Rejected("they have open orders")

    monkeypatch.setattr(Fake, "erase_customer", refuse)
    tell(account)
    dead_letters.drop(DeadLetter.objects.get(stream="notice_erasure").pk, actor="ann")
    assert elsewhere.tidy() == 1
    assert NameElsewhere.objects.count() == 0


def test_who_is_not_told_stands_in_the_request_for_a_person(account: Account, known: str) -> None:
    wanted = [duty.name for duty in duties.possible(account.integration) if duty.name != "erasures"]
    wanted = [name for name in wanted if duties.does(account.integration, name)]
    duties.switch(account.integration, wanted, actor="olga")
    request = erase.erase(person_of(known), actor="olga")
    assert (request.outcome["told"], request.outcome["known_at"]) == ([], ["fake"])
    assert not DueNotice.objects.filter(kind=ERASURE).exists()


def test_an_account_that_is_paused_is_told_when_it_goes_on(account: Account, known: str) -> None:
    ChannelIntegration.objects.update(status="paused")
    erase.erase(person_of(known), actor="olga")
    tell(account)
    assert (state(), erased_there(account)) == ("due", [])
    ChannelIntegration.objects.update(status="active")
    tell(account)
    assert erased_there(account) == [known]


def test_an_erasure_that_is_cut_off_tells_nobody_twice(account: Account, known: str) -> None:
    person = person_of(known)
    with failpoints.armed("privacy.before_commit:raise"), pytest.raises(failpoints.FailpointHit):
        erase.erase(person, actor="olga")
    assert not DueNotice.objects.filter(kind=ERASURE).exists()
    assert erase.go_on() == 1
    assert erase.erase(person, actor="olga").state == PrivacyRequest.State.DONE
    assert DueNotice.objects.filter(kind=ERASURE).count() == 1
