"""An index of the movements that gave units to promises, or took them away, for who looks for their orders."""

from django.db import migrations, models

INDEX = models.Index(
    fields=["at", "reservation"], name="stock_movement_met", condition=models.Q(kind__in=["backfill", "short"])
)


def build(apps, schema_editor):
    """Build it beside those who write to the ledger: nobody waits for it, so it may wait for them as long as it takes."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        (patience,) = cursor.fetchone()
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("DROP INDEX CONCURRENTLY IF EXISTS stock_movement_met")  # what a try left that was cut off
        cursor.execute(
            """CREATE INDEX CONCURRENTLY stock_movement_met ON stock_movement (at, reservation_id)
               WHERE kind IN ('backfill', 'short')"""
        )
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [patience])


def drop(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("DROP INDEX CONCURRENTLY IF EXISTS stock_movement_met")


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL builds no index CONCURRENTLY within a transaction

    dependencies = [("stock", "0006_addresses")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(build, drop)],
            state_operations=[migrations.AddIndex("stockmovement", INDEX)],
        ),
    ]
