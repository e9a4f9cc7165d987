"""The sandbox's own door, and the house of all platforms that is kept over restarts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from finalmarket.sandbox.house import Sandbox, stand_ins

LISTING = {"sku": "SHIRT-M", "title": "Shirt M", "price": "19.90", "quantity": 5, "barcode": "4006381333931"}
SLUGS = [kind.slug for kind in stand_ins()]
SHOPS = [kind.slug for kind in stand_ins() if hasattr(kind, "shop")]  # others keep books of what is sold elsewhere


@pytest.fixture
def door() -> Iterator[httpx2.Client]:
    """A client of a sandbox with all platforms."""
    sandbox = Sandbox(seed=7)
    sandbox.open()
    with httpx2.Client(base_url=f"http://127.0.0.1:{sandbox.wire.port}/_sandbox", trust_env=False) as client:
        yield client
    sandbox.close()


def test_the_door_tells_accounts_with_their_addresses_and_credentials(door: httpx2.Client) -> None:
    accounts = door.get("").json()
    assert [account["platform"] for account in accounts] == SLUGS
    for account in accounts:
        assert account["address"].startswith(str(door.base_url).partition("/_sandbox")[0])
        assert account["credentials"]


@pytest.mark.parametrize("slug", SLUGS)
def test_listings_are_added_once_and_shoppers_take_them(door: httpx2.Client, slug: str) -> None:
    def listings() -> Any:
        return door.post(f"/{slug}/main/listings", json=[LISTING])

    if listings().status_code == 400:
        pytest.skip(f"{slug} has no listings: it takes payments")
    assert door.get(f"/{slug}/main/stock").json() == {"SHIRT-M": 5}
    assert listings().json() == {"added": 0}
    if slug not in SHOPS:
        assert door.post(f"/{slug}/main/shop", json={"shoppers": 2}).status_code == 400
        return
    assert door.post(f"/{slug}/main/shop", json={"shoppers": 2}).json() == {"shoppers": 2}
    left = door.get(f"/{slug}/main/stock").json()["SHIRT-M"]
    assert 0 <= left < 5
    effects = door.get(f"/{slug}/main/journal", params={"what": "effect"}).json()
    assert effects
    assert [entry["number"] for entry in effects] == sorted(entry["number"] for entry in effects)


def test_shoppers_never_buy_what_is_not_there(door: httpx2.Client) -> None:
    for slug in SHOPS:
        if door.post(f"/{slug}/main/listings", json=[LISTING]).status_code == 200:
            door.post(f"/{slug}/main/shop", json={"shoppers": 20})
            assert door.get(f"/{slug}/main/stock").json() == {"SHIRT-M": 0}


def test_faults_are_made_by_the_door(door: httpx2.Client) -> None:
    answer = door.post("/fake/main/faults", json={"share": 1.0, "seed": 1, "kinds": ["TOO_MANY"]})
    assert answer.json() == {"share": 1.0}
    address = next(account["address"] for account in door.get("").json() if account["platform"] == "fake")
    assert httpx2.get(f"{address}/v1/account", trust_env=False).status_code == 429
    assert door.post("/fake/main/faults", json={"share": 1.0, "kinds": ["EARTHQUAKE"]}).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere/main/stock", 404),
        ("GET", "/fake/main/secrets", 404),
        ("POST", "/fake/main/stock", 404),
        ("GET", "/fake", 404),
        ("POST", "/fake/main/listings", 400),
    ],
)
def test_what_the_door_does_not_know_is_refused(door: httpx2.Client, method: str, path: str, status: int) -> None:
    assert door.request(method, path, json=[{}]).status_code == status


def test_what_the_platforms_hold_is_kept_over_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    first = Sandbox(folder=folder)
    first.open()
    for _, stand_in in first.wire.all():
        shop: Any = stand_in
        if hasattr(shop, "add_listing"):
            shop.add_listing("SHIRT-M", "Shirt M", Decimal(10), 5)
    before = {stand_in.slug: _shown(stand_in) for _, stand_in in first.wire.all()}
    first.close()
    assert folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())
    second = Sandbox(folder=folder)
    second.open()
    after = {stand_in.slug: _shown(stand_in) for _, stand_in in second.wire.all()}
    second.close()
    assert after == before
    assert any(before.values())


def test_a_spoiled_file_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    folder.mkdir()
    for slug in SLUGS:
        (folder / f"{slug}-main.state").write_bytes(b"not a pickle")
    sandbox = Sandbox(folder=folder)
    sandbox.open()
    shown = [_shown(stand_in) for _, stand_in in sandbox.wire.all()]
    sandbox.close()
    assert not any(shown)


def _shown(stand_in: Any) -> Any:
    return stand_in.shown_stock() if hasattr(stand_in, "shown_stock") else None
