from pathlib import Path

from django.db import migrations, models


def install(apps, schema_editor):
    """The triggers that note which days the lake has to write anew."""
    changes = Path(__file__).parent.parent / "lake" / "changes.sql"
    with schema_editor.connection.connection.cursor() as cursor:
        cursor.execute(changes.read_text())


class Migration(migrations.Migration):

    dependencies = [
        ("analytics", "0001_initial"),
        ("journeys", "0005_paths_in_order"),
        ("orders", "0008_orders_of_the_erased"),
    ]

    operations = [
        migrations.CreateModel(
            name="LakeState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.UUIDField()),
                ("marks", models.JSONField(default=list)),
            ],
            options={"db_table": "lake_state"},
        ),
        migrations.CreateModel(
            name="LakeChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stream", models.CharField(max_length=12)),
                ("day", models.DateField()),
            ],
            options={
                "db_table": "lake_changes",
                "indexes": [models.Index(fields=["stream", "day"], name="lake_changes_day")],
            },
        ),
        migrations.RunPython(install, migrations.RunPython.noop, elidable=False),
    ]
