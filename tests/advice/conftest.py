from collections.abc import Iterator

import pytest

from tests.orders.market import Market, broken_laws, open_market


@pytest.fixture
def market(db: None) -> Iterator[Market]:
    """A market within a transaction; afterwards its books are proved to agree."""
    yield open_market()
    assert broken_laws() == []
