"""A part of the trade with a platform: what happens on both sides, how it is synced, and the reckoning.

Which parts a platform plays follows from what its connector can do; what a part needs of the stand-in is an ability
(sandbox/abilities.py). A platform that fits a part and has the ability is in the game, without being named anywhere.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from finalmarket.connectors.contract import Connector
from finalmarket.integrations.models import DeadLetter

if TYPE_CHECKING:
    from tests.laws.border_game import Game


class Part:
    """One part. `needs` are the capabilities that it is about; with any of `never` the platform is of another kind."""

    needs: ClassVar[tuple[type, ...]]
    never: ClassVar[tuple[type, ...]] = ()
    ability: ClassVar[type]
    jobs: ClassVar[tuple[Callable[[int], object], ...]] = ()  # what workers do for it every minute

    def __init__(self, game: Game) -> None:
        self.game = game
        self.there: Any = game.stand_in

    @classmethod
    def fits(cls, connector: type[Connector]) -> bool:
        """Whether the platform is of this kind."""
        return all(issubclass(connector, need) for need in cls.needs) and not issubclass(connector, cls.never)

    def open(self) -> None:
        """Get ready."""

    @abstractmethod
    def trade(self) -> None:
        """Something happens, here or there."""

    def rush(self) -> None:
        """So much happens at once that the platform's lists take more than one page."""

    def sync(self) -> None:
        """What a worker does every minute, besides pulling and telling of what happened."""

    def hourly(self) -> bool:
        """What a worker does every hour, besides looking again at what changed; whether it could be done."""
        return True

    def waits(self) -> Iterator[str]:
        """What is on its way."""
        yield from ()

    def explains(self, letter: DeadLetter) -> bool:
        """Whether something was set aside because both sides did what goes not together: a person has to look."""
        return False

    @abstractmethod
    def wrong(self) -> Iterator[str]:
        """What the platform and we disagree on, in sentences."""
