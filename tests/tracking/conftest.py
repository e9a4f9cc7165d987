from collections.abc import Iterator

import pytest

from tests.tracking.teller import Shop, forget_all, open_shop


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:
    """A channel that can be told of, within a transaction."""
    yield open_shop()
    forget_all()
