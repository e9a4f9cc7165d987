"""No log-in is there from the beginning but the one that `serve` makes for an empty house."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from finalmarket.cli import serve


@pytest.mark.django_db
def test_an_empty_house_gets_one_log_in_with_a_password_of_chance_that_only_its_account_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINALMARKET_DATA", str(tmp_path))
    assert not User.objects.exists()  # the tables were migrated, and that makes none
    serve._make_first_log_in()
    (user,) = User.objects.all()
    kept = tmp_path / serve.PASSWORD_FILE
    assert kept.stat().st_mode & 0o777 == 0o600
    assert user.check_password(kept.read_text().strip()) and len(kept.read_text().strip()) >= 16


@pytest.mark.django_db
def test_a_house_with_people_gets_no_log_in_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINALMARKET_DATA", str(tmp_path))
    User.objects.create_user("olga")
    serve._make_first_log_in()
    assert [one.username for one in User.objects.all()] == ["olga"]
    assert not (tmp_path / serve.PASSWORD_FILE).exists()
