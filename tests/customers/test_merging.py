"""What people say of persons: merge with a preview, unmerge that gives both back, and a log of who said it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from finalmarket.customers import merging
from finalmarket.customers.models import CustomerMerge, MergeSuggestion, OmnichannelCustomer, PersonChange
from finalmarket.customers.persons import settle
from finalmarket.customers.preview import preview
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.customers.suggestions import decide, suggest
from finalmarket.customers.survivorship import presented, survive
from finalmarket.kernel.errors import UserError
from finalmarket.orders.models import Order
from tests.analytics import book

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def come(**words: Any) -> OmnichannelCustomer:
    """Somebody comes in; who is one person with them is known afterwards."""
    found = resolve(Contact(**words))
    assert found is not None
    settle()
    found.refresh_from_db()
    return found


def persons(*profiles: OmnichannelCustomer) -> list[int]:
    for profile in profiles:
        profile.refresh_from_db()
    return [profile.merged_into_id or profile.pk for profile in profiles]


def test_a_merge_moves_no_row_and_an_unmerge_gives_both_back() -> None:
    ann, anna = come(name="Ann", email="ann@example.com"), come(name="Anna", email="anna@example.com")
    shop = book.channel("Web shop")
    hers, also = book.order(shop, NOON, buyer=ann, goods="10.00"), book.order(shop, NOON, buyer=anna, goods="7.00")
    said = anna.merge(ann, actor="olga", reason="same street")
    assert persons(ann, anna) == [ann.pk, ann.pk]
    assert [Order.objects.get(pk=order.pk).customer_id for order in (hers, also)] == [ann.pk, anna.pk]
    assert ann.unified_profile() == anna.unified_profile()
    assert (ann.unified_profile()["total_orders"], ann.unified_profile()["total_spent"]) == (2, Decimal("17.00"))
    assert (said.actor, said.reason, said.kind) == ("olga", "same street", "join")
    ann.unmerge(anna, actor="nils", reason="two sisters")
    assert persons(ann, anna) == [ann.pk, anna.pk]
    assert [row.unified_profile()["total_orders"] for row in (ann, anna)] == [1, 1]
    log = list(merging.history(anna.pk).values_list("kind", "actor", "reason", "undone_by"))
    assert log == [("part", "nils", "two sisters", ""), ("join", "olga", "same street", "nils")]


def test_an_unmerge_of_what_evidence_joined_holds_against_later_evidence() -> None:
    ann, till = come(email="ann@example.com", account="till:1"), come(account="till:1")
    assert persons(ann, till) == [ann.pk, ann.pk]
    ann.unmerge(till, actor="olga")
    assert persons(ann, till) == [ann.pk, till.pk]
    come(email="ann@example.com", account="till:1", phone="+493023125001")
    come(account="till:1", phone="+493023125001")
    assert persons(ann, till) == [ann.pk, till.pk]
    ann.merge(till, actor="olga")
    assert persons(ann, till) == [ann.pk, ann.pk]


def test_who_was_merged_with_somebody_leaves_with_them() -> None:
    ann, bob, cid, dan = (come(email=f"{name}@example.com") for name in ("ann", "bob", "cid", "dan"))
    cid.merge(dan, actor="olga")
    ann.merge(bob, actor="olga")
    ann.merge(cid, actor="olga")
    assert set(persons(ann, bob, cid, dan)) == {ann.pk}
    ann.unmerge(dan, actor="olga")
    assert persons(ann, bob, cid, dan) == [ann.pk, ann.pk, ann.pk, dan.pk]
    bob.unmerge(cid, actor="olga")
    assert persons(ann, bob, cid, dan) == [ann.pk, ann.pk, cid.pk, dan.pk]


def test_two_who_hang_together_by_evidence_leave_together_when_their_merge_is_undone() -> None:
    ann = come(email="ann@example.com")
    bob, till = come(email="bob@example.com", account="till:1"), come(account="till:1")
    ann.merge(till, actor="olga")
    assert persons(ann, bob, till) == [ann.pk] * 3
    ann.unmerge(till, actor="olga")
    assert persons(ann, bob, till) == [ann.pk, bob.pk, bob.pk]


def test_who_stays_together_when_one_is_taken_out_stays_together_on_both_sides() -> None:
    profiles = [come(email=f"{name}@example.com", account="till:1") for name in ("ann", "bob", "cid")]
    ann, bob, cid = profiles
    assert persons(*profiles) == [ann.pk] * 3
    ann.unmerge(cid, actor="olga")
    assert persons(*profiles) == [ann.pk, ann.pk, cid.pk]
    late = come(account="till:1")
    assert persons(*profiles, late) == [ann.pk, ann.pk, cid.pk, late.pk]
    ann.merge(cid, actor="olga")
    cid.unmerge(ann, bob, actor="olga")
    assert persons(*profiles) == [ann.pk, ann.pk, cid.pk]


def test_a_plan_says_who_would_leave_before_anything_is_done() -> None:
    ann, bob, cid = (come(email=f"{name}@example.com") for name in ("ann", "bob", "cid"))
    ann.merge(bob, actor="olga")
    bob.merge(cid, actor="olga")
    plan = merging.plan_unmerge(cid.pk, [ann.pk])
    assert (plan.leaving, plan.staying) == ((ann.pk, bob.pk), (cid.pk,))
    (undone,) = plan.undone
    assert CustomerMerge.objects.get(pk=undone).second_id == cid.pk
    assert persons(ann, bob, cid) == [ann.pk] * 3


def test_what_makes_no_sense_is_refused() -> None:
    ann, bob = come(email="ann@example.com"), come(email="bob@example.com")
    with pytest.raises(UserError, match="say who"):
        ann.merge(bob, actor=" ")
    with pytest.raises(UserError, match="same person only"):
        ann.unmerge(bob, actor="olga")
    with pytest.raises(UserError, match="no customer"):
        merging.merge(ann.pk, bob.pk + 1000, actor="olga")
    ann.merge(bob, actor="olga")
    with pytest.raises(UserError, match="one person already"):
        bob.merge(ann, actor="olga")
    with pytest.raises(UserError, match="cannot leave and stay"):
        ann.unmerge(ann, bob, actor="olga")
    with pytest.raises(UserError, match="unmerge them"):
        merging.keep_apart(ann.pk, bob.pk, actor="olga")
    assert CustomerMerge.objects.count() == 1


def test_nobody_is_merged_with_a_number_that_somebody_left_behind() -> None:
    ann, bob = come(email="ann@example.com"), come(email="bob@example.com")
    suggest(ann.pk, bob.pk, source="test", evidence={})
    OmnichannelCustomer.objects.filter(pk=bob.pk).update(erased_at=NOON)
    suggestion = MergeSuggestion.objects.get()
    for verb in (
        lambda: ann.merge(bob, actor="olga"),
        lambda: bob.merge(ann, actor="olga"),
        lambda: preview(ann.pk, bob.pk),
        lambda: decide(suggestion.pk, are_one=True, actor="olga"),
    ):
        with pytest.raises(UserError, match="this person was erased"):
            verb()
    assert persons(ann, bob) == [ann.pk, bob.pk]
    assert not CustomerMerge.objects.exists()
    assert decide(suggestion.pk, are_one=False, actor="olga").state == "rejected"


def test_who_was_erased_is_suggested_to_be_nobody() -> None:
    ann, bob = come(email="ann@example.com"), come(email="bob@example.com")
    OmnichannelCustomer.objects.filter(pk=bob.pk).update(erased_at=NOON)
    assert not suggest(ann.pk, bob.pk, source="test", evidence={})
    assert not MergeSuggestion.objects.exists()


def test_two_who_are_kept_apart_are_joined_by_no_evidence_and_by_a_person_all_the_same() -> None:
    ann, bob = come(email="ann@example.com"), come(email="bob@example.com")
    merging.keep_apart(ann.pk, bob.pk, actor="olga")
    for name in ("ann", "bob"):
        come(email=f"{name}@example.com", account="till:1")
    assert persons(ann, bob) == [ann.pk, bob.pk]
    ann.merge(bob, actor="nils")
    assert persons(ann, bob) == [ann.pk, ann.pk]
    assert list(merging.history(bob.pk).values_list("kind", "undone_by")) == [("join", ""), ("part", "nils")]


def test_what_is_shown_of_a_person_comes_from_the_oldest_profile_that_has_it() -> None:
    visitor = come(device="d1")
    ann = come(name="Ann", email="ann@example.com", phone="+493023125001", language="de", device="d1")
    OmnichannelCustomer.objects.filter(pk=ann.pk).update(segment="vip", attributes={"shoe": 39})
    person = visitor.person()
    assert persons(visitor, ann) == [visitor.pk, visitor.pk]
    assert (person.id, person.name, person.email, person.language) == (visitor.pk, "Ann", "ann@example.com", "de")
    assert (person.segment, person.attributes, person.given_by["name"]) == ("vip", {"shoe": 39}, ann.pk)
    visitor.refresh_from_db()
    assert (visitor.name, visitor.email) == ("", "")
    assert (presented(ann).pk, presented(ann).name) == (visitor.pk, "Ann")


def test_the_view_of_persons_shows_the_same_as_we_do() -> None:
    from django.db import connection

    visitor = come(device="d1")
    come(name="Ann", email="ann@example.com", phone="+493023125001", language="de", device="d1")
    come(name="Bob", email="bob@example.com", country="DE")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name, email, phone, country, language, segment, first_seen_at FROM customer_persons")
        rows = {row[0]: row for row in cursor.fetchall()}
    for person in OmnichannelCustomer.objects.filter(merged_into=None):
        shown = person.person()
        assert rows.pop(person.pk) == (
            shown.id, shown.name, shown.email, shown.phone, shown.country, shown.language, shown.segment,
            shown.first_seen_at,
        )  # fmt: skip
    assert rows == {}
    assert visitor.merged_into_id is None


def test_the_order_of_profiles_changes_nothing_of_what_is_shown() -> None:
    ann, bob = come(name="Ann", email="ann@example.com"), come(name="Bob", email="bob@example.com")
    assert survive([ann, bob]) == survive([bob, ann])


def test_a_preview_says_what_each_has_what_survives_and_what_speaks_against_it() -> None:
    ann = come(name="Ann", email="ann@example.com", loyalty="FM1", account="shop:1", country="DE")
    bob = come(
        name="Bob", email="bob@example.com", loyalty="FM2", account="shop:2", country="AT", phone="+493023125001"
    )
    for customer, name in ((ann, "ann"), (bob, "bob")):
        customer.user = User.objects.create_user(name)
        customer.save()
    book.order(book.channel("Web shop"), NOON, buyer=bob, goods="7.00")
    merging.keep_apart(ann.pk, bob.pk, actor="nils", reason="brothers")
    found = preview(bob.pk, ann.pk)
    assert (found.one.profile["total_orders"], found.other.profile["total_orders"]) == (1, 0)
    assert found.one.rows == {"orders": 1}
    assert [row["value"] for row in found.other.identities] == ["shop:1", "ann@example.com", "FM1"]
    shown = {row.name: (row.value, row.given_by, row.hidden) for row in found.survivors}
    assert shown["name"] == ("Ann", ann.pk, "Bob")
    assert shown["phone"] == ("+493023125001", bob.pk, "")
    words = " / ".join(found.conflicts)
    for expected in ("nils said", "log-in", "accounts at shop", "loyalty numbers", "different countries: AT and DE"):
        assert expected in words
    assert len(found.conflicts) == 5
    assert persons(ann, bob) == [ann.pk, bob.pk]
    with pytest.raises(UserError, match="one person already"):
        preview(ann.pk, ann.pk)


def test_every_change_of_a_person_is_written_down_with_its_cause() -> None:
    ann, till = come(email="ann@example.com", account="till:1"), come(account="till:1")
    ann.unmerge(till, actor="olga")
    changes = list(PersonChange.objects.order_by("id").values_list("customer_id", "was", "becomes", "cause"))
    decision = CustomerMerge.objects.get().decision
    assert changes == [(till.pk, till.pk, ann.pk, "evidence"), (till.pk, ann.pk, till.pk, f"decision:{decision}")]


def test_a_suggestion_that_is_accepted_merges_and_one_that_is_rejected_keeps_nobody_apart() -> None:
    ann, bob, cid = (come(email=f"{name}@example.com") for name in ("ann", "bob", "cid"))
    suggest(ann.pk, bob.pk, source="linkage", evidence={})
    decide(MergeSuggestion.objects.latest("pk").pk, are_one=True, actor="olga")
    assert persons(ann, bob) == [ann.pk, ann.pk]
    assert CustomerMerge.objects.get().source == f"suggestion:{MergeSuggestion.objects.get().pk}"
    suggest(ann.pk, cid.pk, source="linkage", evidence={})
    decide(MergeSuggestion.objects.latest("pk").pk, are_one=False, actor="olga")
    for name in ("bob", "cid"):
        come(email=f"{name}@example.com", account="till:1")
    assert persons(ann, bob, cid) == [ann.pk] * 3


def test_a_suggestion_of_two_who_became_one_meanwhile_is_accepted_without_another_merge() -> None:
    ann, bob = come(email="ann@example.com"), come(email="bob@example.com")
    suggest(ann.pk, bob.pk, source="linkage", evidence={})
    for name in ("ann", "bob"):
        come(email=f"{name}@example.com", account="till:1")
    decide(MergeSuggestion.objects.get().pk, are_one=True, actor="olga")
    assert not CustomerMerge.objects.exists()


def test_a_suggestion_may_be_answered_by_two_persons_for_good() -> None:
    ann, bob = come(email="ann@example.com"), come(email="bob@example.com")
    suggest(ann.pk, bob.pk, source="linkage", evidence={})
    decide(MergeSuggestion.objects.get().pk, are_one=False, actor="olga", keep_apart=True)
    for name in ("ann", "bob"):
        come(email=f"{name}@example.com", account="till:1")
    assert persons(ann, bob) == [ann.pk, bob.pk]
