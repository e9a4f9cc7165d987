"""Lists from their first page to their last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


class Page(Protocol[Item_co]):
    """A page of a list."""

    @property
    def items(self) -> Sequence[Item_co]:
        """The rows of this page."""

    @property
    def next(self) -> str | None:
        """The cursor of the page after it; None: this is the last."""


def each(listing: Callable[..., Page[Item]], *where: Any, **narrowed: Any) -> Iterator[Item]:
    """Yield all rows of a list, page by page as they are wanted: `each(house.journeys.list_journeys, state="open")`.
    What is added or taken away meanwhile makes no row come twice."""
    cursor = ""
    while True:
        page = listing(*where, **narrowed, **({"cursor": cursor} if cursor else {}))
        yield from page.items
        if page.next is None:
            return
        cursor = page.next
