from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models


def install(apps, schema_editor):
    """The triggers that note what journeys depend on."""
    changes = Path(__file__).parent.parent / "changes.sql"
    with schema_editor.connection.connection.cursor() as cursor:
        cursor.execute(changes.read_text())


MARK_WHAT_IS_THERE = """
INSERT INTO journey_marks (customer_id, since, version)
SELECT customer_id, min(occurred_at), 1 FROM channel_interactions GROUP BY customer_id ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE
SET since = least(journey_marks.since, excluded.since), version = journey_marks.version + 1
"""


class Migration(migrations.Migration):
    dependencies = [
        ("channels", "0003_who_tells_the_platform"),
        ("customers", "0002_merge_suggestions"),
        ("journeys", "0003_interactions_by_month"),
        ("orders", "0006_parcels_by_number"),
    ]

    operations = [
        migrations.AddField(
            model_name="crosschanneljourney",
            name="is_recognised",
            field=models.BooleanField(
                default=False, help_text="Found in what the person did, not started by a call"
            ),
        ),
        migrations.AddField(
            model_name="crosschanneljourney",
            name="reason",
            field=models.CharField(blank=True, default="", help_text="Why it has this intent", max_length=200),
        ),
        migrations.AddField(
            model_name="crosschanneljourney",
            name="step",
            field=models.CharField(
                blank=True, default="", help_text="The furthest step that was reached", max_length=18
            ),
        ),
        migrations.AddField(
            model_name="crosschanneljourney", name="visits", field=models.PositiveIntegerField(default=0)
        ),
        migrations.AddField(
            model_name="crosschanneljourney",
            name="score",
            field=models.IntegerField(default=0, help_text="Sum of the value scores of its interactions"),
        ),
        migrations.AddField(
            model_name="crosschanneljourney",
            name="value",
            field=models.DecimalField(
                blank=True,
                decimal_places=4,
                help_text="The order's goods after discount",
                max_digits=16,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="crosschanneljourney",
            name="currency",
            field=models.CharField(blank=True, default="", max_length=3),
        ),
        migrations.AddField(
            model_name="crosschanneljourney",
            name="last_touch_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="crosschanneljourney",
            name="closes_at",
            field=models.DateTimeField(blank=True, help_text="Nothing joins it after this moment", null=True),
        ),
        migrations.AddField(
            model_name="journeytouchpoint",
            name="visit",
            field=models.PositiveIntegerField(default=0, help_text="Number of the visit within the journey"),
        ),
        migrations.AddField(
            model_name="journeytouchpoint",
            name="switched_from",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The channel of the step before, where it was another one",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="channels.saleschannel",
            ),
        ),
        migrations.AddIndex(
            model_name="crosschanneljourney",
            index=models.Index(
                condition=models.Q(("is_recognised", True), ("state", "open")),
                fields=["closes_at"],
                name="journeys_to_sweep",
            ),
        ),
        migrations.AddConstraint(
            model_name="crosschanneljourney",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("id__gte", 1000000000000), ("is_recognised", True)),
                    models.Q(("id__lt", 1000000000000), ("is_recognised", False)),
                    _connector="OR",
                ),
                name="journeys_numbered",
            ),
        ),
        migrations.CreateModel(
            name="JourneyChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("customer_id", models.BigIntegerField()),
                ("since", models.DateTimeField()),
            ],
            options={"db_table": "journey_changes"},
        ),
        migrations.RunPython(install, migrations.RunPython.noop),
        migrations.RunSQL(MARK_WHAT_IS_THERE, migrations.RunSQL.noop),
    ]
