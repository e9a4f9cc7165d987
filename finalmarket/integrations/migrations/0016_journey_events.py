from pathlib import Path

from django.db import migrations


def install(apps, schema_editor):
    """The triggers that note what becomes of journeys."""
    journeys = Path(__file__).parent.parent / "outgoing" / "journeys.sql"
    with schema_editor.connection.connection.cursor() as cursor:
        cursor.execute(journeys.read_text())


class Migration(migrations.Migration):
    """Receivers hear when a journey is completed, and when it is given up."""

    dependencies = [
        ("integrations", "0015_events_verified"),
        ("journeys", "0004_recognised_journeys"),
    ]

    operations = [migrations.RunPython(install, migrations.RunPython.noop)]
