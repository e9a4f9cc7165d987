"""Who is logged in, how long, with what password, and what the browser is told to keep to."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.backends.db import SessionStore as SessionsInTheDatabase
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from finalmarket.access import staff

ROOT = Path(__file__).resolve().parents[2]
PASSWORD, NEXT = "open sesame 8", "quite another sesame 9"


pytestmark = pytest.mark.usefixtures("nobody_has_failed_before")


@pytest.fixture
def olga(db: None) -> User:
    return User.objects.create_superuser("olga", password=PASSWORD)


def logged_in() -> Client:
    """A browser of Olga's."""
    browser = Client()
    form = {"username": "olga", "password": PASSWORD}
    assert browser.post(reverse("admin:login"), form).status_code == 302
    return browser


def is_in(browser: Client) -> bool:
    return browser.get(reverse("console:overview")).status_code == 200


@pytest.mark.usefixtures("olga")
def test_a_session_is_new_at_every_log_in_and_the_one_before_is_of_no_use() -> None:
    browser = logged_in()
    first = browser.cookies["sessionid"].value
    browser.post(reverse("admin:login"), {"username": "olga", "password": PASSWORD})
    assert len(first) == 32
    assert browser.cookies["sessionid"].value != first
    older = Client()
    older.cookies["sessionid"] = first
    assert not is_in(older)


@pytest.mark.usefixtures("olga")
def test_who_logs_out_is_out_though_the_cookie_was_kept() -> None:
    browser = logged_in()
    kept = browser.cookies["sessionid"].value
    page = browser.post(reverse("admin:logout"))
    assert page.headers["Clear-Site-Data"] == '"cache", "storage"'
    thief = Client()
    thief.cookies["sessionid"] = kept
    assert not is_in(thief)


@pytest.mark.parametrize("cookie", ['"aaaaaaaaaaaa\\000"', "a" * 31 + "'", "é" * 32, "a" * 5_000])
def test_a_cookie_that_is_none_of_ours_is_no_session(db: None, cookie: str) -> None:
    stranger = Client(HTTP_COOKIE=f"sessionid={cookie}")
    assert stranger.get(reverse("console:overview")).status_code == 302
    assert stranger.get(reverse("admin:login")).status_code == 200


@pytest.mark.usefixtures("olga")
def test_another_password_takes_the_one_before_and_ends_what_is_open_elsewhere() -> None:
    here, elsewhere = logged_in(), logged_in()
    address = reverse("admin:password_change")
    wrong = {"old_password": "a guess", "new_password1": NEXT, "new_password2": NEXT}
    assert here.post(address, wrong).status_code == 200  # the form again
    assert is_in(elsewhere)
    assert here.post(address, {**wrong, "old_password": PASSWORD}).status_code == 302
    assert is_in(here)
    assert not is_in(elsewhere)


def test_who_is_let_go_or_gets_a_new_password_is_out_with_the_next_step(olga: User) -> None:
    User.objects.create_superuser("otto", password=NEXT)
    browser = logged_in()
    staff.reset_password(olga)
    assert not is_in(browser)
    olga.set_password(PASSWORD)
    olga.save()
    browser = logged_in()
    staff.let_go(olga)
    assert not is_in(browser)


@pytest.mark.parametrize("password", ["short 1", "password123", "1234567890", "qwertyuiop", "olga.market"])
def test_a_password_that_is_short_common_or_the_name_is_none(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, User(username="olga.market"))


@pytest.mark.parametrize("password", ["nur kleine worte", "🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑", "x y" * 60, " begins and ends "])
def test_any_signs_make_a_password_and_each_counts(password: str, db: None) -> None:
    validate_password(password, User(username="olga"))
    user = User.objects.create_user("olga", password=password)
    assert user.check_password(password)
    assert not user.check_password(password.strip() + "x")
    assert not user.check_password(password[:-1])


@pytest.mark.usefixtures("db")
def test_the_field_of_a_password_hides_it_and_lets_managers_in() -> None:
    page = Client().get(reverse("admin:login")).content.decode()
    field = page[page.index('type="password"') - 300 : page.index('type="password"') + 300]
    assert "current-password" in field
    assert "onpaste" not in page


def test_cookies_keep_to_this_house() -> None:
    assert configured.SESSION_COOKIE_HTTPONLY
    assert configured.SESSION_COOKIE_SAMESITE == "Lax"
    assert configured.SESSION_COOKIE_AGE <= 12 * 3600
    assert issubclass(import_module(configured.SESSION_ENGINE).SessionStore, SessionsInTheDatabase)


ON_THE_NET = {"FINALMARKET_HOSTS": "market.example", "FINALMARKET_BEHIND_PROXY": "1", "FINALMARKET_HSTS": "all"}
LOOK = """
import django; django.setup()
from django.conf import settings as s
print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS >= 31536000, s.SECURE_SSL_REDIRECT, s.DEBUG,
      s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.PASSWORD_HASHERS[0].rpartition(".")[2], s.SILENCED_SYSTEM_CHECKS)
"""


def _run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables, "DJANGO_SETTINGS_MODULE": "finalmarket.config.settings"}
    return subprocess.run(
        [sys.executable, "-W", "ignore", *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_django_has_nothing_to_say_about_a_house_on_the_net() -> None:
    checked = _run("-m", "django", "check", "--deploy", "--fail-level", "DEBUG", **ON_THE_NET)
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


def test_a_house_on_the_net_gives_cookies_over_tls_alone_and_shows_no_tracebacks() -> None:
    seen = _run("-c", LOOK, **ON_THE_NET)
    assert seen.stdout.split() == [
        "True", "True", "True", "True", "False", "__Host-sessionid", "__Host-csrftoken", "PBKDF2PasswordHasher", "[]",
    ], seen.stderr[-500:]  # fmt: skip


@pytest.mark.usefixtures("olga")
def test_pages_run_no_script_and_no_style_of_their_own_text() -> None:
    browser = logged_in()
    records = reverse("admin:orders_order_changelist")
    for address in (reverse("admin:login"), reverse("console:overview"), reverse("console:orders"), records):
        policy = browser.get(address, follow=True).headers["Content-Security-Policy"]
        directives = {part.split()[0]: part.split()[1:] for part in policy.split("; ")}
        assert directives["default-src"] == ["'none'"]
        assert "'unsafe-inline'" not in directives["script-src"] + directives["style-src"]
        may_style_parts = directives.get("style-src-attr") == ["'unsafe-inline'"]
        assert may_style_parts == address.startswith("/admin/")
        assert directives["frame-ancestors"] == ["'none'"] == directives["base-uri"]


@pytest.mark.usefixtures("olga")
def test_every_page_says_what_it_is_and_is_not_guessed() -> None:
    answer = logged_in().get(reverse("console:overview"))
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_page_of_an_error_shows_nothing_of_us(db: None, settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.forms import AuthenticationForm

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret-canary-of-an-error")

    monkeypatch.setattr(AuthenticationForm, "clean", broken)
    answer = Client(raise_request_exception=False).post(reverse("admin:login"), {"username": "x", "password": "y"})
    told = io.BytesIO(answer.content).read().decode()
    assert answer.status_code == 500
    assert "canary" not in told
    assert "Traceback" not in told
