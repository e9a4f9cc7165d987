import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from finalmarket.kernel import places, secrets
from finalmarket.kernel.errors import UserError


@pytest.fixture(autouse=True)
def _own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINALMARKET_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("FINALMARKET_SECRET_KEYS", raising=False)


def test_a_secret_is_read_back_and_does_not_stand_in_what_is_stored() -> None:
    stored = secrets.encrypt("sq0atp-token")
    assert "sq0atp" not in stored
    assert secrets.decrypt(stored) == "sq0atp-token"


def test_the_key_file_is_for_its_owner_alone() -> None:
    secrets.encrypt("x")
    assert stat.S_IMODE((places.data_folder() / secrets.FILE).stat().st_mode) == 0o600


def test_old_secrets_stay_readable_under_a_new_key_and_move_to_it() -> None:
    stored = secrets.encrypt("token")
    first_key = (places.data_folder() / secrets.FILE).read_text()
    secrets.add_key()
    assert secrets.decrypt(stored) == "token"
    moved = secrets.rotate(stored)
    (places.data_folder() / secrets.FILE).write_text(
        (places.data_folder() / secrets.FILE).read_text().replace(first_key.strip(), "")
    )
    assert secrets.decrypt(moved) == "token"
    with pytest.raises(UserError, match="cannot be read with the keys"):
        secrets.decrypt(stored)


def test_a_key_file_is_not_needed_where_the_environment_holds_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINALMARKET_SECRET_KEYS", Fernet.generate_key().decode())
    assert secrets.decrypt(secrets.encrypt("token")) == "token"
    assert not (places.data_folder() / secrets.FILE).exists()
    with pytest.raises(UserError, match="FINALMARKET_SECRET_KEYS"):
        secrets.add_key()


def test_a_garbled_key_is_named_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINALMARKET_SECRET_KEYS", "hunter2")
    with pytest.raises(UserError) as refusal:
        secrets.encrypt("token")
    assert "FINALMARKET_SECRET_KEYS" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_two_processes_that_make_a_secret_at_once_agree_on_one() -> None:
    assert places.keep_private_text("one", "first") == "first"
    assert places.keep_private_text("one", "second") == "first"
    assert [path.name for path in places.data_folder().iterdir()] == ["one"]
