import pytest

from finalmarket.kernel import database
from finalmarket.kernel.errors import UserError


@pytest.fixture(autouse=True)
def _no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DATABASE_URL", "DATABASE_MIGRATE_URL", "FINALMARKET_POOL"):
        monkeypatch.delenv(variable, raising=False)


def test_without_an_address_the_embedded_database_is_meant_and_reached_by_socket_alone() -> None:
    settings = database.databases()["default"]
    assert settings["USER"] == "finalmarket_runtime"
    assert settings["HOST"].startswith("/")
    assert database.owner_database()["USER"] == "finalmarket_owner"


def test_one_address_means_its_user_owns_and_the_work_is_done_in_the_runtime_role(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop:p%40ss@db.example:6543/market?sslmode=require")
    settings = database.databases()["default"]
    assert (settings["USER"], settings["PASSWORD"], settings["HOST"]) == ("shop", "p@ss", "db.example")
    assert (settings["PORT"], settings["NAME"]) == ("6543", "market")
    assert settings["OPTIONS"] == {"sslmode": "require", "assume_role": "finalmarket_runtime"}
    assert "assume_role" not in database.owner_database()["OPTIONS"]


def test_two_addresses_mean_two_users_and_no_change_of_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db.example/market")
    monkeypatch.setenv("DATABASE_MIGRATE_URL", "postgresql://owner@db.example/market")
    assert "assume_role" not in database.databases()["default"]["OPTIONS"]
    assert database.owner_database()["USER"] == "owner"
    assert database.runtime_user() == "app"


@pytest.mark.parametrize(
    "url", ["mysql://u:geheim@h/d", "postgresql://u:geheim@h:port:5432:/", "postgresql://u:geheim@h/"]
)
def test_a_wrong_address_is_refused_without_showing_its_password(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(UserError) as refusal:
        database.databases()
    assert "DATABASE_URL" in str(refusal.value)
    assert "geheim" not in str(refusal.value)


def test_only_the_owners_address_is_half_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_MIGRATE_URL", "postgresql://owner@db.example/market")
    with pytest.raises(UserError, match="set both or neither"):
        database.databases()
