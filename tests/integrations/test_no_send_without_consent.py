"""Nothing goes out to a person, or about one, without asking the one place that knows what they agreed to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import finalmarket
from finalmarket.customers import consents
from finalmarket.customers.models import Consent
from finalmarket.integrations.books import happenings, orders, people
from finalmarket.integrations.talk import letters, mails, wishes
from tests.integrations.bureau import Bureau, opened_bureau
from tests.integrations.office import Office, opened_office

INTEGRATIONS = Path(finalmarket.__file__).parent / "integrations"
SENDS = {
    "send_message": {"talk/mails.py", "talk/letters.py"}, "send_events": {"books/events.py"},
    "push_customer": {"books/wares.py"},
}  # fmt: skip
"""Where anything is sent to somebody, or told of somebody, and nowhere else."""


def test_messages_events_and_people_go_out_by_doors_that_are_known() -> None:
    found: dict[str, set[str]] = {name: set() for name in SENDS}
    for path in INTEGRATIONS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SENDS:
                found[node.func.attr].add(str(path.relative_to(INTEGRATIONS)))
    assert found == SENDS


def test_all_doors_ask_the_same_place() -> None:
    assert vars(mails)["consents"] is consents
    assert vars(letters)["consents"] is consents
    assert vars(wishes)["agrees"] is consents.agrees
    assert {vars(one)["words_of"] for one in (happenings, people, orders)} == {consents.words_of}


def test_nobody_else_reads_the_ledger() -> None:
    """Who reads rows of consents: the one place, the ledger's writer, what shows and exports them."""
    readers = {
        str(path.relative_to(INTEGRATIONS))
        for path in INTEGRATIONS.rglob("*.py")
        if "Consent.objects.filter" in path.read_text(encoding="utf-8")
    }
    assert readers == {"talk/consents.py"}


@pytest.fixture
def bureau(committed_database: object) -> Iterator[Bureau]:
    with opened_bureau() as found:
        yield found


@pytest.fixture
def books(committed_database: object) -> Iterator[Office]:
    with opened_office() as office:
        office.keep("events")
        yield office


def test_where_the_one_place_says_no_no_mail_is_sent(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(consents, "agrees", lambda *given, **words: asked.append((given, words)))
    bureau.give("confirmations")
    bureau.buy()
    bureau.tell()
    assert asked
    assert bureau.mails() == []


def test_a_withdrawal_of_any_profile_of_the_person_keeps_events_back(books: Office) -> None:
    books.agrees("analytics")
    books.buy("CUP", 1)
    ann = books.person()
    from finalmarket.customers.resolve import Contact, resolve

    twin = resolve(Contact(email="ann.twin@example.com"))
    assert twin is not None
    ann.merge(twin, actor="olga")
    twin.withdraw_consent("analytics", source="call")
    books.tell_events(5)
    assert books.told_events() == []
    assert Consent.objects.filter(customer=ann, is_granted=True).exists()
