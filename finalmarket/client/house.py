"""The client: one attribute for each resource of the API, one method for each call."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

import httpx2

from finalmarket.client.calling import Caller, waits
from finalmarket.client.made.operations import Resources

TIMEOUT_SECONDS, PATIENCE_SECONDS = 30.0, 60.0


class Client(Resources):
    """The house at an address, called with a key. It keeps connections open; use it as a context, or close it."""

    def __init__(
        self, address: str, *, key: str, timeout_seconds: float = TIMEOUT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS, transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:  # fmt: skip
        self._caller = Caller(
            address, key, timeout_seconds=timeout_seconds, patience_seconds=patience_seconds, transport=transport,
            sleep=sleep or waits(),
        )  # fmt: skip
        super().__init__(self._caller)

    def close(self) -> None:
        """Give the connections back."""
        self._caller.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self._caller!r}>"
