"""The whole sandbox: one account of every platform, kept over restarts, with shoppers who come by themselves."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import pickle
import pkgutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from finalmarket.sandbox import platforms
from finalmarket.sandbox.faults import Faults
from finalmarket.sandbox.stand_in import StandIn
from finalmarket.sandbox.wire import Wire
from finalmarket.sandbox.world import World

SAVE_SECONDS = 5.0


def stand_ins() -> list[type[StandIn]]:
    """The stand-ins of all platforms, by slug."""
    found: dict[str, type[StandIn]] = {}
    for module in pkgutil.iter_modules(platforms.__path__):
        loaded = importlib.import_module(f"{platforms.__name__}.{module.name}")
        for declared in vars(loaded).values():
            is_one = inspect.isclass(declared) and issubclass(declared, StandIn) and declared is not StandIn
            if is_one and declared.__module__.startswith(loaded.__name__) and hasattr(declared, "slug"):
                found[declared.slug] = declared
    return [found[slug] for slug in sorted(found)]


class Sandbox:
    """Serves every platform's account "main". What they hold is kept in `folder` (None: forgotten at the end), every
    few seconds and at the end; the files are read back by nobody but us, so they lie in a private folder."""

    def __init__(
        self, *, seed: int = 1, port: int = 0, folder: Path | None = None, orders_a_minute: float = 0.0,
        faults: float = 0.0,
    ) -> None:  # fmt: skip
        self.world = World(seed)
        self.wire = Wire(port=port)
        self._folder = folder
        self._orders_a_minute = orders_a_minute
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        for number, kind in enumerate(stand_ins()):
            stand_in = kind(self.world, faults=Faults(seed=seed + number, share=faults))
            self._load(stand_in)
            self.wire.add(stand_in)

    def open(self) -> None:
        """Begin to answer, and let shoppers come."""
        self.wire.start()
        work = [self._keep_saving] if self._folder else []
        work += [self._keep_shopping] if self._orders_a_minute else []
        for task in work:
            thread = threading.Thread(target=task, name=f"sandbox {task.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """Stop, and keep what the platforms hold."""
        self._closing.set()
        for thread in self._threads:
            thread.join(10)
        self.wire.close()
        self.save()

    def save(self) -> None:
        """Keep what every account holds; a file is whole or the one before."""
        if self._folder is None:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for _, stand_in in self.wire.all():
            with stand_in.lock:
                held = pickle.dumps(stand_in.state)
            draft = self._file(stand_in).with_suffix(".new")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(held)
            draft.replace(self._file(stand_in))

    def _file(self, stand_in: StandIn) -> Path:
        return (self._folder or Path()) / f"{stand_in.slug}-{stand_in.account}.state"

    def _load(self, stand_in: StandIn) -> None:
        """Take up what was kept; a file of another version of the stand-in is passed over."""
        if self._folder is None or not self._file(stand_in).exists():
            return
        with contextlib.suppress(pickle.UnpicklingError, AttributeError, ImportError, EOFError):
            kept = pickle.loads(self._file(stand_in).read_bytes())  # noqa: S301  our own file in a private folder
            if type(kept) is type(stand_in.state):
                stand_in.state = kept

    def _keep_saving(self) -> None:
        while not self._closing.wait(SAVE_SECONDS):
            self.save()

    def _keep_shopping(self) -> None:
        """One shopper after the other, at a platform that has something to sell."""
        while not self._closing.wait(self.world.chance.expovariate(self._orders_a_minute / 60)):
            shops = list(self._shops())
            if not shops:
                continue
            shop: Any = self.world.chance.choice(shops)
            with shop.lock:
                shop.shop(self.world.chance)

    def _shops(self) -> Iterator[StandIn]:
        for _, stand_in in self.wire.all():
            if hasattr(stand_in, "shop") and hasattr(stand_in, "listings") and stand_in.listings():
                yield stand_in
