"""Who writes is asked to speak of each topic once in a while only; what happens with people is told too."""

from pathlib import Path

from django.db import migrations

from finalmarket.console.live.words import TOPICS
from finalmarket.kernel.sql import Queries

QUERIES = Queries(Path(__file__).resolve().parents[1] / "live" / "triggers.sql")


def _install(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION IF EXISTS live_watch(regclass, text, text)")  # where it had no name of triggers
        cursor.execute(QUERIES["count"])
        cursor.execute("SELECT live_count(topic) FROM unnest(%s::text[]) AS topic", [list(TOPICS)])
        for name in ("tell", "watch", "people"):
            cursor.execute(QUERIES[name])


def _remove(apps, schema_editor):
    tables = ("journey_marks", "journey_changes", "consents", "wishlists")
    named = [(table, "live") for table in tables] + [("cross_channel_journeys", "live_customers")]
    with schema_editor.connection.cursor() as cursor:
        for table, name in named:
            cursor.execute(f"DROP TRIGGER {name}_insert ON {table}; DROP TRIGGER {name}_update ON {table}")


class Migration(migrations.Migration):
    dependencies = [
        ("console", "0003_works"),
        ("customers", "0009_sign_in"),
        ("journeys", "0005_paths_in_order"),
        ("orders", "0013_notes"),
    ]

    operations = [migrations.RunPython(_install, _remove)]
