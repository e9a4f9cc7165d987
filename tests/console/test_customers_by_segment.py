"""The list of customers by segment reads what it shows, however many customers there are and however few are of it."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from finalmarket.console.counting import COUNTED_AT_MOST
from finalmarket.customers.models import OmnichannelCustomer
from finalmarket.kernel.database import owner_database
from finalmarket.kernel.sql import open_connection

pytestmark = pytest.mark.committed_database
CUSTOMERS = int(os.environ.get("FINALMARKET_PROOF_CUSTOMERS", "20000"))
A_PAGE = 500
"""More rows than a page takes by itself; besides, those of the segment are counted, up to the bound of all counts."""
LIST = reverse("console:customers")


@pytest.fixture
def crowd(committed_database: object) -> None:
    """One in a thousand is a VIP and they came first, one in a hundred is of high value; every fiftieth was merged into
    the one before, now and then with a higher segment."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO omnichannel_customers (name, email, phone, country, language, attributes,
                   updated_at, segment)
               SELECT 'Somebody ' || n, '', '', '', '', '{}', now(),
                   CASE WHEN n <= %(vip)s THEN 'vip' WHEN n %% 100 = 0 THEN 'high_value'
                        WHEN n %% 3 = 0 THEN 'new' ELSE 'regular' END
               FROM generate_series(1, %(all)s) n ORDER BY n""",
            {"all": CUSTOMERS, "vip": CUSTOMERS // 1000},
        )
        cursor.execute(
            """UPDATE omnichannel_customers SET merged_into_id = id - 1,
                   segment = CASE WHEN id % 500 = 0 THEN 'vip' WHEN id % 350 = 0 THEN 'high_value' ELSE segment END
               WHERE id % 50 = 0 AND id > (SELECT min(id) FROM omnichannel_customers)"""
        )
    with open_connection({**owner_database(), "NAME": connection.settings_dict["NAME"]}) as owner:
        owner.execute("VACUUM ANALYZE omnichannel_customers")


def rows_read(plan: Any) -> int:
    """The rows that the scans of a plan have read, those that a filter threw away among them."""
    own = 0
    if "Scan" in plan["Node Type"]:
        own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return int(own) + sum(rows_read(part) for part in plan.get("Plans", ()))


def most_read(client: Client, path: str) -> int:
    """Open a page, and have the database explain every question that it asked about customers."""
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path)
    assert answer.status_code == 200
    found = [0]
    with connection.cursor() as cursor:
        for one in asked.captured_queries:
            if one["sql"].startswith("SELECT") and "omnichannel_customers" in one["sql"]:
                cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + one["sql"])
                (said,) = cursor.fetchone()
                plans = json.loads(said) if isinstance(said, str) else said
                found.append(rows_read(plans[0]["Plan"]))
    return max(found)


def on_page(client: Client, path: str) -> tuple[list[int], str]:
    text = client.get(path).content.decode()
    later = re.search(r'href="[^"]*[?&](?:amp;)?after=([^"&]+)', text)
    return [int(number) for number in re.findall(r'/customers/(\d+)/?"', text)], later[1] if later else ""


@pytest.fixture
def olga(crowd: None) -> Client:
    User.objects.create_superuser("olga", password="x")
    client = Client()
    client.force_login(User.objects.get(username="olga"))
    return client


@pytest.mark.parametrize("segment", ["vip", "high_value", "regular"])
def test_a_page_of_a_segment_reads_a_bounded_number_of_rows(olga: Client, segment: str) -> None:
    carriers = OmnichannelCustomer.objects.filter(segment=segment).count()
    read = most_read(olga, f"{LIST}?segment={segment}")
    assert read < A_PAGE + 4 * min(COUNTED_AT_MOST + 1, carriers), f"{read:,} rows were read of {CUSTOMERS:,}"


@pytest.mark.parametrize("segment", ["vip", "high_value"])
def test_the_pages_of_a_segment_hold_everybody_of_it_once_by_the_highest_of_their_profiles(
    olga: Client, segment: str
) -> None:
    of: dict[int, set[str]] = {}
    for pk, into, own in OmnichannelCustomer.objects.values_list("pk", "merged_into_id", "segment"):
        of.setdefault(into or pk, set()).add(own)
    order = ("vip", "high_value", "regular", "new", "prospect")
    wanted = [pk for pk, segments in of.items() if min(segments, key=order.index) == segment]
    seen: list[int] = []
    after = ""
    for _ in range(1 + len(wanted) // 10):
        numbers, after = on_page(olga, f"{LIST}?segment={segment}" + (f"&after={after}" if after else ""))
        seen += dict.fromkeys(numbers)
        if not after:
            break
    assert seen == sorted(wanted, reverse=True)
