"""The plan of all tables, for a database that is empty: what the migrations come to, in one step.

Step by step, Django draws up all models anew for each of some four hundred operations, which is most of a first start.
The plan (schema.sql) is written by `make schema` from a database that was migrated step by step, and a test holds it
against one. Migrations that are younger than the plan are applied after it, as to any other database.
"""

import re
from pathlib import Path

from django.db import connection, transaction

PLAN = Path(__file__).with_name("schema.sql")
_WRITTEN_BY = re.compile(r"^-- For PostgreSQL (\d+) ", re.MULTILINE)


def lay_out() -> bool:
    """Lay out all tables of an empty database, or none of them, and return whether that was done.

    To be called on the owner's connection. A database that has tables, or whose server is older than the one that
    wrote the plan and so may not understand it, is left to the migrations.
    """
    plan = PLAN.read_text(encoding="utf-8")
    with transaction.atomic(), connection.cursor() as cursor:
        written_by, server = int(_WRITTEN_BY.findall(plan)[0]), connection.connection.info.server_version // 10_000
        if server < written_by or connection.introspection.table_names(cursor):
            return False
        cursor.execute(plan)
    return True
