from django.db import migrations, models


class Migration(migrations.Migration):
    """Movements of stock are told once more, to be sure."""

    dependencies = [("integrations", "0014_captures_in_parts")]

    operations = [
        migrations.AddField(
            model_name="dueevent",
            name="verified_at",
            field=models.DateTimeField(blank=True, help_text="When it was told once more, to be sure", null=True),
        ),
        migrations.AddIndex(
            model_name="dueevent",
            index=models.Index(
                condition=models.Q(("kind", "movement"), ("state", "sent"), ("verified_at", None)),
                fields=["integration", "sent_at"],
                name="due_events_unverified",
            ),
        ),
    ]
