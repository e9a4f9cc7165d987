"""Changes are told to those who watch (console/live/triggers.sql)."""

from pathlib import Path

from django.db import migrations

from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).resolve().parents[1] / "live" / "triggers.sql")


def _install(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for name in ("tell", "count", "watch", "watched"):
            cursor.execute(QUERIES[name])


def _remove(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION live_tell() CASCADE")
        cursor.execute("DROP FUNCTION live_watch; DROP FUNCTION live_count")


class Migration(migrations.Migration):
    dependencies = [
        ("advice", "0001_stock_advice_and_notices"),
        ("analytics", "0004_segments"),
        ("integrations", "0019_refusals"),
        ("journeys", "0005_paths_in_order"),
        ("orders", "0008_orders_of_the_erased"),
        ("stock", "0006_addresses"),
    ]

    operations = [migrations.RunPython(_install, _remove)]
