from django.db import migrations, models


class Migration(migrations.Migration):
    """How often a notice was surely refused: then it is told under another key."""

    dependencies = [("integrations", "0018_told_of_erasures")]

    operations = [
        migrations.AddField(
            "duenotice", "refusals",
            models.PositiveIntegerField(db_default=0, default=0, help_text="Each gets another key"),
        ),
    ]
