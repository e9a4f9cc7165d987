"""One way on which the border post works: what happens, what a worker then does, and who comes again if it is cut.

`happen` brings about something new each time, and writes down how it has to end. `act` is what the worker does, as the
queue, the door or a person's button lets it. Where nobody but the one who asked would come again (the platform brings
its letter once more, a person presses the button once more), that is `again`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from finalmarket.sandbox.faults import Fault
from tests.laws.border_house import House

Act = Callable[[House], object]


@dataclass(frozen=True)
class Path:
    """One way: its name, what happens, what is done about it, and by whom once more.

    `about` names the rooms (or single failpoints) that it is about: what it shares with other ways is cut on those.
    """

    name: str
    about: str
    happen: Act
    act: Act
    again: Act | None = None

    def __str__(self) -> str:
        return self.name

    def is_about(self, failpoint: str) -> bool:
        """Whether the failpoint belongs to what this way is about."""
        return any(failpoint == word or failpoint.startswith(f"{word}.") for word in self.about.split())


def nothing(house: House) -> None:
    """Nothing happens."""


def both(*acts: Act) -> Act:
    """One after the other."""

    def act(house: House) -> None:
        for one in acts:
            one(house)

    return act


def failing(*faults: Fault) -> Act:
    """The platform misbehaves when it is asked next."""
    return lambda house: house.shop.faults.then(*faults)


def later(act: Act) -> Act:
    """When leases have ended and the next round has come."""

    def happen(house: House) -> None:
        house.pass_time(minutes=3)
        act(house)

    return happen
