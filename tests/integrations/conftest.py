from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from finalmarket.integrations.connect import PUBLIC_URL
from finalmarket.sandbox.platforms.fake import Fake
from finalmarket.sandbox.platforms.practice_office import PracticeOffice
from finalmarket.sandbox.wire import served
from finalmarket.sandbox.world import World
from tests.integrations.counter import Counter, open_counter
from tests.integrations.letterbox import Post, open_post
from tests.integrations.stalls import Account, connect


@dataclass
class Shop:
    """A stand-in of the practice platform, and where it is served."""

    stand_in: Fake
    address: str


@pytest.fixture
def world() -> World:
    """The outside world."""
    return World(seed=1)


@pytest.fixture
def shop(world: World) -> Iterator[Shop]:
    """The practice platform, served; an answer that never comes is given up after a fifth of a second."""
    stand_in = Fake(world)
    with served(stand_in, most_seconds_silent=0.2) as (address,):
        yield Shop(stand_in, address)


@pytest.fixture
def account(committed_database: object, shop: Shop) -> Account:
    """An account on it: connected, with a channel and three linked products of which ten units are there."""
    return connect(shop.stand_in, shop.address)


@pytest.fixture
def post(account: Account, monkeypatch: pytest.MonkeyPatch) -> Post:
    """The platform is asked to call the house, and its letters are caught."""
    return open_post(account, monkeypatch)


@pytest.fixture
def counter(committed_database: object, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    """An account on the practice office, an own shop with three goods, and a house that is reached from outside."""
    monkeypatch.setenv(PUBLIC_URL, "https://house.example")
    office = PracticeOffice(world)
    with served(office, most_seconds_silent=0.2) as (address,):
        yield open_counter(office, address)
