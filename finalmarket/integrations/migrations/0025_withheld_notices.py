from django.db import migrations, models


class Migration(migrations.Migration):
    """A mail that may not be sent is withheld, and not told. Nothing changes in the database."""

    dependencies = [("integrations", "0024_asked_to_wait")]

    operations = [
        migrations.AlterField(
            "duenotice",
            "state",
            models.CharField(
                choices=[
                    ("due", "Waits"),
                    ("doubtful", "Sent, outcome unknown"),
                    ("sent", "Told"),
                    ("refused", "Refused"),
                    ("withheld", "Not told: it may not be, or holds no more"),
                ],
                default="due",
                max_length=8,
            ),
        ),
    ]
