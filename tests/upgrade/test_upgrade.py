"""A database of every released version is taken over by this one: nothing is lost, and stock still agrees."""

import gzip
import subprocess
from pathlib import Path

import pytest
from django.db import connections
from psycopg.conninfo import make_conninfo

from finalmarket.channels.models import SalesChannel
from finalmarket.cli.migrate import apply_migrations
from finalmarket.customers.models import CustomerIdentity, CustomerMerge, OmnichannelCustomer
from finalmarket.customers.persons import settle
from finalmarket.kernel.database import owner_database
from finalmarket.kernel.embedded import pg_bindir
from finalmarket.kernel.sql import open_connection
from finalmarket.orders.models import Order
from finalmarket.stock.check import differences
from finalmarket.stock.models import StockMovement
from tests import databases
from tests.conftest import TestDatabase

INTERACTIONS = """
SELECT count(*), md5(string_agg(told, ',' ORDER BY id)) FROM (
    SELECT id, concat_ws('|', id, customer_id, sales_channel_id, interaction_type, context, occurred_at) AS told
    FROM channel_interactions) rows
"""
FIRST = "0.1.0.sql.gz"
DUMPS = sorted(Path(__file__).parent.glob("*.sql.gz"))


def _address(name: str) -> str:
    """The libpq address of a database of the test server, as the owner."""
    settings = owner_database()
    keys = {"user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return make_conninfo(dbname=name, **{ours: str(settings[key]) for ours, key in keys.items() if settings[key]})


def _load(dump: Path, name: str) -> None:
    """Fill an empty database from a dump; any error of the server ends it."""
    program = [str(pg_bindir() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", _address(name)]
    done = subprocess.run(program, input=gzip.decompress(dump.read_bytes()), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


TOLD_BEFORE = """
UPDATE channel_interactions SET message_id = 'told-before' WHERE id = (SELECT min(id) FROM channel_interactions)
"""
LEGACY_IDS = 900_000  # those of the dump are smaller
LEGACY = """
    INSERT INTO omnichannel_customers (id, name, email, phone, country, language, segment, attributes, updated_at,
                                       merged_into_id)
    SELECT 900000 + n, 'Ann', '', '', '', '', 'new', '{}', now(), nullif(900000 + upper, 900000)
    FROM (VALUES (1, 0), (2, 0), (3, 0), (4, 3), (5, 4)) AS given(n, upper);
    INSERT INTO customer_identities (customer_id, kind, value, source, evidence)
    SELECT 900000 + n, kind, value, '', '{}'
    FROM (VALUES (1, 'phone', '+4930901820'), (1, 'email', 'ann.lee@gmail.com'), (1, 'email', 'ann@old.example.com'),
                 (2, 'email', 'annlee+shop@googlemail.com'), (2, 'email', 'a.nnlee@gmail.com'),
                 (2, 'account', 'shop:7'), (3, 'loyalty', 'FM1')) AS given(n, kind, value);
"""


@pytest.mark.parametrize("dump", DUMPS, ids=[dump.name for dump in DUMPS])
def test_a_database_of_an_earlier_version_is_taken_over_whole(dump: Path, committed_database: TestDatabase) -> None:
    connections.close_all()
    databases.make_clone(committed_database.server, "template0", committed_database.name)
    _load(dump, committed_database.name)
    with open_connection({**owner_database(), "NAME": committed_database.name}) as owner:
        before = owner.execute("SELECT count(*), sum(total) FROM orders").fetchone()
        identities = owner.execute("SELECT count(*) FROM customer_identities").fetchall()[0][0]
        movements = owner.execute("SELECT count(*) FROM stock_movement").fetchall()[0][0]
        interactions = owner.execute(INTERACTIONS).fetchall()
        owner.execute(TOLD_BEFORE)
        if dump.name == FIRST:
            owner.execute(LEGACY)

    apply_migrations(verbosity=0)

    totals = Order.objects.values_list("total", flat=True)
    assert (len(totals), sum(totals)) == before
    assert StockMovement.objects.count() == movements > 0
    with open_connection({**owner_database(), "NAME": committed_database.name}) as owner:
        assert owner.execute(INTERACTIONS).fetchall() == interactions
        assert interactions[0][0] > 0
        assert owner.execute("SELECT since > now() FROM message_digests_timed").fetchall() == [(True,)]
    assert SalesChannel.objects.count() >= 8
    assert differences() == []
    of_the_dump = CustomerIdentity.objects.filter(customer__lt=LEGACY_IDS)
    assert of_the_dump.count() == identities > 0
    known = OmnichannelCustomer.objects.filter(pk__lt=LEGACY_IDS, identities__isnull=False).distinct().count()
    assert of_the_dump.filter(is_anchor=True).count() == known
    if dump.name == FIRST:
        what_customers_were_known_by_is_anchors_and_evidence()
    settle()
    assert not OmnichannelCustomer.objects.filter(pk__lt=LEGACY_IDS).exclude(merged_into=None).exists()
    if dump.name == FIRST:
        customers_that_were_one_are_one_person()


def what_customers_were_known_by_is_anchors_and_evidence() -> None:
    rows = CustomerIdentity.objects.filter(customer__gt=LEGACY_IDS).order_by("customer", "kind", "value")
    assert [(row.customer_id - LEGACY_IDS, row.value, row.is_anchor) for row in rows] == [
        (1, "ann@old.example.com", False), (1, "annlee@gmail.com", True), (1, "+4930901820", False),
        (2, "shop:7", False), (2, "annlee@gmail.com", False), (3, "FM1", True),
    ]  # fmt: skip


def customers_that_were_one_are_one_person() -> None:
    persons = OmnichannelCustomer.objects.filter(pk__gt=LEGACY_IDS).order_by("pk").values_list("pk", "merged_into")
    first, third = LEGACY_IDS + 1, LEGACY_IDS + 3
    assert [upper for _, upper in persons] == [None, first, None, third, third]
    assert CustomerMerge.objects.filter(kind="join", actor="system").count() == 2


def test_there_is_a_dump_of_the_first_version() -> None:
    assert FIRST in [dump.name for dump in DUMPS]
