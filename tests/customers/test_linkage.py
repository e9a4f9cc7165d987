"""Who may be one person is suggested with a score and a reason, to people, and never against what people said."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finalmarket.cli import run
from finalmarket.customers.linkage import scoring
from finalmarket.customers.linkage.reading import records
from finalmarket.customers.linkage.records import Record, day, record, split_name, words
from finalmarket.customers.linkage.scoring import Scored, score
from finalmarket.customers.linkage.suggesting import SOURCE, find_duplicates
from finalmarket.customers.linkage.weights import COMPARISONS, default_weights, is_sane
from finalmarket.customers.merging import keep_apart
from finalmarket.customers.models import CustomerMerge, MergeSuggestion, OmnichannelCustomer
from finalmarket.customers.resolve import Contact, resolve
from finalmarket.customers.suggestions import decide, suggest
from finalmarket.kernel.errors import UserError
from tests.analytics import book

pytest.importorskip("splink", reason="scored suggestions are an extra: finalmarket[linkage]")

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BORN = datetime(1950, 1, 1, tzinfo=UTC).date()


def strangers(number: int) -> Iterator[dict[str, str]]:
    """People who have nothing to do with each other."""
    chance = random.Random(7)
    for place in range(number):
        letters = ["".join(chance.choices("abcdefghiklmnoprstuvw", k=8)) for _ in range(4)]
        yield {
            "name": f"{letters[0]} {letters[1]}", "email": f"{letters[2]}@example.com",
            "birth_date": (BORN + timedelta(days=41 * place)).isoformat(), "city": letters[3],
        }  # fmt: skip


def crowd(number: int = 12) -> None:
    """A small shop: too few to learn from."""
    for one in strangers(number):
        born = one.pop("birth_date")
        one.pop("city")
        OmnichannelCustomer.objects.create(attributes={"birth_date": born}, **one)


def twins() -> tuple[OmnichannelCustomer, OmnichannelCustomer]:
    """One woman with two addresses and a slip of the finger."""
    crowd()
    first = OmnichannelCustomer.objects.create(
        name="Anna Featherstone", email="anna.f@example.com", attributes={"birth_date": "1971-06-24"}
    )
    second = OmnichannelCustomer.objects.create(
        name="Anna Fetherstone", email="anna.f@example.org", attributes={"dob": "24.06.1971"}
    )
    return first, second


@pytest.mark.django_db
def test_one_woman_with_two_addresses_is_suggested_once_with_the_reason_and_nobody_is_merged() -> None:
    first, second = twins()
    found = find_duplicates()
    assert (found.persons, found.new, found.withdrawn, found.learned) == (14, 1, 0, ())
    assert "too few to learn from" in found.notes[0]
    one = MergeSuggestion.objects.get()
    assert (one.first_id, one.second_id, one.source, one.state) == (first.pk, second.pk, SOURCE, "open")
    assert one.score is not None
    assert Decimal("0.5") <= one.score < 1
    reason = "same first name, same birth date; surname differs in one letter"
    assert one.evidence["because"] == f"{reason}, same name before the @"
    assert "Featherstone" not in str(one.evidence)
    assert CustomerMerge.objects.count() == 0
    assert not OmnichannelCustomer.objects.exclude(merged_into=None).exists()
    again = find_duplicates()
    assert (again.new, again.withdrawn, MergeSuggestion.objects.get().pk) == (0, 0, one.pk)


def living(name: str, email: str, **words: Any) -> OmnichannelCustomer:
    """Somebody in one flat with others, as an order tells it."""
    found = resolve(Contact(name=name, email=email, phone="+493023125001", **words))
    assert found is not None
    shop = book.channel(f"Shop of {email}")
    address = {"postcode": "10115", "city": "Berlin", "street": "Invalidenstrasse 7", "country": "DE"}
    book.order(shop, NOON, buyer=found, billing_address=address)
    return found


@pytest.mark.django_db
def test_a_couple_in_one_flat_with_one_phone_is_not_suggested_but_her_second_address_is() -> None:
    crowd()
    living("Bernd Featherstone", "bernd@example.com")
    hers = [living("Anna Featherstone", "anna@example.com"), living("Anna Featherstone", "shopping@example.org")]
    found = find_duplicates()
    assert [(one.one, one.other) for one in found.suggestions] == [(hers[0].pk, hers[1].pk)]
    reason = found.suggestions[0].evidence["because"]
    assert "same phone, same postcode, same city, same street; different e-mail" in reason


@pytest.mark.django_db
def test_a_dry_run_writes_nothing() -> None:
    twins()
    assert len(find_duplicates(dry_run=True).suggestions) == 1
    assert MergeSuggestion.objects.count() == 0


@pytest.mark.django_db
def test_what_was_rejected_is_not_suggested_again() -> None:
    twins()
    find_duplicates()
    decide(MergeSuggestion.objects.get().pk, are_one=False, actor="olga")
    assert find_duplicates().suggestions == []
    assert MergeSuggestion.objects.get().state == "rejected"


@pytest.mark.django_db
def test_who_was_parted_is_not_suggested_and_an_open_suggestion_of_them_is_withdrawn() -> None:
    first, second = twins()
    find_duplicates()
    keep_apart(first.pk, second.pk, actor="olga")
    found = find_duplicates()
    assert (found.suggestions, found.withdrawn, MergeSuggestion.objects.count()) == ([], 1, 0)


@pytest.mark.django_db
def test_a_rejection_holds_for_the_person_whatever_profile_it_was_said_of() -> None:
    first, second = twins()
    other = OmnichannelCustomer.objects.create(email="office@example.net")
    suggest(other.pk, second.pk, source="integration:1", evidence={})
    decide(MergeSuggestion.objects.get().pk, are_one=False, actor="olga")
    first.merge(other, actor="olga")
    assert find_duplicates().suggestions == []


@pytest.mark.django_db
def test_what_somebody_else_suggests_stays_theirs() -> None:
    first, second = twins()
    suggest(first.pk, second.pk, source="integration:1", evidence={"kept": "C1", "merged": "C2"})
    assert (find_duplicates().new, MergeSuggestion.objects.get().source) == (0, "integration:1")
    second.delete()
    suggest(first.pk, OmnichannelCustomer.objects.exclude(pk=first.pk).first().pk, source="integration:1", evidence={})  # type: ignore[union-attr]
    assert find_duplicates().withdrawn == 0


@pytest.mark.django_db
def test_persons_are_read_once_each_with_the_address_of_their_newest_order_and_visitors_not_at_all() -> None:
    first, second = twins()
    first.merge(second, actor="olga")
    OmnichannelCustomer.objects.create()
    shop = book.channel("Web shop")
    book.order(shop, NOON, buyer=second, billing_address={"postcode": "SW1A 1AA", "city": "London", "street": "Mall 1"})
    book.order(shop, NOON - timedelta(days=9), buyer=first, shipping_address={"postcode": "10115", "city": "Berlin"})
    read = {one.person: one for one in records()}
    assert len(read) == 13
    anna = read[first.pk]
    assert (anna.first_name, anna.surname, anna.birth_date) == ("anna", "featherstone", "1971-06-24")
    assert (anna.postcode, anna.city, anna.street, anna.email_name) == ("sw1a1aa", "london", "mall 1", "anna.f")


@pytest.mark.django_db
def test_without_the_extra_one_line_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scoring, "is_installed", lambda: False)
    with pytest.raises(UserError, match=r"pip install 'finalmarket\[linkage\]'"):
        find_duplicates()


@pytest.mark.django_db
def test_the_command_says_what_it_found_and_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("finalmarket.cli.link.database_ready", lambda: None)
    first, second = twins()
    assert run(["link", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert f"{first.pk} and {second.pk}: 0." in told
    assert "surname differs in one letter" in told
    assert "Nothing was written" in told
    assert run(["link"]) == 0
    assert "1 are new" in capsys.readouterr().out


def alone(number: int) -> list[Record]:
    return [record(place, one) for place, one in enumerate(strangers(number), 1)]


def test_people_of_whom_no_two_agree_teach_nothing_and_nobody_is_suggested() -> None:
    found = score(alone(600))
    assert (found.pairs, found.weights.learned) == ([], ())
    assert found.weights.notes == ("too few customers agree in anything to learn from; default weights",)


def test_a_shop_where_all_are_alike_learns_nothing_senseless_and_does_not_fail() -> None:
    found = score(record(number, {"name": "Max Test", "email": "test@example.com"}) for number in range(1, 601))
    assert isinstance(found, Scored)
    assert found.weights.notes
    assert all(is_sane(found.weights.levels[column]) for column in found.weights.learned)


def test_nobody_and_one_person_are_compared_without_complaint() -> None:
    assert score([]).pairs == []
    assert score(alone(1)).pairs == []


def test_default_weights_are_shares_of_all_pairs_and_make_sense() -> None:
    for one in COMPARISONS:
        shares = default_weights(100).levels[one.column]
        assert sum(m for m, _ in shares) == pytest.approx(1, abs=1e-9), one.column
        assert sum(u for _, u in shares) == pytest.approx(1, abs=1e-9), one.column
        assert is_sane(shares), one.column


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Dr. Anna Maria Schmidt", ("anna maria", "schmidt")), ("Schmidt, Anna", ("anna", "schmidt")),
        ("Anna", ("anna", None)), ("", (None, None)), ("Herr Müller-Lüdenscheidt", ("muller-ludenscheidt", None)),
    ],
)  # fmt: skip
def test_names_are_split(name: str, parts: tuple[str | None, str | None]) -> None:
    assert split_name(name) == parts


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("1971-06-24", "1971-06-24"), ("19710624", "1971-06-24"), ("24.6.1971", "1971-06-24"),
        (BORN, "1950-01-01"), ("06/24/1971", None), ("0000-00-00", None), ("soon", None), (None, None),
    ],
)  # fmt: skip
def test_days_are_read_where_they_can_be_read_in_one_way(given: object, read: str | None) -> None:
    assert day(given) == read


def test_words_are_brought_into_one_spelling() -> None:
    assert words("  Straße   des 17. Juni ") == words("STRASSE DES 17. JUNI")
    assert words(" - ") is None
    assert words("x" * 500) == "x" * 100


def test_nothing_of_the_extra_is_imported_before_it_is_needed() -> None:
    folder = Path(scoring.__file__).parent
    for path in folder.glob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if line.startswith(("import splink", "from splink", "import duckdb"))], path
