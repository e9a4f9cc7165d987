from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.orders.market import Market, broken_laws, open_market


@pytest.fixture
def market(db: None) -> Iterator[Market]:
    """A market within a transaction; afterwards its books are proved to agree."""
    yield open_market()
    assert broken_laws() == []


@pytest.fixture
def operator(db: None) -> Client:
    """Somebody who may do everything, logged in."""
    client = Client()
    client.force_login(User.objects.create_user("olga", password="open sesame 1", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def newcomer(db: None) -> Client:
    """Somebody who may log in and has no rights yet."""
    client = Client()
    client.force_login(User.objects.create_user("nils", password="open sesame 2", is_staff=True))
    return client
