"""Guessing passwords is slow, and nobody is locked out by strangers."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from finalmarket.access import log_ins
from finalmarket.kernel import clock

PASSWORD = "open sesame 8"


pytestmark = pytest.mark.usefixtures("nobody_has_failed_before")


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_user("olga", password=PASSWORD, is_staff=True)


def _tries(password: str, *, address: str = "192.0.2.1", name: str = "olga") -> bool:
    form = {"username": name, "password": password}
    answer = Client(REMOTE_ADDR=address).post(reverse("admin:login"), form)
    return answer.status_code == 302


@pytest.mark.usefixtures("olga")
def test_after_eight_wrong_passwords_even_the_right_one_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [_tries(f"guess {number}") for number in range(8)] == [False] * 8
    assert not _tries(PASSWORD)
    later = clock.ticks() + 15 * 60 + 1
    monkeypatch.setattr(clock, "ticks", lambda: later)
    assert _tries(PASSWORD)


@pytest.mark.usefixtures("olga")
def test_guesses_from_elsewhere_lock_nobody_out() -> None:
    for number in range(20):
        _tries(f"guess {number}", address="198.51.100.7")
    assert _tries(PASSWORD)


@pytest.mark.usefixtures("olga")
def test_one_address_that_tries_many_names_has_to_wait() -> None:
    for number in range(60):
        _tries("guess", name=f"name-{number}")
    assert not _tries(PASSWORD)
    assert _tries(PASSWORD, address="192.0.2.2")


@pytest.mark.usefixtures("olga")
def test_a_household_that_takes_another_address_for_each_guess_has_to_wait() -> None:
    for number in range(8):
        _tries(f"guess {number}", address=f"2001:db8:1:2::{number + 1}")
    assert not _tries(PASSWORD, address="2001:db8:1:2:3:4:5:6")
    assert _tries(PASSWORD, address="2001:db8:1:3::1")


@pytest.mark.usefixtures("olga")
def test_guesses_from_everywhere_free_nobody_but_who_failed_longest_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_ins, "MOST_REMEMBERED", 6)
    _tries("guess", address="198.51.100.1")
    for number in range(8):
        _tries(f"guess {number}")
    for stranger in ("198.51.100.2", "198.51.100.3"):
        _tries("guess", address=stranger)
    assert not _tries(PASSWORD)


@pytest.mark.usefixtures("olga")
def test_who_gets_it_right_begins_anew() -> None:
    for _ in range(2):
        assert [_tries(f"guess {number}") for number in range(7)] == [False] * 7
        assert _tries(PASSWORD)


@pytest.mark.usefixtures("olga")
def test_a_wait_is_told_in_words() -> None:
    for number in range(8):
        _tries(f"guess {number}")
    page = Client(REMOTE_ADDR="192.0.2.1").post(reverse("admin:login"), {"username": "olga", "password": PASSWORD})
    assert "Too many wrong passwords: try again in 15 minutes." in page.content.decode()
