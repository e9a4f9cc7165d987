"""How far a file is, is told too."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("console", "0002_drafts"), ("access", "0004_works")]

    operations = [
        migrations.RunSQL(
            "SELECT live_watch('works', 'bulk', 'id')",
            "DROP TRIGGER live_insert ON works; DROP TRIGGER live_update ON works",
        )
    ]
