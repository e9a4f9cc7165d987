"""A worker takes up as much as it asked for, whatever the database believes of the table."""

from pathlib import Path

import pytest
from django.db import connection

from finalmarket.integrations import notices
from finalmarket.integrations.models import DueNotice
from finalmarket.kernel.database import owner_database
from finalmarket.kernel.sql import Queries, open_connection
from tests.integrations.stalls import Account


@pytest.mark.parametrize("known", [None, 0, 1, 3], ids=lambda number: f"{number} rows known")
def test_one_notice_is_taken_up_and_the_next_stays_due(account: Account, known: int | None) -> None:
    for number in range(4):
        if number == known:
            _analyze()
        if number < 3:
            DueNotice.objects.create(
                integration=account.integration, kind="fulfilment", local_id=number, key=f"k{number}"
            )
    claim = Queries(Path(notices.__file__).with_name("notices.sql"))["claim"]
    with connection.cursor() as cursor:
        cursor.execute(claim, {"integration": account.integration.pk, "now": None, "seconds": 60})
        assert len(cursor.fetchall()) == 1
    assert sorted(DueNotice.objects.values_list("state", flat=True)) == ["doubtful", "due", "due"]


def _analyze() -> None:
    with open_connection({**owner_database(), "NAME": connection.settings_dict["NAME"]}) as owner:
        owner.execute("ANALYZE due_notices")
