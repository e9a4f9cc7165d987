"""Which connectors there are, found by slug, name or a former name. A file in `platforms/` is all it takes."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from finalmarket.connectors import platforms
from finalmarket.connectors.contract import Connector
from finalmarket.connectors.errors import NotSupported


@cache
def connectors() -> Mapping[str, type[Connector]]:
    """All connectors by slug, in alphabetical order."""
    found: dict[str, type[Connector]] = {}
    for module in pkgutil.iter_modules(platforms.__path__):
        loaded = importlib.import_module(f"{platforms.__name__}.{module.name}")
        for declared in vars(loaded).values():
            if not (inspect.isclass(declared) and issubclass(declared, Connector)) or inspect.isabstract(declared):
                continue
            if declared.__module__.startswith(loaded.__name__):
                found[declared.slug] = declared
    return MappingProxyType(dict(sorted(found.items())))


def real_connectors() -> Mapping[str, type[Connector]]:
    """The connectors of platforms that exist outside the sandbox, by slug."""
    return {slug: connector for slug, connector in connectors().items() if not connector.is_practice}


def find(name: str) -> type[Connector]:
    """The connector of a platform, by its slug, its name or a former name, in any case. Raises NotSupported."""
    wanted = name.strip().lower()
    if wanted in connectors():
        return connectors()[wanted]
    for connector in connectors().values():
        if wanted in {word.lower() for word in (connector.slug, connector.name, *connector.former_names)}:
            return connector
    known = ", ".join(connector.name for connector in real_connectors().values())
    raise NotSupported(f"there is no connector for {name!r}; known are {known or 'none'}")
