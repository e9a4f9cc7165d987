import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0002_merge_suggestions"),
        ("journeys", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="JourneyMark",
            fields=[
                (
                    "customer",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="customers.omnichannelcustomer",
                    ),
                ),
                ("since", models.DateTimeField()),
                ("version", models.BigIntegerField(default=1)),
            ],
            options={
                "db_table": "journey_marks",
            },
        ),
    ]
